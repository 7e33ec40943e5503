"""What a message must be to be used, and what it says then."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quotidian.enrich.unusable import Reason, Unusable
from quotidian.enrich.validate import Change, Validator
from quotidian.model import Context

from .telling import ATTRIBUTES, NOW, changed, state

VALIDATOR = Validator(ATTRIBUTES)
SEVEN = 1_772_434_800_123_456


def read(event: Any, arrived: int | None = NOW) -> Change:
    """Validate an event given as an object."""
    return VALIDATOR.validate(msgspec.json.encode(event), arrived)


def refused(event: Any) -> str:
    """Give the reason why an event, or these bytes, cannot be used."""
    raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
    with pytest.raises(Unusable) as caught:
        VALIDATOR.validate(raw, NOW)
    return caught.value.reason.value


def test_a_change_says_what_home_assistant_said() -> None:
    """Times are exact to the µs, attributes those of the allow-list, and the context is kept."""
    attributes = {"brightness": 80, "friendly_name": "Desk", "temperature": None, "device_class": "light"}
    earlier = "2026-03-02T08:00:00.000001+02:00"
    found = read(changed(new=state("light.desk", "on", attributes=attributes, last_changed=earlier)))
    assert found == Change(
        entity_id="light.desk",
        old_state="off",
        new_state="on",
        attributes={"brightness": 80},
        last_changed=SEVEN - 3_600_000_000 - 123_455,
        last_updated=SEVEN,
        context=Context("01CONTEXT", None, "anna"),
        device_class="light",
        unit=None,
    )


def test_a_removal_happens_when_it_is_fired() -> None:
    """An entity that is gone has no state that would tell a time."""
    found = read(changed(new=None, old="on"))
    assert (found.new_state, found.old_state) == (None, "on")
    assert found.last_updated == found.last_changed == SEVEN + 76_544


def test_an_entity_that_appears_had_no_state() -> None:
    """Nothing is made up for what was not said."""
    assert read(changed(old=None)).old_state is None


def test_a_name_may_be_in_the_allow_list_and_tell_the_unit() -> None:
    """An attribute that enrichment reads anyway can be kept as well."""
    found = read(changed("sensor.oven", state("sensor.oven", "200", attributes={"unit_of_measurement": "°C"})))
    assert (found.unit, found.attributes) == ("°C", {"unit_of_measurement": "°C"})


@pytest.mark.parametrize("context", [None, "text", {}, {"id": 5}, {"id": "a", "parent_id": 5, "user_id": []}])
def test_an_odd_context_does_not_cost_the_event(context: Any) -> None:
    """Who did it may be unknown; that it happened is not."""
    found = read(changed(new=state("light.desk", "on", context=context)) | {"context": context})
    assert found.context in (None, Context("a"))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[]", "not a state_changed event"),
        (b"null", "not a state_changed event"),
        ({"event_type": "call_service", "data": {}}, "not a state_changed event"),
        ({"event_type": "state_changed"}, "not a state_changed event"),
        ({"event_type": "state_changed", "data": []}, "not a state_changed event"),
        (changed() | {"data": {"entity_id": "light.desk", "new_state": "on"}}, "not a state_changed event"),
        (changed(new=state("light.desk", "on", attributes=[])), "not a state_changed event"),
        (changed(None, state(None, "on")), "no entity id"),  # type: ignore[arg-type]
        (changed("", state("", "on")), "no entity id"),
        (changed("light", "on"), "a malformed entity id"),
        (changed(".desk", "on"), "a malformed entity id"),
        (changed(5, state(5, "on"), old=None), "a malformed entity id"),  # type: ignore[arg-type]
        (changed("light." + "x" * 250, "on"), "a malformed entity id"),
        (changed(new=state("light.desk", "on", "yesterday")), "not a time"),
        (changed(new=state("light.desk", "on", "2026-02-30T00:00:00+00:00")), "not a time"),
        (changed(new=state("light.desk", "on", [])), "not a time"),
        (changed(new=state("light.desk", "on", True)), "not a time"),
        (changed(new=state("light.desk", "on", 1e300)), "not a time"),
        (changed(new=state("light.desk", "on", last_changed="never")), "not a time"),
        (changed(new=None, fired=None), "not a time"),
        (changed(new=state("light.desk", "on", "1969-12-31T23:59:59+00:00")), "a time before 1970"),
        (changed(new=state("light.desk", "on", "0001-01-01T00:00:00+23:59")), "a time before 1970"),
        (changed(new=state("light.desk", "on", "2026-03-04T01:06:41+00:00")), "a time in the future"),
        (changed(new=state("light.desk", "on", "9999-12-31T23:59:59-23:59")), "a time in the future"),
        (changed(new=state("light.desk", 21.5)), "a state that is not text"),
        (changed(new=state("light.desk", None)), "a state that is not text"),
        (changed(new=state("light.desk", "x" * 256)), "a state of more than 255 characters"),
    ],
)
def test_what_cannot_be_used_says_why(event: Any, reason: str) -> None:
    """Every way in which a message can be of no use has a plain reason."""
    assert refused(event) == reason


def test_every_reason_is_one_of_the_list() -> None:
    """Reasons label figures, so there are only so many; each is told as people read it."""
    assert all(reason.value == reason.value.strip() and len(reason.value) < 40 for reason in Reason)


def test_a_clock_may_be_a_day_ahead() -> None:
    """Home Assistant's clock may differ from ours by up to a day."""
    assert read(changed(), SEVEN - 86_400_000_000).last_updated == SEVEN
    with pytest.raises(Unusable, match="future"):
        read(changed(), SEVEN - 86_400_000_001)


def test_only_home_assistants_clock_counts_for_what_it_says() -> None:
    """A machine that wakes up years behind, before its clock is set, takes what it hears all the same."""
    assert read(changed(), None).last_updated == SEVEN


@pytest.mark.parametrize(
    "name", ["light.a'b\"c", "light.line\nbreak", "light.🦉", "light.nul\0", "light.<script>", "a.b.c"]
)
def test_hostile_names_are_only_names(name: str) -> None:
    """What stands around the dot is nobody's business here."""
    assert read(changed(name, "on")).entity_id == name


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(_json, st.sampled_from(["event_type", "time_fired", "data", "new_state", "old_state", "state", "last_updated"]))
@example("2026-03-02T07:00", "last_updated")
def test_whatever_stands_anywhere_is_used_or_refused(value: Any, place: str) -> None:
    """No message makes the validator fail, and what it lets pass can be written as JSON again."""
    event = changed()
    for record in (event, event["data"], event["data"]["new_state"]):
        if place in record:
            record[place] = value
    try:
        found = VALIDATOR.validate(json.dumps(event).encode(errors="replace"), NOW)
    except Unusable:
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=Change) == found


@given(st.binary(max_size=40))
def test_garbage_is_refused(raw: bytes) -> None:
    """Bytes that are no event are never one."""
    assert refused(raw) in {Reason.NOT_JSON.value, Reason.NOT_A_CHANGE.value}

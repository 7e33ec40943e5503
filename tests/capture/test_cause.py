"""Records as messages to enrich, each change with its cause."""

import msgspec
import pytest

from quotidian.capture.cause import Settler, fired
from quotidian.model import Cause, CauseKind, Gap, GapNote, Heard, Home, RegistryNote, Snapshot, Source
from quotidian.spool import Kind

from .said import START, changed, context, event, record

S = 1_000_000


def _listening(*machines: str) -> Settler:
    settler = Settler(machines)
    settler.know((), {"hall": ("light.hall",)}, complete=True)
    return settler


def _cause(settler: Settler, payload: bytes) -> Cause:
    message = settler.message(record(payload))
    assert isinstance(message, Heard)
    assert bytes(message.event) == payload
    return message.cause


def test_each_cause() -> None:
    """A person, an automation, a script, an integration and the device itself are told apart."""
    settler = _listening("robot")
    for name, told in (
        ("automation_triggered", {"entity_id": "automation.dusk", "source": "sun"}),
        ("script_started", {"entity_id": "script.dusk"}),
        ("call_service", {"domain": "light", "service": "turn_on", "service_data": {}}),
    ):
        assert settler.message(record(event(name, told, told=context(name)))) is None
    expected = {
        "automation_triggered": Cause(CauseKind.AUTOMATION, "automation.dusk"),
        "script_started": Cause(CauseKind.SCRIPT, "script.dusk"),
        "call_service": Cause(CauseKind.INTEGRATION),
        "nobody": Cause(CauseKind.PHYSICAL),
    }
    found = {key: _cause(settler, changed("light.desk", "on", told=context(key))) for key in expected}
    assert found == expected
    assert _cause(settler, changed("light.desk", "on", told=context("a", None, "anna"))).user == "anna"
    assert _cause(settler, changed("light.desk", "on", told=context("b", None, "robot"))).kind is CauseKind.INTEGRATION


def test_slow_device_is_matched_with_the_call() -> None:
    """A light that changes six seconds after an automation's call, with a context of its own, is the automation's."""
    settler = _listening()
    settler.message(record(event("automation_triggered", {"entity_id": "automation.dusk"}, told=context("x"))))
    meant = {"domain": "light", "service": "turn_on", "service_data": {"area_id": "hall"}}
    settler.message(record(event("call_service", meant, told=context("x"))))
    assert _cause(settler, changed("light.hall", "on", at=START + 6 * S)).kind is CauseKind.AUTOMATION
    assert _cause(settler, changed("light.other", "on", at=START + 6 * S)).kind is CauseKind.PHYSICAL


def test_button_is_a_persons() -> None:
    """An automation that follows a button's change is a person's act."""
    settler = _listening()
    settler.message(record(changed("input_button.bed", "now", told=context("press"))))
    triggered = event("automation_triggered", {"entity_id": "automation.bed"}, told=context("x", "press"))
    settler.message(record(triggered))
    assert _cause(settler, changed("light.desk", "off", "on", told=context("x", "press"))).kind is CauseKind.REMOTE


@pytest.mark.parametrize("old", ["unavailable", "unknown", None])
@pytest.mark.parametrize("new", ["off", "on"])
def test_coming_back_is_nobodys_act(old: str | None, new: str) -> None:
    """What follows upon not being there is a restore, whatever the value and whoever is named in the context."""
    told = context("x", None, "anna")
    assert _cause(_listening(), changed("light.desk", new, old, told=told)) == Cause(CauseKind.RESTORED)


def test_getting_lost_is_no_restore() -> None:
    """An entity that becomes unavailable or is removed did not come back."""
    settler = _listening()
    assert _cause(settler, changed("light.desk", "unavailable", "on")).kind is CauseKind.PHYSICAL
    assert _cause(settler, changed("light.desk", "unknown", "unavailable")).kind is CauseKind.PHYSICAL
    assert _cause(settler, changed("light.desk", None, "on")).kind is CauseKind.PHYSICAL


def test_without_telling_events_nothing_is_physical() -> None:
    """With a token that is not an administrator's, a change without a user has an unknown cause."""
    assert _cause(Settler(), changed("light.desk", "on")).kind is CauseKind.UNKNOWN


def test_causes_outlive_a_restart() -> None:
    """What was acknowledged already is listened to again, so that the changes behind it have their causes."""
    told = [
        record(event("automation_triggered", {"entity_id": "automation.dusk"}, told=context("x")), seq=1),
        record(changed("light.desk", "on", told=context("x")), seq=2),
        record(event("script_started", {"entity_id": "script.s"}, told=context("y")), seq=3),
    ]
    settler = _listening()
    settler.remember(told, 2)
    assert _cause(settler, changed("light.desk", "off", "on", told=context("x"))).entity == "automation.dusk"
    assert _cause(settler, changed("light.desk", "off", "on", told=context("y"))).kind is CauseKind.PHYSICAL


def test_a_token_that_lost_its_rights() -> None:
    """Where telling events reach us no more, a change without a sender is nobody's, whatever was heard before."""
    settler = _listening()
    settler.know((), {}, complete=True)
    assert _cause(settler, changed("light.desk", "on")).kind is CauseKind.PHYSICAL
    settler.know((), {}, complete=False)
    settler.remember([record(event("call_service", {}))], 1)
    assert _cause(settler, changed("light.desk", "off")).kind is CauseKind.UNKNOWN


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"{not json", "{not json"),
        (b'{"event_type":"state_changed","data":{"entity_id":"light.a', None),
        (b'{"event_type":"state_changed","data":"\xff"}', '{"event_type":"state_changed","data":"\ufffd"}'),
        (b"[" * 100_000, None),
        (b"", ""),
    ],
    ids=["no json", "cut", "no UTF-8", "deep", "nothing"],
)
def test_garbage_is_handed_on_as_text(payload: bytes, text: str | None) -> None:
    """What is not JSON at all keeps its number, as text."""
    message = _listening().message(record(payload, seq=7))
    assert isinstance(message, Heard)
    assert (message.seq, message.event) == (7, msgspec.Raw(b"null"))
    assert message.text == (payload.decode() if text is None else text)


@pytest.mark.parametrize(
    "payload",
    [
        b"7",
        b"{}",
        b'{"event_type":7}',
        b'{"event_type":"state_changed"}',
        b'{"event_type":"state_changed","data":{"entity_id":7,"old_state":[],"new_state":{}}}',
        changed("light.desk", "on").replace(b'"state":"on"', b'"state":7'),
    ],
)
def test_malformed_events_are_handed_on_as_they_are(payload: bytes) -> None:
    """JSON that is no event as it should be goes on, for enrich to say what is wrong with it."""
    assert _cause(_listening(), payload) == Cause()


@pytest.mark.parametrize("event_type", ["entity_registry_updated", "anything", "call_service", "automation_triggered"])
def test_other_events_are_no_messages(event_type: str) -> None:
    """Events that are no change of state, even ones that lie about what they are, have no message."""
    assert _listening().message(record(event(event_type, {"entity_id": 7, "service_data": 7, "domain": {}}))) is None
    assert _listening().message(record(b'{"event_type":"' + event_type.encode() + b'"}')) is None


def test_other_kinds_of_records() -> None:
    """Filled, manual, registry and gap records become what they hold; a damaged one becomes text."""
    settler = _listening()
    change = changed("light.desk", "on")
    filled = b'{"cause":{"kind":"script","entity":"script.s","user":null},"event":' + change + b"}"
    found = settler.message(record(filled, Kind.FILLED))
    assert isinstance(found, Heard)
    assert (found.source, found.cause.kind, bytes(found.event)) == (Source.HISTORY, CauseKind.SCRIPT, change)
    manual = settler.message(record(change, Kind.MANUAL))
    assert isinstance(manual, Heard)
    assert manual.cause == Cause(CauseKind.MANUAL)
    snapshot, gap = Snapshot(1, Home("h", "UTC")), Gap(id="g", start=1, end=2)
    noted = settler.message(record(msgspec.json.encode(snapshot), Kind.REGISTRIES))
    assert noted == RegistryNote(seq=1, arrived=START, snapshot=snapshot)
    assert settler.message(record(msgspec.json.encode(gap), Kind.GAP)) == GapNote(seq=1, arrived=START, gap=gap)
    for kind in (Kind.FILLED, Kind.REGISTRIES, Kind.GAP, Kind.MANUAL, Kind.GARBAGE):
        broken = settler.message(record(b'{"id', kind))
        assert isinstance(broken, Heard)
        assert broken.text == '{"id'


def test_when_a_change_happened() -> None:
    """A change happened when the state was updated, a removal when it was fired; other events do not count."""
    assert fired(changed("light.desk", "on", at=START + 5)) == START + 5
    assert fired(changed("light.desk", None, at=START + 7)) == START + 7
    assert fired(event("call_service", {})) is None
    assert fired(b"{") is None

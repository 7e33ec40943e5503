"""Events are a function of the messages and of what the registries said."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.enrich.enrichment import Enrichment
from quotidian.enrich.snapshots import Snapshots
from quotidian.model import Area, CauseKind, Entity, Event, Home, Snapshot
from quotidian.model.delivery import Enriched, Gap, GapNote, Heard, RegistryNote
from quotidian.model.event import event_id

from .telling import ATTRIBUTES, MOVED, NOW, SNAPSHOTS, changed, delivery, heard, state


def enrichment(*snapshots: Snapshot) -> Enrichment:
    """Give an enrichment of the home ``home``."""
    return Enrichment("home", ATTRIBUTES, Snapshots(snapshots))


def event_of(event: object, *snapshots: Snapshot) -> Event:
    """Enrich one event."""
    (arrival,) = enrichment(*snapshots).enriched(delivery(heard(1, event))).events
    return arrival.event


def at(instant: int) -> dict[str, object]:
    """Give a change of the desk's lamp at an instant."""
    return changed(new=state("light.desk", "on", instant))


def test_an_event_has_what_the_registries_said() -> None:
    """Area, floor, device and labels come from the registries, the unit from the state or else from them."""
    event = event_of(at(MOVED - 1), *SNAPSHOTS)
    assert event.event_id == event_id("home", "light.desk", MOVED - 1)
    assert (event.home, event.area, event.floor, event.device) == ("home", "den", "Attic", "device-1")
    assert (event.labels, event.value, event.cause.kind) == (("work",), 1.0, CauseKind.PHYSICAL)
    oven = event_of(changed("sensor.oven", state("sensor.oven", "200", NOW)), *SNAPSHOTS)
    assert (oven.value, oven.unit, oven.device_class, oven.floor) == (200.0, "°C", "temperature", None)
    told = {"unit_of_measurement": "°F", "device_class": "heat"}
    oven = event_of(changed("sensor.oven", state("sensor.oven", "200", NOW, attributes=told)), *SNAPSHOTS)
    assert (oven.unit, oven.device_class) == ("°F", "heat")


@pytest.mark.parametrize(("instant", "area"), [(5, "den"), (MOVED - 1, "den"), (MOVED, "hall"), (NOW, "hall")])
def test_a_thing_is_where_it_was(instant: int, area: str) -> None:
    """The newest snapshot up to the event's time counts, before the first one the first."""
    assert event_of(at(instant), *SNAPSHOTS).area == area


def test_what_nobody_described_is_left_open() -> None:
    """Without registries, or for an entity that they do not know, nothing is made up."""
    for event in (event_of(at(NOW)), event_of(changed("light.new", "on"), *SNAPSHOTS)):
        assert (event.area, event.floor, event.device, event.labels) == (None, None, None, ())


def test_messages_become_events_letters_and_notes() -> None:
    """Each number has its event, its dead letter, or its note; snapshots get the home's id."""
    gap = Gap(id="g", start=1, end=2)
    found = enrichment().enriched(
        delivery(
            heard(3, changed()),
            heard(5, None, text="{nonsense"),
            heard(6, changed("light", "on")),
            RegistryNote(seq=7, arrived=NOW, snapshot=SNAPSHOTS[0]),
            GapNote(seq=8, arrived=NOW, gap=gap),
            first=2,
        )
    )
    assert (found.stream, found.first, found.last, found.gaps) == ("stream", 2, 8, [gap])
    assert [(one.seq, one.arrived, one.event.area) for one in found.events] == [(3, NOW, "den")]
    assert [(one.seq, one.reason) for one in found.letters] == [(5, "not JSON"), (6, "a malformed entity id")]
    assert [one.home.id for one in found.snapshots] == ["home"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 64_000, "nested too deeply"),
        ('{"a":"' + "x" * 63_994, "too large"),
        ("nope", "not JSON"),
        ("{}", "not an event"),
    ],
)
def test_a_text_says_why_it_is_one(text: str, reason: str) -> None:
    """What capture could not read is a dead letter with the reason for that; long ones are cut."""
    (letter,) = enrichment().enriched(delivery(heard(1, None, text=text))).letters
    assert letter.reason == reason
    assert letter.text.startswith(text[:2_000])
    assert len(letter.text) < 2_100


_snapshots = st.lists(
    st.builds(
        lambda since, area, other: Snapshot(
            since,
            Home(
                "home",
                "UTC",
                areas={"a": Area("a", "A", "Attic"), "b": Area("b", "B")},
                entities={"light.x": Entity("light.x", area=area), "light.y": Entity("light.y", device=other)},
            ),
        ),
        st.integers(0, 50),
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["d", "e"]),
    ),
    max_size=5,
    unique_by=lambda snapshot: snapshot.since,
)
_events = st.lists(
    st.tuples(st.sampled_from(["light.x", "light.y", "light.z", "none"]), st.integers(0, 60)), max_size=12
)


@settings(max_examples=60)
@given(snapshots=_snapshots, told=_events, data=st.data())
def test_order_batches_and_restarts_change_nothing(
    snapshots: list[Snapshot], told: list[tuple[str, int]], data: st.DataObject
) -> None:
    """However messages are ordered, split and interrupted by restarts, the same events and letters come out."""
    messages = [heard(seq, changed(name, state(name, "on", at))) for seq, (name, at) in enumerate(told, 1)]
    whole = _enriched(enrichment(*snapshots), messages)
    known = enrichment(*data.draw(st.permutations(snapshots)))
    parts: list[Enriched] = []
    left = data.draw(st.permutations(messages))
    while left:
        size = data.draw(st.integers(1, len(left)))
        parts += _enriched(known, left[:size])
        left = left[size:]
        if data.draw(st.booleans()):  # a restart: the store gives the snapshots back, as it keeps them
            kept = msgspec.json.decode(
                msgspec.json.encode(sorted(snapshots, key=lambda one: one.since)), type=list[Snapshot]
            )
            known = enrichment(*kept)
    assert _said(parts) == _said(whole)


def _enriched(known: Enrichment, messages: list[Heard]) -> list[Enriched]:
    return [known.enriched(delivery(*messages))] if messages else []


def _said(parts: list[Enriched]) -> set[bytes]:
    return {msgspec.json.encode(one) for part in parts for one in (*part.events, *part.letters)}

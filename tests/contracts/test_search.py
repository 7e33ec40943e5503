"""What every store must find."""

import json

import msgspec
import pyarrow as pa
import pytest

from quotidian.model import CauseKind, Entity
from quotidian.model.event import FOUND_SCHEMA, events_of
from quotidian.store import Store

from .deliveries import arrival, delivery
from .rows import DAY, MONDAY, NOON, ZONE, at, row, table

TODAY = MONDAY + 14 * DAY


def keys(events: pa.Table) -> list[tuple[str, int]]:
    """Give what was found as entity and time."""
    return list(zip(events["entity_id"].to_pylist(), events["last_updated"].to_pylist(), strict=True))


@pytest.mark.parametrize("sealed", [False, True])
def test_pages_go_on_where_the_one_before_ended(store: Store, sealed: bool) -> None:
    """Events of one instant are parted between pages without loss or repetition, over several days."""
    names = ["light.b", "light.a", "light.🦉", "light.c"]
    rows = [row(name, at(MONDAY + day * DAY, second)) for day in (0, 1, 14) for second in (5, 6) for name in names]
    store.append(table(*rows))
    if sealed:
        store.seal(TODAY)
    found, before = [], None
    while (page := store.events(before=before, limit=3)).num_rows:
        found += keys(page)
        before = (found[-1][1], found[-1][0])
    wanted = sorted(((one["entity_id"], one["last_updated"]) for one in rows), key=lambda key: (-key[1], key[0]))
    assert found == wanted
    assert keys(store.events(before=(at(MONDAY, 5), ""), entity_id="light.c")) == [("light.c", at(MONDAY, 5))]


@pytest.mark.parametrize("sealed", [False, True])
def test_events_are_found_by_area_and_cause(store: Store, sealed: bool) -> None:
    """The area is that of the event's time; where nobody told, it is the home's of today."""
    entities = {name: Entity(name, area="den") for name in ("light.a", "light.b")}
    store.set_home(msgspec.structs.replace(store.home, entities=entities))
    told = {name: json.dumps({"area": name}, separators=(",", ":")) for name in ("den", "hall")}
    store.append(
        table(
            row("light.a", at(MONDAY, 1), cause="person"),
            row("light.a", at(MONDAY, 2), registry=told["hall"], state='{"area":"den"}'),
            row("light.b", at(MONDAY, 3), registry='{"device":"d"}'),
            row("light.c", at(MONDAY, 4), registry=told["den"], attributes='{"source":"{area"}'),
            row("light.c", at(MONDAY, 5), state="{area"),
        )
    )
    if sealed:
        store.seal(TODAY)
    assert keys(store.events(area="den")) == [("light.c", at(MONDAY, 4)), ("light.a", at(MONDAY, 1))]
    assert keys(store.events(area="hall")) == [("light.a", at(MONDAY, 2))]
    assert keys(store.events(area="den", cause=CauseKind.PERSON)) == [("light.a", at(MONDAY, 1))]
    assert store.events(cause=CauseKind.SCRIPT).num_rows == store.events(area="attic").num_rows == 0


@pytest.mark.parametrize("sealed", [False, True])
def test_the_state_before_is_that_of_the_event_before(store: Store, sealed: bool) -> None:
    """Whether the event before is in the result, left out by a filter, or on the page to come."""
    rows = [row("light.a", at(MONDAY, n), state, cause=cause) for n, (state, cause) in enumerate(_STATES)]
    store.append(table(*rows, row("light.b", at(MONDAY, 2), "b")))
    if sealed:
        store.seal(TODAY)

    def found(**wanted: object) -> list[tuple[str | None, str | None]]:
        events = store.events(**wanted)  # type: ignore[arg-type]
        assert events.schema == FOUND_SCHEMA
        return [(one.old_state, one.new_state) for one in events_of(events, "h") if one.entity_id == "light.a"]

    assert found() == [(None, "4"), ("2", None), ("1", "2"), (None, "1")]
    assert found(limit=2) == found()[:2]
    assert found(cause=CauseKind.PERSON) == [(None, "4"), ("1", "2")]
    assert found(entity_id="light.a", end=at(MONDAY, 3)) == found()[1:]


_STATES = (("1", "physical"), ("2", "person"), (None, "physical"), ("4", "person"))


def test_arrivals_tell_the_state_before(store: Store) -> None:
    """A late event has the state before it, not the one that arrived before it."""
    moments = [(1, 0, "a"), (2, 9, "b"), (3, 5, "late")]
    for seq, second, state in moments:
        store.receive(delivery(seq, seq, arrival(seq, "light.a", at(TODAY, second), state)))
    assert store.arrivals(0).events["old_state"].to_pylist() == [None, "late", "a"]


def test_the_latest_is_that_of_the_newest_day(store: Store) -> None:
    """Sealed or not; nothing has none."""
    assert store.latest() is None
    store.append(table(row("light.a", at(MONDAY, 7)), row("light.b", at(MONDAY, 6))))
    assert store.latest() == at(MONDAY, 7)
    store.seal(TODAY)
    assert store.latest() == at(MONDAY, 7)
    store.receive(delivery(1, 1, arrival(1, "light.a", NOON)))
    assert store.latest() == NOON


@pytest.mark.parametrize("sealed", [False, True])
def test_events_are_counted(store: Store, sealed: bool) -> None:
    """By entity, cause and local day, from an instant to before another, within days too."""
    rows = [row("light.a", at(MONDAY, n), cause="person") for n in range(3)]
    store.append(table(*rows, row("light.🦉", at(MONDAY + DAY, 5)), row("light.🦉", at(MONDAY + 2 * DAY))))
    if sealed:
        store.seal(MONDAY + DAY)
    span = at(MONDAY, 1), at(MONDAY + 2 * DAY)
    assert store.counts(*span, "entity") == {"light.a": 2, "light.🦉": 1}
    assert store.counts(*span, "cause") == {"person": 2, "unknown": 1}
    assert store.counts(*span, "day") == {"2026-09-07": 2, "2026-09-08": 1}
    assert store.counts(at(MONDAY, 90), at(MONDAY, 99), "day") == store.counts(0, 1, "entity") == {}
    assert store.home.zone == ZONE


def test_arrivals_come_in_the_order_in_which_they_were_heard(store: Store) -> None:
    """Also where an entity changed twice within a millisecond, on several days, and where some were known before."""
    start, before = at(MONDAY + 14 * DAY), at(MONDAY + 13 * DAY)
    moments = [start, start + 10, start + 20, before, start + 30, start + 4000, before + 5]
    names = ["light.b", "light.a", "light.b", "light.a", "light.a", "light.b", "light.a"]
    events = [arrival(seq, name, when) for seq, (name, when) in enumerate(zip(names, moments, strict=True), 1)]
    store.receive(delivery(1, 1, arrival(1, "light.a", start + 30), stream="another"))
    store.receive(delivery(1, len(events), *events))
    found = keys(store.arrivals(0).events)
    told = list(zip(names, moments, strict=True))
    assert found == [told[4], *told[:4], *told[5:]]

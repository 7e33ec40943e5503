"""Today's events, shown in InfluxDB as they come."""

from collections.abc import Callable
from time import monotonic

import pytest

from quotidian.errors import UnreachableError
from quotidian.store import Store
from quotidian.store.embedded.store import EmbeddedStore
from quotidian.store.influx.backing import InfluxBacking

from ...contracts.deliveries import arrival, delivery  # noqa: TID252 - tests are no package
from ...influx.server import Influx  # noqa: TID252
from .days import DAY, MONDAY, NOON, away, events, settled

TODAY = MONDAY + 4 * DAY
YESTERDAY = NOON - 86_400_000_000


def shown(store: Store, influx: Influx) -> set[tuple[str, int]]:
    """Show what is new, and give the entities and times (µs) that InfluxDB has then."""
    assert isinstance(store, EmbeddedStore)
    assert isinstance(store._backing, InfluxBacking)
    assert store._backing._mirror is not None
    while True:
        store._backing._mirror.wait()
        if not store.mirror(2):
            break
    return {
        (dict(tags)["entity_id"], time // 1000)
        for _, tags, name, time, _ in influx.buckets["home_assistant_events"].points()
        if name == "record"
    }


def receive(store: Store, first: int, *found: tuple[str, int]) -> None:
    """Take a delivery of events."""
    arrivals = [arrival(seq, name, moment) for seq, (name, moment) in enumerate(found, first)]
    store.receive(delivery(first, first + len(found) - 1, *arrivals))


def test_new_events_are_in_influxdb_before_their_day_is_over(store: Store, influx: Influx) -> None:
    """All of today's, in steps, each once; sealing finds them there and writes none again."""
    new = [(f"light.l{number}", NOON - number) for number in range(7)]
    receive(store, 1, *new)
    assert shown(store, influx) == set(new)
    writes = len(influx.written)
    assert shown(store, influx) == set(new)
    assert len(influx.written) == writes
    store.seal(TODAY + DAY)
    settled(store)
    assert len(influx.written) == writes
    assert len(events(store, TODAY)) == 7


def test_a_late_event_does_not_touch_a_day_that_is_over(store: Store, influx: Influx) -> None:
    """What lies in InfluxDB as a whole changes as a whole only."""
    receive(store, 1, ("light.a", YESTERDAY))
    settled(store)
    before = events(store, TODAY - DAY)
    receive(store, 2, ("light.late", YESTERDAY + 5), ("light.now", NOON))
    assert shown(store, influx) == {("light.a", YESTERDAY), ("light.now", NOON)}
    assert len(events(store, TODAY - DAY)) == len(before) + 1
    settled(store)
    assert ("light.late", YESTERDAY + 5) in shown(store, influx)


def test_nothing_waits_for_influxdb(store: Store, influx: Influx) -> None:
    """While it is silent, events are taken and read, and a step takes no time."""
    influx.delay(2.0, on="/api/v2/write")
    receive(store, 1, ("light.a", NOON))
    start = monotonic()
    assert store.mirror() == 1
    receive(store, 2, ("light.b", NOON))
    assert store.mirror() == 0
    assert len(events(store, TODAY)) == 2
    assert monotonic() - start < 1.5
    assert shown(store, influx) == {("light.a", NOON), ("light.b", NOON)}


def test_trouble_is_told_and_nothing_is_left_out(store: Store, influx: Influx, opened: Callable[..., Store]) -> None:
    """Whoever shows the events learns why they are not shown; when InfluxDB is back, all of them are."""
    receive(store, 1, ("light.a", NOON))
    with away(influx):
        assert store.mirror() == 1
        with pytest.raises(UnreachableError, match="does not answer"):
            shown(store, influx)
    receive(store, 2, ("light.b", NOON))
    store = opened()
    assert shown(store, influx) == {("light.a", NOON), ("light.b", NOON)}


def test_what_is_forgotten_is_not_shown_again(store: Store, influx: Influx) -> None:
    """It goes from what was shown of today, and the rest stays shown."""
    receive(store, 1, ("light.mine", NOON), ("light.other", NOON))
    assert len(shown(store, influx)) == 2
    store.forget("light.mine")
    assert shown(store, influx) == {("light.other", NOON)}


def test_what_is_shown_is_not_deleted_with_what_was_forgotten(store: Store, influx: Influx) -> None:
    """Where InfluxDB was away when something was forgotten, it waits until that is deleted there."""
    receive(store, 1, ("light.mine", NOON), ("light.other", NOON))
    shown(store, influx)
    with away(influx), pytest.raises(UnreachableError):
        store.forget("light.mine")
    receive(store, 3, ("light.other", NOON + 1))
    shown(store, influx)
    settled(store)
    assert shown(store, influx) == {("light.other", NOON), ("light.other", NOON + 1)}

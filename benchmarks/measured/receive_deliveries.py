"""A store that receives deliveries of live events, and is asked for what it has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.fresh import Laps
from quotidian import clock
from quotidian.model import Arrival, Cause, CauseKind, Enriched, Event
from quotidian.settings import Settings
from quotidian.store import connect

#: Deliveries of so many events, and how many of them; a day's worth of events lies before.
STAGES: Final = {"before": (500, 200), "one": (1, 1000), "twenty": (20, 300), "many": (500, 100)}
#: How often the store is asked.
ASKED: Final = 200


def run(laps: Laps, directory: str) -> None:
    """Receive, then look up."""
    store = connect(Path(directory), Settings({}))
    first, start = 1, clock.now() - 600_000_000
    for stage, (size, count) in STAGES.items():
        deliveries = list(_deliveries(first, size, count, start))
        laps.lap(f"{stage} made")
        for delivery in deliveries:
            store.receive(delivery)
        laps.lap(stage)
        first += size * count
    store.events(limit=100)
    laps.lap("first look")
    for _ in range(ASKED):
        store.events(limit=100)
    laps.lap("newest")
    for number in range(ASKED):
        store.events(entity_id=f"sensor.s{number}", limit=100)
    laps.lap("entity")
    store.close()


def _deliveries(first: int, size: int, count: int, start: int) -> Iterator[Enriched]:
    for at in range(first, first + size * count, size):
        events = [
            Arrival(seq=seq, arrived=start + seq * 2_000, event=_event(seq, start + seq * 2_000))
            for seq in range(at, at + size)
        ]
        yield Enriched(stream="a stream", first=at, last=at + size - 1, events=events)


def _event(number: int, updated: int) -> Event:
    return Event(
        event_id="",
        home="",
        entity_id=f"sensor.s{number % 300}",
        new_state=str(number % 977),
        attributes={"temperature": number % 251, "friendly_name": "A sensor"},
        last_changed=updated,
        last_updated=updated,
        cause=Cause(CauseKind.PHYSICAL),
        area="kitchen",
        device_class="temperature",
        unit="°C",
    )

"""Events with what follows from the others of their day: sun, weather, presence, the state before."""

from typing import Any, Final

import msgspec
import pyarrow as pa

from quotidian.errors import RequestError
from quotidian.model import Carry, Day, Event, Home, Integers
from quotidian.store.protocols import Store

DAYS: Final = 8  #: days that one page may touch: each of them is read as a whole


class DayRead(msgspec.Struct, frozen=True):
    """A day as it is needed: all its events, and what the day before handed on."""

    day: Day
    events: pa.Table
    before: Carry


def days_of(store: Store, events: list[Event]) -> list[DayRead]:
    """Read the days of a page of events.

    Raises
    ------
    RequestError
        When there are too many of them.
    """
    days = sorted({Day.containing(event.last_updated, store.home.zone) for event in events})
    if len(days) > DAYS:
        raise RequestError(
            f"These events lie on {len(days)} days; with enrich=full {DAYS} are given at once.",
            "Narrow the time, or lower the limit.",
        )
    return [
        DayRead(day, store.day_events(day), store.carries(day.shifted(-1).date).get("row", Integers())) for day in days
    ]


def completed(events: list[Event], home: Home, days: list[DayRead]) -> list[dict[str, Any]]:
    """Add to each event, as ``derived``, what follows for it."""
    # Only who asks for it pays for loading the detectors.
    from quotidian.detect.derived import derived  # noqa: PLC0415

    found: dict[tuple[str, int], Any] = {}
    for read in days:
        rows: Any = zip(read.events["entity_id"].to_pylist(), read.events["last_updated"].to_pylist(), strict=True)
        found.update(zip(rows, derived(read.events, read.day, home, read.before), strict=True))
    return [
        msgspec.to_builtins(event) | {"derived": msgspec.to_builtins(found.get((event.entity_id, event.last_updated)))}
        for event in events
    ]

"""Events for the contracts, in few words."""

import datetime as dt
from typing import Any, Final

import pyarrow as pa

from quotidian.model import Day
from quotidian.model.event import EVENT_SCHEMA, table_of
from quotidian.store import Store

ZONE: Final = "Europe/Berlin"
MONDAY: Final = dt.date(2026, 9, 7)
DAY: Final = dt.timedelta(days=1)
#: Noon of the day that it is in these tests.
NOON: Final = Day.of(MONDAY + 14 * DAY, ZONE).start + 43_200_000_000


def table(*rows: dict[str, Any]) -> pa.Table:
    """Make events of rows; what a row does not say is plain."""
    plain = {"state": "on", "cause": "unknown", "source": "live"}
    return table_of({name: [(plain | row).get(name) for row in rows] for name in EVENT_SCHEMA.names})


def row(entity_id: str, updated: int, state: str | None = "on", **more: Any) -> dict[str, Any]:
    """Make one row."""
    return {"entity_id": entity_id, "last_updated": updated, "state": state, **more}


def at(date: dt.date, seconds: float = 0, zone: str = ZONE) -> int:
    """Give the instant so many seconds after a local midnight."""
    return Day.of(date, zone).start + int(seconds * 1_000_000)


def kept(store: Store) -> list[dict[str, Any]]:
    """Give all events, day by day."""
    zone = store.home.zone
    return [line for day in store.days() for line in store.day_events(Day.of(day.date, zone)).to_pylist()]

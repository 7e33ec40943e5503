"""Days of events, in few words."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from quotidian.model import Day
from quotidian.model.event import table_of
from quotidian.store import Store

from ...influx.server import Influx  # noqa: TID252 - tests are no package

ZONE: Final = "Europe/Berlin"
MONDAY: Final = dt.date(2026, 9, 7)
DAY: Final = dt.timedelta(days=1)
#: Noon of the Friday that it is in these tests.
NOON: Final = Day.of(MONDAY + 4 * DAY, ZONE).start + 43_200_000_000


def many(date: dt.date, rows: int = 300, seed: int = 1) -> pa.Table:
    """Make a day of sensor readings."""
    random = np.random.default_rng(seed)
    updated = Day.of(date, ZONE).start + np.unique(random.integers(0, 82_000_000_000, rows))
    size = updated.size
    names = [f"sensor.s{number}" for number in random.integers(0, 20, size)]
    states = ["unavailable" if number < 5 else str(number) for number in random.integers(0, 100, size)]
    columns: dict[str, Any] = {"entity_id": names, "last_updated": updated, "state": states}
    return table_of(columns | {"cause": ["physical"] * size, "source": ["recorder"] * size})


def one(entity_id: str, date: dt.date, seconds: float = 60, state: str | None = "on", **more: str) -> pa.Table:
    """Make one event."""
    moment = Day.of(date, ZONE).start + int(seconds * 1_000_000)
    words: dict[str, str | None] = {"state": state, "cause": "physical", "source": "live", **more}
    return table_of(
        {"entity_id": [entity_id], "last_updated": [moment], **{name: [word] for name, word in words.items()}}
    )


@contextmanager
def away(influx: Influx) -> Iterator[None]:
    """Let InfluxDB break off every connection for a while."""
    influx.cut(done=False, times=1_000)
    try:
        yield
    finally:
        influx.faults.clear()


def settled(store: Store) -> None:
    """Seal what is over, and move it to where it is to lie."""
    store.seal(MONDAY + 4 * DAY)
    while store.settle():
        pass


def events(store: Store, date: dt.date = MONDAY) -> list[dict[str, Any]]:
    """Give a day's events."""
    return store.day_events(Day.of(date, ZONE)).to_pylist()

"""Kill a store that learns and forgets its oldest days, again and again, and look each time at what is left.

``python -m tests.store.retained DIRECTORY SEED KILLS`` prints how many nights were over, or ends with an error.
"""

import datetime as dt
import os
from pathlib import Path

import numpy as np

from quotidian.model import Day, Integers
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.embedded import database, events

from ..killing import doomed, survive  # noqa: TID252 - tests are no package

MONDAY = dt.date(2020, 9, 7)
ROWS = 30  #: events a day, which go straight into its file
KEPT = 3  #: days
LIFE = 120  #: steps on the disk after which a life ends at the latest
SETTINGS = Settings({"QUOTIDIAN_RETENTION_RAW": str(KEPT)})


def night(number: int) -> dt.date:
    """Give the date before a night."""
    return MONDAY + dt.timedelta(days=number)


def work(directory: Path, acknowledged: Path, steps: int) -> None:
    """Live through nights; before the n-th step that touches the disk the process kills itself."""
    doomed(
        steps,
        (
            (os, ["fsync"]),
            (Path, ["rename", "unlink", "read_bytes"]),
            (database.Database, ["execute", "executemany", "shrink"]),
        ),
    )
    store = connect(directory, SETTINGS)
    number = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
    while True:
        date = night(number)
        updated = Day.of(date, "UTC").start + np.arange(ROWS)
        words = {"entity_id": "light.a", "state": str(number), "cause": "person", "source": "live"}
        store.append(table_of({"last_updated": updated} | {name: [word] * ROWS for name, word in words.items()}))
        revision = next(day.revision for day in store.days() if day.date == date)
        store.put_day(date, {"a": (1, Integers(("x",)))}, {"a": Integers()}, revision)
        store.retain(date)
        number += 1
        acknowledged.write_text(str(number))


def look(directory: Path, acknowledged: Path) -> None:
    """Check that the last days are there, older ones wholly or not at all, and no file that nobody names."""
    told = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
    store = connect(directory, SETTINGS)
    days = [day for day in store.days() if day.events]
    dates = {day.date for day in days}
    assert {night(number) for number in range(max(0, told - KEPT), told)} <= dates, dates
    # A night that was not over has at most one more day, and has not dropped yet what it was to drop.
    assert dates <= {night(number) for number in range(max(0, told - KEPT - 1), told + 1)}, dates
    for day in days:
        assert store.day_events(Day.of(day.date, "UTC")).num_rows == ROWS == day.events
    assert len(store.summary("a", 1, MONDAY, night(told)).days) >= told
    assert len([*(directory / "events").rglob("*.parquet")]) == len(days)
    assert store.verify().fault is None
    store.close()


if __name__ == "__main__":
    events.BULK_ROWS = 20
    survive(work, look, LIFE)

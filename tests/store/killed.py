"""Kill a store that is at work, again and again, and look each time at what is left.

``python -m tests.store.killed DIRECTORY SEED KILLS`` prints how many batches were
acknowledged, or ends with an error.
"""

import datetime as dt
import os
from pathlib import Path

import numpy as np

from quotidian.model import Day
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store import Checkpoint, connect
from quotidian.store.embedded import database, events

from ..killing import doomed, survive  # noqa: TID252 - tests are no package

MONDAY = dt.date(2026, 9, 7)
DAYS = 4
LIFE = 90  #: steps on the disk after which a life ends at the latest


def size(number: int) -> int:
    """Give the rows of a batch: every third is large enough to be written straight into its day's file."""
    return 5 if number % 3 else 30


def work(directory: Path, acknowledged: Path, steps: int) -> None:
    """Append batches and seal; before the n-th step that touches the disk the process kills itself."""
    doomed(
        steps,
        (
            (os, ["fsync"]),
            (Path, ["rename", "unlink", "read_bytes"]),
            (database.Database, ["execute", "executemany"]),
        ),
    )
    store = connect(directory, Settings({}))
    number = int(store.checkpoint("victim") or 0)
    while True:
        start = Day.of(MONDAY, "UTC").start + number % DAYS * 86_400_000_000 + number * 1_000_000
        columns = {"entity_id": ["light.a"] * size(number), "last_updated": start + np.arange(size(number))}
        words = {"state": str(number), "cause": "person", "source": "live"}
        batch = table_of(columns | {name: [word] * size(number) for name, word in words.items()})
        number += 1
        store.append(batch, Checkpoint("victim", str(number)))
        acknowledged.write_text(str(number))
        if number % 4 == 0:
            store.seal(MONDAY + dt.timedelta(days=DAYS - 1))


def look(directory: Path, acknowledged: Path) -> None:
    """Check that every acknowledged batch is there once, and at most one more, as a whole."""
    told = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
    store = connect(directory, Settings({}))
    position = int(store.checkpoint("victim") or 0)
    assert told <= position <= told + 1, (told, position)
    days = store.days()
    rows = [line for day in days for line in store.day_events(Day.of(day.date, "UTC")).to_pylist()]
    found = [sum(line["state"] == str(number) for line in rows) for number in range(position)]
    assert found == [size(number) for number in range(position)], found
    assert len(rows) == sum(found) == sum(day.events for day in days), "the ledger counts otherwise"
    files = list((directory / "events").rglob("*.parquet"))
    assert len(files) == sum(day.sealed_bytes > 0 for day in days), files
    assert not list((directory / "unfinished").iterdir())
    store.close()


if __name__ == "__main__":
    events.BULK_ROWS = 20
    survive(work, look, LIFE)

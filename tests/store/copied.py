"""Copy a store to InfluxDB and back, killed again and again, and look each time at what is left.

``python -m tests.store.copied DIRECTORY SEED KILLS`` finds the server in the environment, and prints how many copies
were complete, or ends with an error.
"""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import numpy as np
import urllib3

from quotidian import clock
from quotidian.model import Day, Integers, Summary
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store import Store, connect, copying
from quotidian.store.copying import Kind
from quotidian.store.embedded import database

from ..killing import doomed, survive  # noqa: TID252 - tests are no package

MONDAY = dt.date(2026, 9, 7)
DAYS = 5
LIFE = 260  #: steps after which a life ends at the latest
NOON = Day.of(MONDAY + dt.timedelta(days=9), "UTC").start + 43_200_000_000
KINDS: tuple[Kind, Kind] = ("influx", "embedded")


def fill(store: Store, events: int = 60, first: dt.date = MONDAY) -> None:
    """Fill some days, and summaries of them."""
    for number in range(DAYS):
        date = first + dt.timedelta(days=number)
        updated = Day.of(date, "UTC").start + np.arange(events) * 1_000_000
        words = {"entity_id": "light.a", "state": "on", "cause": "physical", "source": "live"}
        words["attributes"] = '{"brightness":1}'
        store.append(table_of({"last_updated": updated} | {name: [word] * events for name, word in words.items()}))
        kept = Integers(("light.a",), {"count": [number]})
        store.put_day(date, {"a": (1, kept)}, {"a": Integers()}, 1)
    days = {(MONDAY + dt.timedelta(days=number)).toordinal(): Integers(("x",)) for number in range(DAYS)}
    store.put_period("weekly", MONDAY - dt.timedelta(days=1), Summary("a", 1, days))
    store.put_period("monthly", MONDAY.replace(day=1), Summary("a", 1, days))


def content(store: Store) -> list[Any]:
    """Give everything that a copy moves, and what the books count."""
    days = store.days()
    first, last = MONDAY - dt.timedelta(days=40), MONDAY + dt.timedelta(days=40)
    summaries = [
        store.summary("a", 1, first, last),
        store.period_summary("weekly", "a", 1, first, last),
        store.period_summary("monthly", "a", 1, first, last),
    ]
    return [
        [(day.date, day.events, day.revision, day.folded) for day in days],
        [store.day_events(Day.of(day.date, "UTC")).to_pylist() for day in days],
        [{ordinal: row.encode() for ordinal, row in one.days.items()} for one in summaries],
        store.certificates(first, last),
        store.verify(),
    ]


def quiet(stage: str, done: int, total: int | None) -> None:
    """Show no progress."""


def moved(directory: Path, settings: Settings, to: Kind) -> copying.Copied:
    """Move a store into one kind."""
    store = copying.opened(directory, settings, to)
    try:
        return copying.move(store, quiet)
    finally:
        store.close()


def work(directory: Path, acknowledged: Path, steps: int) -> None:
    """Copy to and fro; before the n-th step that touches the disk or the network the process kills itself."""
    doomed(
        steps,
        (
            (os, ["fsync"]),
            (Path, ["rename", "unlink", "read_bytes"]),
            (database.Database, ["execute", "executemany"]),
            (urllib3.PoolManager, ["request"]),
        ),
    )
    clock.now = lambda: NOON
    done = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
    while True:
        copied = moved(directory, Settings(), KINDS[done % 2])
        assert (copied.faults, copied.checked.faults) == ((), ()), copied
        done += 1
        acknowledged.write_text(str(done))


def look(directory: Path, acknowledged: Path) -> None:
    """Check that everything is there once, wherever it lies."""
    clock.now = lambda: NOON
    store = connect(directory, Settings().replaced(QUOTIDIAN_STORE="influx"))
    found = content(store)
    store.close()
    expected = directory.parent / "expected"
    assert repr(found) == expected.read_text()


if __name__ == "__main__":
    survive(work, look, LIFE)

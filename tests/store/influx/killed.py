"""Kill a store in InfluxDB that is at work, again and again, and look each time at what is left.

``python -m tests.store.influx.killed DIRECTORY SEED KILLS`` takes InfluxDB from the environment, and prints how many
batches were acknowledged, or ends with an error.
"""

import datetime as dt
import os
from pathlib import Path

import numpy as np

from quotidian.model import Day, Integers
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store.connect import open_here
from quotidian.store.embedded import database
from quotidian.store.influx import server

from ...killing import doomed, survive  # noqa: TID252 - tests are no package

TODAY = dt.datetime.now(dt.UTC).date()
DAYS = [TODAY - dt.timedelta(days=age) for age in (5, 4, 2)]
LIFE = 130  #: steps after which a life ends at the latest
ROWS = 40


def batch(number: int) -> list[int]:
    """Give the instants of a batch, all of one day."""
    day = Day.of(DAYS[number % len(DAYS)], "UTC")
    return [day.start + number * 1_000_000 + row for row in range(ROWS)]


def work(directory: Path, acknowledged: Path, steps: int) -> None:
    """Append, seal, move and fold; before the n-th step on the disk or towards InfluxDB the process kills itself."""
    doomed(
        steps,
        (
            (os, ["fsync"]),
            (Path, ["rename", "unlink"]),
            (database.Database, ["execute", "executemany"]),
            (server.Server, ["_send", "query", "delete"]),
        ),
    )
    store = open_here(directory, Settings())
    while True:
        number = int(acknowledged.read_text()) if acknowledged.exists() else 0
        updated = batch(number)
        columns = {"entity_id": [f"light.l{row % 7}" for row in range(ROWS)], "last_updated": np.array(updated)}
        store.append(
            table_of(columns | {"state": ["on"] * ROWS, "cause": ["person"] * ROWS, "source": ["live"] * ROWS})
        )
        acknowledged.write_text(str(number + 1))
        store.seal(TODAY)
        while store.settle():
            pass
        for day in store.days():
            if day.due:
                store.put_day(day.date, {"a": (1, Integers(("x",), {"n": [day.events]}))}, {}, day.revision)


def look(directory: Path, acknowledged: Path) -> None:
    """Check that all that was acknowledged is there, once, and that whatever counts as folded can be read."""
    store = open_here(directory, Settings())
    number = int(acknowledged.read_text()) if acknowledged.exists() else 0
    wanted = {instant for done in range(number) for instant in batch(done)}
    days = [store.day_events(Day.of(day.date, "UTC")) for day in store.days()]
    found = [instant for events in days for instant in events["last_updated"].to_pylist()]
    assert len(found) == len(set(found)), "an event is there twice"
    assert wanted <= {*found}, "an event is lost"
    assert not store.marks(), "a day is taken for damaged"
    assert {*found} <= wanted | {*batch(number)}, "an event is there that nobody sent"
    for day in store.days():
        if not day.due:
            kept = store.summary("a", 1, day.date, day.date).days
            assert kept[day.date.toordinal()]["n"].tolist() == [day.events], "a summary is not that of its day"
    store.close()


if __name__ == "__main__":
    survive(work, look, LIFE)

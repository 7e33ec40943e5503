"""Kill a store that receives deliveries, again and again, and look each time at what is left.

``python -m tests.store.delivered DIRECTORY SEED KILLS`` prints how many deliveries were
acknowledged, or ends with an error.
"""

import datetime as dt
import os
from pathlib import Path

from quotidian.model import (
    Arrival,
    Cause,
    CauseKind,
    DeadLetter,
    Enriched,
    Event,
    Gap,
    Home,
    Receipt,
    Snapshot,
    Source,
)
from quotidian.model.day import Day, instant
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.embedded import database

from ..killing import doomed, survive  # noqa: TID252 - tests are no package

MONDAY = dt.date(2026, 9, 7)
START = instant(dt.datetime(2026, 9, 7, tzinfo=dt.UTC))
DAYS = 3
LIFE = 140  #: steps on the disk after which a life ends at the latest
SIZE = 7  #: the numbers of a delivery


def delivery(number: int) -> Enriched:
    """Make the n-th delivery: an event of each of three days, a dead letter, two notes, and a telling event."""
    first = number * SIZE + 1
    arrived = START + number * 1_000_000
    events = [event(f"light.{number % 5}", arrived + day * 86_400_000_000, number) for day in range(DAYS)]
    return Enriched(
        stream="victim",
        first=first,
        last=first + SIZE - 1,
        events=[Arrival(seq=first + place, arrived=arrived, event=one) for place, one in enumerate(events)],
        letters=[DeadLetter(seq=first + DAYS, arrived=arrived, reason="no", text=str(number))],
        snapshots=[Snapshot(number, Home("", "UTC", str(number)))],
        gaps=[Gap(id=str(number % 3), start=arrived, end=arrived + 1, reason=str(number))],
    )


def event(entity_id: str, updated: int, number: int) -> Event:
    """Make an event with a word of its own."""
    return Event(
        event_id="",
        home="",
        entity_id=entity_id,
        new_state=str(number),
        last_changed=updated,
        last_updated=updated,
        cause=Cause(CauseKind.PERSON, user=f"user {number}"),
        source=Source.LIVE if number % 2 else Source.HISTORY,
        area=f"area {number}",
    )


def work(directory: Path, acknowledged: Path, steps: int) -> None:
    """Receive and seal; before the n-th step that touches the disk the process kills itself."""
    doomed(
        steps,
        (
            (os, ["fsync"]),
            (Path, ["rename", "unlink"]),
            (database.Database, ["execute", "executemany", "rows"]),
        ),
    )
    store = connect(directory, Settings({}))
    number = store.received("victim") // SIZE
    while True:
        receipt = store.receive(delivery(number))
        number += 1
        acknowledged.write_text(str(number))
        assert receipt.new == DAYS
        if number % 4 == 0:
            store.seal(MONDAY + dt.timedelta(days=DAYS - 1))


def look(directory: Path, acknowledged: Path) -> None:
    """Check that every acknowledged delivery is there once, and at most one more, as a whole."""
    told = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
    store = connect(directory, Settings({}))
    number = store.received("victim") // SIZE
    assert told <= number <= told + 1, (told, number)
    check(store, number)
    if number:
        again = store.receive(delivery(number - 1))
        assert again == Receipt(stream="victim", last=number * SIZE, new=DAYS, dead=1, refusals=again.refusals)
        check(store, number)
    store.close()


def check(store: Store, number: int) -> None:
    """Check that so many deliveries are there, each once, and that all that is told of them agrees."""
    assert store.received("victim") == number * SIZE
    days = [MONDAY + dt.timedelta(days=day) for day in range(DAYS)]
    for place, date in enumerate(days):
        found = store.day_events(Day.of(date, "UTC"))
        words = zip(*(found[name].to_pylist() for name in ("last_updated", "state", "user", "registry")), strict=True)
        wanted = [
            (
                START + n * 1_000_000 + place * 86_400_000_000,
                str(n),
                f"user {n}",
                f'{{"area":"area {n}"}}',
            )
            for n in range(number)
        ]
        assert sorted(words) == wanted, date
    certified = {one.date: one for one in store.certificates(days[0], days[-1])}
    ledger = {day.date: day.events for day in store.days()}
    assert (
        ledger
        == {date: one.events for date, one in certified.items()}
        == (dict.fromkeys(days, number) if number else {})
    )
    letters = store.dead_letters(1 << 30)
    assert [one.text for one in letters.letters] == [str(n) for n in range(number)][::-1]
    assert [one.home.name for one in store.snapshots()] == [str(n) for n in range(number)]
    assert len(store.gaps(0, 1 << 62)) == min(number, 3)
    assert store.verify().fault is None
    if number:
        (span,) = certified[MONDAY].ranges
        assert (span.first, span.last, span.balanced) == (1, number * SIZE, True), span
        assert (span.dead, span.notes, span.telling) == (number, 2 * number, number)
        assert store.home.name == str(number - 1)


if __name__ == "__main__":
    survive(work, look, LIFE)

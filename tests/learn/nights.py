"""A month of nights in a home whose clocks change, lived by processes that are killed at seeded steps.

``python -m tests.learn.nights DIRECTORY ZONE FIRST SEED`` prints how many lives it took. Each day that is folded is
written down in DIRECTORY/folded, a line each.
"""

import datetime as dt
import random
import signal
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from quotidian.detect import Detector, TimeOfDay
from quotidian.learn import learn
from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.embedded.store import EmbeddedStore

from ..detect.building import Diary, home_of  # noqa: TID252 - tests are no package
from ..killing import doomed, life  # noqa: TID252 - tests are no package
from .living import days_of
from .tally import MonthlyTally, Tally, WeeklyTally

DAYS = 33
#: Of every cadence one that keeps something, and one that does not.
WHO: tuple[Detector, ...] = (TimeOfDay(), Tally(), WeeklyTally(), MonthlyTally())
CHANGES = ("seal", "set_editions", "put_day", "put_period", "united", "put_patterns", "retain")


class Killed(BaseException):
    """Nobody catches it."""


def killed_at(monkeypatch: pytest.MonkeyPatch, store: Store, step: int, names: Iterable[str] = CHANGES) -> None:
    """Let the n-th change of a store be the last thing that is tried."""
    left = [step]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return function(*arguments, **options)

        return call

    for name in names:
        monkeypatch.setattr(store, name, counted(getattr(store, name)))


@cache
def month(zone: str, first: dt.date) -> Diary:
    """Give a home in which things happen at hours that a change of the clocks skips or repeats, and over midnight."""
    rng = random.Random(zone + str(first))
    diary = Diary(home_of({"kitchen": ["light.kitchen"], "hall": ["light.hall", "lock.door"]}, zone=zone), first, DAYS)
    for day in range(DAYS):
        diary.pulse(day, 6.75 + rng.uniform(-0.1, 0.1), "light.kitchen", 25)
        diary.pulse(day, 1.6 + rng.uniform(0, 1.2), "light.hall", 20)
        diary.pulse(day, 19.5 + rng.uniform(-1, 1), "light.kitchen", 90)
        diary.pulse(day, 23.8, "lock.door", 24)  # over midnight
        if day % 5 == 0:
            diary.add(day, 12, "light.kitchen", "unavailable")
    return diary


def night_after(day: Day) -> int:
    """Give the instant three hours after the end of a day: what a schedule of 3:00 means, whatever the clocks do."""
    return day.end + 3 * 3_600_000_000


def told(diary: Diary) -> pa.Table:
    """Give all events of a diary."""
    return pa.concat_tables([table for _, table in days_of(diary)])


def until(events: pa.Table, now: int) -> pa.Table:
    """Give the events before an instant."""
    return events.filter(pc.less(events["last_updated"], pa.scalar(now, events["last_updated"].type)))


def since(events: pa.Table, start: int) -> pa.Table:
    """Give the events from an instant on."""
    return events.filter(pc.greater_equal(events["last_updated"], pa.scalar(start, events["last_updated"].type)))


def night(directory: Path, zone: str, first: dt.date, place: int, steps: int) -> None:
    """Live through the night after a day: hear what happened until now, and learn; or die before the n-th change."""
    log = (directory / "folded").open("a")
    put_day = EmbeddedStore.put_day

    def logged(store: Any, date: dt.date, *arguments: Any, **options: Any) -> None:
        put_day(store, date, *arguments, **options)
        log.write(f"{date}\n")
        log.flush()

    setattr(EmbeddedStore, "put_day", logged)  # noqa: B010 - a type checker minds the other way
    doomed(steps, [(EmbeddedStore, CHANGES)])
    diary = month(zone, first)
    now = night_after(Day.of(diary.date(place), zone))
    store = connect(directory, Settings({}))
    hear(store, diary, now)
    learn(store, WHO, now)
    store.close()


def hear(store: Store, diary: Diary, now: int) -> None:
    """Append what happened until now; what is known already makes nothing due."""
    latest = store.latest()
    events = until(told(diary), now)
    store.append(events if latest is None else since(events, latest))


def main(directory: Path, zone: str, first: dt.date, seed: int) -> None:
    """Live until the night after the last day is over; who dies may stay dead for some nights."""
    seeded, place, lives = random.Random(seed), 0, 0
    month(zone, first)
    while place < DAYS:
        ended = life(night, directory, zone, first, place, seeded.randrange(2, 20))
        lives += 1
        if ended == -signal.SIGKILL:
            place = min(DAYS - 1, place + seeded.choice((0, 0, 0, 1, 3)))
        else:
            assert ended == 0
            place += 1
    sys.stdout.write(str(lives))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], dt.date.fromisoformat(sys.argv[3]), int(sys.argv[4]))

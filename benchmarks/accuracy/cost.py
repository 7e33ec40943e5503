"""What all detectors cost inside a process that runs already: a day of up to 200,000 events, folded and looked at."""

import statistics
import time
from collections.abc import Callable
from math import log2
from typing import Any, Final

import msgspec

from quotidian.detect import DayRow, Detector, History, detectors, observe
from quotidian.model import Carry, Home, Summary
from quotidian.simulate import example, simulate

EVENTS: Final = (25_000, 50_000, 100_000, 200_000)
ASKED: Final = 0.5
_RUNS: Final = 5
_DAYS: Final = 3  #: the last one is measured: the first ones hand on what crosses midnight


class Cost(msgspec.Struct, frozen=True):
    """CPU seconds for one day of so many events: to read it, to fold it for all detectors, and to look at it."""

    events: int
    read: float
    folded: float
    looked: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.read + self.folded + self.looked


def costs() -> list[Cost]:
    """Measure days of a home of 300 entities, each with twice the events of the one before."""
    return [_cost(events) for events in EVENTS]


def _cost(events: int) -> Cost:
    home = simulate(msgspec.structs.replace(example("large"), days=_DAYS, events_per_day=events))
    known, days = detectors(), list(home.days())
    carries, seen, rows = {one.name: Carry() for one in known}, Carry(), []
    kept = {one.name: Summary(one.name, one.edition) for one in known}
    for day, table in days[:-1]:
        view, seen = observe(day, table, home.home, seen)
        rows.append(view.row)
        for one in known:
            kept[one.name].days[day.ordinal], carries[one.name] = one.fold(view, carries[one.name])
    last, table = days[-1]
    read = _timed(lambda: observe(last, table, home.home, seen))
    view, _ = observe(last, table, home.home, seen)
    folded = _timed(lambda: [one.fold(view, carries[one.name]) for one in known])
    for one in known:
        kept[one.name].days[last.ordinal], _ = one.fold(view, carries[one.name])
    looked = _timed(lambda: _look(known, [*rows, view.row], home.home, kept))
    return Cost(table.num_rows, read, folded, looked)


def _look(known: tuple[Detector, ...], rows: list[DayRow], home: Home, kept: dict[str, Summary]) -> None:
    """Let all detectors look, on rows that nobody has read yet."""
    history = History([DayRow(row.ordinal, row.integers) for row in rows], home, kept)
    for one in known:
        one.detect(history)


def _timed(work: Callable[[], Any]) -> float:
    """Give the median CPU seconds of some runs."""
    taken = []
    for _ in range(_RUNS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def growth(found: list[Cost]) -> float:
    """Give by what power of the events the cost grows between the two largest days: 1 is linear."""
    one, other = found[-2:]
    return log2(other.total / one.total) / log2(other.events / one.events)


def said(found: list[Cost]) -> str:
    """Say it in lines."""
    lines = ["Cost of a day inside a running process, CPU seconds (all ten detectors):"]
    lines += [
        f"  {one.events:>9,} events: read {one.read:.3f}, folded {one.folded:.3f}, looked at {one.looked:.3f}, "
        f"in all {one.total:.3f}" + (f" (less than {ASKED} asked)" if one.events >= 90_000 > one.events / 2 else "")
        for one in found
    ]
    return "\n".join([*lines, f"  It grows with the power {growth(found):.2f} of the events; 1 is linear."])

"""What all detectors cost inside a process that runs already, and how that grows.

``python -m benchmarks.accuracy.cost`` measures nothing else. A day of up to 200,000 events is folded and looked at;
then ever more days of a home, and days of ever larger homes.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from math import log2
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks.accuracy.lived import Lived, live
from quotidian.detect import DayRow, Detector, History, detectors, observe
from quotidian.model import Carry, Home, Integers, Summary
from quotidian.simulate import example, simulate

EVENTS: Final = (25_000, 50_000, 100_000, 200_000)
DAYS: Final = (45, 90, 180)
ENTITIES: Final = (60, 120, 240)
ASKED: Final = 0.5
_RUNS: Final = 5
_DAYS: Final = 3  #: the last one is measured: the first ones hand on what crosses midnight
_MONTH: Final = 28  #: days of the homes of different size


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


class Review(msgspec.Struct, frozen=True):
    """CPU seconds for all detectors to look at so many days of a home with so many entities.

    ``pairs`` are the ordered pairs of tokens that came close to one another on some day.
    """

    days: int
    entities: int
    pairs: int
    looked: float


class Costs(msgspec.Struct, frozen=True):
    """Days with ever more events; ever more days of a home; and as many days of ever larger homes."""

    days: list[Cost]
    longer: list[Review]
    larger: list[Review]


def costs() -> Costs:
    """Measure days of a home of 300 entities, each with twice the events of the one before, and reviews."""
    known = detectors()
    home = live(msgspec.structs.replace(example("demo"), days=max(DAYS), events_per_day=1_000), known)
    return Costs(
        [_cost(events) for events in EVENTS],
        [_review(known, home, days) for days in DAYS],
        [_review(known, _home_of(known, entities), _MONTH) for entities in ENTITIES],
    )


def _home_of(known: tuple[Detector, ...], entities: int) -> Lived:
    plan = example("large")
    return live(msgspec.structs.replace(plan, days=_MONTH, entities=entities, events_per_day=20 * entities), known)


def _review(known: tuple[Detector, ...], lived: Lived, days: int) -> Review:
    """Let all detectors look at the last days of a home."""
    rows = [*lived.rows[-days:]]
    kept = {name: Summary(name, 1, {row.ordinal: own[row.ordinal] for row in rows}) for name, own in lived.kept.items()}
    entities = frozenset[str]().union(*(row.present for row in rows))
    looked = _timed(lambda: _look(known, rows, lived.home, kept))
    return Review(days, len(entities), _pairs(kept["co_occurrence"].days.values()), looked)


def _pairs(days: Iterable[Integers]) -> int:
    """Count the ordered pairs of tokens of some days."""
    found: set[tuple[str, str]] = set()
    for day in days:
        names = np.array(day.words, object)
        found.update(zip(names[day["first"]], names[day["second"]], strict=True))
    return len(found)


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


def growth(spent: Sequence[float], sizes: Sequence[float]) -> float:
    """Give by what power of the size the cost grows between the two largest: 1 is linear."""
    return log2(spent[-1] / spent[-2]) / log2(sizes[-1] / sizes[-2])


def said(found: Costs) -> str:
    """Say it in lines."""
    longer, larger = ([one.looked for one in part] for part in (found.longer, found.larger))
    by_events = growth([one.total for one in found.days], [one.events for one in found.days])
    by_days = growth(longer, [one.days for one in found.longer])
    by_entities = growth(larger, [one.entities for one in found.larger])
    by_pairs = growth(larger, [one.pairs for one in found.larger])
    return "\n".join(
        [
            "Cost of a day inside a running process, CPU seconds (all ten detectors):",
            *(
                f"  {one.events:>9,} events: read {one.read:.3f}, folded {one.folded:.3f}, looked at {one.looked:.3f}, "
                f"in all {one.total:.3f}" + (f" (less than {ASKED} asked)" if 90_000 <= one.events < 180_000 else "")
                for one in found.days
            ),
            f"  It grows with the power {by_events:.2f} of the events; 1 is linear.",
            "Cost of looking at many days, CPU seconds (all ten detectors at once):",
            *(
                f"  {one.days:>4} days of {one.entities:>3} entities, {one.pairs:>7,} active pairs: {one.looked:.3f}"
                for one in (*found.longer, *found.larger)
            ),
            f"  It grows with the power {by_days:.2f} of the days, {by_entities:.2f} of the entities, "
            f"and {by_pairs:.2f} of the active pairs.",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(said(costs()) + "\n")

"""Null homes: real or simulated days in which one thing was made chance, and all else left as it was."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from benchmarks.nulls.days import Days, EntityDay, folded, put_together, seen_again
from quotidian.detect import DayRow, Detector
from quotidian.model import Integers, Summary

#: By how much an entity's day is moved so that what was close together no longer is, in seconds.
_HOURS: Final = (-7_200, -3_600, 3_600, 7_200)
#: A context that is shifted by fewer days is still much as it was.
_LEAST_SHIFT: Final = 7

Maker = Callable[[Days, np.random.Generator, Sequence[Detector]], Days]


def circled(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Shift what each entity did on each day in a circle of that day: no time of day is left."""
    return _shifted(days, lambda length: int(rng.integers(length)), detectors)


def jittered(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Shift what each entity did on each day by one or two hours, either way.

    Two entities are moved alike on a quarter of the days, and stay together on these.
    """
    return _shifted(days, lambda _: int(rng.choice(_HOURS)), detectors)


def permuted(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Put the days of each entity in another order: everything keeps its time of day, and nothing its company."""
    names = sorted(frozenset().union(*(day.keys() for day in days.apart)))
    orders = {name: rng.permutation(len(days.rows)).tolist() for name in names}
    parts = [
        {name: days.apart[order[place]][name] for name, order in orders.items() if name in days.apart[order[place]]}
        for place in range(len(days.rows))
    ]
    return _composed(days, parts, detectors)


def reordered(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Put the home's days in another order: no weekday, week or month is like itself any more."""
    del detectors
    return in_order(days, rng.permutation(len(days.rows)).tolist())


def weeks_reordered(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Put the home's weeks in another order; days before the first Monday and after the last Sunday stay."""
    del detectors
    ordinals = [row.ordinal for row in days.rows]
    place_of = {ordinal: place for place, ordinal in enumerate(ordinals)}
    mondays = [one for one in ordinals if one % 7 == 1 and all(one + day in place_of for day in range(7))]
    order = list(range(len(ordinals)))
    for target, origin in zip(mondays, rng.permutation(mondays).tolist(), strict=True):
        for day in range(7):
            order[place_of[target + day]] = place_of[origin + day]
    return in_order(days, order)


def context_shifted(days: Days, rng: np.random.Generator, detectors: Sequence[Detector]) -> Days:
    """Shift the days of all contexts in a circle, by seven days or more: actions keep their hours and their days."""
    size = len(days.rows)
    if size < 2 * _LEAST_SHIFT:
        return days
    shift = int(rng.integers(_LEAST_SHIFT, size - _LEAST_SHIFT + 1))
    order = [(place + shift) % size for place in range(size)]
    ordinals = [row.ordinal for row in days.rows]
    moved = {one.name: _reindexed(days.summaries[one.name], ordinals, order) for one in detectors if one.keeps}
    return msgspec.structs.replace(days, summaries={**days.summaries, **moved})


def in_order(days: Days, order: Sequence[int]) -> Days:
    """Let each day have what happened on another one, with all that the detectors keep of it."""
    ordinals = [row.ordinal for row in days.rows]
    rows = tuple(put_together(row, _fitted(row, days.apart[order[place]])) for place, row in enumerate(days.rows))
    summaries = {name: _reindexed(summary, ordinals, order) for name, summary in days.summaries.items()}
    return Days(days.source, days.home, rows, summaries)


def _reindexed(summary: Summary, ordinals: Sequence[int], order: Sequence[int]) -> Summary:
    found: dict[int, Integers] = {}
    for place, ordinal in enumerate(ordinals):
        if ordinals[order[place]] in summary.days:
            found[ordinal] = summary.days[ordinals[order[place]]]
    return Summary(summary.detector, summary.version, found)


def _shifted(days: Days, draw: Callable[[int], int], detectors: Sequence[Detector]) -> Days:
    parts = [
        {name: part.moved(draw(row.seconds), row.seconds) for name, part in day.items()}
        for row, day in zip(days.rows, days.apart, strict=True)
    ]
    return _composed(days, parts, detectors)


def _composed(days: Days, parts: Sequence[Mapping[str, EntityDay]], detectors: Sequence[Detector]) -> Days:
    rows = [put_together(row, _fitted(row, day)) for row, day in zip(days.rows, parts, strict=True)]
    return folded(days.source, days.home, (seen_again(days.home, row) for row in rows), detectors)


def _fitted(row: DayRow, parts: Mapping[str, EntityDay]) -> Mapping[str, EntityDay]:
    """Let what happened on a day of 25 hours end with a shorter one."""
    return {name: part if part.end <= row.seconds else part.moved(0, row.seconds) for name, part in parts.items()}


#: Those that move what was folded, and fold nothing again.
MOVING: Final = (reordered, weeks_reordered, context_shifted)

"""Which days were lived: nobody keeps a habit in a house that is empty, and nobody breaks it."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from quotidian.detect.dayrow import DayRow
from quotidian.model.arrays import Bools, Floats, Ints

HALF_HOURS: Final = 48
#: Fewer changes than that on a usual day, and nothing can be said about quiet days.
LEAST_CHANGES: Final = 20
#: Fewer days than that, and there is no usual day.
LEAST_DAYS: Final = 7
#: In so many half hours of a usual day something must happen.
_LEAST_HALVES: Final = 8
#: Below these shares of a usual day's half hours a day is one of absence: by itself, next to another one
#: below the same share, and next to a day of absence (on which people left or came back).
_ALONE, _TWO, _BESIDE = 0.15, 1 / 3, 0.5
#: Days must have been observed for at least this share.
_OBSERVED: Final = 0.75
#: A class of fewer days has no median of its own.
_LEAST_OF_CLASS: Final = 4


def half_hours_of(rows: Sequence[DayRow], without: Collection[str] = ()) -> Ints:
    """Count what people may have changed, without some entities, by half hour of the wall clock: shape (days, 48)."""
    halves = [np.clip(row.wall[_counted(row, without)] // 1800, 0, HALF_HOURS - 1) for row in rows]
    counts = [np.bincount(half, minlength=HALF_HOURS) for half in halves]
    return np.array(counts, np.int64).reshape(-1, HALF_HOURS)


def _counted(row: DayRow, without: Collection[str]) -> Bools:
    left_out = [place for place, word in enumerate(row.integers.words) if word in without]
    return np.asarray(row.learned & ~np.isin(row.entity, left_out)) if left_out else row.learned


def quiet_days(rows: Sequence[DayRow], half_hours: Ints, classes: Sequence[Bools]) -> Bools:
    """Tell on which days almost nothing happened though the home was observed: shape (days,).

    What counts are the half hours in which people may have changed something, be it too often to be followed, in
    shares of the median of the day's class. A day below 15 % is quiet; so are two days in a row below a third, and the
    day before and after a quiet one if it is below a half: who leaves for a week is still there in the morning. In a
    home of less than seven days, or with less than 20 changes in 8 half hours on a usual day, no day is quiet.

    Parameters
    ----------
    rows
        The days, ascending.
    half_hours
        What people may have changed, by half hour: shape (days, 48).
    classes
        Classes of days that are compared only among themselves, each a mask over the days.
    """
    if len(rows) < LEAST_DAYS:
        return np.zeros(len(rows), bool)
    changes, halves = half_hours.sum(axis=1), ((half_hours > 0) | _chattered(rows)).sum(axis=1)
    share = np.ones(len(rows), np.float64)
    for mask in classes:
        alike = mask if mask.sum() >= _LEAST_OF_CLASS else slice(None)
        usual = _usual(halves[alike])
        if np.median(changes[alike]) >= LEAST_CHANGES and usual >= _LEAST_HALVES:
            share[mask] = halves[mask] / usual
    if share.min() >= _TWO:
        return np.zeros(len(rows), bool)
    share[[_share_observed(row) < _OBSERVED for row in rows]] = 1.0
    return _quiet(share, np.array([row.ordinal for row in rows], np.int64))


def _chattered(rows: Sequence[DayRow]) -> Bools:
    """Tell in which half hours something changed that day too often to be followed, and usually does not: (days, 48).

    At a party the motion sensor of the living room is such a thing; a sensor that chatters every day tells nothing.
    """
    often = Counter(name for row in rows for name in row.chatter)
    found = np.zeros((len(rows), HALF_HOURS), bool)
    for place, row in enumerate(rows):
        for name, quarters in row.quarters.items():
            if 2 * often[name] < len(rows):
                found[place] |= quarters.reshape(-1, 2).any(axis=1)
    return found


def _usual(halves: Ints) -> float:
    """Give the median of the days that are not plainly quiet themselves."""
    return float(np.median(halves[halves >= _TWO * np.median(halves)]))


def _quiet(share: Floats, ordinals: Ints) -> Bools:
    """Tell which days are quiet by themselves, together with the next one, or beside a quiet one."""
    low = share < _TWO
    quiet = (share < _ALONE) | (low & _beside(low, ordinals))
    return np.asarray(quiet | ((share < _BESIDE) & _beside(quiet, ordinals)))


def _beside(mask: Bools, ordinals: Ints) -> Bools:
    """Tell for which days the day before or the day after is in a mask."""
    follows = np.diff(ordinals) == 1
    beside = np.zeros(mask.size, bool)
    beside[1:] |= follows & mask[:-1]
    beside[:-1] |= follows & mask[1:]
    return beside


def _share_observed(row: DayRow) -> float:
    """Give the share of the day through which the entities that were there were observed."""
    missing = int((row.integers["gap_end"] - row.integers["gap_start"]).sum())
    return 1 - missing / max(len(row.present) * row.seconds, 1) if row.present else 0.0

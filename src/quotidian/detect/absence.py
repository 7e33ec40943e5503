"""Which days were lived: nobody keeps a habit in a house that is empty, and nobody breaks it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from quotidian.detect.dayrow import DayRow
from quotidian.model.arrays import Bools, Ints

#: Fewer changes than that on a usual day, and nothing can be said about quiet days.
LEAST_CHANGES: Final = 20
#: Fewer days than that, and there is no usual day.
LEAST_DAYS: Final = 7
#: A day is one of absence below this share of a usual day's changes.
_QUIET: Final = 0.15
#: Days must have been observed for at least this share.
_OBSERVED: Final = 0.75
#: A class of fewer days has no median of its own.
_LEAST_OF_CLASS: Final = 4


def quiet_days(rows: Sequence[DayRow], classes: Sequence[Bools]) -> Bools:
    """Tell on which days almost nothing happened though the home was observed: shape (days,).

    Those have less than 15 % of the median of their class's changes that people may have caused. In a home of less
    than seven days, or with less than twenty such changes on a usual day, no day is quiet.

    Parameters
    ----------
    rows
        The days.
    classes
        Classes of days that are compared only among themselves, each a mask over the days.
    """
    total: Ints = np.array([np.count_nonzero(row.learned) for row in rows], np.int64)
    quiet = np.zeros(total.size, bool)
    if total.size < LEAST_DAYS:
        return quiet
    for mask in classes:
        usual = float(np.median(total[mask if mask.sum() >= _LEAST_OF_CLASS else slice(None)]))
        if usual >= LEAST_CHANGES:
            quiet |= mask & (total < _QUIET * usual)
    for place in np.flatnonzero(quiet).tolist():
        quiet[place] = _share_observed(rows[place]) >= _OBSERVED
    return quiet


def _share_observed(row: DayRow) -> float:
    """Give the share of the day through which the entities that were there were observed."""
    missing = int((row.integers["gap_end"] - row.integers["gap_start"]).sum())
    return 1 - missing / max(len(row.present) * row.seconds, 1) if row.present else 0.0

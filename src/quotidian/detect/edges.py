"""When days begin, when evenings end, and which nights were long."""

import datetime as dt
from typing import Final

import msgspec
import numpy as np
from scipy.special import bdtrc

from quotidian.detect.history import History, holidays_among
from quotidian.detect.statistics import rounded
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_SECONDS

_MORNING: Final = 4 * 3600
#: So long a silence parts who gets up in the night from who gets up; the day begins with what lasts so long (seconds).
_SILENCE, _LASTING = 3600, 900

_EVENING: Final = 20 * 3600
_DAWN: Final = 9 * 1800  #: 04:30; what happens before belongs to the evening before
#: Who gets up in the night makes about so many changes, which do not prolong the evening.
_STRAY: Final = 16
#: Where a usual evening has fewer changes, these are too large a part of it.
_BUSY: Final = 4 * _STRAY
#: A night is long when so much (minutes) after the usual end half as much goes on as in the hours around it.
AFTER: Final = 60
_HALF: Final = 0.5
_LEAST_CHANGES: Final = 10
#: Fewer evenings have no usual end.
_LEAST_EVENINGS: Final = 7
#: Long nights are told if they are three, and more than an accident, but not the rule.
_LEAST_NIGHTS: Final = 3
_RARE, _OFTEN = 0.04, 0.4


def mornings(history: History) -> Floats:
    """Give the minute of each day at which it begins, NaN where nothing happens from 04:00 on: shape (days,).

    That is the first thing that people may have done since 04:00, unless silence follows within a quarter of an hour.
    """
    begun = np.full(len(history.rows), np.nan)
    for place, row in enumerate(history.rows):
        wall = np.sort(row.wall[row.learned])
        wall = wall[np.searchsorted(wall, _MORNING) :]
        if wall.size:
            first = np.flatnonzero(np.diff(wall, prepend=-DAY_SECONDS) > _SILENCE)
            last = np.append(first[1:], wall.size) - 1
            lasting = np.append(np.flatnonzero(wall[last] - wall[first] >= _LASTING), 0)
            begun[place] = wall[first[lasting[0]]] / 60
    return begun


class LongNights(msgspec.Struct, frozen=True):
    """Long nights before a free day, among the evenings before one, shapes (days,).

    ``usual`` and ``until`` are when evenings end, usually and on these (minutes, beyond 1440 past midnight).
    """

    nights: Bools
    evenings: Bools
    usual: float
    until: float
    p_value: float


def long_nights(history: History, level: float = 0.01) -> LongNights | None:
    """Tell which nights before a free day were long, where that is rarer before working days.

    The usual evening ends at the median of the times after which only 16 more changes follow until 04:30. A
    night is long when, an hour and more after that, at least half as much happens as in the two hours around the
    usual end, and at least ten changes. The chance is that of so many long nights at the share of those before a
    working day, so that nights which are long on any day are nobody's guests.

    Parameters
    ----------
    level
        The largest p-value.
    """
    times = _evenings(history)
    ends = np.array([one[-1 - _STRAY] / 60 if one.size > _STRAY else np.nan for one in times])
    known, free = history.lived & ~np.isnan(ends), before_free(history)
    evenings, others = known & free, known & ~free
    nights, usual = _long(times, ends, evenings)
    kept, days = int(nights.sum()), int(evenings.sum())
    if kept < _LEAST_NIGHTS or not _RARE < kept / days < _OFTEN:
        return None
    # One more night than was seen: that it never happened elsewhere does not make it impossible.
    chance = (int(_long(times, ends, others)[0].sum()) + 1) / (int(others.sum()) + 2)
    p_value = float(rounded(bdtrc(np.array([kept - 1]), days, chance))[0])
    return LongNights(nights, evenings, usual, float(np.median(ends[nights])), p_value) if p_value <= level else None


def _long(times: list[Ints], ends: Floats, evenings: Bools) -> tuple[Bools, float]:
    """Tell which of some evenings were long, and when they usually end."""
    if evenings.sum() < _LEAST_EVENINGS:
        return np.zeros(evenings.size, bool), 0.0
    if np.median([times[place].size for place in np.flatnonzero(evenings).tolist()]) < _BUSY:
        return np.zeros(evenings.size, bool), 0.0
    usual = float(np.median(ends[evenings]))
    late, around = (
        np.array([np.count_nonzero((one > 60 * low) & (one <= 60 * high)) for one in times])
        for low, high in ((usual + AFTER, np.inf), (usual - AFTER, usual + AFTER))
    )
    return evenings & (late >= max(_LEAST_CHANGES, _HALF * float(np.median(around[evenings])))), usual


def _evenings(history: History) -> list[Ints]:
    """Give the wall seconds of what people may have done from 20:00 on each day, those past midnight beyond 86,400."""
    walls = [np.sort(row.wall[row.learned]) for row in history.rows]
    nights = [wall[: np.searchsorted(wall, _DAWN)] + DAY_SECONDS for wall in walls]
    follows = np.append(np.diff(history.ordinals) == 1, False)
    return [
        np.concatenate([wall[np.searchsorted(wall, _EVENING) :], *nights[place + 1 : place + 1 + follows[place]]])
        for place, wall in enumerate(walls)
    ]


def before_free(history: History) -> Bools:
    """Tell on which days the next one is a Saturday, a Sunday or a public holiday."""
    tomorrow = [dt.date.fromordinal(row.ordinal + 1) for row in history.rows]
    return np.asarray((history.ordinals % 7 >= 5) | holidays_among(tomorrow, history.home.country))

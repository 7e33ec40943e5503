"""Classes of days: on which days of the week something happens, by the description that loses least.

Every class has a weight, and the weights sum to one: how much of the level of a test is spent on it, and how short it
is to describe. Most of it belongs to those in which people think; any other set of weekdays has to earn its place.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import msgspec
import numpy as np
from scipy.special import xlogy

from quotidian.detect.history import WEEKDAYS, History
from quotidian.model.arrays import Bools, Floats, Ints

#: The weekdays of an ordinary day, and behind them those of a day that is a public holiday.
UNITS: Final = 14
_WEEK: Final = 7
_WORKING: Final = (0, 1, 2, 3, 4)

#: Weights of the sets of weekdays that have one of their own.
_KNOWN: Final[dict[tuple[int, ...], float]] = {
    (4, 5): 1 / 16,  # nights before days off, and the others
    (0, 1, 2, 3, 6): 1 / 16,
    (0, 2, 4): 1 / 64,
    (1, 3): 1 / 64,
    **dict.fromkeys(((day,) for day in range(_WEEK)), 1 / 28),
}


#: How many times larger the share inside a class must be than outside.
_APART: Final = 2.0


class Classes(msgspec.Struct, frozen=True, eq=False):
    """Classes of days by name, which units belong to each, shape (classes, units), and their weights."""

    names: tuple[str, ...]
    members: Floats
    weights: Floats


def units_of(history: History) -> Ints:
    """Give each day's unit: its weekday, and apart from it its weekday when it is a public holiday."""
    return (history.ordinals + 6) % _WEEK + _WEEK * history.holidays


@lru_cache(maxsize=1)
def every_class() -> Classes:
    """Give all classes that may be told."""
    return _classes(list(_weighed()))


@lru_cache(maxsize=1)
def searched() -> Classes:
    """Give the classes in which habits are looked for: those that have a weight of their own."""
    return _classes(list(_weighed())[: 3 + len(_KNOWN)])


def _classes(weighed: list[tuple[str, set[int], float]]) -> Classes:
    members = np.array([np.isin(np.arange(UNITS), list(units)) for _, units, _ in weighed], np.float64)
    return Classes(tuple(name for name, _, _ in weighed), members, np.array([weight for _, _, weight in weighed]))


def _weighed() -> Iterator[tuple[str, set[int], float]]:
    every = set(range(UNITS))
    yield "all", every, 1 / 4
    yield "weekdays", set(_WORKING), 1 / 8
    yield "weekends", every - set(_WORKING), 1 / 8
    for days, weight in _KNOWN.items():
        yield _named(days), _units(days), weight
    left = (1 - 1 / 2 - sum(_KNOWN.values())) / (_WEEK - 2)
    for size in range(2, _WEEK):
        for days in combinations(range(_WEEK), size):
            if days not in _KNOWN and days not in (_WORKING, (5, 6)):
                yield _named(days), _units(days), left / comb(_WEEK, size)


def _named(days: tuple[int, ...]) -> str:
    return "+".join(WEEKDAYS[day] for day in days)


def _units(days: tuple[int, ...]) -> set[int]:
    """Give the units of a set of weekdays; several working days are those that are no public holidays."""
    working = len(days) > 1 and set(days) <= set(_WORKING)
    return {day + extra for day in days for extra in ((0,) if working else (0, _WEEK))}


def best_class(history: History, hit: Bools, seen: Bools) -> str:
    """Choose the class that describes best on which days something happens.

    Each class says: inside it happens on one share of days, outside on another, at most half as large: what happens
    on most days is no habit of weekends because it is missed less often there. The shortest description wins [1]_: the
    code of the class, which is as long as its weight is small, the likelihood of the days,
    and half a logarithm of their number for each share.

    Parameters
    ----------
    hit
        On which days it happened, shape (days,).
    seen
        On which days it could have been observed, shape (days,).

    References
    ----------
    .. [1] J. Rissanen, Modeling by Shortest Data Description, 1978.
    """
    classes, units, seen = every_class(), units_of(history), seen & history.lived
    days = np.bincount(units[seen], minlength=UNITS).astype(np.float64)
    kept = np.bincount(units[seen & hit], minlength=UNITS).astype(np.float64)
    inside, within = classes.members @ kept, classes.members @ days
    outside, beyond = kept.sum() - inside, days.sum() - within
    lost = _lost(inside, within) + _lost(outside, beyond) - np.log(classes.weights)
    lost += 0.5 * np.log(np.maximum(days.sum(), 2)) * (beyond > 0)
    possible = (within > 0) & ((beyond == 0) | (inside * beyond >= _APART * outside * within))
    return classes.names[int(np.argmin(np.where(possible, lost, np.inf)))] if possible.any() else "all"


def _lost(kept: Floats, days: Floats) -> Floats:
    """Give the negative log-likelihood, in nats, of so many kept days at their own share."""
    share = kept / np.maximum(days, 1)
    return np.asarray(-xlogy(kept, share) - xlogy(days - kept, 1 - share))

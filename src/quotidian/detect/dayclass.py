"""Classes of days: on which days of the week something happens, by the description that loses least.

Every class has a weight, and the weights sum to one: how much of the level of a test is spent on it, and how short it
is to describe. Most of it belongs to those in which people think; any other set of weekdays has to earn its place.
Kinds of days that are the home's own are never tested, and only describe: they were found by looking at the same days.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import msgspec
import numpy as np
from scipy.special import xlogy

from quotidian.detect.absence import HALF_HOURS, half_hours_of
from quotidian.detect.edges import AFTER
from quotidian.detect.history import WEEKDAYS, History
from quotidian.detect.kinds import BEFORE_FREE, CLASSES, LATE, Kind, same_without
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

#: The weight of each class that is the home's own; the others share the rest.
_OWN: Final = 1 / 32

#: How many times larger the share inside a class must be than outside.
_APART: Final = 2.0
#: Half hours before and after an act that say nothing of the kind of its day.
_BESIDE: Final = 2


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


def best_class(history: History, hit: Bools, seen: Bools, own: Sequence[str] = ()) -> str:
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
    own
        Classes that are the home's own, by name, which may be chosen, too.

    References
    ----------
    .. [1] J. Rissanen, Modeling by Shortest Data Description, 1978.
    """
    classes, units, seen = every_class(), units_of(history), seen & history.lived
    days = np.bincount(units[seen], minlength=UNITS).astype(np.float64)
    kept = np.bincount(units[seen & hit], minlength=UNITS).astype(np.float64)
    masks = np.array([history.classes[name] for name in own], np.float64).reshape(-1, seen.size)
    inside = np.append(classes.members @ kept, masks @ (seen & hit))
    within = np.append(classes.members @ days, masks @ seen)
    outside, beyond = kept.sum() - inside, days.sum() - within
    weights = np.append((1 - len(own) * _OWN) * classes.weights, np.full(len(own), _OWN))
    lost = _lost(inside, within) + _lost(outside, beyond) - np.log(weights)
    lost += 0.5 * np.log(np.maximum(days.sum(), 2)) * (beyond > 0)
    possible = (within > 0) & ((beyond == 0) | (inside * beyond >= _APART * outside * within))
    return (*classes.names, *own)[int(np.argmin(np.where(possible, lost, np.inf)))] if possible.any() else "all"


def best_class_of(history: History, entities: Collection[str], minute: int, hit: Bools, seen: Bools) -> str:
    """Choose the class that describes best on which days some entities do something about a minute of the day.

    Classes that are the home's own may be chosen where they do not hang on the very thing that they are to describe:
    who leaves makes a day one on which nobody is there. A kind of days is used only when the same days are of it
    without these entities, and without all that happens within an hour of this minute; long nights are left out only
    for what is done before the hours that make a night long.

    Parameters
    ----------
    minute
        Of the day, by the clock; beyond 1440 past midnight.
    hit, seen
        As for ``best_class``.
    """
    calendar = best_class(history, hit, seen)
    if calendar == "all":
        return calendar
    own = [name for kind in history.kinds for name in (kind.name, f"{_parted(kind)}-{kind.name}")]
    own += [f"{BEFORE_FREE}-{LATE}"] if history.long_nights else []
    chosen = best_class(history, hit, seen, tuple(dict.fromkeys(own)))
    return chosen if chosen not in own or _known_without(history, chosen, entities, minute) else calendar


def _known_without(history: History, name: str, entities: Collection[str], minute: int) -> bool:
    """Tell whether a class that is the home's own would be the same without what some entities do about a minute."""
    kind = name.rpartition("-")[2]
    if kind == LATE:
        return history.long_nights is not None and minute < history.long_nights.usual + AFTER
    counts = half_hours_of(history.rows, entities)
    counts[:, (minute // 30 + np.arange(-_BESIDE, _BESIDE + 1)) % HALF_HOURS] = 0
    return all(same_without(one, counts, history.classes[_parted(one)]) for one in history.kinds if one.name == kind)


def _parted(kind: Kind) -> str:
    """Name the class of the calendar whose days were parted."""
    return CLASSES[1] if min(kind.weekdays) > 4 else CLASSES[0]


def _lost(kept: Floats, days: Floats) -> Floats:
    """Give the negative log-likelihood, in nats, of so many kept days at their own share."""
    share = kept / np.maximum(days, 1)
    return np.asarray(-xlogy(kept, share) - xlogy(days - kept, 1 - share))

"""What was known before each day: how often things happened, and what is usual."""

from typing import Final, TypeVar

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History, entities_of
from quotidian.model.arrays import Bools, Floats, Ints

#: Of so many days one may be anything: what was unusual once is not usual afterwards.
RARELY: Final = 30

_RESTARTS: Final = 1800  #: seconds that may be missing of a day that was followed
_CLASS_DAYS: Final = 7  #: fewer earlier days of a class: compare with all days
_MOST: Final = 40  #: so many of the largest values are looked at
_TAIL: Final = 4  #: the largest of so many are the tail
_PRIOR: Final = 3  #: so many values of what is known beforehand of tails,
_EXCESS: Final = 0.3  #: and their mean logarithm above the edge of the tail

_Numbers = TypeVar("_Numbers", Ints, Floats)


class Counts(msgspec.Struct, frozen=True):
    """How often each token occurred a day, and whether its entity was followed all day: shape (days, tokens)."""

    tokens: tuple[str, ...]
    times: Ints
    whole: Bools


def counts_of(history: History) -> Counts:
    """Count each token a day, and tell on which days its entity was followed: a restart or two may be missing."""
    timeline, tokens = history.timeline, history.tokens
    size = len(tokens)
    times = np.bincount(timeline.day * size + timeline.token, minlength=len(history.rows) * size)
    entities = entities_of(tokens)
    followed = [
        [row.observed_seconds(name) >= row.seconds - _RESTARTS and name not in row.chatter for name in entities]
        for row in history.rows
    ]
    number = {name: place for place, name in enumerate(entities)}
    column = [number[entity_of(token)] for token in tokens]
    whole = np.array(followed, bool).reshape(len(history.rows), len(entities))[:, column]
    return Counts(tokens, times.reshape(len(history.rows), size).astype(np.int64), whole)


def heard(history: History) -> Bools:
    """Tell on which days people were still heard of in the last six hours: they neither left nor did recording end."""
    lasts = [int(row.second[row.learned].max(initial=0)) for row in history.rows]
    return np.array(lasts) >= 0.75 * np.array([row.seconds for row in history.rows])


def before(values: _Numbers) -> _Numbers:
    """Sum over the days before each day: same shape, the first day's sum being 0."""
    return np.cumsum(values, axis=0) - values


def extremes(values: Ints, counted: Bools) -> tuple[Ints, Ints]:
    """Give the smallest and the largest value on the counted days before each day, 0 where there was none."""
    far = np.iinfo(np.int64).max
    low = np.minimum.accumulate(np.where(counted, values, far), axis=0)
    high = np.maximum.accumulate(np.where(counted, values, 0), axis=0)
    first = np.zeros((1, values.shape[1]), np.int64)
    low, high = np.concatenate([first, low[:-1]]), np.concatenate([first, high[:-1]])
    return np.where(low == far, 0, low), high


def usual(history: History, times: Ints, whole: Bools) -> tuple[Floats, Floats]:
    """Give the mean and the variance to expect each day, from the days before it, of its class if there are enough.

    The variance has a floor: it is above the mean, and allows for what few days leave open.
    """
    free = history.calendar["weekends"][:, None]
    counted = [whole & (free == kind) for kind in (False, True)]
    alike = np.where(free, before(counted[1]), before(counted[0]))
    enough = alike >= _CLASS_DAYS

    def total(values: Ints) -> Floats:
        one, other = (before(values * mask) for mask in counted)
        return np.asarray(np.where(enough, np.where(free, other, one), one + other), np.float64)

    days = np.maximum(total(np.ones_like(times)), 2.0)
    mean = np.maximum(total(times), 0.5) / days
    variance = np.maximum(total(times**2) - days * mean**2, 0.0) / (days - 1)
    wider = (days + 1) / (days - 1)
    return mean, wider * np.maximum(variance, mean)


def farthest(values: Ints, counted: Bools) -> tuple[Floats, Ints, Ints, Ints]:
    """Give the chance of a value as large as each day's, by the tail of the counted days before it.

    The tail is a power, its exponent by Hill [1]_ from the largest quarter of the values, drawn to one that suits
    lengths of time while they are few. Of thirty days the largest value is left out: what was unusual once would
    hide what is unusual now.

    Returns
    -------
    tuple
        The chance; the largest value but for those left out; how many days were counted, and on how many of them the
        value was no larger than that. Each has the shape of ``values``.

    References
    ----------
    .. [1] B. M. Hill, A Simple General Approach to Inference About the Tail of a Distribution, 1975.
    """
    size, columns = values.shape
    chance, usually = np.ones(values.shape), np.zeros(values.shape, np.int64)
    number = before(counted.astype(np.int64))
    out = number // RARELY
    edge = np.minimum(np.maximum(number // _TAIL, out + 1), _MOST - 1)
    top, column = np.ones((_MOST, columns), np.int64), np.arange(columns)
    for day in range(size):
        first, last = np.minimum(out[day], _MOST - 2), edge[day]
        logs = np.log(top)
        above = np.cumsum(np.concatenate([np.zeros((1, columns)), logs]), axis=0)
        many = last - first
        excess = above[last, column] - above[first, column] - many * logs[last, column]
        exponent = (many + _PRIOR) / (excess + _PRIOR * _EXCESS)
        usually[day] = np.where(number[day] > first, top[first, column], 0)
        ratio = np.maximum(values[day], 1) / np.maximum(top[last, column], 1)
        chance[day] = np.minimum((last + 1) / (number[day] + 2) * np.maximum(ratio, 1.0) ** -exponent, 1.0)
        new = np.where(counted[day], np.maximum(values[day], 1), 1)
        top = -np.sort(-np.vstack([top, new]), axis=0)[:_MOST]
    return chance, usually, number, number - out

"""The few statistics that the detectors share, on top of ``scipy.special``.

``scipy.stats`` has most of them too, at four times the memory and a second at import.
"""

from typing import Final

import numpy as np
from scipy.special import bdtrc, betaincinv

from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES

#: One in the 16-bit fixed point in which chances are kept, so that summing them is exact.
ONE: Final = 1 << 16

#: The level of the intervals that are shown to people.
LEVEL: Final = 0.95

#: So many deviations beyond the median nearly nothing lies.
_REACH: Final = 2.0
#: The standard deviation of a normal distribution is so many times its median absolute deviation.
_NORMAL: Final = 1.4826


def at_least(kept: Ints, days: Ints, expected: Ints) -> Floats:
    """Give P(X >= kept) for X ~ Bin(days, expected / days): the end of kernel J.

    ``expected`` is the sum over the days of each day's chance, in 16-bit fixed point. Putting the mean chance into
    a binomial bounds the tail of the sum of unequal chances [1]_ above its mean. The result is rounded to 9 digits, so
    that ranks do not hang on the last bit.

    References
    ----------
    .. [1] W. Hoeffding, On the Distribution of the Number of Successes in Independent Trials, 1956.
    """
    chance = np.minimum(expected / (np.maximum(days, 1) * float(ONE)), 1.0)
    tail = np.where(kept <= 0, 1.0, bdtrc(np.maximum(kept - 1, 0), np.maximum(days, 1), chance))
    return rounded(np.where((kept > days) | np.isnan(tail), 1.0, tail))


def rounded(values: Floats) -> Floats:
    """Round to 9 significant digits."""
    scale = 10.0 ** (8 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))))
    return np.asarray(np.where(np.abs(values) < 1e-290, 0.0, np.round(values * scale) / scale))


def q_values(p_values: Floats, tests: int) -> Floats:
    """Give the false discovery rate at which each is still accepted, of so many tests; those not given count as 1.

    Y. Benjamini, Y. Hochberg, Controlling the False Discovery Rate, 1995.

    >>> q_values(np.array([0.001, 0.02]), tests=10)
    array([0.01, 0.1 ])
    """
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * max(tests, p_values.size) / np.arange(1, p_values.size + 1)
    q = np.empty_like(steps)
    q[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return q


def share_interval(kept: int, days: int, level: float = LEVEL) -> tuple[float, float]:
    """Bound a share of days.

    C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits, 1934.

    >>> low, high = share_interval(38, 40)
    >>> round(low, 3), round(high, 3)
    (0.831, 0.994)
    """
    tail = (1 - level) / 2
    low = 0.0 if kept <= 0 else float(betaincinv(kept, days - kept + 1, tail))
    high = 1.0 if kept >= days else float(betaincinv(kept + 1, days - kept, 1 - tail))
    return low, high


def next_time(kept: int, days: int) -> float:
    """Give the probability that the next day will be kept too, by Laplace's rule of succession."""
    return (kept + 1) / (days + 2)


def around(times: Ints | Floats, centre: float, period: int = DAY_MINUTES) -> Floats:
    """Give signed distances from a point on a circle, each in [-period / 2, period / 2).

    >>> around(np.array([5.0, 1435.0]), 0)
    array([ 5., -5.])
    """
    return np.asarray((times - centre + period / 2) % period - period / 2, np.float64)


def nearest(values: Ints, centres: Ints) -> Ints:
    """Give how far the nearest of some values (sorted, at least one) lies from each centre; of two the one before.

    >>> nearest(np.array([10, 20]), np.array([4, 15, 21]))
    array([ 6, -5, -1])
    """
    after = np.searchsorted(values, centres)
    one = values[np.maximum(after - 1, 0)] - centres
    other = values[np.minimum(after, values.size - 1)] - centres
    return np.where(np.abs(one) <= np.abs(other), one, other)


def any_within(events: Ints, first: Ints, last: Ints) -> Bools:
    """Tell for each span, both ends included, whether one of some events (ascending) lies in it.

    >>> any_within(np.array([10, 20]), np.array([5, 11]), np.array([10, 19]))
    array([ True, False])
    """
    return np.asarray(np.searchsorted(events, last, "right") > np.searchsorted(events, first))


def usual_reach(seconds: Ints) -> float:
    """Give what nearly no length of time exceeds, were their logarithms normal: two deviations beyond the median.

    The deviation is the scaled median of the absolute ones [1]_, so that a few stray lengths do not move it. Lengths
    are in seconds, at least one; those below one second count as one.

    References
    ----------
    .. [1] F. R. Hampel, The Influence Curve and Its Role in Robust Estimation, 1974.

    Examples
    --------
    >>> round(usual_reach(np.array([50, 60, 60, 70, 900])))
    95
    """
    logs = np.log(np.maximum(seconds, 1))
    middle = float(np.median(logs))
    return float(np.exp(middle + _REACH * _NORMAL * float(np.median(np.abs(logs - middle)))))


def distinct(values: Ints) -> Ints:
    """Sort values from 0 on and leave each out but once: ``numpy.unique``, several times faster on many."""
    values = np.sort(values)
    return np.asarray(values[np.diff(values, prepend=-1) != 0])


def counted(values: Ints) -> tuple[Ints, Ints]:
    """Give the distinct values of some from 0 on, in order, and how often each of them is there."""
    values = np.sort(values)
    first = np.flatnonzero(np.diff(values, prepend=-1) != 0)
    return values[first], np.diff(first, append=values.size)


def merged_spans(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Unite spans [start, end) that are sorted by start and by end; those that touch become one."""
    if not starts.size:
        return starts, ends
    fresh = np.concatenate([[True], starts[1:] > ends[:-1]])
    last = np.concatenate([fresh[1:], [True]])
    return starts[fresh], ends[last]


def covered(starts: Ints, ends: Ints, until: Ints) -> Ints:
    """Give how much of (-inf, until) disjoint sorted spans cover."""
    if not starts.size:
        return np.zeros(until.shape, np.int64)
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    span = np.searchsorted(starts, until, "right") - 1
    inside = np.clip(until - starts[span], 0, lengths[span])
    return np.where(span < 0, 0, before[span] + inside)


def life_table(ended: Ints, censored: Ints) -> Floats:
    """Give the share of spans that outlive each age bin, from spans that ended and that were lost sight of in it.

    The product-limit estimate [1]_ on binned ages; adding days adds the counts, so it is exact over days.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, Nonparametric Estimation from Incomplete Observations, 1958.
    """
    leaving = ended + censored
    at_risk = np.cumsum(leaving[::-1])[::-1]
    return np.asarray(np.cumprod(1.0 - ended / np.maximum(at_risk, 1)))

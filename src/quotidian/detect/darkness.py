"""Whether an act waits for the dark or for the light, or only began or ended on some date."""

from typing import Final

import numpy as np
from scipy.special import chdtrc, expit, logsumexp, rel_entr

from quotidian.detect.dependence import CONSTANT, LEAST_SIDE, SEASON, Days, Dependence, fitted
from quotidian.detect.statistics import rounded
from quotidian.model.arrays import Floats

_ROUNDS: Final = 10  #: of expectation and maximization


class Lit(Days, frozen=True):
    """Days on which an act could come, and how far each counts as dark.

    ``level`` is the sun's at the act's usual time (tenths of a minute, negative in the dark). ``dark`` is 1 or 0 on a
    day with the act, by the sun at that moment; on one without it, the share of the act's usual times at which it was
    dark.
    ``minute`` is the usual time by the clock, within ``width`` minutes.
    """

    dark: Floats
    minute: int
    width: int

    @property
    def constant(self) -> Floats:
        """The columns of an act that depends on the kind of day alone, (days, columns)."""
        return np.column_stack([np.ones(self.acted.size), self.kinds.astype(np.float64)])


def darkness(days: Lit) -> Dependence | None:
    """Compare a logistic regression on kind of day and darkness with one on the kind of day alone.

    Twice the gain in log-likelihood is held against chi-square with one degree of freedom.
    """
    below = int((days.level < 0).sum())
    if not LEAST_SIDE <= below <= days.level.size - LEAST_SIDE:
        return None
    alone, _ = fitted(days.constant[None], days.acted, CONSTANT)
    likelihood, coefficient = _by_darkness(days)
    ratio = max(2 * (likelihood - float(alone[0])), 0.0)
    tail = float(rounded(np.array([chdtrc(1, ratio)]))[0])
    return Dependence(cut=0, low=0, high=0, p_value=tail, more_below=coefficient > 0, ratio=ratio, tried=1)


def lead_over_dates(days: Lit) -> float:
    """Give by how many nats darkness explains the days better than the date does.

    Dates explain them by a smooth season, or by a habit that began or ended on some date, whichever it was. Each
    parameter pays half the logarithm of the number of days [1]_; darkness has one, a season three, a step one and its
    date, over which its likelihood is averaged.

    References
    ----------
    .. [1] G. Schwarz, Estimating the Dimension of a Model, 1978.
    """
    constant, price = days.constant, 0.5 * np.log(days.acted.size)
    here, _ = _by_darkness(days)
    course, _ = fitted(days.season[None], days.acted, SEASON)
    dates = np.arange(LEAST_SIDE, days.acted.size - LEAST_SIDE)
    before = np.arange(days.acted.size) < dates[:, None]
    columns = np.concatenate([np.repeat(constant[None], dates.size, axis=0), before[:, :, None]], axis=2)
    steps, _ = fitted(columns, days.acted, CONSTANT)
    step = float(logsumexp(steps)) - np.log(dates.size)
    return float(np.round(here - price - max(float(course[0]) - 3 * price, step - price), 6))


def _by_darkness(days: Lit) -> tuple[float, float]:
    """Fit the kind of day and darkness, and give log-likelihood and coefficient.

    A day counts as dark and as light, by as much as it was. That the act did not come shifts this towards the side on
    which it is less likely, by expectation and maximization [1]_.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin, Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977.
    """
    constant, share = days.constant, days.dark
    columns = np.column_stack([np.tile(constant, (2, 1)), np.repeat([1.0, 0.0], share.size)])
    acted, dark = np.tile(days.acted, 2), share
    for _ in range(_ROUNDS):
        likelihood, coefficients = fitted(columns[None], acted, CONSTANT, np.concatenate([dark, 1 - dark]))
        bound = float(likelihood[0]) - float((rel_entr(dark, share) + rel_entr(1 - dark, 1 - share)).sum())
        missed_dark, missed_light = (1 - expit(columns @ coefficients[0])).reshape(2, -1)
        missed = share * missed_dark + (1 - share) * missed_light
        dark = np.where(days.acted, share, share * missed_dark / missed)
    return bound, float(coefficients[0, -1])

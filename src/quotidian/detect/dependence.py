"""Whether an act depends on a level of its surroundings, or only on the season that both follow."""

from typing import Final

import msgspec
import numpy as np
from scipy.special import chdtrc, expit

from quotidian.detect.statistics import rounded
from quotidian.model.arrays import Bools, Floats, Ints

_DEGREE: Final = 3  #: of the polynomial in the date that stands for the season
_CUTS: Final = 13  #: so many thresholds are tried, from the first to the last tenth of the days
_SLOWLY: Final = 0.5  #: precision of the prior of the season, in which habits come and go over months
_PRIOR: Final = 0.02  #: precision of the prior around zero that keeps coefficients finite
#: Precisions of the priors of a constant alone, and of one with a season.
CONSTANT: Final = np.array([1e-6])
SEASON: Final = np.append(CONSTANT, np.full(_DEGREE, _SLOWLY))
_STEPS: Final = 12  #: of Newton's method
LEAST_SIDE: Final = 7  #: days on each side of a threshold
_FOLDS: Final = 10  #: into which weeks are dealt to see where a threshold would be without them
_FIRST_SHIFT: Final = 7  #: days; neighbouring days are alike
_SHIFTS: Final = 24
_MOST_LEVELS: Final = 100
_INTERVAL: Final = 1.35  #: nats below the best threshold: half the 90 % quantile of chi-square with one degree


class Dependence(msgspec.Struct, frozen=True):
    """How an act depends on a level, by days.

    ``cut`` is the threshold, ``low`` and ``high`` bound it at 90 %; ``p_value`` is corrected for the thresholds tried;
    ``more_below`` tells on which side the act is more likely; ``ratio`` is twice the difference of log-likelihoods.
    """

    cut: int
    low: int
    high: int
    p_value: float
    more_below: bool
    ratio: float
    tried: int


class Days(msgspec.Struct, frozen=True):
    """Days on which an act could come: their ordinals, whether it came, the level, and kinds of days (days, kinds)."""

    ordinal: Ints
    acted: Bools
    level: Ints
    kinds: Bools

    def among(self, chosen: Bools) -> "Days":
        """Give some of the days."""
        return Days(self.ordinal[chosen], self.acted[chosen], self.level[chosen], self.kinds[chosen])

    @property
    def season(self) -> Floats:
        """The columns that stand for what is no dependence: a smooth season and kinds of days, (days, columns)."""
        first, last = int(self.ordinal[0]), int(self.ordinal[-1])
        date = 2 * (self.ordinal - first) / max(last - first, 1) - 1
        columns = np.polynomial.legendre.legvander(date.astype(np.float64), _DEGREE)
        return np.column_stack([columns, self.kinds.astype(np.float64)])


def dependence(days: Days, cuts: Ints) -> Dependence | None:
    """Compare a logistic regression on season and threshold with one on the season alone.

    Twice the gain in log-likelihood of the best threshold is held against chi-square with one degree of freedom, and
    its tail multiplied by the number of thresholds.
    """
    cuts = _with_both_sides(days.level, cuts)
    if not cuts.size:
        return None
    season = days.season
    alone, _ = fitted(season[None], days.acted, SEASON)
    likelihood, coefficient = _split(season, days.level < cuts[:, None], days.acted)
    best = int(likelihood.argmax())
    ratio = max(2 * float(likelihood[best] - alone[0]), 0.0)
    tail = min(float(chdtrc(1, ratio)) * cuts.size, 1.0)
    near = cuts[likelihood >= likelihood[best] - _INTERVAL]
    return Dependence(
        cut=int(cuts[best]),
        low=int(near.min()),
        high=int(near.max()),
        p_value=float(rounded(np.array([tail]))[0]),
        more_below=bool(coefficient[best] > 0),
        ratio=ratio,
        tried=int(cuts.size),
    )


def refined(days: Days, found: Dependence) -> Dependence:
    """Look for the threshold at every level between the tenths, and bound it by what the likelihood leaves open."""
    tried = cuts_of(days.level)
    every = np.arange(tried[0], tried[-1] + 1) if tried[-1] - tried[0] < _MOST_LEVELS else tried
    cuts = _with_both_sides(days.level, every)
    if not cuts.size:
        return found
    likelihood, _ = _split(days.season, days.level < cuts[:, None], days.acted)
    near = cuts[likelihood >= likelihood.max() - _INTERVAL]
    equal = cuts[likelihood >= likelihood.max() - 1e-6]
    middle = int(equal[equal.size // 2])
    return msgspec.structs.replace(found, cut=middle, low=int(near.min()), high=int(near.max()))


def below_by_other_weeks(days: Days, found: Dependence) -> Bools:
    """Tell which days lie below the threshold that days of other weeks draw.

    A threshold that is fitted to the days of which it tells divides them better than those to come; one that was
    drawn without them does not [1]_. Whole weeks are left out, as neighbouring days are alike.

    References
    ----------
    .. [1] M. Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, 1974.
    """
    fold = days.ordinal // 7 % _FOLDS
    below = np.zeros(fold.size, bool)
    for left in np.unique(fold):
        others = days.among(fold != left)
        below[fold == left] = days.level[fold == left] < refined(others, found).cut
    return below


def _with_both_sides(level: Ints, cuts: Ints) -> Ints:
    """Give the thresholds that have enough days on each side."""
    below = (level < cuts[:, None]).sum(axis=1)
    return np.asarray(cuts[(below >= LEAST_SIDE) & (below <= level.size - LEAST_SIDE)])


def cuts_of(level: Ints) -> Ints:
    """Give the thresholds to try: between the first and the last tenth of the days."""
    return np.unique(np.ceil(np.quantile(level, np.linspace(0.1, 0.9, _CUTS))).astype(np.int64))


def lead_over_a_step(days: Days, found: Dependence) -> float:
    """Give by how many nats the threshold explains the days better than a habit that began or ended on some date.

    Both have one step more than the season. What was chosen from more possibilities pays for it by the logarithm of
    their number, so that of two which fit equally well the one with fewer leads.
    """
    season = days.season
    here, _ = _split(season, (days.level < found.cut)[None], days.acted)
    place = np.arange(LEAST_SIDE, days.ordinal.size - LEAST_SIDE)
    then, _ = _split(season, np.arange(days.ordinal.size) < place[:, None], days.acted)
    return float(here[0] - np.log(found.tried) - then.max() + np.log(place.size))


def shifted_ratio(days: Days) -> float:
    """Give the largest ratio of days whose levels keep their season, but have that of other days beside it.

    What the level is beside its smooth season is shifted in a circle by a week or more, so that days in a row stay
    alike; a season that the polynomial does not follow shows in these ratios as well.
    """
    season, size = days.season, days.ordinal.size
    smooth = season @ np.linalg.lstsq(season, days.level.astype(np.float64), rcond=None)[0]
    beside = days.level - smooth
    shifts = np.unique(np.linspace(_FIRST_SHIFT, size - _FIRST_SHIFT, _SHIFTS).astype(np.int64))
    largest = 0.0
    for shift in shifts.tolist():
        level = np.round(smooth + np.roll(beside, shift)).astype(np.int64)
        other = dependence(msgspec.structs.replace(days, level=level), cuts_of(level))
        largest = max(largest, other.ratio if other else 0.0)
    return largest


def _split(season: Floats, below: Bools, acted: Bools) -> tuple[Floats, Floats]:
    """Fit the season and one indicator each: shape (indicators, days) in, log-likelihood and coefficient out."""
    columns = np.repeat(season[None], len(below), axis=0)
    likelihood, coefficients = fitted(np.concatenate([columns, below[:, :, None]], axis=2), acted, SEASON)
    return likelihood, coefficients[:, -1]


def fitted(columns: Floats, acted: Bools, priors: Floats, weight: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """Fit logistic regressions by Newton's method: shape (fits, days, columns) in, log-likelihood and coefficients out.

    ``priors`` are the precisions of the first coefficients around zero, the others have a weak one; the
    log-likelihood is that of the fit less what they cost. ``weight`` tells how much each day counts.
    """
    fits, _, width = columns.shape
    prior = np.diag(np.append(priors, np.full(width - len(priors), _PRIOR)))
    beta = np.zeros((fits, width))
    for _ in range(_STEPS):
        chance = expit(np.matmul(columns, beta[:, :, None])[:, :, 0])
        information = weight * np.maximum(chance * (1 - chance), 1e-3)
        curve = np.matmul((columns * information[:, :, None]).transpose(0, 2, 1), columns) + prior
        slope = np.matmul((weight * (acted - chance))[:, None, :], columns)[:, 0, :] - beta @ prior
        beta = beta + np.clip(np.linalg.solve(curve, slope[:, :, None])[:, :, 0], -2, 2)
    value = np.matmul(columns, beta[:, :, None])[:, :, 0]
    likelihood = (weight * (acted * value - np.logaddexp(0, value))).sum(axis=1)
    return np.round(likelihood - 0.5 * np.einsum("fi,ij,fj->f", beta, prior, beta), 9), np.round(beta, 9)

"""Habits that drift over weeks, change, or belong to a part of the year."""

import datetime as dt
from functools import lru_cache
from statistics import median
from typing import ClassVar, Final

import msgspec
import numpy as np
from scipy.special import ndtri

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayclass import best_class
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.statistics import LEVEL, nearest, next_time, q_values, share_interval
from quotidian.detect.things import ENDS, is_act
from quotidian.detect.yearly import yearly
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Floats, Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.model.rollup import Figures

_REACH: Final = 120  #: minutes either side of the main time in which the habit is looked for
_QUARTER: Final = 15  #: the grid, in minutes, on which it is looked for
_WEEK_TIMES: Final = 3  #: so many times in a week give a median, or half of its days of the class if that is less
_SEED: Final = 20_260_101
_SIDE_WEEKS: Final = 3  #: weeks on each side of a step
_SCATTER: Final = 3.0  #: how many times the mean residual a move has to be
_ALIKE: Final = 15.0  #: minutes by which two moves may differ and be one
_CLEARLY: Final = 0.8  #: a line that begins late leaves at most that share of what a step or a whole line leaves
_EXPLAINED: Final = 2.0  #: the sun explains a drift when it leaves at most that many times what the best fit leaves


class _Series(msgspec.Struct, frozen=True):
    """A token's time on each day with one (``places`` in the history), and its weekly medians.

    Times are minutes after the main time of day (``minute``), by the clock; ``numbers`` are each day's week, ``weeks``
    those with enough days, ascending; ``days`` is the class of days, ``observed`` those of it on which there could have
    been a time.
    """

    days: str
    minute: int
    places: Ints
    numbers: Ints
    times: Floats
    weeks: Ints
    medians: Floats
    observed: int


class _Drift(msgspec.Struct, frozen=True):
    """How weekly medians moved: a step before week ``place``, or a line from it on; in minutes on the series' axis.

    ``slope``, ``low`` and ``high`` are minutes a week.
    """

    gradual: bool
    place: int
    start: float
    end: float
    slope: float
    low: float
    high: float

    @property
    def move(self) -> float:
        """How far the time moved in all."""
        return self.end - self.start


class Seasonal(Detector):
    """Habits whose time of day drifts or changes over weeks, and habits that belong to a part of the year.

    *Drift.* A token's main time of day is the instant that the most days have within two hours; the time of each day is
    the one nearest to it. Only days of the class count that describes best on which days there is one, so what is done
    on three days of the week has its weekly median too. The weekly medians are tested by their largest standardised
    cumulative sum [1]_, and by their trend, against those of 19,999 permutations of the weeks, at twice the smaller
    p-value; over all such tokens the false discovery rate is controlled. What is found is told as a step (medians
    before and after the week that parts them best) or as a line (Theil-Sen [2]_, its slope with Sen's interval),
    whichever leaves the smaller absolute residuals. It must move by ``least_shift``, and more than the weeks scatter. A
    line that begins late, after a level, is told instead where it leaves at most four fifths of these residuals.
    Nothing is told where the token keeps a constant distance from sunrise or sunset about as well: that is the sun's
    drift, and where the home's place is not known any drift may be. Of two states of an entity that move alike only one
    is told.

    *Yearly shape*, only with two cycles (24 months of at least 20 observed days each): months in which the
    token occurs on half of the days in every year, and others with at most a tenth in every year.

    Parameters
    ----------
    weeks
        So many weeks are needed, at least 7: fewer have too few orders to be compared with.
    permutations
        How many orders of the weeks the true one is compared with, at least 99.
    false_discovery
        The rate that is controlled over all tokens with a usual time, in (0, 1).
    least_share
        The smallest share of the days of its class on which the habit is found, in (0, 1].
    least_shift
        The smallest move that is worth telling, in minutes, positive.

    Notes
    -----
    Subject: the token and ``drift`` or ``year``. Anchor: for a drift the minute of the day that holds now; for a yearly
    shape none. Measures of a drift: ``shape`` (``step`` or ``line``), ``days`` (class), ``before`` and ``after``
    (minutes of the day), ``since`` (ordinal of the Monday), ``slope``, ``slope_low``, ``slope_high`` (minutes a week),
    ``members``; of a year: ``months`` and ``rest`` (1 to 12), ``otherwise`` (days with it, days, in the rest).

    Rolled up, of each entity: the ``states`` into which people may have brought it.

    Evidence: the days on which the habit was found, of those observed. Kept a day, for ever: which tokens
    occurred, and what was present.

    References
    ----------
    .. [1] E. S. Page, A Test for a Change in a Parameter Occurring at an Unknown Point, 1955.
    .. [2] P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, 1968.

    Examples
    --------
    >>> Seasonal(weeks=10).weeks
    10
    >>> Seasonal(weeks=4)
    Traceback (most recent call last):
    ValueError: weeks is at least 7, permutations at least 99
    """

    name: ClassVar[str] = "seasonal"
    cadence: ClassVar[Cadence] = Cadence.MONTHLY
    keeps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        weeks: int = 7,
        permutations: int = 19_999,
        false_discovery: float = 0.01,
        least_share: float = 0.5,
        least_shift: float = 15.0,
    ) -> None:
        if weeks < 7 or permutations < 99:
            raise ValueError("weeks is at least 7, permutations at least 99")
        if not (0 < false_discovery < 1 and 0 < least_share <= 1 and least_shift > 0):
            raise ValueError("false_discovery and least_share lie between 0 and 1, least_shift is positive")
        self.weeks = weeks
        self.permutations = permutations
        self.false_discovery = false_discovery
        self.least_share = least_share
        self.least_shift = least_shift

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Keep which tokens people may have caused, and which entities were present."""
        del carry
        row = day.row
        tokens = [row.tokens[number] for number in np.unique(row.token[row.learned]).tolist()]
        pairs = sorted((entity_of(token), state_of(token)) for token in tokens)
        names = tuple(sorted({word for pair in pairs for word in pair} | row.present))
        rank = {name: number for number, name in enumerate(names)}
        columns = {
            "present": [rank[name] for name in sorted(row.present)],
            "token_entity": [rank[entity] for entity, _ in pairs],
            "token_state": [rank[state] for _, state in pairs],
        }
        return Integers(names, columns), Carry()

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say which states people may have brought about."""
        del row
        states: dict[str, list[str]] = {}
        for entity, state in zip(own["token_entity"].tolist(), own["token_state"].tolist(), strict=True):
            states.setdefault(own.words[entity], []).append(own.words[state])
        return {name: {"states": told} for name, told in states.items()}

    def detect(self, history: History) -> list[Finding]:
        """Give the drifts, the largest first, then the yearly shapes."""
        return [*self._drifts(history), *yearly(self.name, self.summary(history).days, history.home)]

    # drift

    def _drifts(self, history: History) -> list[Finding]:
        if not history.rows or history.ordinals[-1] - history.ordinals[0] < 7 * self.weeks - 1:
            return []
        acts = [token for token in history.tokens if is_act(history.home, token)]
        found = {token: series for token in acts if (series := self._series(history, token)) is not None}
        found = _beginnings(found)
        if not found:
            return []
        drifts = {token: self._drift(history, series) for token, series in found.items()}
        p_values = np.array([self._chance(found[token]) if drift else 1.0 for token, drift in drifts.items()])
        q = q_values(p_values, len(found))
        accepted = {
            token: (drift, q_value)
            for (token, drift), q_value in zip(drifts.items(), q.tolist(), strict=True)
            if drift is not None and q_value <= self.false_discovery
        }
        told = _once({token: drift for token, (drift, _) in accepted.items()})
        return [self._finding(history, token, found[token], *accepted[token]) for token in told]

    def _series(self, history: History, token: str) -> _Series | None:
        """Give a token's weekly medians, ``None`` where it has no usual time for long enough."""
        timeline, rows = history.timeline, history.occurrences[token]
        minute = _main_minute(timeline.day[rows], timeline.wall[rows] // 60, len(history.rows))
        near, apart = _near(history, rows, minute)
        hit = np.zeros(len(history.rows), bool)
        hit[near] = True
        present = history.present(entity_of(token))
        days = best_class(history, hit, present)
        mask = present & history.classes[days]
        observed = int(mask.sum())
        places, times = near[mask[near]], apart[mask[near]]
        if places.size < max(self.least_share * observed, self.weeks):
            return None
        numbers = (history.ordinals[places] - 1) // 7  # ordinal 1 is a Monday
        weeks, counts = np.unique(numbers, return_counts=True)
        usual = observed / np.unique((history.ordinals[mask] - 1) // 7).size
        weeks = weeks[counts >= min(_WEEK_TIMES, max(round(usual / 2), 1))]
        if weeks.size < self.weeks:
            return None
        medians = _medians(numbers, weeks, times)
        return _Series(days, minute, places, numbers, times, weeks, medians, observed)

    def _chance(self, series: _Series) -> float:
        """Give the p-value of a step or a line, whichever is smaller, times two, by permutation of the weeks."""
        medians, weeks = series.medians - series.medians.mean(), series.weeks - series.weeks.mean()
        orders = np.concatenate([np.arange(medians.size)[None], _orders(medians.size, self.permutations)])
        sides = (_largest(medians[orders]), np.abs(medians[orders] @ weeks))
        reached = min(int((side >= side[0] * (1 - 1e-9)).sum()) for side in sides)
        return min(2 * reached / (1 + self.permutations), 1.0)

    def _drift(self, history: History, series: _Series) -> _Drift | None:
        """Fit a step and a line, and keep the better one if it is worth telling and the sun does not explain it.

        A line that begins late is told instead where that fits clearly better still; it decides nothing.
        """
        if np.ptp(series.medians) < self.least_shift:
            return None
        drift, left = _fitted(series.weeks, series.medians)
        if abs(drift.move) < max(self.least_shift, _SCATTER * left / series.weeks.size):
            return None
        if _explained(history, series, left):
            return None
        bend, bend_left = _bend(series.weeks, series.medians)
        return bend if bend_left <= _CLEARLY * left else drift

    def _finding(self, history: History, token: str, series: _Series, drift: _Drift, q_value: float) -> Finding:
        days = series.places.size
        low, high = share_interval(days, series.observed)
        since = dt.date.fromordinal(int(series.weeks[drift.place]) * 7 + 1)
        before, after = (round(series.minute + minutes) % DAY_MINUTES for minutes in (drift.start, drift.end))
        members = history.members[token]
        return Finding(
            detector=self.name,
            subject=(token, "drift"),
            anchor=after,
            measures={
                "shape": "line" if drift.gradual else "step",
                "days": series.days,
                "before": before,
                "after": after,
                "since": since.toordinal(),
                "slope": round(drift.slope, 2),
                "slope_low": round(drift.low, 2),
                "slope_high": round(drift.high, 2),
                "members": list(members),
            },
            evidence=Evidence(kept=days, observed=series.observed, low=low, high=high, q_value=q_value),
            confidence=next_time(days, series.observed),
            stage=Stage.ESTABLISHED if series.weeks.size - drift.place >= 4 else Stage.EMERGING,
            sentence=_sentence(series.days, words.acts(history.home, members), drift, (before, after), since),
        )


def _beginnings(found: dict[str, _Series]) -> dict[str, _Series]:
    """Leave out what ends a habit that has a beginning: it moves with it, and every test costs the others."""
    begun = {entity_of(token) for token in found if state_of(token) not in ENDS}
    return {token: it for token, it in found.items() if state_of(token) not in ENDS or entity_of(token) not in begun}


def _main_minute(days: Ints, minutes: Ints, size: int) -> int:
    """Give the minute of the day that the most days have something within reach of, in the middle of equals."""
    quarters, reach = DAY_MINUTES // _QUARTER, _REACH // _QUARTER
    hit = np.zeros((size, quarters), np.int16)
    hit[days, np.clip(minutes // _QUARTER, 0, quarters - 1)] = 1
    total = np.cumsum(np.concatenate([hit[:, -reach - 1 :], hit, hit[:, :reach]], axis=1), axis=1, dtype=np.int16)
    near = (total[:, 2 * reach + 1 :] > total[:, : -2 * reach - 1]).sum(axis=0)
    most = near == near.max()
    first = int(np.argmax(most & ~np.roll(most, 1)))
    length = int(np.argmin(np.roll(most, -first))) or quarters
    return (first * _QUARTER + length * _QUARTER // 2) % DAY_MINUTES


def _near(history: History, rows: Ints, minute: int) -> tuple[Ints, Floats]:
    """Give the days with an occurrence within reach of a minute of the day, and how far the nearest one is from it."""
    timeline, ordinals = history.timeline, history.ordinals
    line = np.sort(ordinals[timeline.day[rows]] * DAY_MINUTES + timeline.wall[rows] // 60)
    apart = nearest(line, ordinals * DAY_MINUTES + minute)
    places = np.flatnonzero(np.abs(apart) <= _REACH)
    return places, apart[places].astype(np.float64)


def _explained(history: History, series: _Series, left: float) -> bool:
    """Tell whether a constant distance from the sun leaves little more than the best fit by the clock.

    Where the sun does not rise or set, or nobody knows where the home is, it may always be the sun.
    """
    for event in ("sunrise", "sunset"):
        sun = history.sun(event)[series.places]
        medians = _medians(series.numbers, series.weeks, series.times - sun)
        residuals = float(np.abs(medians - np.median(medians)).sum())
        if (sun < 0).any() or residuals <= max(_EXPLAINED * left, series.weeks.size):
            return True
    return False


def _medians(numbers: Ints, weeks: Ints, times: Floats) -> Floats:
    """Give the median of the times in each of some weeks (ascending)."""
    order = np.lexsort((times, numbers))
    first = np.searchsorted(numbers[order], weeks)
    size = np.searchsorted(numbers[order], weeks, "right") - first
    ascending = times[order]
    return np.asarray((ascending[first + (size - 1) // 2] + ascending[first + size // 2]) / 2)


def _largest(centred: Floats) -> Floats:
    """Give the largest cumulative sum of each row of centred medians, over how much it would vary by chance.

    Only so does a change after few weeks count as much as one in the middle.
    """
    size = centred.shape[-1]
    place = np.arange(_SIDE_WEEKS, size - _SIDE_WEEKS + 1)
    sums = np.cumsum(centred, axis=-1)[..., place - 1]
    return np.asarray((np.abs(sums) / np.sqrt(place * (size - place) / size)).max(axis=-1))


@lru_cache(maxsize=64)
def _orders(size: int, permutations: int) -> Ints:
    """Give orders of so many weeks, the same ones every night: shape (permutations, size)."""
    generator = np.random.default_rng(_SEED)
    orders = generator.permuted(np.tile(np.arange(size), (permutations, 1)), axis=1)
    return orders.astype(np.int16 if size < 1 << 15 else np.int64)


def _step(times: Floats) -> tuple[int, float, float, float]:
    """Give the week from which another median holds, the medians before and after, and the absolute residuals."""
    fits = []
    for place in range(_SIDE_WEEKS, times.size - _SIDE_WEEKS + 1):
        start, end = median(times[:place].tolist()), median(times[place:].tolist())
        left = float(np.abs(times[:place] - start).sum() + np.abs(times[place:] - end).sum())
        fits.append((left, place, start, end))
    left, place, start, end = min(fits)
    return place, start, end, left


def _line(weeks: Ints, times: Floats) -> tuple[float, float, float]:
    """Give the median slope of all pairs of weeks, in minutes a week, and its interval."""
    one, other = np.triu_indices(weeks.size, 1)
    slopes = np.sort((times[other] - times[one]) / (weeks[other] - weeks[one]))
    size = weeks.size
    reach = float(ndtri((1 + LEVEL) / 2)) * np.sqrt(size * (size - 1) * (2 * size + 5) / 18)
    low, high = np.clip([(slopes.size - reach) / 2, (slopes.size + reach) / 2], 0, slopes.size - 1).astype(int)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _bend(weeks: Ints, times: Floats) -> tuple[_Drift, float]:
    """Give the level that a time kept until a week, the line on which it moved since, and the absolute residuals."""
    fits = []
    for place in range(_SIDE_WEEKS, times.size - _SIDE_WEEKS):
        level, since = median(times[: place + 1].tolist()), weeks[place + 1 :] - weeks[place]
        slope = median(((times[place + 1 :] - level) / since).tolist())
        left = np.abs(times[: place + 1] - level).sum() + np.abs(times[place + 1 :] - level - slope * since).sum()
        fits.append((float(left), place, level, slope))
    left, place, level, slope = min(fits)
    _, low, high = _line(weeks[place:], times[place:])
    end = level + slope * float(weeks[-1] - weeks[place])
    return _Drift(True, place, level, end, slope, min(low, slope), max(high, slope)), left


def _fitted(weeks: Ints, times: Floats) -> tuple[_Drift, float]:
    """Give the step or the line, whichever fits better, and its absolute residuals."""
    place, start, end, step_left = _step(times)
    slope, low, high = _line(weeks, times)
    middle = float(np.median(times - slope * weeks))
    line = middle + slope * weeks
    line_left = float(np.abs(times - line).sum())
    if line_left < step_left:
        return _Drift(True, 0, float(line[0]), float(line[-1]), slope, low, high), line_left
    return _Drift(False, place, start, end, slope, low, high), step_left


def _once(drifts: dict[str, _Drift]) -> list[str]:
    """Leave out what ends a habit and moves with its beginning; the largest move first."""
    told: list[str] = []
    for token in sorted(drifts, key=lambda token: (state_of(token) in ENDS, token)):
        twins = [drifts[other].move for other in told if entity_of(other) == entity_of(token)]
        if all(abs(drifts[token].move - move) > _ALIKE for move in twins):
            told.append(token)
    return sorted(told, key=lambda token: (-abs(drifts[token].move), token))


def _sentence(days: str, what: str, drift: _Drift, times: tuple[int, int], since: dt.date) -> str:
    before, after = (words.clock(minute) for minute in times)
    told = f"{what[:1].upper()}{what[1:]}" if days == "all" else f"{words.days(days)} {what}"
    week = f"the week of {words.date(since)}"
    if drift.gradual:
        pace = max(round(abs(drift.slope)), 1)
        direction = "later" if drift.slope > 0 else "earlier"
        return f"{told} {pace} min {direction} every week, now about {after} (in {week} about {before})"
    return f"{told} about {after} since {week}, before that about {before}"

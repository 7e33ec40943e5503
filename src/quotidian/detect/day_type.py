"""What kinds of days there are: weekdays and weekends, days away, busy and late ones."""

import datetime as dt
from typing import ClassVar, Final

import numpy as np

from quotidian.detect import words
from quotidian.detect.absence import LEAST_CHANGES, LEAST_DAYS
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayrow import DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.statistics import next_time, rounded, share_interval
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.rollup import Figures

_HALVES: Final = 48
_DAWN: Final = 4 * 3600  #: what happens before belongs to the evening before
_CLASSES: Final = ("weekdays", "weekends")

#: Standard deviations, by the median absolute deviation, beyond which a day is out of the ordinary.
_FAR: Final = 4.0
_MAD: Final = 1.4826

_MOST_DATES: Final = 4


class DayType(Detector):
    """What kinds of days there are: whether weekends differ, days away, busy and late days.

    Weekdays and weekends (with public holidays) are compared by their half-hour profiles, square-rooted and
    normalised. Their distance is compared with that of ``permutations`` in which the days of each week have changed
    their places [1]_, so that a slow change over the weeks is no difference. The times of the first activity are
    compared in the same permutations.

    Days with less than 15 % of their class's median activity, though they were observed, are called away; two or more
    days that lie further than four standard deviations (by the median absolute deviation [2]_, of square roots of
    counts) above the median are called busy, or late by their last activity. These describe and make no claim
    against chance.

    Parameters
    ----------
    permutations
        How often labels are permuted, at least 199; the seed is fixed.
    false_discovery
        The level at which weekdays and weekends differ, in (0, 1).
    least_shift
        The smallest difference of the first activity that is worth telling, in minutes.

    Notes
    -----
    Kept per day: ``counts`` of learned changes by half hour of the wall clock (48), and ``edges``: wall seconds of
    the first and the last activity from 04:00 on and of the last one before 04:00, -1 where there is none.

    Rolled up, of ``home``: ``half_hours`` (48 counts), ``changes`` (their sum), ``first`` and ``last`` activity from
    04:00 on and ``late``, the last one before (minutes of the day), where there is one.

    Subjects: ``("home", "weekends")``, ``("home", "away")``, ``("home", "busy")``, ``("home", "late")``. No anchor.
    Measures: ``first`` (minutes of the day: weekdays, weekends), ``dates`` (ordinals).

    References
    ----------
    .. [1] P. Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 2005.
    .. [2] P. J. Rousseeuw, C. Croux, Alternatives to the Median Absolute Deviation, 1993.

    Examples
    --------
    >>> DayType(least_shift=45).least_shift
    45
    >>> DayType(permutations=10)
    Traceback (most recent call last):
    ValueError: permutations is at least 199, least_shift is not negative, false_discovery lies between 0 and 1
    """

    name: ClassVar[str] = "day_type"
    cadence: ClassVar[Cadence] = Cadence.WEEKLY
    keeps: ClassVar[bool] = True

    def __init__(self, *, permutations: int = 999, false_discovery: float = 0.01, least_shift: int = 30) -> None:
        if permutations < 199 or least_shift < 0 or not 0 < false_discovery < 1:
            raise ValueError(
                "permutations is at least 199, least_shift is not negative, false_discovery lies between 0 and 1"
            )
        self.permutations = permutations
        self.false_discovery = false_discovery
        self.least_shift = least_shift

    # folding

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Count the day's learned changes by half hour, and keep its first and last activity."""
        del carry
        wall = np.sort(day.row.wall[day.row.learned])
        counts = np.bincount(np.clip(wall // 1800, 0, _HALVES - 1), minlength=_HALVES)
        dawn = int(np.searchsorted(wall, _DAWN))
        first, last = (int(wall[dawn]), int(wall[-1])) if dawn < wall.size else (-1, -1)
        late = int(wall[dawn - 1]) if dawn else -1
        return Integers((), {"counts": counts, "edges": [first, last, late]}), Carry()

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say when the house was active."""
        del row
        edges = zip(("first", "last", "late"), own["edges"].tolist(), strict=True)
        told: Figures = {name: second // 60 for name, second in edges if second >= 0}
        return {"home": {"half_hours": own["counts"].tolist(), "changes": int(own["counts"].sum()), **told}}

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Tell how weekends differ from weekdays, and which days were out of the ordinary."""
        kept = self.summary(history).days
        places = np.array([place for place, row in enumerate(history.rows) if row.ordinal in kept], np.int64)
        if places.size < LEAST_DAYS:
            return []
        folded = [kept[history.rows[place].ordinal] for place in places.tolist()]
        counts = np.stack([day["counts"] for day in folded])
        edges = np.stack([day["edges"] for day in folded])
        usual = history.lived[places]
        weekends = self._weekends(history, places[usual], counts[usual], edges[usual])
        found = [weekends, _away(history)]
        if np.median(counts.sum(axis=1)) >= LEAST_CHANGES:
            found.append(_busy(history, places[usual], counts[usual]))
            found.append(_late(history, places[usual], _ends(history, places, edges)[usual]))
        return [finding for finding in found if finding is not None]

    def _weekends(self, history: History, places: Ints, counts: Ints, edges: Ints) -> Finding | None:
        begun = edges[:, 0] >= 0
        places, counts, first = places[begun], counts[begun], edges[begun, 0] / 60
        free = history.classes["weekends"][places]
        if min(int(free.sum()), int((~free).sum())) < 3:
            return None
        labels = np.vstack([free, _permuted(free, history.ordinals[places], self.permutations)])
        apart = _p_value(_distance(labels, _profiles(counts)))
        later = _p_value(np.abs(_difference(labels, first[:, None])[:, 0]))
        if apart > self.false_discovery:
            return None
        usual = float(np.median(first[~free]))
        weekend = float(np.median(first[free]))
        shift = weekend - usual
        if later > self.false_discovery or abs(shift) < self.least_shift:
            return _differing(history, places, counts, free, apart)
        middle = (usual + weekend) / 2
        like = free & ((first > middle) if shift > 0 else (first < middle))
        sentence = (
            f"Weekends begin about {words.span(60 * _fives(abs(shift)))} {'later' if shift > 0 else 'earlier'} than "
            f"weekdays: first activity about {words.clock(_fives(weekend))} instead of {words.clock(_fives(usual))}"
        )
        measures = {"first": [round(usual), round(weekend)], "dates": history.ordinals[places[like]].tolist()}
        return _finding("weekends", int(like.sum()), int(free.sum()), sentence, measures, q_value=max(apart, later))


def _profiles(counts: Ints) -> Floats:
    """Give each day's square-rooted half-hour counts with length 1: shape (days, 48)."""
    roots = np.sqrt(counts)
    return np.asarray(roots / np.maximum(np.sqrt(counts.sum(axis=1, keepdims=True)), 1))


def _permuted(free: Bools, ordinals: Ints, times: int) -> Bools:
    """Permute labels within calendar weeks: shape (times, days)."""
    week = (ordinals - 1) // 7
    keys = np.random.default_rng(2).random((times, free.size)) + week
    return np.asarray(free[np.argsort(keys, axis=1, kind="stable")])


def _difference(labels: Bools, values: Floats) -> Floats:
    """Subtract the mean of the others from that of the labelled days: shape (labellings, values)."""
    size = labels.sum(axis=1, keepdims=True)
    of = labels.astype(np.float64) @ values
    return np.asarray(of / size - (values.sum(axis=0) - of) / (labels.shape[1] - size))


def _distance(labels: Bools, profiles: Floats) -> Floats:
    return np.asarray(np.sqrt((_difference(labels, profiles) ** 2).sum(axis=1)))


def _p_value(statistics: Floats) -> float:
    """Give the share of labellings that are as far apart as the first, which is the true one."""
    values = rounded(statistics)
    return float((values >= values[0]).mean())


def _differing(history: History, places: Ints, counts: Ints, free: Bools, p_value: float) -> Finding | None:
    """Tell in which hours weekends are busier or quieter than weekdays, where most of them show it."""
    hours = counts.reshape(-1, 24, 2).sum(axis=2)
    shares = hours / np.maximum(hours.sum(axis=1, keepdims=True), 1)
    difference = _difference(free[None, :], shares)[0]
    hour = int(np.argmax(np.abs(difference)))
    more = bool(difference[hour] > 0)
    middle = (float(np.median(shares[free, hour])) + float(np.median(shares[~free, hour]))) / 2
    like = free & ((shares[:, hour] > middle) if more else (shares[:, hour] < middle))
    if 2 * int(like.sum()) < int(free.sum()):
        return None
    when = f"most between {words.clock(60 * hour)} and {words.clock(60 * (hour + 1))}"
    sentence = f"Weekends differ from weekdays, {when}, when {'more' if more else 'less'} happens"
    measures = {"hour": hour, "more": more, "dates": history.ordinals[places[like]].tolist()}
    return _finding("weekends", int(like.sum()), int(free.sum()), sentence, measures, q_value=p_value)


def _heard(history: History) -> Bools:
    """Tell on which days something changed, be it by an automation; of a home that is mute when empty: all days."""
    heard = np.array([row.second.size > 0 or bool(row.chatter) for row in history.rows], bool)
    return heard if 2 * heard[~history.lived].sum() > (~history.lived).sum() else np.ones(heard.size, bool)


def _away(history: History) -> Finding | None:
    quiet = ~history.lived & _heard(history)
    if not quiet.any():
        return None
    dates = history.ordinals[quiet].tolist()
    one = len(dates) == 1
    sentence = f"Almost nothing happened on {_dated(dates)}: {'a day' if one else f'{len(dates)} days'} away"
    return _finding("away", len(dates), quiet.size, sentence, {"dates": dates})


def _busy(history: History, places: Ints, counts: Ints) -> Finding | None:
    far = _far(history, places, np.sqrt(counts.sum(axis=1)), floor=0.5)
    if far.sum() < 2:
        return None
    dates = history.ordinals[places[far]].tolist()
    sentence = f"Much more than usual happened on {_dated(dates)}: guests, perhaps"
    return _finding("busy", len(dates), places.size, sentence, {"dates": dates})


def _ends(history: History, places: Ints, edges: Ints) -> Floats:
    """Give the minute of each day's last activity, which may lie behind midnight."""
    ordinals = history.ordinals[places].tolist()
    after = dict(zip(ordinals, edges[:, 2].tolist(), strict=True))
    beyond = np.array([after.get(ordinal + 1, -1) for ordinal in ordinals], np.int64)
    return np.where(beyond >= 0, beyond + 86_400, edges[:, 1]) / 60


def _late(history: History, places: Ints, last: Floats) -> Finding | None:
    """Tell on which days the last activity was far later than on others."""
    far = _far(history, places, last, floor=15.0)
    if far.sum() < 2:
        return None
    dates = history.ordinals[places[far]].tolist()
    sentence = (
        f"It became late on {_dated(dates)}: until about {words.clock(_fives(float(np.median(last[far]))))} "
        f"instead of {words.clock(_fives(float(np.median(last[~far]))))}"
    )
    return _finding("late", len(dates), places.size, sentence, {"dates": dates})


def _far(history: History, places: Ints, values: Floats, floor: float) -> Bools:
    """Tell which days lie far above the median of their class; no deviation is taken as smaller than ``floor``."""
    far = np.zeros(values.size, bool)
    for name in _CLASSES:
        mask = history.classes[name][places]
        if mask.sum() >= LEAST_DAYS:
            middle = float(np.median(values[mask]))
            deviation = max(_MAD * float(np.median(np.abs(values[mask] - middle))), floor)
            far |= mask & (values > middle + _FAR * deviation)
    return far


def _fives(minutes: float) -> int:
    return 5 * round(minutes / 5)


def _dated(ordinals: list[int]) -> str:
    """Name days by their dates, the latest when there are many."""
    spans: list[tuple[int, int]] = []
    for ordinal in ordinals:
        if spans and ordinal == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], ordinal)
        else:
            spans.append((ordinal, ordinal))
    names = [_dates(one, last) for one, last in spans[-_MOST_DATES:]]
    earlier = sum(last - one + 1 for one, last in spans[:-_MOST_DATES])
    names = [f"{earlier} earlier day{'s' * (earlier != 1)}", *names] if earlier else names
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _dates(first: int, last: int) -> str:
    one, other = dt.date.fromordinal(first), dt.date.fromordinal(last)
    if one == other:
        return f"{other.day} {other:%B}"
    return (
        f"{one.day} to {other.day} {other:%B}"
        if one.month == other.month
        else f"{one.day} {one:%B} to {other.day} {other:%B}"
    )


def _finding(
    kind: str, kept: int, days: int, sentence: str, measures: dict[str, object], *, q_value: float | None = None
) -> Finding:
    low, high = share_interval(kept, days)
    return Finding(
        detector=DayType.name,
        subject=("home", kind),
        measures=measures,
        evidence=Evidence(kept=kept, observed=days, low=low, high=high, q_value=q_value),
        confidence=next_time(kept, days),
        stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
        sentence=sentence,
    )

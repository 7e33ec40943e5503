"""What kinds of days there are: weekends, days at home, days away, long nights."""

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np

from quotidian.detect import words
from quotidian.detect.absence import HALF_HOURS, LEAST_DAYS
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dates import dated, spells
from quotidian.detect.dayrow import DayRow, entity_of
from quotidian.detect.dayview import DayView
from quotidian.detect.edges import LongNights, long_nights, mornings
from quotidian.detect.history import WEEKDAYS, History
from quotidian.detect.kinds import CLASSES, Kind
from quotidian.detect.marking import Mark, marks_of
from quotidian.detect.statistics import next_time, rounded, share_interval
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.rollup import Figures

_DAWN: Final = 4 * 3600  #: what happens before belongs to the evening before
_NOON: Final = HALF_HOURS // 2


class DayType(Detector):
    """What kinds of days there are: weekends, days at home, days away, long nights.

    Weekdays and weekends (with public holidays) are compared by their half-hour profiles, square-rooted and
    normalised. Their distance is compared with that of ``permutations`` in which the days of each week have changed
    their places [1]_, so that a slow change over the weeks is no difference. The times of the first activity are
    compared in the same permutations.

    Kinds of days that are the home's own, such as Tuesdays and Thursdays at home, are found by parting the weekdays
    (and the weekends) in two (see ``kinds``); what is on at their hours and hardly ever else marks them out (see
    ``marking``). Long nights are those before a free day that last far longer than usual (see ``edges``). Days away
    (see ``absence``) describe, and make no claim against chance.

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

    Subjects: ``("home", "weekends")``, ``("home", "away")``, ``("home", "late")``, ``("home", "at_home")`` or
    ``("home", "out")`` for a kind, (token, kind) for what marks it out. No anchor. Measures: ``dates`` (ordinals); of
    weekends ``first`` (minutes of the day: weekdays, weekends) or ``hour`` and ``more``; of a kind ``weekdays``,
    ``start``, ``end`` (minutes of the day), of what marks it out these and ``members``; of long nights ``usual`` and
    ``until`` (minutes, beyond 1440 past midnight); of days away ``spells`` (their number).

    References
    ----------
    .. [1] P. Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 2005.

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
        counts = np.bincount(np.clip(wall // 1800, 0, HALF_HOURS - 1), minlength=HALF_HOURS)
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
        """Tell how weekends differ from weekdays, which kinds of days there are, and which days stood out."""
        kept = self.summary(history).days
        places = np.array([place for place, row in enumerate(history.rows) if row.ordinal in kept], np.int64)
        if places.size < LEAST_DAYS:
            return []
        lived = places[history.lived[places]]
        folded = [kept[history.rows[place].ordinal] for place in lived.tolist()]
        counts = np.array([day["counts"] for day in folded], np.int64).reshape(-1, HALF_HOURS)
        found = [self._weekends(history, lived, counts), _away(history)]
        kinds = (finding for kind in history.kinds for finding in _told_kind(history, kind))
        long = long_nights(history)
        found += [_told_nights(history, long)] if long else []
        return [*(finding for finding in found if finding is not None), *kinds]

    def _weekends(self, history: History, places: Ints, counts: Ints) -> Finding | None:
        first = mornings(history)[places]
        begun = ~np.isnan(first)
        places, counts, first = places[begun], counts[begun], first[begun]
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
        return _finding(
            ("home", "weekends"), int(like.sum()), int(free.sum()), sentence, measures, q_value=max(apart, later)
        )


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
    return _finding(("home", "weekends"), int(like.sum()), int(free.sum()), sentence, measures, q_value=p_value)


def _heard(history: History) -> Bools:
    """Tell on which days something changed, be it by an automation; of a home that is mute when empty: all days."""
    heard = np.array([row.second.size > 0 or bool(row.chatter) for row in history.rows], bool)
    return heard if 2 * heard[~history.lived].sum() > (~history.lived).sum() else np.ones(heard.size, bool)


def _away(history: History) -> Finding | None:
    """Tell which days were spent away; the interval is over journeys, as their days come together."""
    quiet = ~history.lived & _heard(history)
    if not quiet.any():
        return None
    dates: list[int] = history.ordinals[quiet].tolist()
    journeys = len(spells(dates))
    interval = share_interval(journeys, max(round(quiet.size * journeys / len(dates)), journeys))
    sentence = f"Almost nothing happened on {dated(dates)}: {'a day' if len(dates) == 1 else f'{len(dates)} days'} away"
    measures = {"dates": dates, "spells": journeys}
    return _finding(("home", "away"), len(dates), quiet.size, sentence, measures, interval=interval)


def _told_kind(history: History, kind: Kind) -> Iterator[Finding]:
    """Tell of a kind of days, and of what marks it out."""
    free = CLASSES[1] if min(kind.weekdays) > 4 else CLASSES[0]
    others = history.classes[free] & ~history.classes[kind.name]
    names = [WEEKDAYS[number] for number in kind.weekdays]
    hours = f"between {words.clock(30 * kind.start)} and {words.clock(30 * kind.end)}"
    called = _called(kind)
    what = f"{called}: {'somebody is about' if kind.name == 'at_home' else 'hardly anybody is about'} {hours}"
    measures: dict[str, object] = {
        "dates": history.ordinals[kind.days].tolist(),
        "weekdays": names,
        "start": 30 * kind.start,
        "end": 30 * kind.end % 1440,
    }
    kept, among = int(kind.days.sum()), int(kind.among.sum())
    sentence = f"{_plurals(names)} are mostly {what}, unlike on other {free}"
    yield _finding(("home", kind.name), kept, among, sentence, measures, q_value=kind.q_value)
    marks = marks_of(history, kind, others)
    if marks:
        first = marks[0]
        own = {"dates": history.ordinals[first.kept].tolist(), "members": [mark.token for mark in marks]}
        kept, among = int(first.kept.sum()), int(first.seen.sum())
        sentence = f"On {called} {_are_on(history, marks)} for most of the time {hours}"
        yield _finding((first.token, kind.name), kept, among, sentence, measures | own, q_value=first.q_value)


def _are_on(history: History, marks: tuple[Mark, ...]) -> str:
    things = [words.thing(history.home, entity_of(mark.token)) for mark in marks]
    return f"{things[0]} is on" if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]} are on"


def _called(kind: Kind) -> str:
    """Name a kind's days by the hours in which they differ."""
    if kind.name == "at_home":
        return "days at home" if kind.start < _NOON < kind.end else "days with more going on"
    return "days out" if kind.start < _NOON < kind.end else "days with less going on"


def _plurals(names: list[str]) -> str:
    days = [f"{name.capitalize()}s" for name in names]
    return days[0] if len(days) == 1 else f"{', '.join(days[:-1])} and {days[-1]}"


def _told_nights(history: History, long: LongNights) -> Finding:
    """Tell of long nights before a free day: those with guests."""
    dates: list[int] = history.ordinals[long.nights].tolist()
    sentence = (
        f"It became late on {dated(dates)}, until about {words.clock(_fives(long.until))} instead of "
        f"{words.clock(_fives(long.usual))} as usual before a free day: guests or a party, perhaps"
    )
    measures: dict[str, object] = {"dates": dates, "usual": round(long.usual), "until": round(long.until)}
    subject, evenings = ("home", "late"), int(long.evenings.sum())
    return _finding(subject, len(dates), evenings, sentence, measures, q_value=long.p_value)


def _fives(minutes: float) -> int:
    return 5 * round(minutes / 5)


def _finding(
    subject: tuple[str, ...],
    kept: int,
    days: int,
    sentence: str,
    measures: dict[str, object],
    *,
    q_value: float | None = None,
    interval: tuple[float, float] | None = None,
) -> Finding:
    low, high = interval or share_interval(kept, days)
    return Finding(
        detector=DayType.name,
        subject=subject,
        measures=measures,
        evidence=Evidence(kept=kept, observed=days, low=low, high=high, q_value=q_value),
        confidence=next_time(kept, days),
        stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
        sentence=sentence,
    )

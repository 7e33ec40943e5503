"""Days that are not like the days before them."""

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np
from scipy.special import betainc, stdtr

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.before import Counts, before, counts_of, extremes, heard, usual
from quotidian.detect.dayrow import DayRow, token_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.rollup import hours_of
from quotidian.detect.statistics import next_time, rounded, share_interval
from quotidian.detect.things import ACTIVE_STATES
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.rollup import Figures

HOME: Final = "home"  #: the subject of a check of the whole house

_TOLD_DAYS: Final = 7  #: older days are history
_MOST: Final = 3  #: findings a night
_SILENT_HOURS: Final = 2  #: hours either side of a new one that have to be new as well
_USED_DAYS: Final = 10  #: fewer earlier days on which a token occurred: nothing is usual yet
_LONG_SECONDS: Final = 600  #: shorter spans are never too long
_SPREAD: Final = 0.5  #: the least spread of the logarithm of spans


class _Check(msgspec.Struct, frozen=True):
    """One kind of check of all days; every array has the shape (days, subjects).

    ``chance`` is 1 where nothing speaks against the day; ``tested`` tells where the check could have found something;
    ``value`` is what the day showed, ``usual`` and ``days`` what was known of the days before.
    """

    kind: str
    subjects: tuple[str, ...]
    chance: Floats
    tested: Bools
    value: Ints
    usual: Ints
    days: Ints


class _Fact(msgspec.Struct, frozen=True):
    """What one check says of one subject on one day (a position in the history)."""

    kind: str
    subject: str
    day: int
    value: int
    usual: int
    days: int


class Anomaly(Detector):
    """Days that are not like the days before them: a few, ranked, each with its reason.

    Each day is compared with what was learned from the days before it, never with itself or later ones:

    - ``many``, ``few``: a token, or the whole house, changes more or less often than on any earlier day, by the tail
      of a negative binomial with the mean and the variance of earlier days of its class (weekdays or weekends);
    - ``hour``: the house is active at an hour which, with two hours either side, was silent on all earlier days;
    - ``absent``: a token that occurred on 95 % of its days is missing while its entity was followed; one day
      rarely suffices, a run of days does (the rule of succession, once for each day of the run);
    - ``long``: something is on or open longer than ever, by a Student tail of the logarithm of each day's longest span,
      and never rarer than a Pareto tail beyond the longest one allows.

    The chance is multiplied by the number of subjects that were checked in this way that day; the day's largest
    surprise (-log10) is its score. It is told when it is at least ``surprise``, and above the quantile of
    earlier days' scores that spends the budget, in the manner of conformal prediction [1]_. What goes on from day to
    day is told once.

    Parameters
    ----------
    budget
        Alarms a week, in (0, 7).
    surprise
        The least score, in powers of ten.
    first_days
        So many observed days say nothing, at least 14.
    hour_days
        So many earlier days are needed before an hour can be new, at least 14.
    least_share
        The share of its days on which a token must have occurred to be missed, in (0, 1].

    Notes
    -----
    Subject: the kind of check, the token or ``home``, and the date, so that an anomaly is told once and then
    fades. Anchor: none. Measures: ``check``, ``date`` (ordinal), ``score``, ``value`` (times, minute of the day, days
    running, or seconds), ``usual`` (the largest value before; for ``few`` the smallest, for ``absent`` the days with
    it). Evidence: the days before on which the usual held, of those looked at. Kept a day: the longest span in each
    active state. A day from whose last six hours nothing was heard may be a recording that broke off: it is not
    searched for what is missing. An entity is not counted on days when it chatters.

    Rolled up, what is compared with other days: of ``home`` how many ``changes`` people may have caused, of how many
    ``entities``, and in which ``hours``; of each entity its active ``states``, and the ``longest`` span in each
    (seconds; since when it lasts, where it lasts at midnight).

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005.

    Examples
    --------
    >>> Anomaly(budget=0.5).budget
    0.5
    >>> Anomaly(budget=8)
    Traceback (most recent call last):
    ValueError: budget lies between 0 and 7 alarms a week, surprise is positive
    """

    name: ClassVar[str] = "anomaly"
    cadence: ClassVar[Cadence] = Cadence.DAILY
    keeps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        budget: float = 1.0,
        surprise: float = 2.3,
        first_days: int = 14,
        hour_days: int = 28,
        least_share: float = 0.95,
    ) -> None:
        if not (0 < budget < 7 and surprise > 0):
            raise ValueError("budget lies between 0 and 7 alarms a week, surprise is positive")
        if min(first_days, hour_days) < 14 or not 0 < least_share <= 1:
            raise ValueError("first_days and hour_days are at least 14, least_share lies between 0 and 1")
        self.budget = budget
        self.surprise = surprise
        self.first_days = first_days
        self.hour_days = hour_days
        self.least_share = least_share

    # folding

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Keep the longest span in each active state; hand on what is on or open at midnight, and since when."""
        standing = _standing(day, carry)
        longest = _longest(day)
        for place, since in standing.items():
            longest[place] = max(day.row.start + day.row.seconds - since, longest.get(place, 0))
        return _table(longest), _table(standing)

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say how much was going on, and what was on or open for how long."""
        learned = np.flatnonzero(row.learned)
        hours = np.flatnonzero(hours_of(row, learned))
        home: Figures = {
            "changes": int(learned.size),
            "entities": int(np.unique(row.entity[learned]).size),
            "hours": hours.tolist(),
        }
        spans: dict[str, dict[str, int]] = {}
        for (entity_id, state), seconds in _read(own):
            spans.setdefault(entity_id, {})[state] = seconds
        return {HOME: home} | {name: {"states": [*told], "longest": [*told.values()]} for name, told in spans.items()}

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Give the last seven days' anomalies, the most surprising first."""
        if len(history.rows) <= self.first_days:
            return []
        counts = counts_of(history)
        often = self._often(history, counts)
        checks = (*often, self._hours(history), self._absent(history, counts), self._long(history))
        columns = [(check, place) for check in checks for place in range(len(check.subjects))]
        chance = np.hstack([check.chance * np.maximum(check.tested.sum(axis=1), 1)[:, None] for check in checks])
        surprise = -np.log10(np.clip(rounded(chance), 1e-12, 1.0))
        surprise[: self.first_days] = 0.0
        return [
            self._finding(history, _fact(*columns[column], day), float(surprise[day, column]))
            for day, column in self._told(history, surprise)
        ]

    def _told(self, history: History, surprise: Floats) -> list[tuple[int, int]]:
        """Choose the days to tell and the check of each, by what the budget allows."""
        # Of two that surprise the same the last in order is told: ``on`` rather than ``off``.
        best = surprise.shape[1] - 1 - np.round(surprise, 1)[:, ::-1].argmax(axis=1)
        score = surprise.max(axis=1)
        recent = np.flatnonzero(history.ordinals > history.ordinals[-1] - _TOLD_DAYS)
        told = []
        for day in recent[recent > self.first_days].tolist():
            spent = float(np.quantile(score[self.first_days : day], 1 - self.budget / 7, method="higher"))
            goes_on = surprise[day - 1, best[day]] >= self.surprise
            if score[day] >= self.surprise and score[day] > spent and not goes_on:
                told.append((day, int(best[day])))
        return sorted(told, key=lambda place: (-score[place[0]], -place[0]))[:_MOST]

    def _often(self, history: History, counts: Counts) -> tuple[_Check, _Check]:
        """Compare how often each token and the house changed with the days before."""
        times = np.column_stack([counts.times.sum(axis=1), counts.times])
        whole = np.column_stack([np.ones(len(history.rows), bool), counts.whole])
        mean, variance = usual(history, times, whole)
        low, high = extremes(times, whole)
        tested = whole & (before((whole & (times > 0)).astype(np.int64)) >= _USED_DAYS)
        more = tested & (times > 1.5 * high + 2)
        less = tested & heard(history)[:, None] & (2 * times + 2 <= low)
        size = mean**2 / (variance - mean)
        share = mean / (mean + size)
        upper, lower = np.ones(times.shape), np.ones(times.shape)
        upper[more] = betainc(times[more], size[more], share[more])
        lower[less] = betainc(size[less], times[less] + 1.0, 1 - share[less])
        subjects, days = (HOME, *counts.tokens), before(whole.astype(np.int64))
        return (
            _Check("many", subjects, upper, tested, times, high, days),
            _Check("few", subjects, lower, tested, times, low, days),
        )

    def _hours(self, history: History) -> _Check:
        """Look for activity at an hour that never had any, in the middle of hours that never had any."""
        timeline, size = history.timeline, len(history.rows)
        hours = np.clip(timeline.wall // 3600, 0, 23)
        active = np.zeros((size, 24), bool)
        active[timeline.day, hours] = True
        reach = range(-_SILENT_HOURS, _SILENT_HOURS + 1)
        near = np.logical_or.reduce([np.roll(active, shift, axis=1) for shift in reach])
        fresh = np.flatnonzero((active & (before(near.astype(np.int64)) == 0))[timeline.day, hours])[::-1]
        minute = np.full(size, -1, np.int64)
        minute[timeline.day[fresh]] = timeline.wall[fresh] // 60  # in reverse, so that each day's first one stays
        days = np.arange(size)
        tested = days >= self.hour_days
        chance = np.where(tested & (minute >= 0), 1.0 / (len(reach) * days + 2), 1.0)
        none = np.zeros((size, 1), np.int64)
        return _Check("hour", (HOME,), chance[:, None], tested[:, None], minute[:, None], none, days[:, None])

    def _absent(self, history: History, counts: Counts) -> _Check:
        """Miss what nearly never failed, by the chance that so many days running fail too."""
        tested = np.zeros(counts.times.shape, bool)
        chance = np.ones(counts.times.shape)
        value, known, looked = (np.zeros(counts.times.shape, np.int64) for _ in range(3))
        days, kept, run = (np.zeros(len(counts.tokens), np.int64) for _ in range(3))
        going = np.ones(len(counts.tokens))
        listened = heard(history)
        for place in range(len(history.rows)):
            whole, came = counts.whole[place], counts.times[place] > 0
            tested[place] = listened[place] & whole & (days >= self.first_days) & (kept >= self.least_share * days)
            missed = tested[place] & ~came & (run < _TOLD_DAYS)
            # While a run of misses lasts, what was usual before it stays the measure; then it counts as well.
            over = np.where(missed, 0, run)
            run = np.where(missed, run + 1, 0)
            going = np.where(missed, going * (days - kept + run) / (days + 1 + run), 1.0)
            chance[place], value[place], known[place], looked[place] = going, run, kept, days
            days, kept = days + over + (whole & ~missed), kept + (whole & came)
        return _Check("absent", counts.tokens, chance, tested, value, known, looked)

    def _long(self, history: History) -> _Check:
        """Compare each day's longest span with the longest spans before."""
        tokens, longest = _spans(history, self.summary(history).days)
        seen = longest > 0
        logs = np.log(np.maximum(longest, 1))
        days = before(seen.astype(np.int64))
        many = np.maximum(days, 2)
        mean = before(logs) / many
        variance = np.maximum((before(logs**2) - many * mean**2) / (many - 1), _SPREAD**2) * (1 + 1 / many)
        highest = extremes(longest, seen)[1]
        ratio = longest / np.maximum(highest, 1)
        tested = seen & (days >= self.first_days)
        longer = tested & (ratio >= 3) & (longest >= _LONG_SECONDS)
        tail = stdtr(many - 1, (mean - logs) / np.sqrt(variance))
        chance = np.maximum(tail, 1.0 / (np.maximum(ratio, 1.0) ** 2 * (many + 1)))
        return _Check("long", tokens, np.where(longer, chance, 1.0), tested, longest, highest, days)

    # telling

    def _finding(self, history: History, fact: _Fact, score: float) -> Finding:
        date = dt.date.fromordinal(int(history.ordinals[fact.day]))
        kept = fact.usual if fact.kind == "absent" else fact.days
        low, high = share_interval(kept, fact.days)
        return Finding(
            detector=self.name,
            subject=(fact.kind, fact.subject, date.isoformat()),
            measures={
                "check": fact.kind,
                "date": date.toordinal(),
                "score": round(score, 2),
                "value": fact.value,
                "usual": fact.usual,
            },
            evidence=Evidence(kept=kept, observed=fact.days, low=low, high=high),
            confidence=next_time(kept, fact.days),
            stage=Stage.ESTABLISHED if fact.days >= self.hour_days else Stage.EMERGING,
            sentence=f"On {words.date(date)} {_reason(history, fact)}",
        )


def _longest(day: DayView) -> dict[tuple[str, str], int]:
    """Give the longest span in each active state of each entity, in seconds, of those that the day saw the end of."""
    active = np.array([state in ACTIVE_STATES for state in day.states], bool)
    entity, state, second, since = (
        np.concatenate([getattr(day.changes, name), getattr(day.lost, name)])
        for name in ("entity", "before", "second", "since")
    )
    chosen = np.flatnonzero(active[state])
    keys, inverse = np.unique(entity[chosen] * len(day.states) + state[chosen], return_inverse=True)
    longest = np.zeros(keys.size, np.int64)
    np.maximum.at(longest, inverse.reshape(-1), (second - since)[chosen])
    places = [(day.entities[key // len(day.states)], day.states[key % len(day.states)]) for key in keys.tolist()]
    return dict(zip(places, longest.tolist(), strict=True))


def _standing(day: DayView, carry: Carry) -> dict[tuple[str, str], int]:
    """Give what is in an active state at midnight, with the second since 1970-01-01 UTC at which it entered it."""
    changes, lost = day.changes, day.lost
    last = {day.entities[changes.entity[row]]: row for row in _last_rows(changes.entity)}
    gone = {day.entities[lost.entity[row]]: int(lost.second[row]) for row in _last_rows(lost.entity)}
    standing = {place: since for place, since in _read(carry) if place[0] not in last and place[0] not in gone}
    for name, row in last.items():
        second, state = int(changes.second[row]), day.states[changes.after[row]]
        if state in ACTIVE_STATES and gone.get(name, -1) < second:
            standing[name, state] = day.row.start + second
    return standing


def _last_rows(entity: Ints) -> list[int]:
    """Give the last row of each entity."""
    rows = np.unique(entity[::-1], return_index=True)[1]
    return [entity.size - 1 - row for row in rows.tolist()]


def _table(values: dict[tuple[str, str], int]) -> Integers:
    """Write a number for each entity and state."""
    places = sorted(values)
    words_ = tuple(sorted({word for place in places for word in place}))
    rank = {word: number for number, word in enumerate(words_)}
    columns = {
        "entity": [rank[entity] for entity, _ in places],
        "state": [rank[state] for _, state in places],
        "value": [values[place] for place in places],
    }
    return Integers(words_, columns)


def _read(table: Integers) -> Iterator[tuple[tuple[str, str], int]]:
    """Read what ``_table`` wrote."""
    if table:
        for entity, state, value in zip(*(table[name].tolist() for name in ("entity", "state", "value")), strict=True):
            yield (table.words[entity], table.words[state]), value


def _spans(history: History, days: dict[int, Integers]) -> tuple[tuple[str, ...], Ints]:
    """Put the longest spans of all days side by side: shape (days, tokens), 0 where there was none."""
    found = [
        {token_of(*place): value for place, value in _read(days.get(row.ordinal, Integers()))} for row in history.rows
    ]
    tokens = tuple(sorted({token for day in found for token in day}))
    longest = [[day.get(token, 0) for token in tokens] for day in found]
    return tokens, np.array(longest, np.int64).reshape(len(found), len(tokens))


def _fact(check: _Check, place: int, day: int) -> _Fact:
    value, usual, days = (int(column[day, place]) for column in (check.value, check.usual, check.days))
    return _Fact(check.kind, check.subjects[place], day, value, usual, days)


def _reason(history: History, fact: _Fact) -> str:
    """Say what was unusual, and what is usual."""
    before = f"{fact.days} days before"
    if fact.kind == "long":
        stays = words.staying(history.home, fact.subject)
        return f"{stays} for {words.span(fact.value)}; on {before} at most {words.span(fact.usual)}"
    if fact.kind == "hour":
        what = words.act(history.home, _first_act(history, fact))
        hour = fact.value // 60
        silence = " and ".join(words.clock(60 * edge) for edge in (hour - _SILENT_HOURS, hour + _SILENT_HOURS + 1))
        return f"at {words.clock(fact.value)} {what}; nothing happened between {silence} on {before}"
    house = fact.subject == HOME
    what = "something happens in the house" if house else words.acts(history.home, history.members[fact.subject])
    if fact.kind == "absent":
        running = f" for the {fact.value}th day running" if fact.value > 3 else ""
        return f"it is missing{running} that {what}; before, it happened on {words.kept(fact.usual, fact.days)}"
    bound = "at most" if fact.kind == "many" else "at least"
    return f"{what} {_times(fact.value)}; on {before} {bound} {_times(fact.usual)}"


def _first_act(history: History, fact: _Fact) -> str:
    """Give the token that occurred first in a minute of the day."""
    timeline = history.timeline
    rows = np.flatnonzero((timeline.day == fact.day) & (timeline.wall // 60 == fact.value))
    return history.tokens[int(timeline.token[rows[0]])]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

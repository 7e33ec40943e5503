"""Days that are not like the days before them."""

import datetime as dt
from typing import ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from quotidian.detect import checks, words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.before import counts_of
from quotidian.detect.checks import HOME, SILENT_HOURS, read
from quotidian.detect.dayrow import DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.rollup import hours_of
from quotidian.detect.statistics import next_time, rounded, share_interval
from quotidian.detect.things import ACTIVE_STATES
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Floats, Ints
from quotidian.model.rollup import Figures

_TOLD_DAYS: Final = 8  #: older days are history; an evening is over on the day after
_RESTART: Final = 600  #: seconds: what is heard so shortly before is heard from a system that starts again
_NEVER: Final = -(1 << 40)
#: By how much the chance of each kind of check is multiplied. Of the errors, one in two may be of ``long`` and one in
#: eight of each other kind; the chance of a new hour is already one of an hour.
_TIMES: Final = {"long": 2, "many": 8, "few": 8, "absent": 8, "late": 8, "hour": 1}
_MOST: Final = 3  #: findings a night


class _Fact(msgspec.Struct, frozen=True):
    """What one check says of one subject on one day (a position in the history)."""

    kind: str
    subject: str
    day: int
    value: int
    usual: int
    days: int
    kept: int


class Anomaly(Detector):
    """Days that are not like the days before them: a few, ranked, each with its reason.

    Each day is compared with what was learned from the days before it, never with itself or later ones:

    - ``many``, ``few``: a thing that people operate, or the whole house, changes more often than on any earlier day,
      or a sign of people less often, by the tail of a negative binomial with the mean and the variance of earlier days
      of its class (weekdays or weekends);
    - ``hour``: the house is active at an hour which, with two hours either side, was silent on all earlier days;
    - ``absent``: a token that occurred on 95 % of its days is missing while its entity was followed; one day
      rarely suffices, a run of days does (the rule of succession, once for each day of the run);
    - ``long``: something that is operated or opened stays on or open at least four times as long as ever, by a power
      tail of each day's longest span;
    - ``late``: people are up later than ever, by a Student tail of the ends of their evenings, measured from the median
      of the nights before a free day, or of the others.

    In ``long`` and ``late``, of thirty earlier days the largest value is left out: what was unusual once does not
    become usual. Nothing is missed on days of absence, on days on which nobody listened, nor on days from whose last
    six hours nobody was heard of: people left, or the recording broke off.

    The chance is multiplied by the number of subjects that were checked in this way that day, and by the weight of the
    kind: ``long`` has half of the errors, since it is what people most want to know, and each other kind an eighth
    [2]_. The day's largest surprise (-log10) is its score; what goes on from the day before is no surprise. A day is
    told when its score is at least ``surprise``, and above the quantile of earlier days' scores that spends the budget,
    in the manner of conformal prediction [1]_. Told is what surprises most of what stayed on or open, and of all else:
    one does not explain the other.

    Parameters
    ----------
    budget
        Days with an alarm a week, in (0, 7).
    surprise
        The least score, in powers of ten.
    first_days
        So many observed days say nothing, at least 14.
    hour_days
        So many earlier days are needed before an hour can be new, or something can be missed, at least 14.
    least_share
        The share of its days on which a token must have occurred to be missed, in (0, 1].

    Notes
    -----
    Subject: the kind of check, the token or ``home``, and the date, so that an anomaly is told once and then
    fades. Anchor: none. Measures: ``check``, ``date`` (ordinal), ``score``, ``value`` (times, minute of the day, days
    running, seconds; for ``late`` minutes after the date's midnight, above 1,440), ``usual`` (the largest value before
    that is not left out; for ``few`` the smallest, for ``absent`` the days with it). Evidence: the days before on which
    the usual held, of those looked at. An evening is over on the day after: then ``late`` is told. Kept a day: the
    longest span in each active state, as far as it was seen: up to the last that was heard of anything before midnight
    or before the thing was lost sight of. An entity is not counted on days when it chatters.

    Rolled up, what is compared with other days: of ``home`` how many ``changes`` people may have caused, of how many
    ``entities``, and in which ``hours``; of each entity its active ``states``, and the ``longest`` span in each
    (seconds; since when it lasts, where it lasts at midnight).

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005.
    .. [2] C. R. Genovese, K. Roeder, L. Wasserman, False Discovery Control with p-Value Weighting, 2006.

    Examples
    --------
    >>> Anomaly(budget=0.5).budget
    0.5
    >>> Anomaly(budget=8)
    Traceback (most recent call last):
    ValueError: budget lies between 0 and 7 alarms a week, surprise is positive
    """

    name: ClassVar[str] = "anomaly"
    version: ClassVar[int] = 2
    cadence: ClassVar[Cadence] = Cadence.DAILY
    keeps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        budget: float = 1.0,
        surprise: float = 2.0,
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
        heard = np.unique(np.concatenate([day.changes.second, day.samples.second]))
        standing = _standing(day, carry)
        longest = _longest(day, dict(read(carry)), heard)
        for place, since in standing.items() if heard.size else ():
            longest[place] = max(day.row.start + int(heard[-1]) - since, longest.get(place, 0))
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
        for (entity_id, state), seconds in read(own):
            spans.setdefault(entity_id, {})[state] = seconds
        return {HOME: home} | {name: {"states": [*told], "longest": [*told.values()]} for name, told in spans.items()}

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Give the last seven days' anomalies, the most surprising first."""
        if len(history.rows) <= self.first_days:
            return []
        made = self._checks(history)
        columns = [(check, place) for check in made for place in range(len(check.subjects))]
        tried = [_TIMES[check.kind] * np.maximum(check.tested.sum(axis=1), 1)[:, None] for check in made]
        chance = np.hstack([check.chance * times for check, times in zip(made, tried, strict=True)])
        surprise = -np.log10(np.clip(rounded(chance), 1e-12, 1.0))
        surprise[: self.first_days] = 0.0
        return [
            self._finding(history, _fact(*columns[column], day), float(surprise[day, column]))
            for day, column in self._told(history, surprise, np.array([check.kind for check, _ in columns]))
        ]

    def _checks(self, history: History) -> tuple[checks.Check, ...]:
        counts = counts_of(history)
        return (
            *checks.often(history, counts),
            checks.hours(history, self.hour_days),
            checks.absent(history, counts, self.hour_days, self.least_share),
            checks.long(history, self.summary(history).days),
            checks.late(history, self.first_days),
        )

    def _told(self, history: History, surprise: Floats, kind: NDArray[np.str_]) -> list[tuple[int, int]]:
        """Choose the days to tell, and what of each, by what the budget allows."""
        goes_on = np.zeros(surprise.shape, bool)
        goes_on[1:] = (surprise[:-1] >= self.surprise) & (kind != "late")
        new = np.where(goes_on, 0.0, surprise)
        score = new.max(axis=1)
        recent = np.flatnonzero(history.ordinals > history.ordinals[-1] - _TOLD_DAYS)
        told = []
        for day in recent[recent > self.first_days].tolist():
            spent = float(np.quantile(score[self.first_days : day], 1 - self.budget / 7, method="higher"))
            for one in (kind == "long", kind != "long"):
                ours = np.where(one, new[day], 0.0)
                column = _largest(ours)
                if ours[column] >= self.surprise and ours[column] > spent:
                    told.append((day, column))
        return sorted(told, key=lambda place: (-surprise[place], -place[0]))[:_MOST]

    # telling

    def _finding(self, history: History, fact: _Fact, score: float) -> Finding:
        date = dt.date.fromordinal(int(history.ordinals[fact.day]))
        low, high = share_interval(fact.kept, fact.days)
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
            evidence=Evidence(kept=fact.kept, observed=fact.days, low=low, high=high),
            confidence=next_time(fact.kept, fact.days),
            stage=Stage.ESTABLISHED if fact.days >= self.hour_days else Stage.EMERGING,
            sentence=f"On {words.date(date)} {_reason(history, fact)}",
        )


def _longest(day: DayView, since: dict[tuple[str, str], int], heard: Ints) -> dict[tuple[str, str], int]:
    """Give the longest span in each active state of each entity, in seconds, of those that the day saw the end of.

    What was lost sight of lasted until something was heard before that, and begins anew when it is there again: while
    Home Assistant does not run, nobody knows. ``since`` is what the day before handed on.
    """
    active = np.array([state in ACTIVE_STATES for state in day.states], bool)
    entity, state, begun = (
        np.concatenate([getattr(day.changes, name), getattr(day.lost, name)]) for name in ("entity", "before", "since")
    )
    ended = np.concatenate([day.changes.second, day.lost.second])
    for row in np.flatnonzero(begun < 0).tolist():
        begun[row] = since.get((day.entities[entity[row]], day.states[state[row]]), day.row.start) - day.row.start
    for gone, second in zip(day.lost.entity.tolist(), day.lost.second.tolist(), strict=True):
        begun = np.where((entity == gone) & (ended > second), np.maximum(begun, second), begun)
    until = np.concatenate([[_NEVER], heard])[np.searchsorted(heard, day.lost.second - _RESTART)]
    seconds = np.concatenate([day.changes.second, until]) - begun
    chosen = np.flatnonzero(active[state] & (seconds > 0))
    keys, inverse = np.unique(entity[chosen] * len(day.states) + state[chosen], return_inverse=True)
    longest = np.zeros(keys.size, np.int64)
    np.maximum.at(longest, inverse.reshape(-1), seconds[chosen])
    places = [(day.entities[key // len(day.states)], day.states[key % len(day.states)]) for key in keys.tolist()]
    return dict(zip(places, longest.tolist(), strict=True))


def _standing(day: DayView, carry: Carry) -> dict[tuple[str, str], int]:
    """Give what is in an active state at midnight, with the second since 1970-01-01 UTC at which it entered it."""
    changes, lost = day.changes, day.lost
    last = {day.entities[changes.entity[row]]: row for row in _last_rows(changes.entity)}
    gone = {day.entities[lost.entity[row]]: int(lost.second[row]) for row in _last_rows(lost.entity)}
    standing = {place: since for place, since in read(carry) if place[0] not in last and place[0] not in gone}
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


def _largest(surprise: Floats) -> int:
    """Give the place of the largest; of two alike the last one in order, as ``on`` is told rather than ``off``."""
    return surprise.size - 1 - int(np.round(surprise, 1)[::-1].argmax())


def _fact(check: checks.Check, place: int, day: int) -> _Fact:
    columns = (check.value, check.usual, check.days, check.kept)
    return _Fact(check.kind, check.subjects[place], day, *(int(column[day, place]) for column in columns))


def _reason(history: History, fact: _Fact) -> str:
    """Say what was unusual, and what is usual."""
    before = f"{fact.days} days before" if fact.kept == fact.days else f"{words.kept(fact.kept, fact.days)} before"
    if fact.kind == "long":
        stays = words.staying(history.home, fact.subject)
        return f"{stays} for {words.span(fact.value)}; on {before} at most {words.span(fact.usual)}"
    if fact.kind == "late":
        return (
            f"people are up until {words.clock(fact.value)}; on {before} until {words.clock(fact.usual)} at the latest"
        )
    if fact.kind == "hour":
        what = words.act(history.home, _first_act(history, fact))
        hour = fact.value // 60
        silence = " and ".join(words.clock(60 * edge) for edge in (hour - SILENT_HOURS, hour + SILENT_HOURS + 1))
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

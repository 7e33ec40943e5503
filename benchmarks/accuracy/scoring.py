"""One home of the benchmark: what was claimed, which of it is true, and which habits were missed."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from benchmarks.accuracy import resimulated
from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.judging import Verdict, judge
from benchmarks.accuracy.lived import Lived, last_night, listed, live, plan_of
from benchmarks.accuracy.matching import learnable, matched, matches, near
from benchmarks.accuracy.peers import PEERS
from quotidian.detect import Cadence, Detector, detectors
from quotidian.detect.history import WEEKDAYS
from quotidian.detect.statistics import around
from quotidian.learn.window import LOOK_BACK
from quotidian.model import Finding, Pattern
from quotidian.simulate.truth import HabitTruth

#: After how many days what is looked at: daily kinds, single weekdays, weekly and monthly kinds, parts of the year.
DAILY, SINGLE, SLOW, YEARS = 60, 90, 180, 1_096
_SAME: Final = 30  #: minutes within which two claims about one thing are the same
_MOSTLY: Final = 0.8  #: how much of the days of one of them must be days of the other
_FIRST_DAYS: Final = 14  #: nothing is out of the ordinary yet
_USED_DAYS: Final = 10  #: nor is it known how long a thing runs that was used on fewer days
_MOST: Final = 60  #: claims of a peer in one home that are judged: it makes hundreds


class Claim(msgspec.Struct, frozen=True):
    """A claim that was shown: whether it is true, says again what another one says, and which habit it tells of."""

    detector: str
    said: str
    kept: int
    observed: int
    habit: str
    duplicate: bool
    true: bool
    why: str

    @property
    def right(self) -> bool:
        """Whether it counts for precision."""
        return self.true and not self.duplicate


class Planted(msgspec.Struct, frozen=True):
    """A learnable habit, and whether it was told.

    ``said`` is the claim that another one tells better; ``near`` what was claimed of the things of a missed habit.
    """

    detector: str
    id: str
    kept: int
    chances: int
    found: bool
    said: str = ""
    near: tuple[str, ...] = ()


class Scored(msgspec.Struct, frozen=True):
    """Claims and habits of one home; ``unjudged`` counts, by detector, further claims that were not looked at."""

    claims: tuple[Claim, ...] = ()
    habits: tuple[Planted, ...] = ()
    unjudged: dict[str, int] = {}

    def __add__(self, other: "Scored") -> "Scored":
        names = {*self.unjudged, *other.unjudged}
        unjudged = {name: self.unjudged.get(name, 0) + other.unjudged.get(name, 0) for name in sorted(names)}
        return Scored(self.claims + other.claims, self.habits + other.habits, unjudged)


class Home(msgspec.Struct, frozen=True):
    """What came out for one home, and beside it what came out for the peers."""

    seed: int
    ours: Scored
    peers: Scored


class Night(NamedTuple):
    """A home at the end of its days: fresh draws of them, who is judged, and the habits that they should tell."""

    lived: Lived
    fresh: Days
    looking: tuple[Detector, ...]
    habits: list[HabitTruth]

    @property
    def nights(self) -> dict[str, dt.date]:
        """The last night of each detector."""
        return {one.name: last_night(self.lived, one) for one in self.looking}


def score(
    seed: int, names: frozenset[str], resimulations: int, *, long: frozenset[int] = frozenset(), peers: bool = True
) -> Home:
    """Live in a home for as long as each kind of habit needs, and judge what is told of it.

    ``long`` are the homes in which three years are lived, for habits that belong to a part of the year.
    """
    known = detectors()
    ours, theirs = Scored(), Scored()
    for days in _spans(known, names, years=seed in long):
        # Three years are lived for the sake of one kind: nothing else is looked at.
        present = known if days < YEARS else tuple(one for one in known if _due(one, days))
        lived = live(plan_of(seed, days), present)
        fresh = resimulated.fresh(lived.plan, max(resimulations * DAILY // days, 2))
        looking = tuple(one for one in known if one.name in names and _due(one, days))
        kinds = {one.name for one in looking}
        habits = [
            one for one in lived.truth.habits if one.kind in kinds and _judged_at(one) == days and _fair(one, lived)
        ]
        night = Night(lived, fresh, looking, habits)
        ours += _ours(night, listed(lived, present))
        theirs += _peers(night) if peers else Scored()
    return Home(seed, ours, theirs)


def _spans(known: Sequence[Detector], names: frozenset[str], *, years: bool) -> Iterator[int]:
    cadences = {one.cadence for one in known if one.name in names}
    if Cadence.DAILY in cadences:
        yield DAILY
    if "time_of_day" in names:
        yield SINGLE
    if cadences - {Cadence.DAILY}:
        yield SLOW
    if years and "seasonal" in names:
        yield YEARS


def _due(detector: Detector, days: int) -> bool:
    """Tell whether a detector is judged after so many days."""
    if days == YEARS:
        return detector.name == "seasonal"
    if days == SINGLE:
        return detector.name == "time_of_day"
    return (detector.cadence is Cadence.DAILY) == (days == DAILY)


def _judged_at(habit: HabitTruth) -> int:
    """Give after how many days a habit should be known."""
    if "months" in habit.parameters:
        return YEARS
    if habit.kind in {"session", "day_type", "contextual", "seasonal"}:
        return SLOW
    return SINGLE if len(habit.parameters.get("weekdays", range(7))) <= 2 else DAILY


def _fair(habit: HabitTruth, lived: Lived) -> bool:
    """Tell whether a habit can be learned; of what happens rarely, whether it happened when something was usual."""
    if habit.kind != "anomaly":
        return learnable(habit)
    used = [
        row.ordinal
        for row in lived.rows
        if {row.tokens[one] for one in row.token[row.learned].tolist()} & set(habit.tokens)
    ]
    first = used[_USED_DAYS:] if habit.tokens else [lived.rows[_FIRST_DAYS].ordinal]
    return any(date.toordinal() > max(first[0], lived.rows[_FIRST_DAYS].ordinal) for date in habit.kept_dates if first)


def _counts(finding: Finding, night: Night) -> bool:
    """Tell whether a claim is judged on this night: after ninety days those of weekdays, after years yearly ones."""
    if finding.detector not in night.nights:
        return False
    days = len(night.lived.rows)
    if days == SINGLE:
        return set(str(finding.measures.get("days", "all")).partition("-")[0].split("+")) <= set(WEEKDAYS)
    return days != YEARS or finding.subject[-1] == "year"


def _ours(night: Night, patterns: Sequence[Pattern]) -> Scored:
    shown = [one.finding for one in patterns if one.told_by is None and _counts(one.finding, night)]
    return scored(night, shown, _told_truly(night, patterns))


def _told_truly(night: Night, patterns: Sequence[Pattern]) -> list[Finding]:
    """Give what is told by another claim, as far as that one is true, be it judged on this night or not."""
    tellers = {one.id: one.finding for one in patterns if one.id in {other.told_by for other in patterns}}
    last = night.lived.dates[-1]
    true = {
        name
        for name, one in tellers.items()
        if judge(night.lived, night.fresh, one, night.nights.get(one.detector, last)).true
    }
    return [one.finding for one in patterns if one.told_by in true]


def _peers(night: Night) -> Scored:
    total = Scored()
    for detector in night.looking:
        until = night.nights[detector.name]
        history = night.lived.history(until, LOOK_BACK[detector.cadence])
        claims = [one for one in PEERS[detector.name][1](history) if _counts(one, night)]
        habits = [one for one in night.habits if one.kind == detector.name]
        total += scored(night._replace(habits=habits), claims, [], most=_MOST)
    return total


def scored(night: Night, shown: Sequence[Finding], hidden: Sequence[Finding], most: int = 1 << 30) -> Scored:
    """Judge what is shown, of many claims evenly chosen ones.

    What a true claim tells of another one (``hidden``) counts as found. A claim is twice told when it is of a planted
    habit, learnable or not, that another claim tells.
    """
    lived, habits = night.lived, night.habits
    planted = [one for one in lived.truth.habits if one.kept]
    teller, once = matched(lived, shown, habits), matched(lived, shown, planted)
    claims = []
    for place in range(0, len(shown), -(-len(shown) // most)) if shown else ():
        finding = shown[place]
        again = place not in once and any(matches(lived, finding, habit) for habit in planted)
        again |= any(_same(lived, finding, other) for other in shown[:place])
        habit = habits[teller[place]].id if place in teller else ""
        verdict = judge(lived, night.fresh, finding, night.nights[finding.detector])
        claims.append(_claim(finding, habit, verdict, duplicate=again))
    found = {habits[one].id for one in teller.values()}
    unjudged = {shown[0].detector: len(shown) - len(claims)} if len(shown) > len(claims) else {}
    return Scored(tuple(claims), tuple(_planted(night, [*shown, *hidden], hidden, found)), unjudged)


def _claim(finding: Finding, habit: str, verdict: Verdict, *, duplicate: bool) -> Claim:
    kept, observed = finding.evidence.kept, finding.evidence.observed
    return Claim(finding.detector, finding.sentence, kept, observed, habit, duplicate, verdict.true, verdict.why)


def _planted(
    night: Night, findings: Sequence[Finding], hidden: Sequence[Finding], found: set[str]
) -> Iterator[Planted]:
    left = [habit for habit in night.habits if habit.id not in found]
    told = {left[one].id: hidden[claim].sentence for claim, one in matched(night.lived, hidden, left).items()}
    for habit in night.habits:
        right = habit.id in found or habit.id in told
        about = () if right else tuple(one.sentence for one in findings if near(one, habit))
        kept, said = len(habit.kept), told.get(habit.id, "")
        yield Planted(str(habit.kind), habit.id, kept, habit.chances, right, said, about)


def _same(lived: Lived, one: Finding, other: Finding) -> bool:
    """Tell whether two claims of a detector are about one thing at one time, on days of which one has the other's."""
    if (one.detector, one.subject) != (other.detector, other.subject):
        return False
    if one.anchor is None or other.anchor is None:
        return one.anchor == other.anchor
    days, others = (lived.days_of(finding.measures.get("days", "all")) for finding in (one, other))
    apart = abs(float(around(np.array(one.anchor), other.anchor)))
    return apart <= _SAME and len(days & others) >= _MOSTLY * min(len(days), len(others))

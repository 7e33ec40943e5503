"""One home of the benchmark: what was claimed, which of it is true, and which habits were missed."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy import resimulated
from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.judging import Verdict, judge
from benchmarks.accuracy.lived import Lived, listed, live, plan_of
from benchmarks.accuracy.matching import learnable, matched, matches
from quotidian.detect import Cadence, Detector, detectors
from quotidian.detect.history import WEEKDAYS
from quotidian.detect.statistics import around
from quotidian.model import Finding, Pattern
from quotidian.simulate.truth import HabitTruth

#: After how many days what is looked at: daily kinds, single weekdays, weekly and monthly kinds, parts of the year.
DAILY, SINGLE, SLOW, YEARS = 60, 90, 180, 1_096
_SAME: Final = 30  #: minutes within which two claims about one thing are the same


class Claim(msgspec.Struct, frozen=True):
    """A claim that was shown: ``right`` when it is true or matches a planted habit, and is no duplicate."""

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
    """A learnable habit, and whether it was told."""

    detector: str
    id: str
    kept: int
    chances: int
    found: bool
    said: str


class Home(msgspec.Struct, frozen=True):
    """What came out for one home."""

    seed: int
    claims: tuple[Claim, ...] = ()
    habits: tuple[Planted, ...] = ()


def score(seed: int, names: frozenset[str], resimulations: int, *, years: bool = False) -> Home:
    """Live in a home for as long as each kind of habit needs, and judge what is told of it."""
    found = detectors()
    slow = {one.name for one in found if one.cadence is not Cadence.DAILY}
    spans = ([DAILY] if names - slow else []) + ([SINGLE] if "time_of_day" in names else [])
    spans += ([SLOW] if names & slow else []) + ([YEARS] if years and "seasonal" in names else [])
    claims: list[Claim] = []
    habits: list[Planted] = []
    for days in spans:
        lived = live(plan_of(seed, days), found)
        patterns = listed(lived, found)
        fresh = resimulated.fresh(lived.plan, max(resimulations * DAILY // days, 2))
        told, planted = _looked_at(lived, patterns, fresh, {one for one in names if _due(one, days, slow)})
        claims += told
        habits += planted
    return Home(seed, tuple(claims), tuple(habits))


def _due(name: str, days: int, slow: set[str]) -> bool:
    if days in {SLOW, YEARS}:
        return name in slow and (days == SLOW or name == "seasonal")
    return name not in slow and (days == DAILY or name == "time_of_day")


def _looked_at(
    lived: Lived, patterns: Sequence[Pattern], fresh: Days, names: set[str]
) -> tuple[list[Claim], list[Planted]]:
    days = len(lived.rows)
    habits = [one for one in lived.truth.habits if one.kind in names and learnable(one) and _judged_at(one) == days]
    shown = [one for one in patterns if _told_by(one) is None and _counts(one.finding, names, days)]
    teller = matched(lived, [one.finding for one in shown], habits)
    own = resimulated.own(lived)
    claims = []
    for place, pattern in enumerate(shown):
        finding = pattern.finding
        again = any(matches(lived, finding, habit) for habit in habits) and place not in teller
        again |= any(_same(finding, other.finding) for other in shown[:place])
        habit = habits[teller[place]].id if place in teller else ""
        claims.append(_claim(finding, habit, judge(lived, own, fresh, finding), duplicate=again))
    return claims, list(_planted(lived, patterns, habits, {habits[one].id for one in teller.values()}))


def _claim(finding: Finding, habit: str, verdict: Verdict, *, duplicate: bool) -> Claim:
    kept, observed = finding.evidence.kept, finding.evidence.observed
    return Claim(finding.detector, finding.sentence, kept, observed, habit, duplicate, verdict.true, verdict.why)


def _planted(
    lived: Lived, patterns: Sequence[Pattern], habits: Sequence[HabitTruth], found: set[str]
) -> Iterator[Planted]:
    """Give the habits; one of which a claim is told by a better one is told as well."""
    hidden = [one.finding for one in patterns if _told_by(one) is not None]
    left = [habit for habit in habits if habit.id not in found]
    told = {left[one].id: hidden[claim].sentence for claim, one in matched(lived, hidden, left).items()}
    for habit in habits:
        said = "" if habit.id in found else told.get(habit.id, "")
        right = habit.id in found or habit.id in told
        yield Planted(str(habit.kind), habit.id, len(habit.kept), habit.chances, right, said)


def _told_by(pattern: Pattern) -> str | None:
    return getattr(pattern, "told_by", None)


def _counts(finding: Finding, names: set[str], days: int) -> bool:
    """Tell whether a claim is judged after so many days."""
    return finding.detector in names and (days != SINGLE or finding.measures.get("days") in WEEKDAYS)


def _judged_at(habit: HabitTruth) -> int:
    """Give after how many days a habit should be known."""
    if "months" in habit.parameters:
        return YEARS
    if habit.kind in {"session", "day_type", "contextual", "seasonal"}:
        return SLOW
    return SINGLE if len(habit.parameters.get("weekdays", range(7))) <= 2 else DAILY


def _same(one: Finding, other: Finding) -> bool:
    """Tell whether two claims of a detector are about the same thing at the same time of the same days."""
    if (one.detector, one.subject) != (other.detector, other.subject):
        return False
    if one.anchor is None or other.anchor is None:
        return one.anchor == other.anchor
    days = {one.measures.get("days"), other.measures.get("days")}
    apart = abs(float(around(np.array(one.anchor), other.anchor)))
    return apart <= _SAME and (len(days) == 1 or "all" in days)


__all__ = ["Detector", "score"]

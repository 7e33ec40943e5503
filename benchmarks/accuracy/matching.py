"""Which planted habit a claim tells of: same kind, same things, same days, same time."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks.accuracy.lived import Lived, wall_minute
from quotidian.detect.statistics import around
from quotidian.model import Finding
from quotidian.model.arrays import Floats
from quotidian.simulate.truth import HabitTruth

NEAR: Final = 5.0  #: minutes by which a time may be off, or one standard error if that is more
ALIKE: Final = 0.8  #: how much of all days of claim or habit both must have in common
LEAST_KEPT: Final = 10
LEAST_SHARE: Final = 0.8
_SUN_MOVED: Final = 20  #: minutes; less cannot be told from the clock
_MEMBERS: Final = 2 / 3
_DEGREES: Final = 2.0


def learnable(habit: HabitTruth) -> bool:
    """Tell whether a habit was kept often enough to be learned; what happens at most once in six weeks always is."""
    if habit.kind == "anomaly":
        return bool(habit.kept_dates)
    return len(habit.kept_dates) >= LEAST_KEPT and len(habit.kept) >= LEAST_SHARE * max(habit.chances, 1)


def eligible(lived: Lived, habit: HabitTruth) -> frozenset[int]:
    """Give the ordinals of the days on which a habit is one for the day, as far as the calendar says."""
    known = habit.parameters
    if "types" not in known:
        return frozenset(date.toordinal() for date in habit.possible)
    return frozenset(
        date.toordinal()
        for date, kind in lived.truth.day_types.items()
        if kind in known["types"]
        and date.weekday() in known.get("weekdays", range(7))
        and date.month in known.get("months", range(1, 13))
    )


def matches(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    """Tell whether a claim tells of a habit."""
    return finding.detector == habit.kind and _MATCH[finding.detector](lived, finding, habit)


def matched(lived: Lived, findings: Sequence[Finding], habits: Sequence[HabitTruth]) -> dict[int, int]:
    """Give for each claim (position) the habit (position) that it tells of, one to one, as many as possible."""
    options = [[place for place, habit in enumerate(habits) if matches(lived, one, habit)] for one in findings]
    teller: dict[int, int] = {}
    for claim in sorted(range(len(findings)), key=lambda place: -findings[place].evidence.low):
        _assign(claim, options, teller, set())
    return {claim: habit for habit, claim in teller.items()}


def _assign(claim: int, options: list[list[int]], teller: dict[int, int], tried: set[int]) -> bool:
    """Find a free habit for a claim, moving others to their alternatives where that helps."""
    for habit in options[claim]:
        if habit in tried:
            continue
        tried.add(habit)
        if habit not in teller or _assign(teller[habit], options, teller, tried):
            teller[habit] = claim
            return True
    return False


def same_days(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    """Tell whether a claim's class of days and the habit's days are about the same (Jaccard)."""
    claimed = lived.days_of(finding.measures.get("days", "all"))
    there = {row.ordinal for row in lived.rows}
    return jaccard(claimed, eligible(lived, habit) & there) >= ALIKE


def jaccard(one: frozenset[int] | set[int], other: frozenset[int] | set[int]) -> float:
    """Give what two sets have in common, of what they have together."""
    return len(one & other) / max(len(one | other), 1)


def near(finding: Finding, habit: HabitTruth) -> bool:
    """Tell whether a claim is of a habit's kind, and about any of its things: what may have come out differently."""
    names = {token.partition("=")[0] for token in habit.tokens}
    return finding.detector == habit.kind and any(token.partition("=")[0] in names for token in _about(finding))


def _about(finding: Finding) -> set[str]:
    """Give the tokens of a claim, with those that move together with them."""
    return {*finding.subject, *finding.measures.get("members", ())}


def times(lived: Lived, habit: HabitTruth, place: int = 0) -> Floats:
    """Give the wall minutes at which one token of a habit was kept."""
    zone = lived.home.zone
    return np.array([wall_minute(one.at[place], one.date, zone) for one in habit.kept if len(one.at) > place])


def _time_of_day(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    if habit.tokens[0] not in _about(finding) or not same_days(lived, finding, habit):
        return False
    kept = times(lived, habit)
    return kept.size > 0 and _same_time(lived, finding, habit, kept)


def _same_time(lived: Lived, finding: Finding, habit: HabitTruth, kept: Floats) -> bool:
    measures, known = finding.measures, habit.parameters
    reference, claimed = measures.get("reference", "clock"), float(measures["minute"])
    reference = "clock" if reference == "undecided" else reference  # that is named then
    truly = known.get("reference", "clock")
    near = max(NEAR, float(np.std(kept)) / np.sqrt(kept.size))
    sun = lived.suns(truly) if truly != "clock" else None
    if reference != truly and not _alike(lived, reference, truly):
        return False
    if sun is not None and reference == truly:
        offsets = np.array([t - sun[one.date.toordinal()] for t, one in zip(kept, habit.kept, strict=True)])
        return bool(min(abs(claimed - float(np.median(offsets))), abs(claimed - known["offset"])) <= near)
    if reference in {"sunrise", "sunset"}:
        claimed += float(np.median(list(lived.suns(reference).values())))
    planned = known.get("minute", float(np.median(kept)))
    return bool(min(np.abs(around(np.array([float(np.median(kept)), planned]), claimed))) <= near)


def _alike(lived: Lived, one: str, other: str) -> bool:
    """Tell whether the sun moved so little that clock and sun cannot be told apart."""
    return all(np.ptp(list(lived.suns(name).values())) < _SUN_MOVED for name in (one, other) if name != "clock")


def _pair(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    del lived
    firsts = {finding.subject[0], *finding.measures.get("members", ())}
    thens = {finding.subject[1], *finding.measures.get("followers", ())}
    if habit.tokens[0] not in firsts or habit.tokens[1] not in thens:
        return False
    return bool(abs(finding.measures["lag"] - habit.parameters["lag"]) <= 60 * NEAR)


def _sequence(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    """Want the habit's acts in their order; others may come between or around."""
    del lived
    acts = iter(finding.subject)
    return all(token in acts for token in habit.tokens)


def _room(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    ends = (finding.subject[0], finding.subject[-1])
    if ends != (habit.tokens[0], habit.tokens[-1]) or not same_days(lived, finding, habit):
        return False
    zone = lived.home.zone
    begun = np.median([wall_minute(one.at[-1], one.date, zone) for one in habit.kept])
    ended = np.median([wall_minute(one.until or one.at[-1], one.date, zone) for one in habit.kept])
    start, end = 60 * finding.measures["start"], 60 * finding.measures["end"]
    end += 1440 if end <= start else 0
    if len(habit.tokens) > 1:
        return bool(start - NEAR <= begun <= end + NEAR)
    both = min(end, ended) - max(start, begun)
    return bool(both >= 0.5 * max(end - start, ended - begun))


def _duration(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    del lived
    if habit.tokens[0] not in _about(finding):
        return False
    kept = np.array([((one.until or one.at[0]) - one.at[0]) / 6e7 for one in habit.kept])
    near = max(NEAR, float(np.std(kept)) / np.sqrt(kept.size))
    claimed = finding.measures["median"] / 60
    return bool(min(abs(claimed - habit.parameters["median"]), abs(claimed - float(np.median(kept)))) <= near)


def _anomaly(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    """Want the day, or that after it, as a night lies in both; and the thing, or the home for a party."""
    del lived
    date = dt.date.fromordinal(finding.measures["date"])
    subject = finding.subject[1]
    right = subject.partition("=")[0] in {token.partition("=")[0] for token in habit.tokens}
    right = right if habit.tokens else finding.measures["check"] in {"many", "hour", "late", "long"}
    return right and any(0 <= (date - kept).days <= 1 for kept in habit.kept_dates)


def _session(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    about = _about(finding)
    if sum(token in about for token in habit.tokens) < _MEMBERS * len(habit.tokens):
        return False
    kept = times(lived, habit)
    return kept.size > 0 and same_days(lived, finding, habit) and _same_time(lived, finding, habit, kept)


def _day_type(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    del lived
    dates = set(finding.measures.get("dates", ()))
    return jaccard(dates, {date.toordinal() for date in habit.kept_dates}) >= ALIKE


def _contextual(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    token, context, side = finding.subject[:3]
    if not ({token, *finding.measures.get("members", ())} & set(habit.tokens)):
        return False
    known, kind = habit.parameters, lived.home.entity(context).device_class
    if "colder" in known:
        right = kind == "temperature" and side == "below"
        return bool(right and abs(finding.measures["threshold"] - known["colder"]) <= _DEGREES)
    return (context in {"sun", "dark", "darkness"}) or (kind == "illuminance" and side == "below")


def _seasonal(lived: Lived, finding: Finding, habit: HabitTruth) -> bool:
    del lived
    known, measures = habit.parameters, finding.measures
    if habit.tokens[0] not in _about(finding):
        return False
    if finding.subject[1] == "year":
        return set(measures["months"]) == set(known.get("months", ()))
    if "drift" in known:
        return bool(measures["shape"] == "line" and measures["slope_low"] <= known["drift"] <= measures["slope_high"])
    if "step" not in known:
        return False
    moved = float(around(np.array(measures["after"]), measures["before"]))
    return bool(measures["shape"] == "step" and abs(moved - known["step"]) <= 2 * NEAR)  # of two times


_MATCH: Final[dict[str, Callable[[Lived, Finding, HabitTruth], bool]]] = {
    "time_of_day": _time_of_day,
    "co_occurrence": _pair,
    "sequence": _sequence,
    "room": _room,
    "duration": _duration,
    "anomaly": _anomaly,
    "session": _session,
    "day_type": _day_type,
    "contextual": _contextual,
    "seasonal": _seasonal,
}

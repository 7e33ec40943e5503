"""Whether a claim is true: what fresh draws of the same home's days say of it, or the day's own story."""

import datetime as dt
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.lived import Lived
from benchmarks.accuracy.matching import NEAR
from benchmarks.accuracy.measures import MEASURES, Measured, later_begun, moved_away, unlike_hour
from quotidian.detect.dayrow import entity_of
from quotidian.detect.statistics import around, share_interval
from quotidian.model import Finding

LEAST_LIFT: Final = 2.0
#: An interval for a larger share of samples than that covers whatever comes: it claims nothing.
_WIDEST: Final = 0.999
#: What kinds of days explain each check of an anomaly; what reaches past midnight explains the day after, too.
_ALSO_NEXT: Final = frozenset({"party", "guests"})
_MORE: Final = frozenset({"party", "guests", "sick", "holiday"})
_LESS: Final = frozenset({"away", "sick", "holiday"})
_EXPLAIN: Final = {"absent": _LESS, "few": _LESS}
#: The types of days that are meant by kinds of days.
_MEANT: Final = {
    "away": frozenset({"away"}),
    "late": frozenset({"party", "guests"}),
    "weekends": frozenset({"weekend", "guests", "party", "holiday"}),
    "at_home": frozenset({"home_office"}),
    "out": frozenset({"work"}),
}
_ALIKE: Final = 0.8
#: A drift is looked for so near (minutes), over so many first and last days.
_REACH: Final = 120
_ENDS: Final = 14
_FEW_DAYS: Final = 20


class Verdict(msgspec.Struct, frozen=True):
    """Whether a claim is true, and why."""

    true: bool
    why: str


def judge(lived: Lived, fresh: Days, finding: Finding, night: dt.date) -> Verdict:
    """Say whether a claim is true that was made on a night."""
    if finding.detector in MEASURES:
        return _measured(fresh, finding)
    if finding.detector == "anomaly":
        return _strange(lived, finding)
    if finding.detector == "day_type":
        return _typed(lived, fresh, finding)
    return _yearly(fresh, finding) if finding.subject[1] == "year" else _moved(fresh, finding, night.toordinal())


def _measured(fresh: Days, finding: Finding) -> Verdict:
    try:
        value = MEASURES[finding.detector](finding, fresh)
    except KeyError as missing:
        return Verdict(False, f"cannot be judged: {missing} is not known")
    told = verdict(finding, value)
    return _lasting(fresh, finding) if told.true and finding.detector == "duration" else told


def verdict(finding: Finding, value: Measured) -> Verdict:
    """Compare a claim with what fresh days say: its interval covers their share, and their lift is large enough.

    Intervals may be for more than 95 %, as they are of claims that were chosen among many; not for everything.
    """
    evidence = finding.evidence
    said = f"claims {evidence.low:.2f} to {evidence.high:.2f}, fresh {value.share:.2f} of {value.days} days"
    said += "" if value.lift is None else f", lift {value.lift:.1f}"
    narrow, wide = share_interval(evidence.kept, evidence.observed, _WIDEST)
    if evidence.high - evidence.low > wide - narrow:
        return Verdict(False, f"wider than its days warrant: {said}")
    if value.days < _FEW_DAYS:
        return Verdict(False, f"hardly ever can hold: {said}")
    if not evidence.low <= value.share <= evidence.high:
        return Verdict(False, f"outside: {said}")
    if value.lift is not None and value.lift < LEAST_LIFT:
        return Verdict(False, f"chance: {said}")
    if value.off is not None and abs(value.off) > max(NEAR, finding.measures["width"] / 2):
        return Verdict(False, f"off by {value.off:.0f} min: {said}")
    return Verdict(True, said)


def _lasting(fresh: Days, finding: Finding) -> Verdict:
    """Look whether the usual length lies where half of the times are said to lie."""
    middle = float(np.median(fresh.spans(finding.subject[0])[1]))
    low, high = finding.measures["lower"], finding.measures["upper"]
    claims = low <= finding.measures["median"] <= high
    return Verdict(claims and low <= middle <= high, f"claims {low} to {high} s, fresh median {middle:.0f} s")


def _strange(lived: Lived, finding: Finding) -> Verdict:
    """Look whether something was up with the thing on the day of an anomaly, or in the night that reaches into it.

    What was planted explains what is told of that thing. The kind of the day explains what is told of any.
    """
    date = dt.date.fromordinal(finding.measures["date"])
    before = date - dt.timedelta(days=1)
    thing = entity_of(finding.subject[1])
    told = [
        habit.id
        for habit in lived.truth.habits
        if habit.kind == "anomaly" and {date, before} & set(habit.kept_dates) and thing in map(entity_of, habit.tokens)
    ]
    explain = _EXPLAIN.get(finding.measures["check"], _MORE)
    types = [lived.truth.day_types.get(day, "no day") for day in (date, before)]
    strange = [kind for kind in types[:1] if kind in explain]
    strange += [kind for kind in types[1:] if kind in explain & _ALSO_NEXT]
    return Verdict(bool(told or strange), ", ".join((*told, *strange)) or f"nothing was up: {types[0]}")


def _typed(lived: Lived, fresh: Days, finding: Finding) -> Verdict:
    """Compare the days that a claim names with the true types of days: four in five must be of those it is about.

    A kind without a meaning is about whatever most of its days are. How weekends differ is measured on fresh days.
    """
    dates = [dt.date.fromordinal(day) for day in finding.measures.get("dates", ())]
    found = [lived.truth.day_types.get(date, "no day") for date in dates]
    wanted = _MEANT.get(finding.subject[-1]) or {max(set(found), key=found.count, default="")}
    share = sum(kind in wanted for kind in found) / max(len(found), 1)
    if share < _ALIKE or finding.subject[-1] != "weekends":
        return Verdict(share >= _ALIKE, f"{share:.0%} of {len(dates)} days are {', '.join(sorted(wanted))}")
    return verdict(finding, later_begun(finding, fresh)) if "first" in finding.measures else _busier(fresh, finding)


def _busier(fresh: Days, finding: Finding) -> Verdict:
    """Look whether weekends and weekdays differ in an hour as they are said to, most of the days."""
    weekends, weekdays = unlike_hour(finding, fresh)
    why = f"{weekends:.0%} of fresh weekends and {weekdays:.0%} of weekdays are like it"
    return Verdict(weekends > 0.5 and weekends >= LEAST_LIFT * weekdays, why)


def _moved(fresh: Days, finding: Finding, night: int) -> Verdict:
    """Compare a drift with fresh draws: where the same token was in the first days, and where in the last ones.

    Both ends lie within a reading error of what is claimed, which is less than half of the move; and what is there is
    there by habit.
    """
    measures = finding.measures
    places = fresh.of(finding.subject[0])
    places = places[fresh.lived(measures.get("days", "all"))[fresh.day[places]]]
    day, minutes = fresh.ordinals[fresh.day[places]], fresh.wall[places] / 60
    first, since = int(fresh.ordinals.min()), measures["since"]
    step = measures["shape"] == "step"
    early = (day < since) if step else (day < first + _ENDS)
    late = (day <= night) & ((day >= since) if step else (day > night - _ENDS))
    off = []
    for part, middle in ((early, measures["before"]), (late, measures["after"])):
        apart = around(minutes[part], middle)
        near = apart[np.abs(apart) <= _REACH]
        off.append(float(np.median(near)) if near.size else np.inf)
    move = abs(float(around(np.array(measures["after"]), measures["before"])))
    lift = moved_away(finding, fresh, night).lift or 0.0
    right = max(abs(value) for value in off) <= min(2 * NEAR, move / 2) and lift >= LEAST_LIFT
    return Verdict(right, f"fresh days are off by {off[0]:.0f} and {off[1]:.0f} min, lift {lift:.1f}")


def _yearly(fresh: Days, finding: Finding) -> Verdict:
    months = np.array([dt.date.fromordinal(int(day)).month for day in fresh.ordinals])
    acted = fresh.any(fresh.of(finding.subject[0]))
    often, rest = np.isin(months, finding.measures["months"]), np.isin(months, finding.measures["rest"])
    return verdict(finding, Measured(acted, often, np.full(fresh.size, float(acted[rest].mean()))))

"""Whether a claim is true: what fresh draws of the same home's days say of it, or the day's own story."""

import datetime as dt
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.lived import Lived
from benchmarks.accuracy.measures import MEASURES, Measured
from quotidian.detect.statistics import around
from quotidian.model import Finding

LEAST_LIFT: Final = 2.0
#: A day that is told as out of the ordinary must be of such a type.
_STRANGE: Final = frozenset({"party", "guests", "sick", "away", "holiday"})
#: A drift is looked for so near (minutes), over so many first and last days, and may be off by so many minutes.
_REACH: Final = 120
_ENDS: Final = 14
_OFF: Final = 15
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
        return _typed(lived, finding)
    return _yearly(fresh, finding) if finding.subject[1] == "year" else _moved(fresh, finding, night.toordinal())


def _measured(fresh: Days, finding: Finding) -> Verdict:
    try:
        value = MEASURES[finding.detector](finding, fresh)
    except KeyError as missing:
        return Verdict(False, f"cannot be judged: {missing} is not known")
    return verdict(finding, value)


def verdict(finding: Finding, value: Measured) -> Verdict:
    """Compare a claim with what fresh days say: its interval covers their share, and their lift is large enough."""
    evidence = finding.evidence
    said = f"claims {evidence.low:.2f} to {evidence.high:.2f}, fresh {value.share:.2f} of {value.days} days"
    said += "" if value.lift is None else f", lift {value.lift:.1f}"
    if value.days < _FEW_DAYS:
        return Verdict(False, f"hardly ever can hold: {said}")
    if not evidence.low <= value.share <= evidence.high:
        return Verdict(False, f"outside: {said}")
    if value.lift is not None and value.lift < LEAST_LIFT:
        return Verdict(False, f"chance: {said}")
    return Verdict(True, said)


def _strange(lived: Lived, finding: Finding) -> Verdict:
    """Look whether something was up on the day of an anomaly, or in the night that reaches into it."""
    date = dt.date.fromordinal(finding.measures["date"])
    days = (date, date - dt.timedelta(days=1))
    told = [habit.id for habit in lived.truth.habits if habit.kind == "anomaly" and set(days) & set(habit.kept_dates)]
    types = [lived.truth.day_types[day] for day in days if day in lived.truth.day_types]
    strange = [kind for kind in types if kind in _STRANGE]
    if told or strange:
        return Verdict(True, ", ".join((*told, *strange)))
    return Verdict(False, f"nothing was up: {types[0] if types else 'no day'}")


def _typed(lived: Lived, finding: Finding) -> Verdict:
    """Compare the days that a claim names with the true types of days: four in five must be of those it is about."""
    dates = [dt.date.fromordinal(day) for day in finding.measures.get("dates", ())]
    kind = finding.subject[-1]
    types = lived.truth.day_types
    wanted = {
        "away": {"away"},
        "busy": {"party", "guests", "holiday"},
        "late": {"party", "guests", "holiday"},
        "weekends": {"weekend", "guests", "party", "holiday", "sick"},
    }.get(kind)
    found = [types.get(date, "?") for date in dates]
    if wanted is None:
        most = max(set(found), key=found.count, default="?")
        wanted = {most}
    share = sum(one in wanted for one in found) / max(len(found), 1)
    return Verdict(share >= 0.8, f"{share:.0%} of {len(found)} days are {', '.join(sorted(wanted))}")


def _moved(fresh: Days, finding: Finding, night: int) -> Verdict:
    """Compare a drift with fresh draws: where the same token was in the first days, and where in the last ones."""
    measures = finding.measures
    places = fresh.of(finding.subject[0])
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
    right = max(abs(value) for value in off) <= _OFF
    return Verdict(right, f"fresh days are off by {off[0]:.0f} and {off[1]:.0f} min")


def _yearly(fresh: Days, finding: Finding) -> Verdict:
    months = np.array([dt.date.fromordinal(int(day)).month for day in fresh.ordinals])
    acted = fresh.any(fresh.of(finding.subject[0]))
    often, rest = np.isin(months, finding.measures["months"]), np.isin(months, finding.measures["rest"])
    return verdict(finding, Measured(acted, often, np.full(fresh.size, float(acted[rest].mean()))))

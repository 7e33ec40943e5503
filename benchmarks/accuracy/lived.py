"""Simulated homes that were lived in, folded in memory, and what a home's list of habits would show of them."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.folding import folded, observed
from quotidian.detect import Detector, History
from quotidian.detect.dayrow import DayRow
from quotidian.detect.reconcile import reconcile
from quotidian.detect.telling import told_once
from quotidian.learn.periods import closing
from quotidian.learn.window import LOOK_BACK
from quotidian.model import Finding, Home, Integers, Pattern, Summary
from quotidian.simulate import Plan, simulate
from quotidian.simulate.truth import Truth

#: Days between the first days of two homes, so that every season is among them, and how many first days there are.
_APART: Final = 28
_SEASONS: Final = 13
_WEEK: Final = 7
#: The history of the home at hand: many claims ask for its classes of days.
_WHOLE: Final[dict[Plan, History]] = {}


class Lived(msgspec.Struct, frozen=True):
    """A home with its days folded, each detector's integers by ordinal, and what is true of it."""

    plan: Plan
    home: Home
    truth: Truth
    rows: tuple[DayRow, ...]
    kept: dict[str, dict[int, Integers]]

    @property
    def dates(self) -> list[dt.date]:
        """The days."""
        return [dt.date.fromordinal(row.ordinal) for row in self.rows]

    def suns(self, event: str) -> dict[int, int]:
        """Give the wall minute of each day's sunrise or sunset, by ordinal."""
        history = self.whole
        return dict(zip(history.ordinals.tolist(), history.sun(event).tolist(), strict=True))

    @property
    def whole(self) -> History:
        """All days, without what detectors keep."""
        if self.plan not in _WHOLE:
            _WHOLE.clear()
            _WHOLE[self.plan] = History(self.rows, self.home)
        return _WHOLE[self.plan]

    def days_of(self, name: str) -> frozenset[int]:
        """Give the ordinals of the lived days of a class."""
        return frozenset(self.whole.ordinals[self.whole.classes[name]].tolist())

    def history(self, until: dt.date, look_back: int) -> History:
        """Give the days that a detector may look at on a night; of its own integers it has all."""
        end = until.toordinal()
        rows = [row for row in self.rows if end - look_back < row.ordinal <= end]
        own = {
            name: Summary(name, 1, {day: one for day, one in days.items() if day <= end})
            for name, days in self.kept.items()
        }
        return History(rows, self.home, own)


def plan_of(seed: int, days: int, noise: int | None = None) -> Plan:
    """Give the plan of a home of the benchmark; its seed also says in which part of the year it begins."""
    start = dt.date(2026, 2, 2) + dt.timedelta(days=_APART * (seed % _SEASONS))
    return Plan(seed=seed, noise=seed if noise is None else noise, days=days, start=start, events_per_day=1_000)


def live(plan: Plan, detectors: Sequence[Detector]) -> Lived:
    """Simulate a home and fold every day of it."""
    simulated = simulate(plan)
    rows, summaries = folded(observed(simulated.home, simulated.days()), detectors)
    kept = {name: dict(summary.days) for name, summary in summaries.items()}
    return Lived(plan, simulated.home, simulated.truth, rows, kept)


def nights(lived: Lived, detector: Detector) -> list[dt.date]:
    """Give the nights on which the last findings of a detector come about: one, but for what tells of single days."""
    last = closing(detector.cadence, lived.dates)
    return last[-1::-_WEEK][::-1] if detector.name == "anomaly" else last[-1:]


def last_night(lived: Lived, detector: Detector) -> dt.date:
    """Give the last day that a detector has looked at."""
    return nights(lived, detector)[-1]


def found(lived: Lived, detector: Detector) -> list[Finding]:
    """Give what a detector found on the last night of its cadence; of anomalies, what it told on any night."""
    findings: dict[tuple[str, ...], Finding] = {}
    told: list[Finding] = []
    for night in nights(lived, detector):
        history = lived.history(night, LOOK_BACK[detector.cadence])
        told = detector.detect(history)
        findings |= {one.subject: one for one in told}
    return list(findings.values()) if detector.name == "anomaly" else told


def listed(lived: Lived, detectors: Sequence[Detector]) -> list[Pattern]:
    """Give what a home's list would hold after its last night, with what is told better by another marked."""
    findings = [finding for one in detectors for finding in found(lived, one)]
    return told_once(reconcile(lived.home.id, [], findings, lived.dates[-1]))


def wall_minute(instant: int, date: dt.date, zone: str) -> float:
    """Give an instant (µs) as minutes after a date's midnight by the clock on the wall."""
    wall = dt.datetime.fromtimestamp(instant / 1e6, ZoneInfo(zone)).replace(tzinfo=None)
    return (wall - dt.datetime.combine(date, dt.time())).total_seconds() / 60

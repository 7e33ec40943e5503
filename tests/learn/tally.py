"""Detectors that tell to the digit what they were shown, so that whoever was shown something else tells otherwise."""

from typing import ClassVar

from quotidian.detect import Cadence, DayView, Detector, History
from quotidian.model import Carry, Evidence, Finding, Integers


class Tally(Detector):
    """Count each day's changes by a weight, and those of the day before as it handed them on; tell the sums."""

    name: ClassVar[str] = "tally"
    keeps: ClassVar[bool] = True
    folds_by: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(self, *, weight: int = 1, least: int = 0) -> None:
        self.weight = weight
        self.least = least

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Keep how many changes there were, and how many the day before."""
        count = int(day.row.token.size) * self.weight
        before = int(carry["count"][0]) if carry else 0
        return Integers((), {"count": [count], "before": [before]}), Carry((), {"count": [count]})

    def detect(self, history: History) -> list[Finding]:
        """Give a finding of the week of the last day, so that findings come, go on, fade and go."""
        days = self.summary(history).days
        if not history.rows or len(days) < self.least:
            return []
        sums = {name: sum(int(kept[name][0]) for kept in days.values()) for name in ("count", "before")}
        acts = sum(int(row.token.size) for row in history.rows)
        return [
            Finding(
                detector=self.name,
                subject=(f"week {history.last.isocalendar().week}",),
                measures={**sums, "days": len(days), "rows": len(history.rows), "acts": acts},
                evidence=Evidence(kept=len(days), observed=len(history.rows), low=0.1, high=0.9),
                confidence=0.5,
                sentence="Something was counted.",
            )
        ]


class WeeklyTally(Tally):
    """The same, a week at a time."""

    name: ClassVar[str] = "weekly_tally"
    cadence: ClassVar[Cadence] = Cadence.WEEKLY


class MonthlyTally(Tally):
    """The same, a month at a time."""

    name: ClassVar[str] = "monthly_tally"
    cadence: ClassVar[Cadence] = Cadence.MONTHLY

"""What retention would drop."""

import datetime as dt
from typing import NamedTuple

from quotidian.store.embedded.events import Events
from quotidian.store.embedded.layers import Layers
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.protocols import Period, Retained
from quotidian.store.retention import Cutoffs, period_end


class Old(NamedTuple):
    """Days of events, bytes of days' summaries, and weeks that are too old; ``first`` is the first day that is not."""

    first: dt.date
    raw: list[LedgerDay]
    daily: dict[int, int]
    periods: list[tuple[Period, int, int]]

    @classmethod
    def of(cls, cutoffs: Cutoffs, ledger: Ledger, layers: Layers) -> "Old":
        """Look for it."""
        settled = {day.ordinal: day for day in ledger.days() if not day.due}
        raw = [day for day in settled.values() if day.events and day.date < cutoffs.raw]
        folded = layers.folded_before(cutoffs.daily.toordinal())
        daily = {ordinal: size for ordinal, size in folded.items() if ordinal in settled}
        # Monthly summaries stay for ever: the shape of a year needs two of them.
        periods = [row for row in layers.periods() if row[0] == "weekly" and _end(row) <= cutoffs.weekly]
        return cls(cutoffs.raw, raw, daily, periods)

    def drop(self, events: Events, layers: Layers, ledger: Ledger) -> None:
        """Drop it, within a switch of the files and a transaction."""
        for day in self.raw:
            events.drop(day)
        for ordinal in self.daily:
            layers.remove_day(ordinal)
        for period, start, _ in self.periods:
            layers.remove_period(period, start)
        ledger.prune({day.ordinal for day in self.raw} | set(self.daily))

    def told(self) -> Retained:
        """Count it."""
        size = sum(day.size for day in self.raw) + sum(self.daily.values()) + sum(size for _, _, size in self.periods)
        return Retained(len(self.raw), len(self.daily), len(self.periods), size)


def _end(row: tuple[Period, int, int]) -> dt.date:
    return period_end(row[0], dt.date.fromordinal(row[1]))

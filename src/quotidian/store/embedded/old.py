"""What retention would drop."""

import datetime as dt
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from quotidian import clock
from quotidian.model import Day
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.settings import Settings
from quotidian.store.embedded.archive import Archive
from quotidian.store.embedded.due import Due
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.layers import Layers
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.protocols import Period, Retained
from quotidian.store.retention import Cutoffs, period_end, period_start

#: So many days, and weeks, are dropped at once: others wait no longer.
STEP: Final = 8
#: So many days before InfluxDB drops a day that was not learned from, somebody is told.
_WARNED: Final = 2
_HOUR: Final = 3_600 * SECOND
_PERIODS: Final[tuple[Period, ...]] = ("weekly", "monthly")


class Old(NamedTuple):
    """Days of events, bytes of days' summaries, and weeks that are too old."""

    cutoffs: Cutoffs
    raw: list[LedgerDay]
    daily: dict[int, int]
    periods: list[tuple[Period, int, int]]

    @classmethod
    def of(cls, cutoffs: Cutoffs, ledger: Ledger, layers: Layers, due: Due, files: Archive) -> "Old":
        """Look for it."""
        settled = {day.ordinal: day for day in ledger.days() if not day.due}
        raw = [
            day
            for day in settled.values()
            if day.events and (day.date < cutoffs.raw or (day.date < cutoffs.elsewhere and _alone(day, files)))
        ]
        folded = layers.folded_before(cutoffs.daily.toordinal())
        stale = {period: due.stale(period) for period in _PERIODS}
        daily = {
            ordinal: size
            for ordinal, size in sorted(folded.items())
            if ordinal in settled
            and not any(period_start(one, dt.date.fromordinal(ordinal)) in stale[one] for one in _PERIODS)
        }
        # Monthly summaries stay for ever: the shape of a year needs two of them.
        periods = [row for row in layers.periods() if row[0] == "weekly" and _end(row) <= cutoffs.weekly]
        return cls(cutoffs, raw, daily, periods)

    def step(self) -> "Old":
        """Give what of it is dropped first: the weeks last, for as long as they are there their days can go."""
        raw, daily = self.raw[:STEP], dict(islice(self.daily.items(), STEP))
        return self._replace(raw=raw, daily=daily, periods=[] if self.daily.keys() - daily else self.periods[:STEP])

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


def _alone(day: LedgerDay, files: Archive) -> bool:
    return day.sealed is not None and files.alone(day.date, day.sealed)


def expiring(days: Iterable[LedgerDay], files: Archive, settings: Settings, zone: str) -> list[str]:
    """Say which days InfluxDB drops soon, before they were learned from."""
    found = []
    for day in days:
        if day.due and _alone(day, files):
            kept = settings.days("INFLUXDB_RETENTION_RAW") * DAY_SECONDS * SECOND
            left = Day.from_ordinal(day.ordinal, zone).start + kept - clock.now()
            if left < _WARNED * DAY_SECONDS * SECOND:
                found.append(
                    f"InfluxDB drops the events of {day.date} in {max(0, left // _HOUR)} hours, and they were not "
                    "learned from yet. Run `quotidian daily`; `quotidian store extend` keeps them there for longer."
                )
    return found


def _end(row: tuple[Period, int, int]) -> dt.date:
    return period_end(row[0], dt.date.fromordinal(row[1]))

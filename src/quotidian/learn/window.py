"""The days that a night looks back on, kept from one night to the next."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, Cadence, DayRow, Detector, History
from quotidian.learn.periods import SPAN
from quotidian.model import Integers, Summary
from quotidian.store import Store
from quotidian.store.protocols import Period

#: How many days the detectors of each cadence look back on. What monthly detectors keep has no end.
LOOK_BACK: Final = {Cadence.DAILY: 90, Cadence.WEEKLY: 364, Cadence.MONTHLY: 364}
#: Where a detector's own integers stay when its daily summaries are gone.
_KEPT_IN: Final[dict[Cadence, Period]] = {Cadence.WEEKLY: "weekly", Cadence.MONTHLY: "monthly"}


class Window:
    """A sliding window over layers 2 and 3, for the detectors of one cadence.

    Daily summaries are read where they still exist, else the weekly and monthly ones; each day is read once, however
    many nights look back on it. Of a day that was folded by another edition of a detector, and whose events are gone,
    the detector has the shared row alone.

    Parameters
    ----------
    store, detectors, cadence
        Whose summaries are read, and for whom.
    first
        The first night: the others come in order.
    """

    def __init__(self, store: Store, detectors: Sequence[Detector], cadence: Cadence, first: dt.date) -> None:
        self._store: Final = store
        self._home: Final = store.home
        self._cadence: Final = cadence
        self._editions: Final = {one.name: one.edition for one in detectors if one.cadence is cadence}
        self._keeping: Final = [one.name for one in detectors if one.cadence is cadence and one.keeps]
        self._rows: Final[dict[int, DayRow]] = {}
        self._kept: Final[dict[str, dict[int, Integers]]] = {name: {} for name in self._editions}
        self._marks: Final = {date.toordinal() for date in store.marks()}
        self._next = self._oldest(first)
        if cadence is Cadence.MONTHLY:
            for name in self._keeping:
                months = store.period_summary("monthly", name, self._editions[name], dt.date.min, first)
                self._kept[name].update(months.days)

    def history(self, night: dt.date) -> History:
        """Give the days up to a date that the detectors look back on, less those the user marked."""
        self._read(max(self._next, self._oldest(night)), night)
        self._next = night + dt.timedelta(days=1)
        self._let_go(self._oldest(night).toordinal())
        end = night.toordinal()
        rows = [self._rows[day] for day in sorted(self._rows) if day <= end and day not in self._marks]
        return History(rows, self._home, {name: self._summary(name, end) for name in self._editions})

    def _oldest(self, night: dt.date) -> dt.date:
        return night - dt.timedelta(days=LOOK_BACK[self._cadence] - 1)

    def _summary(self, name: str, end: int) -> Summary:
        kept = self._kept[name]
        days = {day: kept[day] for day in sorted(kept) if day <= end and day not in self._marks}
        return Summary(name, self._editions[name], days)

    def _let_go(self, oldest: int) -> None:
        """Forget what is too old for every night to come."""
        for day in [day for day in self._rows if day < oldest]:
            del self._rows[day]
        if self._cadence is not Cadence.MONTHLY:
            for kept in self._kept.values():
                for day in [day for day in kept if day < oldest]:
                    del kept[day]

    def _read(self, first: dt.date, last: dt.date) -> None:
        rows = self._days(ROW, ROW_VERSION, "weekly", first, last)
        self._rows.update({day: DayRow(day, integers) for day, integers in rows.items()})
        for name in self._keeping:
            days = self._days(name, self._editions[name], _KEPT_IN.get(self._cadence), first, last)
            self._kept[name].update(days)

    def _days(
        self, name: str, edition: int, period: Period | None, first: dt.date, last: dt.date
    ) -> dict[int, Integers]:
        """Read the daily summaries of some days, and the periods of those that have none."""
        daily = self._store.summary(name, edition, first, last).days
        gone = [day for day in range(first.toordinal(), last.toordinal() + 1) if day not in daily]
        if not gone or period is None:
            return daily
        start = SPAN[period](dt.date.fromordinal(gone[0]))[0]
        kept = self._store.period_summary(period, name, edition, start, dt.date.fromordinal(gone[-1])).days
        return {day: kept[day] for day in gone if day in kept} | daily

"""The days that a night looks back on, kept from one night to the next."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, Cadence, DayRow, Detector, History
from quotidian.model import Home, Integers, Summary
from quotidian.store import Store

#: How many days the detectors of each cadence look back on. What monthly detectors keep has no end.
LOOK_BACK: Final = {Cadence.DAILY: 90, Cadence.WEEKLY: 364, Cadence.MONTHLY: 364}


class Window:
    """A sliding window over layers 2 and 3.

    Daily summaries are read where they still exist, else the weekly and monthly ones; each day is read once,
    however many nights look back on it.
    """

    def __init__(self, store: Store, detectors: Sequence[Detector], first: dt.date) -> None:
        self._store: Final = store
        self._detectors: Final = {one.name: one for one in detectors}
        self._rows: Final[dict[int, DayRow]] = {}
        self._kept: Final[dict[str, dict[int, Integers]]] = {name: {} for name in self._detectors}
        self._marks: Final = {date.toordinal() for date in store.marks()}
        start = first - dt.timedelta(days=max(LOOK_BACK.values()))
        self._until: Final = dict.fromkeys([ROW, *self._detectors], start)
        self._read_periods(start, first)

    def history(self, cadence: Cadence, last: dt.date, home: Home) -> History:
        """Give the days up to a date that the detectors of a cadence look back on, less those the user marked."""
        self._advance(cadence, last)
        end = last.toordinal()
        span = range(end - LOOK_BACK[cadence] + 1, end + 1)
        days = [day for day in span if day in self._rows and day not in self._marks]
        first = 0 if cadence is Cadence.MONTHLY else span[0]
        summaries = {
            name: Summary(name, one.version, self._unmarked(name, first, end))
            for name, one in self._detectors.items()
            if one.cadence is cadence
        }
        return History([self._rows[day] for day in days], home, summaries)

    def _unmarked(self, name: str, first: int, last: int) -> dict[int, Integers]:
        kept = self._kept[name]
        return {day: kept[day] for day in sorted(kept) if first <= day <= last and day not in self._marks}

    def _advance(self, cadence: Cadence, last: dt.date) -> None:
        """Read what has come since, only of the detectors that look tonight, and let go of what is too old for them."""
        rows = self._fresh(ROW, ROW_VERSION, dt.date.min, last)
        self._rows.update({day: DayRow(day, integers) for day, integers in rows.items()})
        for name, one in self._detectors.items():
            if one.cadence is not cadence or not one.keeps:
                continue
            oldest = last - dt.timedelta(days=LOOK_BACK[cadence] - 1)
            self._kept[name].update(self._fresh(name, one.version, oldest, last))
            if cadence is not Cadence.MONTHLY:
                for day in [day for day in self._kept[name] if day < oldest.toordinal()]:
                    del self._kept[name][day]

    def _fresh(self, name: str, version: int, oldest: dt.date, last: dt.date) -> dict[int, Integers]:
        first = max(self._until[name], oldest)
        if last < first:
            return {}
        self._until[name] = last + dt.timedelta(days=1)
        return self._store.summary(name, version, first, last).days

    def _read_periods(self, first: dt.date, last: dt.date) -> None:
        weeks = self._store.period_summary("weekly", ROW, ROW_VERSION, first, last)
        self._rows.update({day: DayRow(day, integers) for day, integers in weeks.days.items()})
        for name, one in self._detectors.items():
            if one.keeps and one.cadence is Cadence.WEEKLY:
                self._kept[name].update(self._store.period_summary("weekly", name, one.version, first, last).days)
            elif one.keeps and one.cadence is Cadence.MONTHLY:
                months = self._store.period_summary("monthly", name, one.version, dt.date.min, last)
                self._kept[name].update(months.days)

"""Layer 3: whole weeks and months of daily summaries, united."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, Cadence, Detector
from quotidian.store import Store
from quotidian.store.protocols import Period

_SUNDAY: Final = 7


def roll_up(store: Store, detectors: Sequence[Detector], folded: Iterable[dt.date], last: dt.date) -> int:
    """Unite the days of each week and month that is over and has a day that was just folded.

    A week is the seven days from a Sunday to a Saturday. Weeks hold the shared rows and what the weekly detectors
    keep, months what the monthly ones keep. Gives the number of periods that were written.
    """
    weekly: list[tuple[str, int]] = [(ROW, ROW_VERSION), *_kept(detectors, Cadence.WEEKLY)]
    spans: set[tuple[Period, dt.date, dt.date]] = set()
    for date in folded:
        spans.add(("weekly", *week_of(date)))
        spans.add(("monthly", *month_of(date)))
    written = 0
    for period, start, end in sorted(spans):
        if end > last:
            continue
        for name, version in weekly if period == "weekly" else _kept(detectors, Cadence.MONTHLY):
            store.put_period(period, start, store.summary(name, version, start, end))
            written += 1
    return written


def week_of(date: dt.date) -> tuple[dt.date, dt.date]:
    """Give the Sunday and the Saturday around a date."""
    start = date - dt.timedelta(days=date.isoweekday() % _SUNDAY)
    return start, start + dt.timedelta(days=6)


def month_of(date: dt.date) -> tuple[dt.date, dt.date]:
    """Give the first and the last day of a date's month."""
    start = date.replace(day=1)
    return start, (start + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def closes(cadence: Cadence, date: dt.date) -> bool:
    """Tell whether the night after a date closes a period of that cadence."""
    if cadence is Cadence.DAILY:
        return True
    return date == (week_of(date) if cadence is Cadence.WEEKLY else month_of(date))[1]


def _kept(detectors: Sequence[Detector], cadence: Cadence) -> list[tuple[str, int]]:
    return [(one.name, one.version) for one in detectors if one.cadence is cadence and one.keeps]

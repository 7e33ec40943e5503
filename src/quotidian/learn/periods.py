"""Layer 3: whole weeks and months of daily summaries, united."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, Cadence, Detector
from quotidian.model import Integers, Summary
from quotidian.store import Store
from quotidian.store.protocols import Period

_SUNDAY: Final = 7


def roll_up(store: Store, detectors: Sequence[Detector], first: dt.date, last: dt.date) -> int:
    """Unite the daily summaries of each week and month that is over by the last day.

    A week is the seven days from a Sunday to a Saturday. Weeks hold the shared rows and what the weekly detectors
    keep, months what the monthly ones keep. A day whose daily summary is gone stays in its period as it was. What
    is written follows from the daily summaries alone, so a run that was killed is made good by the next. Gives the
    number of summaries that were written.
    """
    weekly: list[tuple[str, int]] = [(ROW, ROW_VERSION), *_kept(detectors, Cadence.WEEKLY)]
    written = 0
    for name, version in weekly:
        written += _united(store, "weekly", store.summary(name, version, first, last), last)
    for name, version in _kept(detectors, Cadence.MONTHLY):
        written += _united(store, "monthly", store.summary(name, version, first, last), last)
    return written


def _united(store: Store, period: Period, daily: Summary, last: dt.date) -> int:
    """Write a detector's periods that are over and say other than its daily summaries."""
    spans: dict[dt.date, dict[int, Integers]] = {}
    for ordinal, day in daily.days.items():
        start, end = _SPAN[period](dt.date.fromordinal(ordinal))
        if end <= last:
            spans.setdefault(start, {})[ordinal] = day
    written = 0
    for start, days in spans.items():
        kept = store.period_summary(period, daily.detector, daily.version, start, start)
        summary = kept.without(frozenset(days)).merged(Summary(daily.detector, daily.version, days))
        if summary != kept:
            store.put_period(period, start, summary)
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


_SPAN: Final[dict[Period, Callable[[dt.date], tuple[dt.date, dt.date]]]] = {"weekly": week_of, "monthly": month_of}


def closes(cadence: Cadence, date: dt.date) -> bool:
    """Tell whether the night after a date closes a period of that cadence."""
    if cadence is Cadence.DAILY:
        return True
    return date == (week_of(date) if cadence is Cadence.WEEKLY else month_of(date))[1]


def _kept(detectors: Sequence[Detector], cadence: Cadence) -> list[tuple[str, int]]:
    return [(one.name, one.version) for one in detectors if one.cadence is cadence and one.keeps]

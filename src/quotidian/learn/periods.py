"""Layer 3: whole weeks and months of daily summaries, united."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, Cadence, Detector
from quotidian.errors import ConflictError
from quotidian.model import Summary
from quotidian.store import Store
from quotidian.store.protocols import Period

_SUNDAY: Final = 7


def unite(store: Store, detectors: Sequence[Detector], cadence: Cadence) -> int:
    """Unite the daily summaries of the weeks or months that are over; give the number of summaries that were written.

    A week is the seven days from a Sunday to a Saturday; one is over when that day, or a later one, is folded. Weeks
    hold the shared rows and what the weekly detectors keep, months what the monthly ones keep; days make none. A day
    whose daily summary is gone stays in its period as it was.

    Only those are read of which a day was folded since they were united. The store counts these folds in the
    transaction that stores the day, takes a period only as long as the count is what it was before the days were read,
    and lets go of the count when all is written. So whoever is killed in between, or is overtaken, leaves it to the
    next run.
    """
    if cadence is Cadence.DAILY:
        return 0
    period, newest = _PERIOD[cadence], newest_folded(store)
    over = {
        start: folds
        for start, folds in store.stale(period).items()
        if newest is not None and SPAN[period](start)[1] <= newest
    }
    return sum(_united(store, _kept(detectors, cadence), period, start, folds) for start, folds in sorted(over.items()))


def _united(store: Store, kept: Sequence[tuple[str, int]], period: Period, start: dt.date, folds: int) -> int:
    """Write what a period's daily summaries say other than it."""
    written = 0
    try:
        for name, edition in kept:
            days = store.summary(name, edition, *SPAN[period](start)).days
            before = store.period_summary(period, name, edition, start, start)
            after = before.without(frozenset(days)).merged(Summary(name, edition, days))
            if after != before:
                store.put_period(period, start, after, folds)
                written += 1
    except ConflictError:
        # A day was folded meanwhile: who did that unites it.
        return written
    store.united(period, start, folds)
    return written


def newest_folded(store: Store) -> dt.date | None:
    """Give the newest day that is folded, if there is one."""
    return max((record.date for record in store.days() if record.folded is not None), default=None)


def week_of(date: dt.date) -> tuple[dt.date, dt.date]:
    """Give the Sunday and the Saturday around a date."""
    start = date - dt.timedelta(days=date.isoweekday() % _SUNDAY)
    return start, start + dt.timedelta(days=6)


def month_of(date: dt.date) -> tuple[dt.date, dt.date]:
    """Give the first and the last day of a date's month."""
    start = date.replace(day=1)
    return start, (start + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


_PERIOD: Final[dict[Cadence, Period]] = {Cadence.WEEKLY: "weekly", Cadence.MONTHLY: "monthly"}
SPAN: Final[dict[Period, Callable[[dt.date], tuple[dt.date, dt.date]]]] = {"weekly": week_of, "monthly": month_of}


def closing(cadence: Cadence, days: Iterable[dt.date]) -> list[dt.date]:
    """Give the nights on which the detectors of a cadence look at some days: their own, or those that end their period.

    A Saturday, or a last day of a month, on which nothing happened is such a night as well; but it is not before a
    later day has been seen.
    """
    days = list(days)
    if cadence is Cadence.DAILY or not days:
        return days
    ends = {SPAN[_PERIOD[cadence]](date)[1] for date in days}
    return sorted(end for end in ends if end <= max(days))


def _kept(detectors: Sequence[Detector], cadence: Cadence) -> list[tuple[str, int]]:
    rows = [(ROW, ROW_VERSION)] if cadence is Cadence.WEEKLY else []
    return [*rows, *((one.name, one.edition) for one in detectors if one.cadence is cadence and one.keeps)]

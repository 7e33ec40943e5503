"""A night's work in series: the days, the weeks, the months, and what is old goes."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from quotidian.detect import Cadence, Detector
from quotidian.errors import CorruptStoreError
from quotidian.learn.fold import Folded, Progress, fold
from quotidian.learn.look import look, look_on
from quotidian.learn.periods import closing, newest_folded, unite
from quotidian.model import Pattern
from quotidian.model.day import moment
from quotidian.store import Retained, Store

_NOTHING: Final = Retained(0, 0, 0, 0)
#: So often a night begins anew because summaries were lost: once for each layer and detector that keeps some.
_MENDED: Final = 8


class Learned(msgspec.Struct, frozen=True):
    """What a run did, and the patterns that are there afterwards.

    ``nights``, ``weeks`` and ``months`` are the last days of what the daily, weekly and monthly detectors looked at, in
    order; ``periods`` counts the weekly and monthly summaries that were written.
    """

    folded: Folded = Folded()
    nights: tuple[dt.date, ...] = ()
    weeks: tuple[dt.date, ...] = ()
    months: tuple[dt.date, ...] = ()
    periods: int = 0
    patterns: tuple[Pattern, ...] = ()
    retained: Retained = _NOTHING


def learn(
    store: Store, detectors: Sequence[Detector], now: int, progress: Progress | None = None, *, refold: bool = False
) -> Learned:
    """Do what all nights up to now have left to do: the days, the weeks, the months, and then retention.

    Each day is folded once and each night looked at once, in order, so that a history which is learned at once and one
    that came in day by day end in the same patterns. Killed at any point, the next run goes on.

    Parameters
    ----------
    store, detectors
        The home's store, and who looks for habits.
    now
        The present instant in µs: days that end later are not over.
    progress
        Called with the stage ("fold", "review"), what is done and what there is to do.
    refold
        Whether every day whose events are still there is folded again.
    """
    return _night(store, detectors, now, progress, tuple(Cadence), refold=refold)


def daily(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None = None,
    *,
    until: dt.date | None = None,
    refold: bool = False,
) -> Learned:
    """Fold the days that are due, let the daily detectors look on the nights that they have not seen, drop what is old.

    ``until`` does as if tonight were the night after that date; the other parameters are those of ``learn``.
    """
    return _night(store, detectors, now, progress, (Cadence.DAILY,), until=until, refold=refold)


def weekly(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None = None,
    *,
    until: dt.date | None = None,
) -> Learned:
    """Unite the weeks (Sunday to Saturday) that are over, and let the weekly detectors look.

    They look on the night after each Saturday that they have not seen; the parameters are those of ``daily``.
    """
    return _night(store, detectors, now, progress, (Cadence.WEEKLY,), until=until)


def monthly(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None = None,
    *,
    until: dt.date | None = None,
) -> Learned:
    """Unite the months that are over, and let the monthly detectors look on the night after the last day of each.

    The parameters are those of ``daily``.
    """
    return _night(store, detectors, now, progress, (Cadence.MONTHLY,), until=until)


def backfill(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None = None,
    *,
    days: int,
    refold: bool = False,
) -> Learned:
    """Do what ``learn`` does, but only with the last so many local days; older ones stay due for the nightly run.

    Where nobody has looked yet, the first night is that of the first of these days. Where somebody has, the nights go
    on from there, as far as every day since is folded: none is left out.
    """
    since = _yesterday(store, now) - dt.timedelta(days=days - 1)
    return _night(store, detectors, now, progress, tuple(Cadence), since=since, refold=refold)


def review(
    store: Store, detectors: Sequence[Detector], nights: Sequence[dt.date], progress: Progress | None = None
) -> None:
    """Let the detectors of each cadence look on those of some nights on which they look at all, in order."""
    for cadence in Cadence:
        own = [night for night in nights if night in closing(cadence, [night])]
        for _ in look_on(store, detectors, cadence, own, store.nights.revision, progress=progress):
            pass


def _night(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None,
    cadences: Sequence[Cadence],
    *,
    since: dt.date = dt.date.min,
    until: dt.date | None = None,
    refold: bool = False,
) -> Learned:
    """Fold, unite, look and drop, as far as it belongs to some cadences, from one day to another (both included)."""
    until = min(until or dt.date.max, _yesterday(store, now))
    looked: dict[Cadence, tuple[dt.date, ...]] = dict.fromkeys(Cadence, ())
    folded, periods, mended = Folded(), 0, 0
    while True:
        try:
            if Cadence.DAILY in cadences:
                folded += _sealed(store, now)
                folded += fold(store, detectors, now, progress, again=refold, since=since, until=until)
            for cadence in cadences:
                periods += unite(store, detectors, cadence)
                looked[cadence] += look(store, detectors, cadence, progress, since=since, until=until)
            break
        except CorruptStoreError:
            # Days whose summaries turn out to be lost are due again.
            mended, refold = mended + 1, False
            if mended > _MENDED:
                raise
    retained = _retained(store) if Cadence.DAILY in cadences else _NOTHING
    return Learned(
        folded=folded,
        nights=looked[Cadence.DAILY],
        weeks=looked[Cadence.WEEKLY],
        months=looked[Cadence.MONTHLY],
        periods=periods,
        patterns=tuple(store.patterns()),
        retained=retained,
    )


def _sealed(store: Store, now: int) -> Folded:
    """Seal the days that are over, but for what is damaged."""
    try:
        store.seal(moment(now, store.home.zone).date())
    except CorruptStoreError as error:
        return Folded(damaged=(str(error),))
    return Folded()


def _retained(store: Store) -> Retained:
    """Drop what is old. Age is counted from the newest day: an old export is not thrown away for being old."""
    newest = newest_folded(store)
    return _NOTHING if newest is None else store.retain(newest)


def _yesterday(store: Store, now: int) -> dt.date:
    return moment(now, store.home.zone).date() - dt.timedelta(days=1)

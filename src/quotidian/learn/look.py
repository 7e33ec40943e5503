"""The nights: what each detector finds continues, begins, or lets fade the patterns."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from quotidian.detect import Cadence, Detector
from quotidian.detect.given_up import given_up
from quotidian.detect.reconcile import reconcile
from quotidian.detect.telling import told_once
from quotidian.errors import ConflictError
from quotidian.learn.fold import Progress
from quotidian.learn.periods import closing
from quotidian.learn.window import Window
from quotidian.model import Pattern
from quotidian.store import DayRecord, Nights, Store

#: A first look at a long history goes through its last year, night by night.
_MOST_NIGHTS: Final = 364
#: So often somebody else may change the patterns without getting any further before we give up.
_TRIES: Final = 5


def look(
    store: Store,
    detectors: Sequence[Detector],
    cadence: Cadence,
    progress: Progress | None = None,
    *,
    since: dt.date = dt.date.min,
    until: dt.date,
) -> tuple[dt.date, ...]:
    """Let the detectors of a cadence look on every night that they have not seen, in order; give these nights.

    Where there is none they look once more on their last night, if that is the night after the newest day: days that
    were marked, or that late events changed, count from then on; where nothing is new, nothing changes.

    Detectors of other cadences are not touched, so it does not matter which cadence is the first. When somebody else
    changes the patterns meanwhile, what that one did is kept, and what is then left is gone on with.

    Parameters
    ----------
    store, detectors, cadence
        The home's store, and who looks.
    progress
        Called with "review", the nights seen and the nights to see.
    since
        The first night of a first look, at the earliest.
    until
        The last night.

    Raises
    ------
    ConflictError
        When somebody else changes the patterns again and again without getting any further.
    """
    looking = [one for one in detectors if one.cadence is cadence]
    looked: list[dt.date] = []
    before, tries = None, 0
    while looking:
        nights = store.nights
        tries = 0 if _reached(nights, cadence) != before else tries + 1
        before = _reached(nights, cadence)
        try:
            left = _left(store.days(), cadence, before, since, until)
            looked.extend(look_on(store, looking, cadence, left, nights.revision, progress=progress))
            break
        except ConflictError:
            if tries == _TRIES:
                raise
    return tuple(looked)


def look_on(
    store: Store,
    detectors: Sequence[Detector],
    cadence: Cadence,
    nights: Sequence[dt.date],
    revision: int,
    *,
    progress: Progress | None = None,
) -> Iterator[dt.date]:
    """Let the detectors of a cadence look on some nights, in order; give each when it is done.

    ``revision`` is that of the patterns when it was settled which nights these are.

    Raises
    ------
    ConflictError
        When somebody else changes the patterns meanwhile.
    """
    looking = [one for one in detectors if one.cadence is cadence]
    if not looking or not nights:
        return
    patterns = store.patterns()
    window = Window(store, looking, cadence, nights[0])
    for place, night in enumerate(nights):
        patterns = _looked(looking, window, patterns, night)
        revision = store.put_patterns(cadence.value, night, patterns, revision)
        if progress is not None:
            progress("review", place + 1, len(nights))
        yield night


def _looked(looking: Sequence[Detector], window: Window, patterns: Sequence[Pattern], night: dt.date) -> list[Pattern]:
    history, names = window.history(night), {one.name for one in looking}
    found = [finding for one in looking for finding in one.detect(history) if not given_up(finding, history)]
    touched = [pattern for pattern in patterns if pattern.finding.detector in names]
    others = [pattern for pattern in patterns if pattern.finding.detector not in names]
    return told_once([*others, *reconcile(history.home.id, touched, found, night)])


def _reached(nights: Nights, cadence: Cadence) -> dt.date | None:
    return {Cadence.DAILY: nights.daily, Cadence.WEEKLY: nights.weekly, Cadence.MONTHLY: nights.monthly}[cadence]


def _left(
    records: Sequence[DayRecord], cadence: Cadence, reached: dt.date | None, since: dt.date, until: dt.date
) -> list[dt.date]:
    """Give the nights that a cadence has not seen, up to one; they follow from the day ledger and how far it has been.

    Who has looked before does not look beyond a day that was left for another run: its night would be missed.
    """
    if reached is not None:
        left = [record.date for record in records if record.folded is None and reached < record.date < since]
        until = min([until, *(date - dt.timedelta(days=1) for date in left)])
    folded = [record.date for record in records if record.folded is not None and record.date <= until]
    if reached is None:
        return closing(cadence, [date for date in folded if date >= since][-_MOST_NIGHTS:])
    fresh = [night for night in closing(cadence, folded) if night > reached]
    return fresh or [night for night in folded[-1:] if night == reached]

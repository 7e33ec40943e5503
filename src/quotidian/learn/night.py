"""A night's work: fold what is due, roll up what is over, and see which habits hold."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from quotidian.detect import Detector
from quotidian.detect.reconcile import reconcile
from quotidian.learn.fold import Folded, Progress, fold
from quotidian.learn.periods import closes, roll_up
from quotidian.learn.window import Window
from quotidian.model import Pattern
from quotidian.model.day import moment
from quotidian.store import Retained, Store

#: A first look at a long history reviews its last year, night by night.
_MOST_NIGHTS: Final = 364


class Learned(msgspec.Struct, frozen=True):
    """What a run did. ``nights`` are the last days learned from, one a night that was reviewed."""

    folded: Folded
    periods: int
    nights: tuple[dt.date, ...]
    patterns: tuple[Pattern, ...]
    retained: Retained


def learn(
    store: Store, detectors: Sequence[Detector], now: int, progress: Progress | None = None, *, refold: bool = False
) -> Learned:
    """Do what all nights up to now have left to do.

    Each day is folded once and each night reviewed once, in order, so that a history which is learned at once and one
    that came in day by day end in the same patterns. Killed at any point, the next run goes on.

    Parameters
    ----------
    store, detectors
        The home's store, and who looks for habits.
    now
        The present instant in µs.
    progress
        Called with the stage ("fold", "review"), what is done and what there is to do.
    refold
        Whether every day whose events are still there is folded again.
    """
    store.seal(moment(now, store.home.zone).date())
    folded = fold(store, detectors, now, progress, again=refold)
    days = [record.date for record in store.days() if record.folded is not None]
    if not days:
        return Learned(folded, 0, (), (), Retained(0, 0, 0, 0))
    periods = roll_up(store, detectors, days[0], days[-1])
    nights = _nights(store, days)
    review(store, detectors, nights, progress)
    # Age is counted from the newest day, so that an old export is not thrown away for being old.
    retained = store.retain(days[-1])
    return Learned(folded, periods, tuple(nights), tuple(store.patterns()), retained)


def review(
    store: Store, detectors: Sequence[Detector], nights: Sequence[dt.date], progress: Progress | None = None
) -> None:
    """Review nights in order: what each detector finds continues, begins, or lets fade the patterns.

    Weekly detectors look on the night after a Saturday, monthly ones after the last of a month; between these
    their patterns stay as they are.
    """
    if not nights:
        return
    window = Window(store, detectors, nights[0])
    revision, patterns = store.nights.revision, store.patterns()
    for place, night in enumerate(nights):
        patterns = _reviewed(store, detectors, window, patterns, night)
        revision = store.put_patterns("daily", night, patterns, revision)
        if progress is not None:
            progress("review", place + 1, len(nights))


def _reviewed(
    store: Store, detectors: Sequence[Detector], window: Window, patterns: Sequence[Pattern], night: dt.date
) -> list[Pattern]:
    home = store.home
    looking = {one.name: one for one in detectors if closes(one.cadence, night)}
    histories = {cadence: window.history(cadence, night, home) for cadence in {one.cadence for one in looking.values()}}
    found = [finding for one in looking.values() for finding in one.detect(histories[one.cadence])]
    touched = [pattern for pattern in patterns if pattern.finding.detector in looking]
    others = [pattern for pattern in patterns if pattern.finding.detector not in looking]
    return sorted([*others, *reconcile(home.id, touched, found, night)], key=lambda pattern: pattern.id)


def _nights(store: Store, days: Sequence[dt.date]) -> list[dt.date]:
    """Give the nights that were not reviewed yet; where there is none the last one once more.

    Days that were marked, or that late events changed, count from then on; where nothing is new, nothing changes.
    """
    reviewed = store.nights.daily
    if reviewed is None:
        return list(days)[-_MOST_NIGHTS:]
    return [day for day in days if day > reviewed] or [days[-1]]

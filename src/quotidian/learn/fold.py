"""Each finished day once: its events from layer 1, its integers into layer 2."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from quotidian.detect import ROW, ROW_VERSION, Detector, observe
from quotidian.detect.rollup import roll_up
from quotidian.errors import CorruptStoreError
from quotidian.model import Carry, Day, Integers
from quotidian.model.day import SECOND
from quotidian.store import DayRecord, Store

Progress = Callable[[str, int, int], None]

#: A last day that ends earlier than that before midnight was cut short, and waits for the rest of its events.
_CUT_SHORT: Final = 2 * 3600 * SECOND


class Folded(msgspec.Struct, frozen=True):
    """What a run folded: the days, and the events in them; and a sentence for each day that could not be read."""

    days: tuple[dt.date, ...] = ()
    events: int = 0
    damaged: tuple[str, ...] = ()

    def __add__(self, other: "Folded") -> "Folded":
        return Folded(self.days + other.days, self.events + other.events, self.damaged + other.damaged)


def fold(
    store: Store,
    detectors: Sequence[Detector],
    now: int,
    progress: Progress | None = None,
    *,
    again: bool = False,
    since: dt.date = dt.date.min,
    until: dt.date = dt.date.max,
) -> Folded:
    """Fold every finished day that is due, the oldest first.

    What is due stands in the day ledger, and the store writes it there: a day whose events changed; a day before which
    something else is handed on than before, in the transaction that says so; and every day with events when the
    editions of the detectors are others than before. So whoever is killed, or is not alone, leaves no more than days
    that are due.

    Parameters
    ----------
    store, detectors
        Where events are read and summaries are written, and who folds.
    now
        The present instant in µs: days that end later are not finished.
    progress
        Called with "fold", the days done and the days to do.
    again
        Whether days with events that are not due are folded too.
    since, until
        The first and the last day that may be folded.
    """
    store.set_editions({ROW: ROW_VERSION, **{one.name: one.edition for one in detectors}})
    dates = {date for date in _finished(store, now) if since <= date <= until}
    folded: dict[dt.date, int] = {}
    damaged: list[str] = []
    while due := [one for one in store.days() if one.date in dates and (one.due or (again and one.events))]:
        dates.remove(due[0].date)
        try:
            folded[due[0].date] = _fold_day(store, due[0], detectors)
        except CorruptStoreError as error:
            damaged.append(str(error))
        if progress is not None:
            done = len(folded) + len(damaged)
            progress("fold", done, done + len(due) - 1)
    return Folded(tuple(folded), sum(folded.values()), tuple(damaged))


def _finished(store: Store, now: int) -> list[dt.date]:
    """Give the days that are over, oldest first; the very last one only if it was not cut short."""
    known, zone = [record.date for record in store.days()], store.home.zone
    finished = [date for date in known if Day.of(date, zone).end <= now]
    if finished and finished[-1] == known[-1] and _is_cut_short(store, Day.of(finished[-1], zone)):
        finished.pop()
    return finished


def _is_cut_short(store: Store, day: Day) -> bool:
    return store.events(start=day.end - _CUT_SHORT, end=day.end, limit=1).num_rows == 0


def _fold_day(store: Store, record: DayRecord, detectors: Sequence[Detector]) -> int:
    """Fold a day and store what comes of it; give how many events it has."""
    home = store.home
    day = Day.of(record.date, home.zone)
    events = store.day_events(day)
    carries = store.carries(record.date - dt.timedelta(days=1))
    view, carry = observe(day, events, home, carries.get(ROW, Carry()))
    summaries: dict[str, tuple[int, Integers]] = {ROW: (ROW_VERSION, view.row.integers)}
    handed_on = {ROW: carry}
    for detector in detectors:
        integers, carry = detector.fold(view, carries.get(detector.name, Carry()))
        summaries[detector.name] = (detector.edition, integers)
        handed_on[detector.name] = carry
    rollups = roll_up(view.row, detectors, summaries)
    store.put_day(record.date, summaries, handed_on, record.revision, rollups)
    return events.num_rows

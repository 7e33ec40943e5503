"""Each finished day once: its events from layer 1, its integers into layer 2."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec

from quotidian.detect import ROW, ROW_VERSION, Detector, observe
from quotidian.model import Carry, Day, Integers
from quotidian.model.day import SECOND
from quotidian.store import DayRecord, Store

Progress = Callable[[str, int, int], None]

#: A last day that ends earlier than that before midnight was cut short, and waits for the rest of its events.
_CUT_SHORT = 2 * 3600 * SECOND


class Folded(msgspec.Struct, frozen=True):
    """What a run folded: the days, and the events in them."""

    days: tuple[dt.date, ...]
    events: int


class _FoldedDay(msgspec.Struct, frozen=True):
    """A day that was folded and is not stored yet."""

    record: DayRecord
    summaries: dict[str, tuple[int, Integers]]
    carries: dict[str, Carry]
    events: int


def fold(
    store: Store, detectors: Sequence[Detector], now: int, progress: Progress | None = None, *, again: bool = False
) -> Folded:
    """Fold every finished day that has events which its summaries do not know.

    A day that hands on something else than it did before makes the next one due, until nothing changes any more.

    Parameters
    ----------
    store, detectors
        Where events are read and summaries are written, and who folds.
    now
        The present instant in µs: days that end later are not finished.
    progress
        Called with "fold", the days done and the days to do.
    again
        Whether days that are not due are folded too.
    """
    records = _finished(store, now)
    outdated = {record.date for record in records if record.events} if again else _outdated(store, records, detectors)
    folded: list[dt.date] = []
    events, handed_on, carries = 0, False, dict[str, Carry]()
    held: list[_FoldedDay] = []
    previous: dt.date | None = None
    for place, record in enumerate(records):
        follows = previous == record.date - dt.timedelta(days=1)
        due = record.due or record.date in outdated
        if due or not (handed_on and follows):
            _put(store, held)
        if due or (handed_on and follows):
            if not follows:
                carries = {}
            elif not (folded and folded[-1] == previous):
                carries = store.carries(record.date - dt.timedelta(days=1))
            day = _fold_day(store, record, detectors, carries)
            carries = day.carries
            handed_on = carries != store.carries(record.date)
            held.append(day)
            folded.append(record.date)
            events += day.events
        else:
            handed_on = False
        previous = record.date
        if progress is not None:
            progress("fold", place + 1, len(records))
    _put(store, held)
    return Folded(tuple(folded), events)


def _put(store: Store, held: list[_FoldedDay]) -> None:
    """Store a day and those that were folded only because of it, the last one first.

    The day itself is due until the end, so whoever is killed in between folds all of them again.
    """
    while held:
        day = held.pop()
        store.put_day(day.record.date, day.summaries, day.carries, day.record.revision)


def _finished(store: Store, now: int) -> list[DayRecord]:
    """Give the days that are over, oldest first; the very last one only if it was not cut short."""
    known = store.days()
    records = [record for record in known if Day.of(record.date, store.home.zone).end <= now]
    if records and records[-1] == known[-1] and _is_cut_short(store, records[-1]):
        records.pop()
    return records


def _is_cut_short(store: Store, record: DayRecord) -> bool:
    day = Day.of(record.date, store.home.zone)
    return store.events(start=day.end - _CUT_SHORT, end=day.end, limit=1).num_rows == 0


def _outdated(store: Store, records: Sequence[DayRecord], detectors: Sequence[Detector]) -> set[dt.date]:
    """Give the days with events whose summaries were made by another version of a detector.

    Days before the first one that every detector knows have expired.
    """
    kept = [(ROW, ROW_VERSION), *((one.name, one.version) for one in detectors)]
    known = frozenset.intersection(*(store.summarised(name, version) for name, version in kept))
    oldest = min(known, default=dt.date.min)
    return {record.date for record in records if record.events and record.date > oldest} - known


def _fold_day(
    store: Store, record: DayRecord, detectors: Sequence[Detector], carries: Mapping[str, Carry]
) -> _FoldedDay:
    day = Day.of(record.date, store.home.zone)
    events = store.day_events(day)
    view, carry = observe(day, events, store.home, carries.get(ROW, Carry()))
    summaries: dict[str, tuple[int, Integers]] = {ROW: (ROW_VERSION, view.row.integers)}
    handed_on = {ROW: carry}
    for detector in detectors:
        integers, carry = detector.fold(view, carries.get(detector.name, Carry()))
        summaries[detector.name] = (detector.version, integers)
        handed_on[detector.name] = carry
    return _FoldedDay(record, summaries, handed_on, events.num_rows)

"""Days that are folded in memory, one after the other, as learning does it night by night."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from quotidian.detect import DayRow, DayView, Detector, observe
from quotidian.model import Carry, Day, Home, Integers, Summary


def observed(home: Home, tables: Iterable[tuple[Day, pa.Table]]) -> Iterator[DayView]:
    """Observe days of events, each on top of what the day before handed on."""
    seen = Carry()
    for day, events in tables:
        view, seen = observe(day, events, home, seen)
        yield view


def folded(views: Iterable[DayView], detectors: Sequence[Detector]) -> tuple[tuple[DayRow, ...], dict[str, Summary]]:
    """Fold days that follow one another: the shared rows, and what each detector keeps beside them, by its name."""
    keeping = [detector for detector in detectors if detector.keeps]
    carries = {detector.name: Carry() for detector in keeping}
    kept: dict[str, dict[int, Integers]] = {detector.name: {} for detector in keeping}
    rows = []
    for view in views:
        rows.append(view.row)
        for detector in keeping:
            integers, carries[detector.name] = detector.fold(view, carries[detector.name])
            kept[detector.name][view.row.ordinal] = integers
    return tuple(rows), {one.name: Summary(one.name, one.edition, kept[one.name]) for one in keeping}

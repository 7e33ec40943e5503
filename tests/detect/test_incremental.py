"""The law that incremental is exact: whatever the course of the nights, what is kept equals one pass over all days."""

from functools import cache
from typing import Self, TypeVar

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from quotidian.detect import Detector, detectors, observe
from quotidian.detect.dayrow import ROW, ROW_VERSION
from quotidian.model import Carry, Day, Home, Integers, Summary

from .building import table_of_events
from .sampled import every_detector, folded, sample, some_examples, told

#: So many days are enough for whatever is handed on to reach some other day.
DAYS = 5
#: What may happen in a night: the next day is folded, a day is folded again, late events come, the program restarts.
NIGHTS = ("next", "again", "late", "restart")


Key = TypeVar("Key", int, str)


class Ledger:
    """Days folded for all detectors with everything that they handed on, as a nightly job keeps them."""

    def __init__(self, home: Home, tables: dict[int, pa.Table]) -> None:
        self.home, self.tables = home, dict(tables)
        self.rows: dict[int, Integers] = {}
        self.kept: dict[int, dict[str, Integers]] = {}
        self.carries: dict[int, dict[str, Carry]] = {}

    def fold(self, ordinal: int) -> bool:
        """Fold a day; tell whether it hands on something else than before."""
        before = self.carries.get(ordinal - 1, {})
        day = Day.from_ordinal(ordinal, self.home.zone)
        view, seen = observe(day, self.tables[ordinal], self.home, before.get(ROW, Carry()))
        folded = {one.name: one.fold(view, before.get(one.name, Carry())) for one in detectors()}
        handed_on = {ROW: seen, **{name: carry for name, (_, carry) in folded.items()}}
        self.rows[ordinal] = view.row.integers
        self.kept[ordinal] = {name: integers for name, (integers, _) in folded.items()}
        changed = self.carries.get(ordinal) != handed_on
        self.carries[ordinal] = handed_on
        return changed

    def fold_all(self) -> None:
        """Fold every day once."""
        for ordinal in self.tables:
            self.fold(ordinal)

    def refold(self, first: int) -> int:
        """Fold a day again, then following ones until what they hand on is unchanged; give the number of days."""
        last = max(self.rows)
        for ordinal in range(first, last + 1):
            if not self.fold(ordinal):
                return ordinal - first + 1
        return last - first + 1

    def receive(self, ordinal: int, late: pa.Table) -> None:
        """Take late events in; where their day was folded before, fold it again."""
        self.tables[ordinal] = pa.concat_tables([self.tables[ordinal], late])
        if ordinal in self.rows:
            self.refold(ordinal)

    def restarted(self) -> Self:
        """Give what can be read back of what was stored as bytes."""
        again = type(self)(self.home, self.tables)
        again.rows = _read_back(self.rows)
        again.kept = {ordinal: _read_back(kept) for ordinal, kept in self.kept.items()}
        again.carries = {ordinal: _read_back(carries) for ordinal, carries in self.carries.items()}
        return again

    def stored(self) -> tuple[object, ...]:
        """Give all that is kept, as bytes."""
        kept, carries = (
            [(ordinal, name, one.encode()) for ordinal in sorted(days) for name, one in sorted(days[ordinal].items())]
            for days in (self.kept, self.carries)
        )
        return [(ordinal, self.rows[ordinal].encode()) for ordinal in sorted(self.rows)], kept, carries


def _read_back(kept: dict[Key, Integers]) -> dict[Key, Integers]:
    return {key: Integers.decode(integers.encode()) for key, integers in kept.items()}


def some_days(count: int) -> dict[int, pa.Table]:
    """Give the events of the first days of the sample."""
    return dict(list(sample()[1].items())[:count])


@cache
def one_pass() -> Ledger:
    """Give the days as they are when each is folded once with all its events."""
    ledger = Ledger(sample()[0], some_days(DAYS))
    ledger.fold_all()
    return ledger


day = st.integers(0, DAYS - 1)


@some_examples
@given(
    held=st.sets(st.tuples(day, st.integers(0, 50)), max_size=12),
    nights=st.lists(st.tuples(st.sampled_from(NIGHTS), day), max_size=12),
)
def test_any_course_of_nights_is_one_pass(held: set[tuple[int, int]], nights: list[tuple[str, int]]) -> None:
    """Random cuts with all stored as bytes, days folded again, late events: every detector keeps the same bytes."""
    tables, late = {}, {}
    for place, (ordinal, table) in enumerate(some_days(DAYS).items()):
        rows = [row for row in range(table.num_rows) if (place, row) in held]
        tables[ordinal] = table.take([row for row in range(table.num_rows) if row not in rows])
        late[ordinal] = table.take(pa.array(rows, pa.int64()))
    ledger = Ledger(sample()[0], tables)
    first = min(tables)
    for night, number in nights:
        if night == "next" and len(ledger.rows) < DAYS:
            ledger.fold(first + len(ledger.rows))
        elif night == "again" and first + number in ledger.rows:
            ledger.refold(first + number)
        elif night == "late" and first + number in late:
            ledger.receive(first + number, late.pop(first + number))
        elif night == "restart":
            ledger = ledger.restarted()
    for ordinal in range(first + len(ledger.rows), first + DAYS):
        ledger.fold(ordinal)
    for ordinal, events in late.items():
        ledger.receive(ordinal, events)
    assert ledger.stored() == one_pass().stored()


@some_examples
@given(
    day=day,
    hour=st.one_of(st.floats(0, 23.9), st.floats(23.4, 23.99)),
    state=st.sampled_from(["on", "off"]),
)
def test_a_late_event_refolds_until_nothing_changes(day: int, hour: float, state: str) -> None:
    """A late event refolds its day and those after it until the carry is unchanged; that equals one pass over all."""
    home, tables = sample()[0], some_days(DAYS)
    ledger = one_pass().restarted()
    ordinal = min(tables) + day
    start = Day.from_ordinal(ordinal, home.zone).start
    ledger.receive(ordinal, table_of_events([(start + int(hour * 3.6e9) + 7, "light.kitchen", state, "physical")]))
    whole = Ledger(home, ledger.tables)
    whole.fold_all()
    assert ledger.stored() == whole.stored()


def test_a_day_that_hands_on_the_same_ends_the_refolding() -> None:
    """A day folded again without anything new is one fold, and changes nothing."""
    ledger = one_pass().restarted()
    assert ledger.refold(min(ledger.rows)) == 1
    assert ledger.stored() == one_pass().stored()


@cache
def night_by_night() -> Ledger:
    """Give two weeks folded a day a night, with a restart every night."""
    home, tables = sample()
    ledger = Ledger(home, tables)
    for ordinal in tables:
        ledger.fold(ordinal)
        ledger = ledger.restarted()
    return ledger


@every_detector
def test_night_by_night_is_one_pass(detector: Detector) -> None:
    """Folding a day a night, with everything stored as bytes and merged in between, finds what one pass finds."""
    ledger = night_by_night()
    rows, kept = Summary(ROW, ROW_VERSION), Summary(detector.name, detector.version)
    for ordinal in ledger.rows:
        rows = Summary(ROW, ROW_VERSION, {ordinal: ledger.rows[ordinal]}).merged(rows)
        if detector.keeps:
            day = {ordinal: ledger.kept[ordinal][detector.name]}
            kept = detector.merge(Summary(kept.detector, kept.version, day), kept)
    assert (rows, kept) == folded(detector.name)
    assert told(detector, rows, kept) == told(detector, *folded(detector.name))

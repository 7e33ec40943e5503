"""Layer 1: the events, some in SQLite and the others in sealed days."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from quotidian import clock
from quotidian.model import Day
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.model.event import EVENT_SCHEMA
from quotidian.store.embedded.archive import Archive, DamagedDayError, DroppedDayError, SealedFile
from quotidian.store.embedded.arrived import Arrived
from quotidian.store.embedded.arrow import chosen, instants
from quotidian.store.embedded.copies import STORED_SCHEMA, Coded, difference, united
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.hot import Hot
from quotidian.store.embedded.intake import Intake, between, days_of
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.embedded.mention import Mention
from quotidian.store.embedded.tally import Tally
from quotidian.store.protocols import Appended, Checkpoint

#: So many rows of a day that is over are written straight into its file, …
BULK_ROWS: Final = 2_000
#: … if they are no less than this share of what it holds: rewriting then costs each row a bounded number of copies.
BULK_SHARE: Final = 8
#: The label of a day whose file was damaged.
DAMAGED: Final = "damaged"
_MILLISECOND: Final = 1000
_DAY: Final = DAY_SECONDS * SECOND
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class Events:
    """The events of one home in one zone."""

    def __init__(self, database: Database, files: Archive, intake: Intake, zone: str) -> None:
        self._database = database
        self._files = files
        self._intake = intake
        self._ledger = Ledger(database)
        self._tally = Tally(database)
        self.hot = Hot(database)
        self.arrived = Arrived(database)
        self.zone = zone

    def append(self, events: pa.Table, checkpoint: Checkpoint | None) -> Appended:
        """Add events; see ``Store.append``."""
        today = Day.containing(clock.now(), self.zone).ordinal
        kept = self._intake.kept(events)
        total = Appended(0, 0, events.num_rows - kept.num_rows)
        with self._files.switching(), self._database.transaction():
            for day, rows in days_of(kept, self.zone):
                record = self._ledger.day(day.ordinal)
                bulk = day.ordinal < today and rows.num_rows >= max(BULK_ROWS, record.events // BULK_SHARE)
                before, after = self._append_bulk(day, record, rows) if bulk else self.unite(record, rows)
                more = after.num_rows - before.num_rows
                if more:
                    self._tally.add(day.ordinal, Counter(imported=more))
                total += Appended(max(0, more), rows.num_rows - max(0, more))
            if checkpoint is not None:
                self._database.execute(
                    "INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (checkpoint.source, checkpoint.position)
                )
        return total

    def _append_bulk(self, day: Day, record: LedgerDay, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Unite rows with all that is known of their day, and write its file anew."""
        before = self.all(day, record)
        after = united([before, rows])
        if after.num_rows != before.num_rows or difference(before, after)[1].any():
            self._write(day, record.changed(after.num_rows), after)
        return before, after

    def unite(self, record: LedgerDay, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Unite rows with what is known of their milliseconds, and put what changed beside the day's file.

        Give what was known before and what is known after.
        """
        before = united([self._near(record, instants(rows))])
        after = united([before, rows])
        gone, changed = difference(before, after)
        if gone.any() or changed.any():
            self.hot.remove(chosen(before, gone))
            self.hot.put(chosen(after, changed))
            self._ledger.put(record.changed(record.events + after.num_rows - before.num_rows))
        return before, after

    def _near(self, record: LedgerDay, updated: Ints) -> pa.Table:
        hot = self.hot.near(updated)
        if record.sealed is None:
            return hot
        sealed = self._sealed(record)
        milliseconds = instants(sealed) // _MILLISECOND
        return pa.concat_tables([hot, chosen(sealed, np.isin(milliseconds, updated // _MILLISECOND))])

    def _write(self, day: Day, record: LedgerDay, events: pa.Table) -> None:
        if record.sealed is not None:
            self._files.replace(record.date, record.sealed)
        sealed = self._files.write(record.date, events) if events.num_rows else None
        self._ledger.put(record.with_sealed(sealed))
        self.hot.clear(day.start, day.end)
        self.arrived.prune(day.start, day.end)

    @contextmanager
    def setting_aside(self) -> Iterator[None]:
        """Set a day's file aside when it turns out to be damaged within, and mark the day.

        A day that was learned from, and then dropped for its age, only goes, as it does by retention.
        """
        try:
            yield
        except DamagedDayError as error:
            record = self._ledger.day(Day.of(error.date, self.zone).ordinal)
            if isinstance(error, DroppedDayError) and not record.due:
                self._let_go(record)
            else:
                self._set_aside(Day.of(error.date, self.zone))
            raise

    def _let_go(self, record: LedgerDay) -> None:
        with self._files.switching(), self._database.transaction():
            self.drop(record)
            self._ledger.prune([record.ordinal])

    def _set_aside(self, day: Day) -> None:
        record = self._ledger.day(day.ordinal)
        if record.sealed is None:
            return
        with self._database.transaction():
            rest = self.hot.between(day.start, day.end).num_rows
            self._ledger.put(record.with_sealed(None)._replace(events=rest))
            self._tally.add(day.ordinal, Counter(removed=record.events - rest))
            self._database.execute("INSERT OR IGNORE INTO mark VALUES (?, ?)", (day.ordinal, DAMAGED))
            # Sources that were read to their end are read once more, and bring the day back.
            self._database.execute("DELETE FROM checkpoint")
        self._files.quarantine(record.date, record.sealed)

    def seal(self, before: dt.date) -> list[dt.date]:
        """Move the events of days before a date into their files; a damaged day does not keep others from it."""
        end, start = Day.of(before, self.zone).start, -(1 << 62)
        sealed: list[dt.date] = []
        damage: DamagedDayError | None = None
        while (first := self.hot.first(start, end)) is not None:
            day = Day.containing(first, self.zone)
            start = day.end
            try:
                with self.setting_aside():
                    self._seal(day)
                sealed.append(day.date)
            except DamagedDayError as error:
                damage = damage or error
        if sealed:
            with self._database.transaction():
                self.hot.collect()
        if damage is not None:
            raise damage
        return sealed

    def _seal(self, day: Day) -> None:
        record = self._ledger.day(day.ordinal)
        events = self.all(day, record)
        with self._files.switching(), self._database.transaction():
            self._write(day, record._replace(events=events.num_rows), events)

    def settle(self) -> dt.date | None:
        """Move a day that does not lie where it is to lie, and give it; ``None`` when all do.

        Those come first that are to be moved back, since they will be dropped where they are; then the newest.
        """
        for record in sorted(self.astray(), key=lambda record: (record.elsewhere, record.ordinal), reverse=True):
            sealed = record.sealed
            if sealed is not None and self._moved(Day.from_ordinal(record.ordinal, self.zone), record, sealed):
                return record.date
        return None

    def _moved(self, day: Day, record: LedgerDay, sealed: SealedFile) -> bool:
        """Move a day; tell whether it does not lie where it did any more."""
        try:
            with self._files.switching():
                moved = self._files.move(day, sealed)
                if moved != sealed:
                    with self._database.transaction():
                        self._files.replace(record.date, sealed)
                        self._ledger.put(record.with_sealed(moved))
        except DroppedDayError:
            if record.due:
                raise
            self._let_go(record)
            return True
        return moved != sealed

    def astray(self) -> list[LedgerDay]:
        """Give the days that do not lie where they are to lie."""
        days = [(record, record.sealed) for record in self._ledger.days()]
        return [record for record, sealed in days if sealed is not None and self._astray(record, sealed)]

    def _astray(self, record: LedgerDay, sealed: SealedFile) -> bool:
        return self._files.misplaced(Day.from_ordinal(record.ordinal, self.zone), sealed)

    def check(self, record: LedgerDay) -> str:
        """Read a day, and say what is wrong with it; empty where nothing is."""
        try:
            with self.setting_aside():
                found = self.all(Day.from_ordinal(record.ordinal, self.zone), record).num_rows
        except DamagedDayError as error:
            return str(error)
        if found == record.events:
            return ""
        return (
            f"The ledger counts {record.events:,} events on {record.date}, and {found:,} are there. Import them again."
        )

    def drop(self, record: LedgerDay) -> None:
        """Remove a day's events from the store; to be called within a switch of the files and a transaction."""
        self._write(Day.from_ordinal(record.ordinal, self.zone), record._replace(events=0, expired=1), _none())

    def forget(self, entity_id: str, progress: Callable[[int, int], None]) -> tuple[int, set[int]]:
        """Take an entity out of all days, within a switch and a transaction; give the rows and the changed days."""
        records = [record for record in self._ledger.days() if record.events]
        mention, rows, days = Mention(entity_id), 0, set()
        for done, record in enumerate(records, 1):
            day = Day.from_ordinal(record.ordinal, self.zone)
            before = self.all(day, record)
            after = _without(before, entity_id, mention)
            if not after.equals(before):
                self._rewrite(day, record._replace(events=after.num_rows), after)
                gone = before.num_rows - after.num_rows
                rows += gone
                self._tally.add(record.ordinal, Counter(removed=gone))
                days.add(record.ordinal)
            progress(done, len(records))
        self.arrived.collect()
        self.hot.collect()
        return rows, days

    def _rewrite(self, day: Day, record: LedgerDay, events: pa.Table) -> None:
        # Uniting drops the words that are not in use any more.
        events = united([events])
        if record.sealed is not None:
            self._write(day, record, events)
        else:
            self._ledger.put(record)
            self.hot.clear(day.start, day.end)
            self.hot.put(events)

    def rezone(self, zone: str) -> None:
        """Part all events into the days of another zone, within a switch and a transaction."""
        old = [(Day.from_ordinal(record.ordinal, self.zone), record) for record in self._ledger.days()]
        near = {day.ordinal + shift for day, record in old if record.events for shift in (-1, 0, 1)}
        # Whoever folds a day of the old zone right now has not folded that of the new one.
        revision = 1 + max((record.revision for _, record in old), default=0)
        self._ledger.clear()
        for _, record in old:
            if record.sealed is not None:
                self._files.replace(record.date, record.sealed)
        for ordinal in sorted(near):
            self._regroup(Day.from_ordinal(ordinal, zone), old, revision)
        self._tally.follow()

    def _regroup(self, new: Day, old: list[tuple[Day, LedgerDay]], revision: int) -> None:
        sealed = [self._sealed(record) for day, record in old if day.start < new.end and new.start < day.end]
        sealed = [chosen(part, between(part, new.start, new.end)) for part in sealed]
        events = united([*sealed, self.hot.between(new.start, new.end)])
        record = LedgerDay(new.ordinal, events.num_rows, revision=revision)
        if any(part.num_rows for part in sealed):
            self._write(new, record, events)
        elif events.num_rows:
            self._ledger.put(record)

    def day_events(self, day: Day) -> pa.Table:
        """Give a day's events, sorted by (entity id, last updated)."""
        parts = [self.all(own, record) for own, record in self.days(day.start, day.end)]
        events = parts[0] if len(parts) == 1 else united(parts)
        inside = between(events, day.start, day.end)
        return plain(events if inside.all() else united([chosen(events, inside)]))

    def days(self, start: int, end: int) -> list[tuple[Day, LedgerDay]]:
        """Give the days of the ledger that have an instant from start to before end, oldest first."""
        # A local day begins and ends within a day of the one of Greenwich.
        near = self._ledger.days(_EPOCH + start // _DAY - 1, _EPOCH + end // _DAY + 1)
        days = [(Day.from_ordinal(record.ordinal, self.zone), record) for record in near]
        return [(day, record) for day, record in days if day.start < end and start < day.end and record.events]

    def all(self, day: Day, record: LedgerDay) -> pa.Table:
        """Give all events of a day of the ledger, as the store keeps them."""
        hot = self.hot.between(day.start, day.end)
        if record.sealed is None:
            return united([hot])
        sealed = self._sealed(record)
        return united([sealed, hot]) if hot.num_rows else sealed

    def _sealed(self, record: LedgerDay) -> pa.Table:
        return _none() if record.sealed is None else self._files.read(record.date, record.sealed)


def _without(events: pa.Table, entity_id: str, mention: Mention) -> pa.Table:
    """Take an entity's rows out, and its name out of the causes and attributes of others."""
    events = chosen(events, ~named(events["entity_id"], entity_id.__eq__))
    for name in ("cause_entity", "attributes", "registry"):
        rows = named(events[name], mention)
        if rows.any():
            words = Coded.of(events[name])
            column = Coded(np.where(rows, -1, words.codes), words.words).column()
            events = events.set_column(events.schema.get_field_index(name), EVENT_SCHEMA.field(name), column)
    return events


def named(column: Any, found: Callable[[str], bool]) -> Bools:
    """Tell for each row whether its word is one that is looked for."""
    words = Coded.of(column)
    return np.array([*map(found, words.spelled()), False], bool)[words.codes]


def _none() -> pa.Table:
    return STORED_SCHEMA.empty_table()


def plain(events: pa.Table) -> pa.Table:
    """Give events without what only the store needs."""
    return events.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA)

"""Days that are over, in InfluxDB.

A day is first sealed in a file of ours, in one transaction with the books, and moved when InfluxDB is there: written in
batches that can be written again, read back, compared, and only then named in the ledger, as ``influx:`` and its span.
So neither an event nor a night ever waits for InfluxDB, and whatever breaks off in between leaves the file: it counts.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from quotidian import clock
from quotidian.errors import StoreRefusedError
from quotidian.model import Day, DeadLetter
from quotidian.store.embedded.archive import ELSEWHERE, DamagedDayError, DroppedDayError, SealedFile
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.embedded.letters import Letters
from quotidian.store.embedded.place import PRIVATE, disk_errors
from quotidian.store.embedded.sealed import SealedDays
from quotidian.store.influx import flux, lines
from quotidian.store.influx.flux import Query
from quotidian.store.influx.mirror import Mirror
from quotidian.store.influx.place import Place
from quotidian.store.influx.recent import Recent
from quotidian.store.influx.server import BATCH, Refused

#: The stream of which the dead letters are that InfluxDB refused.
STREAM: Final = "influxdb"
#: Where more are to be deleted of a day, all of it is, and written again.
_MOST_SPANS: Final = 100
_REFUSED: Final = "InfluxDB does not take it, so its day stays in a file:"
_REMEDY: Final = (
    "What InfluxDB still had was set aside in the directory quarantine of the store; "
    "import the sources of that day again."
)

_DROPPED: Final = "Import the sources of that day again to have them back."


class _Point(NamedTuple):
    """Which event it is, and its record."""

    entity_id: str
    updated: int
    record: str


class InfluxDays:
    """The days of one home that are over: in InfluxDB as long as it keeps them, else in our own files.

    Parameters
    ----------
    files
        Our own files.
    place
        Where in InfluxDB.
    database
        The books.
    directory
        The store's.
    mirror
        What shows today's events there.
    here
        Whether all days are to lie in our own files again.
    """

    def __init__(
        self,
        files: SealedDays,
        place: Place,
        database: Database,
        directory: Path,
        mirror: Mirror,
        *,
        here: bool = False,
    ) -> None:
        self._files, self._place, self._database = files, place, database
        self._directory, self._mirror, self._here = directory, mirror, here
        self._recent: Final = Recent(database, files, outlived=place.outlived)
        self._ledger: Final = Ledger(database)
        self._left: dict[dt.date, int] = {}
        self._moved: dict[dt.date, SealedFile] = {}
        self._damaged: dict[dt.date, list[_Point]] = {}

    @contextmanager
    def switching(self) -> Iterator[None]:
        """Keep what is written within and remove what it replaces; when it fails, the other way round."""
        with self._files.switching():
            try:
                yield
            finally:
                self._left, self._moved = {}, {}

    def write(self, date: dt.date, events: pa.Table) -> SealedFile:
        """Keep a day's events in a file of ours, until they are moved."""
        number = self._left.pop(date, None)
        if number is not None:
            # What is not in the day any more goes when the day is moved.
            self._place.spare(number)
        return self._files.write(date, events)

    def read(self, date: dt.date, sealed: SealedFile) -> pa.Table:
        """Give a day's events again.

        Raises
        ------
        DamagedDayError
            When they are not what was written.
        UnreachableError, AccessError, SettingError, StoreRefusedError
            When InfluxDB does not answer, or not as it should.
        """
        if not sealed.file.startswith(ELSEWHERE):
            return self._files.read(date, sealed)
        recent = self._recent.read(date, sealed)
        if recent is not None:
            return recent
        # A day is given up for one answer that is not whole, so it is asked for twice.
        for _ in range(2):
            found = self._points(*_span(sealed.file))
            if _sealed(found, sealed.file) == sealed:
                return lines.recorded(point.record for point in found)
        if self._place.dropped("RAW", _span(sealed.file)[0]):
            what = f"InfluxDB at {self._place.server.url} has dropped them for their age."
            raise DroppedDayError(date, what, _DROPPED)
        self._damaged[date] = found
        what = f"InfluxDB at {self._place.server.url} does not hold what was written."
        raise DamagedDayError(date, what, _REMEDY)

    def _points(self, start: int, end: int) -> list[_Point]:
        """Give what InfluxDB holds of a span, by (entity id, last updated)."""
        bucket = self._place.bucket("RAW")
        found = self._place.server.query(day_query(bucket, self._place.home, start, end), bucket)
        records = found.get("_value", [])
        try:
            events = lines.recorded(records)
        except ValueError:
            # Not all of them are ours.
            records = [record for record in records if _ours(record)]
            events = lines.recorded(records)
        return sorted(_described(events, records))

    def replace(self, date: dt.date, sealed: SealedFile) -> None:
        """Remove a day at the end of the switch; in InfluxDB, as soon as it is there."""
        if not sealed.file.startswith(ELSEWHERE):
            self._place.pardon(sealed.file)
            moved = self._moved.get(date)
            if moved is None or not self._recent.keep(date, moved, sealed):
                self._files.replace(date, sealed)
            return
        self._recent.drop(date)
        start, end = _span(sealed.file)
        number = self._place.leave("RAW", self._own(), start, end - 1)
        if not self._here and self._place.lasting("RAW", start):
            self._left[date] = number

    def _own(self, **tags: str) -> str:
        return flux.predicate(measurement=lines.EVENTS, home=lines.tag(self._place.home), **tags)

    def alone(self, date: dt.date, sealed: SealedFile) -> bool:
        """Tell whether a day lies in InfluxDB only."""
        return sealed.file.startswith(ELSEWHERE) and not self._recent.has(date, sealed)

    def misplaced(self, day: Day, sealed: SealedFile) -> bool:
        """Tell whether a day is to lie somewhere else by now."""
        there = sealed.file.startswith(ELSEWHERE)
        wanted = not self._here and self._place.lasting("RAW", day.start) and not self._place.refused(sealed.file)
        return there != wanted

    def move(self, day: Day, sealed: SealedFile) -> SealedFile:
        """Keep a misplaced day's events where they are to lie.

        Give it as it was when InfluxDB refuses one of the events for good, which becomes a dead letter.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            When InfluxDB does not answer, or not as it should; a later call goes on.
        """
        events = self.read(day.date, sealed)
        if sealed.file.startswith(ELSEWHERE):
            return self._files.write(day.date, events)
        self._mirror.wait()
        self._place.tidy()
        wanted = _described(events, lines.records(events))
        there = self._changed(day, self._points(day.start, day.end), {*wanted})
        refused = self._written(events, wanted, there)
        if refused:
            self._keep_here(sealed, refused)
            return sealed
        moved = self._moved[day.date] = self._compared(day, wanted)
        return moved

    def _changed(self, day: Day, found: Sequence[_Point], wanted: set[_Point]) -> set[_Point]:
        """Delete what InfluxDB holds of a day and is not wanted; give what stays there.

        Also a point that says something else by now is deleted first, since one that is written again keeps what the
        new one does not have.
        """
        bucket = self._place.bucket("RAW")
        stays = wanted.intersection(found)
        spans = _spans(found, stays)
        if len(spans) > _MOST_SPANS:
            self._place.server.delete(bucket, self._own(), day.start, day.end - 1)
            return set()
        for entity_id, start, last in spans:
            self._place.server.delete(bucket, self._own(entity_id=lines.tag(entity_id)), start, last)
        return stays

    def _written(self, events: pa.Table, wanted: Sequence[_Point], there: set[_Point]) -> list[Refused]:
        for start in range(0, events.num_rows, BATCH):
            missing = [row for row, point in enumerate(wanted[start : start + BATCH], start) if point not in there]
            records = [wanted[row].record for row in missing]
            long = [record for record in records if len(record) > lines.LONGEST]
            if long:
                return [Refused(record.encode(), "It is longer than InfluxDB takes.") for record in long]
            part = events.take(pa.array(missing, pa.int64()))
            refused = self._place.server.write(self._place.bucket("RAW"), lines.events(self._place.home, part, records))
            if refused:
                return refused
        return []

    def _keep_here(self, sealed: SealedFile, refused: Sequence[Refused]) -> None:
        now = clock.now()
        letters = [
            DeadLetter(seq=0, arrived=now, reason=f"{_REFUSED} {one.reason}", text=one.line.decode()) for one in refused
        ]
        with self._database.transaction():
            self._place.refuse(sealed.file, refused[0].reason)
            self._database.execute(
                "INSERT OR IGNORE INTO stream (name, high, arrived, span, ordinal) VALUES (?, 0, 0, 0, 0)", (STREAM,)
            )
            number = self._database.value("SELECT id FROM stream WHERE name = ?", (STREAM,))
            Letters(self._database).add(number, letters)

    def _compared(self, day: Day, wanted: Sequence[_Point]) -> SealedFile:
        """Read a day back, and name it if InfluxDB holds what was wanted."""
        found = self._points(day.start, day.end)
        if found != wanted:
            raise StoreRefusedError(
                f"InfluxDB at {self._place.server.url} does not hold what was written of {day.date}: "
                f"{len(found)} events in place of {len(wanted)}.",
                "The day stays in a file of ours; see InfluxDB's log.",
            )
        return _sealed(found, f"{ELSEWHERE}{day.start}:{day.end}")

    def forget(self, entity_id: str) -> None:
        """Take an entity out of what is kept beside the days: what was shown of today is shown anew without it."""
        self._place.leave("RAW", self._own(entity_id=lines.tag(entity_id)), flux.FIRST, flux.LAST)
        for start, last in self._unnamed():
            # What others did may name it: of today, of days that lie in files by now, of before a restore.
            self._place.leave("RAW", self._own(), start, last)
        self._mirror.again()

    def _unnamed(self) -> Iterator[tuple[int, int]]:
        """Give the spans, first and last instant (µs), of which the ledger names nothing in InfluxDB."""
        start = flux.FIRST
        for record in self._ledger.days():
            if record.sealed is not None and record.sealed.file.startswith(ELSEWHERE):
                first, end = _span(record.sealed.file)
                if start < first:
                    yield start, first - 1
                start = end
        yield start, flux.LAST

    def quarantine(self, date: dt.date, sealed: SealedFile) -> None:
        """Set a damaged day aside."""
        if not sealed.file.startswith(ELSEWHERE):
            self._files.quarantine(date, sealed)
            return
        start, end = _span(sealed.file)
        aside = self._directory / "quarantine" / f"{date}-influx.jsonl"
        with disk_errors(self._directory):
            aside.parent.mkdir(mode=PRIVATE, exist_ok=True)
            aside.write_text("".join(f"{point.record}\n" for point in self._damaged.pop(date, [])))
        self._place.leave("RAW", self._own(), start, end - 1)

    def discard_quarantine(self, before: dt.date = dt.date.max) -> None:
        """Remove what was set aside of days before a date."""
        self._files.discard_quarantine(before)

    def sweep(self, named: set[tuple[dt.date, str]]) -> None:
        """Remove every file that the ledger does not name."""
        files = {(date, name) for date, name in named if not name.startswith(ELSEWHERE)}
        self._files.sweep(files | self._recent.named())

    def tidy(self) -> None:
        """Remove files that were kept beside InfluxDB for long enough; where it has lost their day, they count again.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            When InfluxDB does not answer, or not as it should.
        """
        for date, file in self._recent.old():
            record = self._ledger.day(date.toordinal())
            if self._lost(record, file):
                with self._database.transaction():
                    self._ledger.put(record.with_sealed(file))
                    self._recent.release(date)
            else:
                self._recent.prune(date)

    def _lost(self, record: LedgerDay, file: SealedFile) -> bool:
        """Tell whether InfluxDB holds another number of events of a day than its file, which is sound."""
        sealed = record.sealed
        if sealed is None or self._recent.read(record.date, sealed) is None:
            return False
        bucket = self._place.bucket("RAW")
        counted = self._place.server.query(day_query(bucket, self._place.home, *_span(sealed.file)).count(), bucket)
        return sum(map(int, counted.get("_value", []))) != self._files.read(record.date, file).num_rows


def day_query(bucket: str, home: str, start: int, end: int) -> Query:
    """Ask for the records of a home's events from start to before end (µs)."""
    query = Query(bucket, start, end).where("_measurement", lines.EVENTS).where("home", lines.tag(home))
    return query.where("_field", lines.RECORD).keep("_value")


def _described(events: pa.Table, records: Sequence[str]) -> list[_Point]:
    names: list[Any] = events["entity_id"].to_pylist()
    times: list[Any] = events["last_updated"].to_pylist()
    return [_Point(*point) for point in zip(names, times, records, strict=True)]


def _spans(found: Sequence[_Point], stays: set[_Point]) -> list[tuple[str, int, int]]:
    """Give the spans of each entity's points (sorted) that do not stay, in which there is none that does."""
    spans: list[tuple[str, int, int]] = []
    before: _Point | None = None
    for point in found:
        if point in stays:
            before = None
        elif before is not None and before.entity_id == point.entity_id:
            spans[-1] = (point.entity_id, spans[-1][1], point.updated)
            before = point
        else:
            spans.append((point.entity_id, point.updated, point.updated))
            before = point
    return spans


def _span(name: str) -> tuple[int, int]:
    start, _, end = name.removeprefix(ELSEWHERE).partition(":")
    return int(start), int(end)


def _sealed(points: Sequence[_Point], name: str) -> SealedFile:
    """Name a day by what is in it: the digest is that of the records, in order."""
    digest = blake2b(digest_size=16)
    size = 0
    for point in points:
        digest.update(f"{point.record}\n".encode())
        size += len(point.record)
    return SealedFile(name, max(1, size), digest.digest())


def _ours(record: str) -> bool:
    try:
        lines.recorded([record])
    except ValueError:
        return False
    return True

"""A moment of a store: its database copied, its files of days linked, in the twinkling that deliveries wait for it."""

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyarrow as pa

from quotidian import __version__, clock
from quotidian.errors import CorruptStoreError
from quotidian.model import Day
from quotidian.model.day import moment
from quotidian.store.backup.archive import FORMAT, Manifest, Member, packed
from quotidian.store.backup.file import refuse_little_space
from quotidian.store.embedded.archive import ELSEWHERE, Archive, DamagedDayError, SealedFile
from quotidian.store.embedded.backing import Backing
from quotidian.store.embedded.contents import Contents, LostSummariesError, Row
from quotidian.store.embedded.database import FILE, Database, schemas
from quotidian.store.embedded.due import made_again
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.embedded.place import disk_errors
from quotidian.store.embedded.sealed import SealedDays
from quotidian.store.protocols import Backup, Store

PLACE: Final = "snapshot"  #: the directory of a store in which moments of it lie while they are written somewhere
_ASIDE: Final = "It is set aside now; import the sources of that day again. The next backup goes without it."
#: The summaries of which the books keep a stub: cadence, detector, version, start, stub.
_STUBS: Final = (
    "SELECT 'daily', detector, version, ordinal, packed FROM summary WHERE substr(packed, 1, ?1) = CAST(?2 AS BLOB) "
    "UNION ALL "
    "SELECT period, detector, version, start, packed FROM period WHERE substr(packed, 1, ?1) = CAST(?2 AS BLOB)"
)
_SPARE: Final = 8_000_000  # bytes that a backup leaves free for the events that come meanwhile


class LocalBackup:
    """All that a store held at a moment; see ``quotidian.store.protocols.Backup`` for what its methods do."""

    def __init__(self, place: Path, home: str, backing: Backing) -> None:
        self._place, self._home, self._backing = place, home, backing
        self.damaged: dt.date | None = None

    @classmethod
    def taken(cls, database: Database, home: str, days: Sequence[LedgerDay], backing: Backing) -> "LocalBackup":
        """Take one, in the thread of the database.

        Raises
        ------
        DiskFullError
            When there is no space for a copy of the database.
        """
        directory = database.path.parent
        refuse_little_space(directory, database.size + _SPARE)
        taken = cls(directory / PLACE / uuid4().hex, home, backing)
        try:
            taken._take(database, days)
        except BaseException:
            taken.close()
            raise
        return taken

    def _take(self, database: Database, days: Sequence[LedgerDay]) -> None:
        with disk_errors(self._place):
            self._place.mkdir(mode=0o700, parents=True)
            for day in days:
                if day.file is not None and not day.elsewhere:
                    self._link(database.path.parent, self._name(day))
        database.copy(self._place / FILE)

    def _link(self, directory: Path, name: str) -> None:
        if not (directory / name).exists():
            return  # noticed with those that are damaged
        (self._place / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(directory / name, self._place / name)
        except OSError:  # a filesystem without links
            shutil.copyfile(directory / name, self._place / name)

    def _name(self, day: LedgerDay) -> str:
        return f"events/home={self._home}/date={day.date}/{day.file}"

    @cached_property
    def manifest(self) -> Manifest:
        """What the archive holds; made when it is first asked for, which takes as long as reading everything.

        Raises
        ------
        DamagedDayError
            When a day is not what was written.
        UnreachableError
            When something lies in a place that does not answer.
        """
        with disk_errors(self._place):
            days = [self._day(day) for day in self._gathered() if day.sealed is not None]
            members = [_member(self._place, FILE)[0], *days]
        made = moment(clock.now(), "UTC").isoformat(timespec="seconds")
        return Manifest(FORMAT, __version__, len(schemas()), self._home, made, members)

    def _gathered(self) -> list[LedgerDay]:
        """Fetch days and summaries that lie elsewhere into the copy; give its ledger."""
        with closing(Database(self._place)) as database, closing(self._backing.apart()) as backing:
            ledger, files = Ledger(database), SealedDays(self._place, self._home)
            archive = backing.archive(files, database, self._home)
            for day in ledger.days():
                if day.elsewhere and day.sealed is not None:
                    events = self._read(archive, day.date, day.sealed)
                    ledger.put(day.with_sealed(files.write(day.date, events)))
            _fetch(database, backing.contents(database, self._home))
            return ledger.days()

    def _read(self, archive: Archive, date: dt.date, sealed: SealedFile) -> pa.Table:
        try:
            return archive.read(date, sealed)
        except DamagedDayError:
            self.damaged = date
            raise

    def _day(self, day: LedgerDay) -> Member:
        name = self._name(day)
        if (self._place / name).exists():
            member, digest = _member(self._place, name)
            if digest == day.digest:
                return member
        self.damaged = day.date
        raise DamagedDayError(day.date, f"{self._place.parents[1] / name} is not what was written.", _ASIDE)

    def chunks(self) -> Iterator[bytes]:
        """Give the archive in pieces."""
        return packed(self.manifest, self._place)

    def close(self) -> None:
        """Give the space back."""
        shutil.rmtree(self._place, ignore_errors=True)


def _fetch(database: Database, contents: Contents) -> None:
    """Fetch the contents of summaries into a copy of the books; those that are gone are left out, and due there."""
    stubs = database.rows(_STUBS, (len(ELSEWHERE), ELSEWHERE))
    kept = {Row(*row): stub for *row, stub in stubs}
    found, lost = _contents(contents, kept)
    with database.transaction():
        made_again(database, lost)
        for row in kept:
            table, condition, named = _named(row)
            if row in found:
                statement = f"UPDATE {table} SET packed = ? WHERE {condition}"  # noqa: S608
                database.execute(statement, (found[row], *named))
            else:
                database.execute(f"DELETE FROM {table} WHERE {condition}", named)  # noqa: S608


def _named(row: Row) -> tuple[str, str, tuple[str | int, ...]]:
    """Give the table that has a summary, and what holds of it there."""
    if row.cadence == "daily":
        return "summary", "detector = ? AND version = ? AND ordinal = ?", row[1:]
    return "period", "period = ? AND detector = ? AND version = ? AND start = ?", row


def _contents(contents: Contents, kept: Mapping[Row, bytes]) -> tuple[dict[Row, bytes], Sequence[Row]]:
    """Give what is there of some contents, and which of them are lost."""
    try:
        return contents.get(kept), ()
    except LostSummariesError as error:
        return contents.get({row: stub for row, stub in kept.items() if row not in error.rows}), error.rows


def set_aside(store: Store, backup: Backup) -> bool:
    """Let a store set the day aside that a backup of it turned out to have damaged; tell whether it is.

    If it is not, the day has changed since the moment of the backup.
    """
    date = backup.damaged
    if date is None:
        return True
    try:
        store.day_events(Day.of(date, store.home.zone))
    except CorruptStoreError:
        return True
    return False


def _member(place: Path, name: str) -> tuple[Member, bytes]:
    with (place / name).open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
    return Member(name, size, sha), digest

"""The SQLite file of a store: opened, migrated, and spoken to with bound parameters only."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import resources
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import numpy as np

from quotidian.errors import CorruptStoreError, StoreRefusedError
from quotidian.model.arrays import Ints
from quotidian.store.embedded.place import PRIVATE_FILE, disk_errors, disk_full

FILE: Final = "quotidian.sqlite"
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def schemas() -> list[str]:
    """Give the schema files in order: the n-th makes a database of version n out of one of version n - 1."""
    folder = resources.files(__package__)
    found: list[str] = []
    for version in count(1):
        file = folder / f"schema_v{version}.sql"
        if not file.is_file():
            return found
        found.append(file.read_text("utf-8"))
    raise AssertionError  # pragma: no cover


class Database:
    """One connection to the SQLite file in a directory; it is the only one.

    Raises
    ------
    StoreRefusedError
        When the file was made by a newer version, or cannot be opened.
    CorruptStoreError
        When it is no database any more.
    """

    def __init__(self, directory: Path, migrations: Sequence[str] | None = None) -> None:
        self.path: Final = directory / FILE
        self._undone: list[Callable[[], object]] = []
        with disk_errors(directory):
            if not self.path.exists():
                self.path.touch(mode=PRIVATE_FILE)
        with self._errors():
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            try:
                self._prepare(schemas() if migrations is None else migrations)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, migrations: Sequence[str]) -> None:
        # The lock is held for good, so SQLite needs no shared memory beside the file.
        self.execute("PRAGMA locking_mode = EXCLUSIVE")
        version = self.value("PRAGMA user_version")
        if version > len(migrations):
            raise StoreRefusedError(
                f"The store {self.path} was made by a newer Quotidian (schema {version}; this one knows "
                f"{len(migrations)}).",
                "Install that version or a later one.",
            )
        if not version:
            # A live event touches a few rows in each of half a dozen tables, and every page that it touches is written:
            # small pages write a third of what usual ones do, day and night, on an SD card that wears.
            self.execute("PRAGMA page_size = 1024")
            self.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY", "secure_delete = FAST"):
            self.execute(f"PRAGMA {pragma}")
        if version < len(migrations):
            self._migrate(migrations, version)

    def _migrate(self, migrations: Sequence[str], version: int) -> None:
        with self.transaction():
            for statement in _statements("\n".join(migrations[version:])):
                self.execute(statement)
            self.execute(f"PRAGMA user_version = {len(migrations)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything within durable at the end, or nothing of it."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.rollback()
            for undone in self._undone:
                undone()
            raise

    def on_rollback(self, undone: Callable[[], object]) -> None:
        """Have something called whenever a transaction did not happen."""
        self._undone.append(undone)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        with self._errors():
            return self._connection.execute(statement, parameters)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        with self._errors():
            self._connection.executemany(statement, rows)

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Give all rows of a query."""
        with self._errors():
            return self._connection.execute(statement, parameters).fetchall()

    def numbers(self, statement: str, parameters: Sequence[Any], columns: int) -> Ints:
        """Give the result of a query of integers, one row of the array for each of its columns."""
        with self._errors():
            rows = self._connection.execute(statement, parameters)
            return np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, columns).T

    def row(self, statement: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Give the first row of a query, or ``None``."""
        return next(iter(self.rows(statement, parameters)), None)

    def value(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Give the first value of the first row, or ``None``."""
        row = self.row(statement, parameters)
        return None if row is None else row[0]

    @property
    def size(self) -> int:
        """The bytes of the file, with what its log still holds."""
        return int(self.value("PRAGMA page_count") * self.value("PRAGMA page_size"))

    def copy(self, path: Path) -> None:
        """Write what the database holds now into a new file, which is not waited for to be on the disk."""
        with self._errors(), closing(sqlite3.connect(path, isolation_level=None)) as other:
            for pragma in ("synchronous = OFF", "journal_mode = OFF"):
                other.execute(f"PRAGMA {pragma}")
            self._connection.backup(other)

    def shrink(self, pages: int) -> bool:
        """Give so many free pages back to the filesystem; tell whether there are more that can be."""
        free: int = self.value("PRAGMA freelist_count")
        with self._errors():
            # Not execute: it takes one step of a statement without columns, and each step frees but one page.
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        left: int = self.value("PRAGMA freelist_count")
        return 0 < left < free

    def scrub(self) -> None:
        """Write the file anew, so that nothing that was deleted is left in it."""
        self.execute("VACUUM")
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            named = self._named(error)
            if named is error:
                raise
            raise named from error

    def _named(self, error: sqlite3.DatabaseError) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return disk_full(self.path.parent)
        if code in _DAMAGE:
            return CorruptStoreError(
                f"The database {self.path} is damaged ({error}).",
                "Move it away and import the sources again; the sealed days beside it are not touched.",
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY):
            return StoreRefusedError(f"The database {self.path} cannot be used ({error}).", "See to its disk.")
        return error


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for part in script.split(";"):
        pending += part + ";"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""

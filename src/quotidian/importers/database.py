"""A foreign SQLite database, opened so that it is never changed and its writer never waits."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from quotidian.errors import CorruptSourceError, SourceError

MAGIC: Final = b"SQLite format 3\0"
_PATIENCE: Final = 30.0  #: seconds to wait for a writer that keeps the old journal mode
_FOREIGN: Final = "Give Home Assistant's recorder database, home-assistant_v2.db."


class Database:
    """A database opened for reading. A log of writes (-wal) beside it is read too.

    Where there is none, nobody writes: the file is then opened as one that does not change, because otherwise SQLite
    would leave a log of its own beside it. Should a writer start meanwhile, the next question notices its log.

    Raises
    ------
    SourceError
        When it cannot be opened.
    CorruptSourceError
        When nothing in it can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._log = path, Path(f"{path}-wal")
        self._still = not self._log.exists() and (_logged(path) or not os.access(path.parent, os.W_OK))
        self._text: Any = str  # SQLite's own way, the fastest
        self._connection = self._opened()

    def execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Ask a question; read the answer before the next one."""
        if self._still and self._log.exists():
            self._connection.close()
            self._still = False
            self._connection = self._opened()
        return self._connection.execute(query, values)

    def columns(self, table: str) -> frozenset[str]:
        """Give the names of a table's columns; none where there is no such table."""
        return frozenset(row[1] for row in self.execute(f"PRAGMA table_info({table})"))

    def read_any_text(self) -> None:
        """From now on read text that is not UTF-8 too, with replacements; that costs time."""
        self._text = self._connection.text_factory = _lenient

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._path.absolute()))}?mode=ro{'&immutable=1' if self._still else ''}"
        connection = None
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
            connection.text_factory = self._text
            _read_schema(connection)
        except sqlite3.DatabaseError as error:
            if connection is not None:
                connection.close()
            raise refusal(self._path, error) from error
        return connection


def refusal(path: Path, error: sqlite3.DatabaseError) -> SourceError | CorruptSourceError:
    """Say what SQLite's error means for the user."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return SourceError(f"{path} is not a database (it may be encrypted).", _FOREIGN)
    if code == sqlite3.SQLITE_BUSY:
        return SourceError(f"{path} is locked by another program.", "Try again, or give a copy of it.")
    if code == sqlite3.SQLITE_CANTOPEN:
        return SourceError(
            f"{path} cannot be opened: {error}.", "Copy it, with the -wal file beside it, to where you may write."
        )
    return CorruptSourceError(
        f"{path} is damaged: {error}.", "What could be read was used; try Home Assistant's own backup for the rest."
    )


def _logged(path: Path) -> bool:
    """Tell whether a database's writers keep a log (WAL): byte 18 of SQLite's file format."""
    with path.open("rb") as file:
        return file.read(19)[18:] == b"\x02"


def _lenient(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _read_schema(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only=1")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_CORRUPT:
            raise
        # A file that lost its end is refused as a whole, unless SQLite is told that a person is salvaging it.
        connection.execute("PRAGMA writable_schema=1")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

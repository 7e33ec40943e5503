"""A foreign SQLite database, opened so that it is never changed and its writer never waits."""

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from quotidian.errors import CorruptSourceError, SourceError

MAGIC: Final = b"SQLite format 3\0"
_PATIENCE: Final = 30.0  #: seconds to wait for a writer that keeps the old journal mode
_FOREIGN: Final = "Give Home Assistant's recorder database, home-assistant_v2.db."


def opened(path: Path) -> sqlite3.Connection:
    """Open a database for reading.

    A log of writes (-wal) beside it is read too. Only where there is none, and none could be made, the file is
    taken as one that nobody writes.

    Raises
    ------
    SourceError
        When it cannot be opened.
    CorruptSourceError
        When nothing in it can be read.
    """
    immutable = not Path(f"{path}-wal").exists() and not os.access(path.parent, os.W_OK)
    uri = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = None
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        _read_schema(connection)
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        raise refusal(path, error) from error
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


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Give the names of a table's columns; none where there is no such table."""
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


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

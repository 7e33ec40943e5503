"""Events that are not sealed: today's, and late ones of days that are over."""

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.model.arrays import Ints
from quotidian.store.embedded.arrow import arrow, instants, numbers
from quotidian.store.embedded.copies import STORED_SCHEMA, Coded, lags
from quotidian.store.embedded.database import Database

_TEXTS: Final = ("state", "cause", "cause_entity", "user", "source", "attributes")
_COLUMNS: Final = 10
_MILLISECOND: Final = 1000


class Hot:
    """The rows of the table ``hot``, as tables of ``STORED_SCHEMA``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entities = _Words(
            database,
            "SELECT id FROM entity WHERE name = ?",
            "INSERT INTO entity (name) VALUES (?)",
            "SELECT id, name FROM entity WHERE id IN (SELECT value FROM json_each(?))",
        )
        self._texts = _Words(
            database,
            "SELECT id FROM text WHERE value = ?",
            "INSERT INTO text (value) VALUES (?)",
            "SELECT id, value FROM text WHERE id IN (SELECT value FROM json_each(?))",
        )

    def near(self, updated: Ints) -> pa.Table:
        """Give the events in the same milliseconds as some instants (µs)."""
        milliseconds = np.unique(updated // _MILLISECOND).tolist()
        return self._read(
            "SELECT hot.* FROM json_each(?) AS near CROSS JOIN hot "
            "ON hot.updated BETWEEN near.value * 1000 AND near.value * 1000 + 999",
            msgspec.json.encode(milliseconds).decode(),
        )

    def between(self, start: int, end: int) -> pa.Table:
        """Give the events with start <= last updated < end."""
        return self._read("SELECT * FROM hot WHERE updated >= ? AND updated < ?", start, end)

    def newest(self, start: int, end: int, entity_id: str | None, limit: int) -> pa.Table:
        """Give the newest events with start <= last updated < end, of one entity or of all."""
        if entity_id is None:
            return self._read(
                "SELECT * FROM hot WHERE updated >= ? AND updated < ? ORDER BY updated DESC LIMIT ?", start, end, limit
            )
        return self._read(
            "SELECT hot.* FROM hot WHERE updated >= ? AND updated < ? AND entity = "
            "(SELECT id FROM entity WHERE name = ?) ORDER BY updated DESC LIMIT ?",
            start,
            end,
            entity_id,
            limit,
        )

    def first(self, start: int, end: int) -> int | None:
        """Give the earliest last updated from start to before end, or ``None``."""
        found: int | None = self._database.value(
            "SELECT min(updated) FROM hot WHERE updated >= ? AND updated < ?", (start, end)
        )
        return found

    def put(self, events: pa.Table) -> None:
        """Add events, replacing rows of the same entity and time."""
        columns = [
            instants(events),
            self._entities.ids(Coded.of(events["entity_id"])),
            lags(events),
            *(self._texts.ids(Coded.of(events[name])) for name in _TEXTS),
            numbers(events["origins"]),
        ]
        self._database.executemany(
            "INSERT OR REPLACE INTO hot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            zip(*(column.tolist() for column in columns), strict=True),
        )

    def remove(self, events: pa.Table) -> None:
        """Remove the rows of the same entities and times as some events."""
        entities = self._entities.ids(Coded.of(events["entity_id"]))
        updated = instants(events)
        rows = zip(updated.tolist(), entities.tolist(), strict=True)
        self._database.executemany("DELETE FROM hot WHERE updated = ? AND entity = ?", rows)

    def clear(self, start: int, end: int) -> None:
        """Remove the events with start <= last updated < end."""
        self._database.execute("DELETE FROM hot WHERE updated >= ? AND updated < ?", (start, end))

    def collect(self) -> None:
        """Remove the words that no row points to any more."""
        self._database.execute("DELETE FROM entity WHERE id NOT IN (SELECT entity FROM hot)")
        self._database.execute(
            "DELETE FROM text WHERE id NOT IN (SELECT state FROM hot UNION SELECT cause FROM hot "
            "UNION SELECT cause_entity FROM hot UNION SELECT user FROM hot UNION SELECT source FROM hot "
            "UNION SELECT attributes FROM hot)"
        )

    def _read(self, statement: str, *parameters: object) -> pa.Table:
        rows = self._database.numbers(statement, parameters, _COLUMNS)
        if not rows.size:
            return STORED_SCHEMA.empty_table()
        updated, entity, lag, *texts, origins = rows
        columns: list[Any] = [
            self._entities.column(entity),
            arrow(updated),
            arrow(updated - lag, lag == 0),
            *(self._texts.column(ids) for ids in texts),
            arrow(origins.astype(np.int16), origins == 0),
        ]
        return pa.Table.from_arrays(columns, schema=STORED_SCHEMA)


class _Words:
    """A table that gives each word a number; number 0 means no word."""

    def __init__(self, database: Database, find: str, add: str, read: str) -> None:
        self._database, self._find, self._add, self._read = database, find, add, read

    def ids(self, column: Coded) -> Ints:
        """Give the number of each row's word, numbering new words."""
        numbers = [self._id(word) for word in column.spelled()]
        return np.array([*numbers, 0], np.int64)[column.codes]

    def _id(self, word: str) -> int:
        number: int | None = self._database.value(self._find, (word,))
        return self._database.execute(self._add, (word,)).lastrowid or 0 if number is None else number

    def column(self, ids: Ints) -> Any:
        """Give the words of numbers."""
        used, codes = np.unique(ids, return_inverse=True)
        words = dict(self._database.rows(self._read, (msgspec.json.encode(used.tolist()).decode(),)))
        spelled = pa.array([words.get(number) for number in used.tolist()], pa.string()).dictionary_encode()
        return pa.DictionaryArray.from_arrays(spelled.indices.take(arrow(codes)), spelled.dictionary)

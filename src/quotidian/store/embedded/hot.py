"""Events that are not sealed: today's, and late ones of days that are over."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.model.arrays import Ints
from quotidian.store.embedded.arrow import arrow, instants, numbers
from quotidian.store.embedded.copies import STORED_SCHEMA, Coded, lags
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.words import Words

_TEXTS: Final = ("state", "cause", "cause_entity", "user", "source", "attributes", "registry")
COLUMNS: Final = "hot.updated, hot.entity, hot.lag, hot.origins, " + ", ".join(f"hot.{name}" for name in _TEXTS)
WIDTH: Final = 4 + len(_TEXTS)
_PUT: Final = f"INTO hot (updated, entity, lag, origins, {', '.join(_TEXTS)}) VALUES ({', '.join('?' * WIDTH)})"
_NEAR: Final = (
    "FROM json_each(?) AS near CROSS JOIN hot ON hot.updated BETWEEN near.value * 1000 AND near.value * 1000 + 999"
)
_BETWEEN: Final = f"SELECT {COLUMNS} FROM hot WHERE updated >= ? AND updated < ?"  # noqa: S608
_USED: Final = " UNION ".join(f"SELECT {name} FROM hot" for name in _TEXTS)  # noqa: S608
_MILLISECOND: Final = 1000


class Hot:
    """The rows of the table ``hot``, as tables of ``STORED_SCHEMA``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.entities = Words.of_entities(database)
        self.texts = Words.of_texts(database)

    def near(self, updated: Ints) -> pa.Table:
        """Give the events in the same milliseconds as some instants (µs)."""
        milliseconds = np.unique(updated // _MILLISECOND).tolist()
        return self.read(
            f"SELECT {COLUMNS} {_NEAR}",
            msgspec.json.encode(milliseconds).decode(),
        )

    def taken(self, milliseconds: Sequence[int]) -> set[tuple[int, int]]:
        """Give the milliseconds and numbers of the entities that have events in some milliseconds."""
        if len(milliseconds) == 1:
            start = milliseconds[0] * _MILLISECOND
            rows = self._database.rows(
                "SELECT updated, entity FROM hot WHERE updated BETWEEN ? AND ?", (start, start + _MILLISECOND - 1)
            )
        else:
            rows = self._database.rows(
                f"SELECT hot.updated, hot.entity {_NEAR}",
                (msgspec.json.encode(milliseconds).decode(),),
            )
        return {(updated // _MILLISECOND, entity) for updated, entity in rows}

    def between(self, start: int, end: int) -> pa.Table:
        """Give the events with start <= last updated < end."""
        return self.read(_BETWEEN, start, end)

    def first(self, start: int, end: int) -> int | None:
        """Give the earliest last updated from start to before end, or ``None``."""
        found: int | None = self._database.value(
            "SELECT min(updated) FROM hot WHERE updated >= ? AND updated < ?", (start, end)
        )
        return found

    def last(self, start: int, end: int) -> int | None:
        """Give the latest last updated from start to before end, or ``None``."""
        found: int | None = self._database.value(
            "SELECT max(updated) FROM hot WHERE updated >= ? AND updated < ?", (start, end)
        )
        return found

    def put(self, events: pa.Table) -> None:
        """Add events, replacing rows of the same entity and time."""
        columns = [
            instants(events),
            self.entities.ids(Coded.of(events["entity_id"])),
            lags(events),
            numbers(events["origins"]),
            *(self.texts.ids(Coded.of(events[name])) for name in _TEXTS),
        ]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        self._database.executemany(f"INSERT OR REPLACE {_PUT}", rows)

    def add(self, rows: Iterable[tuple[int, ...]]) -> None:
        """Add events of which there is no copy: updated, entity, lag, origins, and the other words, as numbers."""
        self._database.executemany(f"INSERT {_PUT}", rows)

    def remove(self, events: pa.Table) -> None:
        """Remove the rows of the same entities and times as some events."""
        entities = self.entities.ids(Coded.of(events["entity_id"]))
        updated = instants(events)
        rows = zip(updated.tolist(), entities.tolist(), strict=True)
        self._database.executemany("DELETE FROM hot WHERE updated = ? AND entity = ?", rows)

    def clear(self, start: int, end: int) -> None:
        """Remove the events with start <= last updated < end."""
        self._database.execute("DELETE FROM hot WHERE updated >= ? AND updated < ?", (start, end))

    def collect(self) -> None:
        """Remove the words that no row points to any more."""
        self._database.execute("DELETE FROM entity WHERE id NOT IN (SELECT entity FROM hot)")
        self._database.execute(f"DELETE FROM text WHERE id NOT IN ({_USED})")  # noqa: S608
        self.entities.number.cache_clear()
        self.texts.number.cache_clear()

    def read(self, statement: str, *parameters: object) -> pa.Table:
        """Give the events of a query of ``COLUMNS``, in its order."""
        return self.table(self._database.numbers(statement, parameters, WIDTH))

    def table(self, rows: Ints) -> pa.Table:
        """Give events whose columns are the rows of an array, in the order of ``COLUMNS``."""
        if not rows.size:
            return STORED_SCHEMA.empty_table()
        updated, entity, lag, origins, *texts = rows
        columns: list[Any] = [
            self.entities.column(entity),
            arrow(updated),
            arrow(updated - lag, lag == 0),
            *(self.texts.column(ids) for ids in texts),
            arrow(origins.astype(np.int16), origins == 0),
        ]
        return pa.Table.from_arrays(columns, schema=STORED_SCHEMA)

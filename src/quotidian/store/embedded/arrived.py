"""Which events were received, in the order of their arrival."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from quotidian.model.arrays import Ints
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.hot import COLUMNS, WIDTH

_AFTER: Final = (
    f"SELECT arrival.n, {COLUMNS} FROM arrival CROSS JOIN hot "  # noqa: S608
    "ON hot.updated = arrival.updated AND hot.entity = arrival.entity WHERE arrival.n > ? ORDER BY arrival.n LIMIT ?"
)


class Arrived:
    """The table ``arrival``: numbers without a hole, of which those are removed whose events are not in ``hot``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, keys: Iterable[tuple[int, int]]) -> None:
        """Give new events numbers; they are told as last updated and number of the entity."""
        self._database.executemany("INSERT INTO arrival (updated, entity) VALUES (?, ?)", keys)

    def last(self) -> int:
        """Give the number of the last arrival."""
        return self._database.value("SELECT max(n) FROM arrival") or 0

    def after(self, cursor: int, limit: int) -> tuple[Ints, int, bool]:
        """Give events after a number (see ``Hot.table``), the number of the last, and whether some are not there."""
        last = self.last()
        if cursor > last:
            # Somebody followed another store, or this one before it was brought back from a backup.
            return np.empty((WIDTH, 0), np.int64), last, True
        rows = self._database.numbers(_AFTER, (cursor, limit), WIDTH + 1)
        found = rows.shape[1]
        if found == limit:
            last = int(rows[0, -1]) if limit else cursor
        return rows[1:], last, found < last - cursor

    def prune(self, start: int, end: int) -> None:
        """Remove arrivals of events with start <= last updated < end."""
        # The last number stays, so that it is not given again.
        self._database.execute(
            "DELETE FROM arrival WHERE updated >= ? AND updated < ? AND n < (SELECT max(n) FROM arrival)", (start, end)
        )

    def collect(self) -> None:
        """Remove arrivals of events that are not in ``hot``."""
        self._database.execute(
            "DELETE FROM arrival WHERE n < (SELECT max(n) FROM arrival) AND NOT EXISTS "
            "(SELECT 1 FROM hot WHERE hot.updated = arrival.updated AND hot.entity = arrival.entity)"
        )

"""The day ledger: what is known of each day's events without reading them."""

import datetime as dt
from collections.abc import Iterable
from typing import Final, NamedTuple

from quotidian.store.embedded.archive import ELSEWHERE, SealedFile
from quotidian.store.embedded.database import Database
from quotidian.store.protocols import DayRecord

_EMPTY: Final = (
    "ordinal = ? AND events = 0 AND ordinal NOT IN (SELECT ordinal FROM summary) "
    "AND ordinal NOT IN (SELECT ordinal FROM carry)"
)


class LedgerDay(NamedTuple):
    """A row of the table ``day``."""

    ordinal: int
    events: int = 0
    file: str | None = None
    size: int = 0
    digest: bytes | None = None
    revision: int = 0
    folded: int | None = None
    expired: int = 0

    @property
    def date(self) -> dt.date:
        """The day's date."""
        return dt.date.fromordinal(self.ordinal)

    @property
    def sealed(self) -> SealedFile | None:
        """The day's file, if it has one."""
        return None if self.file is None or self.digest is None else SealedFile(self.file, self.size, self.digest)

    @property
    def elsewhere(self) -> bool:
        """Whether the day lies in InfluxDB."""
        return self.file is not None and self.file.startswith(ELSEWHERE)

    @property
    def due(self) -> bool:
        """Whether the day has events that its summaries do not know."""
        return self.revision != self.folded

    def changed(self, events: int) -> "LedgerDay":
        """Give the row with other events.

        Where retention has dropped the day's events, those that come later are not the day: its summaries stay.
        """
        return self._replace(events=events, revision=self.revision + (not self.expired))

    def as_folded(self, revision: int) -> "LedgerDay":
        """Give the row of a day that was folded at a revision, from all the events that it has."""
        return self._replace(folded=revision, expired=0 if self.events else self.expired)

    def with_sealed(self, sealed: SealedFile | None) -> "LedgerDay":
        """Give the row with another file, or with none."""
        file, size, digest = sealed or (None, 0, None)
        return self._replace(file=file, size=size, digest=digest)

    def record(self) -> DayRecord:
        """Give the row as the store's protocol has it."""
        return DayRecord(self.date, self.events, self.size, self.revision, self.folded, bool(self.expired))


class Ledger:
    """The table ``day``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self, first: int = 1, last: int = dt.date.max.toordinal()) -> list[LedgerDay]:
        """Give the rows of days, from one ordinal to another, of which there is something, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM day WHERE (events > 0 OR expired < 2) AND ordinal BETWEEN ? AND ? ORDER BY ordinal",
            (first, last),
        )
        return [LedgerDay(*row) for row in rows]

    def day(self, ordinal: int) -> LedgerDay:
        """Give a day's row; one without events is at revision 0 and not folded."""
        row = self._database.row("SELECT * FROM day WHERE ordinal = ?", (ordinal,))
        return LedgerDay(ordinal) if row is None else LedgerDay(*row)

    def put(self, day: LedgerDay) -> None:
        """Replace a day's row."""
        self._database.execute("INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?)", day)

    def clear(self) -> None:
        """Remove all rows."""
        self._database.execute("DELETE FROM day")

    def prune(self, ordinals: Iterable[int]) -> None:
        """Remove the rows of days on which there is neither an event nor a summary; of expired days a mark stays."""
        rows = [(ordinal,) for ordinal in ordinals]
        self._database.executemany(f"DELETE FROM day WHERE expired = 0 AND {_EMPTY}", rows)  # noqa: S608
        self._database.executemany(f"UPDATE day SET expired = 2 WHERE expired = 1 AND {_EMPTY}", rows)  # noqa: S608

    def touch(self, ordinals: Iterable[int]) -> None:
        """Count a change of days."""
        rows = [(ordinal,) for ordinal in ordinals]
        self._database.executemany("UPDATE day SET revision = revision + 1 WHERE ordinal = ? AND expired = 0", rows)

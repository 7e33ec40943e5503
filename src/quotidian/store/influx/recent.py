"""Files of days that were moved to InfluxDB, kept as long as late events of them are likely.

So neither a late event nor the night that learns from the day has to wait for InfluxDB. Where InfluxDB drops a day
before we are to drop it, its file stays all the time: nobody who is away for long loses it.
"""

import datetime as dt
from typing import Final

import pyarrow as pa

from quotidian import clock
from quotidian.store.embedded.archive import DamagedDayError, SealedFile
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.sealed import SealedDays

#: Days after the end of a day, in UTC, for which its file is kept.
KEPT: Final = 3
_DAY: Final = 86_400_000_000  # µs
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class Recent:
    """The table ``recent``, and the files that it names.

    Parameters
    ----------
    database, files
        Where they are.
    outlived
        Whether InfluxDB drops a day before we are to drop it.
    """

    def __init__(self, database: Database, files: SealedDays, *, outlived: bool) -> None:
        self._database, self._files, self._outlived = database, files, outlived

    def _oldest(self) -> int:
        return 0 if self._outlived else _EPOCH + clock.now() // _DAY - KEPT

    def has(self, date: dt.date, moved: SealedFile) -> bool:
        """Tell whether a day's file is here."""
        row = (date.toordinal(), moved.digest)
        return self._database.value("SELECT 1 FROM recent WHERE ordinal = ? AND moved = ?", row) is not None

    def keep(self, date: dt.date, moved: SealedFile, sealed: SealedFile) -> bool:
        """Keep the file of a day that was moved, within a transaction; tell whether it is recent."""
        if date.toordinal() < self._oldest():
            return False
        row = (date.toordinal(), moved.digest, *sealed)
        self._database.execute("INSERT OR REPLACE INTO recent VALUES (?, ?, ?, ?, ?)", row)
        return True

    def read(self, date: dt.date, moved: SealedFile) -> pa.Table | None:
        """Give a day's events if its file is here, and sound."""
        row = self._database.row(
            "SELECT file, size, digest FROM recent WHERE ordinal = ? AND moved = ?", (date.toordinal(), moved.digest)
        )
        try:
            return None if row is None else self._files.read(date, SealedFile(*row))
        except DamagedDayError:
            return None

    def drop(self, date: dt.date) -> None:
        """Remove the file of a day, within a switch of the files."""
        row = self._database.row("SELECT file, size, digest FROM recent WHERE ordinal = ?", (date.toordinal(),))
        if row is not None:
            self._files.replace(date, SealedFile(*row))
            self._database.execute("DELETE FROM recent WHERE ordinal = ?", (date.toordinal(),))

    def old(self) -> list[tuple[dt.date, SealedFile]]:
        """Give the days that are not recent any more, and their files."""
        rows = self._database.rows(
            "SELECT ordinal, file, size, digest FROM recent WHERE ordinal < ?", (self._oldest(),)
        )
        return [(dt.date.fromordinal(ordinal), SealedFile(*file)) for ordinal, *file in rows]

    def prune(self, date: dt.date) -> None:
        """Remove the file of a day that is not recent any more."""
        with self._files.switching(), self._database.transaction():
            self.drop(date)

    def release(self, date: dt.date) -> None:
        """Keep the file of a day no longer beside InfluxDB, within a transaction: the ledger names it."""
        self._database.execute("DELETE FROM recent WHERE ordinal = ?", (date.toordinal(),))

    def named(self) -> set[tuple[dt.date, str]]:
        """Give the days and the files that are kept."""
        rows = self._database.rows("SELECT ordinal, file FROM recent")
        return {(dt.date.fromordinal(ordinal), file) for ordinal, file in rows}

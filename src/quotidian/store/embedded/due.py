"""What learning has left to do, beside the days whose events changed."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

from quotidian.errors import ConflictError
from quotidian.store.embedded.contents import Row
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.ledger import Ledger
from quotidian.store.protocols import Period
from quotidian.store.retention import period_start

#: Days without their events cannot be folded again, and those that are due are.
_AGAIN: Final = "UPDATE day SET revision = revision + 1 WHERE revision = folded AND events > 0 AND expired = 0"
_PERIODS: Final[tuple[Period, ...]] = ("weekly", "monthly")


class Due:
    """The editions by which days are folded, and the weeks and months whose days were folded since they were united."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_editions(self, editions: Mapping[str, int]) -> int:
        """Fold by these editions from now on; tell how many days are due again because others did not."""
        known: dict[str, int] = dict(self._database.rows("SELECT detector, edition FROM edition"))
        if known == editions:
            return 0
        self._database.execute("DELETE FROM edition")
        self._database.executemany("INSERT INTO edition VALUES (?, ?)", list(editions.items()))
        if editions.items() <= known.items():
            return 0
        return self._database.execute(_AGAIN).rowcount

    def folded(self, ordinal: int, *, handed_on: bool) -> None:
        """Note that a day was folded; the day after it is due again when something else is handed on to it."""
        date = dt.date.fromordinal(ordinal)
        self.unite_again((period, period_start(period, date).toordinal()) for period in _PERIODS)
        if handed_on:
            self._database.execute(f"{_AGAIN} AND ordinal = ?", (ordinal + 1,))

    def unite_again(self, periods: Iterable[tuple[str, int]]) -> None:
        """Have weeks or months, by the days (ordinals) on which they start, united from what is kept of their days."""
        self._database.executemany(
            "INSERT INTO stale VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET folds = folds + 1", periods
        )

    def unite_all_again(self) -> None:
        """Refuse what is being made of any week or month right now."""
        self._database.execute("UPDATE stale SET folds = folds + 1")

    def stale(self, period: Period) -> dict[dt.date, int]:
        """Give the weeks or months whose days were folded since they were united, and a count of these folds."""
        rows = self._database.rows("SELECT start, folds FROM stale WHERE period = ? ORDER BY start", (period,))
        return {dt.date.fromordinal(start): folds for start, folds in rows}

    def check(self, period: Period, start: int, folds: int) -> None:
        """Refuse what was made of the days of a week or month before another of them was folded.

        Raises
        ------
        ConflictError
            When the count of folds is another one.
        """
        asked = "SELECT folds FROM stale WHERE period = ? AND start = ?"
        if self._database.value(asked, (period, start)) != folds:
            raise ConflictError(
                f"A day of what begins on {dt.date.fromordinal(start)} was folded meanwhile.", "Unite it again."
            )

    def united(self, period: Period, start: int, folds: int) -> None:
        """Note that a week or month was united, unless one of its days was folded meanwhile."""
        done = "DELETE FROM stale WHERE period = ? AND start = ? AND folds = ?"
        self._database.execute(done, (period, start, folds))

    def clear(self) -> None:
        """Forget it all: there are no summaries any more."""
        self._database.execute("DELETE FROM stale")


def made_again(database: Database, lost: Iterable[Row]) -> None:
    """Have summaries that are lost made again: from the events of their days, and weeks from what is kept of them."""
    rows = [*lost]
    Ledger(database).touch({ordinal for row in rows for ordinal in row.days})
    Due(database).unite_again((row.cadence, row.start) for row in rows if row.cadence != "daily")

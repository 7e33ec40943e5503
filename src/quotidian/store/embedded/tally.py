"""What each day's events came from, counted in the transaction that stores them."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from quotidian.store.embedded.database import Database

#: The counts of a day, see ``Certificate``.
COUNTS: Final = ("received", "filled", "manual", "duplicate", "left_out", "dead", "imported", "removed", "moved")
_NAMES: Final = ", ".join(COUNTS)
_ADD: Final = (
    f"INSERT INTO tally (ordinal, {_NAMES}) VALUES (?{', ?' * len(COUNTS)}) "  # noqa: S608
    f"ON CONFLICT (ordinal) DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in COUNTS)}, "
    "changed = 1"
)
_TOUCH: Final = "INSERT INTO tally (ordinal) VALUES (?) ON CONFLICT (ordinal) DO UPDATE SET changed = 1"
#: How many events a day has by its tally.
_EVENTS: Final = "(received + filled + manual + imported + moved - removed)"


class Tally:
    """The table ``tally``; every method is to be called within a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ordinal: int, counts: Counter[str]) -> None:
        """Add to a day's counts."""
        self._database.execute(_ADD, (ordinal, *(counts[name] for name in COUNTS)))

    def touch(self, ordinals: Iterable[int]) -> None:
        """Note that something else changed of what days' certificates say."""
        self._database.executemany(_TOUCH, [(ordinal,) for ordinal in ordinals])

    def counts(self, ordinal: int) -> dict[str, int]:
        """Give a day's counts."""
        row = self._database.row(f"SELECT {_NAMES} FROM tally WHERE ordinal = ?", (ordinal,))  # noqa: S608
        return dict(zip(COUNTS, row or (0,) * len(COUNTS), strict=True))

    def continued(self, ordinal: int) -> tuple[int, int]:
        """Give the revision of a day's newest certificate, and that of the one which its counts come on top of.

        Both are 0 for a tally of which there is no certificate yet.
        """
        row = self._database.row("SELECT revision, since FROM tally WHERE ordinal = ?", (ordinal,))
        return (0, 0) if row is None else (row[0], row[1])

    def certified(self, ordinal: int, revision: int, since: int) -> None:
        """Note the revision of a day's newest certificate, and that of the one which its counts come on top of."""
        self._database.execute(
            "UPDATE tally SET changed = 0, revision = ?, since = ? WHERE ordinal = ?", (revision, since, ordinal)
        )

    def oldest_changed(self) -> int | None:
        """Give the first day whose newest certificate is out of date, or ``None``."""
        found: int | None = self._database.value("SELECT min(ordinal) FROM tally WHERE changed = 1")
        return found

    def drop(self, before: int) -> None:
        """Drop the tallies of days before one; their certificates say the same."""
        self._database.execute("DELETE FROM tally WHERE ordinal < ?", (before,))

    def follow(self) -> None:
        """Count as moved what a change of the zone moved from one day to another."""
        self._database.execute("INSERT OR IGNORE INTO tally (ordinal) SELECT ordinal FROM day WHERE events > 0")
        # Of days before, retention has dropped the events: nothing can move them.
        self._database.execute(
            f"UPDATE tally SET changed = 1, moved = moved - {_EVENTS} "  # noqa: S608
            "+ coalesce((SELECT events FROM day WHERE day.ordinal = tally.ordinal), 0) "
            "WHERE ordinal >= (SELECT min(ordinal) FROM day WHERE events > 0) - 1"
        )

"""Layers 2 to 4: daily summaries, weekly and monthly ones, and patterns."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from quotidian.errors import CorruptStoreError
from quotidian.model import Carry, Integers, Pattern, Summary
from quotidian.store.embedded.database import Database
from quotidian.store.protocols import Period

_REFOLD: Final = "Run `quotidian learn --refold` to make it again from the events."


class Layers:
    """What is learned from the events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_day(
        self, ordinal: int, summaries: Mapping[str, tuple[int, Integers]], carries: Mapping[str, Carry]
    ) -> None:
        """Replace what is kept of a day."""
        self.remove_day(ordinal)
        self._database.executemany(
            "INSERT INTO summary VALUES (?, ?, ?, ?)",
            [(name, version, ordinal, row.encode()) for name, (version, row) in summaries.items()],
        )
        self._database.executemany(
            "INSERT INTO carry VALUES (?, ?, ?)", [(ordinal, name, carry.encode()) for name, carry in carries.items()]
        )

    def remove_day(self, ordinal: int) -> None:
        """Remove what is kept of a day."""
        self._database.execute("DELETE FROM summary WHERE ordinal = ?", (ordinal,))
        self._database.execute("DELETE FROM carry WHERE ordinal = ?", (ordinal,))

    def summary(self, detector: str, version: int, first: int, last: int) -> Summary:
        """Give a detector's daily summaries of the days from one ordinal to another, both included."""
        rows = self._database.rows(
            "SELECT ordinal, packed FROM summary WHERE detector = ? AND version = ? AND ordinal BETWEEN ? AND ? "
            "ORDER BY ordinal",
            (detector, version, first, last),
        )
        return Summary(detector, version, {ordinal: unpacked(packed, detector, ordinal) for ordinal, packed in rows})

    def carries(self, ordinal: int) -> dict[str, Carry]:
        """Give what a day handed on, by detector."""
        rows = self._database.rows("SELECT detector, packed FROM carry WHERE ordinal = ? ORDER BY detector", (ordinal,))
        return {detector: unpacked(packed, detector, ordinal) for detector, packed in rows}

    def put_period(self, period: Period, start: int, summary: Summary) -> None:
        """Replace a detector's summary of a week or month."""
        row = (period, summary.detector, summary.version, start, packed_days(summary))
        self._database.execute("INSERT OR REPLACE INTO period VALUES (?, ?, ?, ?, ?)", row)

    def period_summary(self, period: Period, detector: str, version: int, first: int, last: int) -> Summary:
        """Give the union of a detector's summaries of weeks or months."""
        rows = self._database.rows(
            "SELECT start, packed FROM period WHERE period = ? AND detector = ? AND version = ? "
            "AND start BETWEEN ? AND ? ORDER BY start",
            (period, detector, version, first, last),
        )
        union = Summary(detector, version)
        for start, packed in rows:
            union = union.merged(Summary(detector, version, unpacked_days(packed, detector, start)))
        return union

    def put_patterns(self, ordinal: int, patterns: Sequence[Pattern]) -> None:
        """Replace all patterns."""
        self._database.execute("DELETE FROM pattern")
        self._database.executemany(
            "INSERT INTO pattern VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    pattern.id,
                    pattern.finding.detector,
                    pattern.status.value,
                    pattern.last_seen.toordinal(),
                    pattern.finding.sentence,
                    msgspec.msgpack.encode(pattern),
                )
                for pattern in patterns
            ],
        )
        self._database.execute("INSERT OR REPLACE INTO night VALUES (1, ?)", (ordinal,))

    def patterns(self) -> list[Pattern]:
        """Give all patterns, by id."""
        rows = self._database.rows("SELECT id, packed FROM pattern ORDER BY id")
        return [_pattern(name, packed) for name, packed in rows]

    def remove_patterns(self, names: Sequence[str]) -> None:
        """Remove some patterns."""
        self._database.executemany("DELETE FROM pattern WHERE id = ?", [(name,) for name in names])

    def reviewed(self) -> int | None:
        """Give the ordinal of the last day learned from."""
        ordinal: int | None = self._database.value("SELECT ordinal FROM night")
        return ordinal

    def marks(self) -> dict[dt.date, str]:
        """Give the marked days."""
        rows = self._database.rows("SELECT ordinal, label FROM mark ORDER BY ordinal")
        return {dt.date.fromordinal(ordinal): label for ordinal, label in rows}

    def mark(self, ordinal: int, label: str | None) -> None:
        """Mark a day, or take its mark away."""
        if label is None:
            self._database.execute("DELETE FROM mark WHERE ordinal = ?", (ordinal,))
        else:
            self._database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (ordinal, label))


def packed_days(summary: Summary) -> bytes:
    """Pack the days of a summary."""
    return msgspec.msgpack.encode({ordinal: row.encode() for ordinal, row in summary.days.items()})


def unpacked_days(packed: bytes, detector: str, start: int) -> dict[int, Integers]:
    """Unpack what ``packed_days`` made.

    Raises
    ------
    CorruptStoreError
        When the bytes are damaged.
    """
    try:
        days = msgspec.msgpack.decode(packed, type=dict[int, bytes])
    except msgspec.DecodeError as error:
        raise _damaged(detector, start) from error
    return {ordinal: unpacked(row, detector, ordinal) for ordinal, row in days.items()}


def unpacked(packed: bytes, detector: str, ordinal: int) -> Integers:
    """Unpack integers.

    Raises
    ------
    CorruptStoreError
        When the bytes are damaged.
    """
    try:
        return Integers.decode(packed)
    except ValueError as error:
        raise _damaged(detector, ordinal) from error


def _damaged(detector: str, ordinal: int) -> CorruptStoreError:
    date = dt.date.fromordinal(ordinal)
    return CorruptStoreError(f"The summary that the detector {detector} keeps of {date} is damaged.", _REFOLD)


def _pattern(name: str, packed: bytes) -> Pattern:
    try:
        return msgspec.msgpack.decode(packed, type=Pattern)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"The pattern {name} is damaged.", _REFOLD) from error

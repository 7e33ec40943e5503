"""The streams of numbers from which events are received."""

from collections import Counter
from typing import Final, NamedTuple

import msgspec

from quotidian.model import Enriched, Receipt
from quotidian.model.certificate import Hole, Range
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.mention import Mention

#: What the numbers of a span carried, see ``Range``.
CARRIED: Final = ("received", "filled", "manual", "duplicate", "left_out", "dead", "notes", "telling")
_NAMES: Final = ", ".join(CARRIED)
_OPEN: Final = f"INSERT INTO span (ordinal, stream, first, last, {_NAMES}) VALUES (?, ?, ?, ?{', ?' * len(CARRIED)})"  # noqa: S608
_EXTEND: Final = f"UPDATE span SET last = ?, {', '.join(f'{name} = {name} + ?' for name in CARRIED)} WHERE id = ?"  # noqa: S608


class Stream(NamedTuple):
    """A row of the table ``stream``."""

    id: int
    high: int
    arrived: int
    span: int
    ordinal: int
    receipt: bytes | None


class Streams:
    """The tables ``stream``, ``span`` and ``hole``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Stream | None:
        """Give what is known of a stream, if it is."""
        row = self._database.row("SELECT id, high, arrived, span, ordinal, receipt FROM stream WHERE name = ?", (name,))
        return None if row is None else Stream(*row)

    def add(self, delivery: Enriched) -> Stream:
        """Take note of a new stream, as if something of it had arrived when last something did of any, or never."""
        arrived = self._database.value("SELECT max(arrived) FROM stream") or 0
        number = self._database.execute(
            "INSERT INTO stream (name, high, arrived, span, ordinal) VALUES (?, ?, 0, 0, 0)",
            (delivery.stream, delivery.first - 1),
        ).lastrowid
        return Stream(number or 0, delivery.first - 1, arrived, 0, 0, None)

    def advance(self, stream: Stream, first: int, last: int, ordinal: int, carried: Counter[str]) -> Stream:
        """Count numbers that arrived on a day, in the span that they continue or in one of their own."""
        counts = [carried[name] for name in CARRIED]
        if stream.span and stream.ordinal == ordinal and first == stream.high + 1:
            self._database.execute(_EXTEND, (last, *counts, stream.span))
            return stream._replace(high=last)
        span = self._database.execute(_OPEN, (ordinal, stream.id, first, last, *counts)).lastrowid
        return stream._replace(high=last, span=span or 0, ordinal=ordinal)

    def put(self, stream: Stream, receipt: Receipt) -> None:
        """Keep a stream's state and its last answer."""
        self._database.execute(
            "UPDATE stream SET high = ?, arrived = ?, span = ?, ordinal = ?, receipt = ? WHERE id = ?",
            (*stream[1:5], msgspec.json.encode(receipt), stream.id),
        )

    def skip(self, stream: Stream, first: int, until: int) -> tuple[int, int]:
        """Record that the numbers before one were never received; give the span in which they arrived."""
        since, until = min(stream.arrived, until), max(stream.arrived, until)
        self._database.execute(
            "INSERT INTO hole VALUES (?, ?, ?, ?, ?)", (stream.id, stream.high + 1, first - 1, since, until)
        )
        return since, until

    def missing(self, stream: Stream, delivery: Enriched, arrived: int) -> tuple[int, int] | None:
        """Give the span of the numbers that were missing just before one of a delivery's, whose first arrived then.

        A new stream that does not begin at 1 was received by a store of which this one knows nothing: it was emptied,
        or brought back from a backup. What its numbers were is not known, so that no hole is recorded.
        """
        if not stream.span:
            return (min(stream.arrived, arrived), max(stream.arrived, arrived)) if delivery.first > 1 else None
        row = self._database.row(
            "SELECT min(since), max(until) FROM hole WHERE stream = ? AND last BETWEEN ? AND ?",
            (stream.id, delivery.first - 1, delivery.last - 1),
        )
        return None if row is None or row[0] is None else (row[0], row[1])

    def ranges(self, ordinal: int) -> list[Range]:
        """Give the numbers that arrived on a day."""
        rows = self._database.rows(
            f"SELECT name, first, last, {_NAMES} FROM span JOIN stream ON stream.id = span.stream "  # noqa: S608
            "WHERE span.ordinal = ? ORDER BY name, first",
            (ordinal,),
        )
        return [Range(*row) for row in rows]

    def holes(self, start: int, end: int) -> list[Hole]:
        """Give the numbers that are missing in a span (µs) from start to before end."""
        rows = self._database.rows(
            "SELECT name, first, last, since, until FROM hole JOIN stream ON stream.id = hole.stream "
            "WHERE since < ? AND until >= ? ORDER BY name, first",
            (end, start),
        )
        return [Hole(*row) for row in rows]

    def drop(self, before: int, start: int) -> None:
        """Drop numbers that arrived on days before one, and holes before the instant at which it starts."""
        self._database.execute("DELETE FROM span WHERE ordinal < ? AND id NOT IN (SELECT span FROM stream)", (before,))
        self._database.execute("DELETE FROM hole WHERE until < ?", (start,))

    def forget(self, mention: Mention) -> None:
        """Take away the answers that name an entity."""
        rows = self._database.rows("SELECT id, receipt FROM stream WHERE receipt IS NOT NULL")
        named = [(number,) for number, packed in rows if mention(packed.decode())]
        self._database.executemany("UPDATE stream SET receipt = NULL WHERE id = ?", named)

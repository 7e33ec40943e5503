"""Layers 2 to 4: daily summaries, weekly and monthly ones, and patterns."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from quotidian.errors import ConflictError, CorruptStoreError
from quotidian.model import Carry, Integers, Pattern, RollUp, Summary
from quotidian.store.embedded.contents import Contents, Row
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.mention import Mention
from quotidian.store.embedded.rollups import RollUps
from quotidian.store.protocols import Look, Nights, Period

_REFOLD: Final = "Run `quotidian learn --refold` to make it again from the events."


class Layers:
    """What is learned from the events."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database, self._contents = database, contents
        self.rollups: Final = RollUps(database)
        # Whoever looks at habits looks again; decoding them is most of what that takes.
        self._decoded = lru_cache(maxsize=1)(self._read_patterns)
        database.on_rollback(self._decoded.cache_clear)

    def put_day(
        self,
        ordinal: int,
        summaries: Mapping[str, tuple[int, Integers]],
        carries: Mapping[str, Carry],
        rollups: Sequence[RollUp] = (),
    ) -> None:
        """Replace what is kept of a day."""
        rows = {Row("daily", name, version, ordinal): row.encode() for name, (version, row) in summaries.items()}
        kept = self._contents.put(rows, rollups, self._summaries("ordinal = ?", ordinal))
        self._clear_day(ordinal)
        self._database.executemany(
            "INSERT INTO summary VALUES (?, ?, ?, ?)",
            [(row.detector, row.version, row.start, content) for row, content in kept.items()],
        )
        self._database.executemany(
            "INSERT INTO carry VALUES (?, ?, ?)", [(ordinal, name, carry.encode()) for name, carry in carries.items()]
        )
        self.rollups.put_day(ordinal, rollups)

    def remove_day(self, ordinal: int) -> None:
        """Remove what is kept of a day."""
        self._contents.remove(self._summaries("ordinal = ?", ordinal))
        self._clear_day(ordinal)

    def _clear_day(self, ordinal: int) -> None:
        self._database.execute("DELETE FROM summary WHERE ordinal = ?", (ordinal,))
        self._database.execute("DELETE FROM carry WHERE ordinal = ?", (ordinal,))
        self.rollups.remove_day(ordinal)

    def summary(self, detector: str, version: int, first: int, last: int) -> Summary:
        """Give a detector's daily summaries of the days from one ordinal to another, both included."""
        rows = self._contents.get(
            self._summaries("detector = ? AND version = ? AND ordinal BETWEEN ? AND ?", detector, version, first, last)
        )
        return Summary(detector, version, {row.start: unpacked(rows[row], detector, row.start) for row in sorted(rows)})

    def _summaries(self, condition: str, *parameters: object) -> dict[Row, bytes]:
        """Give what the books keep of the daily summaries for which a condition holds."""
        rows = self._database.rows(
            f"SELECT detector, version, ordinal, packed FROM summary WHERE {condition}",  # noqa: S608
            parameters,
        )
        return {Row("daily", *row): packed for *row, packed in rows}

    def _periods(self, condition: str, *parameters: object) -> dict[Row, bytes]:
        """Give what the books keep of the weekly and monthly summaries for which a condition holds."""
        rows = self._database.rows(
            f"SELECT period, detector, version, start, packed FROM period WHERE {condition}",  # noqa: S608
            parameters,
        )
        return {Row(*row): packed for *row, packed in rows}

    def summarised(self, detector: str, version: int) -> list[int]:
        """Give the ordinals of the days of which a detector's daily summary is there."""
        rows = self._database.rows(
            "SELECT ordinal FROM summary WHERE detector = ? AND version = ?", (detector, version)
        )
        return [ordinal for (ordinal,) in rows]

    def carries(self, ordinal: int) -> dict[str, Carry]:
        """Give what a day handed on, by detector."""
        rows = self._database.rows("SELECT detector, packed FROM carry WHERE ordinal = ? ORDER BY detector", (ordinal,))
        return {detector: unpacked(packed, detector, ordinal) for detector, packed in rows}

    def folded_before(self, ordinal: int) -> dict[int, int]:
        """Give the bytes that are kept of each day before an ordinal."""
        rows = self._database.rows(
            "SELECT ordinal, sum(length(packed)) FROM (SELECT ordinal, packed FROM summary "
            "UNION ALL SELECT ordinal, packed FROM carry UNION ALL SELECT ordinal, packed FROM rollup) "
            "WHERE ordinal < ? GROUP BY ordinal",
            (ordinal,),
        )
        return dict(rows)

    def periods(self) -> list[tuple[Period, int, int]]:
        """Give every week and month with the ordinal on which it starts and the bytes that are kept of it."""
        rows = self._database.rows("SELECT period, start, sum(length(packed)) FROM period GROUP BY period, start")
        return [(period, start, size) for period, start, size in rows]

    def remove_period(self, period: Period, start: int) -> None:
        """Remove what is kept of a week or month."""
        self._contents.remove(self._periods("period = ? AND start = ?", period, start))
        self._database.execute("DELETE FROM period WHERE period = ? AND start = ?", (period, start))

    def put_period(self, period: Period, start: int, summary: Summary) -> None:
        """Replace a detector's summary of a week or month."""
        row = Row(period, summary.detector, summary.version, start)
        before = self._periods("period = ? AND detector = ? AND start = ?", period, summary.detector, start)
        kept = self._contents.put({row: packed_days(summary)}, replaced=before)
        self._database.execute(
            "DELETE FROM period WHERE period = ? AND detector = ? AND start = ?", (period, summary.detector, start)
        )
        self._put_periods(kept)

    def _put_periods(self, rows: Mapping[Row, bytes]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO period VALUES (?, ?, ?, ?, ?)", [(*row, content) for row, content in rows.items()]
        )

    def period_summary(self, period: Period, detector: str, version: int, first: int, last: int) -> Summary:
        """Give the union of a detector's summaries of weeks or months."""
        condition = "period = ? AND detector = ? AND version = ? AND start BETWEEN ? AND ?"
        rows = self._contents.get(self._periods(condition, period, detector, version, first, last))
        union = Summary(detector, version)
        for row in sorted(rows):
            union = union.merged(Summary(detector, version, unpacked_days(rows[row], detector, row.start)))
        return union

    def put_patterns(self, look: Look, ordinal: int, patterns: Sequence[Pattern], after: int) -> int:
        """Replace all patterns, if they are still those of a revision; give the new revision."""
        nights = self.nights()
        if nights.revision != after:
            raise ConflictError(
                f"The patterns are not those of revision {after} any more: somebody else has changed them.",
                "Run it again.",
            )
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
        looked = msgspec.structs.replace(nights, **{look: dt.date.fromordinal(ordinal)}, revision=after + 1)
        self._put_nights(looked)
        return looked.revision

    def nights(self) -> Nights:
        """Tell how far each cadence has looked."""
        row = self._database.row("SELECT daily, weekly, monthly, revision FROM nights")
        if row is None:
            return Nights()
        daily, weekly, monthly = (None if day is None else dt.date.fromordinal(day) for day in row[:3])
        return Nights(daily, weekly, monthly, row[3])

    def _put_nights(self, nights: Nights) -> None:
        days = [None if day is None else day.toordinal() for day in (nights.daily, nights.weekly, nights.monthly)]
        self._database.execute("INSERT OR REPLACE INTO nights VALUES (1, ?, ?, ?, ?)", (*days, nights.revision))

    def patterns(self) -> list[Pattern]:
        """Give all patterns, by id."""
        return [*self._decoded(self.nights().revision)]

    def _read_patterns(self, revision: int) -> list[Pattern]:
        """Read the patterns of a revision: the present one."""
        del revision
        rows = self._database.rows("SELECT id, packed FROM pattern ORDER BY id")
        return [_pattern(name, packed) for name, packed in rows]

    def forget_patterns(self, mention: Mention) -> int:
        """Remove the patterns that name an entity; tell how many."""
        names = [(pattern.id,) for pattern in self.patterns() if mention.within(pattern)]
        self._database.executemany("DELETE FROM pattern WHERE id = ?", names)
        # Whoever is looking right now must not put them back, nor find what was not there yet.
        nights = self.nights()
        self._put_nights(msgspec.structs.replace(nights, revision=nights.revision + 1))
        return len(names)

    def forget_days(self, mention: Mention) -> set[int]:
        """Remove the daily summaries and carries that name an entity; give the days' ordinals."""
        days = self._contents.get(self._summaries("TRUE"))
        named = [row for row, packed in days.items() if _names(mention, unpacked(packed, row.detector, row.start))]
        self.drop(named)
        carries = self._database.rows("SELECT ordinal, detector, packed FROM carry")
        carried = [row[:2] for row in carries if _names(mention, unpacked(row[2], row[1], row[0]))]
        self._database.executemany("DELETE FROM carry WHERE ordinal = ? AND detector = ?", carried)
        told = self.rollups.forget(mention)
        self._contents.forget(told)
        return {row.start for row in named} | {row[0] for row in [*carried, *told]}

    def drop(self, rows: Iterable[Row]) -> None:
        """Remove summaries."""
        rows = [*rows]
        self._contents.remove(rows)
        daily = [row[1:] for row in rows if row.cadence == "daily"]
        self._database.executemany("DELETE FROM summary WHERE detector = ? AND version = ? AND ordinal = ?", daily)
        condition = "period = ? AND detector = ? AND version = ? AND start = ?"
        periods = [row for row in rows if row.cadence != "daily"]
        self._database.executemany(f"DELETE FROM period WHERE {condition}", periods)  # noqa: S608

    def forget_periods(self, mention: Mention) -> None:
        """Take the days that name an entity out of the weekly and monthly summaries."""
        rows = {}
        kept = self._periods("TRUE")
        for row, packed in self._contents.get(kept).items():
            days = unpacked_days(packed, row.detector, row.start)
            named = frozenset(ordinal for ordinal, one in days.items() if _names(mention, one))
            if named:
                rows[row] = packed_days(Summary(row.detector, row.version, days).without(named))
        self._put_periods(self._contents.put(rows, replaced={row: kept[row] for row in rows}))

    def clear(self) -> None:
        """Remove all summaries."""
        self._contents.clear()
        for statement in ("DELETE FROM summary", "DELETE FROM carry", "DELETE FROM rollup", "DELETE FROM period"):
            self._database.execute(statement)

    def astray(self) -> dict[Row, bytes]:
        """Give what the books keep of the summaries whose contents do not lie where they are to lie."""
        if not self._contents.elsewhere:
            return {}
        kept = self._summaries("TRUE") | self._periods("TRUE")
        return {row: content for row, content in kept.items() if self._contents.misplaced(row, content)}

    def check(self, first: int, last: int) -> tuple[int, list[str]]:
        """Read the summaries that start on days from first to last; give how many there are, and what is wrong.

        Raises
        ------
        LostSummariesError
            When some are not there any more.
        """
        kept = self._summaries("ordinal BETWEEN ? AND ?", first, last)
        kept |= self._periods("start BETWEEN ? AND ?", first, last)
        faults = []
        for row, content in self._contents.get(kept).items():
            try:
                if row.cadence == "daily":
                    unpacked(content, row.detector, row.start)
                else:
                    unpacked_days(content, row.detector, row.start)
            except CorruptStoreError as error:
                faults.append(str(error))
        return len(kept), faults

    def settle(self) -> int:
        """Move the contents of the newest summaries that do not lie where they are to lie; give how many.

        Those that were dropped there for their age go from the books, too.
        """
        astray = self.astray()
        if not astray:
            return 0
        kept = self._summaries("TRUE") | self._periods("TRUE")
        cadence, start = max((row.cadence, row.start) for row in astray)
        group = {row: content for row, content in kept.items() if (row.cadence, row.start) == (cadence, start)}
        found = self._contents.get(group)
        self.drop(group.keys() - found.keys())
        rollups = self.rollups.of_day(start) if cadence == "daily" else []
        moved = self._contents.put(found, rollups)
        self._contents.remove(row for row, content in moved.items() if kept[row] != content == found[row])
        if cadence == "daily":
            rows = [(content, *row[1:]) for row, content in moved.items()]
            self._database.executemany(
                "UPDATE summary SET packed = ? WHERE detector = ? AND version = ? AND ordinal = ?", rows
            )
        else:
            self._put_periods(moved)
        return len(group)

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
        return Integers.decode(packed, keep=True)
    except ValueError as error:
        raise _damaged(detector, ordinal) from error


def _damaged(detector: str, ordinal: int) -> CorruptStoreError:
    date = dt.date.fromordinal(ordinal)
    return CorruptStoreError(f"The summary that the detector {detector} keeps of {date} is damaged.", _REFOLD)


def _names(mention: Mention, row: Integers) -> bool:
    return any(map(mention, row.words))


def _pattern(name: str, packed: bytes) -> Pattern:
    try:
        return msgspec.msgpack.decode(packed, type=Pattern)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"The pattern {name} is damaged.", _REFOLD) from error

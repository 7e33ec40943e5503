"""CSV as Home Assistant's history page downloads it: entity_id, state, last_changed, in any order, and more."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from quotidian.errors import CorruptSourceError
from quotidian.importers.batch import ROWS, Attributes, Batch, batches, constant, entity_fault, horizon
from quotidian.importers.csv_rows import CsvRows, Row
from quotidian.importers.place import Place
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import Resumption, Stream, absolute
from quotidian.importers.told import Told
from quotidian.importers.zones import WallClock
from quotidian.model import CauseKind, Home, Source
from quotidian.model.arrays import Bools, Ints
from quotidian.model.event import table_of

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WALL_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - for times that have no zone either
_US: Final = dt.timedelta(microseconds=1)
_CAUSES: Final = frozenset(kind.value for kind in CauseKind)
_CHUNK: Final = 20_000  #: rows whose fields are held at once


class HistoryCsv:
    """A CSV download of histories. Times without a zone are taken for the home's own.

    Raises
    ------
    SourceError
        When the header has not the columns that are needed.
    """

    kind = "history CSV"
    total: int | None = None

    def __init__(self, stream: Stream, place: Place, rejects: Rejects, attributes: Attributes) -> None:
        self.key = f"csv:{absolute(stream.where)}"
        self.rejects = rejects
        self.warnings = place.warnings
        self._stream, self._place, self._attributes = stream, place, attributes
        self._told = Told()
        self._faults: dict[str, str | None] = {}
        self._first: CsvRows | None = CsvRows(stream, rejects)
        if stream.repeatable:
            self._first.close()
            self._first = None

    def home(self, home: Home) -> Home:
        """Lay what was read so far over a home: zone, areas, device classes."""
        return self._told.home(self._place.home(home))

    def read(self, position: str | None) -> Iterator[Batch]:
        """Hand out the rows after a position; all of them where those before it are not the same any more.

        Raises
        ------
        CorruptSourceError
            After the last good row of a damaged file.
        """
        rows = self._rows(position)
        try:
            yield from batches(self._tables(rows), lambda: rows.resumption(self._place.zone))
        finally:
            rows.close()

    def _rows(self, position: str | None) -> CsvRows:
        rows, self._first = self._first or CsvRows(self._stream, self.rejects), None
        before = Resumption.of(position)
        if before is None or before.zone != self._place.zone or not self._stream.repeatable or rows.skip(before):
            return rows
        rows.close()
        return CsvRows(self._stream, self.rejects)

    def _tables(self, rows: CsvRows) -> Iterator[pa.Table]:
        wall, source = WallClock(self._place.zone), iter(rows)
        while True:
            chunk, damage = _chunk(source, rows)
            if chunk:
                yield self._table(chunk, rows, wall)
            if damage is not None:
                raise damage
            if not chunk:
                return

    def _table(self, chunk: list[Row], rows: CsvRows, wall: WallClock) -> pa.Table:
        good, moments = self._usable(chunk, rows)
        times = self._instants(moments, wall)
        late: Bools = times > horizon()
        for n in np.flatnonzero(late).tolist():
            rows.reject(good[n], "a time in the future")
        good, times = [row for row, bad in zip(good, late.tolist(), strict=True) if not bad], times[~late]
        entity_at, state_at = rows.columns["entity_id"], rows.columns["state"]
        causes = [cause if cause in _CAUSES else CauseKind.UNKNOWN.value for cause in _column(good, rows, "cause")]
        self._tell([row.fields[entity_at] for row in good], good, rows)
        return table_of(
            {
                "entity_id": [row.fields[entity_at] for row in good],
                "state": [row.fields[state_at] for row in good],
                "last_updated": times,
                "cause": causes or [CauseKind.UNKNOWN.value] * len(good),
                "source": constant(Source.CSV.value, len(good)),
                "attributes": self._kept(good, rows) or [None] * len(good),
            }
        )

    def _usable(self, chunk: list[Row], rows: CsvRows) -> tuple[list[Row], list[dt.datetime]]:
        entity_at, state_at, time_at = (rows.columns[name] for name in ("entity_id", "state", "last_changed"))
        faults, good, moments = self._faults, [], []
        for row in chunk:
            fields = row.fields
            if len(fields) < rows.width:
                rows.reject(row, "too few columns")
                continue
            entity_id = fields[entity_at]
            fault = faults[entity_id] if entity_id in faults else self._fault(entity_id)
            moment = _moment(fields[time_at])
            if fault is not None:
                rows.reject(row, fault)
            elif not fields[state_at]:
                rows.reject(row, "an empty state")
            elif moment is None:
                rows.reject(row, "not a time")
            else:
                good.append(row)
                moments.append(moment)
        return good, moments

    def _fault(self, entity_id: str) -> str | None:
        fault = entity_fault(entity_id)
        if len(self._faults) < ROWS:
            self._faults[entity_id] = fault
        return fault

    def _instants(self, moments: list[dt.datetime], wall: WallClock) -> Ints:
        zoneless = np.array([moment.tzinfo is None for moment in moments], bool)
        times = np.array([(m - (_WALL_EPOCH if m.tzinfo is None else _EPOCH)) // _US for m in moments], np.int64)
        if zoneless.any():
            self._warn(f"Times that name no zone were read as {self._place.zone}.")
            times[zoneless] = wall.utc(times[zoneless])
        return times

    def _kept(self, good: list[Row], rows: CsvRows) -> list[str | None]:
        kept: list[str | None] = []
        for text in _column(good, rows, "attributes"):
            try:
                kept.append(self._attributes.kept(text))
            except ValueError:
                self._warn("Some attributes are not JSON objects: those rows were used without them.")
                kept.append(None)
        return kept

    def _tell(self, entity_ids: list[str], good: list[Row], rows: CsvRows) -> None:
        for name, told in (("area", self._told.areas), ("device_class", self._told.classes)):
            found = zip(entity_ids, _column(good, rows, name), strict=False)
            told.update({entity_id: value for entity_id, value in found if value})
        unknown = set(_column(good, rows, "cause")) - _CAUSES - {""}
        if unknown:
            self._warn(f"Causes that are not known count as unknown: {', '.join(sorted(unknown)[:5])}.")

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def _chunk(source: Iterator[Row], rows: CsvRows) -> tuple[list[Row], CorruptSourceError | None]:
    """Take rows, at most so many; more only where a position between them could not be named."""
    chunk: list[Row] = []
    try:
        for row in source:
            chunk.append(row)
            if len(chunk) >= _CHUNK and rows.between:
                break
    except CorruptSourceError as error:
        return chunk, error
    return chunk, None


def _column(good: list[Row], rows: CsvRows, name: str) -> list[str]:
    """Give a column that may be missing, wholly or in some rows; nothing where the header has not its name."""
    at = rows.columns.get(name)
    if at is None:
        return []
    return [row.fields[at] if at < len(row.fields) else "" for row in good]


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(text.strip().replace(" +", "+").replace(" Z", "Z"))
    except ValueError:
        return None

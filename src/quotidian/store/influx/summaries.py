"""The contents of summaries in InfluxDB; of each the books keep a stub: the number of its fields, and its digest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Final, NamedTuple, Self

import numpy as np
import structlog

from quotidian.model import RollUp
from quotidian.store.embedded.archive import ELSEWHERE
from quotidian.store.embedded.contents import LostSummariesError, Row
from quotidian.store.influx import flux, lines
from quotidian.store.influx.flux import Query
from quotidian.store.influx.place import Bucket, Place
from quotidian.store.influx.server import Refused

_MARK: Final = ELSEWHERE.encode()
_SHOWN: Final = 200  # bytes of a line
_NOTHING: Final[Mapping[Row, bytes]] = {}
_BUCKETS: Final[dict[str, Bucket]] = {"daily": "DAILY", "weekly": "WEEKLY", "monthly": "WEEKLY"}


class _Stub(NamedTuple):
    """What the books keep of a content that lies in InfluxDB."""

    fields: int
    digest: bytes

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(lines.chunks(content), blake2b(content, digest_size=16).digest())

    @classmethod
    def read(cls, kept: bytes) -> Self:
        return cls(int.from_bytes(kept[len(_MARK) :][:2], "big"), kept[len(_MARK) + 2 :])

    def packed(self) -> bytes:
        return _MARK + self.fields.to_bytes(2, "big") + self.digest


class InfluxContents:
    """The contents of one home's summaries: in InfluxDB as long as it keeps them, else in the books.

    Monthly ones are shown there, but stay in the books: the shape of a year needs them for longer.

    Parameters
    ----------
    place
        Where in InfluxDB.
    here
        Whether all contents are to lie in the books again.
    """

    elsewhere = True

    def __init__(self, place: Place, *, here: bool = False) -> None:
        self._place, self._here = place, here
        self._log = structlog.get_logger(service="store")

    def put(
        self, rows: Mapping[Row, bytes], rollups: Sequence[RollUp] = (), replaced: Mapping[Row, bytes] = _NOTHING
    ) -> dict[Row, bytes]:
        """Keep contents, with the roll-ups of their day, in place of others; give what the books are to keep.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            When InfluxDB does not answer, or not as it should; the books are not to change then.
        """
        there = {} if self._here else {row: content for row, content in rows.items() if self._lasts(row)}
        old = {_place(row) for row, kept in replaced.items() if self._lasts(row) and not self._only_here(row, kept)}
        if not there and not old:
            return dict(rows)
        self._place.tidy()
        # A point that is written again keeps what the new one does not have.
        for bucket, measurement, start in old:
            own = self._own(measurement=measurement) if measurement else self._own()
            self._place.server.delete(self._place.bucket(bucket), own, lines.midnight(start), lines.midnight(start))
        refused = self._written(there, rollups)
        return {
            row: content
            if row not in there or row in refused or row.cadence == "monthly"
            else _Stub.of(content).packed()
            for row, content in rows.items()
        }

    def _only_here(self, row: Row, kept: bytes) -> bool:
        """Tell whether there is nothing of a summary in InfluxDB."""
        return not kept.startswith(_MARK) and (self._here or row.cadence != "monthly")

    def _lasts(self, row: Row) -> bool:
        return self._place.lasting(_BUCKETS[row.cadence], lines.midnight(row.start))

    def _own(self, **tags: str) -> str:
        return flux.predicate(**tags, home=lines.tag(self._place.home))

    def _written(self, rows: Mapping[Row, bytes], rollups: Sequence[RollUp]) -> set[Row]:
        """Write contents and roll-ups; give the contents that are refused."""
        found = {lines.summary(self._place.home, row, content): row for row, content in rows.items()}
        daily = {row.start for row in rows if row.cadence == "daily"}
        told = [lines.rollup(self._place.home, one) for one in rollups if one.date.toordinal() in daily and one.figures]
        refused: list[Refused] = []
        for bucket in {_BUCKETS[row.cadence] for row in rows}:
            those = [line for line, row in found.items() if _BUCKETS[row.cadence] == bucket]
            those += told if bucket == "DAILY" else []
            refused += self._place.server.write(self._place.bucket(bucket), those)
        for one in refused:
            row = found.get(one.line)
            shown = one.line[:_SHOWN].decode(errors="replace")
            self._log.warning("a point is refused by InfluxDB", reason=one.reason, line=shown)
            if row is not None:
                self._place.refuse(_name(row), one.reason)
        return {found[one.line] for one in refused if one.line in found}

    def get(self, kept: Mapping[Row, bytes]) -> dict[Row, bytes]:
        """Give contents again, from what the books keep; without those that InfluxDB has dropped for their age.

        Raises
        ------
        LostSummariesError
            When others are not there any more.
        UnreachableError, AccessError, SettingError, StoreRefusedError
            When InfluxDB does not answer, or not as it should.
        """
        stubs = {row: _Stub.read(content) for row, content in kept.items() if content.startswith(_MARK)}
        found = {row: content for row, content in kept.items() if row not in stubs}
        for _, group in groupby(sorted(stubs), lambda row: (row.cadence, row.detector)):
            rows = [*group]
            found |= self._read({row: stubs[row] for row in rows})
        lost = [row for row in stubs if row not in found and self._lasts(row)]
        if lost:
            raise LostSummariesError(lost, f"InfluxDB at {self._place.server.url}")
        return found

    def _read(self, stubs: Mapping[Row, _Stub]) -> dict[Row, bytes]:
        """Read contents of one measurement, as far as they are what was written."""
        rows = [*stubs]
        bucket = self._place.bucket(_BUCKETS[rows[0].cadence])
        span = min(row.start for row in rows), max(row.start for row in rows)
        fields = max(stub.fields for stub in stubs.values())
        name = lines.measurement(rows[0].detector, rows[0].cadence)
        query = summary_query(bucket, self._place.home, name, span, fields)
        points = _points(self._place.server.query(query, bucket))
        found = {row: lines.unpacked(points[row.start], stub.fields) for row, stub in stubs.items()}
        return {
            row: content for row, content in found.items() if content is not None and _Stub.of(content) == stubs[row]
        }

    def remove(self, rows: Iterable[Row]) -> None:
        """Remove contents, with the roll-ups of their detector and day."""
        for row in rows:
            self._place.pardon(_name(row))
            if self._lasts(row):
                midnight = lines.midnight(row.start)
                name = lines.measurement(row.detector, row.cadence)
                self._place.leave(_BUCKETS[row.cadence], self._own(measurement=name), midnight, midnight)

    def forget(self, named: Iterable[tuple[int, str]]) -> None:
        """Remove the roll-ups of some days and entities."""
        for ordinal, name in named:
            midnight = lines.midnight(ordinal)
            self._place.leave("DAILY", self._own(entity_id=lines.tag(name)), midnight, midnight)

    def clear(self) -> None:
        """Remove everything."""
        buckets: tuple[Bucket, ...] = ("DAILY", "WEEKLY")
        for bucket in buckets:
            self._place.leave(bucket, self._own(), flux.FIRST, flux.LAST)

    def misplaced(self, row: Row, kept: bytes) -> bool:
        """Tell whether a summary's content is to lie somewhere else by now."""
        there = kept.startswith(_MARK)
        if there or self._here or row.cadence == "monthly":
            return there and (self._here or not self._lasts(row))
        return self._lasts(row) and not self._place.refused(_name(row))


def summary_query(bucket: str, home: str, measurement: str, span: tuple[int, int], fields: int) -> Query:
    """Ask for the contents of a home's summaries of one measurement, from one day (its ordinal) to another.

    ``fields`` is the number of fields that the longest of them takes.
    """
    query = Query(bucket, lines.midnight(span[0]), lines.midnight(span[1]) + 1)
    query = query.where("_measurement", measurement).where("home", lines.tag(home))
    return query.where("_field", *map(lines.packed_field, range(fields))).keep("_time", "_field", "_value")


def _points(columns: Mapping[str, list[str]]) -> dict[int, dict[str, str]]:
    """Give the fields of each point by the day (its ordinal) of its time."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    days = np.array([time.removesuffix("Z") for time in columns.get("_time", [])], "datetime64[us]")
    ordinals = (days.astype("datetime64[D]").astype(np.int64) + lines.EPOCH).tolist()
    for ordinal, name, value in zip(ordinals, columns.get("_field", []), columns.get("_value", []), strict=True):
        found[ordinal][name] = value
    return found


def _place(row: Row) -> tuple[Bucket, str, int]:
    """Give the bucket, the measurement (empty for all of the day) and the first day of what replaces a summary."""
    name = "" if row.cadence == "daily" else lines.measurement(row.detector, row.cadence)
    return _BUCKETS[row.cadence], name, row.start


def _name(row: Row) -> str:
    return f"{row.detector} {row.version} {row.cadence} {row.date}"

"""Days that are over, each in one Parquet file.

The file lies where any tool that reads partitioned datasets finds it, and is replaced, never changed:
written outside the dataset, made durable, moved in, read again, and only then named in the ledger.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from quotidian.errors import CorruptStoreError
from quotidian.model import Day
from quotidian.store.embedded.archive import DamagedDayError, SealedFile
from quotidian.store.embedded.copies import STORED_SCHEMA
from quotidian.store.embedded.place import PRIVATE, disk_errors

_ASIDE: Final = "It was set aside in the directory quarantine of the store; import the sources of that day again."
_NUMBERS: Final = ("last_updated", "last_changed", "origins")
_OPTIONS: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 9,
    "data_page_version": "2.0",
    "version": "2.6",
    "use_dictionary": [name for name in STORED_SCHEMA.names if name not in _NUMBERS],
    "column_encoding": dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
    "write_statistics": False,
}


class SealedDays:
    """The files of one home's days that are over, below a store's directory."""

    def __init__(self, directory: Path, home: str) -> None:
        self._directory = directory
        self._dataset = directory / "events" / f"home={home}"
        self._unfinished = directory / "unfinished"
        self._written: list[Path] = []
        self._replaced: list[Path] = []
        with disk_errors(directory):
            for place in (self._dataset.parent, self._dataset, self._unfinished):
                place.mkdir(mode=PRIVATE, exist_ok=True)
            # A file is only as durable as the directories that lead to it.
            for parent in (self._dataset.parent, directory):
                _sync(parent)

    @contextmanager
    def switching(self) -> Iterator[None]:
        """Keep what is written within and remove what it replaces; when it fails, the other way round."""
        try:
            yield
        except BaseException:
            self._remove(self._written)
            raise
        else:
            self._remove(self._replaced)
        finally:
            self._written, self._replaced = [], []

    def write(self, date: dt.date, events: pa.Table) -> SealedFile:
        """Write a day's events, sorted by (entity id, last updated), into a new file."""
        buffer = pa.BufferOutputStream()
        pq.write_table(events, buffer, row_group_size=max(1, events.num_rows), **_OPTIONS)
        packed = buffer.getvalue().to_pybytes()
        name = f"{uuid4().hex}.parquet"
        path = self._path(date, name)
        with disk_errors(self._directory):
            self._place(packed, path)
            self._check(path, packed, events.num_rows)
        return SealedFile(name, len(packed), _hash(packed))

    def _place(self, packed: bytes, path: Path) -> None:
        unfinished = self._unfinished / path.name
        self._written += [unfinished, path]
        with unfinished.open("wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        if not path.parent.exists():
            path.parent.mkdir()
            _sync(self._dataset)
        unfinished.rename(path)
        _sync(path.parent)

    def _check(self, path: Path, packed: bytes, rows: int) -> None:
        again = path.read_bytes()
        if again != packed or pq.ParquetFile(pa.BufferReader(again)).metadata.num_rows != rows:
            raise CorruptStoreError(f"The file {path} does not hold what was written.", "See to its disk.")

    def read(self, date: dt.date, sealed: SealedFile) -> pa.Table:
        """Give the events of a day's file.

        Raises
        ------
        DamagedDayError
            When its bytes are not those that were written.
        """
        path = self._path(date, sealed.file)
        packed = path.read_bytes() if path.exists() else b""
        if _hash(packed) != sealed.digest:
            raise DamagedDayError(date, f"{path} is not what was written.", _ASIDE)
        events = pq.ParquetFile(pa.BufferReader(packed)).read(use_threads=False)
        for place, field in enumerate(STORED_SCHEMA):
            # Files keep the columns of the version that wrote them.
            if field.name not in events.column_names:
                events = events.add_column(place, field, pa.nulls(events.num_rows, field.type))
        return events.cast(STORED_SCHEMA)

    def replace(self, date: dt.date, sealed: SealedFile) -> None:
        """Remove a day's file at the end of the switch."""
        self._replaced.append(self._path(date, sealed.file))

    def alone(self, date: dt.date, sealed: SealedFile) -> bool:  # noqa: ARG002 - a file stays until it is removed
        """Tell that no day lies where it is dropped by its age."""
        return False

    def misplaced(self, day: Day, sealed: SealedFile) -> bool:  # noqa: ARG002 - there is one place
        """Tell that every day lies where it is to lie."""
        return False

    def move(self, day: Day, sealed: SealedFile) -> SealedFile:  # noqa: ARG002 - there is one place
        """Leave a day where it lies."""
        return sealed

    def forget(self, entity_id: str) -> None:
        """Do nothing: beside the days there is nothing."""

    def quarantine(self, date: dt.date, sealed: SealedFile) -> None:
        """Set a damaged file aside, out of the dataset."""
        path = self._path(date, sealed.file)
        aside = self._directory / "quarantine" / f"{date}-{sealed.file}"
        with disk_errors(self._directory):
            aside.parent.mkdir(mode=PRIVATE, exist_ok=True)
            if path.exists():
                path.rename(aside)

    def discard_quarantine(self, before: dt.date = dt.date.max) -> None:
        """Remove the damaged files of days before a date that were set aside."""
        aside = (self._directory / "quarantine").glob("*")
        # Their names begin with their dates.
        self._remove([path for path in aside if path.name < before.isoformat()])

    def sweep(self, named: set[tuple[dt.date, str]]) -> None:
        """Remove every file that the ledger does not name: what a killed process left."""
        kept = {self._path(date, name) for date, name in named}
        stale = [path for path in self._dataset.glob("date=*/*") if path not in kept]
        self._remove([*stale, *self._unfinished.iterdir()])

    def _path(self, date: dt.date, name: str) -> Path:
        return self._dataset / f"date={date}" / name

    def _remove(self, paths: list[Path]) -> None:
        with disk_errors(self._directory):
            for path in paths:
                path.unlink(missing_ok=True)
                if path.parent != self._unfinished and path.parent.exists() and not any(path.parent.iterdir()):
                    path.parent.rmdir()


def _hash(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=16).digest()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Where days that are over lie: what ``Events`` asks of it."""

import datetime as dt
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

import pyarrow as pa

from quotidian.errors import CorruptStoreError
from quotidian.model import Day

#: How the books name what lies in InfluxDB: days by their file, summaries by what is kept of them.
ELSEWHERE: Final = "influx:"


class SealedFile(NamedTuple):
    """A day as the ledger names it: its file's name (or another place), its size in bytes and the digest of them."""

    file: str
    size: int
    digest: bytes


class DamagedDayError(CorruptStoreError):
    """What is kept of a day is not what was written."""

    def __init__(self, date: dt.date, what: str, remedy: str) -> None:
        super().__init__(f"The events of {date} are damaged: {what}", remedy)
        self.date = date


class DroppedDayError(DamagedDayError):
    """What was kept of a day was dropped for its age."""


class Archive(Protocol):
    """The days of one home that are over, each written once and replaced as a whole."""

    def switching(self) -> AbstractContextManager[None]:
        """Keep what is written within and remove what it replaces; when it fails, the other way round."""

    def write(self, date: dt.date, events: pa.Table) -> SealedFile:
        """Keep a day's events, a table of ``STORED_SCHEMA`` sorted by (entity id, last updated)."""

    def read(self, date: dt.date, sealed: SealedFile) -> pa.Table:
        """Give a day's events again.

        Raises
        ------
        DamagedDayError
            When they are not what was written.
        """

    def replace(self, date: dt.date, sealed: SealedFile) -> None:
        """Remove a day at the end of the switch."""

    def alone(self, date: dt.date, sealed: SealedFile) -> bool:
        """Tell whether a day lies only where things are dropped by their age, whatever we know of it."""

    def misplaced(self, day: Day, sealed: SealedFile) -> bool:
        """Tell whether a day is to lie somewhere else by now."""

    def move(self, day: Day, sealed: SealedFile) -> SealedFile:
        """Keep a misplaced day's events where they are to lie, within a switch; the old place stays until replaced."""

    def forget(self, entity_id: str) -> None:
        """Take an entity out of what is kept beside the days, within a transaction."""

    def quarantine(self, date: dt.date, sealed: SealedFile) -> None:
        """Set a damaged day aside."""

    def discard_quarantine(self, before: dt.date = dt.date.max) -> None:
        """Remove what was set aside of days before a date."""

    def sweep(self, named: set[tuple[dt.date, str]]) -> None:
        """Remove everything that the ledger does not name: what a killed process left."""

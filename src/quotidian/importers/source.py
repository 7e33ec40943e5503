"""Opening a source: what it is is seen from its content, never from its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from quotidian.homeassistant.registries import read_registries
from quotidian.importers.batch import Attributes, Batch
from quotidian.importers.database import MAGIC
from quotidian.importers.history_csv import HistoryCsv
from quotidian.importers.place import Place
from quotidian.importers.recorder import RecorderDatabase
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import Stream
from quotidian.model import Home
from quotidian.settings import Settings


class Source(Protocol):
    """A history that can be imported.

    ``key`` names it for checkpoints, ``kind`` for people. ``total`` is about how many rows it has, ``None`` where
    that would cost a reading. ``warnings`` are sentences for the user; more may come while it is read.
    """

    key: str
    kind: str
    total: int | None
    rejects: Rejects
    warnings: list[str]

    def home(self, home: Home) -> Home:
        """Lay what the source knows of the home over the given one. Call it before ``read``, and again after."""

    def read(self, position: str | None) -> Iterator[Batch]:
        """Hand out the events behind a position in tables, in roughly the order of time."""


def open_source(
    where: str, *, zone: str | None = None, rejects: Path | None = None, settings: Settings | None = None
) -> Source:
    """Open a recorder database, a backup, a CSV download or JSON lines.

    Parameters
    ----------
    where
        A path; ``-`` is standard input.
    zone
        The home's time zone, for sources that do not tell it.
    rejects
        Where to write the rows that cannot be used.
    settings
        Those in force; they say which attributes are kept.

    Raises
    ------
    SourceError
        When there is nothing that could be read there, or the zone is none.
    CorruptSourceError
        When it is damaged from its beginning.
    """
    attributes = Attributes((settings or Settings()).words("QUOTIDIAN_ATTRIBUTES"))
    refused, stream = Rejects(rejects), Stream(where)
    if stream.head.startswith(MAGIC) and stream.path is not None and not stream.packed:
        place = Place(zone, read_registries(stream.path.parent))
        return RecorderDatabase(stream.path, place, refused, attributes)
    return HistoryCsv(stream, Place(zone), refused, attributes)

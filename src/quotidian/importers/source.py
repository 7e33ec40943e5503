"""Opening a source: what it is is seen from its content, never from its name."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from quotidian.errors import CorruptSourceError, SourceError
from quotidian.homeassistant.address import RUNNING
from quotidian.homeassistant.registries import read_registries
from quotidian.importers.backup import Unpacked
from quotidian.importers.batch import Attributes, Batch
from quotidian.importers.database import MAGIC
from quotidian.importers.history_csv import HistoryCsv
from quotidian.importers.json_lines import JsonLines
from quotidian.importers.place import Place
from quotidian.importers.recorder import RecorderDatabase
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import Stream
from quotidian.importers.zones import checked_zone
from quotidian.model import Home
from quotidian.settings import Settings

DESCRIPTION: Final = "home.json"  #: the home's description beside our own event files
_TAR: Final = b"ustar"
_TAR_AT: Final = 257


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
    where: str,
    *,
    zone: str | None = None,
    rejects: Path | None = None,
    settings: Settings | None = None,
    unpacking: Callable[[int], None] | None = None,
    token: Callable[[], str] | None = None,
) -> Source:
    """Open a running Home Assistant, a recorder database, a backup, a CSV download or JSON lines.

    Parameters
    ----------
    where
        A path; ``-`` is standard input; an address (``http://…``) is a running Home Assistant.
    zone
        The home's time zone, for sources that do not tell it.
    rejects
        Where to write the rows that cannot be used.
    settings
        Those in force; they say which attributes are kept.
    unpacking
        Told how many bytes were unpacked so far, where a database has to be unpacked before it can be read.
    token
        Asks for Home Assistant's token, where the settings have none.

    Raises
    ------
    SourceError
        When there is nothing that could be read there, or the zone is none.
    CorruptSourceError
        When it is damaged from its beginning.
    DiskFullError
        When there is no room to unpack a database.
    SettingError, AccessError, UnreachableError
        When a running Home Assistant cannot be reached, or does not let us in.
    """
    settings = settings or Settings()
    if where.lower().startswith(RUNNING):
        # Only here: it brings the client of the network with it, which no file needs.
        from quotidian.importers.live import LiveHistory  # noqa: PLC0415

        return LiveHistory(where, zone, Rejects(rejects), settings, token)
    attributes = Attributes(settings.words("QUOTIDIAN_ATTRIBUTES"))
    option = None if zone is None else checked_zone(zone)
    refused, stream = Rejects(rejects), Stream(where)
    database, archive = stream.head.startswith(MAGIC), stream.head[_TAR_AT:].startswith(_TAR)
    if archive or (database and (stream.packed or not stream.repeatable)):
        unpacked = Unpacked(stream, unpacking)
        place = _place(option, unpacked.folder)
        return RecorderDatabase(unpacked.database, place, refused, attributes, unpacked=unpacked)
    if database and stream.path is not None:
        place = _place(option, stream.path.parent)
        return RecorderDatabase(stream.path, place, refused, attributes)
    _check_text(stream)
    place = _described(option, stream)
    if stream.head.removeprefix(BOM_UTF8).lstrip().startswith((b"{", b"[")):
        return JsonLines(stream, place, refused, attributes)
    return HistoryCsv(stream, place, refused, attributes)


def _place(option: str | None, folder: Path) -> Place:
    """Read the registries beside a database; damaged ones cost the names and areas, not the history."""
    try:
        return Place(option, read_registries(folder))
    except CorruptSourceError as error:
        place = Place(option)
        place.warnings.append(str(error))
        return place


def _described(option: str | None, stream: Stream) -> Place:
    """Read the home that Quotidian wrote beside a text file, if it did."""
    path = None if stream.path is None else stream.path.parent / DESCRIPTION
    if path is None or not path.is_file():
        return Place(option)
    try:
        return Place(option, described=msgspec.json.decode(path.read_bytes(), type=Home))
    except (msgspec.DecodeError, RecursionError, OSError) as error:
        place = Place(option)
        place.warnings.append(f"{path} does not describe a home and was passed over: {error}.")
        return place


def _check_text(stream: Stream) -> None:
    """Refuse what cannot be text."""
    head = stream.head
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise SourceError(f"{stream.name} is UTF-16 text.", "Save it as UTF-8.")
    if head.startswith(b"PK\x03\x04"):
        raise SourceError(f"{stream.name} is a zip archive.", "Unpack it first.")
    if b"\0" in head:
        raise SourceError(
            f"{stream.name} is not a database, and neither a CSV file nor JSON lines: it is binary.",
            "Give Home Assistant's home-assistant_v2.db, a backup, or a history download.",
        )

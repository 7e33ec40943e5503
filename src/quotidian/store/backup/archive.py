"""The archive: a plain tar with a manifest first, then the database and each day's file where a store has them.

``manifest.json`` names every member with its size and SHA-256; ``manifest.sha256`` has that of the manifest, in the
form of the program ``sha256sum``.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from quotidian.errors import CorruptSourceError, SourceError
from quotidian.store.backup import tar
from quotidian.store.embedded.database import FILE

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_SUM: Final = "manifest.sha256"
_LARGEST: Final = 16_000_000  # bytes of a manifest: a hundred years of days
_DAY: Final = re.compile(r"events/home=[0-9a-f-]{36}/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9a-f]{32}\.parquet")

Progress = Callable[[int, int], None]


class Member(msgspec.Struct, frozen=True):
    """A file in the archive: its name, which is its place below a store's directory, its bytes and their SHA-256."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds.

    ``format`` is that of the archive, ``version`` the program that made it, ``schema`` that of the database, ``home``
    the home's id, ``made`` an instant in UTC as ISO 8601.
    """

    format: int
    version: str
    schema: int
    home: str
    made: str
    members: list[Member]

    @property
    def days(self) -> int:
        """The days that have a file."""
        return sum(_DAY.fullmatch(member.name) is not None for member in self.members)

    @property
    def content(self) -> int:
        """The bytes of all members."""
        return sum(member.size for member in self.members)

    @property
    def size(self) -> int:
        """The bytes of the archive."""
        sizes = [len(part) for part in _head(self)] + [member.size for member in self.members]
        return sum(map(tar.padded, sizes)) + len(tar.end())

    def check(self, schema: int) -> None:
        """Refuse a manifest that does not describe a backup which this version understands.

        Parameters
        ----------
        schema
            The newest schema that is known here.

        Raises
        ------
        SourceError
            When it does not.
        """
        if self.format > FORMAT or self.schema > schema:
            raise SourceError(
                f"The backup was made by a newer Quotidian ({self.version}: format {self.format}, schema "
                f"{self.schema}; this one knows {FORMAT} and {schema}).",
                "Install that version or a later one.",
            )
        names = [member.name for member in self.members]
        for name in names:
            if name != FILE and not _DAY.fullmatch(name):
                raise SourceError(f"The backup holds {name!r}, which has no place in a store.", "It is not used.")
        if names.count(FILE) != 1 or len({*names}) < len(names) or any(member.size < 0 for member in self.members):
            raise SourceError("The backup's manifest.json contradicts itself.", "Take another backup.")


class Read(NamedTuple):
    """What was read of a member: its bytes, and the digest of them that the day ledger uses."""

    size: int
    digest: bytes


def packed(manifest: Manifest, place: Path) -> Iterator[bytes]:
    """Give an archive of files below a place, in pieces."""
    for name, part in zip((_MANIFEST, _SUM), _head(manifest), strict=True):
        yield tar.header(name, len(part)) + part + tar.padding(len(part))
    for member in manifest.members:
        yield tar.header(member.name, member.size)
        with (place / member.name).open("rb") as file:
            while part := file.read(tar.CHUNK):
                yield part
        yield tar.padding(member.size)
    yield tar.end()


def _head(manifest: Manifest) -> tuple[bytes, bytes]:
    told = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    return told, f"{hashlib.sha256(told).hexdigest()}  {_MANIFEST}\n".encode()


class Contents:
    """An archive that is being read: first its manifest, then its members.

    Raises
    ------
    SourceError
        When it is no backup.
    CorruptSourceError
        When it is damaged.
    """

    def __init__(self, stream: tar.Tar, first: tuple[str, int]) -> None:
        self._tar = stream
        self.manifest: Final = self._told(first)

    def _told(self, first: tuple[str, int]) -> Manifest:
        name, size = first
        if name != _MANIFEST:
            raise SourceError("The file is no backup of Quotidian.", "`quotidian backup` makes one.")
        told = self._tar.content(size, _LARGEST)
        named, size = self._tar.next()
        digest = f"{hashlib.sha256(told).hexdigest()}  {_MANIFEST}\n".encode()
        if named != _SUM or self._tar.content(size, len(digest)) != digest:
            raise _damaged(_MANIFEST)
        try:
            return msgspec.json.decode(told, type=Manifest)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise SourceError(f"The backup's {_MANIFEST} cannot be used: {error}.", "Take another backup.") from error

    def members(self, into: Callable[[Member], BinaryIO | None], progress: Progress) -> dict[str, Read]:
        """Read all members, compare them with the manifest, and give what was read.

        Parameters
        ----------
        into
            Gives the file into which a member is written, or ``None``; it is closed here.
        progress
            Told the bytes that were read, and all there are.

        Raises
        ------
        SourceError
            When there is something that the manifest does not announce.
        CorruptSourceError
            When a member is not what was written.
        """
        done, found = 0, dict[str, Read]()
        for member in self.manifest.members:
            if self._tar.next() != (member.name, member.size):
                raise SourceError(f"The backup holds something else than {member.name} there.", "It is not used.")
            found[member.name] = self._read(member, into(member))
            done += member.size
            progress(done, self.manifest.content)
        self._tar.finish()
        return found

    def _read(self, member: Member, file: BinaryIO | None) -> Read:
        sha, blake = hashlib.sha256(), hashlib.blake2b(digest_size=16)
        try:
            for part in self._tar.chunks(member.size):
                sha.update(part)
                blake.update(part)
                if file is not None:
                    file.write(part)
        finally:
            if file is not None:
                file.close()
        if sha.hexdigest() != member.sha256:
            raise _damaged(member.name)
        return Read(member.size, blake.digest())


def _damaged(name: str) -> CorruptSourceError:
    return CorruptSourceError(f"{name} in the backup is damaged.", "Copy the backup again, or use another one.")


@contextmanager
def opened(stream: tar.Readable, passphrase: Callable[[], str]) -> Iterator[Contents]:
    """Open an archive, encrypted or not.

    Parameters
    ----------
    stream
        Where it is read from; it stays open.
    passphrase
        Gives the passphrase; called only when one is needed.

    Raises
    ------
    SourceError
        When it is no backup, or the passphrase does not open it.
    CorruptSourceError
        When it is damaged.
    """
    from quotidian.store.backup import cipher  # noqa: PLC0415 - loaded only where somebody reads or writes an archive

    outer = tar.Tar(stream)
    first = outer.next()
    if first[0] != cipher.KEY:
        yield Contents(outer, first)
        return
    with cipher.decrypted(outer, first[1], passphrase) as inner:
        contents = tar.Tar(inner)
        yield Contents(contents, contents.next())

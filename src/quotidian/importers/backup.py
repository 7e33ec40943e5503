"""Databases that are packed: a backup of Home Assistant (.tar), or a database behind gzip, zstd or standard input."""

import errno
import io
import shutil
import tarfile
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import msgspec

from quotidian.errors import CorruptSourceError, DiskFullError, SourceError
from quotidian.homeassistant.registries import CONFIGURATION, STORED
from quotidian.importers.database import MAGIC
from quotidian.importers.stream import Rejoined, Stream

DATABASE: Final = "home-assistant_v2.db"
SECURE_TAR: Final = b"SecureTar"
_WANTED: Final = {
    DATABASE,
    f"{DATABASE}-wal",
    CONFIGURATION,
    *(f".storage/{name}" for name in STORED),
}
_BLOCK: Final = 1 << 20
_SPARE: Final = 64_000_000  #: bytes of the disk that stay free
_ENCRYPTED: Final = "Make a backup without a password, or give the database itself."

Progress = Callable[[int], None]  #: told how many bytes were unpacked so far


class Unpacked:
    """A directory of its own into which a database, and what lies beside it, is unpacked; removed with this object.

    Only files of known names are written, to places of our own choosing, so nothing in an archive can lead outside.

    Raises
    ------
    SourceError
        When there is no database in it, or it is encrypted.
    DiskFullError
        When there is no room for it.
    CorruptSourceError
        When it ends in the middle or is damaged.
    """

    def __init__(self, stream: Stream, progress: Progress | None = None) -> None:
        self.name, self.where = stream.name, stream.where
        self.kind = "packed file" if stream.head.startswith(MAGIC) else "backup"
        self._progress, self._written = progress, 0
        self.folder = Path(tempfile.mkdtemp(prefix="quotidian-"))
        self._gone = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        file = stream.open()
        try:
            self._unpack(file, stream.head)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            self._gone()
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise self._full("more") from error
            raise CorruptSourceError(f"{self.name} is damaged: {error}.", "Fetch the file again.") from error
        except BaseException:
            self._gone()
            raise
        finally:
            stream.close(file)

    @property
    def database(self) -> Path:
        """The unpacked database."""
        return self.folder / DATABASE

    def _unpack(self, file: IO[bytes], head: bytes) -> None:
        if head.startswith(MAGIC):
            self._write(file, DATABASE, None)
            return
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                self._outer(archive, member)
        if not self.database.exists():
            raise SourceError(
                f"{self.name} is an archive without a {DATABASE} in it.",
                "Make a backup that includes the history, or give the database itself.",
            )

    def _outer(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name, content = PurePosixPath(member.name).name, archive.extractfile(member) if member.isfile() else None
        if content is None:
            return
        if name == "backup.json":
            self._check(content.read(_BLOCK))
        elif name in ("homeassistant.tar.gz", "homeassistant.tar"):
            self._inner(content)
        else:
            self._keep(content, member)

    def _inner(self, content: IO[bytes]) -> None:
        # Half a kilobyte tells an encrypted archive from a packed one, and the archive cannot be wound back.
        head = content.read(512)
        if head.startswith(SECURE_TAR):
            raise SourceError(f"{self.name} is an encrypted backup.", _ENCRYPTED)
        joined: Any = io.BufferedReader(Rejoined(head, content), _BLOCK)
        try:
            archive = tarfile.open(fileobj=joined, mode="r|*")  # noqa: SIM115 - closed below
        except tarfile.ReadError as error:
            raise SourceError(f"{self.name} is an encrypted or damaged backup.", _ENCRYPTED) from error
        with archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    self._keep(file, member)

    def _check(self, text: bytes) -> None:
        try:
            told = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            return
        if told.get("protected"):
            raise SourceError(f"{self.name} is an encrypted backup.", _ENCRYPTED)

    def _keep(self, content: IO[bytes], member: tarfile.TarInfo) -> None:
        parts = [part for part in PurePosixPath(member.name).parts if part != "."]
        name = "/".join(parts[1:] if parts[:1] == ["data"] else parts)
        if name in _WANTED:
            self._write(content, name, member.size)

    def _write(self, content: IO[bytes], name: str, size: int | None) -> None:
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            for block in _blocks(content):
                self._room(max(len(block), (size or 0) - file.tell()))
                file.write(block)
                self._written += len(block)
                if self._progress is not None:
                    self._progress(self._written)

    def _room(self, wanted: int) -> None:
        if shutil.disk_usage(self.folder).free < wanted + _SPARE:
            raise self._full(f"{wanted / 1e6:.0f} MB more")

    def _full(self, wanted: str) -> DiskFullError:
        return DiskFullError(
            f"There is no room in {self.folder.parent} to unpack {self.name} ({wanted} is needed).",
            "Make room, or set TMPDIR to a directory on a larger disk.",
        )


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    while block := content.read(_BLOCK):
        yield block

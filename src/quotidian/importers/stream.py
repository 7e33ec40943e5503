"""Bytes of a file or of standard input, unpacked on the way where they are packed."""

import gzip
import io
import os
import sys
import zlib
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

import msgspec
import pyarrow as pa

from quotidian.errors import CorruptSourceError, SourceError
from quotidian.importers.batch import Reached
from quotidian.importers.rejects import Rejects

STANDARD_INPUT: Final = "-"
HEAD: Final = 512  #: bytes that tell what a source is
LONGEST_LINE: Final = 10_000_000  #: bytes
_REMEMBERED: Final = 2_000  #: lines passed over that may still matter to those behind them
_SHORT: Final = 20_000  #: bytes; a longer one is not remembered
_BUFFER: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Stream:
    """A file, or standard input, as plain bytes from its beginning.

    Raises
    ------
    SourceError
        When there is no such file, it cannot be read, or it is empty.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.name = "standard input" if where == STANDARD_INPUT else where
        self.path = None if where == STANDARD_INPUT else Path(where)
        self._file: BinaryIO
        self.packed = ""  #: "gzip", "zstd" or nothing
        self._waiting: io.BufferedReader | None = self._open()
        try:
            self.head = self._waiting.peek(HEAD)[:HEAD]
            if not self.head:
                raise SourceError(f"{self.name} is empty.", "Nothing was imported.")
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(self, error) from error
        finally:
            if self.repeatable:
                self.close(self._waiting)
                self._waiting = None

    @property
    def repeatable(self) -> bool:
        """Whether the bytes can be read more than once: not those of standard input or of a pipe."""
        return self.path is not None and self.path.is_file()

    def open(self) -> io.BufferedReader:
        """Give the bytes from their beginning; of standard input that is possible once."""
        opened, self._waiting = self._waiting or self._open(), None
        return opened

    def close(self, opened: io.BufferedReader) -> None:
        """Close what was opened; standard input stays open."""
        if self.path is not None:
            opened.close()
            self._file.close()  # what unpacks it leaves the file itself open

    def _open(self) -> io.BufferedReader:
        raw = self._file = sys.stdin.buffer if self.path is None else _opened(self.path)
        head = raw.read(HEAD)
        if raw.seekable() and self.path is not None:
            raw.seek(0)
            plain = raw
        else:
            plain = io.BufferedReader(Rejoined(head, raw), _BUFFER)
        if head.startswith(_GZIP):
            self.packed = "gzip"
            return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=plain)), _BUFFER)
        if head.startswith(_ZSTD):
            self.packed = "zstd"
            unpacked = pa.CompressedInputStream(pa.PythonFile(cast("io.IOBase", plain), "r"), "zstd")
            return io.BufferedReader(cast("io.RawIOBase", unpacked), _BUFFER)
        return cast("io.BufferedReader", plain)


class Rejoined(io.RawIOBase):
    """Bytes that were read already, then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there are bytes at hand."""
        read = getattr(self._rest, "read1", self._rest.read)
        taken = self._head[: len(buffer)] or read(len(buffer))
        self._head = self._head[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _opened(path: Path) -> BinaryIO:
    """Open a file.

    Raises
    ------
    SourceError
        When it is not there, is no file, or may not be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise SourceError(f"There is no file {path}.", "Check the path.") from error
    except IsADirectoryError as error:
        database = path / "home-assistant_v2.db"
        remedy = f"Name the database in it: {database}." if database.exists() else "Name a file in it."
        raise SourceError(f"{path} is a directory.", remedy) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def _damaged(stream: Stream, error: Exception) -> CorruptSourceError:
    # Arrow's messages name its own functions; the first line is enough for a person.
    why = "it ends in the middle" if isinstance(error, EOFError) else str(error).partition("\n")[0]
    return CorruptSourceError(
        f"{stream.name} is damaged ({stream.packed or 'file'}): {why}.",
        "What stands before the damage was used; fetch the file again for the rest.",
    )


class Resumption(Reached, frozen=True):
    """How far lines were handed out, what stood in them, and the zone that times without one were read in."""

    lines: int
    digest: str
    zone: str


class Lines:
    """A stream's lines as text with their numbers; knows how far it came, and a digest of all up to there.

    Lines longer than ``LONGEST_LINE`` are rejected without holding them in memory, lines that are not UTF-8 too.
    """

    def __init__(self, stream: Stream, rejects: Rejects) -> None:
        self._stream, self._rejects = stream, rejects
        self._file = stream.open()
        self._digest = blake2b(digest_size=16)
        self.number = 0  #: of the last line that was read, from 1
        self.skipped: deque[bytes] = deque(maxlen=_REMEMBERED)  #: the last lines that ``skip`` passed over

    def __iter__(self) -> Iterator[str]:
        """Go through the lines that are left, each with its end.

        Raises
        ------
        CorruptSourceError
            At the place where the stream is damaged, after all that was good.
        """
        while line := self._line():
            if len(line) > LONGEST_LINE:
                self._rejects.add("longer than 10 MB", f"line {self.number}", line[:1000].decode("utf-8", "replace"))
                self._skip_rest(line)
                continue
            try:
                yield (line[3:] if self.number == 1 and line.startswith(BOM_UTF8) else line).decode()
            except UnicodeDecodeError:
                self._rejects.add("not UTF-8", f"line {self.number}", line.decode("utf-8", "replace"))

    def skip(self, resumption: Resumption) -> bool:
        """Go on to where reading stopped; false where the lines before it are not what they were."""
        while self.number < resumption.lines and (line := self._line()):
            if len(line) > LONGEST_LINE:
                self._skip_rest(line)
            elif len(line) < _SHORT:
                self.skipped.append(line)
        return (self.number, self._digest.hexdigest()) == (resumption.lines, resumption.digest)

    def resumption(self, zone: str) -> str:
        """Give the position after the last line read."""
        return msgspec.json.encode(Resumption(self.number, self._digest.hexdigest(), zone)).decode()

    def close(self) -> None:
        """Close the file."""
        self._stream.close(self._file)

    def _line(self) -> bytes:
        try:
            line = self._file.readline(LONGEST_LINE + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(self._stream, error) from error
        self.number += bool(line)
        self._digest.update(line)
        return line

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._line()
            self.number -= bool(line)


def absolute(where: str) -> str:
    """Give a path from the root, to name a source by."""
    return where if where == STANDARD_INPUT else os.path.realpath(where)

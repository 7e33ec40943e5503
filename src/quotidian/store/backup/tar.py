"""The few tar blocks that a backup is made of.

Python's own reader follows extended headers, links and sizes wherever they lead. A backup has none of them: whatever is
not a plain file with a plain header is refused before a byte of it is kept.
"""

import tarfile
from collections.abc import Iterator
from typing import Final, Protocol

from quotidian.errors import CorruptSourceError, SourceError

CHUNK: Final = 262_144  #: bytes that are read at once
_BLOCK: Final = tarfile.BLOCKSIZE
_END: Final = bytes(2 * _BLOCK)
_AGAIN: Final = "Copy it again, or take another backup."


class Readable(Protocol):
    """What bytes can be read from: a file, a pipe, an answer."""

    def read(self, size: int, /) -> bytes:
        """Give so many bytes or fewer; none at the end."""


def header(name: str, size: int) -> bytes:
    """Give the block that announces a file."""
    told = tarfile.TarInfo(name)
    told.size, told.mode = size, 0o600
    return told.tobuf(tarfile.USTAR_FORMAT)


def padding(size: int) -> bytes:
    """Give what follows a file of a size."""
    return bytes(-size % _BLOCK)


def end() -> bytes:
    """Give what follows the last file."""
    return _END


def padded(size: int) -> int:
    """Give the bytes that a file of a size takes, with its header and its padding."""
    return _BLOCK + size + -size % _BLOCK


class Tar:
    """Reads files one after another, as a stream.

    Raises
    ------
    SourceError
        When it is none that we have made.
    CorruptSourceError
        When it ends too early, or a header is damaged.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._last = ""

    def next(self) -> tuple[str, int]:
        """Give name and size of the next file; the one before must have been read."""
        block = self._exactly(_BLOCK, f"the header after {self._last}" if self._last else "its first header")
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise self._no_header(block) from error
        if found.type != tarfile.REGTYPE or found.size < 0:
            raise SourceError(f"The backup holds {found.name!r}, which is no plain file.", "It is not used.")
        self._last = found.name
        return found.name, found.size

    def _no_header(self, block: bytes) -> SourceError | CorruptSourceError:
        if self._last:
            return CorruptSourceError(f"The backup is damaged behind {self._last}.", _AGAIN)
        if block.startswith(b"age-encryption.org/"):
            what = "The file was encrypted by another program."
            return SourceError(what, "Decrypt it first, as in `age --decrypt FILE | quotidian restore -`.")
        return SourceError("The file is no backup of Quotidian.", "`quotidian backup` makes one.")

    def content(self, size: int, most: int) -> bytes:
        """Read a small file whole; one of more than ``most`` bytes is refused."""
        if size > most:
            raise SourceError(f"{self._last} in the backup is larger than {most:,} bytes.", "It is not used.")
        return b"".join(self.chunks(size))

    def chunks(self, size: int) -> Iterator[bytes]:
        """Read a file in pieces."""
        left = size
        while left:
            piece = self._exactly(min(CHUNK, left), self._last)
            left -= len(piece)
            yield piece
        if any(self._exactly(-size % _BLOCK, self._last)):
            raise CorruptSourceError(f"The backup is damaged behind {self._last}.", _AGAIN)

    def finish(self) -> None:
        """Read the end.

        Raises
        ------
        CorruptSourceError
            When something else follows.
        """
        if self._exactly(len(_END), f"its end, after {self._last}") != _END or self._stream.read(1):
            raise CorruptSourceError(f"More follows in the backup after {self._last} than it announces.", _AGAIN)

    def _exactly(self, size: int, place: str) -> bytes:
        parts, left = [], size
        while left:
            part = self._stream.read(left)
            if not part:
                raise CorruptSourceError(f"The backup ends, or is damaged, in the middle of {place}.", _AGAIN)
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

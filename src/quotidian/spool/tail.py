"""The growing end of the log."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from quotidian.spool.frame import HEADER, Span, length, scan
from quotidian.spool.place import disk_errors, sync_directory
from quotidian.spool.segment import Segment


class Tail:
    """The file to which frames are written; by one thread at a time."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file = -1

    def write(self, segment: Segment, frames: Sequence[bytes]) -> None:
        """Make frames durable behind what is durable of a segment, or leave the segment as it is.

        Where to write is always told anew, so that what an earlier try has left behind is overwritten.

        Raises
        ------
        DiskFullError
            When there is no space for all of them.
        StoreRefusedError
            When the disk does not take them.
        """
        with disk_errors(segment.path.parent):
            self._open(segment.path)
            try:
                self._put(b"".join(frames), segment.size)
                os.fdatasync(self._file)
                if not segment.size:
                    sync_directory(segment.path.parent)
            except OSError:
                self._cut_back(segment.size)
                raise

    def _open(self, path: Path) -> None:
        if path != self._path:
            self.close()
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._path = path

    def _put(self, data: bytes, at: int) -> None:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._file, rest, at)
            rest, at = rest[written:], at + written

    def _cut_back(self, size: int) -> None:
        # What cannot be cut off is overwritten by the next try, or read as what it is when the log is opened again.
        with suppress(OSError):
            os.ftruncate(self._file, size)
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._path is not None:
            self._path = None
            os.close(self._file)


class Recovered:
    """What the newest file of a log holds after its process has ended, in whatever way.

    ``size`` is where its records end, ``arrived`` when the last of them came, ``sound`` whether all are there;
    ``last`` is the last number that may have been given away: no record may get it, or a smaller one, again.
    """

    def __init__(self, data: bytes, first: int) -> None:
        self.last, self.size, self.sound = first - 1, 0, True
        self.arrived: int | None = None
        at = known = 0
        for found in scan(data):
            if isinstance(found, Span):
                at = found.end
                self.last += found.numbers
            else:
                at += length(found)
                self.sound &= found.seq == self.last + 1
                known = self.last = max(known, found.seq)
                self.arrived = found.arrived
            # No whole record fits into a torn end: it was never acknowledged, and is cut off.
            if not isinstance(found, Span) or found.numbers:
                self.size = at
        self.sound &= self.last == max(known, first - 1)

    @classmethod
    def of(cls, path: Path, first: int) -> Self:
        """Read a file, cut off a torn end, and make the rest durable.

        Records may be there that were written but never synced. From now on they are given away, so a power cut must
        not take them back: their numbers would be used again.
        """
        size = path.stat().st_size
        data = Segment(path, first, first, size).load(0, size)
        found = cls(data, first)
        if len(data) < size:
            found.last += (size - len(data)) // HEADER
            found.size, found.sound = size, False
        else:
            _keep(path, found.size)
        return found


def _keep(path: Path, size: int) -> None:
    with path.open("rb+") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    sync_directory(path.parent)

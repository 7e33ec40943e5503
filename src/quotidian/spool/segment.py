"""The files of the log: each holds the records from the number in its name up to the next file's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from quotidian.spool.frame import Record, Span, length, scan
from quotidian.spool.place import LOST

_SUFFIX: Final = ".log"


class Segment(NamedTuple):
    """One file as far as it is durable: ``size`` bytes, with the numbers from ``first`` to ``next`` - 1."""

    path: Path
    first: int
    next: int
    size: int

    def load(self, start: int, size: int) -> bytes:
        """Give durable bytes from an offset on; fewer than are there when the file has lost some."""
        size = min(size, self.size - start)
        if size <= 0:
            return b""
        try:
            with self.path.open("rb", buffering=0) as file:
                return os.pread(file.fileno(), size, start)
        except OSError as error:
            if error.errno in LOST:
                return b""
            raise


class Loss(NamedTuple):
    """Numbers that cannot be read, the damaged bytes in their place, and when their neighbours arrived."""

    first: int
    last: int
    since: int | None
    until: int | None
    spans: tuple[Span, ...]


class Found(NamedTuple):
    """A record, and the offset in its segment at which it ends."""

    record: Record
    end: int


def path_of(directory: Path, first: int) -> Path:
    """Give the path of the segment that starts with a number."""
    return directory / f"{first:020}{_SUFFIX}"


def paths_in(directory: Path) -> list[tuple[int, Path]]:
    """Give the segments of a directory with their first numbers, in order."""
    return sorted((int(path.stem), path) for path in directory.glob(f"*{_SUFFIX}") if path.stem.isdecimal())


def survey(segment: Segment) -> Iterator[Found | Loss]:
    """Read a whole segment: every good record, and what is missing between them."""
    known, arrived, at = segment.first - 1, None, 0
    spans: list[Span] = []
    for found in scan(segment.load(0, segment.size)):
        if isinstance(found, Span):
            spans.append(found)
            at = found.end
            continue
        at += length(found)
        # Within a damaged frame the bytes of a payload may look like a frame of their own.
        if not known < found.seq < segment.next:
            continue
        if found.seq > known + 1:
            yield Loss(known + 1, found.seq - 1, arrived, found.arrived, tuple(spans))
        yield Found(found, at)
        known, arrived, spans = found.seq, found.arrived, []
    if segment.next > known + 1:
        yield Loss(known + 1, segment.next - 1, arrived, None, tuple(spans))


def stretch(segment: Segment, seq: int, start: int, limit: int, size: int) -> list[Found]:
    """Read at most ``limit`` records within ``size`` bytes, from the offset at which a number starts.

    Ends before anything that is not as it should be; gives nothing when that, or a longer record, comes first.
    """
    taken: list[Found] = []
    for record in scan(segment.load(start, size)):
        if isinstance(record, Span) or record.seq != seq + len(taken) or len(taken) == limit:
            break
        start += length(record)
        taken.append(Found(record, start))
    return taken

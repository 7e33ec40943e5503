"""The log: the segments of a spool in order, of which the last one grows."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, takewhile
from pathlib import Path
from typing import Final

from quotidian.spool.frame import arrival
from quotidian.spool.segment import Found, Segment, path_of, paths_in, survey
from quotidian.spool.tail import Recovered, Tail

#: Bytes after which a new segment is begun.
SEGMENT: Final = 4 << 20


class Log:
    """What is durable: ``segments``, together ``bytes``; the last record came at ``arrived`` (µs).

    Parameters
    ----------
    directory
        Where the segments are.
    taken
        A number that is known to have been given away, so that no record gets it again.
    segment
        Bytes after which a new segment is begun.
    """

    def __init__(self, directory: Path, taken: int, segment: int = SEGMENT) -> None:
        self._directory = directory
        self._segment = segment
        self._tail = Tail()
        self.sound = True
        paths = paths_in(directory)
        self.segments = [
            Segment(path, first, following, path.stat().st_size) for (first, path), (following, _) in pairwise(paths)
        ]
        self.arrived: int | None = None
        if paths:
            self._recover(*paths[-1], taken)
        else:
            self._begin(1)
        self.bytes = sum(segment.size for segment in self.segments)

    @property
    def committed(self) -> int:
        """The last durable number."""
        return self.segments[-1].next - 1

    def _recover(self, first: int, path: Path, taken: int) -> None:
        found = Recovered.of(path, first)
        last = max(found.last, taken)
        self.segments.append(Segment(path, first, last + 1, found.size))
        self.sound = found.sound and last == found.last
        self.arrived = self._last_arrival() if found.arrived is None else found.arrived
        if not self.sound:
            self._begin(last + 1)

    def _last_arrival(self) -> int | None:
        for segment in reversed(self.segments):
            arrivals = [found.record.arrived for found in survey(segment) if isinstance(found, Found)]
            if arrivals:
                return arrivals[-1]
        return None

    def _begin(self, first: int) -> None:
        self.segments.append(Segment(path_of(self._directory, first), first, first, 0))

    def behind(self, seq: int) -> list[Segment]:
        """Give the segments in which a number and those after it are."""
        index = bisect_right(self.segments, seq, key=_first) - 1
        return self.segments[max(index, 0) :]

    def room(self, sizes: Iterable[int]) -> int:
        """Tell how many frames of these sizes, at most, are to be written next.

        Begins a new segment when the last one is full.
        """
        if self.segments[-1].size >= self._segment:
            self._begin(self.committed + 1)
        left = self._segment - self.segments[-1].size
        return 1 + sum(1 for _ in takewhile(lambda used: used < left, accumulate(sizes)))

    def write(self, frames: Sequence[bytes]) -> None:
        """Make frames durable; they count once ``settle`` was called. May run in a thread."""
        self._tail.write(self.segments[-1], frames)

    def settle(self, frames: Sequence[bytes]) -> None:
        """Count frames that were written."""
        segment = self.segments[-1]
        added = sum(map(len, frames))
        self.segments[-1] = segment._replace(next=segment.next + len(frames), size=segment.size + added)
        self.bytes += added
        self.arrived = arrival(frames[-1])

    def drop(self, acked: int, keep: int) -> list[Path]:
        """Leave out the oldest segments that are acknowledged as a whole; tell which files can go.

        At least ``keep`` acknowledged bytes stay, so that what came before the others can be read again.
        """
        done = list(takewhile(lambda segment: segment.next - 1 <= acked, self.segments[:-1]))
        enough = sum(kept >= keep for kept in accumulate(segment.size for segment in reversed(done)))
        gone = done[: max(enough - 1, 0)]
        del self.segments[: len(gone)]
        self.bytes -= sum(segment.size for segment in gone)
        return [segment.path for segment in gone]

    def close(self) -> None:
        """Close the file that grows."""
        self._tail.close()


def _first(segment: Segment) -> int:
    return segment.first

"""Reading the log: the good records, and an account of those that are lost."""

import threading
from collections.abc import Iterable, Iterator

from quotidian.spool.damage import Damage, set_aside
from quotidian.spool.frame import Record, length
from quotidian.spool.log import Log
from quotidian.spool.place import disk_errors
from quotidian.spool.segment import Found, Loss, Segment, stretch, survey


class Records:
    """The records of a log, read in whatever thread; ``damages`` tells what was found to be lost.

    A segment is read straight on as long as its records follow each other. Where they do not, it is surveyed as a
    whole: damage costs what it hit, and never stops the rest.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._reporting = threading.Lock()
        self.damages: list[Damage] = []
        if not log.sound:
            self._salvage(log.segments[-2])

    def take(self, segment: Segment, seq: int, start: int | None, limit: int, size: int) -> list[Found]:
        """Give records of a segment from a number on.

        Parameters
        ----------
        start
            The offset at which that number starts, if it is known.
        limit, size
            At most so many records, of so many bytes together; but at least one, if there is one.
        """
        with disk_errors(segment.path.parent):
            found = [] if start is None else stretch(segment, seq, start, limit, size)
            return found or _bounded((each for each in self._salvage(segment) if each.record.seq >= seq), limit, size)

    def since(self, instant: int) -> Iterator[Record]:
        """Give all records that arrived at or after an instant (µs)."""
        for segment in tuple(self._log.segments):
            with disk_errors(segment.path.parent):
                good = self._salvage(segment)
            yield from (found.record for found in good if found.record.arrived >= instant)

    def _salvage(self, segment: Segment) -> list[Found]:
        good: list[Found] = []
        losses: list[Loss] = []
        for each in survey(segment):
            if isinstance(each, Found):
                good.append(each)
            else:
                losses.append(each)
        if losses:
            self._report(segment, losses)
        return good

    def _report(self, damaged: Segment, losses: list[Loss]) -> None:
        with self._reporting:
            segments = tuple(self._log.segments)
            known = {damage.first for damage in self.damages}
            # A segment that was acknowledged and deleted meanwhile is no damage.
            if damaged.first >= segments[0].first:
                self.damages += set_aside(segments, damaged, [loss for loss in losses if loss.first not in known])


def _bounded(found: Iterable[Found], limit: int, size: int) -> list[Found]:
    taken: list[Found] = []
    for each in found:
        size -= length(each.record)
        if taken and (len(taken) >= limit or size < 0 or each.record.seq != taken[-1].record.seq + 1):
            break
        taken.append(each)
    return taken

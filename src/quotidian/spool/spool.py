"""The spool: what was heard waits here, on disk, until every sink has acknowledged it."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from quotidian.spool.cursor import Cursor
from quotidian.spool.damage import Damage
from quotidian.spool.frame import Kind, Record, encode
from quotidian.spool.log import SEGMENT, Log
from quotidian.spool.place import disk_errors, fresh_stream_in, lock, stream_in, sync_directory
from quotidian.spool.records import Records
from quotidian.spool.segment import Found

#: Acknowledged bytes that are kept for ``replay``.
_KEPT: Final = 16 << 20


class Spool:
    """A durable queue in a directory of its own: appended to by one source, read by sinks at their own pace.

    Numbers are contiguous from 1 on, within the ``stream`` that the directory is named by; only what is durable is ever
    given to a sink. Numbers that damage has taken stay missing. Two threads touch the disk, one to write, one to read;
    everything else happens on the event loop.

    Parameters
    ----------
    directory
        Made if it is missing.
    quota
        Bytes that it may hold. Beyond them ``full`` is true; that is for the source to heed.
    sinks
        Who reads. A sink that is new gets everything that is still there.

    Raises
    ------
    StoreBusyError
        When another process holds the directory.
    DiskFullError
        When there is no space to begin.
    StoreRefusedError
        When the directory cannot be used.
    """

    def __init__(self, directory: Path, *, quota: int, sinks: tuple[str, ...] = ("enrich",)) -> None:
        self._directory = directory
        self._quota = quota
        with disk_errors(directory):
            if not directory.exists():
                directory.mkdir(0o700, parents=True)
                sync_directory(directory.parent)
            self._lock = lock(directory)
            try:
                self._open(sinks)
            except BaseException:
                os.close(self._lock)
                raise

    def _open(self, sinks: tuple[str, ...]) -> None:
        begun = any(self._directory.glob("*.log"))
        self.stream = stream_in(self._directory, begun=begun)
        self._cursors = {sink: Cursor(self._directory, sink, self.stream) for sink in sinks}
        taken = max((cursor.acked for cursor in self._cursors.values()), default=0)
        self._log = Log(self._directory, taken, min(SEGMENT, max(self._quota // 8, 1)))
        for cursor in self._cursors.values():
            cursor.acked = max(cursor.acked, self._log.segments[0].first - 1)
        self._ends: dict[str, dict[int, int]] = {sink: {} for sink in sinks}
        self._pending: list[bytes] = []
        self.appended = self.committed
        self.pending_bytes = 0
        self._flight: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._writing = ThreadPoolExecutor(1, "spool-write")
        self._reading = ThreadPoolExecutor(1, "spool-read")
        self._records = Records(self._log)

    @property
    def damages(self) -> list[Damage]:
        """What was found to be lost since the spool was opened; older parts of it are looked at when they are read."""
        return self._records.damages

    @property
    def committed(self) -> int:
        """The last durable number."""
        return self._log.committed

    @property
    def full(self) -> bool:
        """Whether the quota is used up."""
        return self.bytes + self.pending_bytes >= self._quota

    @property
    def last_arrived(self) -> int | None:
        """When the last durable record arrived (µs), of whatever kind."""
        return self._log.arrived

    def acked(self, sink: str) -> int:
        """Give the last number that a sink acknowledged."""
        return self._cursors[sink].acked

    def depth(self, sink: str) -> int:
        """Tell how many durable numbers a sink has not acknowledged."""
        return self.committed - self.acked(sink)

    def append(self, kind: Kind, payload: bytes, arrived: int) -> int:
        """Take something in, in memory only, and give its number; ``commit`` makes it durable."""
        self.appended += 1
        frame = encode(Record(self.appended, arrived, kind, payload))
        self._pending.append(frame)
        self.pending_bytes += len(frame)
        return self.appended

    async def commit(self) -> int:
        """Wait until everything that was appended before is on disk; give the last durable number.

        Commits that are asked for while one is on its way share the next one.

        Raises
        ------
        DiskFullError
            When there is no space. What was appended stays in memory, and the next commit writes it.
        StoreRefusedError
            When the disk does not take it; likewise.
        """
        wanted = self.appended
        while self.committed < wanted:
            # One that is done, but whose callback did not run yet, would be waited for without ever yielding to it.
            if self._flight is None or self._flight.done():
                self._flight = asyncio.create_task(self._write())
                self._flight.add_done_callback(self._landed)
            # Whoever stops waiting does not stop it for the others.
            await asyncio.shield(self._flight)
        return self.committed

    def _landed(self, flight: asyncio.Task[None]) -> None:
        if self._flight is flight:
            self._flight = None
        if not flight.cancelled():
            flight.exception()  # told to those who wait, if anybody still does

    async def _write(self) -> None:
        frames = self._pending[: self._log.room(map(len, self._pending))]
        await asyncio.get_running_loop().run_in_executor(self._writing, self._log.write, frames)
        self._log.settle(frames)
        del self._pending[: len(frames)]
        self.pending_bytes -= sum(map(len, frames))
        self._news.set()
        self._news = asyncio.Event()

    async def read(self, sink: str, *, limit: int, size: int) -> list[Record]:
        """Give durable records that a sink has not acknowledged; wait until there is one.

        Their numbers follow each other: where damage left a hole, the next reading starts behind it.

        Parameters
        ----------
        limit, size
            At most so many records, of so many bytes together; but at least one.
        """
        while True:
            seen, news = self.committed, self._news
            found = await self._unacknowledged(sink, limit, size)
            if found:
                self._ends[sink] = {each.record.seq: each.end for each in found}
                return [each.record for each in found]
            self.ack(sink, seen)  # whatever was up to there is lost
            await news.wait()

    async def _unacknowledged(self, sink: str, limit: int, size: int) -> list[Found]:
        acked = self.acked(sink)
        loop = asyncio.get_running_loop()
        for segment in self._log.behind(acked + 1):
            seq = max(acked + 1, segment.first)
            start = 0 if seq == segment.first else self._ends[sink].get(acked)
            if seq < segment.next:
                found = await loop.run_in_executor(self._reading, self._records.take, segment, seq, start, limit, size)
                if found:
                    return found
        return []

    def ack(self, sink: str, seq: int) -> None:
        """Note that a sink needs nothing up to a number any more; beyond what is durable, only up to there.

        It is written down now and then, so after a crash a sink may be given again what it has acknowledged.
        """
        cursor = self._cursors[sink]
        cursor.acked = max(cursor.acked, min(seq, self.committed))
        for path in self._log.drop(self._acked_by_all(), min(_KEPT, self._quota // 4)):
            self._writing.submit(_remove, path)
        if cursor.falls_due():
            self._writing.submit(cursor.save)

    def rewind(self, sink: str, seq: int) -> bool:
        """Give a sink again what comes behind a number, as far as it is kept; tell whether that is anything.

        For when a sink lost what it had acknowledged.
        """
        cursor = self._cursors[sink]
        acked, cursor.acked = cursor.acked, min(cursor.acked, max(seq, self._log.segments[0].first - 1))
        return cursor.acked < acked

    def _acked_by_all(self) -> int:
        return min((cursor.acked for cursor in self._cursors.values()), default=self.committed)

    def rename(self) -> None:
        """Give the stream a new name; the numbers go on.

        For when a sink knows higher numbers than were found: the end of the log is lost, and what comes after it must
        not pass for what that sink has already.

        Raises
        ------
        DiskFullError
            When there is no space; the name is then as it was.
        """
        with disk_errors(self._directory):
            self.stream = fresh_stream_in(self._directory)
        for cursor in self._cursors.values():
            cursor.renamed(self.stream)

    def replay(self, since: int) -> Iterator[Record]:
        """Give the records that are still on disk and arrived at or after an instant (µs), acknowledged or not."""
        return self._records.since(since)

    def close(self) -> None:
        """Let go of the directory; what was not committed goes with the process."""
        self._writing.shutdown()
        self._reading.shutdown()
        for cursor in self._cursors.values():
            cursor.save()
        self._log.close()
        os.close(self._lock)

    @property
    def bytes(self) -> int:
        """Bytes of the log on disk."""
        return self._log.bytes


def _remove(path: Path) -> None:
    # A file that cannot be removed is acknowledged all the same; it is tried again when the spool is opened next.
    with suppress(OSError):
        path.unlink(missing_ok=True)

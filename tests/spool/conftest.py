"""What the tests of the spool share."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quotidian.spool import Kind, Record, Spool

#: Small enough for segments of 300 bytes, so that a few records fill several.
SMALL = 2400


class Spools:
    """Spools in a directory and in copies of it, on a loop of their own; opening one closes the one before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._spool: Spool | None = None
        self._runner = asyncio.Runner()
        self.run: Callable[..., Any] = self._runner.run

    def __call__(
        self, directory: Path | None = None, quota: int = SMALL, sinks: tuple[str, ...] = ("enrich",)
    ) -> Spool:
        self.close()
        self.directory = directory or self.directory
        self._spool = Spool(self.directory, quota=quota, sinks=sinks)
        return self._spool

    def crashed(self, name: str) -> Path:
        """Copy the directory as it is on disk now: what another process would find after a crash."""
        to = self.directory.with_name(name)
        copied(self._spool, self.directory, to)
        return to

    def put(self, spool: Spool, records: int) -> list[Record]:
        """Append and commit records, each a commit of its own."""
        made = []
        for _ in range(records):
            made.append(record(spool.appended + 1))
            spool.append(*made[-1][2:], made[-1].arrived)
            self.run(spool.commit())
        return made

    def drain(self, spool: Spool, sink: str = "enrich", limit: int = 7, size: int = 300) -> list[Record]:
        """Read and acknowledge until everything that can be read is."""
        return self.run(drained(spool, sink, limit, size))

    def close(self) -> None:
        if self._spool:
            self._spool.close()
            self._spool = None

    def end(self) -> None:
        self.close()
        self._runner.close()


def copied(spool: Spool | None, directory: Path, to: Path) -> None:
    """Copy a spool's directory, between two things that its thread does."""
    if spool:
        spool._writing.submit(shutil.copytree, directory, to).result()
    else:
        shutil.copytree(directory, to)


def record(seq: int) -> Record:
    """Make the record of a number; its length and kind depend on it."""
    return Record(seq, seq * 1_000_000, Kind(1 + seq % len(Kind)), b'{"n": %d}' % seq * (seq % 5))


async def drained(spool: Spool, sink: str, limit: int = 1000, size: int = 1 << 20) -> list[Record]:
    """Read and acknowledge until everything that can be read is."""
    found: list[Record] = []
    while spool.depth(sink):
        reading = asyncio.ensure_future(spool.read(sink, limit=limit, size=size))
        while not reading.done() and spool.depth(sink):
            await asyncio.sleep(0)
        if not reading.done():  # what was left of the log was damaged: the reading waits for something new
            reading.cancel()
            break
        found += await reading
        spool.ack(sink, found[-1].seq)
    return found


@pytest.fixture
def spools(tmp_path: Path) -> Iterator[Spools]:
    """Open spools."""
    made = Spools(tmp_path / "spool")
    yield made
    made.end()


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk, where many spools are opened and none is about that."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)

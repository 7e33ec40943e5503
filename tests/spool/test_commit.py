"""Committing: what it makes durable, what it shares, and what it leaves alone."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from quotidian.spool import Kind, Spool

from .conftest import Spools, record


class HeldSync:
    """An fdatasync that waits until it is let go, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.reached, self.go = threading.Event(), threading.Event()
        self._sync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self)

    def __call__(self, file: int) -> None:
        self.calls += 1
        self.reached.set()
        assert self.go.wait(30)
        self._sync(file)

    async def held(self) -> None:
        """Wait until somebody waits for the disk."""
        await asyncio.to_thread(self.reached.wait, 30)


def put(spool: Spool, seq: int) -> int:
    """Append the record of a number."""
    made = record(seq)
    return spool.append(made.kind, made.payload, made.arrived)


def test_commits_share_what_they_wait_for(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """One write is under way at a time; all who come meanwhile share the next one."""
    sync = HeldSync(monkeypatch)
    spool = spools(quota=1 << 20)

    async def commits() -> None:
        put(spool, 1)
        first = asyncio.create_task(spool.commit())
        await sync.held()
        later = []
        for seq in range(2, 100):
            put(spool, seq)
            later.append(asyncio.create_task(spool.commit()))
        await asyncio.sleep(0)
        assert (spool.committed, spool.appended) == (0, 99)
        sync.go.set()
        assert await first == 1
        assert set(await asyncio.gather(*later)) == {99}

    spools.run(commits())
    assert sync.calls == 2


def test_only_what_is_durable_is_given_away(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader waits while the bytes are in the file already but not yet known to be on the disk."""
    sync = HeldSync(monkeypatch)
    spool = spools()

    async def reading() -> None:
        read = asyncio.create_task(spool.read("enrich", limit=9, size=999))
        put(spool, 1)
        commit = asyncio.create_task(spool.commit())
        await sync.held()
        assert any(path.stat().st_size for path in spools.directory.glob("*.log"))
        assert list(spool.replay(0)) == []
        assert not read.done()
        sync.go.set()
        assert await read == [record(1)]
        assert commit.done()

    spools.run(reading())


def test_who_stops_waiting_stops_nobody_else(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is cancelled goes on for the others, and for what was appended."""
    sync = HeldSync(monkeypatch)
    spool = spools()

    async def cancelling() -> int:
        put(spool, 1)
        impatient, patient = (asyncio.create_task(spool.commit()) for _ in range(2))
        await sync.held()
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        sync.go.set()
        return await patient

    assert spools.run(cancelling()) == 1
    assert spools.drain(spool) == [record(1)]


def test_a_loop_that_ends_in_mid_commit_costs_nothing(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the loop ends while the disk is slow, the next commit writes the same again, once."""
    sync = HeldSync(monkeypatch)
    spool = spools()

    async def ending() -> None:
        put(spool, 1)
        flight = asyncio.create_task(spool.commit())
        await sync.held()
        flight.cancel()

    asyncio.run(ending())
    sync.go.set()
    put(spool, 2)
    assert spools.run(spool.commit()) == 2
    assert spools.drain(spool) == [record(1), record(2)]
    assert spools.drain(spools(spools.crashed("later"))) == [record(1), record(2)]


def test_the_disk_is_waited_for_elsewhere(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither fsync nor reading happens in the loop's thread."""
    seen: set[tuple[str, int]] = set()

    def watch(name: str) -> None:
        function = getattr(os, name)

        def watched(*arguments: Any) -> Any:
            seen.add((name, threading.get_ident()))
            return function(*arguments)

        monkeypatch.setattr(os, name, watched)

    spool = spools()
    for name in ("pwrite", "fdatasync", "fsync", "pread"):
        watch(name)
    made = spools.put(spool, 30)
    assert spools.drain(spool) == made
    assert {name for name, _ in seen} == {"pwrite", "fdatasync", "fsync", "pread"}
    assert threading.get_ident() not in {thread for _, thread in seen}


def test_what_is_found_at_the_start_is_made_durable(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that a killed process wrote but never synced are synced, with the file's name, before they are given."""
    spools.put(spools(), 1)
    crashed = spools.crashed("later")
    synced: set[str] = set()
    monkeypatch.setattr(os, "fsync", lambda file: synced.add(str(Path(f"/proc/self/fd/{file}").readlink())))
    spool = spools(crashed)
    assert spool.committed == 1
    assert {str(crashed), *map(str, crashed.glob("*.log"))} <= synced


def test_what_waits_in_memory_is_counted(spools: Spools) -> None:
    """``pending_bytes`` grows with each append, large or small, and a commit empties it."""
    spool = spools(quota=10_000)
    spool.append(Kind.LIVE, bytes(1000), 0)
    small = spool.pending_bytes
    spool.append(Kind.LIVE, bytes(3000), 0)
    assert 1000 <= small <= 1100
    assert spool.pending_bytes - small == small + 2000
    assert not spool.full
    spool.append(Kind.LIVE, bytes(6000), 0)
    assert spool.full
    spools.run(spool.commit())
    assert spool.pending_bytes == 0
    assert spool.bytes == sum(path.stat().st_size for path in spools.directory.glob("*.log"))


def test_commit_right_behind_another(spools: Spools) -> None:
    """Who appends in the very turn of the loop in which a commit ends is served by another one."""
    spool = spools(quota=1 << 20)

    async def commits() -> None:
        for seq in range(1, 50):
            put(spool, 2 * seq - 1)
            first = asyncio.create_task(spool.commit())
            while spool.committed < 2 * seq - 1:
                await asyncio.sleep(0)
            put(spool, 2 * seq)
            assert await spool.commit() == 2 * seq
            await first

    spools.run(commits())


def test_rewound_sink_gets_again_what_is_kept(spools: Spools) -> None:
    """A sink that lost what it had acknowledged gets it again, as far as it is kept; never less than it still lacks."""
    spool = spools(quota=1 << 20)
    records = spools.put(spool, 9)
    assert not spool.rewind("enrich", 4)
    assert spools.drain(spool) == records
    assert spool.rewind("enrich", 4)
    assert spools.drain(spool) == records[4:]
    assert not spool.rewind("enrich", 9)


def test_rewound_sink_where_little_is_kept(spools: Spools) -> None:
    """What was removed after it was acknowledged is not given again, and what comes next follows without a hole."""
    spool = spools()
    spools.put(spool, 99)
    spools.drain(spool)
    assert spool.rewind("enrich", 0)
    assert 0 < spool.acked("enrich") < 99
    again = spools.drain(spool)
    assert again[0].seq > 1
    assert [one.seq for one in again] == list(range(again[0].seq, 100))

"""A disk that is full, or may not be written: said at once, and nothing is lost by it."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotidian.errors import DiskFullError, StoreRefusedError
from quotidian.spool import Kind, Record, Spool

from .. import disks  # noqa: TID252 - tests are no package
from .conftest import Spools


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MB, a quarter of which can be freed again."""
    with disks.small_disk(tmp_path, "1m") as place:
        (place / "ballast").write_bytes(bytes(256 << 10))
        yield place


def fill(spools: Spools, spool: Spool, size: int) -> list[Record]:
    """Append and commit records until the disk is full; give all that were appended."""
    made: list[Record] = []
    while len(made) < 100_000:
        made.append(Record(len(made) + 1, len(made), Kind.LIVE, bytes([len(made) % 256]) * size))
        spool.append(*made[-1][2:], made[-1].arrived)
        try:
            spools.run(spool.commit())
        except DiskFullError as error:
            assert "No space is left" in str(error)  # noqa: PT017
            return made
    pytest.fail("the disk is too large")


@pytest.mark.parametrize("quota", [64 << 10, 64 << 20])
@pytest.mark.parametrize("size", [700, 5_000, 300_000])
def test_a_full_disk_is_said_and_survived(spools: Spools, small_disk: Path, quota: int, size: int) -> None:
    """What was committed stays, what was not waits in memory, and with space everything goes in, once."""
    spool = spools(small_disk / "spool", quota=quota)
    made = fill(spools, spool, size)
    for _ in range(3):
        extra = Record(len(made) + 1, len(made), Kind.MANUAL, b"while it is full" * 500)
        made.append(extra)
        spool.append(extra.kind, extra.payload, extra.arrived)
        with pytest.raises(DiskFullError):
            spools.run(spool.commit())
    assert spool.committed < len(made) == spool.appended
    assert spool.pending_bytes > size
    assert spool.bytes == sum(path.stat().st_size for path in spools.directory.glob("*.log"))
    assert list(spool.replay(0)) == made[: spool.committed]
    (small_disk / "ballast").unlink()
    assert spools.run(spool.commit()) == len(made)
    assert spools.drain(spool, limit=1000, size=1 << 20) == made
    assert spool.damages == []


def test_a_spool_on_a_full_disk_opens_and_makes_room(spools: Spools, small_disk: Path) -> None:
    """After a restart on a full disk everything committed can be read, and acknowledging it frees the disk."""
    spool = spools(small_disk / "spool", quota=64 << 10)
    made = fill(spools, spool, 700)
    spool = spools(quota=64 << 10)
    assert spools.drain(spool) == made[: spool.committed]
    spool.append(Kind.LIVE, bytes(9000), 0)
    assert spools.run(spool.commit()) == len(made)


def test_a_lock_needs_no_space(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even the holder's number can be written, the spool opens and can be read."""
    made = spools.put(spools(), 3)
    spools.close()
    monkeypatch.setattr(os, "pwrite", _full)
    assert spools.drain(spools()) == made


def test_no_space_to_begin_is_said(small_disk: Path) -> None:
    """A disk that is full from the start is told apart from one that may not be written."""
    with pytest.raises(OSError, match="No space"):
        (small_disk / "more").write_bytes(bytes(2 << 20))
    with pytest.raises(DiskFullError, match="No space"):
        Spool(small_disk / "spool", quota=1 << 20)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreRefusedError, match="QUOTIDIAN_SPOOL"):
        Spool(small_disk / "spool", quota=1 << 20)


@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "fsync"])
def test_a_disk_that_fails_once_costs_nothing(spools: Spools, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """After an input/output error at any step the records are still there, and the next commit writes them, once."""
    spool = spools()
    made = spools.put(spool, 5)
    failed = 0
    for _ in range(20):
        new = Record(spool.appended + 1, 0, Kind.GAP, bytes(100))
        made.append(new)
        spool.append(new.kind, new.payload, new.arrived)
        with monkeypatch.context() as patched:
            patched.setattr(os, call, _broken)
            patched.setattr(os, "ftruncate", _broken)
            try:
                spools.run(spool.commit())
            except StoreRefusedError as error:
                assert "cannot be used" in str(error)  # noqa: PT017
                failed += 1
        spools.run(spool.commit())
    # A new file's name is synced once, everything else at each commit.
    assert failed == 20 if call != "fsync" else 5 < failed < 20
    assert spools.drain(spools(spools.crashed("later"))) == made
    assert spools().damages == []


def _broken(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")

"""The directory: who holds it, its stream, its cursors, its quota."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quotidian.errors import StoreBusyError, StoreRefusedError
from quotidian.spool import Kind, Spool

from .conftest import SMALL, Spools, record

OPEN = (
    "import sys; from pathlib import Path; from quotidian.spool import Spool; Spool(Path(sys.argv[1]), quota=1).close()"
)


def test_a_second_process_is_refused(spools: Spools) -> None:
    """Whoever opens a spool that is in use is told by which process; when it is closed, it opens."""
    spools()
    command = [sys.executable, "-c", OPEN, str(spools.directory)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StoreBusyError" in refused.stderr
    with pytest.raises(StoreBusyError, match=r"in use by process \d+"):
        Spool(spools.directory, quota=SMALL)
    spools.close()
    subprocess.run(command, check=True)


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A path that is a file is refused with a way out."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRefusedError, match="QUOTIDIAN_SPOOL"):
        Spool(tmp_path / "file", quota=SMALL)


def test_nobody_else_can_read_it(spools: Spools) -> None:
    """What a home says is its owner's: the directory and its log are closed to other users."""
    spools.put(spools(), 1)
    for path in (spools.directory, *spools.directory.glob("*.log")):
        assert path.stat().st_mode & 0o077 == 0


def test_a_stream_is_named_once(spools: Spools) -> None:
    """The stream keeps its name as long as its log is there; numbers that start again get a new one."""
    spool = spools()
    spools.put(spool, 1)
    assert spools().stream == spool.stream
    for path in spools.directory.glob("*.log"):
        path.unlink()
    new = spools()
    assert new.stream != spool.stream
    assert (new.committed, new.acked("enrich")) == (0, 0)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"junk", b"19 00000000", b"99999999999 12345678", None])
def test_a_cursor_that_says_nothing_costs_only_time(spools: Spools, content: bytes | None) -> None:
    """A cursor that is damaged or missing: everything that is still there is given again, from the oldest on."""
    spool = spools()
    made = spools.put(spool, 40)
    assert spools.drain(spool) == made
    kept = list(spool.replay(0))
    spools.close()
    cursor = spools.directory / "cursor-enrich"
    cursor.unlink() if content is None else cursor.write_bytes(content)
    spool = spools()
    assert spool.depth("enrich") == len(kept)
    assert spools.drain(spool) == kept == made[-len(kept) :]


def test_any_flipped_bit_of_a_cursor_is_noticed(spools: Spools) -> None:
    """No damage to a cursor makes it say more than was acknowledged."""
    spool = spools()
    spools.put(spool, 20)
    spool.ack("enrich", 12)
    spools.close()
    cursor = spools.directory / "cursor-enrich"
    content = cursor.read_bytes()
    for bit in range(len(content) * 8):
        cursor.write_bytes((int.from_bytes(content) ^ 1 << bit).to_bytes(len(content)))
        spool = Spool(spools.directory, quota=SMALL)
        assert spool.acked("enrich") <= 12
        spool.close()


def test_a_cursor_is_written_now_and_then(spools: Spools) -> None:
    """A crash after many acknowledgements repeats some of them only, and a spool that is closed repeats none."""
    spool = spools(quota=16 << 20)
    for _ in range(15_000):
        spool.append(Kind.LIVE, b"", 0)
    spools.run(spool.commit())
    spools.drain(spool, limit=1000, size=1 << 20)
    assert 10_000 <= spools(spools.crashed("later")).acked("enrich") < 15_000
    spools(spools.directory.with_name("spool"))
    assert spools().acked("enrich") == 15_000


def test_an_acknowledgement_goes_forward_only(spools: Spools) -> None:
    """Acknowledging less than before, or what is not durable yet, changes nothing."""
    spool = spools()
    spools.put(spool, 5)
    spool.append(Kind.LIVE, b"", 0)
    spool.ack("enrich", 3)
    spool.ack("enrich", 2)
    assert spool.acked("enrich") == 3
    spool.ack("enrich", 99)
    assert (spool.acked("enrich"), spool.depth("enrich")) == (5, 0)


def test_each_sink_has_its_own_pace(spools: Spools) -> None:
    """What one sink has acknowledged stays until the slower one has; then it goes."""
    spool = spools(sinks=("fast", "slow"))
    made = spools.put(spool, 60)
    assert spools.drain(spool, "fast") == made
    assert spool.bytes > SMALL
    assert list(spool.replay(0)) == made
    assert spools.drain(spool, "slow", limit=1) == made
    assert spool.bytes < SMALL


def test_a_sink_that_is_new_gets_what_is_there(spools: Spools) -> None:
    """A sink without a cursor starts at the oldest record."""
    made = spools.put(spools(), 10)
    assert spools.drain(spools(sinks=("enrich", "new")), "new") == made


def test_over_its_quota_it_is_full_and_drops_nothing(spools: Spools) -> None:
    """A spool over its quota says so and still takes what comes; once it is drained it is not full any more."""
    spool = spools()
    made = []
    while not spool.full:
        made += spools.put(spool, 1)
    made += spools.put(spool, 10)
    assert spool.full
    assert spools.drain(spool) == made
    assert not spool.full
    assert spools.put(spool, 1) == spools.drain(spool)


@pytest.mark.parametrize("records", [5, 200])
def test_a_drained_spool_is_never_full(spools: Spools, records: int) -> None:
    """What is kept for a replay is well below the quota, and files are really gone."""
    spool = spools()
    for _ in range(records):
        spools.put(spool, 1)
        spools.drain(spool)
        assert spool.bytes <= SMALL * 3 // 4
    spools.close()
    assert sum(path.stat().st_size for path in spools.directory.glob("*.log")) == spool.bytes


def test_what_came_before_the_first_unread_can_be_replayed(spools: Spools) -> None:
    """However much waits, the records just before the cursor are there, also after a crash."""
    spool = spools()
    made = spools.put(spool, 150)
    spool.ack("enrich", 100)
    assert 60 < next(spool.replay(0)).seq < 90
    spool = spools(spools.crashed("later"))
    assert list(spool.replay(record(95).arrived)) == made[94:]


def test_what_goes_while_it_is_replayed_is_no_damage(spools: Spools) -> None:
    """Segments that are acknowledged and deleted during a replay are left out of it, and nobody is alarmed."""
    spool = spools()
    made = spools.put(spool, 100)
    replay = spool.replay(0)
    assert next(replay) == made[0]
    assert spools.drain(spool) == made
    spools.put(spool, 1)  # the files go before it is written
    left = list(replay)
    assert left[-1] == made[-1]
    assert len(left) < 50
    assert spool.damages == []


def test_a_drain_reads_the_log_about_once(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading starts where the last one ended, so a large backlog costs no more than its bytes."""
    spool, pread, read = spools(quota=64 << 20), os.pread, []

    def counted(file: int, size: int, at: int) -> bytes:
        content = pread(file, size, at)
        read.append(len(content))
        return content

    monkeypatch.setattr(os, "pread", counted)
    for _ in range(5000):
        spool.append(Kind.LIVE, bytes(1000), 0)
    spools.run(spool.commit())
    assert len(spools.drain(spool, limit=100, size=110_000)) == 5000
    assert sum(read) < 2 * spool.bytes

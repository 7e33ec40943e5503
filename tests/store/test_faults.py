"""Nothing that was acknowledged is lost, whatever happens to the process or the disk."""

import datetime as dt
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotidian.errors import DiskFullError, StoreRefusedError
from quotidian.model import Day
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store import Checkpoint, Store, connect

from ..killing import ROOT, command  # noqa: TID252 - tests are no package

MONDAY = dt.date(2026, 9, 7)
START = Day.of(MONDAY, "UTC").start


def test_every_acknowledged_row_survives_a_kill_once(tmp_path: Path) -> None:
    """Killed again and again at seeded steps: what was acknowledged is there once, and nothing but whole batches."""
    killed = command("store.killed", tmp_path / "store", 3, 25)
    ended = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 25


def plain(first: int, rows: int, text: str = "") -> Any:
    """Make rows of one day."""
    columns = {
        "entity_id": ["light.a"] * rows,
        "last_updated": [START + number for number in range(first, first + rows)],
    }
    states = [f"{number}{text}" for number in range(first, first + rows)]
    return table_of(columns | {"state": states, "cause": ["person"] * rows, "source": ["live"] * rows})


@pytest.mark.parametrize("rows", [50, 3000])
def test_a_full_disk_is_said_and_survived(small_disk: Path, rows: int) -> None:
    """When the space ends the error says so, all that was acknowledged stays, and with space it goes on."""
    store = connect(small_disk / "store", Settings({}))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_500_000))
    done = fill(store, rows)
    count(store, done)
    store.close()
    store = connect(small_disk / "store", Settings({}))
    count(store, done)
    ballast.unlink()
    store.append(plain(done, rows), Checkpoint("source", str(done + rows)))
    count(store, done + rows)
    store.seal(MONDAY + dt.timedelta(days=1))
    count(store, done + rows)
    store.close()


def fill(store: Store, rows: int) -> int:
    """Append batches until the disk is full; tell how many rows were acknowledged."""
    for done in range(0, 1_000_000, rows):
        try:
            store.append(plain(done, rows, "x" * 200), Checkpoint("source", str(done + rows)))
        except DiskFullError as error:
            assert "No space is left" in str(error)  # noqa: PT017
            return done
    pytest.fail("the disk is too large")


def count(store: Store, rows: int) -> None:
    """Check that the first rows are there, once, and that the checkpoint says so."""
    events = store.day_events(Day.of(MONDAY, "UTC"))
    assert events["last_updated"].to_pylist() == [START + number for number in range(rows)]
    assert store.checkpoint("source") == str(rows)


def test_no_space_for_a_store_is_said(small_disk: Path) -> None:
    """A disk that is full from the start is told apart from one that may not be written."""
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(5_000_000))
    with pytest.raises(DiskFullError, match="No space"):
        connect(small_disk / "store", Settings({}))


def test_a_read_only_disk_is_refused(small_disk: Path) -> None:
    """A store on a disk that cannot be written is refused, and nothing of it is changed."""
    connect(small_disk / "store", Settings({})).close()
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for place in (small_disk / "store", small_disk / "new"):
        with pytest.raises(StoreRefusedError, match="cannot be written"):
            connect(place, Settings({}))
    assert {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()} == before


def test_an_interrupt_leaves_nothing_half(opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a batch: none of it is there, and the same batch goes in afterwards."""
    store = opened()
    batch = plain(0, 3000)
    with monkeypatch.context() as patched:
        patched.setattr(store._ledger.__class__, "put", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.append(batch, Checkpoint("source", "3000"))
    assert (store.days(), store.checkpoint("source")) == ([], None)
    assert store.append(batch, Checkpoint("source", "3000")).new == 3000
    count(store, 3000)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt

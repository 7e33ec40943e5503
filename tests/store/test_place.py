"""Where a store can live, and who may open it."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from quotidian.errors import CorruptStoreError, StoreBusyError, StoreRefusedError
from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.embedded.place import refuse_network

from .backups import archive_of, filled, restored
from .delivered import MONDAY


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.rclone"])
def test_network_filesystems_are_refused(kind: str, tmp_path: Path) -> None:
    """The kind of the innermost mount decides, also under a name with a blank."""
    mounts = f"/dev/a / ext4 rw 0 0\nfar {tmp_path}/far\\040away {kind} rw 0 0\n"
    with pytest.raises(StoreRefusedError, match=kind):
        refuse_network(tmp_path / "far away" / "store", mounts)
    refuse_network(tmp_path / "far", mounts)


def test_a_local_mount_within_a_network_mount_is_taken(tmp_path: Path) -> None:
    """The innermost mount wins over the one around it."""
    mounts = f"far {tmp_path} nfs rw 0 0\n/dev/b {tmp_path}/near ext4 rw 0 0\n"
    refuse_network(tmp_path / "near" / "store", mounts)


def test_a_second_opening_names_the_process(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Another process is told who holds the store; after closing it gets it."""
    opened()
    script = (
        "import sys; from pathlib import Path; from quotidian.store import connect\n"
        "from quotidian.errors import StoreBusyError\n"
        "try: connect(Path(sys.argv[1])).close()\n"
        "except StoreBusyError as error: sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "store")]
    busy = subprocess.run(command, capture_output=True, text=True, check=False)
    assert busy.returncode == 1
    assert f"process {os.getpid()}" in busy.stderr
    opened(tmp_path / "other")
    assert subprocess.run(command, check=False).returncode == 0


def test_the_same_process_cannot_open_it_twice(opened: Callable[..., Store], tmp_path: Path) -> None:
    """A second connection is refused even here."""
    opened()
    with pytest.raises(StoreBusyError, match="Wait until"):
        connect(tmp_path / "store", Settings({}))


def test_a_store_is_made_only_when_asked(tmp_path: Path) -> None:
    """Looking for a store where there is none makes nothing."""
    with pytest.raises(StoreRefusedError, match="no store"):
        connect(tmp_path / "none", Settings({}), create=False)
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """A path that is a file is refused with a sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefusedError, match="cannot be written"):
        connect(tmp_path / "file", Settings({}))


def test_a_failed_opening_gives_the_lock_back(tmp_path: Path) -> None:
    """A store that was refused can be tried again at once."""
    (tmp_path / "quotidian.sqlite").write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(CorruptStoreError, match="damaged"):
            connect(tmp_path, Settings({}))


def test_a_store_is_nobody_elses_business(tmp_path: Path) -> None:
    """Also in a directory that others may enter, as a volume: neither its events nor its database can be read by them.

    The same holds for what is set aside, restored, and replaced by a backup.
    """
    filled(tmp_path, 3)
    with closing(connect(tmp_path, Settings({}))) as store:
        packed = archive_of(store)
        (victim,) = tmp_path.glob("events/*/date=2026-09-07/*")
        victim.write_bytes(b"")
        with pytest.raises(CorruptStoreError):
            store.day_events(Day.of(MONDAY, store.home.zone))
        assert (tmp_path / "quarantine").stat().st_mode & 0o077 == 0
    restored(packed, tmp_path, replace=True)
    connect(tmp_path, Settings({})).close()
    tmp_path.chmod(0o755)
    names = {path.name.split("-")[0]: path for path in tmp_path.iterdir() if path.name != "secret"}
    assert {"events", "unfinished", "quotidian.sqlite", "replaced"} <= names.keys()
    assert {name for name, path in names.items() if path.stat().st_mode & 0o077} == set()

"""The order in which the store asks the system to do things, as strace sees it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="NOT TESTED: no strace: run `make test-components`"
)

PROGRAM = """
import os, sys
from pathlib import Path
from quotidian.model import Enriched
from quotidian.settings import Settings
from quotidian.store import connect

store = connect(Path(sys.argv[1]), Settings({}))
for number in range(1, 400):
    receipt = store.receive(Enriched(stream="a stream", first=number, last=number))
    os.write(1, b"received %d" % receipt.last)
store.close()
"""
CALL = re.compile(r'\d+ +(\w+)\(\d+<([^>]*)>(?:, "([^"]*)")?')


def test_the_fsync_comes_before_the_receipt(tmp_path: Path) -> None:
    """Each receipt is given after the log was synced, its name too; and the database before the log is begun anew."""
    trace, store = tmp_path / "trace", tmp_path / "store"
    traced = ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=write,pwrite64,fsync,fdatasync"]
    subprocess.run([*traced, sys.executable, "-c", PROGRAM, str(store)], check=True, stdout=subprocess.DEVNULL)
    database, log = store / "quotidian.sqlite", store / "quotidian.sqlite-wal"
    unsynced, synced, receipts, checkpoints = set[Path](), set[Path](), 0, 0
    for name, place, text in CALL.findall(trace.read_text()):
        path = Path(place)
        if name == "pwrite64":
            assert path != database or log not in unsynced, "the database was written before its log was synced"
            assert path != log or database not in unsynced, "the log was begun anew before the database was synced"
            checkpoints += path == database and database not in unsynced
            unsynced.add(path)
        elif name in ("fsync", "fdatasync"):
            unsynced.discard(path)
            synced.add(path)
        elif text.startswith("received"):
            receipts += 1
            assert log not in unsynced, f"receipt {receipts} came before the log was synced"
            assert store in synced
    assert receipts == 399
    assert checkpoints > 1

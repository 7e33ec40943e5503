"""The order in which the system is asked to do things, as strace sees it."""

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
import asyncio, os, sys
from pathlib import Path
from quotidian.spool import Kind, Spool

async def main():
    spool = Spool(Path(sys.argv[1]), quota=4000)
    for number in range(12):
        spool.append(Kind.LIVE, bytes(200), number)
        os.write(1, b"committed %d" % await spool.commit())
    spool.close()

asyncio.run(main())
"""
CALL = re.compile(
    r'\d+ +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>(?:, "([^"]*)")?| resumed>).*?(<unfinished \.\.\.>|= -?\d+)'
)


def calls(trace: str) -> list[tuple[str, Path, str]]:
    """Give what was done, in the order in which it was finished: the call, the file, the start of what was written."""
    done, begun = [], dict[str, tuple[str, Path, str]]()
    for line in trace.splitlines():
        process = line.split()[0]
        if match := CALL.match(line):
            name, path, text, result = match.groups()
            call = (name, Path(path), text or "") if path else begun[process]
            if result.startswith("<"):
                begun[process] = call
            else:
                assert not result.startswith("= -"), line
                done.append(call)
    return done


def test_the_fsync_comes_before_the_acknowledgement(tmp_path: Path) -> None:
    """Each commit returns after its bytes were written and synced, and the name of a new file as well."""
    trace, spool = tmp_path / "trace", tmp_path / "spool"
    traced = ["strace", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=write,pwrite64,fsync,fdatasync"]
    subprocess.run([*traced, sys.executable, "-c", PROGRAM, str(spool)], check=True, stdout=subprocess.DEVNULL)
    unsynced, written, commits = set[Path](), set[Path](), 0
    for name, path, text in calls(trace.read_text()):
        if name == "pwrite64" and path.suffix == ".log":
            unsynced |= {path} if path in written else {path, spool}
            written.add(path)
        elif name == "write" and path.name == "stream.new":
            unsynced |= {path, spool}
        elif name in ("fsync", "fdatasync"):
            unsynced.discard(path)
        elif text.startswith("committed"):
            commits += 1
            assert not unsynced, f"commit {commits} returned before {unsynced} was synced"
    assert commits == 12
    assert len(written) == 4

"""How much memory a spool takes, however much goes through it or waits in it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, resource, sys
from pathlib import Path
from quotidian.spool import Kind, Spool

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

async def main():
    spool = Spool(Path(sys.argv[1]), quota=1 << 30)
    before, payload, given = peak(), bytes(1000), 0
    for number in range(1, 80_001):
        spool.append(Kind.LIVE, payload, number)
        if spool.pending_bytes > 1 << 20:
            await spool.commit()
    await spool.commit()
    while spool.depth("enrich"):
        records = await spool.read("enrich", limit=500, size=1 << 20)
        given += len(records)
        spool.ack("enrich", records[-1].seq)
    assert 15_000 < sum(1 for _ in spool.replay(0)) < 80_000
    spool.close()
    print(given, peak() - before)

asyncio.run(main())
"""


def test_a_backlog_waits_on_disk_not_in_memory(tmp_path: Path) -> None:
    """80 MB written, waiting and drained take less than 40 MB of memory."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "spool")]
    given, megabytes = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert given == 80_000
    assert megabytes < 40

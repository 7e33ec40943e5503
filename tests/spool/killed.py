"""A spool that is killed with SIGKILL again and again, at seeded steps of its disk or from outside.

Run as a program: ``killed.py DIRECTORY SEED KILLS``. Every life goes on where the last one ended. It tells through a
pipe what a commit or a reading returned, so that what it told can be compared with what is there afterwards.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from quotidian.spool import Kind, Record, Spool

#: Small, so that segments fill, and what "done" has acknowledged is deleted.
QUOTA = 40_000
#: At most so many steps of the disk, or so many things told, until the kill.
LIFE = 120


def opened(directory: Path) -> Spool:
    """Open the spool: "done" acknowledges what it reads, "kept" never does."""
    return Spool(directory, quota=QUOTA, sinks=("done", "kept"))


def deadly(name: str, countdown: list[int]) -> None:
    """Make a function of the system kill the process when it is its turn, in the middle of a write."""
    function = getattr(os, name)

    def step(*arguments: Any) -> Any:
        countdown[0] -= 1
        if countdown[0]:
            return function(*arguments)
        if name == "pwrite":
            file, data, at = arguments
            function(file, data[: len(data) * 2 // 3], at)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(os, name, step)


async def live(directory: Path, steps: int, pipe: int, seed: int) -> None:
    """Append, commit, read and acknowledge as fast as it goes, until the end."""
    countdown = [steps]
    for name in ("pwrite", "fdatasync", "fsync", "open", "ftruncate", "truncate"):
        deadly(name, countdown)
    spool, chance = opened(directory), random.Random(seed)

    def tell(word: str, seq: int, text: str) -> None:
        os.write(pipe, f"{word} {seq} {text}\n".encode())

    async def source() -> None:
        while True:
            for _ in range(chance.randrange(1, 9)):
                spool.append(
                    Kind.LIVE, b"%d of life %d " % (spool.appended + 1, seed) + bytes(chance.randrange(900)), 0
                )
            tell("durable", await spool.commit(), "")

    async def sink() -> None:
        while True:
            for record in await spool.read("done", limit=9, size=9999):
                tell("given", record.seq, words(record))
                spool.ack("done", record.seq)

    await asyncio.gather(source(), sink())


def words(record: Record) -> str:
    """Give what tells a payload from every other."""
    return record.payload.rstrip(b"\0 ").decode()


def life(function: Callable[[int], Any], stop: Callable[[int], bool]) -> tuple[int, list[list[str]]]:
    """Run a function in a process of its own, kill it when it told enough; give how it ended and what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            function(writing)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os.close(writing)
    told = []
    with os.fdopen(reading, encoding="ascii") as lines:
        for line in lines:
            told.append(line.split(maxsplit=2))
            if stop(len(told)):
                os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def check(directory: Path, told: Sequence[Sequence[str]], given: dict[int, str]) -> int:
    """Check that everything that was told is there, once, under its number; give the last durable number."""
    durable = max((int(seq) for word, seq, *_ in told if word == "durable"), default=0)
    given |= {int(seq): text.strip() for word, seq, *rest in told if word == "given" for text in rest}
    with closing(opened(directory)) as spool:
        found = list(spool.replay(0))
        assert [record.seq for record in found] == list(range(1, spool.committed + 1)), "not each number once"
        assert spool.committed >= max([durable, *given]), (spool.committed, durable, max(given))
        assert spool.acked("done") <= max(given, default=0)
        assert not spool.damages, spool.damages
        other = {seq: text for seq, text in given.items() if words(found[seq - 1]) != text}
        assert not other, f"numbers given twice: {other}"
        return spool.committed


def main(directory: Path, seed: int, kills: int) -> None:
    """Live and die so many times."""
    chance, given = random.Random(seed), dict[int, str]()
    for number in range(kills):
        # By turns at a step of its own, and from outside, wherever it is after having told so much.
        steps, enough = (chance.randrange(1, LIFE), 0) if number % 3 else (-1, chance.randrange(1, LIFE))
        ended, told = life(
            lambda pipe, steps=steps, number=number: asyncio.run(live(directory, steps, pipe, number)),
            lambda count, enough=enough: count == enough,
        )
        assert ended == -signal.SIGKILL, f"life {number} ended by itself: {ended}"
        last = check(directory, told, given)
    sys.stdout.write(f"{last} {len(given)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

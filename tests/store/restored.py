"""Kill backups and restores at each of their steps on the disk, and look each time at what is left.

``python -m tests.store.restored DIRECTORY`` prints how many lives ended, or ends with an error.
"""

import os
import shutil
import signal
import sys
from contextlib import closing
from pathlib import Path

from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.backup import cipher, restoring
from quotidian.store.backup.file import written

from ..killing import doomed, life  # noqa: TID252 - tests are no package
from .backups import OLDER, filled, nobody, unseen
from .delivered import SIZE, check

_STEPS = ((os, ["fsync", "link"]), (Path, ["rename", "mkdir", "unlink", "rmdir"]), (shutil, ["rmtree"]))


def back_up(directory: Path, file: Path, steps: int) -> None:
    """Write a backup; before the n-th step the process kills itself."""
    doomed(steps, _STEPS)
    store = connect(directory, Settings({}))
    with written(file) as sink, closing(store.backup()) as backup:
        cipher.write(backup.chunks(), backup.manifest.size, sink)
    store.close()


def restore(directory: Path, file: Path, steps: int) -> None:
    """Put a backup in a store's place."""
    doomed(steps, _STEPS)
    with file.open("rb") as stream:
        restoring.restore(stream, directory, nobody, unseen, replace=True)


def open_again(directory: Path, steps: int) -> None:
    """Open a store, which brings to its end what was being done."""
    doomed(steps, _STEPS)
    connect(directory, Settings({})).close()


def look(directory: Path) -> int:
    """Check that a store is whole, and give the deliveries that it has."""
    store = connect(directory, Settings({}))
    number = store.received("victim") // SIZE
    check(store, number)
    store.close()
    left = {path.name for path in directory.iterdir()} & {"restoring", "restored", "snapshot"}
    assert not left, left
    assert (directory / "secret").read_text() == "kept"
    return number


def backups(folder: Path) -> int:
    """Kill backups at each step, until one is done; give how many were killed."""
    directory, file = folder / "backed", folder / "backup.tar"
    filled(directory, OLDER + 2)
    for steps in range(1, 1000):
        ended = life(back_up, directory, file, steps)
        if file.exists():
            with file.open("rb") as stream:
                assert restoring.verify(stream, nobody, unseen).events, steps
        if ended == 0:
            break
        assert ended == -signal.SIGKILL, steps
        # After the last step there may be all of it; the store is whole in any case.
        file.unlink(missing_ok=True)
        assert look(directory) == OLDER + 2, steps
    assert {path.name for path in folder.iterdir()} == {"backed", "backup.tar"}
    return steps


def restores(folder: Path, file: Path) -> int:
    """Kill restores at each step, and the opening after them now and then; give how many were killed."""
    outcomes = []
    template, directory = folder / "template", folder / "restored"
    filled(template, OLDER)
    for steps in range(1, 1000):
        shutil.copytree(template, directory)
        ended = life(restore, directory, file, steps)
        assert ended in (0, -signal.SIGKILL), steps
        if steps % 3 == 0:
            life(open_again, directory, 1 + steps % 4)
        outcomes.append(look(directory))
        shutil.rmtree(directory)
        if ended == 0:
            break
    assert outcomes == sorted(outcomes), "once it was decided it stayed so"
    assert set(outcomes) == {OLDER, OLDER + 2}
    return steps


if __name__ == "__main__":
    place = Path(sys.argv[1])
    killed = backups(place)
    killed += restores(place, place / "backup.tar")
    sys.stdout.write(str(killed))

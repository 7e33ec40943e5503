"""Kill who learns at seeded steps, until a run comes to its end.

``python -m tests.learn.killed DIRECTORY NOW SEED`` prints how often it was killed.
"""

import random
import signal
import sys
from pathlib import Path

from quotidian.detect import CoOccurrence, Duration, TimeOfDay
from quotidian.learn import learn
from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.embedded.store import EmbeddedStore

from ..killing import doomed, life  # noqa: TID252 - tests are no package
from .nights import CHANGES


def learned(directory: Path, now: int, steps: int) -> None:
    """Learn; before the n-th change of the store the process kills itself."""
    doomed(steps, [(EmbeddedStore, CHANGES)])
    store = connect(directory, Settings({}))
    learn(store, (TimeOfDay(), CoOccurrence(), Duration()), now)
    store.close()


def main(directory: Path, now: int, seed: int) -> None:
    """Live until a life is long enough."""
    seeded = random.Random(seed)
    for kills in range(100):
        steps = seeded.randrange(2, 14)
        ended = life(learned, directory, now, steps)
        if ended != -signal.SIGKILL:
            assert ended == 0
            sys.stdout.write(str(kills))
            return
    raise AssertionError("it never comes to its end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

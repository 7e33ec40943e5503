"""Kill who learns at seeded steps, until a run comes to its end.

``python killed.py DIRECTORY NOW SEED`` prints how often it was killed. Each life is a fork of a process that only
imports, so that a kill costs no start of Python.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quotidian.detect import CoOccurrence, Duration, TimeOfDay
from quotidian.learn import learn
from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.embedded.store import EmbeddedStore


def life(directory: Path, now: int, steps: int) -> None:
    """Learn; before the n-th change of the store the process kills itself."""
    left = [steps]

    def step(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return counted

    for name in ("seal", "put_day", "put_period", "put_patterns", "retain"):
        setattr(EmbeddedStore, name, step(getattr(EmbeddedStore, name)))
    store = connect(directory, Settings({}))
    learn(store, (TimeOfDay(), CoOccurrence(), Duration()), now)
    store.close()


def main(directory: Path, now: int, seed: int) -> None:
    """Live until a life is long enough."""
    seeded = random.Random(seed)
    for kills in range(100):
        steps = seeded.randrange(2, 14)
        child = os.fork()
        if not child:
            try:
                life(directory, now, steps)
            except BaseException as error:
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended != -signal.SIGKILL:
            assert ended == 0
            sys.stdout.write(str(kills))
            return
    raise AssertionError("it never comes to its end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

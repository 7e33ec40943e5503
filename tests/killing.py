"""Lives that end by SIGKILL at a step that was chosen before, each a fork, so that a kill costs no start of Python."""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def doomed(steps: int, functions: Iterable[tuple[Any, Iterable[str]]]) -> None:
    """Let this process kill itself before the n-th call of any of these functions, named by their owners."""
    left = [steps]

    def step(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return counted

    for owner, names in functions:
        for name in names:
            setattr(owner, name, step(getattr(owner, name)))


def life(function: Callable[..., None], *arguments: Any) -> int:
    """Run a function in a process of its own; give how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        function(*arguments)
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def survive(work: Callable[[Path, Path, int], None], look: Callable[[Path, Path], None], longest: int) -> None:
    """Live and die as the command's arguments say (directory, seed, kills), and look each time at what is left.

    Each life works until it is killed at a seeded step, at the latest after so many; what was acknowledged is printed.
    """
    directory, seeded = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    acknowledged = directory.parent / "acknowledged"
    for _ in range(int(sys.argv[3])):
        steps = seeded.randrange(1, longest)
        assert life(work, directory, acknowledged, steps) == -signal.SIGKILL, f"at step {steps}"
        assert life(look, directory, acknowledged) == 0, f"after a kill at step {steps}"
    sys.stdout.write(acknowledged.read_text())


def command(module: str, *words: object) -> list[str]:
    """Give the command that runs a module of the tests, from the project's root."""
    return [sys.executable, "-m", f"tests.{module}", *map(str, words)]

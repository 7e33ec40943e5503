"""Run a command that is interrupted (as by Ctrl-C) before the n-th call of a method of its store.

``python interrupted.py METHOD N COMMAND …``
"""

import os
import signal
import sys
from typing import Any

from quotidian.operate.cli import main
from quotidian.store.embedded.store import EmbeddedStore


def interrupt(method: str, calls: int) -> None:
    """Let the n-th call find the process interrupted."""
    original, left = getattr(EmbeddedStore, method), [calls]

    def counted(*arguments: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **options)

    setattr(EmbeddedStore, method, counted)


if __name__ == "__main__":
    # Whoever was started in the background inherits that interrupts are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt(sys.argv.pop(1), int(sys.argv.pop(1)))
    main()

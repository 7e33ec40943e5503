"""Starts services quickly: a process that has imported everything, and forks one ``quotidian serve`` at each request.

``python nursery.py`` reads requests from its standard input, one JSON object a line, and answers each with a line:
``{"start": [words], "env": {…}, "folder": "…", "log": "…"}`` → process id; ``{"poll": pid}`` → how it ended, or null.
What is forked runs the command line's own code from its start, as a process that was started by hand would.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

_MODULES = ("store.app", "enrich.app", "capture.app", "admin.app", "learn.app", "operate.cli", "operate.running")
_DIE_WITH_PARENT = 1  #: Linux's PR_SET_PDEATHSIG


def start(asked: dict[str, Any]) -> int:
    """Fork a process that runs a command."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        _settle(asked)
        main = importlib.import_module("quotidian.operate.cli").main
        sys.argv = ["quotidian", *asked["start"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle(asked: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["env"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def poll(pid: int) -> int | None:
    """Tell how a process ended; ``None`` while it runs."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if done else None


def main() -> None:
    """Answer requests until there are no more."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
    for name in _MODULES:
        importlib.import_module(f"quotidian.{name}")
    for line in sys.stdin:
        asked = json.loads(line)
        answer = start(asked) if "start" in asked else poll(asked["poll"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

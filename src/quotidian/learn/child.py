"""``python -m quotidian.learn.child``: does one job for the service, in a process whose memory goes with it.

What is to be done comes as a line of JSON on standard input, with the store's address and secret, which so stand in no
list of processes. The line's end is not the input's: when that ends, so has the service, and this process ends too. The
job is told on standard output, a line of JSON whenever something is new.
"""

import os
import sys
import threading
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final, NoReturn, cast

import msgspec

from quotidian.errors import QuotidianError
from quotidian.learn.jobs import run
from quotidian.learn.orders import Given
from quotidian.model import Job
from quotidian.store import Store
from quotidian.store.remote import RemoteStore

_BEHIND: Final = 10  #: how far the rest of the machine comes first, as ``nice`` counts
_FIRST: Final = "600"  #: how early it is ended when memory is short: before the services, which hear events


def main() -> int:
    """Do the job; give the exit code, which is 1 when it failed."""
    # Without a buffer: its lock would be held by the thread that still reads when this process ends.
    told = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    given = msgspec.json.decode(told.readline(), type=Given)
    threading.Thread(target=_end_with_service, args=[told], daemon=True).start()
    _step_back()
    # Never the files themselves, even when the service that holds them is away for a moment.
    store = cast("Store", RemoteStore(given.url, given.secret))
    try:
        run(store, given.order, given.job, _tell)
    except QuotidianError:
        return 1
    finally:
        store.close()
    return 0


def _tell(job: Job) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(job) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_service(told: FileIO) -> NoReturn:
    told.read()
    os._exit(1)


def _step_back() -> None:
    os.nice(_BEHIND)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST)


if __name__ == "__main__":
    sys.exit(main())

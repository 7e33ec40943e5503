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
from quotidian.learn.orders import HOLD, Given, interrupted
from quotidian.model import Job
from quotidian.store import Store
from quotidian.store.remote import RemoteStore

_BEHIND: Final = 10  #: how far the rest of the machine comes first, as ``nice`` counts
_LAST: Final = 5.0  #: seconds for the last word to a store that may not answer
_FIRST: Final = "600"  #: how early it is ended when memory is short: before the services, which hear events


class Child:
    """One job for a service, which may end at any time."""

    def __init__(self, given: Given) -> None:
        self._given, self._job = given, given.job

    def run(self) -> int:
        """Do the job; give the exit code, which is 1 when it failed."""
        store = self._store()
        try:
            run(store, self._given.order, self._given.job, self._tell)
        except QuotidianError:
            return 1
        finally:
            store.close()
        return 0

    def end_with_service(self, told: FileIO) -> NoReturn:
        """Wait until nobody holds the other end; then say so in the store as far as it hears, and end."""
        told.read()
        threading.Timer(_LAST, os._exit, [1]).start()
        with suppress(QuotidianError):
            store = self._store()
            store.put_job(interrupted(self._job, "The service ended before the job did."))
            store.release(HOLD, self._job.id)
        os._exit(1)

    def _store(self) -> "Store":
        # Never the files themselves, even when the service that holds them is away for a moment.
        return cast("Store", RemoteStore(self._given.url, self._given.secret))

    def _tell(self, job: Job) -> None:
        self._job = job
        sys.stdout.buffer.write(msgspec.json.encode(job) + b"\n")
        sys.stdout.buffer.flush()


def main() -> int:
    """Do what standard input says."""
    # Without a buffer: its lock would be held by the thread that still reads when this process ends.
    told = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    child = Child(msgspec.json.decode(told.readline(), type=Given))
    threading.Thread(target=child.end_with_service, args=[told], daemon=True).start()
    _step_back()
    return child.run()


def _step_back() -> None:
    os.nice(_BEHIND)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST)


if __name__ == "__main__":
    sys.exit(main())

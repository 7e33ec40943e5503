"""A job, done in this process: alone, with its progress and its end kept in the store."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import stamina

from quotidian import clock
from quotidian.detect import Detector, detectors
from quotidian.errors import ConflictError, QuotidianError, UnreachableError
from quotidian.learn.fold import Progress
from quotidian.learn.holding import holding
from quotidian.learn.night import Learned, backfill, daily, monthly, weekly
from quotidian.learn.orders import BACKFILL, ENDED, Order, interrupted
from quotidian.learn.periods import newest_folded
from quotidian.learn.telling import Before, tidings
from quotidian.model import Job, JobKind, JobState, Status
from quotidian.model.pattern import once
from quotidian.store import Store

ATTEMPTS: Final = 36  #: beginnings of a job whose store goes away: ten minutes of waiting between them
_TOLD: Final = 0.2  #: seconds after which progress is told again
_KEPT: Final = 5.0  #: seconds after which it is written down again

# What an attempt met is told by the job, and not by the library, which would print it among the answers.
stamina.instrumentation.set_on_retry_hooks(())


def run(store: Store, order: Order, job: Job, tell: Callable[[Job], None]) -> Job:
    """Do a job; give it as it ended.

    While another one runs, it waits. While the store is away, it waits too, and goes on from where it was.

    Parameters
    ----------
    store
        The home's store.
    order, job
        What is to be done, and its job as it waits.
    tell
        Called with the job whenever something is new.

    Raises
    ------
    QuotidianError
        Why it failed; the job in the store says so, too.
    """
    books = _Books(store, job, tell)
    try:
        _persistently(lambda: _done(store, order, books), books)
    except QuotidianError as error:
        books.end(JobState.FAILED, error=str(error))
        raise
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        state = JobState.INTERRUPTED if stopped else JobState.FAILED
        books.end(state, error="It was stopped." if stopped else f"Something went wrong inside ({error!r}).")
        raise
    return books.job


def _persistently(work: Callable[[], None], books: "_Books") -> None:
    # A conflict means that an entity was forgotten or a day marked meanwhile: what is left to do is seen anew.
    again = (UnreachableError, ConflictError)
    for attempt in stamina.retry_context(on=again, attempts=ATTEMPTS, timeout=None, wait_max=20.0):
        with attempt:
            try:
                work()
            except UnreachableError:
                books.lost()
                raise


def _done(store: Store, order: Order, books: "_Books") -> None:
    with holding(store, books.job.id, books.waits) as hold:
        books.begin()

        def progress(stage: str, done: int, total: int) -> None:
            hold.check()
            books.moved(stage, done, total)

        who, before = detectors(), books.before()
        learned = _learned(store, order, who, progress)
        books.finish(order, before, learned, len(who))


def _learned(store: Store, order: Order, who: Sequence[Detector], progress: Progress) -> Learned:
    now = clock.now()
    if order.kind is JobKind.BACKFILL:
        return backfill(store, who, now, progress, days=order.days or BACKFILL)
    work = {JobKind.DAILY: daily, JobKind.WEEKLY: weekly, JobKind.MONTHLY: monthly}[order.kind]
    return work(store, who, now, progress, until=order.date)


class _Books:
    """What is known of a job: told at once, and written down now and then."""

    def __init__(self, store: Store, job: Job, tell: Callable[[Job], None]) -> None:
        self._store, self.job, self._tell = store, job, tell
        self._told = self._kept = self._began = 0.0
        self._before: Before | None = None

    def waits(self) -> None:
        """Tell that it waits for another one."""
        self.moved("wait", 0, 0)

    def lost(self) -> None:
        """Tell that the store is away."""
        self.job = msgspec.structs.replace(self.job, stage="away", done=0, total=0)
        self._tell(self.job)

    def begin(self) -> None:
        """Tell that it runs, and that those do not any more which seem to: nobody else holds on."""
        for other in self._store.jobs():
            if other.state is JobState.RUNNING and other.id != self.job.id:
                self._store.put_job(interrupted(other, "Its process ended without a word."))
        self._began = self._began or time.monotonic()
        self._note(state=JobState.RUNNING, started=self.job.started or clock.now(), stage="", done=0, total=0)

    def before(self) -> Before:
        """Give what there was before the first attempt."""
        if self._before is None:
            self._before = Before(self._store.nights, tuple(self._store.patterns()), tuple(self._store.days()))
        return self._before

    def moved(self, stage: str, done: int, total: int) -> None:
        """Take progress."""
        self.job = msgspec.structs.replace(self.job, stage=stage, done=done, total=total, memory=peak())
        now = time.monotonic()
        if now - self._told >= _TOLD or done == total > 0:
            self._told = now
            self._tell(self.job)
        if now - self._kept >= _KEPT:
            self._keep()

    def finish(self, order: Order, before: Before, learned: Learned, detecting: int) -> None:
        """Tell what came of it."""
        seconds = time.monotonic() - self._began
        learned = before.completed(learned, self._store.days())
        days = learned.folded.days
        self.job = msgspec.structs.replace(
            self.job,
            first=min(days, default=None),
            last=max(days, default=None),
            days=len(days),
            events=learned.folded.events,
            nights=sum(map(len, before.looks(learned).values())),
            patterns=sum(one.status is Status.ACTIVE for one in once(learned.patterns)),
            tidings=tidings(
                order.kind, before, learned, newest_folded(self._store), detecting=detecting, seconds=seconds
            ),
        )
        self._note(state=JobState.DONE, ended=clock.now(), memory=peak())

    def end(self, state: JobState, error: str) -> None:
        """Tell why it did not come to its end; where the store is away, only who listens hears it."""
        if self.job.state not in ENDED:
            with suppress(QuotidianError):
                self._note(state=state, ended=clock.now(), error=error, memory=peak())

    def _note(self, **what: object) -> None:
        self.job = msgspec.structs.replace(self.job, **what)
        self._tell(self.job)
        self._keep()

    def _keep(self) -> None:
        self._store.put_job(self.job)
        self._kept = time.monotonic()


def peak() -> int:
    """Give the most memory (bytes) that this process ever had resident; 0 where the system does not tell."""
    # Not from getrusage: that begins with what the parent had.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0

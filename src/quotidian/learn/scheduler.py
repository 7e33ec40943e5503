"""The schedule at work: it looks once a minute whether a time has come, and lets jobs run in series."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from quotidian import clock
from quotidian.clients import StoreClient
from quotidian.errors import QuotidianError
from quotidian.learn.due import Standing, Waiting, standing, waiting
from quotidian.learn.orders import ENDED, HOLD, Order, interrupted
from quotidian.learn.runner import Runner
from quotidian.learn.schedule import SCHEDULED, Cron
from quotidian.model import Job, JobKind, JobState
from quotidian.model.day import SECOND

#: Seconds until the next look, at the longest. A timer until three at night would come late after a machine slept, and
#: at the wrong time after its clock was set; so the clock is read again and again, and no timer is trusted.
LOOK: Final = 60.0
#: A clock that is off by more than this (µs) against one that only ever goes on was set, or the machine has slept.
_SET: Final = 60 * SECOND
_NEWEST: Final = 20  #: jobs of each kind that are looked at


class Outlook(msgspec.Struct, frozen=True):
    """How things stand at an instant (µs): the home's zone, each kind, and what waits.

    ``done`` is the job that did each kind last; ``late`` tells that days wait though two more nights have passed.
    """

    asked: int
    zone: str
    kinds: dict[JobKind, Standing]
    done: dict[JobKind, Job]
    waiting: Waiting
    late: bool


class Scheduler:
    """Lets run what is due, as long as it runs itself.

    Parameters
    ----------
    store
        Whose books tell what is due.
    runner
        Who runs the jobs.
    crons
        The times of each kind.
    now
        The clock.
    awake
        Seconds for which the machine has been awake, by a clock that nobody sets.
    """

    def __init__(
        self,
        store: StoreClient,
        runner: Runner,
        crons: Mapping[JobKind, Cron],
        now: Callable[[], int] = clock.now,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._runner, self._crons, self._now, self._awake = store, runner, crons, now, awake
        self._began, self._seen = now(), (now(), awake())
        self._tidied = False
        self._log = structlog.get_logger(service="learn")
        self.outlook: Outlook | None = None
        self.trouble = self.fault = ""  #: why it waits, and what is wrong inside

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await asyncio.sleep(await self.tried())

    async def tried(self) -> float:
        """Go round once, whatever goes wrong; give the seconds until the next round."""
        try:
            seconds = await self.round()
        except QuotidianError as error:
            if not self.trouble:
                self._log.warning("the schedule waits", why=str(error))
            self.trouble = str(error)
            return LOOK
        except Exception as error:
            self._log.exception("the schedule stumbled")
            self.fault = f"The schedule stumbled, and nothing runs by itself ({error!r})."
            return LOOK
        self.trouble = self.fault = ""
        return seconds

    async def round(self) -> float:
        """Look once, and run what is first due; give the seconds until the next look.

        Raises
        ------
        QuotidianError
            When the store's books cannot be read.
        """
        await self._runner.save()
        await self._tidy()
        outlook = await self.look()
        first = next_of(outlook)
        if first is None:
            left = min(one.at for one in outlook.kinds.values()) - self._now()
            return min(LOOK, max(1.0, left / SECOND))
        one = await self._runner.ask(Order(first), "schedule")
        await asyncio.shield(one.ended)
        return 0.0

    async def look(self) -> Outlook:
        """See how things stand.

        Raises
        ------
        QuotidianError
            When the store's books cannot be read.
        """
        now = self._looked()
        zone = (await self._store.home()).zone
        waits = waiting(await self._store.days(), await self._store.nights(), now, zone)
        runs = {kind: self._with_own(kind, await self._store.jobs(_NEWEST, kind)) for kind in SCHEDULED}
        kinds = {kind: standing(self._crons[kind], runs[kind], now, zone, self._began) for kind in SCHEDULED}
        done = {kind: newest for kind, jobs in runs.items() if (newest := _newest_done(jobs, now))}
        late = bool(waits.days) and self._is_late(kinds[JobKind.DAILY], now, zone)
        self.outlook = Outlook(now, zone, kinds, done, waits, late)
        return self.outlook

    def _looked(self) -> int:
        """Read the clock. Where it was set, or the machine has slept, that is like a start: nobody listened before."""
        (before, awake), self._seen = self._seen, (self._now(), self._awake())
        now, passed = self._seen[0], (self._seen[1] - awake) * SECOND
        self._began = now if abs(now - before - passed) > _SET else min(self._began, now)
        return now

    def _with_own(self, kind: JobKind, jobs: Sequence[Job]) -> list[Job]:
        """Add our own last one, which jobs from before a clock was set back may hide."""
        own = self._runner.newest.get(kind)
        return [*jobs, *([own] if own is not None and all(one.id != own.id for one in jobs) else [])]

    def _is_late(self, daily: Standing, now: int, zone: str) -> bool:
        cron = self._crons[JobKind.DAILY]
        return cron.after(cron.after(daily.due, zone), zone) < now

    async def _tidy(self) -> None:
        """Once, tell of jobs whose service ended before them; as soon as nobody runs."""
        if self._tidied:
            return
        if await self._store.hold(HOLD, "the service", 5.0):
            own = {job.id for job in self._runner.jobs}
            for job in await self._store.jobs(500):
                if job.state not in ENDED and job.id not in own:
                    await self._store.put_job(interrupted(job, "The service ended before the job did."))
            await self._store.release(HOLD, "the service")
            self._tidied = True


def next_of(outlook: Outlook) -> JobKind | None:
    """Give the kind that is to run now: the days before the week, the week before the month.

    A week or a month that is due while days wait lets these go first. One that failed and waits keeps those behind it
    waiting, too.
    """
    now, kinds = outlook.asked, outlook.kinds
    for kind in SCHEDULED:
        if kinds[kind].due > now:
            continue
        daily = outlook.done.get(JobKind.DAILY)
        if outlook.waiting.days and (daily is None or daily.asked < kinds[kind].due):
            return JobKind.DAILY if max(kinds[kind].at, kinds[JobKind.DAILY].rests) <= now else None
        return kind if kinds[kind].at <= now else None
    return None


def _newest_done(jobs: Sequence[Job], now: int) -> Job | None:
    done = [job for job in jobs if job.state is JobState.DONE and job.asked <= now]
    return max(done, key=lambda job: job.asked, default=None)

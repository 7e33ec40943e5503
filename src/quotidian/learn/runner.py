"""Jobs for the service: one after another, each in a child process whose memory goes with it."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from quotidian import clock
from quotidian.clients import StoreClient
from quotidian.errors import QuotidianError
from quotidian.learn.orders import ENDED, HOLD, Given, Order, asked, interrupted
from quotidian.model import Job, JobState

#: The child; the directory in which the service runs is none of its business.
PROGRAM: Final = (sys.executable, "-P", "-m", "quotidian.learn.child")
#: A second thread for arrays this small is only in the way.
ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1"}
SILENT: Final = 1_800.0  #: seconds after which a child that says nothing is ended
_LINE: Final = 1_000_000  #: bytes of a line at the most
_REMARKS: Final = 10_000  #: bytes
_GRACE: Final = 5.0  #: seconds
_LAST: Final = 2.0  #: seconds for the last word to a store when the service is stopped


class Asked:
    """A job that waits or runs, and the task that waits for its end."""

    def __init__(self, order: Order, by: str) -> None:
        self.order, self.job = order, asked(order, by)
        self.ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()


class Runner:
    """Runs jobs in the order in which they were asked for.

    Parameters
    ----------
    store
        Where jobs are written down.
    url, secret
        Where the children find it, and what lets them in.
    silent
        Seconds for which a child may say nothing.
    program
        The command that starts a child.
    """

    def __init__(
        self,
        store: StoreClient,
        url: str,
        secret: str,
        *,
        silent: float = SILENT,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._store, self._url, self._secret = store, url, secret
        self._silent, self._program = silent, program
        self._queue: list[Asked] = []
        self._asking = asyncio.Lock()
        self._news = asyncio.Event()
        self._unsaved: dict[str, Job] = {}
        self._log = structlog.get_logger(service="learn")
        self.newest: dict[str, Job] = {}  #: the last of each kind that ended since the start
        self.failures: dict[str, int] = {}  #: by kind, since the start
        self.days = 0  #: folded since the start

    @property
    def jobs(self) -> list[Job]:
        """Those that run or wait, in their order."""
        return [one.job for one in self._queue]

    async def ask(self, order: Order, by: str) -> Asked:
        """Ask for a job; one that does the same and has not ended is given instead.

        Raises
        ------
        UnreachableError
            When the store cannot be told.
        """
        async with self._asking:
            for one in self._queue:
                if one.order == order and one.job.state not in ENDED:
                    return one
            made = Asked(order, by)
            await self._store.put_job(made.job)
            self._queue.append(made)
            self._news.set()
            return made

    async def run(self) -> None:
        """Run what is asked for, for ever; stopped in a job, it ends the child and writes that down."""
        while True:
            while not self._queue:
                self._news.clear()
                await self._news.wait()
            first = self._queue[0]
            try:
                await self._done(first)
            finally:
                self._queue.pop(0)

    async def _done(self, one: Asked) -> None:
        try:
            await self._watched(one)
        except asyncio.CancelledError:
            one.job = _ended(one.job, "The service was stopped.")
            # A store that stands still keeps nobody from stopping; the next start tells of the job.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST):
                    await self._save(one)
            raise
        except OSError as error:
            one.job = _failed(one.job, f"No process could be started: {error}.")
        except Exception as error:
            # Whoever waits for the end of a job must hear of it, and the next one is to run.
            self._log.exception("a job could not be watched", job=one.job.id)
            one.job = _failed(one.job, f"Something went wrong inside ({error!r}).")
        await self._save(one)
        self._count(one.job)
        one.ended.set_result(one.job)

    async def _watched(self, one: Asked) -> None:
        """Run a child, and hear what it tells."""
        process = await asyncio.create_subprocess_exec(
            *self._program,
            env=os.environ | ENVIRONMENT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE,
            start_new_session=True,  # a Ctrl-C is for the service, which then ends the child
        )
        remarks = asyncio.create_task(_remarks(process))
        silent = False
        try:
            silent = await self._heard(process, one)
        finally:
            code = await _over(process, 0.0 if silent else _GRACE)
            if said := await remarks:
                self._log.warning("a job remarked something", job=one.job.id, remarks=said)
        if silent:
            one.job = _failed(one.job, f"It said nothing for {self._silent / 60:,.0f} minutes and was ended.")
        else:
            one.job = _ended(one.job, _why(code))

    async def _heard(self, process: asyncio.subprocess.Process, one: Asked) -> bool:
        """Take what a child tells until it ends; tell whether it fell silent."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(Given(one.order, one.job, self._url, self._secret)) + b"\n")
        with suppress(ConnectionError):
            await process.stdin.drain()
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), self._silent)
            except TimeoutError:
                return True
            if not line:
                return False
            with suppress(msgspec.DecodeError):  # half a line of one that was killed
                one.job = msgspec.json.decode(line, type=Job)

    async def _save(self, one: Asked) -> None:
        """Write down how a job ended, where its child could not, and let go of what it held."""
        self._tell(one.job)
        self._unsaved[one.job.id] = one.job
        await self.save()

    async def save(self) -> None:
        """Write down what could not be written when the store was away."""
        for job in [*self._unsaved.values()]:
            try:
                await self._store.put_job(job)
                await self._store.release(HOLD, job.id)
            except QuotidianError as error:
                self._log.debug("a job could not be written down", job=job.id, why=str(error))
                return
            self._unsaved.pop(job.id, None)

    def _count(self, job: Job) -> None:
        self.newest[job.kind] = job
        self.days += job.days
        self.failures[job.kind] = self.failures.get(job.kind, 0) + (job.state is not JobState.DONE)

    def _tell(self, job: Job) -> None:
        facts = {"job": job.id, "kind": job.kind, "by": job.by}
        for sentence in job.tidings:
            self._log.info(sentence, **facts, memory=job.memory)
        if job.state is not JobState.DONE:
            self._log.warning("a job did not come to its end", **facts, state=job.state, why=job.error)


def _failed(job: Job, why: str) -> Job:
    return msgspec.structs.replace(job, state=JobState.FAILED, ended=clock.now(), error=why)


def _ended(job: Job, why: str) -> Job:
    """Give a job as it ended: as it said itself, else as interrupted."""
    return job if job.state in ENDED else interrupted(job, why)


async def _remarks(process: asyncio.subprocess.Process) -> str:
    """Give the end of what a child says on standard error: nothing, unless something is wrong inside."""
    assert process.stderr is not None
    said = b""
    while part := await process.stderr.read(_REMARKS):
        said = (said + part)[-_REMARKS:]
    return said.decode("utf-8", "replace")


async def _over(process: asyncio.subprocess.Process, grace: float) -> int:
    """See that a process is over, by force after so many seconds; give its exit code."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        return await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def _why(code: int) -> str:
    if code >= 0:
        return f"Its process ended with code {code}."
    more = " Memory may have been short." if code == -signal.SIGKILL else ""
    return f"Its process was ended by signal {-code}.{more}"

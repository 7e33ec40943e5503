"""The learning as a service: jobs by schedule and on demand, each in a child process of its own."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from quotidian.clients import StoreClient, dependency
from quotidian.errors import NotFoundError, RequestError
from quotidian.learn.due import Waiting
from quotidian.learn.figures import Figures
from quotidian.learn.orders import MOST_DAYS, Order
from quotidian.learn.runner import Runner
from quotidian.learn.schedule import SCHEDULED, crons
from quotidian.learn.scheduler import Outlook, Scheduler
from quotidian.model import Job, JobKind, JobState
from quotidian.model.day import moment
from quotidian.model.health import State
from quotidian.service import Dependency, Health, answer, create
from quotidian.service.openapi import speaks
from quotidian.service.wire import decoded, raw_body
from quotidian.settings import Settings

_PATIENCE: Final = 3.0  #: seconds within which the store must say how it is
_LARGEST: Final = 4_096  #: bytes of what is asked for
_ALL: Final = 500


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: as if tonight followed a date, or how many days a backfill goes back."""

    date: dt.date | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)] | None = None


class Schedule(msgspec.Struct, frozen=True):
    """What runs when, and what waits.

    By kind: ``schedules`` as they are set, ``next`` in µs, ``local`` on the home's clock. ``waiting`` are the days that
    have not been learned from, and the last days of a week and a month that have not been looked at.
    """

    zone: str
    schedules: dict[JobKind, str]
    next: dict[JobKind, int]
    local: dict[JobKind, str]
    waiting: Waiting


def create_app(settings: Settings) -> FastAPI:
    """Make the application.

    Raises
    ------
    SettingError
        When a schedule cannot be used.
    """
    times = crons(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        url, secret = settings.url("store"), app.state.access.secret
        store = app.state.store = StoreClient(url, secret)
        runner = app.state.runner = Runner(store, url, secret)
        scheduler = app.state.scheduler = Scheduler(store, runner, times)
        tasks = [asyncio.create_task(runner.run()), asyncio.create_task(scheduler.run())]
        try:
            yield
        finally:
            # The schedule first, so that nothing new begins; then the child is ended, and that is written down.
            for task in reversed(tasks):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await store.close()

    async def health() -> Health:
        needed = (await _store_health(settings.url("store"), app.state.access.secret), *_own(app))
        states = {one.state for one in needed}
        state: State = "down" if "down" in states else "ok" if states == {"ok"} else "degraded"
        return Health(state, needed, _figures(app))

    app = create("learn", settings, health, lifespan)
    app.state.metrics.register(Figures(app))
    _add_jobs(app)
    _add_schedule(app, settings)
    return app


async def _store_health(url: str, secret: str) -> Dependency:
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await dependency("store", url, secret)
    except TimeoutError:
        return Dependency("store", "down", f"It does not answer within {_PATIENCE:g} s.")
    return found


def _own(app: FastAPI) -> list[Dependency]:
    """Tell how the jobs are, and whether days wait for too long."""
    runner: Runner = app.state.runner
    outlook: Outlook | None = app.state.scheduler.outlook
    failed = [job for job in runner.newest.values() if job.state is JobState.FAILED]
    found = [Dependency("jobs", "degraded", f"The last {job.kind} job failed: {job.error}") for job in failed]
    if fault := app.state.scheduler.fault:
        found.append(Dependency("schedule", "degraded", fault))
    if outlook is not None and outlook.late:
        waits = outlook.waiting
        sentence = f"{waits.days} days wait to be learned from, the first of them {waits.first}, for over two nights."
        found.append(Dependency("days", "degraded", f"{sentence} `quotidian jobs` tells what went wrong."))
    return found or [Dependency("jobs", "ok")]


def _figures(app: FastAPI) -> dict[str, Any]:
    runner: Runner = app.state.runner
    outlook: Outlook | None = app.state.scheduler.outlook
    running = next((job for job in runner.jobs if job.state is JobState.RUNNING), None)
    if outlook is None:
        return {"running": None if running is None else running.kind}
    last = outlook.done.get(JobKind.DAILY)
    return {
        "running": None if running is None else running.kind,
        "days_due": outlook.waiting.days,
        "last_daily": None if last is None else last.ended,
        "next_run": min(one.at for one in outlook.kinds.values()),
    }


def _add_jobs(app: FastAPI) -> None:
    reading = [Depends(app.state.access.reading)]

    @app.get(
        "/api/v1/jobs",
        summary="The jobs, newest first",
        tags=["jobs"],
        dependencies=reading,
        openapi_extra=speaks(gives=dict[str, list[Job]]),
    )
    async def _jobs(
        limit: Annotated[int, Query(ge=1, le=_ALL, description="How many, at most.")] = 100,
        kind: JobKind | None = None,
    ) -> Response:
        return answer({"jobs": await _known(app, limit, kind)})

    @app.get(
        "/api/v1/jobs/{id}",
        summary="One job",
        tags=["jobs"],
        dependencies=reading,
        openapi_extra=speaks(gives=Job),
    )
    async def _job(id: str) -> Response:  # noqa: A002 - as the path has it
        for job in await _known(app, _ALL, None):
            if job.id == id:
                return answer(job)
        raise NotFoundError(f"There is no job {id[:40]!r}.", "/api/v1/jobs lists those that are known.")

    @app.post(
        "/api/v1/jobs/{kind}",
        summary="Ask for a job",
        tags=["jobs"],
        status_code=202,
        dependencies=[Depends(app.state.access.changing)],
        openapi_extra=speaks(takes=Wanted, gives=Job, example={"days": 30}, status=202),
    )
    async def _ask(kind: JobKind, request: Request) -> Response:
        """Take it; it runs when those before it have ended. One that waits or runs already is given instead."""
        content = await raw_body(request, _LARGEST)
        wanted = decoded(content, Wanted, request.url.path) if content.strip() else Wanted()
        runner: Runner = app.state.runner
        return answer((await runner.ask(_order(kind, wanted), "request")).job, 202)


def _order(kind: JobKind, wanted: Wanted) -> Order:
    if kind is JobKind.BACKFILL:
        if wanted.date is not None:
            raise RequestError("A backfill has no date.", 'Tell how far it goes back: {"days": 30}.')
        return Order.backfill(wanted.days)
    if wanted.days is not None:
        raise RequestError(f"A {kind} job has no days.", "POST /api/v1/jobs/backfill has.")
    return Order(kind, wanted.date)


async def _known(app: FastAPI, limit: int, kind: JobKind | None) -> list[Job]:
    """Give jobs as the store knows them, and as they are now where they run here."""
    runner: Runner = app.state.runner
    live = {job.id: job for job in runner.jobs}
    return [live.get(job.id, job) for job in await app.state.store.jobs(limit, kind)]


def _add_schedule(app: FastAPI, settings: Settings) -> None:
    @app.get(
        "/api/v1/schedule",
        summary="What runs when, and what waits",
        tags=["jobs"],
        dependencies=[Depends(app.state.access.reading)],
        openapi_extra=speaks(gives=Schedule),
    )
    async def _schedule() -> Response:
        outlook: Outlook = await app.state.scheduler.look()
        times = {kind: one.at for kind, one in outlook.kinds.items()}
        local = {kind: f"{moment(at, outlook.zone):%Y-%m-%d %H:%M}" for kind, at in times.items()}
        written = {kind: settings.text(name) for kind, name in SCHEDULED.items()}
        return answer(Schedule(outlook.zone, written, times, local, outlook.waiting))

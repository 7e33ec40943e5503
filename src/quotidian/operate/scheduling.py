"""Commands that do by hand what the schedule does by itself, and tell what it did."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from quotidian import clock
from quotidian.errors import SettingError
from quotidian.learn.orders import BACKFILL, MOST_DAYS, Order, asked
from quotidian.model import Job, JobKind, JobState
from quotidian.model.day import SECOND, moment
from quotidian.operate.console import Stages, as_json, plain, progress, say, warn
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.operate.telling import size
from quotidian.store import Store

_AWAY: Final = (
    "The store, or the InfluxDB behind it, does not answer. This goes on when it does, and gives up after ten minutes; "
    "Ctrl-C gives up now. `quotidian doctor` tells what is wrong."
)
_COLOURS: Final = {JobState.DONE: "green", JobState.RUNNING: "cyan", JobState.WAITING: "cyan"}

DateOption = Annotated[
    dt.datetime | None,
    typer.Option(
        "--date",
        formats=["%Y-%m-%d"],
        help="As if tonight followed that day; later days wait.",
        metavar="2026-11-21",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("daily")(daily_command)
    app.command("weekly")(weekly_command)
    app.command("monthly")(monthly_command)
    app.command("backfill")(backfill_command)
    app.command("jobs")(jobs_command)


def daily_command(*, date: DateOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Learn from the days that are over and wait, as the schedule does each night.

    Examples:

      quotidian daily

      quotidian daily --date 2026-11-21
    """
    _run(_order(JobKind.DAILY, date), data, json=json)


def weekly_command(*, date: DateOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Unite the weeks (Sunday to Saturday) that are over, and look for what shows in weeks.

    Examples:

      quotidian weekly

      quotidian weekly --date 2026-11-21 --json
    """
    _run(_order(JobKind.WEEKLY, date), data, json=json)


def monthly_command(*, date: DateOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Unite the months that are over, and look for what shows in months.

    Examples:

      quotidian monthly

      quotidian monthly --date 2026-10-31
    """
    _run(_order(JobKind.MONTHLY, date), data, json=json)


def backfill_command(
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=MOST_DAYS, help="How many days to go back.")] = BACKFILL,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Learn from the last days at once: each day, and the weeks and months that they make.

    Days that are learned from already are not read again.

    Examples:

      quotidian backfill --days 30

      quotidian backfill --days 365 --json
    """
    _run(Order.backfill(days), data, json=json)


def jobs_command(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many, at most.")] = 20,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what the learning did lately, newest first.

    Examples:

      quotidian jobs

      quotidian jobs --limit 3 --json
    """
    with opened(data) as store:
        jobs, zone = store.jobs(limit), store.home.zone
    if json:
        as_json(jobs)
    elif jobs:
        _tell_jobs(jobs, zone)
    else:
        say("Nothing has run yet. `quotidian daily` learns now; `quotidian up` does each night.")


def _order(kind: JobKind, date: dt.datetime | None) -> Order:
    return Order(kind, None if date is None else date.date())


def _run(order: Order, data: Path | None, *, json: bool) -> None:
    # Who only lists what was done needs no detectors.
    from quotidian.learn.jobs import run  # noqa: PLC0415

    with opened(data) as store:
        _refuse_future(order, store.home.zone)
        with progress(quiet=json) as stages:
            job = run(store, order, asked(order, "command"), _Shown(store, stages))
        if json:
            as_json(job)
            return
        for sentence in job.tidings:
            say(escape(plain(sentence)))


def _refuse_future(order: Order, zone: str) -> None:
    today = moment(clock.now(), zone).date()
    if order.date is not None and order.date > today:
        raise SettingError(f"{order.date} has not come yet: today is {today}.", "Name a day that is over, or none.")


class _Shown:
    """Shows how far a job is, and once what it waits for, however often it tries."""

    def __init__(self, store: Store, stages: Stages) -> None:
        self._store, self._stages = store, stages
        self._warned: set[str] = set()

    def __call__(self, job: Job) -> None:
        waits = job.stage if job.stage in ("wait", "away") else ""
        if waits and waits not in self._warned:
            warn(_AWAY if waits == "away" else who_runs(self._store))
            self._warned.add(waits)
        elif job.stage and not waits:
            self._stages(job.stage, job.done, job.total)


def who_runs(store: Store) -> str:
    """Say for whom a run of the learning waits."""
    running = [job for job in store.jobs() if job.state is JobState.RUNNING]
    who = "Somebody learns" if not running else _runs(running[0], store.home.zone)
    return f"{who} already, and only one may at a time. This waits for its end; Ctrl-C gives up."


def _runs(job: Job, zone: str) -> str:
    return f"A {job.kind} job ({job.by}) has run since {moment(job.started or job.asked, zone):%H:%M}"


def _tell_jobs(jobs: list[Job], zone: str) -> None:
    # What it did stands below: beside the figures only a narrow column is left of a terminal.
    for job in jobs:
        colour = _COLOURS.get(job.state, "red")
        memory = size(job.memory) if job.memory else "–"
        say(
            f"{moment(job.asked, zone):%Y-%m-%d %H:%M}  {job.kind:<8}  {escape(job.by):<8}  "
            f"[{colour}]{job.state:<11}[/]  {_took(job):>9}  {memory:>8}"
        )
        for sentence in _told(job):
            say(f"  {escape(plain(sentence))}")


def _took(job: Job) -> str:
    return "–" if job.started is None or job.ended is None else f"{(job.ended - job.started) / SECOND:,.1f} s"


def _told(job: Job) -> tuple[str, ...]:
    if job.state is JobState.RUNNING and job.total:
        return (f"{job.stage} {job.done} of {job.total}",)
    return (job.error,) if job.error else job.tidings

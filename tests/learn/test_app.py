"""Claims about the learning's service: its jobs on demand, its schedule, its health, and what it does without."""

import asyncio
import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.service.apps import ask, served

from quotidian.errors import SettingError, UnreachableError
from quotidian.learn.app import create_app
from quotidian.learn.due import SETTLED
from quotidian.learn.orders import Order
from quotidian.learn.schedule import crons
from quotidian.learn.scheduler import LOOK, Scheduler
from quotidian.model import Home, Job, JobKind, JobState
from quotidian.model.day import SECOND, instant
from quotidian.settings import Settings

from .running import SECRET, filled, learning, stored, until

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
SUNDAY = instant(dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC))  # also the first of a month


async def told(method: str, url: str, data: Any = None) -> tuple[int, Any]:
    """Ask with the secret; give the status and the answer."""
    sent = {} if data is None else {"data": data if isinstance(data, bytes) else json.dumps(data)}
    status, _, content = await ask(method, url, SECRET, **sent)
    return status, json.loads(content)


async def done(url: str, job: str) -> dict[str, Any]:
    """Wait for a job's end."""
    async with asyncio.timeout(30):
        while True:
            _, found = await told("GET", f"{url}/api/v1/jobs/{job}")
            if found["state"] not in ("waiting", "running"):
                return dict(found)
            await asyncio.sleep(0.05)


def test_a_job_on_demand(tmp_path: Path) -> None:
    """It is taken with 202, given again while it has not ended, and listed with what it did, in the metrics too."""
    filled(tmp_path)

    async def run() -> None:
        async with learning(tmp_path) as (url, app):
            status, job = await told("POST", f"{url}/api/v1/jobs/daily")
            assert (status, job["state"], job["by"]) == (202, "waiting", "request")
            assert (await told("POST", f"{url}/api/v1/jobs/daily", {}))[1]["id"] == job["id"]
            assert (await told("POST", f"{url}/api/v1/jobs/daily", {"date": "2026-03-05"}))[1]["id"] != job["id"]
            ended = await done(url, job["id"])
            assert (ended["state"], ended["days"]) == ("done", 9)
            _, listed = await told("GET", f"{url}/api/v1/jobs?kind=daily&limit=2")
            assert [one["kind"] for one in listed["jobs"]] == ["daily", "daily"]
            assert (await told("GET", f"{url}/api/v1/jobs?kind=weekly"))[1] == {"jobs": []}
            await until(lambda: app.state.runner.newest)
            assert await _figure(url, "folded_total") == 9
            assert (await told("GET", f"{url}/health"))[1]["figures"]["days_due"] == 8  # as it last looked
            _, backfill = await told("POST", f"{url}/api/v1/jobs/backfill", {"days": 3650})
            assert (await done(url, backfill["id"]))["state"] == "done"

    asyncio.run(run())


async def _figure(url: str, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        found = re.search(rf"^quotidian_learn_{name} (\S+)$", await answer.text(), re.M)
        assert found, name
        return float(found[1])


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("daily", {"days": 3}, 400, "A daily job has no days."),
        ("backfill", {"date": "2026-03-05"}, 400, "A backfill has no date."),
        ("backfill", {"days": 0}, 400, "`int` >= 1"),
        ("backfill", {"days": 99_999}, 400, "`int` <= 3660"),
        ("daily", {"date": "5 March"}, 400, "Invalid RFC3339"),
        ("daily", {"dates": 1}, 400, "unknown field `dates`"),
        ("daily", b"[", 400, "cannot be used"),
        ("nightly", {}, 422, "kind"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(path: str, body: Any, status: int, said: str, tmp_path: Path) -> None:
    """With a sentence; nothing is queued."""

    async def run() -> None:
        async with learning(tmp_path) as (url, app):
            found = await told("POST", f"{url}/api/v1/jobs/{path}", body)
            assert found[0] == status
            assert said in found[1]["error"]["what"]
            assert app.state.runner.jobs == []
            assert (await told("GET", f"{url}/api/v1/jobs/nobody"))[0] == 404

    asyncio.run(run())


def test_the_schedule_tells_what_runs_when_and_what_waits(tmp_path: Path) -> None:
    """In the home's zone, as it is set; with the days, the week and the month that nobody has learned from."""
    filled(tmp_path, 9)

    async def run() -> None:
        async with learning(tmp_path, ANALYSIS_SCHEDULE="15 4 * * *") as (url, _):
            _, found = await told("GET", f"{url}/api/v1/schedule")
            assert found["zone"] == "Europe/Amsterdam"
            assert found["schedules"] == {"daily": "15 4 * * *", "weekly": "0 3 * * 0", "monthly": "0 3 1 * *"}
            assert set(found["next"]) == set(found["local"]) == {"daily", "weekly", "monthly"}
            # The very last day may have been cut short.
            assert found["waiting"] == {"days": 8, "first": "2026-03-02", "last": "2026-03-09"} | dict.fromkeys(
                ("week", "month")
            )

    asyncio.run(run())


def test_a_schedule_that_cannot_be_used_is_refused_at_the_start() -> None:
    """The service does not start, and says how it is written."""
    with pytest.raises(SettingError, match=r"MONTHLY_ANALYSIS_SCHEDULE is 'sometimes'.*minute hour day"):
        create_app(Settings({"MONTHLY_ANALYSIS_SCHEDULE": "sometimes"}))


def test_without_a_store_it_is_down_and_starts_nevertheless(tmp_path: Path) -> None:
    """It says what is wrong; when the store is there it is well."""

    async def run() -> None:
        environment = {"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET, "QUOTIDIAN_PORT": "1"}
        async with served(create_app(Settings(environment))) as url:
            _, health = await told("GET", f"{url}/health")
            assert health["state"] == "down"
            assert health["dependencies"][0]["name"] == "store"
            assert (await told("POST", f"{url}/api/v1/jobs/daily"))[0] == 503
        async with learning(tmp_path) as (url, _):
            assert (await told("GET", f"{url}/health"))[1]["state"] == "ok"

    asyncio.run(run())


def test_a_failed_job_is_seen_in_the_health(tmp_path: Path) -> None:
    """The service works on, degraded, until the next one succeeds."""

    async def run() -> None:
        async with learning(tmp_path) as (url, app):
            failed = Job(
                id="a", kind=JobKind.DAILY, by="schedule", asked=1, state=JobState.FAILED, error="The disk is full."
            )
            app.state.runner.newest[JobKind.DAILY] = failed
            _, health = await told("GET", f"{url}/health")
            assert health["state"] == "degraded"
            assert health["dependencies"][1]["detail"] == "The last daily job failed: The disk is full."
            app.state.runner.newest[JobKind.DAILY] = msgspec.structs.replace(failed, state=JobState.DONE)
            assert (await told("GET", f"{url}/health"))[1]["state"] == "ok"

    asyncio.run(run())


def test_a_schedule_that_stumbles_is_seen_in_the_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something odd in the books is told, and passes with it."""

    async def run() -> None:
        async with learning(tmp_path) as (url, app):
            scheduler = app.state.scheduler
            with monkeypatch.context() as patched:
                patched.setattr(scheduler, "look", lambda: 1 / 0)
                assert await scheduler.tried() == LOOK
            _, health = await told("GET", f"{url}/health")
            assert health["state"] == "degraded"
            assert "nothing runs by itself (ZeroDivisionError" in health["dependencies"][1]["detail"]
            await scheduler.tried()
            assert (await told("GET", f"{url}/health"))[1]["state"] == "ok"

    asyncio.run(run())


def test_jobs_that_their_service_did_not_outlive_are_told_as_interrupted(tmp_path: Path) -> None:
    """After the start, those that seem to wait or to run; but not while somebody holds on."""

    async def run() -> None:
        async with stored(tmp_path) as store:
            environment = {"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET, "DATA_STORAGE_URL": store}
            app = create_app(Settings(environment))
            async with served(app) as url:
                books = app.state.store
                for number, state in enumerate((JobState.WAITING, JobState.RUNNING, JobState.DONE)):
                    await books.put_job(Job(id=state, kind=JobKind.DAILY, by="x", asked=number, state=state))
                again = Scheduler(books, app.state.runner, crons(Settings({})))
                await again.round()
                _, found = await told("GET", f"{url}/api/v1/jobs")
                states = {one["id"]: one["state"] for one in found["jobs"]}
                assert states == {"waiting": "interrupted", "running": "interrupted", "done": "done"}

    asyncio.run(run())


# the schedule at work, with an injected clock


class Books:
    """A store's books; ``away`` lets every call fail."""

    def __init__(self, zone: str = "UTC") -> None:
        self.zone, self.away = zone, False
        self.kept: list[Job] = []
        self.ledger: list[dict[str, Any]] = []

    async def home(self) -> Home:
        if self.away:
            raise UnreachableError("The store is away.")
        return Home(id="h", zone=self.zone)

    async def days(self) -> list[dict[str, Any]]:
        return self.ledger

    async def nights(self) -> dict[str, Any]:
        return {}

    async def jobs(self, limit: int = 100, kind: JobKind | None = None) -> list[Job]:
        found = sorted(self.kept, key=lambda job: -job.asked)
        return [job for job in found if kind in (None, job.kind)][:limit]

    async def hold(self, *_: object) -> bool:
        return False

    async def release(self, *_: object) -> None: ...


class Runs:
    """Ends every job at once, as a test wants, and remembers them."""

    def __init__(self, books: Books) -> None:
        self.books, self.ran, self.fails = books, list[tuple[int, JobKind]](), set[JobKind]()
        self.now, self.jobs, self.newest = SUNDAY, list[Job](), dict[JobKind, Job]()

    async def save(self) -> None: ...

    async def ask(self, order: Order, by: str) -> Any:
        state = JobState.FAILED if order.kind in self.fails else JobState.DONE
        job = Job(id=str(len(self.ran)), kind=order.kind, by=by, asked=self.now, ended=self.now, state=state)
        self.ran.append((self.now, order.kind))
        self.books.kept.append(job)
        self.newest[order.kind] = job
        ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        ended.set_result(job)
        return type("Asked", (), {"ended": ended})

    def hours(self) -> list[tuple[str, str]]:
        """Give when what ran."""
        return [(f"{dt.datetime.fromtimestamp(now / 1e6, dt.UTC):%d %H:%M}", kind.value) for now, kind in self.ran]


class Life:
    """A scheduler's life on a clock that is turned by hand."""

    def __init__(self, **settings: str) -> None:
        self.books = Books()
        self.runs = Runs(self.books)
        self.books.kept = [
            Job(id=f"old {kind}", kind=kind, by="x", asked=SUNDAY - 2 * HOUR, state=JobState.DONE) for kind in JobKind
        ]
        self.schedule, self.awake = crons(Settings(settings)), 0.0
        self.scheduler = self.started()

    def started(self) -> Scheduler:
        """Start a service."""
        return Scheduler(
            self.books,  # type: ignore[arg-type]
            self.runs,  # type: ignore[arg-type]
            self.schedule,
            lambda: self.runs.now,
            lambda: self.awake,
        )

    async def pass_by(self, span: int, step: int = 20 * MINUTE) -> None:
        """Let time pass; it looks as often as it wants to, at the latest after a step."""
        end = self.runs.now + span
        while self.runs.now < end:
            try:
                seconds = await self.scheduler.round()
            except UnreachableError:
                seconds = LOOK
            assert 0 <= seconds <= LOOK
            passed = step if seconds == LOOK else int(seconds * SECOND)
            self.runs.now += passed
            self.awake += passed / SECOND


def test_days_then_the_week_then_the_month() -> None:
    """A month of nights: each its day; Sundays the week behind it; on the first the month behind these."""

    async def run() -> None:
        life = Life()
        await life.pass_by(30 * DAY)
        kinds = [kind for _, kind in life.runs.hours()]
        assert (kinds.count("daily"), kinds.count("weekly"), kinds.count("monthly")) == (30, 4, 1)
        assert [one for one in life.runs.hours() if one[0][:2] == "08"] == [
            ("08 03:00", "daily"),
            ("08 03:00", "weekly"),
        ]
        assert life.runs.hours()[-2:] == [("01 03:00", "daily"), ("01 03:00", "monthly")]

    asyncio.run(run())


def test_days_go_before_a_week_that_comes_too_early() -> None:
    """A week that is due while days wait lets these go first, once."""

    async def run() -> None:
        life = Life(WEEKLY_ANALYSIS_SCHEDULE="0 1 * * 0")
        line = {"date": "2026-11-07", "revision": 2, "folded": 1}
        life.books.ledger = [line, line | {"date": "2026-11-08", "folded": 2}]
        life.runs.now += 6 * DAY
        await life.pass_by(20 * HOUR)
        assert life.runs.hours() == [
            ("07 12:20", "daily"),
            ("08 01:00", "daily"),
            ("08 01:00", "weekly"),
            ("08 03:00", "daily"),
        ]

    asyncio.run(run())


def test_a_week_waits_for_days_that_fail() -> None:
    """They are tried again with growing pauses; when they succeed the week follows at once."""

    async def run() -> None:
        life = Life()
        life.runs.now += 6 * DAY + 14 * HOUR
        life.books.kept = [msgspec.structs.replace(job, asked=life.runs.now - HOUR) for job in life.books.kept]
        life.runs.fails = {JobKind.DAILY}
        await life.pass_by(3 * HOUR, step=MINUTE)
        assert life.runs.hours() == [
            ("08 03:00", "daily"),
            ("08 03:05", "daily"),
            ("08 03:15", "daily"),
            ("08 03:35", "daily"),
            ("08 04:15", "daily"),
        ]
        life.runs.fails = set()
        await life.pass_by(2 * HOUR, step=MINUTE)
        assert life.runs.hours()[-2:] == [("08 05:35", "daily"), ("08 05:35", "weekly")]

    asyncio.run(run())


def test_an_outage_of_the_store_is_caught_up() -> None:
    """Whatever was missed while it was away runs, once, at the first look behind it."""

    async def run() -> None:
        life = Life()
        life.books.away = True
        await life.pass_by(4 * DAY)
        assert life.runs.ran == []
        life.books.away = False
        await life.pass_by(6 * HOUR)
        assert life.runs.hours() == [("05 12:00", "daily")]

    asyncio.run(run())


def test_a_service_that_was_off_catches_up_after_its_start() -> None:
    """Five minutes behind the start, so that what happened meanwhile is fetched first; in series, once each."""

    async def run() -> None:
        life = Life()
        life.runs.now += 40 * DAY
        life.scheduler = life.started()
        await life.pass_by(2 * HOUR, step=MINUTE)
        when = life.runs.hours()[0][0]
        assert life.runs.hours() == [(when, "daily"), (when, "weekly"), (when, "monthly")]
        assert life.runs.ran[0][0] == SUNDAY + 40 * DAY + SETTLED

    asyncio.run(run())


def test_a_clock_that_is_set_over_midnight_and_back() -> None:
    """Forward over a night and back again: the night that then really comes has its run, too."""

    async def run() -> None:
        life = Life()
        await life.pass_by(10 * HOUR)
        life.runs.now += DAY
        await life.pass_by(HOUR)
        assert [kind for _, kind in life.runs.ran] == [JobKind.DAILY]
        life.runs.now -= DAY
        await life.pass_by(7 * HOUR)
        assert [kind for _, kind in life.runs.ran] == [JobKind.DAILY] * 2
        assert life.runs.hours()[-1] == ("02 03:00", "daily")

    asyncio.run(run())


@pytest.mark.parametrize("before", [0, SUNDAY - 30 * DAY, SUNDAY - 9 * HOUR])
def test_a_clock_that_was_behind_or_a_machine_that_slept(before: int) -> None:
    """What is due then waits five minutes, as after a start: what happened meanwhile is fetched first."""

    async def run() -> None:
        life = Life()
        life.books.kept = [msgspec.structs.replace(job, asked=SUNDAY - 40 * DAY) for job in life.books.kept]
        life.runs.now = before
        life.scheduler = life.started()
        await life.pass_by(4 * MINUTE, step=MINUTE)
        life.runs.now = SUNDAY
        await life.pass_by(20 * MINUTE, step=MINUTE)
        assert life.runs.hours() == [("01 12:05", kind) for kind in ("daily", "weekly", "monthly")]

    asyncio.run(run())


def test_the_very_first_time_waits_though_the_clock_was_behind() -> None:
    """A machine that starts in 1970 counts the hour for the history from when it knows the time."""

    async def run() -> None:
        life = Life()
        life.books.kept, life.runs.now = [], 0
        life.scheduler = life.started()
        await life.pass_by(10 * MINUTE, step=MINUTE)
        life.runs.now = SUNDAY
        await life.pass_by(2 * HOUR, step=MINUTE)
        assert life.runs.hours()[0] == ("01 13:00", "daily")

    asyncio.run(run())


def test_many_jobs_of_the_future_stop_nothing() -> None:
    """A clock that was years ahead has left its jobs in the books; each night runs once nevertheless."""

    async def run() -> None:
        life = Life()
        life.books.kept += [
            Job(id=f"f{number}", kind=kind, by="x", asked=SUNDAY + 900 * DAY + number, state=JobState.DONE)
            for number in range(50)
            for kind in JobKind
        ]
        await life.pass_by(4 * DAY)
        daily = [told for told, kind in life.runs.hours() if kind == "daily"]
        assert daily[-3:] == ["03 03:00", "04 03:00", "05 03:00"]
        assert len(daily) <= 5

    asyncio.run(run())


def test_days_that_wait_for_too_long_are_told() -> None:
    """After two more nights than the one on which they were due, and only when days wait."""

    async def run() -> None:
        life = Life()
        life.books.ledger = [{"date": f"2026-10-{day}", "revision": 2, "folded": 1} for day in (30, 31)]
        life.runs.fails = {JobKind.DAILY}
        late = []
        for _ in range(4):
            await life.pass_by(DAY)
            late.append((await life.scheduler.look()).late)
        assert late == [False, False, True, True]
        life.books.ledger = []
        assert not (await life.scheduler.look()).late

    asyncio.run(run())


# what it does without


def test_the_service_loads_nothing_that_learns() -> None:
    """Only its children load the detectors and what these need; the schedule's library comes when it is needed."""
    program = "import sys, quotidian.learn.app; print('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {
        "scipy",
        "quotidian.detect",
        "quotidian.store",
        "quotidian.learn.night",
        "apscheduler",
        "holidays",
        "astral",
    }
    assert heavy.isdisjoint(result.stdout.split())

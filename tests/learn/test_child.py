"""Jobs as processes: alone with their memory, watched, and told as interrupted when they die without a word."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from quotidian.learn import runner as runner_module
from quotidian.learn.orders import HOLD, Given, Order, asked
from quotidian.model import JobKind, JobState
from quotidian.service.logs import configure
from quotidian.settings import Settings

from .running import SECRET, children, facts, filled, running, until

DAILY = Order(JobKind.DAILY)


def program(text: str) -> list[str]:
    """Give a command that runs a text of Python for a child."""
    return [sys.executable, "-c", text]


def test_a_job_runs_in_a_process_of_its_own(tmp_path: Path, logged: io.StringIO) -> None:
    """It learns through the store's HTTP, tells its progress and its memory, and its sentences are in the log."""
    events = filled(tmp_path)
    configure(Settings({}), logged)

    async def run() -> None:
        async with running(tmp_path) as (runner, store):
            one = await runner.ask(DAILY, "schedule")
            assert await runner.ask(DAILY, "request") is one
            first, second = await asyncio.gather(*(runner.ask(Order(JobKind.WEEKLY), "request") for _ in range(2)))
            assert first is second
            assert len(await store.jobs()) == 2
            assert {job.state for job in await store.jobs()} <= {JobState.WAITING, JobState.RUNNING}
            job = await asyncio.wait_for(one.ended, 30)
            assert facts(job) == ("done", "")
            assert (job.days, job.events, job.nights) == (9, events, 9)
            assert 60_000_000 < job.memory < 150_000_000
            assert job in await store.jobs()
            await asyncio.wait_for(first.ended, 30)
            await until(lambda: not runner.jobs)
            assert runner.newest[JobKind.DAILY] == job
            assert runner.days == 9

    asyncio.run(run())
    told = [json.loads(line) for line in logged.getvalue().splitlines()]
    sentence = next(entry for entry in told if entry["event"].startswith("folded 9 days"))
    assert f"{events:,} events, 10 detectors" in sentence["event"]
    assert sentence["kind"] == "daily"
    assert SECRET not in logged.getvalue()
    assert "remarked" not in logged.getvalue()


def test_a_job_that_is_killed_is_told_as_interrupted_and_made_good(tmp_path: Path) -> None:
    """SIGKILL at once, and in the middle: the hold is free, and the next one does the rest."""
    filled(tmp_path)

    async def run() -> None:
        async with running(tmp_path) as (runner, store):
            for begun in (JobState.WAITING, JobState.RUNNING):
                one = await runner.ask(DAILY, "schedule")
                await until(lambda one=one, begun=begun: children() and one.job.state is begun)
                os.kill(children()[0], signal.SIGKILL)
                job = await asyncio.wait_for(one.ended, 30)
                assert facts(job) == ("interrupted", "Its process was ended by signal 9. Memory may have been short.")
                assert (await store.jobs())[0] == job
                assert await store.hold(HOLD, "anybody", 0.01)
                await store.release(HOLD, "anybody")
            last = await runner.ask(DAILY, "schedule")
            assert facts(await asyncio.wait_for(last.ended, 30)) == ("done", "")
            assert all(line["folded"] == line["revision"] for line in await store.days())

    asyncio.run(run())


def test_nothing_secret_is_in_the_list_of_processes(tmp_path: Path) -> None:
    """Neither the arguments of a child nor its environment hold the services' secret; it is behind all others."""
    filled(tmp_path, 3)

    async def run() -> None:
        async with running(tmp_path) as (runner, _):
            one = await runner.ask(DAILY, "schedule")
            await until(lambda: one.job.state is JobState.RUNNING)
            (pid,) = children()
            place = Path(f"/proc/{pid}")
            for name in ("cmdline", "environ"):
                assert SECRET.encode() not in (place / name).read_bytes()
            assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
            assert (place / "oom_score_adj").read_text().strip() == "600"
            assert facts(await asyncio.wait_for(one.ended, 30)) == ("done", "")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        ("import time; time.sleep(60)", "failed", "It said nothing for 0 minutes and was ended."),
        ("raise SystemExit(3)", "interrupted", "Its process ended with code 3."),
        ("print('no JSON')", "interrupted", "Its process ended with code 0."),
        ("import os; os.abort()", "interrupted", "Its process was ended by signal 6."),
        ("import sys; sys.stdin.close(); print('x' * 100)", "interrupted", "Its process ended with code 0."),
        ("print('x' * 3_000_000)", "failed", "Something went wrong inside (ValueError"),
    ],
)
def test_whatever_a_child_does_the_job_is_told(tmp_path: Path, text: str, state: str, told: str) -> None:
    """Silence is ended, and a death without a word is none of success's kinds; the next job runs."""

    async def run() -> None:
        async with running(tmp_path, silent=0.5, program=program(text)) as (runner, store):
            for kind in (JobKind.DAILY, JobKind.WEEKLY):
                one = await runner.ask(Order(kind), "schedule")
                job = await asyncio.wait_for(one.ended, 20)
                assert job.state == state
                assert job.error.startswith(told)
            assert [job.state for job in await store.jobs()] == [state, state]
            assert runner.failures == {"daily": 1, "weekly": 1}

    asyncio.run(run())


def test_what_goes_wrong_inside_is_in_the_log(tmp_path: Path, logged: io.StringIO) -> None:
    """A child's last words go there, without the secret."""
    configure(Settings({"QUOTIDIAN_SECRET": SECRET}), logged)

    async def run() -> None:
        text = f"raise RuntimeError('odd {SECRET}')"
        async with running(tmp_path, program=program(text)) as (runner, _):
            await asyncio.wait_for((await runner.ask(DAILY, "schedule")).ended, 20)

    asyncio.run(run())
    assert "RuntimeError: odd (hidden)" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_who_asks_while_a_process_ends_gets_another_job(tmp_path: Path) -> None:
    """A job that has told its end takes no more orders, though its process is still there."""
    text = "import json, sys; print(json.dumps(json.loads(input())['job'] | {'state': 'done'}), flush=True); input()"

    async def run() -> None:
        async with running(tmp_path, program=program(text)) as (runner, _):
            one = await runner.ask(DAILY, "request")
            await until(lambda: one.job.state is JobState.DONE)
            assert not one.ended.done()
            assert await runner.ask(DAILY, "request") is not one

    asyncio.run(run())


def test_a_program_that_is_not_there_fails_the_job(tmp_path: Path) -> None:
    """No process can be started: the reason is told."""

    async def run() -> None:
        async with running(tmp_path, program=[str(tmp_path / "nowhere")]) as (runner, _):
            job = await asyncio.wait_for((await runner.ask(DAILY, "schedule")).ended, 20)
            assert job.state is JobState.FAILED
            assert "No process could be started" in job.error

    asyncio.run(run())


def test_a_service_that_stops_ends_its_job(tmp_path: Path) -> None:
    """The child is gone, the job is told as interrupted, and nothing is held."""
    filled(tmp_path)

    async def run() -> None:
        async with running(tmp_path) as (runner, store):
            one = await runner.ask(DAILY, "schedule")
            await until(lambda: one.job.state is JobState.RUNNING)
            (task,) = [task for task in asyncio.all_tasks() if "Runner.run" in repr(task)]
            task.cancel()
            await asyncio.wait([task])
            assert children() == []
            assert facts((await store.jobs())[0]) == ("interrupted", "The service was stopped.")
            assert await store.hold(HOLD, "anybody", 0.01)

    asyncio.run(run())


def test_a_store_that_stands_still_keeps_no_service_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last word is given up after a moment."""
    monkeypatch.setattr(runner_module, "_LAST", 0.1)

    async def run() -> None:
        async with running(tmp_path, program=program("input(); input()")) as (runner, store):
            before = {*psutil.Process().children()}
            one = await runner.ask(DAILY, "schedule")
            await until(lambda: {*psutil.Process().children()} - before)
            store.put_job = lambda _: asyncio.Event().wait()  # type: ignore[method-assign, assignment, return-value]
            (task,) = [task for task in asyncio.all_tasks() if "Runner.run" in repr(task)]
            task.cancel()
            await asyncio.wait_for(asyncio.wait([task]), 10)
            assert one.job.state is JobState.INTERRUPTED

    asyncio.run(run())


def test_a_child_ends_with_its_service() -> None:
    """When the service is gone nobody holds the child's standard input, and it ends, whatever it waits for."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        given = Given(DAILY, asked(DAILY, "schedule"), url, SECRET)
        briefly = "import sys; from quotidian.learn import child; child._LAST = 0.3; sys.exit(child.main())"
        child = subprocess.Popen(program(briefly), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert child.stdin is not None
            child.stdin.write(msgspec.json.encode(given) + b"\n")
            child.stdin.flush()
            deaf.settimeout(20)
            connection, _ = deaf.accept()
            with connection:
                assert child.poll() is None
                child.stdin.close()
                assert child.wait(10) == 1
        finally:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def test_what_could_not_be_written_down_is_written_later(tmp_path: Path) -> None:
    """The end of a job is kept until the store is there again."""

    async def run() -> None:
        async with running(tmp_path, program=program("raise SystemExit(3)")) as (runner, store):
            put, away = store.put_job, [True]

            async def putting(job: object) -> None:
                if away[0] and job.state is JobState.INTERRUPTED:  # type: ignore[attr-defined]
                    from quotidian.errors import UnreachableError

                    raise UnreachableError("The store is away.")
                await put(job)  # type: ignore[arg-type]

            store.put_job = putting  # type: ignore[method-assign, assignment]
            await asyncio.wait_for((await runner.ask(DAILY, "schedule")).ended, 20)
            assert (await store.jobs())[0].state is JobState.WAITING
            away[0] = False
            await runner.save()
            assert (await store.jobs())[0].state is JobState.INTERRUPTED

    asyncio.run(run())

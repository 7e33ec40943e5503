"""The learning that is killed, paused and cut off from its store: nothing is learned twice, and nothing is left out."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import psutil
import pytest

from quotidian.learn.jobs import run
from quotidian.learn.orders import HOLD, Order, asked
from quotidian.learn.runner import PROGRAM
from quotidian.model import JobKind, JobState
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.remote import RemoteStore

from ..detect.building import household  # noqa: TID252 - tests are no package
from ..learn.living import patterns, tell_all  # noqa: TID252
from ..real_home_assistant import until  # noqa: TID252
from .agreement import SEEDS
from .running import PORTS, Nursery, Pipeline

NOWHERE = ("http://127.0.0.1:1", "x")
#: The command line, in a process that holds on for a moment only, so that nobody waits long for one that stands still.
BRIEFLY = (
    "from quotidian.learn import holding; holding.HELD, holding.RENEWED, holding.ASKED = 1.0, 0.2, 0.05; "
    "from quotidian.operate.cli import main; main()"
)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """Give a store with some weeks of events of which nothing was learned, and the patterns of an undisturbed run."""
    folder = tmp_path_factory.mktemp("lives")
    store = connect(folder / "fresh", Settings({}))
    tell_all(store, household(3, 20))
    store.close()
    shutil.copytree(folder / "fresh", folder / "whole")
    whole = connect(folder / "whole", Settings({}))
    order = Order.backfill(3_660)
    run(whole, order, asked(order, "test"), lambda _: None)
    found = patterns(whole)
    whole.close()
    assert len(found) > 10
    return folder / "fresh", found


class Learning(Pipeline):
    """The store and learn, over a store of which nothing was learned yet."""

    def __init__(self, nursery: Nursery, folder: Path, fresh: Path) -> None:
        super().__init__(nursery, folder, NOWHERE)
        shutil.copytree(fresh, self.data)
        self.start("store", "learn")

    @property
    def books(self) -> Store:
        """The store, as commands use it."""
        return cast("Store", RemoteStore(f"http://127.0.0.1:{self.port + PORTS['store']}", self.secret))

    def asks(self) -> str:
        """Ask for a backfill of everything; give the job's id."""
        return str(self.ask("learn", "/api/v1/jobs/backfill", b'{"days": 3660}')["id"])

    def job(self, number: str) -> dict[str, Any]:
        """Give a job."""
        return dict(self.get("learn", f"/api/v1/jobs/{number}"))

    def end_of(self, number: str) -> dict[str, Any]:
        """Wait for a job's end; give it."""
        until(lambda: self.job(number)["state"] not in ("waiting", "running"), 40)
        return self.job(number)

    def child(self) -> int | None:
        """Give the process of the job that runs."""
        found = [one.pid for one in psutil.Process(self.pids["learn"]).children() if PROGRAM[-1] in one.cmdline()]
        return found[0] if found else None

    def folded(self) -> int:
        """Give how many days are folded."""
        return sum(day["folded"] is not None for day in self.get("store", "/api/v1/days")["days"])


def learned(pipeline: Learning) -> list[bytes]:
    """Give all patterns to the bit."""
    books = pipeline.books
    try:
        return patterns(books)
    finally:
        books.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_jobs_and_their_service_killed(
    nursery: Nursery, lives: tuple[Path, list[bytes]], tmp_path: Path, seed: int
) -> None:
    """SIGKILL at seeded moments to the job's process, to its service, or to these and the store: it does not show."""
    fresh, whole = lives
    seeded = random.Random(seed)
    with Learning(nursery, tmp_path / "home", fresh) as pipeline:
        for victim in seeded.sample(["child", "learn", "all"], 3):
            job = pipeline.asks()
            until(pipeline.child)
            time.sleep(seeded.uniform(0.3, 1.5))  # the seeded moment, not a wait for something
            child = pipeline.child()
            if child is not None and victim != "learn":
                os.kill(child, signal.SIGKILL)
            if victim == "child":
                assert pipeline.end_of(job)["state"] in ("interrupted", "done")
            else:
                killed = ["store", "learn"] if victim == "all" else ["learn"]
                for name in killed:
                    pipeline.kill(name)
                pipeline.start(*killed)
                if child is not None:
                    until(lambda child=child: not psutil.pid_exists(child), 20)
        last = pipeline.end_of(pipeline.asks())
        assert (last["state"], last["error"]) == ("done", "")
        assert learned(pipeline) == whole
        states = {one["state"] for one in pipeline.get("learn", "/api/v1/jobs")["jobs"]}
        assert states <= {"interrupted", "done"}


def test_the_store_killed_in_the_middle_of_a_job(
    nursery: Nursery, lives: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    """The job waits for the store and goes on from where it was; no second one is needed."""
    fresh, whole = lives
    with Learning(nursery, tmp_path / "home", fresh) as pipeline:
        job = pipeline.asks()
        until(lambda: pipeline.folded() >= 3)
        pipeline.kill("store")
        pipeline.start("store")
        ended = pipeline.end_of(job)
        assert (ended["state"], ended["error"]) == ("done", "")
        assert learned(pipeline) == whole


@pytest.fixture
def paused(nursery: Nursery, lives: tuple[Path, list[bytes]], tmp_path: Path) -> Iterator[tuple[Learning, Any]]:
    """Give a store, and a run of the learning that was paused in the middle."""
    with Learning(nursery, tmp_path / "home", lives[0]) as pipeline:
        first = command(pipeline)
        try:
            until(lambda: pipeline.folded() >= 3)
            first.send_signal(signal.SIGSTOP)
            yield pipeline, first
        finally:
            first.kill()
            first.communicate()


def command(pipeline: Learning) -> subprocess.Popen[str]:
    """Learn by a command that holds on only briefly."""
    words = [sys.executable, "-c", BRIEFLY, "backfill", "--days", "3660", "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=pipeline.settings, cwd=pipeline.folder, stdout=pipe, stderr=pipe, text=True)


def test_one_that_stands_still_is_overtaken(paused: tuple[Learning, Any], lives: tuple[Path, list[bytes]]) -> None:
    """While one run is paused another takes over; the first wakes up beside it, notices, and stops without harm."""
    pipeline, first = paused
    before = pipeline.folded()
    assert before < 20
    second = command(pipeline)
    until(lambda: pipeline.folded() > before or second.poll() is not None)
    first.send_signal(signal.SIGCONT)
    _, errors = first.communicate(timeout=30)
    assert (first.returncode, "taken over" in errors) == (1, True), errors
    output, errors = second.communicate(timeout=40)
    assert second.returncode == 0, errors
    assert msgspec.json.decode(output)["state"] == "done"
    assert learned(pipeline) == lives[1]


def test_two_at_once_run_one_after_the_other(nursery: Nursery, lives: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    """A job of the service and two commands: never two run at the same time, and each comes to its end."""
    with Learning(nursery, tmp_path / "home", lives[0]) as pipeline:
        job = pipeline.asks()
        commands = [command(pipeline) for _ in range(2)]
        most = 0
        books = pipeline.books
        while any(one.poll() is None for one in commands) or pipeline.job(job)["state"] in ("waiting", "running"):
            most = max(most, sum(one.state is JobState.RUNNING for one in books.jobs()))
            time.sleep(0.02)
        assert most == 1
        errors = [one.communicate()[1] for one in commands]
        assert [one.returncode for one in commands] == [0, 0], errors
        spans = sorted((one.started or 0, one.ended or 0) for one in books.jobs() if one.kind is JobKind.BACKFILL)
        assert len(spans) == 3
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
        assert sum(one.days for one in books.jobs()) == 20
        assert learned(pipeline) == lives[1]
        assert books.hold(HOLD, "anybody", 1)
        books.close()

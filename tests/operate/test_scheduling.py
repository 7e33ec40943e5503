"""Learning by hand what the schedule learns by itself, and what is told of it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from quotidian.learn import holding
from quotidian.learn.orders import HOLD
from quotidian.model import Job, JobKind, JobState
from quotidian.operate.console import progress
from quotidian.operate.scheduling import _Shown
from quotidian.settings import Settings
from quotidian.store import Store, connect

from ..contracts.served import Switch  # noqa: TID252 - tests are no package
from .conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def imported(simulated: Path, quotidian: Run) -> Run:
    """Give commands on a store that has a fortnight of events, and has learned nothing yet."""
    assert quotidian("import", simulated / "events.jsonl.gz", "--zone", "Europe/Amsterdam").code == 0
    return quotidian


def test_each_does_its_own_and_says_so(imported: Run) -> None:
    """Days, then the week, then the month; once more there is nothing to do, and it says up to which day."""
    first = imported("daily")
    assert first.code == 0
    assert "folded 14 days from 2026-02-02 to 2026-02-15: " in first.output
    assert " events, 10 detectors, " in first.output
    assert "looked at 14 nights, the last up to 2026-02-15: " in first.output
    newest = "the newest day that was learned from is 2026-02-15."
    assert imported("daily").output == f"Nothing to do: {newest}\n"
    assert "looked at 2 weeks, the last up to 2026-02-14: " in imported("weekly").output
    assert f"Nothing to do: no week has ended since the last time; {newest}" in imported("weekly").output
    assert "Nothing to do: no month has ended" in imported("monthly").output
    assert imported("backfill", "--days", 3660).output == f"Nothing to do: {newest}\n"


def test_up_to_a_date(imported: Run) -> None:
    """Later days wait for the next time."""
    job = imported("daily", "--date", "2026-02-09", "--json").json
    assert (job["state"], job["days"], job["first"], job["last"]) == ("done", 8, "2026-02-02", "2026-02-09")
    assert imported("daily", "--json").json["days"] == 6
    assert imported("weekly", "--date", "2026-02-08", "--json").json["nights"] == 1


def test_a_backfill_is_all_three(imported: Run) -> None:
    """Days, weeks and months at once; the days before are left for the nightly run."""
    told = imported("backfill", "--days", 3660)
    assert "folded 14 days" in told.output
    assert "united" in told.output
    assert imported("weekly").output.startswith("Nothing to do")


@pytest.mark.parametrize(
    "words",
    [("daily", "--date", "yesterday"), ("weekly", "--date", "2026-02-30"), ("backfill", "--days", "0")],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], quotidian: Run) -> None:
    """It says how it is written, and nothing is made."""
    told = quotidian(*words)
    assert told.code == 2
    assert "--da" in told.errors


def test_a_date_that_has_not_come_is_refused(imported: Run) -> None:
    """A slip of the pen learns from nothing, and says what day it is."""
    told = imported("daily", "--date", "2999-01-01")
    assert told.code == 1
    assert "2999-01-01 has not come yet: today is " in told.errors
    assert imported("jobs", "--json").json == []


def test_what_is_waited_for_is_said_once(imported: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However often the store is asked in vain, and with a way out."""
    store = connect(tmp_path / "store", Settings({}))
    with progress(quiet=True) as stages:
        shown = _Shown(store, stages)
        for stage in ("away", "fold", "away", "fold", "away"):
            shown(Job(id="w", kind=JobKind.DAILY, by="command", asked=1, state=JobState.RUNNING, stage=stage))
    store.close()
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("does not answer") == 1
    assert "Ctrl-C gives up now" in told


def test_without_a_store_it_says_what_to_do(quotidian: Run) -> None:
    """None is made by looking."""
    for words in (("daily",), ("jobs",)):
        told = quotidian(*words)
        assert told.code == 1
        assert "Import a source first" in told.errors


def test_jobs_are_told_newest_first(imported: Run, tmp_path: Path) -> None:
    """Each with when, what, by whom, how it ended, how long it took, its memory, and what it did or why it failed."""
    assert "Nothing has run yet" in imported("jobs").output
    imported("daily")
    store = connect(tmp_path / "store", Settings({}))
    newer = store.jobs()[0].asked + 1
    store.put_job(
        Job(
            id="f", kind=JobKind.WEEKLY, by="schedule", asked=newer, state=JobState.FAILED, error="[b]The disk is full."
        )
    )
    store.put_job(
        Job(
            id="r",
            kind=JobKind.MONTHLY,
            by="request",
            asked=newer + 1,
            state=JobState.RUNNING,
            stage="fold",
            done=3,
            total=9,
        )
    )
    store.close()
    lines = imported("jobs").output.splitlines()
    assert [line.split()[2:5] for line in (lines[0], lines[2], lines[4])] == [
        ["monthly", "request", "running"],
        ["weekly", "schedule", "failed"],
        ["daily", "command", "done"],
    ]
    assert lines[1].strip() == "fold 3 of 9"
    assert lines[3].strip() == "[b]The disk is full."
    assert " MB" in lines[4]
    assert lines[5].startswith("  folded 14 days")
    assert [job["id"] for job in imported("jobs", "--limit", 2, "--json").json] == ["r", "f"]


# while the services hold the store


@pytest.fixture
def served(imported: Run, tmp_path: Path) -> Iterator[Store]:
    """Serve that store, as a running service does."""
    from quotidian.store.app import create_app
    from quotidian.store.remote import RemoteStore

    switch = Switch()
    switch.open(create_app(Settings({"QUOTIDIAN_DATA": str(tmp_path / "store")})))
    secret = (tmp_path / "store" / "secret").read_text().strip()
    store = RemoteStore("http://{}:{}".format(*switch.address), secret)
    yield cast("Store", store)
    store.close()
    switch.close()


def test_it_works_while_the_services_hold_the_store(served: Store, imported: Run) -> None:
    """Over HTTP, with the same words."""
    assert "folded 14 days" in imported("daily").output
    assert served.jobs()[0].state is JobState.DONE


def test_it_waits_for_a_job_of_the_schedule_and_says_so(served: Store, tmp_path: Path) -> None:
    """Another process runs: who, since when, and that Ctrl-C gives up; with Ctrl-C it is told as interrupted."""
    assert served.hold(HOLD, "theirs", 60)
    served.put_job(Job(id="theirs", kind=JobKind.BACKFILL, by="schedule", asked=1, started=2, state=JobState.RUNNING))
    command = [sys.executable, "-c", _INTERRUPTIBLE, "daily", "--data", str(tmp_path / "store")]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        until = time.monotonic() + 30
        while served.jobs()[0].stage != "wait":
            assert time.monotonic() < until
            assert waiting.poll() is None
            time.sleep(0.05)
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=20)
    finally:
        waiting.kill()
    assert waiting.returncode == 130
    assert "A backfill job (schedule) has run since 01:00 already, and only one may at a time." in errors
    assert served.jobs()[0].state is JobState.INTERRUPTED
    assert all(record.folded is None for record in served.days())


# Whoever was started in the background inherits that interrupts are ignored.
_INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from quotidian.operate.cli import main; main()"
)


def test_learning_from_a_source_waits_as_well(served: Store, imported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`quotidian learn` is one of those of whom only one may run."""
    assert served.hold(HOLD, "theirs", 60)
    monkeypatch.setattr(holding.time, "sleep", lambda _: served.release(HOLD, "theirs"))
    told = imported("learn")
    assert told.code == 0
    assert "Somebody learns already" in told.errors
    assert "14 whole days learned" in told.output

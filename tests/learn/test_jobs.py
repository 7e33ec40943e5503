"""A job in one process: alone, persistent, and told as it went."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina

from quotidian.errors import ConflictError, DiskFullError, QuotidianError, StoreBusyError, UnreachableError
from quotidian.learn import holding
from quotidian.learn.holding import Hold
from quotidian.learn.jobs import run
from quotidian.learn.orders import HOLD, Order, asked
from quotidian.model import Job, JobKind, JobState
from quotidian.store import Store

from ..detect.building import household  # noqa: TID252 - tests are no package
from .conftest import Stores
from .living import patterns, tell_all

DAILY = Order(JobKind.DAILY)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for nothing longer than needed."""
    monkeypatch.setattr(holding, "ASKED", 0.01)
    monkeypatch.setattr(holding, "RENEWED", 0.01)
    stamina.set_testing(True, attempts=36)
    yield
    stamina.set_testing(False)


@pytest.fixture
def store(opened: Stores) -> Store:
    """Give a store with twelve days of a household."""
    made = opened()
    tell_all(made, household(3, 12))
    return made


def ran(store: Any, order: Order = DAILY, tell: Callable[[Job], None] = lambda _: None) -> Job:
    """Run a job."""
    return run(store, order, asked(order, "command"), tell)


class Failing:
    """A store whose methods raise what a test wants, at the calls that it wants."""

    def __init__(self, store: Store, **errors: list[BaseException | None]) -> None:
        self._store, self._errors = store, errors

    def __getattr__(self, name: str) -> Any:
        left = self._errors.get(name)
        if left and (error := left.pop(0)) is not None:
            raise error
        return getattr(self._store, name)


def test_a_job_tells_what_it_did(store: Store) -> None:
    """Its days, events, nights and memory; a sentence for each thing; and when nothing is left, that."""
    told: list[Job] = []
    job = ran(store, tell=told.append)
    events = sum(record.events for record in store.days())
    assert (job.state, job.days, job.events, job.nights) == (JobState.DONE, 12, events, 12)
    assert job.tidings[0].startswith(f"folded 12 days from 2026-03-02 to 2026-03-13: {events:,} events, 10 detectors, ")
    assert job.tidings[1].startswith("looked at 12 nights, the last up to 2026-03-13: ")
    assert job.memory > 10_000_000
    assert job.asked <= (job.started or 0) <= (job.ended or 0)
    assert [one.state for one in told][:1] == [JobState.RUNNING]
    assert ("fold", 12, 12) in [(one.stage, one.done, one.total) for one in told]
    assert told[-1] == job == store.jobs()[0]
    again = ran(store)
    assert again.tidings == ("Nothing to do: the newest day that was learned from is 2026-03-13.",)
    assert (again.days, again.nights) == (0, 0)


def test_each_kind_does_its_own(store: Store) -> None:
    """Up to a date, and as far back as a backfill goes."""
    part = ran(store, Order(JobKind.DAILY, date=dt.date(2026, 3, 9)))
    assert (part.days, part.last) == (8, dt.date(2026, 3, 9))
    assert ran(store, Order(JobKind.WEEKLY)).tidings[0].startswith("looked at the week up to 2026-03-07: ")
    assert ran(store, Order(JobKind.WEEKLY)).tidings == (
        "Nothing to do: no week has ended since the last time; the newest day that was learned from is 2026-03-09.",
    )
    assert ran(store, Order(JobKind.MONTHLY)).tidings[0].startswith("Nothing to do: no month has ended")
    # From today on; these days are long over.
    assert ran(store, Order.backfill(30)).days == 0
    assert ran(store, Order.backfill(3_660)).days == 4


def test_an_empty_store_has_nothing_to_learn_from(opened: Stores) -> None:
    """It says that no day is over, and that is no failure."""
    assert ran(opened()).tidings == ("Nothing to do: no day is over yet.",)


# one at a time


def test_a_second_one_waits_for_the_first(store: Store) -> None:
    """While another holds on it tells that it waits, and begins when that one has let go."""
    assert store.hold(HOLD, "another", 60)
    told: list[Job] = []

    def tell(job: Job) -> None:
        told.append(job)
        if job.stage == "wait":
            assert job.state is JobState.WAITING
            store.release(HOLD, "another")

    assert ran(store, tell=tell).state is JobState.DONE
    assert told[0].stage == "wait"
    assert store.hold(HOLD, "a third", 1), "it did not let go"


def test_a_hold_is_renewed_until_it_is_given_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else gets it meanwhile, however long that is; afterwards anybody does."""
    monkeypatch.setattr(holding, "HELD", 0.2)
    hold = Hold(store, "me")
    assert hold.taken()
    with hold.kept():
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert not store.hold(HOLD, "another", 0.05)
        hold.check()
    assert store.hold(HOLD, "another", 0.05)


def test_who_lost_the_hold_stops(store: Store) -> None:
    """A process that stood still while another took over notices, and does not go on beside it."""
    hold = Hold(store, "me")
    assert hold.taken()
    store.release(HOLD, "me")
    assert store.hold(HOLD, "another", 60)

    def noticed() -> None:
        for _ in range(500):
            time.sleep(0.01)
            hold.check()

    with hold.kept(), pytest.raises(StoreBusyError, match="taken over"):
        noticed()
    assert not store.hold(HOLD, "me", 1), "it gave back what was not its own"


def test_jobs_of_processes_that_are_gone_are_told_as_interrupted(store: Store) -> None:
    """Whoever gets to run knows that nobody else does."""
    store.put_job(Job(id="gone", kind=JobKind.DAILY, by="schedule", asked=5, started=6, state=JobState.RUNNING))
    ran(store)
    gone = next(job for job in store.jobs() if job.id == "gone")
    assert gone.state is JobState.INTERRUPTED
    assert gone.ended is not None
    assert "without a word" in gone.error


# failures


def test_a_store_that_is_away_is_waited_for(store: Store, opened: Stores) -> None:
    """Lost at whatever call, the job goes on from where it was, and ends as if nothing had been."""
    lost = UnreachableError("The store is away.")
    failing = Failing(
        store,
        hold=[lost],
        put_day=[None, None, lost, lost, None, lost],
        put_patterns=[None, lost],
        put_job=[None, lost],
        days=[None, lost],
    )
    told: list[Job] = []
    job = ran(failing, tell=told.append)
    assert (job.state, job.days) == (JobState.DONE, 12), "it tells of all that it did"
    assert job.events == sum(record.events for record in store.days())
    assert job.tidings[0].startswith("folded 12 days from 2026-03-02 to 2026-03-13: ")
    assert "away" in {job.stage for job in told}
    whole = opened("whole")
    tell_all(whole, household(3, 12))
    whole.set_home(store.home)
    ran(whole)
    assert len(patterns(store)) == len(patterns(whole)) > 0
    assert store.nights.daily == whole.nights.daily


def test_a_change_by_somebody_else_begins_it_anew(store: Store) -> None:
    """Patterns that changed meanwhile are looked at again."""
    failing = Failing(store, put_patterns=[None, *[ConflictError("Somebody else has looked.")] * 7])
    assert ran(failing).state is JobState.DONE
    assert store.nights.daily == dt.date(2026, 3, 13)


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (DiskFullError("No space is left.", "Free some."), JobState.FAILED, "No space is left. Free some."),
        (RuntimeError("odd"), JobState.FAILED, "Something went wrong inside (RuntimeError('odd'))."),
        (KeyboardInterrupt(), JobState.INTERRUPTED, "It was stopped."),
    ],
)
def test_a_job_that_fails_says_why(store: Store, error: BaseException, state: JobState, told: str) -> None:
    """In the store and to who listens; what was done is kept, and the hold is given back."""
    heard: list[Job] = []
    with pytest.raises(type(error)):
        ran(Failing(store, put_day=[None, None, error]), tell=heard.append)
    assert heard[-1] == store.jobs()[0]
    assert (heard[-1].state, heard[-1].error) == (state, told)
    assert sum(record.folded is not None for record in store.days()) == 2
    assert ran(store).days == 10


def test_a_store_that_stays_away_fails_the_job(store: Store) -> None:
    """After all attempts the reason is told; only who listens hears it."""
    stamina.set_testing(True, attempts=3)
    heard: list[Job] = []
    failing = Failing(store, hold=[UnreachableError("The store is away.")] * 9)
    with pytest.raises(QuotidianError, match="away"):
        ran(failing, tell=heard.append)
    assert heard[-1].state is JobState.FAILED
    assert heard[-1].error == "The store is away."
    assert threading.active_count() < 10

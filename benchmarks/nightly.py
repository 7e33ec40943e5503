"""The night in the whole system: a store service, and the process of a job that asks it for everything over HTTP."""

import os
import secrets
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from tests.ports import free

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import MEGABYTE, ROOT, RUNS, copied, fresh, spread_of
from benchmarks.measured.recompute import TIMES
from benchmarks.pipeline import cpu
from quotidian import clock
from quotidian.detect import Cadence
from quotidian.learn.orders import Given, Order, asked
from quotidian.learn.runner import ENVIRONMENT, PROGRAM
from quotidian.learn.window import LOOK_BACK
from quotidian.model import Job, JobKind, JobState
from quotidian.model.day import moment
from quotidian.settings import PORTS
from quotidian.store import DayRecord
from quotidian.store.remote import RemoteStore

DAYS: Final = 30
_COMMAND: Final = (sys.executable, "-c", "from quotidian.operate.cli import main; main()")


class Served(msgspec.Struct, frozen=True):
    """A store service: where it is, what lets in, and its process."""

    url: str
    secret: str
    pid: int


class Night(msgspec.Struct, frozen=True):
    """What a job cost: seconds from its start to its end, of CPU, of CPU of the store beside it, and peaks in bytes."""

    job: Job
    wall: float
    cpu: float
    store: float
    store_peak: int


def figures() -> list[Figure]:
    """Measure a daily run, a backfill of thirty days, and the recompute of thirty days that a daily run replaces."""
    daily = [_night(homes.due("quarter"), lambda _: Order(JobKind.DAILY)) for _ in range(RUNS)]
    again = [_recompute(homes.folded("quarter")) for _ in range(RUNS)]
    return [*_daily(daily), *_backfill(_night(homes.events("quarter"), _of_days)), *_compared(daily, again)]


def _daily(nights: list[Night]) -> list[Figure]:
    job = nights[0].job
    what = f"daily run of {job.events:,} events, a look back on {LOOK_BACK[Cadence.DAILY]} days"
    parts = [
        (f"{what}: CPU of the job, with its start", _seconds(nights), "s", 3.0),
        (f"{what}: wall", [night.wall for night in nights], "s", 3.0),
        (f"{what}: peak memory of the job", [night.job.memory / MEGABYTE for night in nights], "MB", 150),
        ("CPU of the store service beside it", [night.store for night in nights], "s", None),
        ("peak memory of the store service", [night.store_peak / MEGABYTE for night in nights], "MB", None),
    ]
    return [_figure(name, statistics.median(of), unit, limit, spread_of(of, unit)) for name, of, unit, limit in parts]


def _backfill(night: Night) -> list[Figure]:
    what = f"backfill of {night.job.days} days, {night.job.events:,} events, {night.job.nights} looks"
    return [
        _figure(f"{what}: CPU of the job", night.cpu, "s", 45, f"wall {night.wall:.1f} s, once"),
        _figure(f"{what}: CPU of the store service beside it", night.store, "s"),
        _figure(f"{what}: peak memory of the job", night.job.memory / MEGABYTE, "MB", 150),
    ]


def _compared(nights: list[Night], again: list[tuple[float, float, float, float]]) -> list[Figure]:
    """Set a night beside the recompute: what is read, all that it costs, and without what both have to do."""
    one = statistics.median(_seconds(nights))
    whole, fold_all, fold_one, events = (statistics.median(part) for part in zip(*again, strict=True))
    read = nights[0].job.events
    return [
        _figure(f"recompute of {DAYS} days and one look: CPU", whole, "s", None, "over HTTP, with its start"),
        _figure(
            "raw events that the recompute reads / that the daily run reads",
            events / read,
            "times",
            25,
            f"{events:,.0f} / {read:,}",
            sense=">=",
        ),
        _figure("recompute / daily run: CPU", whole / one, "times", 25, f"{whole:.2f} s / {one:.2f} s", sense=">="),
        _figure(
            f"of that, reading and folding {DAYS} days / one day: CPU",
            fold_all / fold_one,
            "times",
            25,
            f"{fold_all:.2f} s / {fold_one:.2f} s",
            sense=">=",
        ),
    ]


def _recompute(original: Path) -> tuple[float, float, float, float]:
    """Give the CPU of a recompute, of reading and folding all its days, of reading and folding one; and its events."""
    with copied(original) as place, served(Path(place)) as store:
        run = fresh("recompute", store.url, store.secret, str(DAYS), environment=ENVIRONMENT)
    one = run.laps["one"].cpu
    return run.cpu - one, run.laps["all"].cpu, one / TIMES, run.told["events"]


def _of_days(days: list[DayRecord]) -> Order:
    """Order the last days with events of an old home; a backfill counts from yesterday."""
    return Order.backfill((moment(clock.now()).date() - days[-DAYS].date).days)


def _night(original: Path, order: Callable[[list[DayRecord]], Order]) -> Night:
    """Run a job on a copy of a store, given its days, as the service does."""
    with copied(original) as place, served(Path(place)) as store:
        books = RemoteStore(store.url, store.secret)
        ordered = order(books.days())
        books.close()
        return _done(store, ordered)


def _done(store: Served, order: Order) -> Night:
    given = msgspec.json.encode(Given(order, asked(order, "benchmark"), store.url, store.secret)) + b"\n"
    before, start = cpu(store.pid), time.perf_counter()
    process = subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ENVIRONMENT, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.flush()
    job = msgspec.json.decode(process.stdout.readlines()[-1], type=Job)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdin.close()
    wall = time.perf_counter() - start
    if process.returncode or job.state is not JobState.DONE:
        raise RuntimeError(f"the job did not come to its end: {job}")
    return Night(job, wall, used.ru_utime + used.ru_stime, cpu(store.pid) - before, _peak(store.pid))


@contextmanager
def served(directory: Path) -> Iterator[Served]:
    """Serve a store while the context lasts, by the command, in a process of its own."""
    port, secret = free(len(PORTS)), secrets.token_urlsafe(32)
    given = {"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_PORT": str(port), "QUOTIDIAN_SECRET": secret}
    log = directory.parent / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*_COMMAND, "serve", "store"], env=os.environ | given, cwd=directory, stdout=said, stderr=said
        )
    url = f"http://127.0.0.1:{port + PORTS['store']}"
    try:
        _until(lambda: _healthy(url), lambda: process.poll() is not None, log)
        yield Served(url, secret, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _until(there: Callable[[], bool], gone: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not there():
        if gone() or time.monotonic() > deadline:
            raise RuntimeError(f"the store service does not answer:\n{log.read_text()}")
        time.sleep(0.05)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _seconds(nights: list[Night]) -> list[float]:
    return [night.cpu for night in nights]


def _figure(
    what: str,
    value: float,
    unit: str,
    limit: float | None = None,
    note: str = "",
    *,
    sense: Literal["<=", ">="] = "<=",
) -> Figure:
    return Figure(benchmark="nightly", what=what, value=value, unit=unit, limit=limit, sense=sense, note=note)

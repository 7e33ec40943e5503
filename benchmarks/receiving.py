"""Receiving deliveries: the store's CPU for each, and what asking for events takes."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import RUNS, Run, fresh, median, spread
from benchmarks.measured.receive_deliveries import ASKED, STAGES

_LIMITS: Final = {"one": 500.0, "many": 15.0}


def figures() -> list[Figure]:
    """Receive on top of 100,000 events of the day, then ask for the newest."""
    runs = [_run() for _ in range(RUNS)]
    return [
        _figure(runs, "one", "a delivery of one event, durable: CPU"),
        _figure(runs, "twenty", "an event in deliveries of 20: CPU"),
        _figure(runs, "many", "an event in deliveries of 500: CPU"),
        _looked(runs, "newest", "the newest 100 events of a day of 157,000: CPU"),
        _looked(runs, "entity", "the newest 100 of one entity: CPU"),
    ]


def _run() -> Run:
    homes.CACHE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=homes.CACHE, prefix="copy-") as folder:
        return fresh("receive_deliveries", str(Path(folder) / "store"))


def _figure(runs: list[Run], stage: str, what: str) -> Figure:
    size, count = STAGES[stage]

    def cost(run: Run) -> float:
        return run.laps[stage].cpu / (size * count) * 1e6

    note = spread(runs, cost, "µs")
    limit = _LIMITS.get(stage)
    return Figure(benchmark="receive", what=what, value=median(runs, cost), unit="µs", limit=limit, note=note)


def _looked(runs: list[Run], stage: str, what: str) -> Figure:
    def cost(run: Run) -> float:
        return run.laps[stage].cpu / ASKED * 1e3

    note = spread(runs, cost, "ms")
    return Figure(benchmark="receive", what=what, value=median(runs, cost), unit="ms", limit=10, note=note)

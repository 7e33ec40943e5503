"""The daily run: one day of 100,000 events of 300 entities, all detectors, in a fresh process."""

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import Run, fresh_on_copies, median, spread


def figures() -> list[Figure]:
    """Measure the fold of the large home's last day, and the review of the night after it."""
    fold = fresh_on_copies("fold_last", homes.due("large"))
    review = fresh_on_copies("review_last", homes.folded("large"))
    events, days = fold[0].told["events"], review[0].told["days"]
    return [*_fold(fold, f"fold of {events:,.0f} events"), *_review(review, f"review of {days:.0f} days")]


def _fold(runs: list[Run], what: str) -> list[Figure]:
    return [
        _figure(f"{what}: CPU, with imports", median(runs, _cpu), "s", 2.0, spread(runs, _cpu, "s")),
        _figure(f"{what}: wall, with imports", median(runs, _wall), "s", 2.0, spread(runs, _wall, "s")),
        _figure(f"{what}: peak memory", median(runs, _peak), "MB", 150, spread(runs, _peak, "MB")),
        _figure("imports: CPU", median(runs, lambda run: run.laps["imports"].cpu), "s"),
        _figure("imports: memory", median(runs, lambda run: run.laps["imports"].resident), "MB"),
        _figure(f"{what}: CPU, without imports", median(runs, lambda run: run.laps["fold"].cpu), "s", 0.5),
        _figure(f"{what}: memory above the imports", median(runs, lambda run: run.above("fold")), "MB", 40),
    ]


def _review(runs: list[Run], what: str) -> list[Figure]:
    patterns = f"{runs[0].told['patterns']:.0f} patterns"
    return [
        _figure(f"{what}: CPU, without imports", median(runs, lambda run: run.laps["review"].cpu), "s", note=patterns),
        _figure(f"{what}: peak memory", median(runs, _peak), "MB", 150, spread(runs, _peak, "MB")),
    ]


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="daily", what=what, value=value, unit=unit, limit=limit, note=note)


def _cpu(run: Run) -> float:
    return run.cpu


def _wall(run: Run) -> float:
    return run.wall


def _peak(run: Run) -> float:
    return run.peak

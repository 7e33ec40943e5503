"""Enriching deliveries: events for each second of CPU, from bytes to bytes."""

from benchmarks.figure import Figure
from benchmarks.fresh import RUNS, Run, fresh, median, spread
from benchmarks.measured.enrich_deliveries import STAGES

_LIMITS = {"many": 60_000.0}


def figures() -> list[Figure]:
    """Decode, validate, normalise, describe and encode whole `state_changed` events of 300 sensors."""
    runs = [fresh("enrich_deliveries") for _ in range(RUNS)]
    return [_figure(runs, stage) for stage in STAGES]


def _figure(runs: list[Run], stage: str) -> Figure:
    size, count = STAGES[stage]

    def rate(run: Run) -> float:
        return size * count / run.laps[stage].cpu

    return Figure(
        benchmark="enrich",
        what=f"events a CPU second in deliveries of {size}",
        value=median(runs, rate),
        unit="",
        limit=_LIMITS.get(stage),
        sense=">=",
        note=spread(runs, rate, ""),
    )

"""Ninety days of summaries into patterns: one review of the demonstration's last night, in a fresh process."""

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import fresh_on_copies, median, spread


def figures() -> list[Figure]:
    """Measure opening the store, reading and decoding its summaries, all detectors, and putting the patterns away."""
    runs = fresh_on_copies("review_last", homes.folded("demo"))
    told = runs[0].told
    return [
        Figure(
            benchmark="patterns",
            what=f"{told['days']:.0f} days of summaries into {told['patterns']:.0f} patterns: CPU, without imports",
            value=median(runs, lambda run: run.laps["review"].cpu),
            unit="s",
            limit=1.0,
            note=spread(runs, lambda run: run.laps["review"].cpu, "s"),
        ),
        Figure(
            benchmark="patterns",
            what="the same: peak memory, with imports",
            value=median(runs, lambda run: run.peak),
            unit="MB",
            limit=150,
        ),
    ]

"""The daily run: open the store, fold the last day with every detector, and put its summaries away."""

from pathlib import Path

import benchmarks.measured.loaded  # noqa: F401 - for what it loads
from benchmarks.fresh import Laps, Told
from quotidian.detect import detectors
from quotidian.learn.fold import fold
from quotidian.model import Day
from quotidian.store import connect


def run(laps: Laps, directory: str) -> Told:
    """Fold the one day that is due."""
    store = connect(Path(directory))
    last = Day.of(store.days()[-1].date, store.home.zone)
    folded = fold(store, detectors(), last.end)
    laps.lap("fold")
    store.close()
    if len(folded.days) != 1:
        raise RuntimeError(f"{len(folded.days)} days were folded instead of 1")
    return {"events": float(folded.events)}

"""The opposite of the daily run: fold every day of the store anew."""

from pathlib import Path

import benchmarks.measured.loaded  # noqa: F401 - for what it loads
from benchmarks.fresh import Laps, Told
from quotidian.detect import detectors
from quotidian.learn.fold import fold
from quotidian.model import Day
from quotidian.store import connect


def run(laps: Laps, directory: str) -> Told:
    """Fold all days, whether they are due or not."""
    store = connect(Path(directory))
    last = Day.of(store.days()[-1].date, store.home.zone)
    folded = fold(store, detectors(), last.end, again=True)
    laps.lap("fold")
    store.close()
    return {"days": float(len(folded.days))}

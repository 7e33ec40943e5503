"""A night's review: read the summaries, look for habits with every detector, and put the patterns away."""

from pathlib import Path

import benchmarks.measured.loaded  # noqa: F401 - for what it loads
from benchmarks.fresh import Laps, Told
from quotidian.detect import detectors
from quotidian.learn import review
from quotidian.store import connect


def run(laps: Laps, directory: str) -> Told:
    """Review the night after the last day."""
    store = connect(Path(directory))
    days = [record.date for record in store.days()]
    review(store, detectors(), [days[-1]])
    laps.lap("review")
    patterns = store.patterns()
    store.close()
    return {"days": float(len(days)), "patterns": float(len(patterns))}

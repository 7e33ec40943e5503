"""A log, learned end to end into a store of its own."""

from collections import Counter
from pathlib import Path

from benchmarks.fresh import Laps, Told
from quotidian.detect import detectors
from quotidian.importers import import_source, open_source
from quotidian.learn import learn
from quotidian.model import Day
from quotidian.model.pattern import Status
from quotidian.store import connect


def run(laps: Laps, where: str, zone: str, directory: str) -> Told:
    """Import a log, and learn from all its days as if it were the morning after the last one."""
    store = connect(Path(directory))
    imported = import_source(store, open_source(where, zone=zone))
    laps.lap("import")
    last = Day.of(store.days()[-1].date, store.home.zone)
    learned = learn(store, detectors(), last.end)
    laps.lap("learn")
    store.close()
    # What faded on the way is not counted.
    kinds = Counter(pattern.finding.detector for pattern in learned.patterns if pattern.status is Status.ACTIVE)
    told = {"events": float(imported.appended.new), "days": float(len(learned.folded.days))}
    return told | {f"habits {kind}": float(count) for kind, count in sorted(kinds.items())}

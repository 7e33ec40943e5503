"""Where null homes come from: simulated homes, and whatever logs the environment names."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy.lived import plan_of
from benchmarks.folding import observed
from benchmarks.logs import FOLDER, SKIPPED, ZONE
from benchmarks.nulls.days import Days, folded
from quotidian.detect import Detector
from quotidian.importers import import_source, open_source
from quotidian.model import Day
from quotidian.simulate import simulate
from quotidian.store import connect

__all__ = ["SKIPPED", "logged", "logs", "simulated"]


def simulated(seed: int, days: int, detectors: Sequence[Detector]) -> Days:
    """Give a simulated home's days, folded; its seed says in which part of the year they begin."""
    home = simulate(plan_of(seed, days))
    return folded(f"simulated {seed}", home.home, observed(home.home, home.days()), detectors)


def logs() -> list[Path]:
    """Give the logs of the folder that the environment names, none where it names none."""
    folder = os.environ.get(FOLDER)
    return sorted(Path(folder).glob("*.csv.gz")) if folder else []


def logged(log: Path, detectors: Sequence[Detector]) -> Days:
    """Give the days of a log, folded; those on which nothing is known are left out."""
    with TemporaryDirectory() as folder:
        store = connect(Path(folder))
        import_source(store, open_source(str(log), zone=os.environ.get(ZONE, "Europe/Berlin")))
        dates = [record.date for record in store.days() if record.events]
        home = store.home
        tables = ((day, store.day_events(day)) for day in (Day.of(date, home.zone) for date in dates))
        days = folded(log.name.removesuffix(".csv.gz"), home, observed(home, tables), detectors)
        store.close()
    return days

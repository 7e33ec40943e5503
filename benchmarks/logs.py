"""Real logs, learned end to end: whatever lies in the folder that the environment names."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import fresh

FOLDER: Final = "QUOTIDIAN_LOGS"
ZONE: Final = "QUOTIDIAN_LOGS_ZONE"
SKIPPED: Final = f"SKIPPED: set {FOLDER} to a folder of logs (*.csv.gz), and {ZONE} to the zone of times without one"


def figures() -> list[Figure]:
    """Learn each log, and tell its days, events and habits."""
    folder = os.environ.get(FOLDER)
    logs = sorted(Path(folder).glob("*.csv.gz")) if folder else []
    if not logs:
        return [Figure(benchmark="logs", what="real logs", value=None, unit="", note=SKIPPED)]
    homes.CACHE.mkdir(exist_ok=True)
    return [_learned(log, os.environ.get(ZONE, "Europe/Berlin")) for log in logs]


def _learned(log: Path, zone: str) -> Figure:
    with TemporaryDirectory(dir=homes.CACHE, prefix="copy-") as folder:
        run = fresh("learn_log", str(log), zone, str(Path(folder) / "store"))
    told = run.told
    habits = [
        f"{count:.0f} {name.removeprefix('habits ')}" for name, count in told.items() if name.startswith("habits ")
    ]
    return Figure(
        benchmark="logs",
        what=f"{log.name.removesuffix('.csv.gz')}: {told['days']:.0f} days, {told['events']:,.0f} events, CPU",
        value=run.cpu,
        unit="s",
        note=f"habits: {', '.join(habits) or 'none'}",
    )

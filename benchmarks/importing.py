"""Importing a recorder database: states a second of CPU, and the most memory that it takes."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import RUNS, Run, fresh, median, spread
from benchmarks.recorder import count, recorder

_USUAL: Final = 2_000_000
_BIG: Final = 33_000_000  #: states: more than 5 GB


def figures() -> list[Figure]:
    """Import a database of two million states with the command line's own code, and read it without a store."""
    database = recorder(_USUAL)
    read = [fresh("read_source", str(database), homes.PLANS["large"].zone) for _ in range(RUNS)]
    rate = count(database) / median(read, lambda run: run.cpu)
    reading = _figure("reading alone, states a CPU second", rate, "", note="the same database, without a store")
    return [*_imports(database, RUNS), reading]


def big_figures() -> list[Figure]:
    """Import a database of more than 5 GB, once: making it takes minutes, and so does importing it."""
    return _imports(recorder(_BIG), 1)


def _imports(database: Path, times: int) -> list[Figure]:
    states = count(database)
    runs = [_imported(database) for _ in range(times)]
    what = f"{states:,} states in {database.stat().st_size / 1e9:.2f} GB"

    def rate(run: Run) -> float:
        return states / run.cpu

    def peak(run: Run) -> float:
        return run.peak

    return [
        _figure(f"{what}: states a CPU second", median(runs, rate), "", 100_000, spread(runs, rate, "")),
        _figure(f"{what}: wall", median(runs, lambda run: run.wall), "s"),
        Figure(
            benchmark="import",
            what=f"{what}: peak memory",
            value=median(runs, peak),
            unit="MB",
            limit=200,
            note=spread(runs, peak, "MB"),
        ),
    ]


def _imported(database: Path) -> Run:
    zone = homes.PLANS["large"].zone
    with TemporaryDirectory(dir=homes.CACHE, prefix="copy-") as folder:
        return fresh("import_source", str(database), zone, str(Path(folder) / "store"))


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="import", what=what, value=value, unit=unit, limit=limit, sense=">=", note=note)

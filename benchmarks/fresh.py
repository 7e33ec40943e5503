"""Run something in a process of its own, and see what it cost.

Other work on the machine makes wall times unreliable and, less so, CPU times as well (the caches are shared). So each
measurement is the median of several runs, and CPU seconds (user and system, all threads) are what is compared.
"""

import importlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.figure import spelled

ROOT: Final = Path(__file__).parent.parent
RUNS: Final = 3
MEGABYTE: Final = 1_000_000

Told = dict[str, float]


class Lap(msgspec.Struct, frozen=True):
    """What one stage cost: seconds, and megabytes of resident memory at its end and at its peak."""

    cpu: float
    wall: float
    resident: float
    peak: float


class Run(msgspec.Struct, frozen=True):
    """What a process cost as a whole (from its start to its end, seconds), by stage, and what it told."""

    cpu: float
    wall: float
    laps: dict[str, Lap]
    told: Told = {}

    @property
    def peak(self) -> float:
        """The most memory (MB) that was ever resident."""
        return max(lap.peak for lap in self.laps.values())

    def above(self, stage: str) -> float:
        """Give how much memory (MB) a stage needed above what was there after the imports."""
        return self.laps[stage].peak - self.laps["imports"].resident


class Laps:
    """Reads the clocks between the stages of this process."""

    def __init__(self) -> None:
        self.laps: dict[str, Lap] = {}
        self._cpu, self._wall = 0.0, time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage, and begin the next one."""
        cpu, wall = time.process_time(), time.perf_counter()
        memory = _memory()
        self.laps[stage] = Lap(cpu - self._cpu, wall - self._wall, memory["VmRSS"], memory["VmHWM"])
        # Linux forgets the peak when asked to, so that the next stage has its own.
        Path("/proc/self/clear_refs").write_text("5")
        self._cpu, self._wall = time.process_time(), time.perf_counter()


def fresh(module: str, *words: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``benchmarks.measured.<module>.run(laps, *words)`` in a fresh process, with more in its environment."""
    command = [sys.executable, "-m", "benchmarks.fresh", module, *words]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*command, str(answer)],
            cwd=ROOT,
            env=os.environ | (environment or {}),
            check=False,
            capture_output=True,
            text=True,
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode or not answer.exists():
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        run = msgspec.json.decode(answer.read_bytes(), type=Run)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return msgspec.structs.replace(run, cpu=cpu, wall=wall)


def fresh_on_copies(module: str, original: Path, *words: str, runs: int = RUNS) -> list[Run]:
    """Run something several times, each time on a fresh copy of a store."""
    found = []
    for _ in range(runs):
        with copied(original) as store:
            found.append(fresh(module, store, *words))
    return found


class copied:  # noqa: N801 - a context manager
    """A copy of a store's directory, removed at the end; its pages are written before anything is measured."""

    def __init__(self, original: Path) -> None:
        self._original = original
        self._folder = tempfile.TemporaryDirectory(dir=original.parent, prefix="copy-")

    def __enter__(self) -> str:
        copy = Path(self._folder.name) / "store"
        shutil.copytree(self._original, copy)
        os.sync()
        return str(copy)

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def median(runs: list[Run], number: Callable[[Run], float]) -> float:
    """Give the median of a number over some runs."""
    return statistics.median(number(run) for run in runs)


def spread(runs: list[Run], number: Callable[[Run], float], unit: str) -> str:
    """Say between which values a number lay in these runs."""
    return spread_of((number(run) for run in runs), unit)


def spread_of(numbers: Iterable[float], unit: str) -> str:
    """Say between which values some numbers lie."""
    values = sorted(numbers)
    return f"{spelled(values[0])} to {spelled(values[-1])} {unit}".rstrip() if len(values) > 1 else "one run"


def _memory() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) * 1024 / MEGABYTE for name in ("VmRSS", "VmHWM")}


def _main(module: str, *words: str) -> None:
    laps = Laps()
    measured: Any = importlib.import_module(f"benchmarks.measured.{module}")
    laps.lap("imports")
    told = measured.run(laps, *words[:-1])
    Path(words[-1]).write_bytes(msgspec.json.encode(Run(0.0, 0.0, laps.laps, told or {})))


if __name__ == "__main__":
    _main(*sys.argv[1:])

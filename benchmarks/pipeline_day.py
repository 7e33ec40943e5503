"""What listening to a quiet home costs all day: CPU, and bytes written, beside those of Home Assistant's recorder.

A real Home Assistant, whose recorder commits at its own default of 5 s, is told a change of state every few seconds. It
runs at first alone and idle, then with the changes, and then all services listen to it too, in one process and with the
default commit interval. What it writes more in the second stretch than in the first is its recorder's.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.faults.agreement import stored
from tests.faults.recorder import recorded
from tests.faults.running import Bare, Pipeline
from tests.real_home_assistant import HASS, MISSING, RealHomeAssistant, until

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import MEGABYTE
from benchmarks.pipeline import cpu, written

_MINUTES: Final = float(os.environ.get("QUOTIDIAN_MINUTES", "10"))
_RATES: Final = (17, 69)  #: changes a minute: what the documents ask, and 100,000 a day
_DAY: Final = 1440  #: minutes


def figures() -> list[Figure]:
    """Measure both rates."""
    if not HASS.exists():
        return [Figure(benchmark="pipeline-day", what="a quiet day", value=None, unit="", note=f"SKIPPED: {MISSING}")]
    return [figure for rate in _RATES for figure in _figures(rate)]


def _figures(rate: int) -> Iterator[Figure]:
    homes.CACHE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=homes.CACHE, prefix="day-") as folder:
        place = Path(folder)
        home = RealHomeAssistant(place / "homeassistant", "logbook:\n")
        configuration = place / "homeassistant" / "configuration.yaml"
        configuration.write_text(configuration.read_text().replace("commit_interval: 1", "commit_interval: 5"))
        settings = {"QUOTIDIAN_COMMIT_INTERVAL": "2"}
        with home, Pipeline(Bare(), place, (home.url, home.token), **settings) as pipeline:
            time.sleep(30)  # what a start writes is not what a day does
            idle = _stretch(home, home.pid, 0)[1]
            recorder = _stretch(home, home.pid, rate)[1]
            pipeline.start_up()
            until(lambda: bool(stored(pipeline)), 60)
            used, ours = _stretch(home, pipeline.pids["capture"], rate)
            lost = _lost(home, pipeline)
            resident = pipeline.memory("capture", "VmRSS")
    scale = _DAY / _MINUTES
    note = f"{_MINUTES:g} minutes, scaled"
    what = f"{rate} changes a minute"
    yield _figure(f"{what}: written a day by all services", ours * scale / MEGABYTE, "MB", None, note)
    beside = f"{note}; {idle * scale / MEGABYTE:.0f} MB more without any change"
    yield _figure(f"{what}: written a day by the recorder", (recorder - idle) * scale / MEGABYTE, "MB", None, beside)
    yield _figure(f"{what}: share of a core", used / (_MINUTES * 60) * 100, "%", 1.0, note)
    yield _figure(f"{what}: lost", lost, "", 0, "of all that the recorder has")
    yield _figure(f"{what}: resident memory", resident / MEGABYTE, "MB", 150)


def _stretch(home: RealHomeAssistant, pid: int, rate: int) -> tuple[float, int]:
    """Change states for some minutes; give the CPU seconds and the bytes that a process used meanwhile."""
    seeded = random.Random(rate)
    before, bytes_before = cpu(pid), written(pid)
    end = time.monotonic() + _MINUTES * 60
    number = 0
    while (left := end - time.monotonic()) > 0:
        if rate:
            number += 1
            home.put(f"sensor.room_{seeded.randrange(20)}", f"{time.time():.2f}", unit_of_measurement="°C")
        time.sleep(min(left, seeded.expovariate(rate / 60)) if rate else left)
    return cpu(pid) - before, written(pid) - bytes_before


def _lost(home: RealHomeAssistant, pipeline: Pipeline) -> int:
    """Tell how many changes of the recorder never reached the store."""
    time.sleep(10)  # both write late
    return len(recorded(home) - set(stored(pipeline)))


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="pipeline-day", what=what, value=value, unit=unit, limit=limit, note=note)

"""What listening to a quiet home costs all day: CPU, and bytes written, beside those of Home Assistant's recorder.

A real Home Assistant, whose recorder commits at its own default of 5 s, is told changes of state, while all services
listen to it, in one process and with the default commit interval. What Home Assistant writes more than in an idle
stretch before is its recorder's.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

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


class Used(NamedTuple):
    """CPU seconds of ours, and bytes written by us and by Home Assistant."""

    cpu: float
    ours: int
    theirs: int


def figures() -> list[Figure]:
    """Measure an idle stretch and both rates."""
    if not HASS.exists():
        return [Figure(benchmark="pipeline-day", what="a quiet day", value=None, unit="", note=f"SKIPPED: {MISSING}")]
    homes.CACHE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=homes.CACHE, prefix="day-") as folder:
        return [*_figures(Path(folder))]


def _figures(place: Path) -> Iterator[Figure]:
    home = RealHomeAssistant(place / "homeassistant", "logbook:\n")
    configuration = place / "homeassistant" / "configuration.yaml"
    configuration.write_text(configuration.read_text().replace("commit_interval: 1", "commit_interval: 5"))
    with home, Pipeline(Bare(), place, (home.url, home.token), QUOTIDIAN_COMMIT_INTERVAL="2") as pipeline:
        pipeline.start_up()
        home.put("sensor.room_0", "1")
        until(lambda: bool(stored(pipeline)), 60)
        time.sleep(30)  # what a start writes is not what a day does
        idle = _stretch(home, pipeline, 0)
        for rate in _RATES:
            yield from _compared(rate, _stretch(home, pipeline, rate), idle)
        time.sleep(10)  # both write late
        lost = len(recorded(home) - set(stored(pipeline)))
        yield _figure("changes that the recorder has and we have not", lost, "", 0, f"of {len(recorded(home)):,}")
        resident = pipeline.memory("capture", "VmRSS") / MEGABYTE
        yield _figure("all services in one process: resident memory", resident, "MB", 150)


def _compared(rate: int, used: Used, idle: Used) -> Iterator[Figure]:
    scale, note = _DAY / _MINUTES / MEGABYTE, f"{_MINUTES:g} minutes, scaled"
    what = f"{rate} changes a minute"
    beside = f"{note}; {idle.ours * scale:.1f} MB without any change"
    yield _figure(f"{what}: written a day by all services", used.ours * scale, "MB", None, beside)
    beside = f"{note}; above the {idle.theirs * scale:.0f} MB that Home Assistant writes without any change"
    yield _figure(f"{what}: written a day by the recorder", (used.theirs - idle.theirs) * scale, "MB", None, beside)
    share = used.cpu / (_MINUTES * 60) * 100
    yield _figure(f"{what}: share of a core, all services", share, "%", 1.0, f"{idle.cpu / _MINUTES / 0.6:.2f} % idle")


def _stretch(home: RealHomeAssistant, pipeline: Pipeline, rate: int) -> Used:
    """Change states for some minutes; give what was used meanwhile."""
    seeded, ours, theirs = random.Random(rate), pipeline.pids["capture"], home.pid
    before = Used(cpu(ours), written(ours), written(theirs))
    end = time.monotonic() + _MINUTES * 60
    while (left := end - time.monotonic()) > 0:
        if rate:
            home.put(f"sensor.room_{seeded.randrange(20)}", f"{time.time():.2f}", unit_of_measurement="°C")
        time.sleep(min(left, seeded.expovariate(rate / 60)) if rate else left)
    return Used(cpu(ours) - before.cpu, written(ours) - before.ours, written(theirs) - before.theirs)


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="pipeline-day", what=what, value=value, unit=unit, limit=limit, note=note)

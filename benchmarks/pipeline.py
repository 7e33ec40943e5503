"""The live pipeline: events a second, latency, memory, beside the chain that one would write first.

All services are real processes of the command line, the Home Assistant that they listen to is the scripted one of the
fault tests, a process too. Everything runs on the same two cores.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.faults.agreement import total
from tests.faults.running import PORTS, SERVICES, Bare, Pipeline
from tests.faults.scripted import TOKEN, ScriptedHome
from tests.ports import free
from tests.real_home_assistant import until

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import MEGABYTE, ROOT
from benchmarks.pipeline_witness import Witness

_POURED: Final = 300_000
_BACKLOG: Final = 200_000
_FLOOD: Final = 1_000_000
_NAIVE: Final = 3_000
_RATES: Final = {1: 120, 10: 60, 100: 30}  #: events a second, and for how many seconds
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def figures() -> list[Figure]:
    """Measure what takes minutes."""
    rate, poured = _through()
    return [*poured, *_drained(), *_naive(rate), *_latencies(), _one_process()]


def flood_figures() -> list[Figure]:
    """Pour a million events into it."""
    with _listening() as (home, pipeline):
        before = pipeline.memory("capture", "VmRSS")
        seconds = _pour(home, pipeline, _FLOOD)
        capture = pipeline.memory("capture")
        others = ", ".join(f"{name} {pipeline.memory(name) / MEGABYTE:.0f} MB" for name in ("enrich", "store"))
        lost = _FLOOD - total(pipeline)
    note = f"{before / MEGABYTE:.0f} MB before the flood; {others}"
    return [
        _figure("1,000,000 events at once: capture's peak memory", capture / MEGABYTE, "MB", None, note),
        _figure("1,000,000 events at once: lost", lost, "", 0, f"all in the store after {seconds:.0f} s"),
    ]


@contextmanager
def _listening(**settings: str) -> Iterator[tuple[ScriptedHome, Pipeline]]:
    with _started(**settings) as (home, pipeline):
        pipeline.start()
        home.listened()
        yield home, pipeline


@contextmanager
def _started(**settings: str) -> Iterator[tuple[ScriptedHome, Pipeline]]:
    homes.CACHE.mkdir(exist_ok=True)
    with (
        TemporaryDirectory(dir=homes.CACHE, prefix="pipeline-") as folder,
        ScriptedHome() as home,
        Pipeline(Bare(), Path(folder), (home.url, TOKEN), **settings) as pipeline,
    ):
        yield home, pipeline


def _pour(home: ScriptedHome, pipeline: Pipeline, count: int) -> float:
    """Pour events; give the seconds from the first that was said to the last that was durable in the store."""
    wanted = total(pipeline) + count
    before = home.status()["poured"]
    home.flood(count)
    until(lambda: home.status()["poured"] > before, 600)
    until(lambda: total(pipeline) >= wanted, 1200)
    return time.time() - float(home.status()["poured"])


def _through() -> tuple[float, list[Figure]]:
    with _listening() as (home, pipeline):
        _pour(home, pipeline, 5_000)
        pids = {**pipeline.pids, "Home Assistant": home.pid}
        before = {name: cpu(pid) for name, pid in pids.items()}
        seconds = _pour(home, pipeline, _POURED)
        spent = {name: cpu(pid) - before[name] for name, pid in pids.items()}
    rate = _POURED / seconds
    ours = sum(spent[name] for name in SERVICES)
    shares = ", ".join(f"{name} {used / _POURED * 1e6:.0f} µs" for name, used in spent.items())
    what = f"{_POURED:,} events through capture, enrich and store"
    return rate, [
        _figure(f"{what}: events a second", rate, "", 10_000, f"CPU an event: {shares}", sense=">="),
        _figure(f"{what}: events a CPU second of the three", _POURED / ours, ""),
    ]


def _drained() -> Iterator[Figure]:
    """Let events wait while the store is away; measure how fast they drain."""
    with _listening() as (home, pipeline):
        _pour(home, pipeline, 1_000)
        pipeline.kill("store")
        home.flood(_BACKLOG)
        until(lambda: not home.status()["flooding"] and not home.status()["pending"], 300)
        pipeline.start("store")
        until(lambda: total(pipeline) > 1_000, 60)
        done, begun = total(pipeline), time.perf_counter()
        until(lambda: total(pipeline) >= _BACKLOG + 1_000, 600)
        rate = (_BACKLOG + 1_000 - done) / (time.perf_counter() - begun)
    what = f"a backlog of {_BACKLOG:,} events after an outage of the store: events a second"
    yield _figure(what, rate, "", note="nobody else at work on the two cores")


def _naive(rate: float) -> Iterator[Figure]:
    with TemporaryDirectory(dir=homes.CACHE, prefix="naive-") as folder, ScriptedHome() as home:
        store, enrich = free(), free()
        services = (
            ("store", str(store), f"{folder}/events.db"),
            ("enrich", str(enrich), f"http://127.0.0.1:{store}"),
        )
        module = [sys.executable, "-m", "benchmarks.pipeline_naive"]
        running = [subprocess.Popen([*module, *words], cwd=ROOT) for words in services]
        try:
            for port in (store, enrich):
                until(lambda port=port: _answers(port), 30)  # type: ignore[misc]
            words = ["capture", home.url, f"http://127.0.0.1:{enrich}", str(_NAIVE)]
            capture = subprocess.Popen([*module, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            home.listened()
            home.flood(_NAIVE)
            naive = float(capture.communicate(timeout=300)[0])
        finally:
            for process in running:
                process.terminate()
                process.wait()
    yield _figure("the naive chain: events a second", naive, "", note="a POST per event, twice; a commit for each")
    yield _figure("ours / naive", rate / naive, "times", 30, sense=">=")


def _latencies() -> Iterator[Figure]:
    with _started() as (home, pipeline), Witness(f"http://127.0.0.1:{pipeline.port + PORTS['store']}") as witness:
        pipeline.settings["DATA_STORAGE_URL"] = witness.url
        pipeline.start()
        home.listened()
        home.flood(500, rate=100, wait=True)
        for rate, seconds in _RATES.items():
            witness.latencies.clear()
            home.flood(rate * seconds, rate=rate, wait=True)
            until(lambda wanted=rate * seconds: len(witness.latencies) >= wanted, 30)  # type: ignore[misc]
            found = statistics.quantiles(witness.latencies, n=100)
            what, note = f"{rate} a second: socket to durable", f"{rate * seconds:,} events"
            yield _figure(f"{what}, p50", found[49], "ms", 10, note)
            yield _figure(f"{what}, p99", found[98], "ms", 50, f"most {max(witness.latencies):.1f} ms")


def _one_process() -> Figure:
    """Run all services in one process, with a busy home, for half a minute."""
    with _started() as (home, pipeline):
        pipeline.start_up()
        home.listened()
        home.flood(3_000, rate=100, wait=True)
        until(lambda: total(pipeline) >= 3_000, 60)
        resident, peak = pipeline.memory("capture", "VmRSS") / MEGABYTE, pipeline.memory("capture") / MEGABYTE
    note = f"peak {peak:.0f} MB; after 3,000 events at 100 a second"
    return _figure("all services in one process: resident memory", resident, "MB", 150, note)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def cpu(pid: int) -> float:
    """Give the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def written(pid: int) -> int:
    """Give the bytes that a process has caused to be written to disk."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "", **more: Any) -> Figure:
    return Figure(benchmark="pipeline", what=what, value=value, unit=unit, limit=limit, note=note, **more)

"""Stores of simulated homes, made once and kept in a cache beside the benchmarks.

What is kept is named after a digest of the sources that it was made by, so a change of these makes it anew.
"""

import datetime as dt
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.fresh import ROOT
from quotidian.detect import detectors
from quotidian.learn import learn
from quotidian.learn.fold import fold
from quotidian.model import Day
from quotidian.simulate import Plan, example, simulate
from quotidian.store import connect

CACHE: Final = Path(__file__).parent / ".cache"
SOURCES: Final = ROOT / "src" / "quotidian"
#: The large home lives ten days longer here than by default, so that the last day is an ordinary one; and once more for
#: as long as the detectors of a night look back.
PLANS: Final = {
    "large": msgspec.structs.replace(example("large"), days=40),
    "quarter": msgspec.structs.replace(example("large"), days=92),
    "demo": example("demo"),
}
_EVENTS: Final = ("model", "simulate", "store")
_ALL: Final = (*_EVENTS, "detect", "learn")


def due(home: str) -> Path:
    """Give a store in which all days but the last are learned from, and the last one is due."""
    return kept(f"{home}-due", _ALL, lambda path: _all_but_last(PLANS[home], events(home), path))


def folded(home: str) -> Path:
    """Give a store in which the last day is folded too, but its night not reviewed."""
    return kept(f"{home}-folded", _ALL, lambda path: _last(PLANS[home], due(home), path))


def events(home: str) -> Path:
    """Give a store of which nothing is learned yet."""
    return kept(f"{home}-events", _EVENTS, lambda path: _lived(PLANS[home], path))


def kept(name: str, rooms: tuple[str, ...], make: Callable[[Path], None], maker: Path = Path(__file__)) -> Path:
    """Give what is kept under a name; make it where it is missing, or was made by other sources."""
    files = [maker, *(file for room in rooms for file in sorted((SOURCES / room).rglob("*.py")))]
    digest = blake2b(b"".join(file.read_bytes() for file in files), digest_size=6).hexdigest()
    path = CACHE / f"{name}-{digest}"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        for old in CACHE.glob(f"{name}-*"):
            _remove(old)
        unfinished = CACHE / f"unfinished-{name}"
        _remove(unfinished)
        make(unfinished)
        unfinished.rename(path)
    return path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lived(plan: Plan, path: Path) -> None:
    simulated, store = simulate(plan), connect(path)
    store.set_home(msgspec.structs.replace(simulated.home, id=store.home.id))
    for _, events in simulated.days():
        store.append(events)
    store.seal(_date(plan, plan.days + 1))
    store.close()


def _all_but_last(plan: Plan, lived: Path, path: Path) -> None:
    shutil.copytree(lived, path)
    store = connect(path)
    last = _date(plan, plan.days - 1)
    # As if all nights but the last had been reviewed: their patterns would make it no dearer.
    store.put_patterns("daily", last - dt.timedelta(days=1), [], store.nights.revision)
    learn(store, detectors(), Day.of(last, plan.zone).end)
    store.close()


def _last(plan: Plan, due_store: Path, path: Path) -> None:
    shutil.copytree(due_store, path)
    store = connect(path)
    fold(store, detectors(), Day.of(_date(plan, plan.days), plan.zone).end)
    store.close()


def _date(plan: Plan, days: int) -> dt.date:
    """Give the last of a plan's first days."""
    return plan.start + dt.timedelta(days=days - 1)

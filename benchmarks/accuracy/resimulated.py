"""The same homes with other days: made once, and kept beside the benchmarks until what makes them changes."""

import pickle
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import folding
from benchmarks.accuracy.fresh import Days, draws
from benchmarks.accuracy.lived import Lived
from quotidian.simulate import Plan, simulate

_CACHE: Final = Path(__file__).parent.parent / ".cache" / "accuracy"
_SOURCES: Final = Path(__file__).parent.parent.parent / "src" / "quotidian"
_READERS: Final = ("absence", "dayrow", "history", "kinds", "levels", "observe", "silence", "stream")
_OTHER: Final = 100_000  #: noise of the first other draw; that of homes lies below


def fresh(plan: Plan, times: int) -> Days:
    """Give a plan's days, lived through again so many times with other noise."""
    path = _CACHE / f"{plan.seed}-{plan.days}-{times}-{_digest()}.pickle"
    if path.exists():
        kept: Days = pickle.loads(path.read_bytes())
        return kept
    others = (msgspec.structs.replace(plan, noise=_OTHER + number) for number in range(times))
    days = Days(simulate(plan).home, draws(others))
    _CACHE.mkdir(parents=True, exist_ok=True)
    for old in _CACHE.glob(f"{plan.seed}-{plan.days}-{times}-*.pickle"):
        old.unlink(missing_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps(days, 5))
    part.rename(path)
    return days


def own(lived: Lived) -> Days:
    """Give the days of a home itself."""
    levels_kept = [lived.kept["contextual"][row.ordinal] for row in lived.rows]
    return Days(lived.home, [(list(lived.rows), levels_kept)])


def _digest() -> str:
    """Name what the days follow from: who simulates, and who reads events into shared rows."""
    files = [file for room in ("simulate", "model") for file in sorted((_SOURCES / room).glob("*.py"))]
    files += [_SOURCES / "detect" / f"{name}.py" for name in _READERS]
    files += [Path(__file__), Path(__file__).with_name("fresh.py"), Path(folding.__file__)]
    return blake2b(b"".join(file.read_bytes() for file in files), digest_size=6).hexdigest()

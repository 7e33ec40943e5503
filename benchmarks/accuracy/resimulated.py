"""The same homes with other days: made once, and kept beside the benchmarks until what makes them changes."""

import pickle
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.accuracy.fresh import Days, drawn, draws
from benchmarks.accuracy.lived import Lived
from quotidian.detect import dayrow, levels, observe
from quotidian.simulate import Plan, simulate

_CACHE: Final = Path(__file__).parent.parent / ".cache" / "accuracy"
_SOURCES: Final = Path(__file__).parent.parent.parent / "src" / "quotidian"
_OTHER: Final = 100_000  #: noise of the first other draw; that of homes lies below


def fresh(plan: Plan, times: int) -> Days:
    """Give a plan's days, lived through again so many times with other noise."""
    path = _CACHE / f"{plan.seed}-{plan.days}-{times}-{_digest()}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
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
    return Days(lived.home, [drawn(lived.plan)])


def _digest() -> str:
    files = [*sorted((_SOURCES / "simulate").glob("*.py")), *sorted((_SOURCES / "model").glob("*.py"))]
    files += [Path(str(module.__file__)) for module in (dayrow, levels) if module.__file__]
    files += [_SOURCES / "detect" / f"{name}.py" for name in ("observe", "stream", "history", "absence")]
    files += [Path(__file__), Path(__file__).with_name("fresh.py")]
    return blake2b(b"".join(file.read_bytes() for file in files), digest_size=6).hexdigest()


__all__ = ["fresh", "observe", "own"]

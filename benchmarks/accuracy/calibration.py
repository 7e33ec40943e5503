"""Whether confidence means something: what was told with 90 % is looked for in the weeks after."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy import resimulated
from benchmarks.accuracy.lived import Lived, listed, live, plan_of
from benchmarks.accuracy.measures import MEASURES
from benchmarks.accuracy.table import Ratio
from quotidian.detect import detectors
from quotidian.model.arrays import Bools, Floats

LEARNED: Final = 60  #: days that are learned from
AFTER: Final = 28  #: days on which what was told is looked for
ENOUGH: Final = 3_000  #: with fewer habit-days a perfect forecaster shows errors too
_BINS: Final = 10
_DRAWS: Final = 2_000
_SURE: Final = 0.9


class Forecasts(msgspec.Struct, frozen=True):
    """For each told habit and each later day on which it could hold: its confidence, and whether it did."""

    confidence: Floats
    held: Bools


class Bin(msgspec.Struct, frozen=True):
    """One of ten parts of the forecasts with about the same number in each."""

    confidence: float
    held: float
    days: int


class Calibration(msgspec.Struct, frozen=True):
    """How confidence and later days agree.

    ``error`` is the expected calibration error, ``None`` for fewer than 3,000 habit-days; ``sure`` the share of days on
    which those habits held that were shown with 90 % or more, ``told`` the mean of what they were shown with.
    """

    days: int
    brier: float
    error: Ratio | None
    sure: Ratio
    told: float
    bins: tuple[Bin, ...]


def foretold(seed: int) -> Forecasts:
    """Learn from a home's first days, and look what becomes of each habit that is shown."""
    known = detectors()
    lived = live(plan_of(seed, LEARNED + AFTER), known)
    early = _first_days(lived)
    days = resimulated.own(lived)
    later = days.ordinals > early.rows[-1].ordinal
    confidence, held = [np.empty(0)], [np.empty(0, bool)]
    for pattern in listed(early, known):
        finding = pattern.finding
        if pattern.told_by is None and finding.detector in MEASURES:
            measured = MEASURES[finding.detector](finding, days)
            outcome = measured.held[measured.could & later]
            held.append(outcome)
            confidence.append(np.full(outcome.size, finding.confidence))
    return Forecasts(np.concatenate(confidence), np.concatenate(held))


def _first_days(lived: Lived) -> Lived:
    rows = lived.rows[:LEARNED]
    last = rows[-1].ordinal
    kept = {name: {day: own for day, own in days.items() if day <= last} for name, days in lived.kept.items()}
    plan = msgspec.structs.replace(lived.plan, days=LEARNED)
    return msgspec.structs.replace(lived, plan=plan, rows=rows, kept=kept)


def calibrated(homes: Sequence[Forecasts]) -> Calibration:
    """Compare confidence with later days, over all homes; intervals come from drawing homes."""
    draws = np.random.default_rng(1).integers(0, len(homes), (_DRAWS, len(homes)))
    confidence, held = _joined(homes)
    sure = confidence >= _SURE
    errors, shares = [], []
    for draw in draws.tolist():
        some, kept = _joined([homes[place] for place in draw])
        errors.append(_error(bins(some, kept)))
        shares.append(float(kept[some >= _SURE].mean()) if (some >= _SURE).any() else np.nan)
    found = bins(confidence, held)
    return Calibration(
        days=confidence.size,
        brier=float(((confidence - held) ** 2).mean()) if held.size else 0.0,
        error=_ratio(_error(found), errors) if confidence.size >= ENOUGH else None,
        sure=_ratio(float(held[sure].mean()) if sure.any() else None, shares),
        told=float(confidence[sure].mean()) if sure.any() else 0.0,
        bins=found,
    )


def _joined(homes: Sequence[Forecasts]) -> tuple[Floats, Bools]:
    return np.concatenate([home.confidence for home in homes]), np.concatenate([home.held for home in homes])


def bins(confidence: Floats, held: Bools) -> tuple[Bin, ...]:
    """Cut forecasts, ordered by confidence, into ten parts with about the same number in each."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if part.size]
    return tuple(Bin(float(confidence[part].mean()), float(held[part].mean()), int(part.size)) for part in parts)


def _error(found: Sequence[Bin]) -> float:
    """Give the mean distance of confidence from what held, weighted by days."""
    return sum(abs(one.confidence - one.held) * one.days for one in found) / max(sum(one.days for one in found), 1)


def _ratio(value: float | None, drawn: Sequence[float]) -> Ratio:
    low, high = np.nanquantile(drawn, (0.05, 0.95)) if np.isfinite(drawn).any() else (0.0, 1.0)
    return Ratio(value, float(low), float(high))


def said(found: Calibration) -> str:
    """Say it in sentences."""
    lines = [f"Calibration: learned on {LEARNED} days, {found.days:,} habit-days in the {AFTER} days after."]
    lines.append(f"Brier score {found.brier:.3f}.")
    if found.error is None:
        lines.append(f"Fewer than {ENOUGH:,} habit-days: no calibration error.")
    else:
        lines.append(f"Expected calibration error {found.error.shown} (at most 0.05 asked).")
    held = found.sure.value
    if held is not None:
        lines.append(
            f"Of the habits shown with 90 % or more (on average {found.told:.0%}), "
            f"{held:.0%} hold in the weeks after [{found.sure.low:.0%}, {found.sure.high:.0%}]."
        )
    return "\n".join(lines)

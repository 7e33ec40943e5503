"""Counts of all homes by detector, with intervals from drawing homes."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy.scoring import Home

_DRAWS: Final = 2_000


class Ratio(msgspec.Struct, frozen=True):
    """A share with its interval (90 %) from bootstrapped homes; ``None`` where there is nothing to share."""

    value: float | None
    low: float
    high: float

    @property
    def shown(self) -> str:
        """The share in a few characters."""
        return "–" if self.value is None else f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


class Row(msgspec.Struct, frozen=True):
    """One detector, or all."""

    detector: str
    claims: int
    true: int
    duplicates: int
    precision: Ratio
    learnable: int
    found: int
    recall: Ratio


def rows(homes: Sequence[Home], names: Sequence[str]) -> list[Row]:
    """Give a row for each detector, and one for all."""
    return [_row(homes, name, {name}) for name in names] + [_row(homes, "all", set(names))]


def _row(homes: Sequence[Home], title: str, names: set[str]) -> Row:
    claims = [[one for one in home.claims if one.detector in names] for home in homes]
    habits = [[one for one in home.habits if one.detector in names] for home in homes]
    right = [sum(one.right for one in own) for own in claims]
    found = [sum(one.found for one in own) for own in habits]
    made, planted = [len(own) for own in claims], [len(own) for own in habits]
    return Row(
        detector=title,
        claims=sum(made),
        true=sum(right),
        duplicates=sum(one.duplicate for own in claims for one in own),
        precision=ratio(right, made),
        learnable=sum(planted),
        found=sum(found),
        recall=ratio(found, planted),
    )


def ratio(parts: Sequence[int], wholes: Sequence[int]) -> Ratio:
    """Share pooled counts, and bound the share by drawing homes with replacement."""
    part, whole = np.array(parts, np.float64), np.array(wholes, np.float64)
    if not whole.sum():
        return Ratio(None, 0.0, 1.0)
    drawn = np.random.default_rng(1).integers(0, part.size, (_DRAWS, part.size))
    totals = whole[drawn].sum(axis=1)
    shares = part[drawn].sum(axis=1)[totals > 0] / totals[totals > 0]
    low, high = np.quantile(shares, (0.05, 0.95))
    return Ratio(float(part.sum() / whole.sum()), float(low), float(high))

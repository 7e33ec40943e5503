"""Counts of all homes by detector, with intervals from drawing homes."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from rich.table import Table

from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.scoring import Home, Scored

_DRAWS: Final = 2_000
ALL: Final = "all"


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
    """One detector or peer, or all of them; ``claims`` counts those too that were not judged."""

    detector: str
    peer: str
    claims: int
    judged: int
    right: int
    duplicates: int
    precision: Ratio
    learnable: int
    found: int
    recall: Ratio


def rows(homes: Sequence[Home], names: Sequence[str], *, peers: bool = False) -> list[Row]:
    """Give a row for each detector, or for its peer, and one for all."""
    scored = [home.peers if peers else home.ours for home in homes]
    each = [_row(scored, name, {name}, PEERS[name][0] if peers else "") for name in names]
    return [*each, _row(scored, ALL, set(names), "all peers" if peers else "")]


def _row(homes: Sequence[Scored], title: str, names: set[str], peer: str) -> Row:
    claims = [[one for one in home.claims if one.detector in names] for home in homes]
    habits = [[one for one in home.habits if one.detector in names] for home in homes]
    right = [sum(one.right for one in own) for own in claims]
    found = [sum(one.found for one in own) for own in habits]
    judged, planted = [len(own) for own in claims], [len(own) for own in habits]
    more = sum(count for home in homes for name, count in home.unjudged.items() if name in names)
    return Row(
        detector=title,
        peer=peer,
        claims=sum(judged) + more,
        judged=sum(judged),
        right=sum(right),
        duplicates=sum(one.duplicate for own in claims for one in own),
        precision=ratio(right, judged),
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


def drawn_table(ours: Sequence[Row], theirs: Sequence[Row]) -> Table:
    """Draw the table, each detector beside its peer."""
    table = Table("detector", title="Claims and habits of simulated homes")
    for name in ("claims", "right", "twice", "precision", "learnable", "found", "recall"):
        table.add_column(name, justify="right")
    table.add_column("a simple peer")
    for name in ("claims", "precision", "recall"):
        table.add_column(name, justify="right", style="dim")
    for row, peer in zip(ours, theirs, strict=True):
        if row.detector == ALL:
            table.add_section()
        counts = (row.claims, row.right, row.duplicates, row.precision.shown, row.learnable, row.found)
        beside = (peer.peer, f"{peer.claims:,}", peer.precision.shown, peer.recall.shown)
        table.add_row(row.detector, *map(str, counts), row.recall.shown, *beside)
    return table


def written(ours: Sequence[Row], theirs: Sequence[Row]) -> str:
    """Write the table in Markdown."""
    lines = [
        "| detector | claims | right | precision | learnable | found | recall | a simple peer | its claims | precision "
        "| recall |",
        "| --- " * 11 + "|",
    ]
    for row, peer in zip(ours, theirs, strict=True):
        counts = (row.claims, row.right, row.precision.shown, row.learnable, row.found, row.recall.shown)
        beside = (peer.peer, f"{peer.claims:,}", peer.precision.shown, peer.recall.shown)
        lines.append(f"| {' | '.join(map(str, (row.detector.replace('_', ' '), *counts, *beside)))} |")
    return "\n".join(lines)

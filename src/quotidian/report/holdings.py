"""What each layer holds, drawn as strata under the same days."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from quotidian.report.dials import short
from quotidian.report.wording import brief, count, size
from quotidian.store.protocols import LayerSize

_KINDS: Final = {
    1: ("Events", "event", "every change of state, as Home Assistant told it"),
    2: ("Days", "daily summary", "what the detectors keep of each day"),
    3: ("Weeks and months", "summary", "the days, put together"),
    4: ("Habits", "habit", "what was found, with its history"),
}
_MANY: Final = {2: "daily summaries", 3: "summaries"}


class Stratum(msgspec.Struct, frozen=True):
    """One layer: what it is, what it holds, and (in percent of the days of all layers) since when and how long.

    ``height`` (pixels) grows with the square root of its bytes.
    """

    name: str
    what: str
    rows: str
    size: str
    start: str
    width: str
    height: int
    dates: str


def strata(layers: Sequence[LayerSize]) -> list[Stratum]:
    """Draw the layers, the first on top."""
    edges = [day for layer in layers for day in (layer.first, layer.last) if day is not None]
    first, last = (min(edges), max(edges)) if edges else (dt.date.min, dt.date.min)
    most = max((layer.bytes for layer in layers), default=0)
    return [_stratum(layer, first, last, most) for layer in sorted(layers, key=lambda layer: layer.layer)]


def _stratum(layer: LayerSize, first: dt.date, last: dt.date, most: int) -> Stratum:
    name, one, what = _KINDS.get(layer.layer, (layer.name, "row", ""))
    days = (last - first).days + 1
    start, width, dates = 0.0, 0.0, "empty"
    if layer.first is not None and layer.last is not None:
        start = 100 * (layer.first - first).days / days
        width = 100 * ((layer.last - layer.first).days + 1) / days
        dates = brief(layer.first) if layer.first == layer.last else f"{brief(layer.first)} – {brief(layer.last)}"
    return Stratum(
        name=name,
        what=what,
        rows=count(layer.rows, one, _MANY.get(layer.layer, "")),
        size=size(layer.bytes),
        start=short(start),
        width=short(max(width, 0.8)) if width else "0",
        height=6 + round(34 * (layer.bytes / most) ** 0.5) if most else 6,
        dates=dates,
    )

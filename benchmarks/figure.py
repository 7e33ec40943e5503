"""One line of the table: what was measured, and whether it beats its figure."""

from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value.

    ``limit`` is the figure to beat in the same ``unit``, ``sense`` on which side of it the value is to be; ``None``
    for a value that only stands beside others. ``value`` is ``None`` where nothing could be measured, and ``note``
    then says why.
    """

    benchmark: str
    what: str
    value: float | None
    unit: str
    limit: float | None = None
    sense: Literal["<=", ">="] = "<="
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure is beaten; ``None`` where there is none."""
        if self.value is None or self.limit is None:
            return None
        return self.value <= self.limit if self.sense == "<=" else self.value >= self.limit

    @property
    def ours(self) -> str:
        """The value with its unit."""
        return "skipped" if self.value is None else f"{spelled(self.value)} {self.unit}".strip()

    @property
    def to_beat(self) -> str:
        """The figure to beat with its unit."""
        if self.limit is None:
            return "–"
        return f"{'≤' if self.sense == '<=' else '≥'} {spelled(self.limit)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """One word for ``met``."""
        return {None: "SKIPPED" if self.value is None else "–", True: "met", False: "MISSED"}[self.met]


def spelled(value: float) -> str:
    """Write a number with about three digits that count."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"

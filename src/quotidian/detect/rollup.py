"""A day's integers in figures that a person reads, by entity."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow
from quotidian.model import Integers, RollUp
from quotidian.model.arrays import Bools, Ints
from quotidian.model.rollup import Figures

#: The most members of a list that has no natural length.
MOST: Final = 8


def roll_up(row: DayRow, detectors: Iterable[Detector], summaries: Mapping[str, tuple[int, Integers]]) -> list[RollUp]:
    """Say in figures what is kept of a day: a function of its integers alone.

    Parameters
    ----------
    row
        The shared row of the day.
    detectors
        Who folded the day.
    summaries
        What they keep of it: by detector its version and integers.

    Returns
    -------
    In the order of ``RollUp.place``.
    """
    date = dt.date.fromordinal(row.ordinal)
    found = [
        RollUp(date, detector.name, entity_id, figures)
        for detector in detectors
        for entity_id, figures in detector.roll_up(row, summaries[detector.name][1]).items()
    ]
    return sorted(found, key=lambda one: one.place)


def by_entity(row: DayRow, chosen: Bools | None = None) -> dict[str, Ints]:
    """Give the places of the row's changes (or of some of them) by entity, in order of time."""
    places = np.arange(row.second.size) if chosen is None else np.flatnonzero(chosen)
    entity = row.entity[places]
    order = np.argsort(entity, kind="stable")
    names, starts = np.unique(entity[order], return_index=True)
    groups = np.split(places[order], starts[1:])
    return {row.integers.words[name]: group for name, group in zip(names.tolist(), groups, strict=False)}


def hours_of(row: DayRow, places: Ints) -> Ints:
    """Count changes by hour of the wall clock: shape (24,)."""
    return np.bincount(np.clip(row.wall[places] // 3600, 0, 23), minlength=24)


def sides(name: str, counts: Mapping[str, int]) -> Figures:
    """Write the largest counts as two lists side by side, by falling count, then by what they are of."""
    told = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    return {name: [what for what, _ in told], f"{name}_times": [count for _, count in told]}

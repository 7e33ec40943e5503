"""The conditions that may make an automation more often right."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from quotidian.model.arrays import Ints
from quotidian.model.automation import (
    Condition,
    NumericCondition,
    PresenceCondition,
    StateCondition,
    SunCondition,
    TimeCondition,
    WeekdayCondition,
)
from quotidian.model.day import DAY_SECONDS
from quotidian.model.home import domain_of
from quotidian.suggest.tape import Tape

_HOUR: Final = 3_600
_EDGE: Final = 900  #: seconds to which the edges of windows are rounded outward
_HELD: Final = 0.9  #: the share of the useful moments that a window of the clock holds
_PARTS: Final = (0, 6, 9, 12, 17, 20, 24)  #: hours that part a day
_MOST_STATES: Final = 4  #: an entity with more states is no condition
_LEVELS: Final = (0.25, 0.5, 0.75)  #: quantiles of a reading that are tried as thresholds
_DIGITS: Final = 1

WORKING_WEEK: Final = (0, 1, 2, 3, 4)
WEEKEND: Final = (5, 6)


def vocabulary(tape: Tape, instants: Ints, useful: Ints, apart: Sequence[str]) -> list[Condition]:
    """Give the conditions worth trying.

    Parameters
    ----------
    tape
        The home's days.
    instants
        When the trigger fired.
    useful
        Those of them at which the automation would have been of use.
    apart
        Entities that are no condition: those that the automation is about.
    """
    found: list[Condition] = [WeekdayCondition(days=days) for days in _weekdays()]
    found += _windows(tape.wall(useful))
    found += [SunCondition(up=up) for up in (False, True)]
    if any(domain_of(name) == "person" for name in tape.entities):
        found += [PresenceCondition(somebody=somebody) for somebody in (True, False)]
    found += _states(tape, apart)
    found += _numbers(tape, instants)
    return found


def _weekdays() -> Iterator[tuple[int, ...]]:
    yield WORKING_WEEK
    yield WEEKEND
    yield from ((day,) for day in range(7))


def _windows(wall: Ints) -> Iterator[TimeCondition]:
    """Give the shortest window of the clock that holds most useful moments, and the parts of the day."""
    if wall.size:
        after, before = _shortest(np.sort(wall))
        if before - after < DAY_SECONDS:
            yield TimeCondition(after=after % DAY_SECONDS, before=before % DAY_SECONDS)
    for first, last in pairwise(_PARTS):
        yield TimeCondition(after=first * _HOUR, before=last * _HOUR % DAY_SECONDS)


def _shortest(wall: Ints) -> tuple[int, int]:
    """Give the shortest arc of the clock that holds nine of ten times, its ends rounded outward."""
    held = int(np.ceil(_HELD * wall.size))
    ends = np.append(wall, wall + DAY_SECONDS)[held - 1 : held - 1 + wall.size]
    best = int((ends - wall).argmin())
    return int(wall[best]) // _EDGE * _EDGE, (int(ends[best]) // _EDGE + 1) * _EDGE


def _states(tape: Tape, apart: Sequence[str]) -> Iterator[StateCondition]:
    for entity_id in tape.entities:
        states = tape.track(entity_id).states
        if entity_id not in apart and 2 <= len(states) <= _MOST_STATES:
            yield from (StateCondition(entity_id=entity_id, states=(state,)) for state in states)


def _numbers(tape: Tape, instants: Ints) -> Iterator[NumericCondition]:
    for entity_id, readings in sorted(tape.readings.items()):
        values = readings.at(instants)
        values = values[~np.isnan(values)]
        if values.size:
            for level in np.unique(np.round(np.quantile(values, _LEVELS), _DIGITS)).tolist():
                yield NumericCondition(entity_id=entity_id, above=level)
                yield NumericCondition(entity_id=entity_id, below=level)

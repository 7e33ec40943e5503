"""Things that belong together at a time of the day, and when they are used together."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final

import numpy as np

from quotidian.detect.begun import Group, beginnings, number_of
from quotidian.detect.bonds import Bonds
from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.history import History, entities_of
from quotidian.detect.statistics import around
from quotidian.detect.things import ENDS, is_act
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.model import Finding, Home
from quotidian.model.arrays import Ints
from quotidian.model.home import domain_of

#: What involves fewer things is told by other detectors.
LEAST_THINGS: Final = 3
#: By how much the times of day of two acts may differ from what lies between them, in minutes.
_NEAR: Final = 15
#: What share of the days of either two times of day must have in common.
_COMMON: Final = 0.6


class Groups:
    """Looks for things that belong together.

    Parameters
    ----------
    pause
        The longest time between two uses, in minutes.
    least_share
        The smallest share of days on which one must follow the other, of the one's days or of the other's.
    level
        The rate of false discoveries.
    longest
        What comes to rest only after so many minutes says nothing of when an occasion ends.
    """

    def __init__(self, pause: int, least_share: float, level: float, longest: int) -> None:
        self._pause, self._level, self._least_share, self._longest = pause, level, least_share, longest

    def of(self, history: History) -> tuple[list[Group], int]:
        """Give the groups, each of ``LEAST_THINGS`` things at least; and of how many times of day they were made."""
        if not history.tokens:
            return [], 0
        usable = np.array([_is_use(history.home, token) for token in history.tokens], bool)
        bonds = Bonds(60 * self._pause, self._level, least_share=self._least_share, either=True).of(history, usable)
        bound = sorted({token for bond in bonds for token in (bond.first, bond.second)})
        if len(entities_of([history.tokens[token] for token in bound])) < LEAST_THINGS:
            return [], 0
        times = [
            (bound[number_of(one.subject[0])], one)
            for one in TimeOfDay(kinds=False).detect(beginnings(history, [_alone(history, token) for token in bound]))
        ]
        together = sorted(_together(times, {(bond.first, bond.second): bond.gap for bond in bonds}))
        found = [self.group(history, tokens) for tokens in dict.fromkeys(together)]
        return [group for group in found if group is not None], len(times)

    def group(self, history: History, tokens: tuple[int, ...]) -> Group | None:
        """Cut the uses of tokens (numbers) where there is a pause, and leave out what too few of them take part in.

        What begins while another occasion lasts belongs to it. ``None`` when the tokens are those of too few things.
        """
        if len({entity_of(history.tokens[token]) for token in tokens}) < LEAST_THINGS:
            return None
        timeline = history.timeline
        rows = np.flatnonzero(np.isin(timeline.token, tokens))
        fewest = max(2, (len(tokens) + 1) // 2)
        fresh = np.flatnonzero(np.diff(timeline.instant[rows], prepend=-(1 << 40)) > 60 * self._pause)
        rests = _rests(history, rows, 60 * self._longest)
        first: list[int] = []
        last: list[int] = []
        ends: list[int] = []
        for start, end in zip(fresh.tolist(), np.append(fresh[1:], rows.size).tolist(), strict=True):
            used = np.unique(timeline.token[rows[start:end]]).size
            if used >= fewest and not (ends and timeline.instant[rows[start]] <= ends[-1]):
                first.append(start)
                last.append(end - 1)
                ends.append(int(rests[start:end].max()))
        places = (np.array(part, np.int64) for part in (first, last, ends))
        return Group(np.array(tokens, np.int64), fewest, rows, *places)


def _is_use(home: Home, token: str) -> bool:
    """Tell whether people use something, or open it: they come and go themselves, and what ends was begun before."""
    person = domain_of(entity_of(token)) in {"person", "device_tracker"}
    return is_act(home, token) and not person and state_of(token) not in ENDS


def _alone(history: History, token: int) -> Group:
    """Make a group of one token: each of its occurrences is an occasion."""
    rows = history.occurrences[history.tokens[token]]
    every = np.arange(rows.size)
    return Group(np.array([token]), 1, rows, every, every, history.timeline.instant[rows])


def _together(times: Sequence[tuple[int, Finding]], gaps: dict[tuple[int, int], int]) -> Iterator[tuple[int, ...]]:
    """Give the tokens whose times of day belong together, ascending; ``gaps`` are those between tokens (seconds)."""
    group = list(range(len(times)))
    for (place, (one, time)), (other_place, (other, later)) in permutations(enumerate(times), 2):
        gap = gaps.get((one, other))
        if gap is not None and _at_once(time, later, gap):
            low, high = sorted((group[place], group[other_place]))
            group = [low if known == high else known for known in group]
    for first in sorted(set(group)):
        yield tuple(sorted({token for place, (token, _) in enumerate(times) if group[place] == first}))


def _at_once(one: Finding, other: Finding, gap: int) -> bool:
    """Tell whether two times of day are as far apart as the acts themselves, and mostly on the same days."""
    apart = around(np.array([other.measures["minute"] - one.measures["minute"]]), gap / 60)
    dates, others = set(one.measures["dates"]), set(other.measures["dates"])
    return bool(abs(apart[0]) <= _NEAR) and len(dates & others) >= _COMMON * min(len(dates), len(others))


def _rests(history: History, rows: Ints, longest: int) -> Ints:
    """Give when the things of some rows come to rest next, if within ``longest`` seconds, else when they were used."""
    timeline = history.timeline
    instants = timeline.instant[rows]
    ending: dict[str, list[Ints]] = {}
    for token in history.tokens:
        if state_of(token) in ENDS:
            ending.setdefault(entity_of(token), []).append(timeline.instant[history.occurrences[token]])
    rests = instants.copy()
    for token in np.unique(timeline.token[rows]).tolist():
        ends = np.sort(np.concatenate(ending.get(entity_of(history.tokens[token]), [instants[:0]])))
        own = np.flatnonzero(timeline.token[rows] == token)
        end = np.append(ends, np.iinfo(np.int64).max)[np.searchsorted(ends, instants[own], "right")]
        rests[own] = np.where(end - instants[own] <= longest, end, instants[own])
    return rests

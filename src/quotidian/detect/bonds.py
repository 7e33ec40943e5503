"""Acts that one another wait for: the links of routines and of sessions, tested twice."""

from collections.abc import Iterator
from math import ceil
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_numbers
from quotidian.detect.history import History
from quotidian.detect.kernel import against_other_days, links
from quotidian.detect.statistics import at_least, counted, distinct, q_values, usual_reach
from quotidian.model.arrays import Bools, Floats, Ints

#: Windows in which an act may follow, in seconds; the p-value is the smallest, times their number.
_WINDOWS: Final = (60, 300, 900)
_OUTSIDE: Final = (0.1, 0.5, 0.9)  #: quantiles of the gaps: those of its interval, and the median


class Bond(msgspec.Struct, frozen=True):
    """One act that another one follows: numbers of tokens, and the q-value.

    ``gap`` is the median, ``limit`` what nearly no gap exceeds, both in seconds; ``days`` are those kept.
    """

    first: int
    second: int
    q_value: float
    gap: int
    limit: int
    days: int


class Bonds:
    """Looks for acts that follow one another within ``longest`` seconds on more days than chance would give.

    Every bond must pass twice: kernel J (chance jitters the first act by half an hour), and the same count against
    the second act of other days, within the usual gap, so that two things that merely keep to the clock are not bound
    to one another. The p-value is the larger one; false discoveries are controlled over all ordered pairs of tokens
    of different entities of which the first has enough days.

    Parameters
    ----------
    longest
        The longest time between two acts, in seconds.
    level
        The rate of false discoveries.
    least_days
        The fewest days on which one must follow the other.
    least_share
        The smallest share of the first act's days on which the other must follow it, in (0, 1]; where ``either``,
        that of the second's days is enough.
    """

    def __init__(
        self, longest: int, level: float, *, least_days: int = 5, least_share: float = 0.5, either: bool = False
    ) -> None:
        self._windows = (*(window for window in _WINDOWS if window < longest), longest)
        self._longest, self._level, self._either = longest, level, either
        self._least_days, self._least_share = least_days, least_share

    def of(self, history: History, usable: Bools) -> list[Bond]:
        """Give the certain bonds between usable tokens, by their numbers, with the nearest second first."""
        first, second = self._candidates(history, usable)
        found = []
        for follower in np.unique(second).tolist():
            firsts = first[second == follower]
            p_values = self._p_values(history, firsts, follower)
            surely = p_values <= self._level
            found += [
                self._bond(history, one, follower, p_value)
                for one, p_value in zip(firsts[surely].tolist(), p_values[surely].tolist(), strict=True)
            ]
        q = q_values(np.array([bond.q_value for bond in found]), max(self._tests(history, usable), len(found)))
        bonds = [msgspec.structs.replace(bond, q_value=value) for bond, value in zip(found, q.tolist(), strict=True)]
        return sorted((one for one in bonds if one.q_value <= self._level), key=lambda one: (one.first, one.gap))

    def _p_values(self, history: History, firsts: Ints, follower: int) -> Floats:
        names = [history.tokens[one] for one in firsts.tolist()]
        p_values = [at_least(*links(history, names, history.tokens[follower], window)) for window in self._windows]
        return np.asarray(np.minimum(np.min(p_values, axis=0) * len(self._windows), 1.0))

    def _candidates(self, history: History, usable: Bools) -> tuple[Ints, Ints]:
        """Give the pairs of tokens of different entities that follow one another on enough days."""
        size, days = len(history.tokens), len(history.rows)
        pairs, kept = counted(distinct(np.concatenate([*self._near(history, usable)])) // max(days, 1))
        first, second = np.divmod(pairs, max(size, 1))
        occurred = _days(history)
        least = np.minimum(occurred[first], occurred[second]) if self._either else occurred[first]
        enough = kept >= np.maximum(self._least_days, self._least_share * least)
        entity = entity_numbers(history.tokens)
        enough &= entity[first] != entity[second]
        return first[enough], second[enough]

    def _near(self, history: History, usable: Bools) -> Iterator[Ints]:
        """Give (first, second, day) as one number for acts within reach of one another, each once a step."""
        timeline, size, days = history.timeline, len(history.tokens), len(history.rows)
        rows = np.flatnonzero(usable[timeline.token] & history.lived[timeline.day]) if size else np.empty(0, np.int64)
        token, instant, day = timeline.token[rows], timeline.instant[rows], timeline.day[rows]
        yield np.empty(0, np.int64)
        for step in range(1, rows.size):
            near = np.flatnonzero(instant[step:] - instant[:-step] <= self._longest)
            if not near.size:
                return
            yield distinct((token[near] * size + token[near + step]) * days + day[near])

    def _tests(self, history: History, usable: Bools) -> int:
        """Count the ordered pairs of tokens of different entities of which the first has enough days."""
        of, enough = entity_numbers(history.tokens), usable & (_days(history) >= self._least_days)
        same = np.bincount(of[usable], minlength=of.size + 1)
        return int((usable.sum() - same[of[enough]]).sum())

    def _bond(self, history: History, first: int, second: int, p_value: float) -> Bond:
        a, b = history.tokens[first], history.tokens[second]
        instants, day = history.timeline.instant, history.timeline.day
        one, after = history.occurrences[a], history.occurrences[b]
        one = one[history.lived[day[one]]]
        found = np.searchsorted(after, one, "right")
        met = found < after.size
        gaps = instants[after[found[met]]] - instants[one[met]]
        near = gaps <= self._longest
        gaps, days = gaps[near], np.unique(day[one[met][near]]).size
        if not gaps.size:  # only ever at the same second, in the other order
            return Bond(first, second, 1.0, 0, 0, 0)
        low, middle, high = (int(part) for part in np.quantile(gaps, _OUTSIDE, method="nearest"))
        kept, lived, expected = against_other_days(history, a, b, low, high)
        clocks = at_least(np.array([kept]), np.array([lived]), np.array([expected]))
        return Bond(first, second, max(p_value, float(clocks[0])), middle, self._limit(gaps), days)

    def _limit(self, gaps: Ints) -> int:
        """Give what nearly no gap exceeds, in whole minutes (seconds)."""
        return min(60 * ceil(usual_reach(gaps) / 60), self._longest)


def _days(history: History) -> Ints:
    """Count the lived days on which each token occurs."""
    timeline, days = history.timeline, max(len(history.rows), 1)
    lived = history.lived[timeline.day] if timeline.day.size else np.empty(0, bool)
    seen = distinct((timeline.token * days + timeline.day)[lived]) // days
    return np.bincount(seen, minlength=len(history.tokens))

"""Tokens that move together, such as the lamps of a scene: they are one act."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from quotidian.detect.dayrow import state_of
from quotidian.detect.statistics import counted, distinct
from quotidian.model.arrays import Ints
from quotidian.model.home import domain_of

#: Tokens this close (seconds), that often both ways, are one act.
TOGETHER_SECONDS: Final = 10
TOGETHER_SHARE: Final = 0.8
_TIMES: Final = 4
#: So many occurrences close to one another are looked at in one go, to bound memory.
_MOST_NEAR: Final = 1 << 19
#: Seconds between the lines of two kinds of tokens: longer than any history.
_LINE: Final = 1 << 40


def spoken_for(names: Sequence[str], instant: Ints, token: Ints) -> dict[str, str]:
    """Give the token that speaks for each of those that move together with it: the first of them by name.

    Two tokens of one domain and state move together when each comes within ten seconds of four fifths of the other's
    occurrences, and of four at least; and so do those that a third one moves together with.

    Parameters
    ----------
    names
        The tokens, in order.
    instant, token
        When (seconds) which of them (its position) occurred.
    """
    counts = np.bincount(token, minlength=len(names))
    kind = _kinds(names)
    speaker = _always_at_once(kind, counts, instant, token)
    asked = (speaker == np.arange(len(names))) & (counts >= _TIMES)
    rows = np.flatnonzero(asked[token])
    # Only what is of one kind can be one act: each kind has a line of its own, and all lines lie one behind the other.
    line = instant[rows] + _LINE * kind[token[rows]]
    order = np.argsort(line, kind="stable")
    for one, other in _mutual(counts, line[order], token[rows][order]):
        low, high = sorted((int(speaker[one]), int(speaker[other])))
        speaker[speaker == high] = low
    return {name: names[first] for name, first in zip(names, speaker.tolist(), strict=True) if name != names[first]}


def _kinds(names: Sequence[str]) -> Ints:
    """Give each token the number of its domain and state."""
    number: dict[tuple[str, str], int] = {}
    return np.array([number.setdefault((domain_of(name), state_of(name)), len(number)) for name in names], np.int64)


def _always_at_once(kind: Ints, counts: Ints, instant: Ints, token: Ints) -> Ints:
    """Give the first of the tokens of a kind that occur at the very same instants: they need no comparing."""
    own = np.split(instant[np.argsort(token, kind="stable")], np.cumsum(counts)[:-1])
    first: dict[tuple[int, bytes], int] = {}
    return np.array(
        [
            first.setdefault((of, instants.tobytes()), place) if instants.size >= _TIMES else place
            for place, (of, instants) in enumerate(zip(kind.tolist(), own, strict=False))
        ],
        np.int64,
    )


def _mutual(counts: Ints, line: Ints, token: Ints) -> Iterator[tuple[int, int]]:
    """Give each two tokens of which each is often enough close to the other one."""
    size = counts.size
    parts = [_near(line[part], token[part], size) for part in _bursts(line)]
    if not parts:
        return
    pairs, place = np.unique(np.concatenate([pairs for pairs, _ in parts]), return_inverse=True)
    times = np.bincount(place, np.concatenate([times for _, times in parts]), pairs.size)
    often = pairs[(times >= _TIMES) & (times >= TOGETHER_SHARE * counts[pairs // size])]
    one, other = np.divmod(often, size)
    both = (one < other) & np.isin(other * size + one, often)
    yield from zip(one[both].tolist(), other[both].tolist(), strict=True)


def _bursts(line: Ints) -> Iterator[slice]:
    """Cut a line where nothing is close by, into parts in which not too many occurrences are close to others."""
    near = np.searchsorted(line, line + TOGETHER_SECONDS, "right") - np.arange(line.size)
    fresh = np.flatnonzero(np.diff(line, prepend=-_LINE) > TOGETHER_SECONDS)
    turn = np.cumsum(near)[fresh] // _MOST_NEAR
    cuts = np.append(fresh[np.diff(turn, prepend=-1) > 0], line.size).tolist()
    yield from (slice(start, end) for start, end in pairwise(cuts))


def _near(line: Ints, token: Ints, size: int) -> tuple[Ints, Ints]:
    """Count of each two tokens (token * size + other token) the occurrences of the one with the other close by."""
    found = [np.empty(0, np.int64)]
    for step in range(1, line.size):
        near = np.flatnonzero(line[step:] - line[:-step] <= TOGETHER_SECONDS)
        if not near.size:
            break
        found += [near * size + token[near + step], (near + step) * size + token[near]]
    once = distinct(np.concatenate(found))
    return counted(token[once // size] * size + once % size)

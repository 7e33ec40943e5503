"""Links between two acts, and which of them the others leave to be told."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.history import History
from quotidian.detect.occasions import Occasions
from quotidian.detect.things import ENDS
from quotidian.model.arrays import Bools, Ints

#: A link holds without another act when it does at that share of its usual rate at least.
_STILL: Final = 0.5
#: Moments without another act that are needed to say so.
_LEAST_MOMENTS: Final = 2


class Link(msgspec.Struct, frozen=True):
    """One act that another one follows within a window (seconds), as it was at all moments of the first.

    ``expected`` are the days on which chance would give it, ``share`` is that of the first's moments that the second
    followed, ``before`` that of the second's moments that the first preceded.
    """

    first: str
    second: str
    window: int
    occasions: Occasions
    expected: float
    share: float
    before: float
    p_value: float

    @property
    def strength(self) -> float:
        """How well each of both foretells the other."""
        return self.share * self.before


def told_once(links: Sequence[Link]) -> list[Link]:
    """Keep the best of the links between the same two entities.

    A door opens, a lamp goes on, the door closes, the lamp goes off: of all the pairs that this makes, the opening
    and the going on are told.
    """
    best: dict[frozenset[str], Link] = {}
    for link in sorted(links, key=_told_first):
        best.setdefault(frozenset((entity_of(link.first), entity_of(link.second))), link)
    return list(best.values())


def _told_first(link: Link) -> tuple[int, float, str, str]:
    # A going off is told only where no going on is.
    return sum(state_of(token) in ENDS for token in (link.first, link.second)), -link.strength, link.first, link.second


def closest(history: History, links: Sequence[Link]) -> list[Link]:
    """Leave out the links that follow from others: those to the steps of a routine after the next one.

    Where A is followed by B, and B by C, A is followed by C as well. That is told only if C comes after A also at
    moments without B. Where A is followed by both B and C, C comes after B; that is told only if it does so at
    moments without A. The weakest links are looked at first, so that what is left explains what is not.
    """
    left = {(link.first, link.second): link for link in links}
    for by_way in (True, False):
        for link in sorted(left.values(), key=lambda one: (one.strength, one.first, one.second)):
            others = [other for other in left.values() if other is not link]
            if any(_explains(history, link, other, left, by_way=by_way) for other in others):
                del left[link.first, link.second]
    return list(left.values())


def _explains(history: History, link: Link, other: Link, left: dict[tuple[str, str], Link], *, by_way: bool) -> bool:
    """Tell whether a link is there only by way of an act between both, or because of one before both."""
    if by_way:  # link: A → C, other: A → B, and B → C is left
        return (
            other.first == link.first
            and (other.second, link.second) in left
            and not _holds_without(link, _went_by_way(link.occasions, other))
        )
    if other.second != link.first or (other.first, link.second) not in left:  # link: B → C, other: A → B
        return False
    instants = history.timeline.instant[history.occurrences[other.first]]
    return not _holds_without(link, _preceded(link.occasions, instants, other.window))


def _went_by_way(occasions: Occasions, other: Link) -> Bools:
    """Tell at which moments of a first act its other link was kept; the two may count other days."""
    followed = other.occasions.followed(other.window)
    return np.isin(occasions.instant, other.occasions.instant[followed])


def _preceded(occasions: Occasions, instants: Ints, window: int) -> Bools:
    place = np.searchsorted(instants, occasions.instant, "right")
    last = np.append(np.iinfo(np.int64).min // 2, instants)[place]
    return np.asarray(occasions.instant - last <= window)


def _holds_without(link: Link, present: Bools) -> bool:
    """Tell whether the second follows also at the moments at which another act is missing."""
    without = link.occasions.followed(link.window)[~present]
    return without.size >= _LEAST_MOMENTS and bool(without.mean() >= _STILL * link.share)

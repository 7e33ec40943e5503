"""Routines: three to five acts, one after another."""

from collections.abc import Iterator
from typing import ClassVar, Final, NamedTuple

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.bonds import Bond, Bonds
from quotidian.detect.dayclass import best_class
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.history import History
from quotidian.detect.statistics import LEVEL, next_time, share_interval
from quotidian.detect.things import ACTUATORS, ENDS, PASSING
from quotidian.model import Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

#: The nearest successors of an act with which a routine is tried to go on.
_NEAREST: Final = 6
#: So many are tried from one first act; it is what bounds the search in a home where everything follows everything.
_MOST_TRIED: Final = 400
_FEWEST: Final = 3  #: acts of a routine
#: A routine of other classes of days than these needs so many kept days.
_BROAD: Final = ("all", "weekdays", "weekends")
_SURE_DAYS: Final = 10
#: How far apart neighbours are, in the figures of a day (seconds).
_SOON: Final = 600


class _Held(NamedTuple):
    """The class of days on which a routine can hold; of these, days kept, and days on which its first act occurred."""

    class_: str
    kept: int
    days: int


class _Chain(msgspec.Struct, frozen=True):
    """A routine: its tokens and bonds, the rows of the timeline that show it (times, tokens), and how it held."""

    tokens: tuple[int, ...]
    bonds: tuple[Bond, ...]
    rows: Ints
    held: _Held


class ActionSequence(Detector):
    """Routines: three to five acts of different things, one after another, with at most ``gap`` seconds between.

    A routine is grown act by act from its first, as long as the lower bound of the share of the first act's
    days that show the whole stays at ``least_share``. Every link must pass twice (see ``Bonds``): kernel J, and the
    same count against the second act of other days, so that two things that merely keep to the clock are no routine;
    false discoveries are controlled over all links. A routine is as certain as its
    least certain link (a surplus over a Markov chain [1]_ would miss routines that never vary). Days are those of the
    class on which it is kept (see ``best_class``): getting up for work is neither kept nor broken on a Sunday.

    Of routines that share more than half of their things only the best is told, unless they begin alike and each goes
    on in its own way; none is part of another. Those of goings-on come before those in which something goes off.
    The interval of the share allows for the choice among all that were tried [2]_.

    Parameters
    ----------
    gap
        The longest time between two acts, in seconds.
    longest
        The most acts in a routine, from 3 to 5.
    false_discovery
        The rate that is controlled over all links, in (0, 1).
    least_days
        The fewest days that show a link or a routine, at least 3.
    least_share
        What the lower bound of the routine's share of its first act's days must reach, in (0, 1].

    Notes
    -----
    Rolled up from the shared row, of each entity: ``actions`` (its changes), and of the other entity that most often
    was the last before them, or the next after them, within ten minutes: ``before`` and ``after``, ``before_times`` and
    ``after_times``, ``before_gap`` and ``after_gap`` (median seconds).

    Subject: the tokens in order. No anchor. Measures: ``days`` (class), ``tokens``, ``gaps`` (median seconds before
    each but the first), ``limits`` (the longest that count), ``start`` (median minute of the day), ``dates`` (ordinals
    of the kept days).

    References
    ----------
    .. [1] R. Gwadera, M. Atallah, W. Szpankowski, Markov Models for Identification of Significant Episodes, 2005.
    .. [2] Y. Benjamini, D. Yekutieli, False Discovery Rate-Adjusted Multiple Confidence Intervals, 2005.

    Examples
    --------
    >>> ActionSequence(gap=300).gap
    300
    >>> ActionSequence(longest=9)
    Traceback (most recent call last):
    ValueError: gap is 1 second to half an hour, longest is 3 to 5, least_days at least 3
    """

    name: ClassVar[str] = "sequence"

    def __init__(
        self,
        *,
        gap: int = 1200,
        longest: int = 5,
        false_discovery: float = 0.01,
        least_days: int = 5,
        least_share: float = 0.5,
    ) -> None:
        if not (1 <= gap <= 1800 and 3 <= longest <= 5 and least_days >= 3):
            raise ValueError("gap is 1 second to half an hour, longest is 3 to 5, least_days at least 3")
        if not (0 < false_discovery < 1 and 0 < least_share <= 1):
            raise ValueError("false_discovery and least_share lie between 0 and 1")
        self.gap = gap
        self.longest = longest
        self.false_discovery = false_discovery
        self.least_days = least_days
        self.least_share = least_share

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say what came right before and right after each entity's changes."""
        del own
        words = row.integers.words
        second, entity = row.second[row.learned], row.entity[row.learned]
        figures: dict[str, Figures] = {words[one]: {"actions": int((entity == one).sum())} for one in np.unique(entity)}
        for side, neighbour in _neighbours(entity).items():
            gap = np.abs(second[neighbour] - second)
            near = np.flatnonzero((neighbour >= 0) & (gap <= _SOON))
            gaps: dict[int, dict[int, list[int]]] = {}
            for one, other, seconds in zip(
                entity[near].tolist(), entity[neighbour[near]].tolist(), gap[near].tolist(), strict=True
            ):
                gaps.setdefault(one, {}).setdefault(other, []).append(seconds)
            for one, others in gaps.items():
                other, found = min(others.items(), key=lambda item: (-len(item[1]), item[0]))
                told: Figures = {side: words[other], f"{side}_times": len(found), f"{side}_gap": int(np.median(found))}
                figures[words[one]].update(told)
        return figures

    def detect(self, history: History) -> list[Finding]:
        """Give the routines, those that hold most often first."""
        usable = np.array([_is_act(history.home, token) for token in history.tokens], bool)
        bonds = Bonds(self.gap, self.false_discovery, least_days=self.least_days, least_share=self.least_share)
        after: dict[int, list[Bond]] = {}
        for bond in bonds.of(history, usable):
            after.setdefault(bond.first, []).append(bond)
        tried = [chain for first in sorted(after) for chain in self._grown(history, after, first)]
        chosen = self._chosen(history, [chain for chain in tried if self._worth_telling(chain)])
        # What is told was chosen among all that was tried: the intervals must cover nonetheless.
        level = 1 - (1 - LEVEL) * len(chosen) / max(len(tried), 1)
        found = [self._finding(history, chain, level) for chain in chosen]
        return sorted(found, key=lambda finding: (-finding.evidence.low, finding.subject))

    # routines

    def _grown(self, history: History, after: dict[int, list[Bond]], first: int) -> Iterator[_Chain]:
        """Grow routines from an act, depth first; give all that were tried."""
        growing = [_Chain((first,), (), history.occurrences[history.tokens[first]][:, None], _Held("all", 0, 0))]
        tried = 0
        while growing and tried < _MOST_TRIED:
            chain = growing.pop()
            for bond in after.get(chain.tokens[-1], [])[:_NEAREST][::-1]:  # the nearest is gone on with first
                if not self._another(history, chain, bond.second):
                    continue
                grown = self._longer(history, chain, bond)
                tried += 1
                if len(grown.tokens) >= _FEWEST:
                    yield grown
                if len(grown.tokens) < self.longest and self._worth_telling(grown):
                    growing.append(grown)

    def _another(self, history: History, chain: _Chain, token: int) -> bool:
        """Tell whether a token's entity does not act in the routine yet: going off again is a matter of durations."""
        return entity_of(history.tokens[token]) not in {entity_of(history.tokens[other]) for other in chain.tokens}

    def _longer(self, history: History, chain: _Chain, bond: Bond) -> _Chain:
        """Go on with the first occurrence of the next act within its limit."""
        instants = history.timeline.instant
        after = history.occurrences[history.tokens[bond.second]]
        found = np.searchsorted(after, chain.rows[:, -1], "right")
        rows = np.column_stack([chain.rows, after[np.minimum(found, after.size - 1)]])
        near = (found < after.size) & (instants[rows[:, -1]] - instants[rows[:, -2]] <= bond.limit)
        tokens = (*chain.tokens, bond.second)
        return _Chain(tokens, (*chain.bonds, bond), rows[near], self._held(history, tokens, rows[near, 0]))

    def _held(self, history: History, tokens: tuple[int, ...], rows: Ints) -> _Held:
        """Count on days of its class those that kept the whole, and those on which the first act occurred."""
        day = history.timeline.day
        names = [history.tokens[token] for token in tokens]
        counts = np.all([history.present(entity_of(name)) for name in names], axis=0) & history.lived
        kept, occurred = np.zeros(counts.size, bool), np.zeros(counts.size, bool)
        kept[day[rows]] = True
        occurred[day[history.occurrences[names[0]]]] = True
        days = best_class(history, kept, counts)
        counts &= _days_of(history, days)
        return _Held(days, int((kept & counts).sum()), int((occurred & counts).sum()))

    def _worth_telling(self, chain: _Chain) -> bool:
        held = chain.held
        # Many sets of weekdays are to choose from: one of them fits a few days by chance.
        least = self.least_days if held.class_ in _BROAD else max(self.least_days, _SURE_DAYS)
        return held.kept >= least and share_interval(held.kept, held.days)[0] >= self.least_share

    def _chosen(self, history: History, chains: list[_Chain]) -> list[_Chain]:
        """Take the routines first that begin most on most days, and no other that tells mostly the same."""

        def rank(chain: _Chain) -> tuple[int, int, tuple[int, ...]]:
            return self._ends(history, chain), -chain.held.kept * len(chain.tokens), chain.tokens

        chosen: list[_Chain] = []
        for chain in sorted(chains, key=rank):
            operated = any(_is_actuator(history, token) for token in chain.tokens)
            begun = len(chain.tokens) - self._ends(history, chain)
            if operated and begun >= 2 and not any(self._tells(history, other, chain) for other in chosen):
                chosen.append(chain)
        return chosen

    def _ends(self, history: History, chain: _Chain) -> int:
        """Count the acts that only end something."""
        return sum(state_of(history.tokens[token]) in ENDS for token in chain.tokens)

    def _tells(self, history: History, told: _Chain, chain: _Chain) -> bool:
        """Tell whether a routine is told by another one: it has mostly the same things.

        Of two that begin alike, and of which each has an act that the other lacks, both are told.
        """
        things, others = ({entity_of(history.tokens[token]) for token in one.tokens} for one in (chain, told))
        if chain.tokens[:2] == told.tokens[:2]:
            return self._ends(history, chain) > 0 or things <= others or others <= things
        return 2 * len(things & others) > len(things)

    # telling

    def _finding(self, history: History, chain: _Chain, level: float) -> Finding:
        timeline, held = history.timeline, chain.held
        low, high = share_interval(held.kept, held.days, level)
        tokens = tuple(history.tokens[token] for token in chain.tokens)
        rows = chain.rows[_days_of(history, held.class_)[timeline.day[chain.rows[:, 0]]]]
        once = rows[np.unique(timeline.day[rows[:, 0]], return_index=True)[1]]
        gaps = [int(gap) for gap in np.median(np.diff(timeline.instant[once], axis=1), axis=0)]
        return Finding(
            detector=self.name,
            subject=tokens,
            measures={
                "days": held.class_,
                "tokens": list(tokens),
                "gaps": gaps,
                "limits": [bond.limit for bond in chain.bonds],
                "start": int(np.median(timeline.wall[once[:, 0]])) // 60,
                "dates": history.ordinals[timeline.day[once[:, 0]]].tolist(),
            },
            evidence=Evidence(
                kept=held.kept,
                observed=held.days,
                low=low,
                high=high,
                q_value=max(bond.q_value for bond in chain.bonds),
            ),
            confidence=next_time(held.kept, held.days),
            stage=Stage.ESTABLISHED if held.kept >= 10 else Stage.EMERGING,
            sentence=_sentence(history, tokens, gaps, held.class_),
        )


def _neighbours(entity: Ints) -> dict[str, Ints]:
    """Give the places of the last change of another entity before each change, and of the next one after; else -1."""
    starts = np.flatnonzero(np.diff(entity)) + 1
    turn = np.searchsorted(starts, np.arange(entity.size), "right")
    return {"before": np.append(0, starts)[turn] - 1, "after": np.append(starts, -1)[turn]}


def _days_of(history: History, class_: str) -> Bools:
    """Give the days of a class, or of weekdays such as ``tuesday+thursday``."""
    return np.asarray(np.logical_or.reduce([history.classes[name] for name in class_.split("+")]))


def _is_act(home: Home, token: str) -> bool:
    # Where people are is the matter of rooms, not of routines.
    return home.entity(entity_of(token)).device_class not in PASSING


def _is_actuator(history: History, token: int) -> bool:
    return domain_of(history.tokens[token]) in ACTUATORS


def _sentence(history: History, tokens: tuple[str, ...], gaps: list[int], days: str) -> str:
    first, *others = (words.acts(history.home, history.members[token]) for token in tokens)
    steps = [f"{what} about {words.span(gap)} later" for what, gap in zip(others, gaps, strict=True)]
    when = "When" if days == "all" else f"{words.days(days)} when"
    return f"{when} {first}, {steps[0]}, then {', then '.join(steps[1:])}"

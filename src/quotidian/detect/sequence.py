"""Routines: three to five acts, one after another."""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.history import History
from quotidian.detect.kernel import against_other_days, links
from quotidian.detect.statistics import at_least, next_time, q_values, share_interval
from quotidian.detect.things import ACTUATORS, PASSING, RESTING
from quotidian.model import Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

#: The nearest successors of an act with which a routine is tried to go on.
_NEAREST: Final = 3


class _Link(msgspec.Struct, frozen=True):
    """One act that another one follows: numbers of tokens, the p-value, and the median gap in seconds."""

    first: int
    second: int
    p_value: float
    gap: int


class _Chain(msgspec.Struct, frozen=True):
    """A routine: its tokens, links and, for each day that kept it, the rows of the timeline (days, tokens)."""

    tokens: tuple[int, ...]
    links: tuple[_Link, ...]
    rows: Ints


class ActionSequence(Detector):
    """Routines: three to five acts of different things, one after another, with at most ``gap`` seconds between.

    A routine is grown link by link from its first act, as long as the lower bound of the share of the first act's
    days that show the whole stays at ``least_share``. Every link must pass twice: kernel J (chance jitters the first
    act by half an hour), and the same count against the second act of other days, within the link's usual gap, so
    that two things that merely keep to the clock are no routine. A link's p-value is the larger one; false
    discoveries are controlled over all ordered pairs of tokens that have enough days; a routine is as certain as its
    least certain link (a surplus over a Markov chain [1]_ would miss routines that never vary). Of
    routines that share more than half of their entities only the best is told, so that none is part of another.

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
    was the last before them, or the next after them, within ``gap``: ``before`` and ``after``, ``before_times`` and
    ``after_times``, ``before_gap`` and ``after_gap`` (median seconds).

    Subject: the tokens in order. No anchor. Measures: ``tokens``, ``gaps`` (median seconds before each but the
    first), ``start`` (median minute of the day), ``dates`` (ordinals of the kept days).

    References
    ----------
    .. [1] R. Gwadera, M. Atallah, W. Szpankowski, Markov Models for Identification of Significant Episodes, 2005.

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
        gap: int = 600,
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
            near = np.flatnonzero((neighbour >= 0) & (gap <= self.gap))
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
        strong = self._links(history)
        chains = [chain for first in sorted(strong) for chain in self._grown(history, strong, first)]
        found = [self._finding(history, chain) for chain in self._chosen(history, chains)]
        return sorted(found, key=lambda finding: (-finding.evidence.low, finding.subject))

    # links

    def _links(self, history: History) -> dict[int, list[_Link]]:
        """Give each act's certain links to its nearest successors; ``p_value`` is the q-value from here on."""
        usable = np.array([_is_act(history.home, token) for token in history.tokens], bool)
        first, second = self._candidates(history, usable)
        found = []
        for follower in np.unique(second).tolist():
            firsts = first[second == follower].tolist()
            names = [history.tokens[one] for one in firsts]
            kept, days, expected = links(history, names, history.tokens[follower], self.gap)
            p_values = at_least(kept, days, expected)
            for one, p_value in zip(firsts, p_values.tolist(), strict=True):
                if p_value <= self.false_discovery:
                    found.append(self._link(history, one, follower, p_value))
        q = q_values(np.array([link.p_value for link in found]), max(self._tests(history, usable), len(found)))
        strong: dict[int, list[_Link]] = {}
        for link, q_value in zip(found, q.tolist(), strict=True):
            if q_value <= self.false_discovery:
                strong.setdefault(link.first, []).append(msgspec.structs.replace(link, p_value=q_value))
        nearest = {one: sorted(after, key=lambda link: (link.gap, link.second)) for one, after in strong.items()}
        return {one: after[:_NEAREST] for one, after in nearest.items()}

    def _candidates(self, history: History, usable: Bools) -> tuple[Ints, Ints]:
        """Give the pairs of tokens of different entities that follow one another on enough days."""
        timeline, size, days = history.timeline, len(history.tokens), len(history.rows)
        rows = np.flatnonzero(usable[timeline.token])
        token, instant, day = timeline.token[rows], timeline.instant[rows], timeline.day[rows]
        keys = [np.empty(0, np.int64)]
        for step in range(1, rows.size):
            near = np.flatnonzero(instant[step:] - instant[:-step] <= self.gap)
            if not near.size:
                break
            keys.append((token[near] * size + token[near + step]) * days + day[near])
        pairs, kept = np.unique(_once(np.concatenate(keys)) // max(days, 1), return_counts=True)
        first, second = np.divmod(pairs, max(size, 1))
        enough = kept >= np.maximum(self.least_days, self.least_share * self._days(history)[first])
        enough &= _entities(history)[first] != _entities(history)[second]
        return first[enough], second[enough]

    def _tests(self, history: History, usable: Bools) -> int:
        """Count the ordered pairs of tokens of different entities of which the first has enough days."""
        entities, enough = _entities(history), usable & (self._days(history) >= self.least_days)
        return int(sum(((entities != entities[one]) & usable).sum() for one in np.flatnonzero(enough)))

    def _days(self, history: History) -> Ints:
        """Count the days on which each token occurs."""
        timeline, days = history.timeline, max(len(history.rows), 1)
        seen = _once(timeline.token * days + timeline.day) // days
        return np.bincount(seen, minlength=len(history.tokens))

    def _link(self, history: History, first: int, second: int, p_value: float) -> _Link:
        a, b = history.tokens[first], history.tokens[second]
        instants = history.timeline.instant
        one, after = history.occurrences[a], history.occurrences[b]
        found = np.searchsorted(after, one, "right")
        met = found < after.size
        gaps = instants[after[found[met]]] - instants[one[met]]
        gaps = gaps[gaps <= self.gap]
        if not gaps.size:  # only ever at the same second, in the other order
            return _Link(first, second, 1.0, 0)
        low, middle, high = (int(part) for part in np.quantile(gaps, (0.1, 0.5, 0.9), method="nearest"))
        kept, days, expected = against_other_days(history, a, b, low, high)
        clocks = at_least(np.array([kept]), np.array([days]), np.array([expected]))
        return _Link(first, second, max(p_value, float(clocks[0])), middle)

    # routines

    def _grown(self, history: History, strong: dict[int, list[_Link]], first: int) -> Iterator[_Chain]:
        """Grow routines from an act, depth first."""
        growing = [_Chain((first,), (), history.occurrences[history.tokens[first]][:, None])]
        while growing:
            chain = growing.pop()
            if len(chain.tokens) >= 3:
                yield chain
            if len(chain.tokens) == self.longest:
                continue
            growing += [
                grown
                for link in strong.get(chain.tokens[-1], [])
                if self._another(history, chain, link.second)
                and self._worth_telling(history, grown := self._longer(history, chain, link))
            ]

    def _another(self, history: History, chain: _Chain, token: int) -> bool:
        """Tell whether a token's entity does not act in the routine yet: going off again is a matter of durations."""
        return entity_of(history.tokens[token]) not in {entity_of(history.tokens[other]) for other in chain.tokens}

    def _longer(self, history: History, chain: _Chain, link: _Link) -> _Chain:
        """Go on with the first occurrence of the next act within the gap."""
        instants = history.timeline.instant
        after = history.occurrences[history.tokens[link.second]]
        found = np.searchsorted(after, chain.rows[:, -1], "right")
        rows = np.column_stack([chain.rows, after[np.minimum(found, after.size - 1)]])
        near = (found < after.size) & (instants[rows[:, -1]] - instants[rows[:, -2]] <= self.gap)
        return _Chain((*chain.tokens, link.second), (*chain.links, link), rows[near])

    def _worth_telling(self, history: History, chain: _Chain) -> bool:
        kept, days = self._evidence(history, chain)
        return kept >= self.least_days and share_interval(kept, days)[0] >= self.least_share

    def _evidence(self, history: History, chain: _Chain) -> tuple[int, int]:
        """Count the days that kept the whole, and those on which the first act occurred and all were observed."""
        day = history.timeline.day
        names = [history.tokens[token] for token in chain.tokens]
        counts = np.all([history.present(entity_of(name)) for name in names], axis=0)
        kept, occurred = np.zeros(counts.size, bool), np.zeros(counts.size, bool)
        kept[day[chain.rows[:, 0]]] = True
        occurred[day[history.occurrences[names[0]]]] = True
        return int((kept & counts).sum()), int((occurred & counts).sum())

    def _chosen(self, history: History, chains: list[_Chain]) -> list[_Chain]:
        """Take the routines first that begin most on most days, and no other that tells mostly the same."""

        def rank(chain: _Chain) -> tuple[int, int, tuple[int, ...]]:
            kept = self._evidence(history, chain)[0]
            begun = sum(state_of(history.tokens[token]) not in RESTING for token in chain.tokens)
            return -kept * begun, -kept * len(chain.tokens), chain.tokens

        named = [chain for chain in chains if any(_is_actuator(history, token) for token in chain.tokens)]
        named.sort(key=rank)
        chosen: list[_Chain] = []
        told: list[set[str]] = []
        for chain in named:
            entities = {entity_of(history.tokens[token]) for token in chain.tokens}
            if all(2 * len(entities & others) <= len(entities) for others in told):
                chosen.append(chain)
                told.append(entities)
        return chosen

    # telling

    def _finding(self, history: History, chain: _Chain) -> Finding:
        timeline = history.timeline
        kept, days = self._evidence(history, chain)
        low, high = share_interval(kept, days)
        tokens = tuple(history.tokens[token] for token in chain.tokens)
        once = chain.rows[np.unique(timeline.day[chain.rows[:, 0]], return_index=True)[1]]
        gaps = [int(gap) for gap in np.median(np.diff(timeline.instant[once], axis=1), axis=0)]
        return Finding(
            detector=self.name,
            subject=tokens,
            measures={
                "tokens": list(tokens),
                "gaps": gaps,
                "start": int(np.median(timeline.wall[once[:, 0]])) // 60,
                "dates": history.ordinals[timeline.day[once[:, 0]]].tolist(),
            },
            evidence=Evidence(
                kept=kept,
                observed=days,
                low=low,
                high=high,
                q_value=max(link.p_value for link in chain.links),
            ),
            confidence=next_time(kept, days),
            stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
            sentence=_sentence(history, tokens, gaps),
        )


def _neighbours(entity: Ints) -> dict[str, Ints]:
    """Give the places of the last change of another entity before each change, and of the next one after; else -1."""
    starts = np.flatnonzero(np.diff(entity)) + 1
    turn = np.searchsorted(starts, np.arange(entity.size), "right")
    return {"before": np.append(0, starts)[turn] - 1, "after": np.append(starts, -1)[turn]}


def _once(values: Ints) -> Ints:
    """Sort values and leave each out but once: ``numpy.unique``, several times faster on some hundred thousand."""
    values = np.sort(values)
    return np.asarray(values[np.diff(values, prepend=-1) != 0])


def _entities(history: History) -> Ints:
    """Give each token the number of its entity."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(entity_of(token), len(number)) for token in history.tokens], np.int64)


def _is_act(home: Home, token: str) -> bool:
    # Where people are is the matter of rooms, not of routines.
    return home.entity(entity_of(token)).device_class not in PASSING


def _is_actuator(history: History, token: int) -> bool:
    return domain_of(history.tokens[token]) in ACTUATORS


def _sentence(history: History, tokens: tuple[str, ...], gaps: list[int]) -> str:
    first, *others = (words.acts(history.home, history.members[token]) for token in tokens)
    steps = [f"{what} about {words.span(gap)} later" for what, gap in zip(others, gaps, strict=True)]
    return f"When {first}, {steps[0]}, then {', then '.join(steps[1:])}"

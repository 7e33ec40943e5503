"""Things that belong together at a time of the day, and when they are used together."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.bonds import Bond, Bonds
from quotidian.detect.dayrow import DayRow, entity_of, state_of, token_of
from quotidian.detect.history import History, entities_of
from quotidian.detect.statistics import around
from quotidian.detect.things import ENDS, is_act
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.model import Finding, Home, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.model.home import domain_of

#: What involves fewer things is told by other detectors.
LEAST_THINGS: Final = 3
#: By how much the times of day of two acts may differ from what lies between them, in minutes.
_NEAR: Final = 15
#: What share of the days of either two times of day must have in common.
_COMMON: Final = 0.6


class Group(msgspec.Struct, frozen=True, eq=False):
    """Tokens (by number, ascending) that belong together, and all occasions on which they were used together.

    ``fewest`` of them make an occasion. ``rows`` are the rows of the timeline at which they occur; ``first`` and
    ``last`` are the places in these of the first and the last act of each occasion, ``ends`` are the instants at which
    the last thing came to rest.
    """

    tokens: Ints
    fewest: int
    rows: Ints
    first: Ints
    last: Ints
    ends: Ints

    def at(self, history: History, begun: Finding) -> Ints:
        """Give the occasions that begin on the days and at the minutes of a time of day."""
        timeline = history.timeline
        rows = self.rows[self.first]
        minutes = history.ordinals[timeline.day[rows]] * DAY_MINUTES + timeline.wall[rows] // 60
        dates, times = (np.array(begun.measures[name], np.int64) for name in ("dates", "times"))
        return np.flatnonzero(np.isin(minutes, dates * DAY_MINUTES + times))

    def usual(self, history: History, begun: Finding, least_share: float) -> tuple[int, ...]:
        """Give the tokens that occur in enough of the occasions that begin at a time of day."""
        chosen = self.at(history, begun)
        seen = np.zeros((chosen.size, len(history.tokens)), bool)
        for row, place in enumerate(chosen.tolist()):
            seen[row, history.timeline.token[self._of(place)]] = True
        times = seen.sum(axis=0)
        return tuple(token for token in self.tokens.tolist() if times[token] >= max(least_share * chosen.size, 1))

    def in_order(self, history: History, chosen: Ints) -> list[str]:
        """Give the tokens in the order in which most of some occasions have them."""
        timeline = history.timeline
        rows = [self._of(place) for place in chosen.tolist()]
        lags = [timeline.instant[part] - timeline.instant[part[0]] for part in rows]
        lag, token = np.concatenate(lags), timeline.token[np.concatenate(rows)]
        usual = {one: float(np.median(lag[token == one])) for one in self.tokens.tolist() if (token == one).any()}
        return [history.tokens[one] for one in sorted(usual, key=lambda one: (usual[one], one))]

    def _of(self, place: int) -> Ints:
        """Give the rows of the timeline that an occasion consists of."""
        return self.rows[self.first[place] : self.last[place] + 1]

    def lengths(self, history: History, chosen: Ints) -> Ints:
        """Give for how many seconds some occasions lasted."""
        instants = history.timeline.instant[self.rows]
        return self.ends[chosen] - instants[self.first[chosen]]


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

    def of(self, history: History) -> list[Group]:
        """Give the groups, each of ``LEAST_THINGS`` things at least."""
        if not history.tokens:
            return []
        usable = np.array([_is_use(history.home, token) for token in history.tokens], bool)
        bonds = Bonds(60 * self._pause, self._level, least_share=self._least_share, either=True)
        found: dict[tuple[int, ...], Group | None] = {}
        number = {token: place for place, token in enumerate(history.tokens)}
        times = [one for one in TimeOfDay().detect(history) if usable[number[one.subject[0]]]]
        for together in _together(times, bonds.of(history, usable), number):
            tokens = tuple(sorted({number[one.subject[0]] for one in together}))
            found.setdefault(tokens, self.group(history, tokens))
        return [group for group in found.values() if group is not None]

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


def _together(times: Sequence[Finding], bonds: Sequence[Bond], number: dict[str, int]) -> Iterator[list[Finding]]:
    """Give the times of day that belong together, each group once."""
    gaps = {(bond.first, bond.second): bond.gap for bond in bonds}
    times = [one for one in times if one.measures["reference"] not in {"sunrise", "sunset"}]
    group = list(range(len(times)))
    for place, one in enumerate(times):
        for other_place, other in enumerate(times):
            gap = gaps.get((number[one.subject[0]], number[other.subject[0]]))
            if gap is not None and _at_once(one, other, gap):
                low, high = sorted((group[place], group[other_place]))
                group = [low if known == high else known for known in group]
    for first in sorted(set(group)):
        yield [one for place, one in enumerate(times) if group[place] == first]


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


def _token(place: int) -> str:
    # Each its own state, so that sessions that begin together are never taken for the lamps of a scene.
    return token_of(f"session.{place}", f"begun_{place}")


def number_of(token: str) -> int:
    """Give the number of the group whose beginning a token is."""
    return int(entity_of(token).partition(".")[2])


def beginnings(history: History, groups: Sequence[Group]) -> History:
    """Make a history in which the beginning of each group's occasions is a token, without a sun."""
    timeline = history.timeline
    first = np.concatenate([group.rows[group.first] for group in groups])
    owner = np.repeat(np.arange(len(groups)), [group.first.size for group in groups])
    order = np.lexsort((owner, first))
    first, owner = first[order], owner[order]
    bounds = np.searchsorted(timeline.day[first], np.arange(len(history.rows) + 1))
    observed = np.stack([_observed(history, group) for group in groups])
    rows = []
    for place, row in enumerate(history.rows):
        today = slice(bounds[place], bounds[place + 1])
        present = np.flatnonzero(observed[:, place])
        rows.append(_row(row, len(groups), timeline.instant[first[today]] - row.start, owner[today], present))
    return History(rows, history.home)


def _row(row: DayRow, subjects: int, second: Ints, token: Ints, present: Ints) -> DayRow:
    """Make the row of a day on which sessions begin."""
    names = tuple(entity_of(_token(place)) for place in range(subjects))
    states = tuple(state_of(_token(place)) for place in range(subjects))
    nothing: list[int] = []
    return DayRow(
        row.ordinal,
        Integers(
            names + states,
            {
                "header": [row.start, row.seconds, -1, -1],
                "clock_from": row.integers["clock_from"],
                "clock_shift": row.integers["clock_shift"],
                "token_entity": range(subjects),
                "token_state": range(subjects, 2 * subjects),
                "second": second,
                "token": token,
                "learned": np.ones(second.size, np.int64),
                "present": present,
                **dict.fromkeys(("gap_entity", "gap_start", "gap_end"), nothing),
            },
        ),
    )


def _observed(history: History, group: Group) -> Bools:
    """Tell on which lived days enough of a group's things were observed."""
    names = entities_of([history.tokens[token] for token in group.tokens.tolist()])
    return np.asarray((np.sum([history.present(name) for name in names], axis=0) >= group.fewest) & history.lived)

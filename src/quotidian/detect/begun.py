"""The occasions on which a group of things is used, and their beginnings as a history of their own."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import DayRow, entity_of, state_of, token_of
from quotidian.detect.history import History, entities_of
from quotidian.model import Finding, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES

_CHATTER: Final = ("chatter_entity", "chatter_count", "chatter_0", "chatter_1", "chatter_2")


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
    names = [entities_of([history.tokens[token] for token in group.tokens.tolist()]) for group in groups]
    observed = np.stack([_observed(history, own, group.fewest) for own, group in zip(names, groups, strict=True)])
    rows = []
    for place, row in enumerate(history.rows):
        today = slice(bounds[place], bounds[place + 1])
        seconds, present = timeline.instant[first[today]] - row.start, np.flatnonzero(observed[:, place])
        rows.append(_row(row, names, seconds, owner[today], present))
    return History(rows, history.home)


def _row(row: DayRow, groups: Sequence[Sequence[str]], second: Ints, token: Ints, present: Ints) -> DayRow:
    """Make the row of a day on which occasions begin, observed as the first thing of each group was that was there."""
    size = len(groups)
    names = tuple(entity_of(_token(place)) for place in range(size))
    states = tuple(state_of(_token(place)) for place in range(size))
    gaps = [
        (place, start, end)
        for place in present.tolist()
        for start, end in row.gaps.get(next(name for name in groups[place] if name in row.present), [])
    ]
    columns = np.array(gaps, np.int64).reshape(-1, 3).T
    return DayRow(
        row.ordinal,
        Integers(
            names + states,
            {
                "header": [row.start, row.seconds, -1, -1],
                "clock_from": row.integers["clock_from"],
                "clock_shift": row.integers["clock_shift"],
                "token_entity": range(size),
                "token_state": range(size, 2 * size),
                "second": second,
                "token": token,
                "learned": np.ones(second.size, np.int64),
                "present": present,
                **dict(zip(("gap_entity", "gap_start", "gap_end"), columns, strict=True)),
                **dict.fromkeys(_CHATTER, np.empty(0, np.int64)),
            },
        ),
    )


def _observed(history: History, names: Sequence[str], fewest: int) -> Bools:
    """Tell on which lived days enough of some things were observed."""
    return np.asarray((np.sum([history.present(name) for name in names], axis=0) >= fewest) & history.lived)

"""What marks out a kind of days: things that are on at its hours, and on other days are not."""

from collections import defaultdict
from typing import Final

import msgspec
import numpy as np
from scipy.special import bdtrc

from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.history import History
from quotidian.detect.kinds import Kind
from quotidian.detect.statistics import q_values, rounded
from quotidian.detect.things import ACTIVE_STATES, ACTUATORS, OPENINGS
from quotidian.model import Home
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_SECONDS
from quotidian.model.home import domain_of

#: A thing counts as on when it is for this share of the hours.
_ON: Final = 0.5
#: The smallest share of the kind's days, and how many times that of other days it must be.
_LEAST_SHARE: Final = 0.7
_LEAST_LIFT: Final = 3.0


class Mark(msgspec.Struct, frozen=True):
    """A thing's active state, and on which days of a kind it was so and could have been, shape (days,)."""

    token: str
    kept: Bools
    seen: Bools
    q_value: float


def marks_of(history: History, kind: Kind, others: Bools, level: float = 0.01) -> tuple[Mark, ...]:
    """Give the things that are on for half of a kind's hours on most of its days, the surest first.

    On other days of its class of the calendar they hardly ever are: the chance that so many of the kind's days have it
    at the share of the others is small, over all things that were on at those hours.

    Parameters
    ----------
    history, kind
        The days, and the kind of some of them.
    others
        The days that the kind is compared with: shape (days,).
    level
        The rate of false discoveries.
    """
    among = kind.days | others
    table: defaultdict[str, Ints] = defaultdict(lambda: np.zeros(len(history.rows), np.int64))
    for place in np.flatnonzero(among).tolist():
        for token, seconds in _on_seconds(history.rows[place], 1800 * kind.start, 1800 * kind.end).items():
            table[token][place] = seconds
    tokens = sorted(token for token in table if _operated(history.home, entity_of(token)))
    marks, p_values = [], []
    for token in tokens:
        seen, on = history.present(entity_of(token)), table[token] >= _ON * 1800 * (kind.end - kind.start)
        kept, elsewhere = kind.days & seen & on, others & seen
        # One more day than was seen: that it never happened elsewhere does not make it impossible.
        chance = (int((elsewhere & on).sum()) + 1) / (int(elsewhere.sum()) + 2)
        times, days = int(kept.sum()), max(int((kind.days & seen).sum()), 1)
        share = times / days
        p_values.append(float(bdtrc(times - 1, days, chance)) if times else 1.0)
        if share >= _LEAST_SHARE and share >= _LEAST_LIFT * chance:
            marks.append((token, kept, kind.days & seen, len(p_values) - 1))
    q = q_values(rounded(np.array(p_values)), len(p_values))
    told = [Mark(token, kept, seen, float(q[place])) for token, kept, seen, place in marks if q[place] <= level]
    return tuple(sorted(told, key=lambda mark: (-int(mark.kept.sum()), mark.token)))


def _operated(home: Home, entity_id: str) -> bool:
    return domain_of(entity_id) in ACTUATORS or home.entity(entity_id).device_class in OPENINGS


def _on_seconds(row: DayRow, start: int, end: int) -> dict[str, int]:
    """Give for how long each active state that was entered that day lasted between two wall seconds."""
    order = np.lexsort((row.second, row.entity))
    token, wall = row.token[order], row.wall[order]
    same = np.append(np.diff(row.entity[order]) == 0, False)
    until = np.where(same, np.roll(wall, -1), DAY_SECONDS)
    lasted = np.maximum(np.minimum(until, end) - np.maximum(wall, start), 0)
    seconds = np.bincount(token, weights=lasted, minlength=len(row.tokens)).astype(np.int64).tolist()
    return {
        token: length
        for token, length in zip(row.tokens, seconds, strict=True)
        if length and state_of(token) in ACTIVE_STATES
    }

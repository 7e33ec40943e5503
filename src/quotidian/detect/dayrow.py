"""The shared day row: what every detector and every back-test reads of a day, in a few hundred bytes."""

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np

from quotidian.model import Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES, shown_minutes, wall_seconds

#: The name under which rows are kept beside the detectors' summaries, and the version of their columns.
ROW: Final = "row"
ROW_VERSION: Final = 2

CELL_MINUTES: Final = 5  #: the grid on which times of day are tested
DAY_CELLS: Final = DAY_MINUTES // CELL_MINUTES
OCCUPANCY_BITS: Final = 96  #: quarters of an hour in a day


def token_of(entity_id: str, state: str) -> str:
    """Name an entity's entering of a state."""
    return f"{entity_id}={state}"


def entity_of(token: str) -> str:
    """Give the entity of a token."""
    return token.partition("=")[0]


def entity_numbers(tokens: Sequence[str]) -> Ints:
    """Give each token the number of its entity: those of one entity have the same."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(entity_of(token), len(number)) for token in tokens], np.int64)


def state_of(token: str) -> str:
    """Give the state that a token enters."""
    return token.partition("=")[2]


class DayRow:
    """One day's changes of discrete entities, and when each entity was observed.

    Columns of the integers, lengths by group: *header* ``start`` (unix seconds of midnight), ``seconds``,
    ``sunrise``, ``sunset`` (elapsed seconds, -1 where the sun does not rise or set); *clock* ``clock_from``,
    ``clock_shift`` (see ``Day.clock``); *tokens* ``token_entity``, ``token_state`` (words); *changes*, sorted:
    ``second`` (elapsed), ``token``, ``learned`` (1 when people may have caused it); *present* ``present`` (words:
    entities observed at some time of the day); *gaps* ``gap_entity`` (words), ``gap_start``, ``gap_end`` (elapsed);
    *chatter* ``chatter_entity`` (words), ``chatter_count``, ``chatter_0`` to ``chatter_2`` (32 occupancy bits each).
    """

    def __init__(self, ordinal: int, integers: Integers) -> None:
        self.ordinal: Final = ordinal
        self.integers: Final = integers

    @cached_property
    def start(self) -> int:
        """Midnight in seconds since 1970-01-01 UTC."""
        return int(self.integers["header"][0])

    @cached_property
    def seconds(self) -> int:
        """The length of the day."""
        return int(self.integers["header"][1])

    def sun(self, event: str) -> int | None:
        """Give the elapsed second of ``sunrise`` or ``sunset``, ``None`` where there is none that day."""
        second = int(self.integers["header"][2 if event == "sunrise" else 3])
        return None if second < 0 else second

    @cached_property
    def clock(self) -> tuple[tuple[int, int], ...]:
        """How to read the wall clock (see ``Day.clock``)."""
        return tuple(zip(self.integers["clock_from"].tolist(), self.integers["clock_shift"].tolist(), strict=True))

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The day's tokens, by the numbers that ``token`` holds."""
        words = self.integers.words
        pairs = zip(self.integers["token_entity"].tolist(), self.integers["token_state"].tolist(), strict=True)
        return tuple(sys.intern(token_of(words[entity], words[state])) for entity, state in pairs)

    @property
    def second(self) -> Ints:
        """Elapsed second of each change, ascending."""
        return self.integers["second"]

    @property
    def token(self) -> Ints:
        """Token of each change."""
        return self.integers["token"]

    @cached_property
    def entity(self) -> Ints:
        """Entity of each change: the number of its word."""
        return self.integers["token_entity"][self.integers["token"]]

    @cached_property
    def learned(self) -> Bools:
        """Whether people may have caused each change."""
        return self.integers["learned"] > 0

    @cached_property
    def wall(self) -> Ints:
        """Wall second of each change."""
        return wall_seconds(self.clock, self.second)

    @cached_property
    def present(self) -> frozenset[str]:
        """The discrete entities that were observed at some time of the day."""
        return frozenset(self.integers.words[word] for word in self.integers["present"].tolist())

    @cached_property
    def gaps(self) -> dict[str, list[tuple[int, int]]]:
        """Spans (elapsed seconds, end excluded) in which an entity that was present was not observed."""
        gaps: dict[str, list[tuple[int, int]]] = {}
        columns = (self.integers[name].tolist() for name in ("gap_entity", "gap_start", "gap_end"))
        for entity, start, end in zip(*columns, strict=True):
            gaps.setdefault(self.integers.words[entity], []).append((start, end))
        return gaps

    @cached_property
    def chatter(self) -> dict[str, int]:
        """Entities that changed too often to be followed, with their number of changes."""
        entities, counts = self.integers["chatter_entity"].tolist(), self.integers["chatter_count"].tolist()
        return {self.integers.words[entity]: count for entity, count in zip(entities, counts, strict=True)}

    @property
    def quarters(self) -> dict[str, Bools]:
        """In which quarters of an hour, by elapsed time, each entity that chatters changed: shape (96,)."""
        parts = [self.integers[f"chatter_{part}"] for part in range(3)]
        bits = np.stack(parts, axis=1)[:, :, None] >> np.arange(32) & 1
        return dict(zip(self.chatter, bits.reshape(-1, OCCUPANCY_BITS) > 0, strict=True))

    @cached_property
    def shown(self) -> Bools:
        """Whether the wall clock showed each 5-minute cell of the day: shape (288,)."""
        minutes = shown_minutes(self.clock, self.seconds).reshape(DAY_CELLS, CELL_MINUTES)
        return np.asarray(minutes.all(axis=1))

    def observed_seconds(self, entity_id: str) -> int:
        """Tell for how long an entity was observed."""
        if entity_id not in self.present:
            return 0
        return self.seconds - sum(end - start for start, end in self.gaps.get(entity_id, []))

    def observed(self, entity_id: str) -> Bools:
        """Tell for each 5-minute cell of the wall clock whether the entity was observed through it: shape (288,)."""
        if entity_id not in self.present:
            return np.zeros(DAY_CELLS, bool)
        gaps = self.gaps.get(entity_id)
        if not gaps:
            return self.shown
        observed = self.shown.copy()
        for gap in gaps:
            first, last = wall_seconds(self.clock, np.array(gap, np.int64)) // (60 * CELL_MINUTES)
            observed[max(int(first), 0) : int(last) + 1] = False
        return observed

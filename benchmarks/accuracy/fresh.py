"""Fresh draws of a home's days, put side by side, to see how often a claim holds in them."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

import numpy as np

from benchmarks.folding import observed
from quotidian.detect import History
from quotidian.detect.dayrow import DAY_CELLS, DayRow, entity_of
from quotidian.detect.kinds import several
from quotidian.detect.levels import DAY_HOURS, UNKNOWN_LEVEL, levels_of
from quotidian.model import Carry, Home, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.simulate import Plan, simulate

#: Seconds between two draws on the line of instants: nothing of one is near anything of the next.
_APART: Final = 1 << 34
SUNS: Final = ("sunrise", "sunset")

Draw = tuple[list[DayRow], list[Integers]]


class Days:
    """The days of one or more draws of a home, and all changes in them.

    Columns of the changes, sorted by instant: ``instant`` (seconds), ``day`` (position of the day), ``wall`` (second of
    that day by the clock), ``token`` (position in ``tokens``), ``learned``. By day: ``line`` (its place on a line on
    which two draws lie apart), ``masks`` (classes of lived days), ``suns`` (minute, -1 where there is none),
    ``ordinals``, ``blind`` (5-minute cells in which half of the home was not observed), ``levels`` (of contexts by
    hour).
    """

    def __init__(self, home: Home, draws: Iterable[Draw]) -> None:
        self.home: Final = home
        histories, levels = [], []
        for rows, kept in draws:
            histories.append(History(rows, home))
            levels.append(kept)
        rows = [row for history in histories for row in history.rows]
        self.tokens = tuple(sorted({token for row in rows for token in row.tokens}))
        self.number = {token: place for place, token in enumerate(self.tokens)}
        sizes = [len(history.rows) for history in histories]
        draw = np.repeat(np.arange(len(sizes)), sizes)
        self.ordinals = np.concatenate([history.ordinals for history in histories])
        self.line = self.ordinals - self.ordinals.min() + 2 + draw * (int(np.ptp(self.ordinals)) + 5)
        self.masks = {
            name: np.concatenate([history.classes[name] for history in histories]) for name in histories[0].classes
        }
        self.observed_all = np.concatenate([history.calendar["all"] for history in histories])
        self.suns = {event: np.concatenate([history.sun(event) for history in histories]) for event in SUNS}
        self.blind = np.stack([_blind(row) for row in rows])
        self._rows(rows, draw)
        self._present = [row.present for row in rows]
        self._chatter = [frozenset(row.chatter) for row in rows]
        self.levels = _levels([day for kept in levels for day in kept])

    def _rows(self, rows: list[DayRow], draw: Ints) -> None:
        parts = []
        for place, (row, which) in enumerate(zip(rows, draw.tolist(), strict=True)):
            numbers = np.array([self.number[token] for token in row.tokens], np.int64)
            token = numbers[row.token] if numbers.size else np.empty(0, np.int64)
            start = row.start + which * _APART
            parts.append((start + row.second, np.full(token.size, place), row.wall, token, row.learned))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.lexsort((columns[3], columns[0]))
        self.instant, self.day, self.wall, self.token, self.learned = (column[order] for column in columns)

    @property
    def size(self) -> int:
        """How many days there are."""
        return int(self.ordinals.size)

    @cached_property
    def _by_token(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.token, kind="stable")
        return order, np.searchsorted(self.token[order], np.arange(len(self.tokens) + 1))

    def of(self, token: str, *, learned: bool = True) -> Ints:
        """Give the places of a token's changes, in order; by default of those that people may have caused."""
        place = self.number.get(token)
        if place is None:
            return np.empty(0, np.int64)
        order, bounds = self._by_token
        found = order[bounds[place] : bounds[place + 1]]
        return found[self.learned[found]] if learned else found

    def present(self, entity_id: str) -> Bools:
        """Tell on which days an entity was observed at all."""
        return np.array([entity_id in names for names in self._present], bool)

    def followed(self, areas: tuple[str, ...]) -> Bools:
        """Tell on which days the row has every change in some areas: nothing in them changed too often to be kept."""
        where = {name: area.id for name in frozenset().union(*self._chatter) if (area := self.home.area_of(name))}
        return np.array([not any(where.get(name) in areas for name in names) for names in self._chatter], bool)

    def lived(self, name: object = "all") -> Bools:
        """Give the lived days of a class, or of several weekdays."""
        known, own = str(name), self.masks.get(str(name))
        return several(self.masks, known) if own is None else own

    def any(self, places: Ints) -> Bools:
        """Tell which days have one of some changes."""
        found = np.zeros(self.size, bool)
        found[self.day[places]] = True
        return found

    def spans(self, token: str) -> tuple[Ints, Ints]:
        """Give the changes (places) that people made into a token and out of it again, and how long it lasted (s)."""
        entity = entity_of(token)
        states = [self.of(one, learned=False) for one in self.tokens if entity_of(one) == entity]
        every = np.sort(np.concatenate(states)) if states else np.empty(0, np.int64)
        if every.size < 2:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        begun = (self.token[every[:-1]] == self.number[token]) & self.learned[every[:-1]] & self.learned[every[1:]]
        length = self.instant[every[1:]] - self.instant[every[:-1]]
        begun &= length < _APART // 2
        return every[1:][begun], length[begun]

    def seen(self, minutes: Ints) -> Bools:
        """Tell which days were observed at a minute (one for each day) and a quarter of an hour around it."""
        cells = np.asarray(minutes) % DAY_MINUTES // 5
        near = [self.blind[np.arange(self.size), (cells + shift) % DAY_CELLS] for shift in (-3, 0, 3)]
        return np.asarray(~np.logical_or.reduce(near))


def _blind(row: DayRow) -> Bools:
    """Tell in which cells at least half of the entities were not observed."""
    gaps = sorted(row.gaps)
    if not row.present:
        return np.ones(DAY_CELLS, bool)
    if 2 * len(gaps) < len(row.present):
        return np.zeros(DAY_CELLS, bool)
    missing = np.sum([~row.observed(name) for name in gaps[:: max(len(gaps) // 5, 1)]], axis=0)
    return np.asarray(missing >= 3)


def _levels(kept: list[Integers]) -> dict[str, Ints]:
    names = sorted({name for day in kept for name in day.words})
    table = {name: np.full((len(kept), DAY_HOURS), UNKNOWN_LEVEL, np.int64) for name in names}
    for place, day in enumerate(kept):
        for number, name in enumerate(day.words):
            table[name][place] = day["level"][number * DAY_HOURS : (number + 1) * DAY_HOURS]
    return table


def drawn(plan: Plan) -> Draw:
    """Live through a plan's days: the shared rows, and the levels of contexts."""
    simulated, carry = simulate(plan), Carry()
    rows, levels = [], []
    for view in observed(simulated.home, simulated.days()):
        level, carry = levels_of(view, carry)
        rows.append(view.row)
        levels.append(level)
    return rows, levels


def draws(plans: Iterable[Plan]) -> Iterator[Draw]:
    """Live through several plans."""
    return (drawn(plan) for plan in plans)

"""Where people show that they are, for how long, and which ways they go: folded by day, and put side by side."""

from typing import Final

import numpy as np

from quotidian.detect.dayrow import DayRow, token_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.things import PASSING, is_sign, tells
from quotidian.model import Carry, Home, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_SECONDS, wall_seconds

HOURS: Final = 24
#: Who is in a room for less than that (seconds) only walks through.
_STOP_SECONDS: Final = 60
_NONE: Final = np.zeros(0, np.int64)
#: A way that nobody went that day.
NEVER: Final = 2 * DAY_SECONDS


def signs(day: DayView, carry: Carry) -> tuple[tuple[str, ...], Ints, Ints]:
    """Give areas, and when (elapsed second) in which of them something tells that somebody is there; in order."""
    found = [area_of(day.home, name) for name in day.entities]
    areas = tuple(sorted({area for area in found if area} | set(carry.words)))
    rank = {area: number for number, area in enumerate(areas)}
    where = np.array([rank[area] if area else -1 for area in found], np.int64)
    changes = day.changes
    tokens, token = np.unique(changes.entity * len(day.states) + changes.after, return_inverse=True)
    pairs = [divmod(one, len(day.states)) for one in tokens.tolist()]
    telling = [is_sign(day.home, token_of(day.entities[entity], day.states[after])) for entity, after in pairs]
    sign = changes.learned & (where[changes.entity] >= 0) & np.array(telling, bool)[token.reshape(-1)]
    second, area = changes.second[sign], where[changes.entity[sign]]
    if carry:
        second = np.append(carry["instant"] - day.row.start, second)
        area = np.append(rank[carry.words[0]], area)
    order = np.lexsort((area, second))
    return areas, second[order], area[order]


def runs_of(second: Ints, area: Ints, length: int) -> tuple[Ints, Ints, Ints, Bools]:
    """Unite signs that follow one another in an area: first and last sign (elapsed seconds), area, and if it is a stop.

    Where the next sign elsewhere comes within a minute, somebody only walked through.
    """
    runs = np.flatnonzero(np.diff(area, prepend=-1) != 0)
    begun, last = second[runs], second[np.append(runs[1:], area.size) - 1]
    return begun, last, area[runs], np.append(begun[1:], length) - begun >= _STOP_SECONDS


def ways_gone(begun: Ints, last: Ints, stopped: Ints, size: int, cap: int) -> tuple[Ints, Ints]:
    """Give when (elapsed second) somebody came from one stop to the next, and which way (from * size + to) that was."""
    went = (np.diff(stopped) != 0) & (begun[1:] - last[:-1] <= cap) & (begun[1:] >= 0)
    return begun[1:][went], stopped[:-1][went] * size + stopped[1:][went]


def area_of(home: Home, entity_id: str) -> str | None:
    """Give the area of an entity that tells where somebody is."""
    area = home.area_of(entity_id)
    return area.id if area and tells(home, entity_id) else None


def hours_shown(row: DayRow) -> tuple[Ints, Ints]:
    """Give the elapsed seconds between which the wall clock shows one hour, and these hours: one fewer."""
    turns = [np.arange(-shift % 3600, row.seconds, 3600) for _, shift in row.clock]
    starts = [since for since, _ in row.clock if since < row.seconds]
    edges = np.unique(np.concatenate([*turns, starts, [0, row.seconds]])).astype(np.int64)
    return edges, wall_seconds(row.clock, edges[:-1]) // 3600 % HOURS


def packed(
    areas: tuple[str, ...] = (),
    dwelt: Ints = _NONE,
    ways: Ints = _NONE,
    since: Ints = _NONE,
    runs: tuple[Ints, Ints] = (_NONE, _NONE),
) -> Integers:
    """Pack seconds by (area, hour), ways by (from, to, hour) with the first of each, stops and passings by area.

    What is zero is left out.
    """
    spans, steps = np.flatnonzero(dwelt), np.flatnonzero(ways)
    seen = np.flatnonzero(runs[0] + runs[1])
    size = max(len(areas), 1)
    return Integers(
        areas,
        {
            "area": spans // HOURS,
            "hour": spans % HOURS,
            "seconds": dwelt[spans],
            "from": steps // HOURS // size,
            "to": steps // HOURS % size,
            "at": steps % HOURS,
            "count": ways[steps],
            "since": since,
            "room": seen,
            "stops": runs[0][seen],
            "passed": runs[1][seen],
        },
    )


def dwell(folded: list[Integers], areas: tuple[str, ...]) -> Ints:
    """Give the seconds by day, area and hour: shape (days, areas, 24)."""
    rank = {area: number for number, area in enumerate(areas)}
    seconds = np.zeros((len(folded), len(areas), HOURS), np.int64)
    for place, day in enumerate(folded):
        number = np.array([rank.get(word, 0) for word in day.words], np.int64)
        if day["area"].size:
            seconds[place, number[day["area"]], day["hour"]] = day["seconds"]
    return seconds


def first_ways(folded: list[Integers], areas: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Give when somebody first went from area to area in each hour, and how often: shapes (days, from, to, 24)."""
    rank = {area: number for number, area in enumerate(areas)}
    first = np.full((len(folded), len(areas), len(areas), HOURS), NEVER, np.int64)
    count = np.zeros(first.shape, np.int64)
    for place, day in enumerate(folded):
        number = np.array([rank.get(word, 0) for word in day.words], np.int64)
        if day["from"].size:
            cells = (place, number[day["from"]], number[day["to"]], day["at"])
            first[cells], count[cells] = day["since"], day["count"]
    return first, count


def watched(home: Home, areas: tuple[str, ...]) -> Bools:
    """Tell in which areas a sensor sees people: shape (areas,); all areas, when there are less than two such.

    A lamp can be switched from another room, so it tells of its own only where there is nothing better.
    """
    seeing = {one.area for name in home.entities if (one := home.entity(name)).device_class in PASSING}
    sees = np.array([area in seeing for area in areas], bool)
    return sees if sees.sum() >= 2 else np.ones(len(areas), bool)


def passages(folded: list[Integers], areas: tuple[str, ...]) -> Bools:
    """Tell through which areas people mostly walk without a stop: shape (areas,)."""
    rank = {area: number for number, area in enumerate(areas)}
    total = np.zeros((2, len(areas)), np.int64)
    for day in folded:
        number = np.array([rank.get(word, 0) for word in day.words], np.int64)
        if day["room"].size:
            np.add.at(total[0], number[day["room"]], day["stops"])
            np.add.at(total[1], number[day["room"]], day["passed"])
    return np.asarray(total[1] > total[0])


def observed(history: History, areas: tuple[str, ...]) -> Bools:
    """Tell on which days something of each area was observed for most of the day: shape (days, areas)."""
    entities = sorted(frozenset().union(*(row.present for row in history.rows)))
    seen = np.zeros((len(history.rows), len(areas)), bool)
    for name in entities:
        area = area_of(history.home, name)
        if area in areas:
            seen[:, areas.index(area)] |= history.cells(name).mean(axis=1) > 0.5
    return seen

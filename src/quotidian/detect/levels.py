"""The contexts of a day: temperature, light and presence at the beginning of each hour, and the sun."""

from typing import Final

import numpy as np

from quotidian.detect.dayrow import DayRow
from quotidian.detect.dayview import DayView
from quotidian.model import Carry, Home, Integers
from quotidian.model.arrays import Floats, Ints
from quotidian.model.day import wall_seconds
from quotidian.model.home import domain_of

PRESENCE: Final = "presence"  #: the context that is no entity: how many persons are at home
SUN: Final = "sun"  #: the context that is no entity, too: how far the sun is from rising or setting
UNKNOWN_LEVEL: Final = -(1 << 15)
DAY_HOURS: Final = 24

_STALE_SECONDS: Final = 86_400  #: a reading older than that says nothing


def levels_of(day: DayView, carry: Carry) -> tuple[Integers, Carry]:
    """Give each context's level at the beginning of each wall hour; hand on the last readings and who is where.

    The words are the contexts, sorted; the column ``level`` holds 24 levels for each: half degrees Celsius, powers of
    two of a lux, or persons at home; ``UNKNOWN_LEVEL`` where the clock skips the hour or nothing fresh was read. The
    sun's are the tenths of a minute from the hour's middle to the nearer of sunrise and sunset, negative in the dark.
    """
    hours, seconds = _hour_starts(day.row)
    levels, last = _readings(day, _read(carry, "sensor"), seconds)
    persons, home = _persons(day, _read(carry, "person"), seconds)
    if persons is not None:
        levels[PRESENCE] = persons
    rise, fall = day.row.sun("sunrise"), day.row.sun("sunset")
    if rise is not None and fall is not None:
        levels[SUN] = _light(seconds + 1_800, rise, fall)
    contexts = tuple(sorted(levels))
    table = np.full((len(contexts), DAY_HOURS), UNKNOWN_LEVEL, np.int64)
    for place, context in enumerate(contexts):
        table[place, hours] = levels[context]
    return Integers(contexts, {"level": table.reshape(-1)}), _handed_on(last, home)


def _hour_starts(row: DayRow) -> tuple[Ints, Ints]:
    """Give the wall hours that the day showed, and the elapsed second at which each was first shown."""
    seconds = np.arange(0, row.seconds, 60)
    hours, first = np.unique(wall_seconds(row.clock, seconds) // 3600, return_index=True)
    shown = (hours >= 0) & (hours < DAY_HOURS)
    return hours[shown], seconds[first[shown]]


def _light(seconds: Ints, rise: int, fall: int) -> Ints:
    """Give the tenths of a minute to the nearer of sunrise and sunset at elapsed seconds, negative while it is down."""
    up = (rise <= seconds) & (seconds < fall) if rise <= fall else (rise <= seconds) | (seconds < fall)
    near = np.minimum(np.abs(seconds - rise), np.abs(seconds - fall)) // 6
    return np.where(up, near, -1 - near)


def light_at(levels: Ints, minutes: Floats) -> Floats:
    """Give the sun's level at wall minutes from its levels in the middles of hours: (days, 24) to (days, minutes).

    Not a number where the clock skips one of the two hours around a minute. Between two hours the level is a straight
    line wherever the sun rises or sets.
    """
    hour = np.clip((minutes - 30) // 60, 0, DAY_HOURS - 2).astype(np.int64)
    part = (minutes - 30 - 60 * hour) / 60
    known = (levels[:, hour] != UNKNOWN_LEVEL) & (levels[:, hour + 1] != UNKNOWN_LEVEL)
    return np.where(known, (1 - part) * levels[:, hour] + part * levels[:, hour + 1], np.nan)


def _readings(
    day: DayView, carried: dict[str, tuple[int, int]], seconds: Ints
) -> tuple[dict[str, Ints], dict[str, tuple[int, int]]]:
    """Give each sensor's level at elapsed seconds, and its last level with the second since 1970-01-01 UTC."""
    start, levels, last = day.row.start, {}, dict(carried)
    bounds = np.searchsorted(day.samples.entity, np.arange(len(day.entities) + 1))
    for place, name in enumerate(day.entities):
        if not _measures(day.home, name) or (bounds[place] == bounds[place + 1] and name not in carried):
            continue
        chosen = slice(bounds[place], bounds[place + 1])
        known = _level(day.home, name, day.samples.value[chosen])
        before, since = carried.get(name, (UNKNOWN_LEVEL, start - _STALE_SECONDS))
        known = np.concatenate([[before], known])
        times = np.concatenate([[since - start], day.samples.second[chosen]])
        row = np.maximum(np.searchsorted(times, seconds, "right") - 1, 0)
        levels[name] = np.where(seconds - times[row] < _STALE_SECONDS, known[row], UNKNOWN_LEVEL)
        last[name] = int(known[-1]), int(times[-1]) + start
    return levels, {name: place for name, place in last.items() if _fresh(day, place[1])}


def _fresh(day: DayView, second: int) -> bool:
    return day.row.start + day.row.seconds - second < _STALE_SECONDS


def _measures(home: Home, entity_id: str) -> bool:
    device_class = home.entity(entity_id).device_class
    return domain_of(entity_id) == "sensor" and device_class in ("temperature", "illuminance")


def _level(home: Home, entity_id: str, values: Floats) -> Ints:
    """Give readings in half degrees Celsius, or in powers of two of a lux."""
    entity = home.entity(entity_id)
    if entity.device_class == "illuminance":
        return np.frexp(np.clip(values, 0.5, 1e9))[1].astype(np.int64)
    celsius = (values - 32) / 1.8 if entity.unit == "°F" else values - (273.15 if entity.unit == "K" else 0)
    return np.floor(2 * np.clip(celsius, -300, 5000) + 0.5).astype(np.int64)


def _persons(day: DayView, carried: dict[str, tuple[int, int]], seconds: Ints) -> tuple[Ints | None, dict[str, int]]:
    """Give how many persons are at home at elapsed seconds, and who is at midnight."""
    home = {name: there for name, (there, _) in carried.items()}
    count, changes = np.zeros(seconds.size, np.int64), day.changes
    for place, name in enumerate(day.entities):
        if domain_of(name) != "person":
            continue
        rows = np.flatnonzero(changes.entity == place)
        if not rows.size:
            count += home.get(name, 0)
            continue
        states = [day.states[changes.before[rows[0]]], *(day.states[state] for state in changes.after[rows].tolist())]
        there = np.array([state == "home" for state in states], np.int64)
        count += there[np.searchsorted(changes.second[rows], seconds, "right")]
        home[name] = int(there[-1])
    return (count if home else None), home


def _read(carry: Carry, kind: str) -> dict[str, tuple[int, int]]:
    if not carry:
        return {}
    columns = (carry[f"{kind}{column}"].tolist() for column in ("", "_value", "_second"))
    return {carry.words[name]: (value, second) for name, value, second in zip(*columns, strict=True)}


def _handed_on(last: dict[str, tuple[int, int]], home: dict[str, int]) -> Carry:
    persons = {name: (there, 0) for name, there in home.items()}
    words = tuple(sorted({*last, *persons}))
    rank = {word: number for number, word in enumerate(words)}
    columns = {}
    for kind, places in (("sensor", last), ("person", persons)):
        columns[kind] = [rank[name] for name in sorted(places)]
        columns[f"{kind}_value"] = [places[name][0] for name in sorted(places)]
        columns[f"{kind}_second"] = [places[name][1] for name in sorted(places)]
    return Carry(words, columns)

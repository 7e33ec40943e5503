"""What people did by weekday and hour: the week and the rooms."""

from typing import Final

import msgspec
import numpy as np

from quotidian.detect import History
from quotidian.detect.dayrow import entity_of
from quotidian.detect.words import clock, plain
from quotidian.model.arrays import Floats, Ints

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HALF_HOURS: Final = 48
LEVELS: Final = 6  #: shades of a heat map above "nothing"

_BENT: Final = 0.7  #: the power of a value in its shade
_NOT_SHOWN: Final = -1


class Cell(msgspec.Struct, frozen=True):
    """One cell of a heat map: column, row, shade from 0 to ``LEVELS`` and what it says."""

    x: int
    y: int
    level: int
    title: str


class Daylight(msgspec.Struct, frozen=True):
    """Sunrise and sunset over all days, in minutes of the wall clock: the earliest and the latest of each."""

    sunrise: tuple[int, int]
    sunset: tuple[int, int]

    @property
    def words(self) -> str:
        """The two spans in words."""
        return f"Sunrise {_between(self.sunrise)}, sunset {_between(self.sunset)}"


class Week(msgspec.Struct, frozen=True):
    """The heat map of the week, with the same numbers as text: by half hour, one for each weekday.

    ``unseen`` names the weekdays of which there was none yet.
    """

    cells: tuple[Cell, ...]
    table: tuple[tuple[str, tuple[str, ...]], ...]
    busiest: str
    unseen: tuple[str, ...]
    daylight: Daylight | None


class Room(msgspec.Struct, frozen=True):
    """One room's row of the heat map. Shades are by its own busiest hour; ``daily`` is its changes on a day."""

    name: str
    cells: tuple[Cell, ...]
    daily: str
    table: tuple[str, ...]


def week(history: History) -> Week | None:
    """Draw the week; ``None`` when nothing was done."""
    counts, days = _by_weekday(history)
    total = counts.sum()
    if not total:
        return None
    mean = counts / np.maximum(days, 1)[:, None]
    levels = np.where(days[:, None] > 0, shades(mean), _NOT_SHOWN)
    cells = [
        Cell(slot, day, int(levels[day, slot]), f"{WEEKDAYS[day]} {_slot(slot)}: {_mean(mean[day, slot])}")
        for day in range(7)
        for slot in range(HALF_HOURS)
        if levels[day, slot] != _NOT_SHOWN
    ]
    top_day, top_slot = (int(place) for place in np.unravel_index(np.argmax(mean), mean.shape))
    table = tuple(
        (_slot(slot), tuple(f"{mean[day, slot]:.1f}" if days[day] else "–" for day in range(7)))
        for slot in range(HALF_HOURS)
    )
    busiest = f"{WEEKDAYS[top_day]}s, {_slot(top_slot)}"
    unseen = tuple(f"{WEEKDAYS[day]}s" for day in range(7) if not days[day])
    return Week(tuple(cells), table, busiest, unseen, daylight(history))


def rooms(history: History) -> list[Room]:
    """Draw each area by the hour, the busiest first; nothing where no entity has an area."""
    counts: dict[str, Ints] = {}
    for row in history.rows:
        hours = np.clip(row.wall // 3600, 0, 23)
        learned = row.learned
        for number, token in enumerate(row.tokens):
            area = history.home.area_of(entity_of(token))
            if area is not None:
                hit = hours[learned & (row.token == number)]
                counts[area.name] = counts.get(area.name, np.zeros(24, np.int64)) + np.bincount(hit, minlength=24)
    order = sorted((name for name in counts if counts[name].any()), key=lambda name: (-int(counts[name].sum()), name))
    return [_room(plain(name), counts[name] / len(history.rows)) for name in order]


def daylight(history: History) -> Daylight | None:
    """Give the spans of sunrise and sunset, where the home's place is known and the sun rises and sets."""
    spans = []
    for event in ("sunrise", "sunset"):
        minutes = history.sun(event)
        minutes = minutes[minutes >= 0]
        if not minutes.size:
            return None
        spans.append((int(minutes.min()), int(minutes.max())))
    return Daylight(*spans)


def shades(values: Floats) -> Ints:
    """Turn values into shades from 0 to ``LEVELS`` drawn together at the top, so that quiet hours can be told apart."""
    top = float(values.max(initial=0))
    if not top:
        return np.zeros(values.shape, np.int64)
    return np.ceil(LEVELS * (values / top) ** _BENT).astype(np.int64)


def _room(name: str, mean: Floats) -> Room:
    levels = shades(mean)
    cells = tuple(
        Cell(hour, 0, int(levels[hour]), f"{name} {hour:02d}:00–{hour + 1:02d}:00: {_mean(mean[hour])}")
        for hour in range(24)
    )
    return Room(name, cells, _rough(float(mean.sum())), tuple(_rough(value) for value in mean.tolist()))


def _by_weekday(history: History) -> tuple[Ints, Ints]:
    """Count the learned changes by weekday and half hour, shape (7, 48), and the days of each weekday, shape (7,)."""
    counts, days = np.zeros((7, HALF_HOURS), np.int64), np.zeros(7, np.int64)
    for row in history.rows:
        weekday = (row.ordinal + 6) % 7
        counts[weekday] += half_hours(row.wall[row.learned])
        days[weekday] += 1
    return counts, days


def half_hours(wall: Ints) -> Ints:
    """Count wall seconds by half hour: shape (48,)."""
    return np.bincount(np.clip(wall // 1800, 0, HALF_HOURS - 1), minlength=HALF_HOURS)


def _slot(slot: int) -> str:
    return f"{clock(slot * 30)}–{clock(slot * 30 + 30)}"


def _mean(value: float) -> str:
    return "nothing" if not value else f"{_rough(value)} changes a day"


def _rough(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def _between(span: tuple[int, int]) -> str:
    low, high = span
    return clock(low) if high - low < 2 else f"{clock(low)} to {clock(high)}"

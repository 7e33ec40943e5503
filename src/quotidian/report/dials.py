"""A 24-hour clock for each time of day, and how that time moved."""

import datetime as dt
import math
from typing import Any, Final

import msgspec
import numpy as np

from quotidian.detect import History
from quotidian.detect.dayrow import entity_of
from quotidian.detect.statistics import around
from quotidian.detect.words import clock
from quotidian.model import Pattern
from quotidian.model.arrays import Floats, Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.report.wording import brief

CENTRE: Final = 100.0  #: of the dial, whose picture is 200 wide and high
RING: Final = (64.0, 80.0)  #: the radii between which days are ticked
OUTER: Final = 87.0  #: the radius of the arc of usual times
_LEAST_SPAN: Final = 60  #: a strip shows an hour at the least, lest minutes look like drift


class Strip(msgspec.Struct, frozen=True):
    """How a time moved over the days: paths in a box of (``width`` days) × 100, and what its edges mean."""

    width: int
    kept: str
    missed: str
    course: str
    low: str
    high: str
    first: str
    last: str


class Dial(msgspec.Struct, frozen=True):
    """One clock: SVG paths, and the words in and under it. ``time`` is the wall time on the last day."""

    pattern: Pattern
    time: str
    spread: str
    reference: str
    night: str
    arc: str
    ticks: tuple[str, ...]
    strip: Strip | None
    order: float


def dial(history: History, pattern: Pattern) -> Dial | None:
    """Draw the clock of a time-of-day habit; ``None`` when its measures do not tell a time."""
    measures = pattern.finding.measures
    if not isinstance(measures.get("minute"), int | float):
        return None
    reference = str(measures.get("reference", "clock"))
    ordinals, wall, usual = _times(history, measures, reference)
    known = pattern.finding.anchor if pattern.finding.anchor is not None else measures["minute"]
    centre = float(usual[-1]) if usual.size else float(known)
    width = min(max(float(measures.get("width", 0)), 4.0), DAY_MINUTES / 2 - 1)
    return Dial(
        pattern=pattern,
        time=clock(centre),
        spread=f"± {round(float(measures.get('width', 0)))} min",
        reference=reference,
        night=_night(history),
        arc=arc(OUTER, centre - width, centre + width),
        ticks=tuple(tick(minute) for minute in wall.tolist()),
        strip=_strip(history, pattern, ordinals, wall, usual) if len(ordinals) > 1 else None,
        order=centre % DAY_MINUTES,
    )


def point(radius: float, minute: float) -> str:
    """Give the place of a minute of the day on a circle: noon is up, midnight down.

    >>> point(50, 720), point(50, 0), point(50, 1080)
    ('100 50', '100 150', '150 100')
    """
    angle = (minute - DAY_MINUTES / 2) / DAY_MINUTES * math.tau
    return f"{short(CENTRE + radius * math.sin(angle))} {short(CENTRE - radius * math.cos(angle))}"


def arc(radius: float, start: float, end: float) -> str:
    """Give the path along a circle from one minute to a later one.

    >>> arc(50, 720, 1080)
    'M100 50A50 50 0 0 1 150 100'
    """
    large = int(end - start > DAY_MINUTES / 2)
    return f"M{point(radius, start)}A{short(radius)} {short(radius)} 0 {large} 1 {point(radius, end)}"


def tick(minute: float) -> str:
    """Give the path of one day's tick across the ring."""
    return f"M{point(RING[0], minute)}L{point(RING[1], minute)}"


def short(value: float) -> str:
    """Write a coordinate with no more digits than can be seen.

    >>> short(12.0), short(3.14159), short(-0.001)
    ('12', '3.1', '0')
    """
    return f"{round(value, 1) + 0.0:g}"


def _times(history: History, measures: dict[str, Any], reference: str) -> tuple[list[int], Floats, Floats]:
    """Give the kept days, their times and the usual time on each of them, in minutes of the wall clock."""
    times, dates = measures.get("times", []), measures.get("dates", [])
    sun = _sun(history, reference)
    pairs = [(int(day), float(time)) for day, time in zip(dates, times, strict=False) if sun is None or int(day) in sun]
    ordinals = [day for day, _ in pairs]
    shift = np.array([0 if sun is None else sun[day] for day in ordinals], np.float64)
    minute = float(measures["minute"])
    near = minute + around(np.array([time for _, time in pairs], np.float64), minute)
    return ordinals, near + shift, minute + shift


def _sun(history: History, reference: str) -> dict[int, int] | None:
    """Give the minute of the sun's event by day for a habit that keeps to the sun."""
    if reference not in ("sunrise", "sunset"):
        return None
    events = zip(history.ordinals.tolist(), history.sun(reference).tolist(), strict=True)
    return {ordinal: minute for ordinal, minute in events if minute >= 0}


def _night(history: History) -> str:
    """Give the arc from the last day's sunset to its sunrise, empty where the sun's times are not known."""
    if not history.rows:
        return ""
    sunrise, sunset = int(history.sun("sunrise")[-1]), int(history.sun("sunset")[-1])
    if sunrise < 0 or sunset < 0:
        return ""
    return arc(sum(RING) / 2, sunset, sunrise + DAY_MINUTES if sunrise < sunset else sunrise)


def _strip(history: History, pattern: Pattern, ordinals: list[int], wall: Floats, usual: Floats) -> Strip:
    first, last = ordinals[0], ordinals[-1]
    if history.rows:
        first, last = min(first, history.rows[0].ordinal), max(last, history.rows[-1].ordinal)
    seen = np.concatenate([wall, usual])
    middle = (float(seen.min()) + float(seen.max())) / 2
    half = max(float(np.ptp(seen)) * 0.6, _LEAST_SPAN / 2)

    def at(day: int, minute: float) -> str:
        return f"{day - first + 0.5:g} {short(88 * (middle + half - minute) / (2 * half))}"

    course = "L".join(at(day, minute) for day, minute in zip(ordinals, usual.tolist(), strict=True))
    return Strip(
        width=last - first + 1,
        kept="".join(f"M{at(day, minute)}h0" for day, minute in zip(ordinals, wall.tolist(), strict=True)),
        missed="".join(f"M{day - first + 0.5:g} 96v4" for day in _missed(history, pattern, set(ordinals))),
        course=f"M{course}",
        low=clock(middle - half),
        high=clock(middle + half),
        first=brief(dt.date.fromordinal(first)),
        last=brief(dt.date.fromordinal(last)),
    )


def _missed(history: History, pattern: Pattern, kept: set[int]) -> list[int]:
    """Give the days of the habit's class on which its entity was observed and the habit was not kept."""
    finding = pattern.finding
    mask = history.classes.get(str(finding.measures.get("days", "all")))
    if mask is None or not history.rows:
        return []
    seen: Ints = history.ordinals[mask & history.present(entity_of(finding.subject[0]))]
    return [day for day in seen.tolist() if day not in kept]

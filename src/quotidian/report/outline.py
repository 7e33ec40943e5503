"""An ordinary day as a skyline: how much people did by the hour."""

import msgspec
import numpy as np

from quotidian.detect import History
from quotidian.model.arrays import Floats, Ints
from quotidian.report.activity import HALF_HOURS, half_hours
from quotidian.report.dials import short


class Outline(msgspec.Struct, frozen=True):
    """Curves in a box of 48 half hours × 100: paths, empty where no such day was seen.

    ``sunrise`` and ``sunset`` are those of the last day, in half hours; ``None`` where there are none.
    """

    weekdays: str
    weekends: str
    sunrise: float | None
    sunset: float | None


def outline(history: History) -> Outline | None:
    """Draw an ordinary weekday and an ordinary free day; ``None`` when nothing was done."""
    if not history.rows:
        return None
    counts = np.stack([half_hours(row.wall[row.learned]) for row in history.rows])
    if not counts.any():
        return None
    weekdays, weekends = (_mean(counts[history.classes[name]]) for name in ("weekdays", "weekends"))
    top = max(float(weekdays.max()), float(weekends.max()))
    sunrise, sunset = (int(history.sun(event)[-1]) for event in ("sunrise", "sunset"))
    lit = sunrise >= 0 and sunset >= 0
    return Outline(
        weekdays=_path(weekdays / top) if weekdays.any() else "",
        weekends=_path(weekends / top) if weekends.any() else "",
        sunrise=round(sunrise / 30, 2) if lit else None,
        sunset=round(sunset / 30, 2) if lit else None,
    )


def _mean(counts: Ints) -> Floats:
    """Average over days and smooth over an hour and a half, around midnight."""
    if not len(counts):
        return np.zeros(HALF_HOURS)
    mean = counts.mean(axis=0)
    return np.asarray(0.25 * np.roll(mean, 1) + 0.5 * mean + 0.25 * np.roll(mean, -1))


def _path(heights: Floats) -> str:
    """Draw a smooth curve through the middles of the half hours, past both edges: Catmull and Rom's, as Béziers."""
    y = 97 - 92 * np.concatenate([heights[-2:], heights, heights[:2]])
    x = np.arange(y.size) - 1.5
    slope = (y[2:] - y[:-2]) / 6  # at the points from the second to the last but one
    out, into = np.minimum(y[1:-1] + slope, 98), np.minimum(y[1:-1] - slope, 98)
    curve = [
        f"C{short(x[place] + 1 / 3)} {short(out[place - 1])} {short(x[place + 1] - 1 / 3)} {short(into[place])}"
        f" {short(x[place + 1])} {short(y[place + 1])}"
        for place in range(1, y.size - 2)
    ]
    return f"M{short(x[1])} {short(y[1])}" + "".join(curve)

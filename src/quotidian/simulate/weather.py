"""What happens outside: the sun and the weather."""

import datetime as dt
from functools import lru_cache

import numpy as np
from astral import Observer
from astral.sun import elevation, sunrise, sunset
from numpy.typing import NDArray

from quotidian.model import Day
from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND, instant, moment
from quotidian.simulate.chance import chance
from quotidian.simulate.plan import Plan

_DAY = 86_400 * SECOND
SKIES = ("sunny", "partlycloudy", "cloudy", "rainy")


class Weather:
    """Sun and weather over a plan's home; every day can be asked for by itself."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._observer = Observer(plan.latitude, plan.longitude)
        self.sun = lru_cache(maxsize=64)(self._sun)
        self._skies = lru_cache(maxsize=4)(self._skies_of)
        self._anomaly = lru_cache(maxsize=256)(self._unlike_the_season)

    def _sun(self, day: Day) -> tuple[int, int]:
        """Give sunrise and sunset in µs; a day without them is all light or all dark."""
        noon = Day.of(day.date, day.zone).start + _DAY // 2
        try:
            rise = instant(sunrise(self._observer, day.date, tzinfo=dt.UTC))
            fall = instant(sunset(self._observer, day.date, tzinfo=dt.UTC))
        except ValueError:
            light = elevation(self._observer, moment(noon)) > 0
            return (day.start, day.end - 1) if light else (noon, noon)
        # Far from the zone's meridian the UTC date's sunrise may belong to a neighbouring local day.
        rise = day.start + (rise - day.start) % _DAY
        return rise, rise + (fall - rise) % _DAY

    def dark(self, time: int, day: Day) -> bool:
        """Tell whether the sun is below the horizon at an instant of (or shortly after) a day."""
        rise, fall = self.sun(day)
        if time < day.end:
            return not rise <= time < fall
        rise, fall = self.sun(day.shifted(1))
        return not rise <= time < fall

    def temperature(self, times: Ints) -> NDArray[np.float64]:
        """Give the outdoor temperature (°C) at instants (µs)."""
        days = times / _DAY
        since = (self._plan.longitude / 360 + days) % 1
        winter = np.cos(2 * np.pi * (days - 19.0) / 365.2425)
        season = 10.5 - 7.5 * winter * np.sign(self._plan.latitude or 1)
        first, last = int(days.min()) if days.size else 0, int(days.max()) + 1 if days.size else 1
        known = np.arange(first, last + 1)
        anomaly = np.interp(days, known, [self._anomaly(int(number)) for number in known])
        return np.asarray(season + anomaly + 3.5 * np.cos(2 * np.pi * (since - 0.63)), np.float64)

    def temperature_at(self, time: int) -> float:
        """Give the outdoor temperature (°C) at one instant (µs)."""
        return float(self.temperature(np.array([time], np.int64))[0])

    def sky(self, day: Day, part: int) -> str:
        """Give the weather's state in the n-th three hours of a day."""
        return SKIES[self._skies(day.ordinal)[part]]

    def _skies_of(self, ordinal: int) -> list[int]:
        rng = chance(self._plan.noise, "sky", ordinal)
        return list(rng.choice(4, size=9, p=[0.25, 0.3, 0.3, 0.15]).tolist())

    def _unlike_the_season(self, number: int) -> float:
        days = range(number - 7, number + 1)
        shocks = [chance(self._plan.noise, "weather", day).standard_normal() for day in days]
        return float(np.dot(shocks, 0.72 ** np.arange(7, -1, -1)) * 1.9)

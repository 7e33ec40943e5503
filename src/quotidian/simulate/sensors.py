"""Sensors that report numbers: the bulk of what a home says, and hardly ever an action."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from quotidian.model import Day
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import SECOND
from quotidian.simulate.chance import chance
from quotidian.simulate.house import House, Role, Thing
from quotidian.simulate.plan import Plan
from quotidian.simulate.usage import Usage
from quotidian.simulate.weather import Weather

Floats = NDArray[np.float64]

#: Events that people, automations and the sky make on an ordinary day: of a home, and of each thing in it.
_OTHERS: Final = {Role.MOTION: 70, Role.DEVICE: 2.2, Role.CHATTER: 260, Role.SUN: 42, Role.WEATHER: 28}
_DAY: Final = 86_400 * SECOND


class Readings(NamedTuple):
    """What meters reported: position of the meter, time (µs) and value in the meter's steps, row by row."""

    meter: Ints
    time: Ints
    value: Ints


class Scene(NamedTuple):
    """What a meter's value depends on, at each time (µs) at which it reports.

    ``hour`` counts from midnight, ``outdoor`` is the temperature there (°C), ``light`` the sun's height from 0 to 1,
    ``active`` whether its device runs, ``noise`` standard normal; ``own`` tells one meter from another, 0 to 1;
    ``level`` is the device's power (W), or the energy of a day (kWh).
    """

    hour: Floats
    day: Floats
    outdoor: Floats
    light: Floats
    active: Bools
    noise: Floats
    own: float
    level: float


#: What meters measure, by the name of their curve.
CURVES: Final[dict[str, Callable[[Scene], Floats]]] = {
    "outdoor": lambda s: s.outdoor + 0.12 * s.noise,
    "temperature": lambda s: 18.6 + 2 * s.own + 0.11 * s.outdoor + 0.7 * _daily(s.hour, 17) + 0.06 * s.noise,
    "humidity": lambda s: 46 + 12 * s.own - 0.2 * s.outdoor + 3 * _daily(s.hour, 11) + 0.5 * s.noise,
    "illuminance": lambda s: 2 + 900 * s.light * (0.5 + s.own) * (1 + 0.06 * s.noise),
    "power": lambda s: np.where(s.active, s.level * (1 + 0.04 * s.noise), 0.6 + 0.1 * np.abs(s.noise)),
    "mains": lambda s: 240 + 190 * _peak(s.hour, 18.8, 1.6) + 60 * np.abs(s.noise),
    "energy": lambda s: 900 * s.own + (s.day - 19_000) * s.level,
    "voltage": lambda s: 230.5 + 1.4 * _daily(s.hour, 9) + 0.5 * s.noise,
    "co2": lambda s: 520 + 260 * _peak(s.hour, 21.5, 2.2) + 12 * s.noise,
    "link": lambda s: 90 + 60 * s.own + 4 * s.noise,
}


def _daily(hour: Floats, top: float) -> Floats:
    return np.asarray(np.cos((hour - top) * np.pi / 12), np.float64)


def _peak(hour: Floats, top: float, width: float) -> Floats:
    return np.asarray(np.exp(-(((hour - top) / width) ** 2)), np.float64)


class Meters:
    """The meters of a home."""

    def __init__(self, plan: Plan, house: House, weather: Weather) -> None:
        self.things = house.of(Role.METER)
        self._plan, self._weather = plan, weather
        others = sum(_OTHERS.get(thing.role, 0) for thing in house.things.values())
        weight = sum(thing.weight for thing in self.things)
        spare = max(plan.events_per_day - others, 24 * weight)
        self._counts = [spare * thing.weight / weight for thing in self.things]
        self._own = [chance(plan.seed, thing.entity_id).random() for thing in self.things]

    def read(self, day: Day, usage: Usage) -> Readings:
        """Let every meter report through a day."""
        rng = chance(self._plan.noise, "meters", day.ordinal)
        times, values = [], []
        known = np.linspace(day.start, day.end, 49).astype(np.int64)
        outdoor = self._weather.temperature(known)
        for thing, count, own in zip(self.things, self._counts, self._own, strict=True):
            at = _times(day, count, rng)
            scene = Scene(
                hour=(at - day.start) / (3_600 * SECOND),
                day=at / _DAY,
                outdoor=np.interp(at, known, outdoor),
                light=self._light(at, day),
                active=_active(usage, thing.driver, at),
                noise=rng.standard_normal(at.size),
                own=own,
                level=max(thing.level, 0.004 * count) if thing.curve == "energy" else thing.level,
            )
            times.append(at)
            values.append(_reported(thing, CURVES[thing.curve](scene)))
        meter = np.repeat(np.arange(len(self.things)), [at.size for at in times])
        return Readings(meter, _joined(times), _joined(values))

    def _light(self, times: Ints, day: Day) -> Floats:
        rise, fall = self._weather.sun(day)
        height = np.clip((times - rise) / max(fall - rise, 1), 0, 1)
        return np.asarray(np.sin(height * np.pi), np.float64)


def _times(day: Day, mean: float, rng: Generator) -> Ints:
    """Report at nearly regular times, never twice in a moment, about so often in a day of 24 hours."""
    # An even number: values alternate between even and odd steps, from one day to the next as well.
    count = 2 * max(1, round(mean * rng.uniform(0.93, 1.07) * day.seconds / 172_800))
    places = (np.arange(count) + rng.random() * 0.25 + rng.random(count) * 0.35) / count
    return np.asarray(day.start + (places * (day.end - day.start)).astype(np.int64), np.int64)


def _reported(thing: Thing, level: Floats) -> Ints:
    """Count in the meter's steps. Only changes are reported: one report is never equal to the next."""
    if thing.curve == "energy":  # it only ever grows, by several steps between two reports
        return np.asarray(np.floor(level / thing.step), np.int64)
    even = 2 * np.floor(level / thing.step / 2).astype(np.int64)
    return np.asarray(even + np.arange(level.size) % 2, np.int64)


def _active(usage: Usage, device: str | None, times: Ints) -> Bools:
    uses = usage.of(device or "")
    starts, ends = (np.array([use[place] for use in uses], np.int64) for place in (1, 2))
    return np.searchsorted(starts, times, "right") > np.searchsorted(ends, times, "right")


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)

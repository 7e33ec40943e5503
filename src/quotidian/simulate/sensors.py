"""Sensors that report numbers: the bulk of what a home says, and hardly ever an action."""

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


class Meters:
    """The meters of a home."""

    def __init__(self, plan: Plan, house: House, weather: Weather) -> None:
        self.things = house.of(Role.METER)
        self._plan, self._weather = plan, weather
        others = sum(_OTHERS.get(thing.role, 0) for thing in house.things.values())
        weight = sum(thing.weight for thing in self.things)
        spare = max(plan.events_per_day - others, 24 * weight)
        self._counts = [max(2, 2 * round(spare * thing.weight / weight / 2)) for thing in self.things]

    def read(self, day: Day, usage: Usage) -> Readings:
        """Let every meter report through a day."""
        rng = chance(self._plan.noise, "meters", day.ordinal)
        outdoor_times = np.linspace(day.start, day.end, 49).astype(np.int64)
        outdoor = self._weather.temperature(outdoor_times)
        all_times, all_values = [], []
        for thing, count in zip(self.things, self._counts, strict=True):
            count = 2 * round(count * rng.uniform(0.93, 1.07) * day.seconds / 172_800)
            times = _times(day, count, rng)
            level = self._level(thing, times, day, usage, np.interp(times, outdoor_times, outdoor), rng)
            all_times.append(times)
            all_values.append(_reported(thing, level))
        sizes = [times.size for times in all_times]
        meter = np.repeat(np.arange(len(self.things)), sizes)
        return Readings(meter, _joined(all_times), _joined(all_values))

    def _level(self, thing: Thing, times: Ints, day: Day, usage: Usage, outdoor: Floats, rng: Generator) -> Floats:
        hour = (times - day.start) / (3_600 * SECOND)
        noise = rng.standard_normal(times.size)
        own = chance(self._plan.seed, thing.entity_id).random()
        match thing.curve:
            case "outdoor":
                return outdoor + 0.12 * noise
            case "temperature":
                return 18.6 + 2 * own + 0.11 * outdoor + 0.7 * np.sin((hour - 11) * np.pi / 12) + 0.06 * noise
            case "humidity":
                return 46 + 12 * own + 3 * np.sin((hour - 5) * np.pi / 12) - 0.2 * outdoor + 0.5 * noise
            case "illuminance":
                return self._light(times, day) * (0.5 + own) * (1 + 0.06 * noise) + 2
            case "power":
                on = _active(usage, thing.driver, times)
                return np.where(on, thing.level * (1 + 0.04 * noise), 0.6 + 0.1 * np.abs(noise))
            case "mains":
                return 240 + 190 * np.exp(-(((hour - 18.8) / 1.6) ** 2)) + 60 * np.abs(noise)
            case "energy":
                return 900 * own + (times / _DAY - 19_000) * (0.6 + 7 * own)
            case "voltage":
                return 230.5 + 1.4 * np.sin((hour - 3) * np.pi / 12) + 0.5 * noise
            case "co2":
                return 520 + 260 * np.exp(-(((hour - 21.5) / 2.2) ** 2)) + 12 * noise
        return 90 + 60 * own + 4 * noise

    def _light(self, times: Ints, day: Day) -> Floats:
        rise, fall = self._weather.sun(day)
        height = np.clip((times - rise) / max(fall - rise, 1), 0, 1)
        return 900 * np.asarray(np.sin(height * np.pi), np.float64)


def _times(day: Day, count: int, rng: Generator) -> Ints:
    """Report at nearly regular times: never twice in a moment."""
    places = (np.arange(count) + rng.random() * 0.3 + rng.random(count) * 0.6) / max(count, 1)
    return np.asarray(day.start + (places * (day.end - day.start)).astype(np.int64), np.int64)


def _reported(thing: Thing, level: Floats) -> Ints:
    """Count in the meter's steps. Only changes are reported: one report is never equal to the next."""
    if thing.curve == "energy":
        return np.floor(level / thing.step).astype(np.int64) + np.arange(level.size)
    return 2 * np.floor(
        np.maximum(level, 0) / thing.step / 2 if thing.curve != "outdoor" else level / thing.step / 2
    ).astype(np.int64) + (np.arange(level.size) & 1)


def _active(usage: Usage, device: str | None, times: Ints) -> Bools:
    uses = usage.of(device or "")
    starts, ends = (np.array([use[place] for use in uses], np.int64) for place in (1, 2))
    return np.searchsorted(starts, times, "right") > np.searchsorted(ends, times, "right")


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)

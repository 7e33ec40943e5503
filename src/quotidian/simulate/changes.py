"""What happened in a home as changes of states: who, when, to what, and why."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.random import Generator

from quotidian.model import CauseKind, Day
from quotidian.model.day import SECOND
from quotidian.model.home import domain_of
from quotidian.simulate.chance import chance
from quotidian.simulate.house import House, Role, Thing
from quotidian.simulate.lived import Lived
from quotidian.simulate.people import MINUTE
from quotidian.simulate.plan import Plan
from quotidian.simulate.usage import Use
from quotidian.simulate.weather import Weather


class Change(NamedTuple):
    """A state that was set at an instant (µs); ``attributes`` is a JSON object as text."""

    time: int
    entity_id: str
    state: str
    cause: CauseKind = CauseKind.PHYSICAL
    entity: str | None = None
    user: str | None = None
    attributes: str | None = None


def changes_of(plan: Plan, house: House, weather: Weather, lived: Lived) -> Iterator[Change]:
    """Give all changes of a lived day, in no order; some may lie in the days after it."""
    day = lived.diary.day
    rng = chance(plan.noise, "changes", day.ordinal)
    for use in lived.usage.new:
        yield from _of_use(house.things[use.device], use, weather, rng)
    for entity_id, spans in lived.movements.items():
        for start, end in spans:
            yield Change(start, entity_id, "on")
            yield Change(end, entity_id, "off")
    for thing in house.things.values():
        match thing.role:
            case Role.SUN:
                yield from _of_sun(thing, day, weather, rng)
            case Role.WEATHER:
                yield from _of_weather(thing, day, weather, rng)
            case Role.CHATTER:
                yield from _of_chatter(thing, day, rng)
            case Role.BATTERY:
                yield from _of_battery(thing, day, plan, rng)
            case _:
                pass


def _of_use(thing: Thing, use: Use, weather: Weather, rng: Generator) -> Iterator[Change]:
    who = (use.cause, use.entity, use.user)
    attributes = _attributes(thing, use.start, weather, rng)
    yield Change(use.start, thing.entity_id, thing.active, *who, _text(attributes))
    for time, changed in _adjustments(thing, use, attributes, rng):
        yield Change(time, thing.entity_id, thing.active, attributes=_text(attributes | changed))
    ended = who if use.ended_by is None else (CauseKind.AUTOMATION, use.ended_by, None)
    yield Change(use.end, thing.entity_id, thing.rest, *ended)


def _attributes(thing: Thing, time: int, weather: Weather, rng: Generator) -> dict[str, Any]:
    match domain_of(thing.entity_id):
        case "light":
            return {"brightness": int(rng.choice([64, 102, 153, 204, 255, 255]))}
        case "media_player":
            return {"volume_level": round(float(rng.uniform(0.15, 0.45)), 2), "media_title": _title(rng)}
        case "climate":
            indoors = 18.2 + 0.1 * weather.temperature_at(time)
            return {"temperature": 20.5, "current_temperature": round(indoors, 1), "hvac_action": "heating"}
        case "cover":
            return {"current_position": 100 if thing.active == "open" else 0}
        case "fan":
            return {"percentage": int(rng.choice([33, 66, 100]))}
    return {}


def _adjustments(
    thing: Thing, use: Use, attributes: dict[str, Any], rng: Generator
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Change what is set without changing the state: a lamp dimmed, the next programme, a room that warms."""
    domain, length = domain_of(thing.entity_id), use.end - use.start
    if domain == "light" and rng.random() < 0.12 and length > 4 * MINUTE:
        yield use.start + int(length * rng.uniform(0.2, 0.8)), {"brightness": int(rng.integers(10, 250))}
    every = {"media_player": 27, "climate": 18}.get(domain)
    if every is None:
        return
    time, warmer = use.start, 0.0
    while (time := time + round(every * rng.uniform(0.5, 1.5) * MINUTE)) < use.end - MINUTE:
        warmer += 0.3
        reached = round(min(attributes.get("current_temperature", 0) + warmer, 20.6), 1)
        warm = {"current_temperature": reached, "hvac_action": "idle" if reached > 20.5 else "heating"}
        yield time, warm if domain == "climate" else {"media_title": _title(rng)}


TITLES = (
    "Evening news", "A harbour in winter", "The long bake", "Cities at night", "Two detectives", "Morning concert",
    "Birds of the delta", "Quiz of the week", "Weather and traffic", "Late talk", "A house by the dyke", "Jazz hour",
)  # fmt: skip


def _title(rng: Generator) -> str:
    return TITLES[int(rng.integers(len(TITLES)))]


def _of_sun(thing: Thing, day: Day, weather: Weather, rng: Generator) -> Iterator[Change]:
    rise, fall = weather.sun(day)
    times = np.sort(rng.integers(day.start, day.end, 40)).tolist()
    for time in sorted({*times, rise, fall} - {day.end - 1}):
        state = "above_horizon" if rise <= time < fall else "below_horizon"
        yield Change(time, thing.entity_id, state, attributes=_text({"rising": time < (rise + fall) // 2}, time))


def _of_weather(thing: Thing, day: Day, weather: Weather, rng: Generator) -> Iterator[Change]:
    for hour in range(day.seconds // 3_600):
        time = day.start + round((hour * 3_600 + rng.uniform(60, 900)) * SECOND)
        report = {"temperature": round(weather.temperature_at(time), 1), "wind_speed": int(rng.integers(4, 38))}
        yield Change(time, thing.entity_id, weather.sky(day, hour // 3), attributes=_text(report))


def _of_chatter(thing: Thing, day: Day, rng: Generator) -> Iterator[Change]:
    for time in rng.integers(day.start, day.end - 3 * SECOND, int(rng.poisson(130))).tolist():
        yield Change(time, thing.entity_id, "on")
        yield Change(time + round(rng.uniform(0.4, 2.5) * SECOND), thing.entity_id, "off")


def _of_battery(thing: Thing, day: Day, plan: Plan, rng: Generator) -> Iterator[Change]:
    own = chance(plan.seed, thing.entity_id).random()
    left = 100 - ((day.ordinal + 400 * own) * (0.1 + 0.3 * own)) % 90
    yield Change(int(rng.integers(day.start, day.end)), thing.entity_id, str(round(left)))


def _text(attributes: dict[str, Any], stamp: int | None = None) -> str | None:
    if stamp is not None:
        attributes = attributes | {"azimuth": round(stamp // SECOND % 86_400 / 240, 1)}
    return msgspec.json.encode(attributes).decode() if attributes else None

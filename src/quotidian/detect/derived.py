"""What follows for an event from the stream of the others: sun, weather, presence, the kind of day, the state before.

It is read from the same columns as what the detectors see of a day: whoever looks at an event sees what they do.
"""

from typing import Final, Literal

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.detect.history import holidays_among
from quotidian.detect.stream import Stream, own, own_events, stream_of
from quotidian.detect.sun import is_up, sun_of
from quotidian.model import Carry, Day, Home
from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND
from quotidian.model.home import domain_of

Kind = Literal["weekday", "weekend", "holiday"]
_SATURDAY: Final = 5


class Derived(msgspec.Struct, frozen=True):
    """What follows for one event; ``None`` stands for what cannot be told.

    Parameters
    ----------
    daylight
        Whether the sun was above the horizon.
    since_sunrise, since_sunset
        Seconds since that day's sunrise and sunset, negative before them.
    weather
        The state of the home's weather entity at that time (of several, the first by id).
    at_home
        The persons that were at home, by entity id.
    day
        What kind of day it was; public holidays are those of the home's country.
    previous_state
        The state before the event; the same as the event's where only attributes changed.
    previous_seconds
        For how long that state had held.
    """

    daylight: bool | None
    since_sunrise: int | None
    since_sunset: int | None
    weather: str | None
    at_home: tuple[str, ...]
    day: Kind
    previous_state: str | None = None
    previous_seconds: float | None = None


def derived(events: pa.Table, day: Day, home: Home, before: Carry) -> list[Derived]:
    """Derive what follows for each event of a day, in the order in which they are given.

    Parameters
    ----------
    events
        All events of the day (a table of ``EVENT_SCHEMA``): who was at home follows from the others.
    day, home
        The day, and the home for its place, its zone and its country.
    before
        What the day before handed on to ``observe``; may be empty.
    """
    stream = stream_of(own_events(events), before)
    times = events["last_updated"].to_numpy().astype(np.int64)
    rows = np.full(times.size, -1, np.int64)
    rows[own(events)] = stream.place
    rise, fall = sun_of(day, home)
    weather = next((name for name in stream.entities if domain_of(name) == "weather"), None)
    skies = _states(stream, weather, times) if weather else [None] * times.size
    persons = [name for name in stream.entities if domain_of(name) == "person"]
    there = [[state == "home" for state in _states(stream, name, times)] for name in persons]
    kind = _kind(day, home)
    found = []
    for place, (time, row) in enumerate(zip(times.tolist(), rows.tolist(), strict=True)):
        second = (time - day.start) // SECOND
        state, seconds = _previous(stream, row)
        found.append(
            Derived(
                daylight=_daylight(home, time, second, rise, fall),
                since_sunrise=None if rise < 0 else second - rise,
                since_sunset=None if fall < 0 else second - fall,
                weather=skies[place],
                at_home=tuple(name for name, here in zip(persons, there, strict=True) if here[place]),
                day=kind,
                previous_state=state,
                previous_seconds=seconds,
            )
        )
    return found


def _states(stream: Stream, entity_id: str, times: Ints) -> list[str | None]:
    """Give an entity's state at each instant; ``None`` while it is not known."""
    number = stream.entities.index(entity_id)
    low, high = np.searchsorted(stream.entity, [number, number + 1])
    told = [stream.states.index(stream.past[number].state), *stream.state[low:high].tolist()]
    known = [stream.states[state] if stream.known[state] else None for state in told]
    return [known[row] for row in np.searchsorted(stream.time[low:high], times, "right").tolist()]


def _previous(stream: Stream, row: int) -> tuple[str | None, float | None]:
    """Give the state before a row and for how many seconds it had held, if there was one."""
    state = "" if row < 0 else stream.states[stream.before[row]]
    if not state:
        return None, None
    return state, (int(stream.time[row]) - int(stream.since[row])) / SECOND


def _daylight(home: Home, time: int, second: int, rise: int, fall: int) -> bool | None:
    if rise < 0 or fall < 0:
        return is_up(home, time)
    return rise <= second < fall if rise <= fall else not fall <= second < rise


def _kind(day: Day, home: Home) -> Kind:
    if holidays_among([day.date], home.country)[0]:
        return "holiday"
    return "weekend" if day.date.weekday() >= _SATURDAY else "weekday"

"""A home's days as a tape on which automations are replayed: in what state each entity was, and who put it there."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import msgspec
import numpy as np

from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.model import Home
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import wall_seconds
from quotidian.model.home import domain_of

#: What ``Track.state`` holds where nothing is known.
UNKNOWN: Final = -1


class Track(msgspec.Struct, frozen=True):
    """What became of a discrete entity, in columns sorted by ``instant`` (seconds since 1970-01-01 UTC).

    ``state`` is a position in ``states``, ``UNKNOWN`` from when it was not observed any more; ``before`` is the state
    until then. ``changed`` tells whether it changed at that instant: where it was not observed for a while it is back
    with the state that it had, and nobody did that. ``by_people`` tells whether people may have caused the change.
    """

    states: tuple[str, ...]
    instant: Ints
    state: Ints
    before: Ints
    changed: Bools
    by_people: Bools

    def at(self, instants: Ints) -> Ints:
        """Give the state at instants, as of just after them."""
        return np.append(UNKNOWN, self.state)[np.searchsorted(self.instant, instants, "right")]

    def known(self, instants: Ints) -> Bools:
        """Tell at which instants its state was known."""
        return np.asarray(self.at(instants) != UNKNOWN)

    def within(self, states: Sequence[str], instants: Ints) -> Bools:
        """Tell at which instants it was in one of some states."""
        wanted = np.array([name in states for name in self.states] + [False], bool)
        return np.asarray(wanted[self.at(instants)])

    def entering(self, state: str) -> Ints:
        """Give the rows at which it entered a state from another one."""
        return np.flatnonzero(self.changed & (self.state == self.number(state)))

    def leaving(self, state: str) -> Ints:
        """Give the rows at which it left a state for another one."""
        return np.flatnonzero(self.changed & (self.before == self.number(state)))

    def number(self, state: str) -> int:
        """Give the position of a state; one that it never had has a number of its own."""
        return self.states.index(state) if state in self.states else len(self.states)


class Readings(msgspec.Struct, frozen=True):
    """What a numeric entity read, in columns sorted by ``instant`` (seconds since 1970-01-01 UTC); NaN is unknown."""

    instant: Ints
    value: Floats

    def at(self, instants: Ints) -> Floats:
        """Give the reading at instants, NaN where none is known."""
        return np.append(np.nan, self.value)[np.searchsorted(self.instant, instants, "right")]


class _Told(NamedTuple):
    """When an entity entered which state (none: it was not observed any more), and who may have caused it."""

    instant: int
    state: str | None
    changed: bool = False
    by_people: bool = False


_UNREAD: Final = Readings(np.empty(0, np.int64), np.empty(0))


class Tape:
    """Some days of a home, side by side.

    Parameters
    ----------
    rows
        The shared rows, one a day, ascending; days may be missing.
    home
        The home.
    readings
        What numeric entities read, by entity id.
    """

    def __init__(self, rows: Sequence[DayRow], home: Home, readings: Mapping[str, Readings] | None = None) -> None:
        self.rows: Final = tuple(rows)
        self.home: Final = home
        self.readings: Final = dict(readings or {})
        self.start: Final[Ints] = np.array([row.start for row in rows], np.int64)
        self.end: Final[Ints] = np.array([row.start + row.seconds for row in rows], np.int64)
        self.ordinals: Final[Ints] = np.array([row.ordinal for row in rows], np.int64)
        self._tracks: Final[dict[str, Track]] = {}

    @property
    def size(self) -> int:
        """How many days there are."""
        return len(self.rows)

    @cached_property
    def entities(self) -> tuple[str, ...]:
        """Every discrete entity that was observed on some day."""
        return tuple(sorted(frozenset().union(*(row.present for row in self.rows))))

    def part(self, first: int, last: int) -> "Tape":
        """Give the days from one position to another (excluded), as if there had been no others."""
        return Tape(self.rows[first:last], self.home, self.readings)

    # time

    def day(self, instants: Ints) -> Ints:
        """Give the position of the day in which instants lie, -1 where it is none of the tape's."""
        place = np.searchsorted(self.start, instants, "right") - 1
        inside = (place >= 0) & (instants < np.append(self.end, 0)[place])
        return np.where(inside, place, -1)

    def wall(self, instants: Ints) -> Ints:
        """Give the wall second of instants that lie in days of the tape."""
        day, wall = self.day(instants), np.zeros(instants.size, np.int64)
        for place in np.unique(day).tolist():
            here = day == place
            wall[here] = wall_seconds(self.rows[place].clock, instants[here] - self.start[place])
        return wall

    def weekday(self, instants: Ints) -> Ints:
        """Give the weekday of instants that lie in days of the tape; 0 is Monday."""
        return (self.ordinals[self.day(instants)] + 6) % 7

    def clock(self, second: int) -> Ints:
        """Give the first instant of each day at which the wall clock showed a second; a day that skips it has none."""
        found = [_showing(row, second) for row in self.rows]
        return np.array([row.start + at for row, at in zip(self.rows, found, strict=True) if at is not None], np.int64)

    def sun(self, event: str, offset: int = 0) -> Ints:
        """Give the instant of each day's ``sunrise`` or ``sunset``, moved by some seconds."""
        seconds = [(row.start, row.sun(event)) for row in self.rows]
        return np.array([start + second + offset for start, second in seconds if second is not None], np.int64)

    def daylight(self, instants: Ints) -> Bools:
        """Tell at which instants the sun was up."""
        last = [
            np.append(-1, events)[np.searchsorted(events, instants, "right")]
            for events in (self.sun("sunrise"), self.sun("sunset"))
        ]
        return np.asarray(last[0] > last[1])

    # what happened

    def track(self, entity_id: str) -> Track:
        """Give what became of a discrete entity; nothing where it is not known."""
        if entity_id not in self._tracks:
            self._tracks[entity_id] = _track(self._told.get(entity_id, []), int(self.start[0]))
        return self._tracks[entity_id]

    def number(self, entity_id: str) -> Readings:
        """Give what a numeric entity read; nothing where it is not known."""
        return self.readings.get(entity_id, _UNREAD)

    def persons_at_home(self, instants: Ints) -> Ints:
        """Give how many persons were at home, -1 where nothing is known of anybody."""
        count, known = np.zeros(instants.size, np.int64), np.zeros(instants.size, bool)
        for track in (self.track(name) for name in self.entities if domain_of(name) == "person"):
            count += track.within(("home",), instants)
            known |= track.known(instants)
        return np.where(known, count, -1)

    @cached_property
    def _told(self) -> dict[str, list[_Told]]:
        """What was told of each entity, in order."""
        told: dict[str, list[_Told]] = {}
        until = -1
        for row in self.rows:
            for name in told if row.start != until else row.chatter:
                told.setdefault(name, []).append(_Told(row.start, None))
            for name, part in _told_on(row).items():
                told.setdefault(name, []).extend(part)
            for name, spans in row.gaps.items():
                _interrupt(told.setdefault(name, []), row.start, spans)
            until = row.start + row.seconds
        return told


def _told_on(row: DayRow) -> dict[str, list[_Told]]:
    told: dict[str, list[_Told]] = {}
    entities, states = [entity_of(token) for token in row.tokens], [state_of(token) for token in row.tokens]
    columns = (row.start + row.second, row.token, row.learned)
    for instant, token, by_people in zip(*(column.tolist() for column in columns), strict=True):
        told.setdefault(entities[token], []).append(_Told(instant, states[token], True, by_people))
    return told


def _interrupt(told: list[_Told], start: int, spans: list[tuple[int, int]]) -> None:
    """Put in when an entity was not observed, and that it came back as it was."""
    for first, last in spans:
        was = next((one.state for one in reversed(told) if one.instant <= start + first), None)
        told += [_Told(start + first, None), _Told(start + last, was)]
        told.sort(key=lambda one: one.instant)


def _track(told: list[_Told], start: int) -> Track:
    """Put what was told into columns, from the start of the tape on."""
    states = tuple(sorted({one.state for one in told if one.state is not None}))
    if len(states) == 2 and told[0].changed:  # where there are two, it came from the other one
        told = [_Told(start, states[told[0].state == states[0]]), *told]
    number = {state: place for place, state in enumerate(states)}
    state = np.array([UNKNOWN if one.state is None else number[one.state] for one in told], np.int64)
    return Track(
        states=states,
        instant=np.array([one.instant for one in told], np.int64),
        state=state,
        before=np.append(UNKNOWN, state[:-1]),
        changed=np.array([one.changed for one in told], bool),
        by_people=np.array([one.by_people for one in told], bool),
    )


def _showing(row: DayRow, second: int) -> int | None:
    """Give the first elapsed second at which a day's wall clock shows a wall second."""
    ends = [start for start, _ in row.clock[1:]] + [row.seconds]
    for (start, shift), end in zip(row.clock, ends, strict=True):
        if start <= second - shift < end:
            return second - shift
    return None

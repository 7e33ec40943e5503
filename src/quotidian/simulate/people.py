"""What people do on a day: when they wake, leave, come back, and in which rooms they are."""

import datetime as dt
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from quotidian.model import Day
from quotidian.model.day import SECOND, instant
from quotidian.simulate.calendar import Calendar, DayType
from quotidian.simulate.chance import chance
from quotidian.simulate.house import House
from quotidian.simulate.plan import Plan

MINUTE = 60 * SECOND

#: Moments of a day by its type: minutes after midnight and their spread. ``leave`` and ``back`` bound the time out.
MOMENTS: Final[dict[DayType, dict[str, tuple[float, float]]]] = {
    DayType.WORK: {
        "wake": (403, 7), "leave": (472, 6), "back": (1046, 16), "dinner": (1096, 12), "evening": (1182, 11),
        "bed": (1366, 13),
    },
    DayType.HOME_OFFICE: {
        "wake": (403, 7), "desk": (538, 8), "knock_off": (1022, 15), "dinner": (1092, 14), "evening": (1182, 11),
        "bed": (1366, 13),
    },
    DayType.WEEKEND: {
        "wake": (508, 20), "leave": (655, 35), "back": (795, 40), "dinner": (1108, 16), "evening": (1196, 14),
        "bed": (1384, 14),
    },
    DayType.HOLIDAY: {"wake": (525, 22), "dinner": (1085, 20), "evening": (1190, 16), "bed": (1408, 22)},
    DayType.GUESTS: {"wake": (508, 20), "dinner": (1120, 14), "evening": (1225, 15), "bed": (1478, 22)},
    DayType.PARTY: {"wake": (515, 22), "dinner": (1090, 20), "evening": (1215, 15), "bed": (1548, 18)},
    DayType.SICK: {"wake": (545, 40), "dinner": (1100, 20), "evening": (1165, 30), "bed": (1300, 30)},
    DayType.AWAY: {},
}  # fmt: skip

WASH_FIRST: Final = 0.93  #: how often somebody washes before breakfast, and not after it


class Stay(NamedTuple):
    """Somebody in a room from one instant (µs) to another, moving so often an hour."""

    person: str
    room: str
    start: int
    end: int
    moves: float


class Diary(NamedTuple):
    """A day of the people of a home.

    ``moments`` are those of the person who leads (µs). ``out`` are the times in which a
    person is not at home, by the day on which they begin.
    """

    day: Day
    kind: DayType
    moments: dict[str, int]
    stays: list[Stay]
    out: list[tuple[str, int, int]]

    @property
    def awake(self) -> list[tuple[int, int]]:
        """When somebody is at home and awake."""
        return [(stay.start, stay.end) for stay in self.stays if stay.moves > 1]


@lru_cache(maxsize=512)
def midnight(date: dt.date) -> dt.datetime:
    """Give a date's midnight without a zone."""
    return dt.datetime.combine(date, dt.time())


def at_wall(day: Day, minute: float) -> int:
    """Give the instant (µs) at which the clock shows so many minutes after a day's midnight."""
    if day.seconds == 86_400 and 0 <= minute < 1_440:
        return day.start + round(minute * MINUTE)
    local = midnight(day.date) + dt.timedelta(minutes=minute)
    return instant(local.replace(tzinfo=ZoneInfo(day.zone)))


def _stays_up(moment: str, weekday: int) -> float:
    """Give by how many minutes people go to bed later, Fridays and Saturdays."""
    return 38.0 if moment == "bed" and weekday in {4, 5} else 0.0


class People:
    """The people of a plan's home. Every day can be asked for by itself."""

    def __init__(self, plan: Plan, house: House, calendar: Calendar) -> None:
        self._plan, self._house, self._calendar = plan, house, calendar
        self.diary = lru_cache(maxsize=4)(self._diary)
        self._taste = float(chance(plan.seed, "rhythm").uniform(-14, 14))

    def usual(self, kind: DayType, moment: str, weekday: int) -> tuple[float, float] | None:
        """Give the minute after midnight and the spread (minutes) of the lead's moment on such a day."""
        known = MOMENTS[kind].get(moment)
        return None if known is None else (known[0] + self._taste + _stays_up(moment, weekday), known[1])

    def _diary(self, day: Day) -> Diary:
        """Write down what people do on a day and the night after it."""
        kind = self._calendar.kind(day.date)
        if kind is DayType.AWAY:
            return self._travel(day)
        stays: list[Stay] = []
        out: list[tuple[str, int, int]] = []
        lead: dict[str, int] = {}
        for number, person in enumerate(self._house.people):
            rng = chance(self._plan.noise, "diary", number, day.ordinal)
            own = self._kind_for(kind, number)
            moments = self._moments(day, own, number, rng)
            stays += self._stays(day, person, own, moments, rng)
            if "leave" in moments:
                out.append((person, moments["leave"], moments["back"]))
            lead = lead or moments
        return Diary(day, kind, lead, stays, out)

    def _kind_for(self, kind: DayType, number: int) -> DayType:
        """On a home-office or sick day, only the lead stays at home."""
        return DayType.WORK if number and kind in {DayType.HOME_OFFICE, DayType.SICK} else kind

    def _moments(self, day: Day, kind: DayType, number: int, rng: Generator) -> dict[str, int]:
        moments = {}
        later = np.array([0, 22, 55, 64, 38, 12])[number]
        for name, (minute, spread) in MOMENTS[kind].items():
            shift = self._taste + later * (0.2 if name in {"bed", "dinner", "evening"} else 1)
            shift += _stays_up(name, day.date.weekday())
            moments[name] = at_wall(day, minute + shift + spread * float(rng.standard_normal()))
        if kind in {DayType.WEEKEND, DayType.GUESTS, DayType.PARTY} and rng.random() < 0.35:
            moments.pop("leave", None)
        if "leave" not in moments:
            moments.pop("back", None)
        return moments

    def _travel(self, day: Day) -> Diary:
        absence = self._calendar.absence(day.date)
        if absence is None:
            raise AssertionError(f"{day.date} is a day of absence without an absence")
        first, last = (Day.of(date, day.zone) for date in absence)
        stays: list[Stay] = []
        out: list[tuple[str, int, int]] = []
        for number, person in enumerate(self._house.people):
            rng = chance(self._plan.noise, "travel", number, first.ordinal)
            leave = at_wall(first, 555 + 4 * float(rng.standard_normal()))
            back = at_wall(last, 1165 + 25 * float(rng.standard_normal()))
            if day == first:
                out.append((person, leave, back))
                stays.append(Stay(person, "kitchen", leave - 60 * MINUTE, leave - 5 * MINUTE, 30))
            if day == last:
                stays.append(Stay(person, "living_room", back + 5 * MINUTE, back + 170 * MINUTE, 12))
        return Diary(day, DayType.AWAY, {}, stays, out)

    def _stays(self, day: Day, person: str, kind: DayType, moments: dict[str, int], rng: Generator) -> list[Stay]:
        """Fill the time between the moments with rooms."""
        wake, bed = moments["wake"], moments["bed"]
        washing, eating = round(rng.uniform(8, 15) * MINUTE), round(rng.uniform(22, 34) * MINUTE)
        rooms = [("bathroom", washing, 40), ("kitchen", eating, 30)]
        stays = [Stay(person, "bedroom", wake, wake + 4 * MINUTE, 25)]
        for room, long, moves in rooms if rng.random() < WASH_FIRST else rooms[::-1]:
            stays.append(Stay(person, room, stays[-1].end, stays[-1].end + long, moves))
        leave, back = moments.get("leave"), moments.get("back")
        breakfast = min(stays[-1].end, leave or bed)
        dinner, evening = moments["dinner"], moments["evening"]
        stays += self._daytime(person, kind, (breakfast, leave, back, dinner), moments, rng)
        stays.append(Stay(person, "kitchen", dinner, max(evening - 12 * MINUTE, dinner + 20 * MINUTE), 32))
        lively = 3 if kind is DayType.PARTY else 2 if kind is DayType.GUESTS else 1
        stays.append(Stay(person, "living_room", max(evening - 12 * MINUTE, dinner + 20 * MINUTE), bed, 11 * lively))
        stays.append(Stay(person, "bathroom", bed, bed + 9 * MINUTE, 30))
        stays.append(Stay(person, "bedroom", bed + 9 * MINUTE, bed + 24 * MINUTE, 14))
        stays += self._night(day, person, bed, rng)
        return [stay for stay in stays if stay.end > stay.start + SECOND]

    def _daytime(
        self, person: str, kind: DayType, bounds: tuple[int, int | None, int | None, int],
        moments: dict[str, int], rng: Generator,
    ) -> list[Stay]:  # fmt: skip
        breakfast, leave, back, dinner = bounds
        if kind is DayType.HOME_OFFICE:
            desk, knock_off = moments["desk"], moments["knock_off"]
            lunch = desk + round(rng.uniform(185, 230) * MINUTE)
            return [
                *self._wander(person, breakfast, desk, rng),
                Stay(person, "office", desk, lunch, 14),
                Stay(person, "kitchen", lunch, lunch + 35 * MINUTE, 24),
                Stay(person, "office", lunch + 35 * MINUTE, knock_off, 14),
                *self._wander(person, knock_off, dinner, rng),
            ]
        if leave is None or back is None:
            return self._wander(person, breakfast, dinner, rng)
        return [*self._wander(person, breakfast, leave, rng), *self._wander(person, back, dinner, rng)]

    def _wander(self, person: str, start: int, end: int, rng: Generator) -> list[Stay]:
        """Go from room to room without a plan."""
        rooms = ["living_room", "kitchen", "office", "bedroom", "utility_room", "garden", "bathroom"]
        rooms += [area for area in self._house.home.areas if area not in {*rooms, "hall", "landing", "porch"}][:6]
        weights = np.array([6, 3, 1.5, 1, 0.8, 1, 0.7] + [0.4] * (len(rooms) - 7))
        stays = []
        while start < end:
            until = min(end, start + round(min(rng.exponential(34) + 3, 120) * MINUTE))
            room = rooms[int(rng.choice(len(rooms), p=weights / weights.sum()))]
            stays.append(Stay(person, room, start, until, 13))
            start = until
        return stays

    def _night(self, day: Day, person: str, bed: int, rng: Generator) -> list[Stay]:
        """Now and then somebody gets up in the night."""
        if rng.random() > 0.25:
            return []
        start = max(bed + 70 * MINUTE, at_wall(day, 1440 + rng.uniform(60, 280)))
        return [Stay(person, "bathroom", start, start + 5 * MINUTE, 25)]

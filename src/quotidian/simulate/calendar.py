"""What kind of day it is, and when Home Assistant was not running."""

import datetime as dt
from enum import StrEnum
from functools import lru_cache

import holidays
import msgspec

from quotidian.model import Day
from quotidian.model.day import SECOND
from quotidian.simulate.chance import chance
from quotidian.simulate.plan import Plan

_HOUR = 3_600 * SECOND


class DayType(StrEnum):
    """What kind of day people have."""

    WORK = "work"
    HOME_OFFICE = "home_office"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    AWAY = "away"
    GUESTS = "guests"
    PARTY = "party"
    SICK = "sick"


WORKING = frozenset({DayType.WORK, DayType.HOME_OFFICE})
FREE = frozenset({DayType.WEEKEND, DayType.HOLIDAY, DayType.GUESTS, DayType.PARTY})
ANY = WORKING | FREE
HOME_OFFICE_WEEKDAYS = (1, 3)  #: Tuesday and Thursday
HOME_OFFICE_SHARE = 0.85


class Down(msgspec.Struct, frozen=True):
    """A time in which Home Assistant did not run: stopped, started again, and all entities back (µs)."""

    stopped: int
    started: int
    back: int


class Calendar:
    """The days of a plan. Every day can be asked for by itself; blocks of days are counted from the plan's start."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # Named in one language, or the truth would depend on the machine that it is written on.
        self._holidays = holidays.country_holidays(plan.country, language="en_US")
        self.kind = lru_cache(maxsize=1024)(self._kind)
        self._downs = lru_cache(maxsize=512)(self._downs_from)

    def holiday(self, date: dt.date) -> str | None:
        """Give the name of a public holiday."""
        return self._holidays.get(date)

    def absence(self, date: dt.date) -> tuple[dt.date, dt.date] | None:
        """Give the first and last day of the absence in which a date lies: a week in seventy days, and odd weekends."""
        block = (date - self._plan.start).days // 70
        rng = chance(self._plan.noise, "absence", block + 1000)
        first = self._plan.start + dt.timedelta(days=70 * block + int(rng.integers(30, 56)))
        last = first + dt.timedelta(days=int(rng.integers(5, 9)))
        if first <= date <= last:
            return first, last
        saturday = date - dt.timedelta(days=date.weekday() - 5)
        away = chance(self._plan.noise, "weekend", saturday.toordinal()).random() < 0.07
        return (saturday, saturday + dt.timedelta(days=1)) if away and date.weekday() >= 5 else None

    def _kind(self, date: dt.date) -> DayType:
        rng = chance(self._plan.noise, "day type", date.toordinal())
        ill, festive, at_home = rng.random(3)
        if self.absence(date):
            return DayType.AWAY
        if date.weekday() == 5 and self._party(date):
            return DayType.PARTY
        if date.weekday() in {4, 5} and festive < 0.16:
            return DayType.GUESTS
        if self.holiday(date):
            return DayType.HOLIDAY
        if date.weekday() >= 5:
            return DayType.WEEKEND
        if ill < 0.018:
            return DayType.SICK
        office = date.weekday() in HOME_OFFICE_WEEKDAYS and at_home < HOME_OFFICE_SHARE
        return DayType.HOME_OFFICE if office else DayType.WORK

    def _party(self, date: dt.date) -> bool:
        block = (date - self._plan.start).days // 56
        week = int(chance(self._plan.noise, "party", block + 1000).integers(2, 7))
        return (date - self._plan.start).days % 56 // 7 == week

    def downs(self, day: Day) -> list[Down]:
        """Give the times without Home Assistant that touch a day or the night after it."""
        nearby = [down for days in (-2, -1, 0, 1) for down in self._downs(day.shifted(days))]
        return [down for down in nearby if down.back >= day.start and down.stopped < day.end + 12 * _HOUR]

    def _downs_from(self, day: Day) -> tuple[Down, ...]:
        """Give those that begin on a day: a restart in twelve days, an outage of many hours in sixty."""
        number = (day.date - self._plan.start).days
        found = []
        for word, block, first, hours in (("restart", 12, 2, (0.006, 0.03)), ("outage", 60, 14, (20.0, 44.0))):
            rng = chance(self._plan.noise, word, number // block + 1000)
            if number >= 0 and number % block == int(rng.integers(first, block)):
                stopped = day.start + int(rng.uniform(7, 22) * _HOUR)
                started = stopped + int(rng.uniform(*hours) * _HOUR)
                found.append(Down(stopped, started, started + int(rng.uniform(15, 75) * SECOND)))
        return tuple(found)

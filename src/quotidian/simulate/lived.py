"""A day as it is lived: habits kept or not, devices used for other reasons, rooms walked through."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator

from quotidian.model import CauseKind, Day
from quotidian.model.day import SECOND
from quotidian.simulate import automations
from quotidian.simulate.calendar import ANY, Calendar, DayType, Down
from quotidian.simulate.chance import chance, lognormal
from quotidian.simulate.habits import Habit, Step, planted
from quotidian.simulate.house import House, Role, Thing
from quotidian.simulate.people import MINUTE, Diary, People, at_wall
from quotidian.simulate.plan import Plan
from quotidian.simulate.rooms import moved, steps_of
from quotidian.simulate.truth import Occasion
from quotidian.simulate.usage import Usage, Use
from quotidian.simulate.weather import Weather

#: How much busier than usual a day is.
BUSY: Final = {DayType.PARTY: 3.2, DayType.GUESTS: 1.7, DayType.WEEKEND: 1.2, DayType.AWAY: 0.0}
LIGHT_WHEN_DARK: Final = 0.55
LIGHTS: Final = {
    "kitchen": "light.kitchen_ceiling",
    "bathroom": "light.bathroom_mirror",
    "bedroom": "light.bedroom_ceiling",
    "office": "light.office_desk",
}


class Case(NamedTuple):
    """A habit could have been carried out; the occasion on which it was, if so."""

    habit: str
    occasion: Occasion | None


class Lived(NamedTuple):
    """What happened: uses of devices, movements by motion sensor (from, to; µs), and the cases of habits."""

    diary: Diary
    usage: Usage
    movements: dict[str, list[tuple[int, int]]]
    cases: list[Case]


class Today(NamedTuple):
    """A day on which habits are to be carried out."""

    diary: Diary
    usage: Usage
    downs: list[Down]


class Life:
    """The life in a home, a day at a time."""

    def __init__(self, plan: Plan, house: House, calendar: Calendar, weather: Weather) -> None:
        self._plan, self._house, self._calendar, self._weather = plan, house, calendar, weather
        self._people = People(plan, house, calendar)
        self.habits = planted(plan, house)

    @property
    def people(self) -> People:
        """The people who live here."""
        return self._people

    def live(self, day: Day, earlier: list[Use]) -> Lived:
        """Live one day, and the night after it, beside the uses that reach into it."""
        today = Today(self._people.diary(day), Usage(earlier), self._calendar.downs(day))
        diary, usage, _ = today
        cases = [*self._strange(today)]
        self._go_out(diary, usage)
        for habit in self.habits:
            if not habit.follows:
                cases += self._keep(habit, today)
        cases += self._light_when_dark(today)
        self._use_otherwise(diary, usage)
        for habit in self.habits:
            if habit.follows:
                cases += self._follow(habit, today)
        rng = chance(self._plan.noise, "movement", day.ordinal)
        movements = moved(self._house, [*steps_of(self._house, diary, rng), *self._at_devices(usage, rng)])
        automations.run(self._house, self._weather, diary, movements, usage)
        return Lived(diary, usage, movements, cases)

    def _keep(self, habit: Habit, today: Today) -> Iterator[Case]:
        """Carry out a habit on a day, if it is one for it and its devices are free."""
        rng = chance(self._plan.noise, "habit", habit.id, today.diary.day.ordinal)
        start = self._time(habit, today.diary, rng)
        if start is None or not self._fits(habit, today.diary, start):
            return
        yield from self._carry_out(habit, start, today, rng)

    def _follow(self, habit: Habit, today: Today) -> Iterator[Case]:
        for use in today.usage.of(str(habit.follows)):
            if use in today.usage.new and seen(today.downs, use.start):
                rng = chance(self._plan.noise, "habit", habit.id, use.start)
                yield from self._carry_out(habit, use.start, today, rng)

    def _carry_out(self, habit: Habit, start: int, today: Today, rng: Generator) -> Iterator[Case]:
        diary, usage, downs = today
        keeps = rng.random() < habit.probability
        uses = self._uses(habit, start, diary, rng)
        if not all(usage.free(use.device, use.start, use.end) and seen(downs, use.start) for use in uses):
            return
        if any(use.end < use.start + SECOND for use in uses):
            return
        if not keeps:
            yield Case(habit.id, None)
            return
        for use in uses:
            usage.add(use)
        at = tuple(use.start for use in uses)
        yield Case(habit.id, Occasion(diary.day.date, (start, *at) if habit.follows else at))

    def _time(self, habit: Habit, diary: Diary, rng: Generator) -> int | None:
        day, number = diary.day, (diary.day.date - self._plan.start).days
        offset = habit.minute + habit.spread * float(rng.standard_normal()) + habit.drift * number / 7
        offset += habit.step if number >= habit.step_day else 0
        if habit.reference == "clock":
            return at_wall(day, offset)
        moment = self._moment(habit.reference, diary)
        return None if moment is None else moment + round(offset * MINUTE)

    def _moment(self, name: str, diary: Diary) -> int | None:
        if name in {"sunrise", "sunset"}:
            return self._weather.sun(diary.day)[name == "sunset"]
        if name == "tomorrow":
            return self._people.diary(diary.day.shifted(1)).moments.get("wake")
        return automations.morning(diary.day) if name == "morning" else diary.moments.get(name)

    def _fits(self, habit: Habit, diary: Diary, start: int) -> bool:
        date = diary.day.date
        if diary.kind not in habit.types or date.weekday() not in habit.weekdays or date.month not in habit.months:
            return False
        if habit.colder is not None and self._weather.temperature_at(start) >= habit.colder:
            return False
        if habit.dark and not self._weather.dark(start, diary.day):
            return False
        by_hand = any(self._house.things[step.device].how != "app" for step in habit.steps)
        return not by_hand or any(begin - MINUTE <= start <= end + MINUTE for begin, end in diary.awake)

    def _uses(self, habit: Habit, start: int, diary: Diary, rng: Generator) -> list[Use]:
        uses, time = [], start
        for step in habit.steps:
            time += round(lognormal(rng, step.lag, step.spread) * SECOND) if step.lag else 0
            end = self._end(step, time, diary, rng)
            use = self._use(self._house.things[step.device], time, end, habit.person, rng)
            uses.append(use._replace(ended_by=automations.BLINDS) if step.until == "morning" else use)
        return uses

    def _end(self, step: Step, start: int, diary: Diary, rng: Generator) -> int:
        moment = self._moment(step.until, diary) if step.until else None
        if moment is not None:
            return moment if step.until == "morning" else moment + round(rng.normal(2, 4) * MINUTE)
        thing = self._house.things[step.device]
        return start + round(lognormal(rng, step.stay or thing.stay, thing.spread) * MINUTE)

    def _use(self, thing: Thing, start: int, end: int, person: int, rng: Generator) -> Use:
        """Use a device in one of the ways in which people use it."""
        habitual = rng.random() < (1.0 if thing.how in {"physical", "app"} else 0.8)
        how = thing.how if habitual else "app" if thing.how == "switch" else "switch"
        user = self._house.users[person] if self._house.users else None
        match how:
            case "app" if user:
                return Use(thing.entity_id, start, end, CauseKind.PERSON, None, user)
            case "bridge":
                return Use(thing.entity_id, start, end, CauseKind.BRIDGE)
            case "remote":
                return Use(thing.entity_id, start, end, CauseKind.REMOTE, automations.BUTTON)
        return Use(thing.entity_id, start, end)

    def _go_out(self, diary: Diary, usage: Usage) -> None:
        """Leave and come back through the front door; the telephone notices it a little later."""
        for person, leave, back in diary.out:
            rng = chance(self._plan.noise, "door", person, diary.day.ordinal)
            for time in (leave, back):
                if "binary_sensor.front_door" in self._house.things:
                    usage.add(Use("binary_sensor.front_door", time, time + round(lognormal(rng, 14, 0.5) * SECOND)))
            gone, here = (round(rng.uniform(20, 150) * SECOND) for _ in range(2))
            usage.add(Use(person, leave + gone, back + here - 15 * SECOND))

    def _light_when_dark(self, today: Today) -> Iterator[Case]:
        """In a dark room people often put on the light for as long as they stay."""
        diary, usage, downs = today
        rng = chance(self._plan.noise, "dark", diary.day.ordinal)
        for stay in diary.stays:
            start, end = stay.start + round(rng.uniform(2, 20) * SECOND), stay.end + round(rng.uniform(0, 40) * SECOND)
            keeps, light = rng.random() < LIGHT_WHEN_DARK, LIGHTS.get(stay.room)
            long = stay.end - stay.start >= 4 * MINUTE
            if light not in self._house.things or not long or not self._weather.dark(stay.start, diary.day):
                continue
            if usage.free(str(light), start, end) and seen(downs, start):
                if keeps:
                    usage.add(Use(str(light), start, end))
                yield Case("light-when-dark", Occasion(diary.day.date, (start,), end) if keeps else None)

    def _use_otherwise(self, diary: Diary, usage: Usage) -> None:
        """Use devices for reasons that we do not know."""
        rng = chance(self._plan.noise, "use", diary.day.ordinal)
        devices = [thing for thing in self._house.of(Role.DEVICE) if thing.uses]
        counts = rng.poisson([thing.uses * BUSY.get(diary.kind, 1.0) for thing in devices])
        for thing, count in zip(devices, counts, strict=True):
            for _ in range(int(count)):
                start = _some_time(diary.awake, rng)
                if start is None:
                    return
                light = thing.entity_id.startswith("light.")
                if light and not self._weather.dark(start, diary.day) and rng.random() < 0.7:
                    continue
                end = start + round(lognormal(rng, thing.stay, thing.spread) * MINUTE)
                usage.add(self._use(thing, start, end, int(rng.integers(max(len(self._house.people), 1))), rng))

    def _at_devices(self, usage: Usage, rng: Generator) -> Iterator[tuple[str, int]]:
        """Somebody who uses a device by hand is seen beside it."""
        for use in usage.new:
            thing = self._house.things[use.device]
            if thing.area and use.cause is not CauseKind.PERSON and use.cause is not CauseKind.BRIDGE:
                yield thing.area, use.start - round(rng.uniform(0.5, 9) * SECOND)

    def _strange(self, today: Today) -> Iterator[Case]:
        """Let something strange happen once in six weeks of each sort."""
        diary, usage, downs = today
        if not self._plan.habits or diary.kind not in ANY:
            return
        number = (diary.day.date - self._plan.start).days
        for habit, device, minute, hours in STRANGE:
            rng = chance(self._plan.noise, "strange", habit, number // 42 + 1000)
            if number % 42 != int(rng.integers(20, 42)) or device not in self._house.things:
                continue
            start = at_wall(diary.day, minute + rng.normal(0, 15))
            use = Use(device, start, start + round(rng.uniform(*hours) * 60 * MINUTE))
            if seen(downs, use.start) and seen(downs, use.end) and usage.add(use):
                yield Case(habit, Occasion(diary.day.date, (use.start,), use.end))


#: Strange events: name, device, minute of the day, and for how many hours.
STRANGE: Final = (
    ("heater-through-the-night", "switch.bathroom_heater", 1400, (5.5, 7.0)),
    ("back-door-left-open", "binary_sensor.kitchen_back_door", 1130, (3.0, 6.5)),
)


def seen(downs: list[Down], time: int) -> bool:
    """Tell whether Home Assistant ran, and its entities were there, some seconds around an instant."""
    return not any(down.stopped - 10 * SECOND <= time <= down.back + 10 * SECOND for down in downs)


def _some_time(spans: list[tuple[int, int]], rng: Generator) -> int | None:
    lengths = np.array([end - start for start, end in spans], np.float64)
    if not lengths.size or lengths.sum() <= 0:
        return None
    start, end = spans[int(rng.choice(lengths.size, p=lengths / lengths.sum()))]
    return start + int(rng.random() * (end - start))

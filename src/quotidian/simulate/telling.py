"""Live a home's days once, to tell what is true of it."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations, permutations, product
from typing import Any

import msgspec
import numpy as np

from quotidian.model import Day
from quotidian.simulate.automations import AUTOMATIONS
from quotidian.simulate.calendar import HOME_OFFICE_WEEKDAYS, Calendar, DayType, Down
from quotidian.simulate.described import cases_of, described
from quotidian.simulate.habits import Habit
from quotidian.simulate.house import House, Role
from quotidian.simulate.lived import Case, Life, Lived
from quotidian.simulate.people import People
from quotidian.simulate.plan import Plan
from quotidian.simulate.record import dropouts, renaming, skewed
from quotidian.simulate.truth import AutomationTruth, Consequence, HabitTruth, Occasion, Span, Truth


def tell(plan: Plan, house: House, calendar: Calendar, life: Life, days: Iterable[Lived]) -> Truth:
    """Gather what is true of a home from its lived days."""
    cases: defaultdict[str, list[tuple[dt.date, Occasion | None]]] = defaultdict(list)
    runs: Counter[str] = Counter()
    end = Day.of(plan.start + dt.timedelta(days=plan.days), plan.zone).start
    for lived in days:
        described_cases = cases_of(house, calendar, lived) if plan.habits else ()
        for case in [*lived.cases, *described_cases]:
            if _recorded(case, end):
                cases[case.habit].append((lived.diary.day.date, _by_the_clock(plan, case)))
        for use in lived.usage.new:
            runs.update(entity for entity in {use.entity, use.ended_by} if entity)
    dates = [plan.start + dt.timedelta(days=number) for number in range(plan.days)]
    kinds = {date: calendar.kind(date) for date in dates} if plan.habits else {}
    restarts, outages = _downs(plan, calendar, dates)
    change = renaming(plan, house)
    return Truth(
        habits=tuple(_habits(plan, house, life, cases)),
        day_types={date: kind.value for date, kind in kinds.items()},
        holidays={date: name for date in dates if (name := calendar.holiday(date))},
        absences=tuple(date for date, kind in kinds.items() if kind is DayType.AWAY),
        restarts=restarts,
        outages=outages,
        dropouts=tuple(_dropouts(plan, house, dates)),
        automations=tuple(_automations(runs)),
        consequences=(*_consequences(house), *_related(house, life.habits)),
        renamings=(change,) if change else (),
    )


def _recorded(case: Case, end: int) -> bool:
    """Tell whether a case lies before the end; the night after the last day is lived, but in no table."""
    occasion = case.occasion
    return occasion is None or max((*occasion.at, occasion.until or 0), default=0) < end


def _by_the_clock(plan: Plan, case: Case) -> Occasion | None:
    """Give an occasion with its times as Home Assistant's clock shows them."""
    if case.occasion is None:
        return None
    until = case.occasion.until
    at = tuple(_shown(plan, time) for time in case.occasion.at)
    return Occasion(case.occasion.date, at, None if until is None else _shown(plan, until))


def _shown(plan: Plan, time: int) -> int:
    day = Day.containing(time, plan.zone)
    return int(skewed(plan, day, np.array([time], np.int64))[0])


def _habits(
    plan: Plan, house: House, life: Life, cases: dict[str, list[tuple[dt.date, Occasion | None]]]
) -> Iterator[HabitTruth]:
    if not plan.habits:
        return
    known = [(h.id, h.kind, h.sentence, _tokens(house, h), _parameters(life.people, h)) for h in life.habits]
    known += [(d.id, d.kind, d.sentence, d.tokens, d.parameters) for d in described(house, life.people)]
    for name, kind, sentence, tokens, parameters in known:
        own = cases.get(name, [])
        yield HabitTruth(
            id=name,
            kind=kind.value,
            sentence=sentence,
            tokens=tokens,
            parameters=parameters,
            chances=len(own),
            possible=tuple(sorted({date for date, _ in own})),
            kept=tuple(occasion for _, occasion in own if occasion is not None),
        )


def _tokens(house: House, habit: Habit) -> tuple[str, ...]:
    devices = ([habit.follows] if habit.follows else []) + [step.device for step in habit.steps]
    return tuple(f"{device}={house.things[device].active}" for device in devices)


def _parameters(people: People, habit: Habit) -> dict[str, Any]:
    """Give what a habit was made with; one bound to a moment of the day also as minutes after midnight."""
    parameters: dict[str, Any] = {"probability": habit.probability, "types": sorted(habit.types)}
    if habit.follows:
        return parameters | {"lag": habit.steps[0].lag, "log_spread": habit.steps[0].spread}
    if habit.reference in {"clock", "sunrise", "sunset"}:
        name = "minute" if habit.reference == "clock" else "offset"
        parameters |= {"reference": habit.reference, name: habit.minute, "spread": habit.spread}
    else:
        parameters |= {"reference": "clock", "moment": habit.reference} | _clock_time(people, habit)
    parameters |= {"lags": [step.lag for step in habit.steps[1:]]} if len(habit.steps) > 1 else {}
    for field in ("weekdays", "months", "colder", "dark", "drift", "step", "step_day"):
        value, usual = getattr(habit, field), _USUAL[field]
        told = list(value) if isinstance(value, tuple) else value
        parameters |= {field: told} if value != usual else {}
    return parameters


_USUAL = {field.name: field.default for field in msgspec.structs.fields(Habit)}


def _clock_time(people: People, habit: Habit) -> dict[str, Any]:
    usual = (people.usual(_kind_on(weekday), habit.reference, weekday) for weekday in _weekdays(habit))
    means, spreads = np.array([found for found in usual if found is not None]).T
    minute = round(float(means.mean()) + habit.minute)
    return {"minute": minute, "spread": round(float(np.sqrt(np.mean(spreads**2 + habit.spread**2) + means.var())), 1)}


def _weekdays(habit: Habit) -> list[int]:
    """Give the weekdays on which an ordinary week has the habit."""
    return [weekday for weekday in habit.weekdays if _kind_on(weekday) in habit.types]


def _kind_on(weekday: int) -> DayType:
    if weekday in HOME_OFFICE_WEEKDAYS:
        return DayType.HOME_OFFICE
    return DayType.WORK if weekday < 5 else DayType.WEEKEND


def _downs(plan: Plan, calendar: Calendar, dates: list[dt.date]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    downs: set[Down] = {down for date in dates for down in calendar.downs(Day.of(date, plan.zone))}
    end = Day.of(dates[-1], plan.zone).end
    spans = [Span(down.stopped, down.back) for down in sorted(downs, key=lambda d: d.stopped) if down.stopped < end]
    short = tuple(span for span in spans if span.end - span.start < 3_600_000_000)
    return short, tuple(span for span in spans if span not in short)


def _dropouts(plan: Plan, house: House, dates: list[dt.date]) -> Iterator[Span]:
    meters = house.of(Role.METER)
    for date in dates:
        yield from dropouts(plan, Day.of(date, plan.zone), meters)


def _automations(runs: Counter[str]) -> Iterator[AutomationTruth]:
    for entity_id, (sentence, tokens, _) in AUTOMATIONS.items():
        if runs[entity_id]:
            yield AutomationTruth(entity_id, sentence, tokens, runs[entity_id])


def _related(house: House, habits: Iterable[Habit]) -> Iterator[Consequence]:
    """Give the pairs that habits bring with them: steps of one habit, and habits of one moment of the day."""
    known = [habit for habit in habits if not habit.follows]
    for habit in known:
        for first, then in combinations(_tokens(house, habit), 2):
            yield Consequence(first, then, f"steps of the habit {habit.id}")
    for habit, other in permutations(known, 2):
        if habit.reference == other.reference != "clock":
            for first, then in product(_tokens(house, habit), _tokens(house, other)):
                yield Consequence(first, then, f"both at the time of {habit.reference}")


def _consequences(house: House) -> Iterator[Consequence]:
    if house.has("binary_sensor.front_door"):
        for person, state in ((person, state) for person in house.people for state in ("not_home", "home")):
            reason = "who leaves or comes home walks through the front door"
            yield Consequence("binary_sensor.front_door=on", f"{person}={state}", reason)
    for sensor, other in permutations(house.of(Role.MOTION), 2):
        yield Consequence(f"{sensor.entity_id}=on", f"{other.entity_id}=on", "people walk from room to room")
    for sensor, thing in product(house.of(Role.MOTION), house.of(Role.DEVICE)):
        if thing.area == sensor.area:
            reason = "who uses a device is seen beside it"
            yield Consequence(f"{sensor.entity_id}=on", f"{thing.entity_id}={thing.active}", reason)
    for meter in house.of(Role.METER):
        if meter.driver and meter.curve == "power":
            reason = "a device that runs draws power"
            yield Consequence(f"{meter.driver}={house.things[meter.driver].active}", meter.entity_id, reason)

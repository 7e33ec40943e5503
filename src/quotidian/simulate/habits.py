"""The habits that live in a home."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from quotidian.simulate.calendar import ANY, FREE, WORKING, DayType
from quotidian.simulate.chance import chance
from quotidian.simulate.house import House, Role
from quotidian.simulate.plan import Plan


class Kind(StrEnum):
    """The ten kinds, by the detector that each is meant for."""

    TIME_OF_DAY = "time_of_day"
    CO_OCCURRENCE = "co_occurrence"
    SEQUENCE = "sequence"
    ROOM = "room"
    DURATION = "duration"
    ANOMALY = "anomaly"
    SESSION = "session"
    DAY_TYPE = "day_type"
    CONTEXTUAL = "contextual"
    SEASONAL = "seasonal"


class Step(msgspec.Struct, frozen=True):
    """One device used in a habit.

    It comes ``lag`` seconds (median; ``spread`` of the logarithm) after the step before, or after the habit's time.
    It stays active for ``stay`` minutes (the device's own where ``None``), or until the moment ``until``;
    ``morning`` is when the automation of the blinds opens them, ``tomorrow`` when people wake.
    """

    device: str
    lag: float = 0
    spread: float = 0.35
    stay: float | None = None
    until: str | None = None


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """One habit, as it is carried out.

    ``reference`` says what ``minute`` counts from: the ``clock``, ``sunrise``, ``sunset``, or a moment of people's day
    (``wake``, ``dinner``, …). ``drift`` moves it by so many minutes a week, ``step`` by so many minutes from the day
    number ``step_day`` on, ``months`` confine it to a season. With ``follows``, it comes after each use of
    that device instead. ``colder`` wants an outdoor temperature (°C) below it, ``dark`` a sun that is down.
    """

    id: str
    kind: Kind
    sentence: str
    steps: tuple[Step, ...]
    probability: float
    reference: str = "clock"
    minute: float = 0
    spread: float = 5
    weekdays: tuple[int, ...] = tuple(range(7))
    types: frozenset[DayType] = ANY
    follows: str | None = None
    colder: float | None = None
    dark: bool = False
    drift: float = 0
    step: float = 0
    step_day: int = 0
    months: tuple[int, ...] = tuple(range(1, 13))
    person: int = 0


TV: Final = "media_player.living_room_tv"
_FRI, _SAT = 4, 5
_OFFICE: Final = frozenset({DayType.HOME_OFFICE})
_QUIET: Final = ANY - {DayType.GUESTS, DayType.PARTY}


def planted(plan: Plan, house: House) -> tuple[Habit, ...]:
    """Give the habits of a home: those whose devices it has, each with its own time and strength."""
    if not plan.habits:
        return ()
    known = (*_habits(), *_habits_of_more_rooms(plan, house))
    return tuple(_personal(plan, house, habit) for habit in known if house.has(*_devices(habit)))


def _devices(habit: Habit) -> list[str]:
    return [step.device for step in habit.steps] + ([habit.follows] if habit.follows else [])


def _personal(plan: Plan, house: House, habit: Habit) -> Habit:
    """No two homes keep a habit equally well, or at the same minute."""
    rng = chance(plan.seed, "taste", habit.id)
    probability = float(np.clip(habit.probability + rng.uniform(-0.05, 0.04), 0.7, 0.98))
    shift = float(rng.uniform(-12, 12)) if habit.reference == "clock" and not habit.follows else 0.0
    person = habit.person if habit.person < len(house.people) else 0
    return msgspec.structs.replace(
        habit, probability=round(probability, 3), minute=round(habit.minute + shift), person=person
    )


def _habits() -> Iterator[Habit]:
    yield from _times_of_day()
    yield from _pairs()
    yield from _routines()
    yield from _sessions()
    yield from _contexts()
    yield from _seasons()


def _times_of_day() -> Iterator[Habit]:
    kind = Kind.TIME_OF_DAY
    yield Habit(
        id="kitchen-light-on-working-days", kind=kind, probability=0.93, reference="wake", minute=19, spread=3,
        types=WORKING, steps=(Step("light.kitchen_ceiling", stay=38),),
        sentence="On working days the kitchen light goes on some twenty minutes after waking.",
    )  # fmt: skip
    yield Habit(
        id="slow-weekend-coffee", kind=kind, probability=0.88, reference="wake", minute=24, spread=7, types=FREE,
        steps=(Step("switch.coffee_machine"),),
        sentence="On free days the coffee machine goes on about half an hour after a late waking.",
    )  # fmt: skip
    yield Habit(
        id="saturday-washing", kind=kind, probability=0.92, minute=618, spread=18, weekdays=(_SAT,),
        steps=(Step("switch.washing_machine"),), sentence="Saturday mornings the washing machine runs.",
    )  # fmt: skip
    yield Habit(
        id="dishwasher-after-dinner", kind=kind, probability=0.84, minute=1213, spread=14,
        steps=(Step("switch.dishwasher"),), sentence="The dishwasher is started a little after eight in the evening.",
    )  # fmt: skip
    yield Habit(
        id="midnight-page", kind=kind, probability=0.86, reference="bed", minute=17, spread=4,
        weekdays=(_FRI, _SAT), types=_QUIET,
        steps=(Step("light.bedroom_bedside", stay=17),),
        sentence="Fridays and Saturdays somebody reads a page in bed around midnight.",
    )  # fmt: skip
    yield Habit(
        id="string-lights-at-dusk", kind=kind, probability=0.87, reference="sunset", minute=18, spread=7,
        steps=(Step("light.garden_string_lights"),), person=1,
        sentence="The string lights in the garden go on a quarter of an hour after sunset.",
    )  # fmt: skip
    yield Habit(
        id="let-the-chickens-out", kind=kind, probability=0.95, reference="sunrise", minute=22, spread=6,
        steps=(Step("cover.chicken_coop_door", until="sunset"),),
        sentence="The chickens are let out shortly after sunrise, and shut in about sunset.",
    )  # fmt: skip
    yield Habit(
        id="bins-on-wednesday", kind=kind, probability=0.9, minute=1246, spread=10, weekdays=(2,),
        steps=(Step("binary_sensor.garden_shed_door"),),
        sentence="Wednesday evenings the bins are fetched from the garden shed.",
    )  # fmt: skip
    yield Habit(
        id="friday-vacuum", kind=kind, probability=0.88, minute=634, spread=9, weekdays=(_FRI,), types=WORKING,
        steps=(Step("vacuum.robin"),), person=1,
        sentence="Friday mornings Robin vacuums the floor while everybody is out.",
    )  # fmt: skip


def _pairs() -> Iterator[Habit]:
    kind = Kind.CO_OCCURRENCE
    yield Habit(
        id="lamp-with-the-tv", kind=kind, probability=0.88, follows=TV,
        steps=(Step("light.living_room_floor_lamp", lag=35, spread=0.5),),
        sentence="When the TV starts, the floor lamp is switched on within a minute.",
    )  # fmt: skip
    yield Habit(
        id="radio-with-the-coffee", kind=kind, probability=0.8, follows="switch.coffee_machine",
        steps=(Step("media_player.kitchen_radio", lag=140, spread=0.45),),
        sentence="A few minutes after the coffee machine, the kitchen radio plays.",
    )  # fmt: skip
    yield Habit(
        id="hood-over-the-oven", kind=kind, probability=0.9, follows="switch.oven",
        steps=(Step("fan.extractor_hood", lag=200, spread=0.4),),
        sentence="When the oven is on, the extractor hood follows within some minutes.",
    )  # fmt: skip
    yield Habit(
        id="monitor-at-the-desk", kind=kind, probability=0.96, follows="light.office_desk",
        steps=(Step("switch.office_monitor", lag=18, spread=0.5),),
        sentence="Seconds after the desk lamp, the monitor is switched on.",
    )  # fmt: skip


def _routines() -> Iterator[Habit]:
    yield Habit(
        id="getting-up", kind=Kind.SEQUENCE, probability=0.9, reference="wake", minute=1, spread=1, types=WORKING,
        steps=(
            Step("light.bedroom_bedside", stay=7),
            Step("light.bathroom_mirror", lag=240, spread=0.3),
            Step("switch.coffee_machine", lag=620, spread=0.25),
        ),
        sentence="Getting up: bedside lamp, bathroom mirror, coffee machine.",
    )  # fmt: skip
    yield Habit(
        id="going-to-bed", kind=Kind.SEQUENCE, probability=0.86, reference="bed", minute=-4, spread=2,
        steps=(
            Step("lock.front_door", until="tomorrow"),
            Step("light.landing", lag=55, spread=0.4),
            Step("light.bedroom_ceiling", lag=420, spread=0.35),
        ),
        sentence="Going to bed: the front door is locked, the landing lit, then the bedroom.",
    )  # fmt: skip
    yield Habit(
        id="desk-on-home-office-days", kind=Kind.DAY_TYPE, probability=0.94, reference="desk", minute=1, spread=2,
        types=_OFFICE, steps=(Step("light.office_desk", until="knock_off"),),
        sentence="On home-office days the desk lamp burns during working hours.",
    )  # fmt: skip


def _sessions() -> Iterator[Habit]:
    yield Habit(
        id="tv-evening", kind=Kind.SESSION, probability=0.85, reference="evening", minute=8, spread=6, types=_QUIET,
        steps=(
            Step(TV, until="bed"),
            Step("light.living_room_shelf", lag=90, spread=0.6, until="bed"),
            Step("cover.living_room_blinds", lag=60, spread=0.5, until="morning"),
        ),
        sentence="TV evening: the TV and the shelf light until bedtime, behind closed blinds.",
    )  # fmt: skip
    yield Habit(
        id="cooking", kind=Kind.SESSION, probability=0.8, reference="dinner", minute=4, spread=5,
        steps=(Step("light.kitchen_ceiling", stay=55), Step("switch.oven", lag=300, spread=0.5)),
        sentence="Cooking dinner: the kitchen light, then the oven.",
    )  # fmt: skip


def _contexts() -> Iterator[Habit]:
    kind = Kind.CONTEXTUAL
    yield Habit(
        id="bathroom-heater-when-cold", kind=kind, probability=0.94, reference="wake", minute=2, spread=2, colder=6.0,
        steps=(Step("switch.bathroom_heater"),),
        sentence="When it is colder than 6 °C outside, the bathroom is heated in the morning.",
    )  # fmt: skip
    yield Habit(
        id="reading-lamp-when-dark", kind=kind, probability=0.9, minute=1170, spread=9, dark=True,
        steps=(Step("light.living_room_reading_lamp"),),
        sentence="When it is dark already at half past seven, the reading lamp goes on.",
    )  # fmt: skip


def _seasons() -> Iterator[Habit]:
    kind = Kind.SEASONAL
    yield Habit(
        id="radio-drifts-later", kind=kind, probability=0.88, minute=1285, spread=8, drift=4,
        steps=(Step("media_player.bedroom_radio"),),
        sentence="The bedroom radio plays in the evening, four minutes later every week.",
    )  # fmt: skip
    yield Habit(
        id="treadmill-moves", kind=kind, probability=0.85, minute=1075, spread=10, step=110, step_day=45,
        weekdays=(0, 2, 4), steps=(Step("switch.treadmill"),),
        sentence="The treadmill runs before dinner; from the middle of the time on, late in the evening.",
    )  # fmt: skip
    yield Habit(
        id="irrigation-in-summer", kind=kind, probability=0.9, minute=1230, spread=12, months=(4, 5, 6, 7, 8, 9),
        steps=(Step("switch.garden_irrigation"),), person=1,
        sentence="From April to September the garden is watered in the evening.",
    )  # fmt: skip


def _habits_of_more_rooms(plan: Plan, house: House) -> Iterator[Habit]:
    """In a large home, most further rooms have a habit of their own."""
    for lamp in (thing for thing in house.of(Role.DEVICE) if thing.entity_id.startswith("light.")):
        ceiling = f"light.{lamp.area}_ceiling"
        rng = chance(plan.seed, "room", lamp.area or "")
        person = int(rng.integers(plan.people))
        if lamp.entity_id != f"light.{lamp.area}_lamp" or ceiling not in house.things or rng.random() > 0.6:
            continue
        words = str(lamp.area).replace("_", " ")
        yield Habit(
            id=f"{lamp.area}-light", kind=Kind.TIME_OF_DAY, probability=float(rng.uniform(0.78, 0.97)), person=person,
            minute=float(rng.integers(1020, 1320)), spread=float(rng.uniform(4, 20)), types=_QUIET,
            steps=(Step(ceiling),), sentence=f"In the evening the light of the {words} goes on.",
        )  # fmt: skip
        yield Habit(
            id=f"{lamp.area}-lamp", kind=Kind.CO_OCCURRENCE, probability=float(rng.uniform(0.75, 0.97)), person=person,
            follows=ceiling, steps=(Step(lamp.entity_id, lag=float(rng.uniform(8, 200)), spread=0.5),),
            sentence=f"After the ceiling light of the {words}, its lamp goes on.",
        )  # fmt: skip

"""Habits that nobody plans: they follow from how people live and how long devices run."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from quotidian.model import CauseKind
from quotidian.simulate.calendar import HOME_OFFICE_SHARE, HOME_OFFICE_WEEKDAYS, Calendar, DayType, Down
from quotidian.simulate.habits import TV, Kind
from quotidian.simulate.house import House
from quotidian.simulate.lived import LIGHT_WHEN_DARK, LIGHTS, STRANGE, Case, Lived, seen
from quotidian.simulate.people import WASH_FIRST, People
from quotidian.simulate.truth import Occasion

#: Devices that run for a time of their own, whoever starts them.
RUNNING: Final = (
    "switch.coffee_machine", "switch.washing_machine", "switch.dishwasher", "switch.towel_rail",
    "switch.bathroom_heater", "vacuum.robin", "switch.treadmill", "switch.garden_irrigation", "switch.oven",
    "fan.extractor_hood", "media_player.kitchen_radio",
)  # fmt: skip


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of such a habit."""

    id: str
    kind: Kind
    sentence: str
    tokens: tuple[str, ...]
    parameters: dict[str, Any] = {}


def described(house: House, people: People) -> Iterator[Described]:
    """Give those that a house has."""
    for device in (device for device in RUNNING if house.has(device)):
        thing = house.things[device]
        yield Described(
            id=f"runs:{device}", kind=Kind.DURATION, tokens=(f"{device}={thing.active}",),
            parameters={"median": thing.stay, "log_spread": thing.spread, "probability": 1.0},
            sentence=f"{thing.name} runs for about {thing.stay:.0f} minutes.",
        )  # fmt: skip
    yield from _of_people(house, people)
    lights = [light for light in LIGHTS.values() if house.has(light)]
    if lights:
        yield Described(
            id="light-when-dark", kind=Kind.CONTEXTUAL, tokens=tuple(f"{light}=on" for light in lights),
            parameters={"probability": LIGHT_WHEN_DARK, "context": "dark"},
            sentence="Who stays in a dark kitchen, bathroom, bedroom or office often puts on the light.",
        )  # fmt: skip
    for name, device, minute, hours in STRANGE:
        if house.has(device):
            yield Described(
                id=name, kind=Kind.ANOMALY, tokens=(f"{device}={house.things[device].active}",),
                parameters={"minute": minute, "hours": list(hours), "probability": 1.0},
                sentence=f"{house.things[device].name}: {name.replace('-', ' ')}.",
            )  # fmt: skip
    yield Described(
        id="party", kind=Kind.ANOMALY, tokens=(), parameters={"probability": 1.0},
        sentence="A party: three times the usual activity, until late in the night.",
    )  # fmt: skip


def _of_people(house: House, people: People) -> Iterator[Described]:
    if not house.people:
        return
    lead = house.people[0]
    for name, moment, state in (("off-to-work", "leave", "not_home"), ("back-from-work", "back", "home")):
        minute, spread = people.usual(DayType.WORK, moment, 0) or (0.0, 0.0)
        yield Described(
            id=name, kind=Kind.TIME_OF_DAY, tokens=(f"{lead}={state}",),
            parameters={"reference": "clock", "minute": round(minute + 1.4), "spread": spread, "probability": 1.0},
            sentence=f"On working days {house.things[lead].name} is {state.replace('_', ' ')} from about then on.",
        )  # fmt: skip
    yield Described(
        id="home-office-days", kind=Kind.DAY_TYPE, tokens=(f"{lead}=home",),
        parameters={"weekdays": list(HOME_OFFICE_WEEKDAYS), "probability": HOME_OFFICE_SHARE},
        sentence="Tuesdays and Thursdays are mostly worked at home.",
    )  # fmt: skip
    if house.has("binary_sensor.bathroom_motion", "binary_sensor.kitchen_motion"):
        yield Described(
            id="bathroom-then-kitchen", kind=Kind.ROOM, tokens=("bathroom", "kitchen"),
            parameters={"probability": WASH_FIRST},
            sentence="In the morning one goes from the bedroom to the bathroom, then to the kitchen.",
        )  # fmt: skip
    if house.has("binary_sensor.living_room_occupancy", TV):
        yield Described(
            id="evenings-in-the-living-room", kind=Kind.ROOM, tokens=("living_room",), parameters={"probability": 1.0},
            sentence="Evenings are spent in the living room.",
        )  # fmt: skip
    if house.has("binary_sensor.office_motion"):
        yield Described(
            id="office-on-home-office-days", kind=Kind.ROOM, tokens=("office",), parameters={"probability": 1.0},
            sentence="Home-office days are spent in the office.",
        )  # fmt: skip


def cases_of(house: House, calendar: Calendar, lived: Lived) -> Iterator[Case]:
    """Give the cases of these habits on a lived day."""
    day, kind = lived.diary.day, lived.diary.kind
    downs = calendar.downs(day)
    for use in lived.usage.new:
        by_people = use.device in RUNNING and use.cause is not CauseKind.AUTOMATION
        if by_people and seen(downs, use.start) and seen(downs, use.end):
            yield Case(f"runs:{use.device}", Occasion(day.date, (use.start,), use.end))
    if kind is DayType.PARTY:
        yield Case("party", Occasion(day.date, ()))
    if house.people:
        yield from _journeys(house, downs, lived)
        yield from _rooms(house, downs, lived)
    if day.date.weekday() in HOME_OFFICE_WEEKDAYS and kind in {DayType.WORK, DayType.HOME_OFFICE}:
        yield Case("home-office-days", Occasion(day.date, ()) if kind is DayType.HOME_OFFICE else None)


def _journeys(house: House, downs: list[Down], lived: Lived) -> Iterator[Case]:
    if lived.diary.kind is not DayType.WORK:
        return
    for use in lived.usage.new:
        if use.device == house.people[0]:
            for name, time in (("off-to-work", use.start), ("back-from-work", use.end)):
                if seen(downs, time):
                    yield Case(name, Occasion(lived.diary.day.date, (time,)))


def _rooms(house: House, downs: list[Down], lived: Lived) -> Iterator[Case]:
    """Tell of the lead's stays; times are those at which rooms were entered."""
    diary, date = lived.diary, lived.diary.day.date
    stays = [stay for stay in diary.stays if stay.person == house.people[0] and seen(downs, stay.start)]
    if diary.moments:
        morning = [stay for stay in stays if stay.room in {"bathroom", "kitchen"}][:2]
        if len(morning) == 2 and morning[0].start < diary.moments["wake"] + 3_600_000_000:
            washed = morning[0].room == "bathroom"
            at = tuple(stay.start for stay in morning)
            yield Case("bathroom-then-kitchen", Occasion(date, at) if washed else None)
        evening = [s for s in stays if s.room == "living_room" and s.end == _own_bed(stays)]
        for stay in evening[:1]:
            yield Case("evenings-in-the-living-room", Occasion(date, (stay.start,), stay.end))
    office = [stay for stay in stays if stay.room == "office"]
    if diary.kind is DayType.HOME_OFFICE and office:
        yield Case("office-on-home-office-days", Occasion(date, (office[0].start,), office[-1].end))


def _own_bed(stays: list[Any]) -> int:
    return max((stay.end for stay in stays if stay.room == "living_room"), default=0)

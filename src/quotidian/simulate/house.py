"""The house: rooms that lead to each other, and the things in them."""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

from quotidian.model import Area, Entity, Home
from quotidian.simulate.chance import chance
from quotidian.simulate.plan import Plan


class Role(StrEnum):
    """What moves a thing's state."""

    DEVICE = "device"  #: people and automations use it: it is active for a while, then at rest
    MOTION = "motion"  #: somebody moves in its area
    METER = "meter"  #: it reports a number every few minutes
    PERSON = "person"
    CHATTER = "chatter"  #: it flips without meaning
    BATTERY = "battery"
    SUN = "sun"
    WEATHER = "weather"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One entity, and how it behaves.

    ``stay`` is the median number of minutes for which a device stays active once it is used, ``spread`` that of its
    logarithm, ``uses`` how often a day it is used for no reason that we know, ``how`` by which way people
    use it. A motion sensor falls back ``delay`` seconds after the last movement. A meter's ``curve`` is computed in
    ``sensors``, reported in steps of ``step``, ``weight`` times as often as the slowest, and follows the
    activity of the device ``driver``.
    """

    entity_id: str
    area: str | None = None
    role: Role = Role.DEVICE
    device_class: str | None = None
    unit: str | None = None
    active: str = "on"
    rest: str = "off"
    stay: float = 20
    spread: float = 0.5
    uses: float = 0
    how: str = "switch"
    delay: float = 60
    curve: str = ""
    step: float = 0.1
    weight: float = 1
    driver: str | None = None
    level: float = 0

    @property
    def name(self) -> str:
        """What its owner calls it."""
        words = self.entity_id.partition(".")[2].replace("_", " ").replace("co2", "CO₂")
        words = words[:1].upper() + words[1:]
        return " ".join("TV" if word.lower() == "tv" else word for word in words.split(" "))


class House(msgspec.Struct, frozen=True):
    """A home and its things by entity id; the people are known by the entities of their persons, lead first."""

    home: Home
    things: dict[str, Thing]
    people: tuple[str, ...]
    users: tuple[str, ...]

    def of(self, role: Role) -> list[Thing]:
        """Give the things of a role, in the house's order."""
        return [thing for thing in self.things.values() if thing.role is role]

    def has(self, *entity_ids: str) -> bool:
        """Tell whether all these entities are in the house."""
        return all(entity_id in self.things for entity_id in entity_ids)


NAMES: Final = (
    ("anna", "bram", "noor", "tijn", "saar", "opa_wim"),
    ("julia", "tom", "ella", "max", "ida", "oma_greet"),
    ("sofie", "lars", "mila", "finn", "roos", "tante_els"),
)

#: Rooms: name, floor, and the rooms to which their doors lead.
ROOMS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "hall": ("Hall", "ground", ("living_room", "kitchen", "utility_room", "landing", "porch")),
    "living_room": ("Living room", "ground", ("hall", "kitchen", "garden")),
    "kitchen": ("Kitchen", "ground", ("hall", "living_room", "garden")),
    "utility_room": ("Utility room", "ground", ("hall",)),
    "porch": ("Porch", "ground", ("hall",)),
    "garden": ("Garden", "outside", ("kitchen", "living_room")),
    "landing": ("Landing", "first", ("hall", "bedroom", "bathroom", "office")),
    "bedroom": ("Bedroom", "first", ("landing",)),
    "bathroom": ("Bathroom", "first", ("landing",)),
    "office": ("Office", "first", ("landing",)),
}

MORE_ROOMS: Final = (
    "guest_room", "attic", "garage", "cellar", "nursery", "library", "music_room", "workshop", "laundry", "pantry",
    "conservatory", "gym", "playroom", "dressing_room", "boiler_room", "wine_cellar", "summer_house", "studio",
    "sauna", "carport", "greenhouse", "archive", "darkroom", "hobby_room",
)  # fmt: skip


def path(start: str, end: str) -> tuple[str, ...]:
    """Give the rooms through which one walks from a room to another, both included; rooms upstairs join the landing."""
    trails: deque[tuple[str, ...]] = deque([(start,)])
    while trails:
        trail = trails.popleft()
        if trail[-1] == end:
            return trail
        doors = ROOMS[trail[-1]][2] if trail[-1] in ROOMS else ("landing",)
        trails.extend((*trail, room) for room in doors if room not in trail)
    return (*path(start, "landing"), end)


def build(plan: Plan) -> House:
    """Furnish the house that a plan's seed stands for."""
    names = NAMES[(plan.seed - 1) % len(NAMES)][: plan.people]
    people = tuple(f"person.{name}" for name in names)
    things = {}
    for thing in _things(people):
        things[thing.entity_id] = thing
        if len(things) == plan.entities:
            break
    here = tuple(person for person in people if person in things)
    areas = _areas({thing.area for thing in things.values() if thing.area})
    home = Home(
        id=str(UUID(bytes=_digest("home", plan.seed, plan.noise))),
        zone=plan.zone,
        name=plan.name,
        latitude=plan.latitude,
        longitude=plan.longitude,
        country=plan.country,
        areas=areas,
        entities={thing.entity_id: _entity(thing) for thing in things.values()},
    )
    users = tuple(_digest("user", plan.seed, number).hex() for number in range(len(here)))
    return House(home, things, here, users)


def _digest(word: str, *numbers: int) -> bytes:
    return blake2b(f"{word} {numbers}".encode(), digest_size=16).digest()


def _areas(used: set[str]) -> dict[str, Area]:
    known = {area: Area(area, name, floor) for area, (name, floor, _) in ROOMS.items() if area in used}
    more = {area: Area(area, area.replace("_", " ").capitalize(), "first") for area in sorted(used - known.keys())}
    return known | more


def _entity(thing: Thing) -> Entity:
    domain, _, object_id = thing.entity_id.partition(".")
    device = None if domain in {"person", "sun", "weather"} else (thing.driver or f"x.{object_id}").partition(".")[2]
    return Entity(thing.entity_id, thing.name, thing.area, device, thing.device_class, thing.unit)


def _meter(entity_id: str, area: str | None, curve: str, **more: object) -> Thing:
    device_class, unit, step, weight = METERS[curve]
    known = {"device_class": device_class, "unit": unit, "step": step, "weight": weight} | more
    return msgspec.convert({"entity_id": entity_id, "area": area, "role": Role.METER, "curve": curve} | known, Thing)


#: Curves of meters: device class, unit, step, weight.
METERS: Final[dict[str, tuple[str | None, str | None, float, float]]] = {
    "outdoor": ("temperature", "°C", 0.1, 1),
    "temperature": ("temperature", "°C", 0.1, 1),
    "humidity": ("humidity", "%", 0.5, 1),
    "illuminance": ("illuminance", "lx", 1, 2),
    "power": ("power", "W", 0.1, 6),
    "mains": ("power", "W", 1, 12),
    "energy": ("energy", "kWh", 0.001, 1),
    "voltage": ("voltage", "V", 0.1, 4),
    "co2": ("carbon_dioxide", "ppm", 1, 2),
    "link": (None, "lqi", 1, 1),
}


def _motion(area: str, delay: float, device_class: str = "motion") -> Thing:
    return Thing(
        entity_id=f"binary_sensor.{area}_{device_class}",
        area=area,
        role=Role.MOTION,
        device_class=device_class,
        delay=delay,
    )


def _contact(entity_id: str, area: str, device_class: str, stay: float, uses: float) -> Thing:
    return Thing(entity_id=entity_id, area=area, device_class=device_class, stay=stay, uses=uses, how="physical")


def _light(name: str, area: str, stay: float, uses: float, how: str = "switch") -> Thing:
    return Thing(entity_id=f"light.{name}", area=area, stay=stay, uses=uses, how=how)


def _switch(name: str, area: str, stay: float, spread: float, uses: float, *, how: str = "switch") -> Thing:
    return Thing(entity_id=f"switch.{name}", area=area, stay=stay, spread=spread, uses=uses, how=how)


def _battery(entity_id: str, area: str) -> Thing:
    return Thing(entity_id=entity_id, area=area, role=Role.BATTERY, device_class="battery", unit="%", rest="100")


def _things(people: tuple[str, ...]) -> Iterator[Thing]:
    person = [Thing(entity_id=p, role=Role.PERSON, active="not_home", rest="home") for p in people]
    yield _light("kitchen_ceiling", "kitchen", 35, 0.8)
    yield _switch("coffee_machine", "kitchen", 24, 0.22, 0.6)
    yield person[0]
    yield Thing(
        entity_id="media_player.living_room_tv", area="living_room", active="playing", stay=55, uses=0.35, how="bridge",
        device_class="tv",
    )  # fmt: skip
    yield _light("living_room_floor_lamp", "living_room", 60, 0.5)
    yield _motion("hall", 45)
    yield _contact("binary_sensor.front_door", "hall", "door", 0.25, 1.2)
    yield _light("bedroom_bedside", "bedroom", 12, 0.3, "remote")
    yield _meter("sensor.outdoor_temperature", "garden", "outdoor")
    yield _meter("sensor.living_room_temperature", "living_room", "temperature")
    yield from person[1:]
    yield _motion("kitchen", 60)
    yield _light("bathroom_mirror", "bathroom", 9, 1.2)
    yield Thing(entity_id="sun.sun", role=Role.SUN, rest="below_horizon")
    yield Thing(entity_id="weather.home", role=Role.WEATHER, rest="cloudy")
    yield from _rest_of_home()
    for number in range(10_000):
        yield from _more_room(number)


def _rest_of_home() -> Iterator[Thing]:
    yield _switch("washing_machine", "utility_room", 102, 0.1, 0.12)
    yield _meter("sensor.washing_machine_power", "utility_room", "power", driver="switch.washing_machine", level=420)
    yield _motion("living_room", 120, "occupancy")
    yield _motion("bathroom", 90)
    yield _light("hall_ceiling", "hall", 4, 0.2)
    yield _switch("bathroom_heater", "bathroom", 42, 0.25, 0.08)
    yield _light("living_room_reading_lamp", "living_room", 75, 0.25)
    yield _light("living_room_shelf", "living_room", 110, 0.1)
    yield Thing(entity_id="cover.living_room_blinds", area="living_room", active="closed", rest="open", stay=420)
    yield _light("porch", "porch", 30, 0.1)
    yield _switch("oven", "kitchen", 38, 0.3, 0.15)
    yield Thing(entity_id="fan.extractor_hood", area="kitchen", stay=26, uses=0.2)
    yield Thing(
        entity_id="media_player.kitchen_radio", area="kitchen", active="playing", rest="idle", stay=32, uses=0.3
    )
    yield Thing(
        entity_id="climate.living_room", area="living_room", active="heat", rest="auto", stay=90, uses=0.15, how="app"
    )
    yield _switch("dishwasher", "kitchen", 88, 0.12, 0.1)
    yield _light("office_desk", "office", 70, 0.3)
    yield _switch("office_monitor", "office", 120, 0.5, 0.1)
    yield _motion("office", 90)
    yield _light("garden_string_lights", "garden", 170, 0.05, "app")
    yield Thing(
        entity_id="cover.chicken_coop_door", area="garden", device_class="door", active="open", rest="closed",
        stay=600, how="app",
    )  # fmt: skip
    yield Thing(entity_id="lock.front_door", area="hall", active="locked", rest="unlocked", stay=440, spread=0.1)
    yield _motion("landing", 30)
    yield _light("landing", "landing", 3, 0.4)
    yield _light("bedroom_ceiling", "bedroom", 14, 0.5)
    yield _contact("binary_sensor.garden_shed_door", "garden", "door", 6, 0.25)
    yield _contact("binary_sensor.kitchen_back_door", "kitchen", "door", 1.5, 2.2)
    yield Thing(
        entity_id="media_player.bedroom_radio", area="bedroom", active="playing", rest="idle", stay=25, uses=0.1
    )
    yield Thing(
        entity_id="vacuum.robin", area="living_room", active="cleaning", rest="docked", stay=48, spread=0.15, uses=0.1,
        how="app",
    )  # fmt: skip
    yield _switch("treadmill", "office", 33, 0.2, 0.08)
    yield _switch("towel_rail", "bathroom", 50, 0.2, 0.1, how="app")
    yield _switch("garden_irrigation", "garden", 18, 0.1, 0.05, how="app")
    yield _contact("binary_sensor.bedroom_window", "bedroom", "window", 40, 0.5)
    yield Thing(
        entity_id="binary_sensor.garden_gate_vibration", area="garden", role=Role.CHATTER, device_class="vibration"
    )
    yield _meter("sensor.tv_power", "living_room", "power", driver="media_player.living_room_tv", level=105)
    yield _meter("sensor.coffee_machine_power", "kitchen", "power", driver="switch.coffee_machine", level=640)
    yield _meter("sensor.house_power", None, "mains")
    yield _meter("sensor.house_energy", None, "energy", level=8.4)
    yield _meter("sensor.living_room_illuminance", "living_room", "illuminance")
    yield _meter("sensor.living_room_co2", "living_room", "co2")
    for room in ("kitchen", "bathroom", "bedroom"):
        yield _meter(f"sensor.{room}_temperature", room, "temperature")
        yield _meter(f"sensor.{room}_humidity", room, "humidity")
    yield _battery("sensor.front_door_battery", "hall")
    yield _battery("sensor.hall_motion_battery", "hall")


def _more_room(number: int) -> Iterator[Thing]:
    """Furnish one more room: a few things to use, and the many figures that each of its devices reports."""
    turn, place = divmod(number, len(MORE_ROOMS))
    room = MORE_ROOMS[place] + (f"_{turn + 1}" if turn else "")
    taste = chance(number, "room")
    yield _light(f"{room}_ceiling", room, 25, 0.4)
    yield _light(f"{room}_lamp", room, 50, 0.25)
    yield _motion(room, float(taste.choice([30, 60, 90, 120])))
    yield _meter(f"sensor.{room}_temperature", room, "temperature")
    yield _meter(f"sensor.{room}_humidity", room, "humidity")
    yield _battery(f"sensor.{room}_motion_battery", room)
    yield _contact(f"binary_sensor.{room}_window", room, "window", 30, 0.15)
    yield _switch(f"{room}_plug", room, 60, 0.4, 0.25)
    plug = f"switch.{room}_plug"
    yield _meter(f"sensor.{room}_plug_power", room, "power", driver=plug, level=float(taste.integers(20, 900)))
    yield _meter(f"sensor.{room}_plug_energy", room, "energy", driver=plug)
    yield _meter(f"sensor.{room}_plug_voltage", room, "voltage", driver=plug)
    yield _meter(f"sensor.{room}_illuminance", room, "illuminance")
    yield _meter(f"sensor.{room}_motion_link", room, "link")
    yield _meter(f"sensor.{room}_plug_link", room, "link", driver=plug)

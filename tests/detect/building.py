"""Homes and histories from small tables of acts, for the tests of the detectors."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quotidian.detect.base import Detector
from quotidian.detect.dayrow import ROW, ROW_VERSION, DayRow
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.model import Area, Carry, Day, Entity, Home, Summary
from quotidian.model.event import table_of

#: An act: wall second of its day (may lie beyond midnight), entity, new state, cause.
Act = tuple[float, str, str, str]


def home_of(rooms: dict[str, Sequence[str]] | None = None, *, zone: str = "Europe/Amsterdam") -> Home:
    """Make a home of rooms and the entities in them; sensors are told by the words in their ids."""
    kinds = ("motion", "door", "window")
    entities = {
        entity: Entity(entity, area=room, device_class=next((kind for kind in kinds if kind in entity), None))
        for room, members in (rooms or {}).items()
        for entity in members
    }
    areas = {room: Area(room, room.replace("_", " ").capitalize()) for room in rooms or {}}
    return Home("home", zone, areas=areas, entities=entities)


@dataclass
class Diary:
    """What happened in a home, day by day: acts are added, then folded.

    The first day starts with every entity known (in a state of its own that no act enters), as in a home that has
    been running for long.
    """

    home: Home = field(default_factory=home_of)
    first: dt.date = dt.date(2026, 3, 2)  # a Monday
    days: int = 28
    acts: dict[int, list[Act]] = field(default_factory=dict)

    def add(self, day: int, hour: float, entity: str, state: str = "on", cause: str = "physical") -> None:
        """Let an entity enter a state at an hour of the wall clock of the day with that number."""
        self.acts.setdefault(day, []).append((hour * 3600, entity, state, cause))

    def pulse(self, day: int, hour: float, entity: str, minutes: float = 5, cause: str = "physical") -> None:
        """Let an entity go on and off again."""
        self.add(day, hour, entity, "on", cause)
        self.add(day, hour + minutes / 60, entity, "off", cause)

    def date(self, day: int) -> dt.date:
        return self.first + dt.timedelta(days=day)

    @property
    def entities(self) -> list[str]:
        return sorted({entity for acts in self.acts.values() for _, entity, _, _ in acts})

    def events(self) -> list[tuple[int, str, str, str]]:
        """Give every event as (µs, entity, state, cause), in order."""
        zone = ZoneInfo(self.home.zone)
        start = Day.of(self.first, self.home.zone).start
        events = [(start, entity, "standby", "unknown") for entity in self.entities]
        for day, acts in self.acts.items():
            midnight = dt.datetime.combine(self.date(day), dt.time())
            for second, entity, state, cause in acts:
                wall = (midnight + dt.timedelta(seconds=second)).replace(tzinfo=zone)
                events.append((int(wall.timestamp() * 1e6), entity, state, cause))
        return sorted(events)

    def tables(self) -> dict[int, pa.Table]:
        """Give each day's events by its ordinal; days without events have an empty table."""
        calendar = [Day.of(self.date(day), self.home.zone) for day in range(self.days)]
        events = self.events()
        instants = [event[0] for event in events]
        cuts = np.searchsorted(instants, [day.start for day in calendar] + [calendar[-1].end])
        return {
            day.ordinal: table_of_events(events[low:high])
            for day, low, high in zip(calendar, cuts[:-1], cuts[1:], strict=True)
        }

    def history(self, *detectors: Detector) -> History:
        """Fold every day once, in order."""
        rows, summaries = fold(self.home, self.tables(), detectors)
        return history_of(rows, self.home, summaries)

    def circled(self, seed: int) -> "Diary":
        """Make a null home: the acts of each entity and day are shifted together in a circle of one day."""
        rng = np.random.default_rng(seed)
        moved = Diary(self.home, self.first, self.days)
        for day in range(self.days):
            acts = sorted(self.acts.get(day, []))
            shifts = {entity: rng.uniform(0, 86_400) for entity in self.entities}
            moved.acts[day] = [((s + shifts[e]) % 86_400, e, state, cause) for s, e, state, cause in acts]
        return moved

    def permuted(self, seed: int) -> "Diary":
        """Make a null home: the days of each entity are put in another order."""
        rng = np.random.default_rng(seed)
        orders = {entity: rng.permutation(self.days) for entity in self.entities}
        moved = Diary(self.home, self.first, self.days)
        for day in range(self.days):
            for act in sorted(self.acts.get(day, [])):
                moved.acts.setdefault(int(orders[act[1]][day]), []).append(act)
        return moved

    def jittered(self, seed: int) -> "Diary":
        """Make a null home: the acts of each entity and day are shifted together by one or two hours, either way."""
        rng = np.random.default_rng(seed)
        moved = Diary(self.home, self.first, self.days)
        for day in range(self.days):
            shifts = {entity: 3600 * int(rng.choice([-2, -1, 1, 2])) for entity in self.entities}
            acts = sorted(self.acts.get(day, []))
            moved.acts[day] = [((s + shifts[e]) % 86_400, e, state, cause) for s, e, state, cause in acts]
        return moved

    def reordered(self, seed: int) -> "Diary":
        """Make a null home: its days are put in another order."""
        order = np.random.default_rng(seed).permutation(self.days).tolist()
        acts = {place: self.acts.get(day, []) for place, day in enumerate(order)}
        return Diary(self.home, self.first, self.days, acts)


def history_of(rows: Summary, home: Home, summaries: dict[str, Summary] | None = None) -> History:
    """Make a history from summaries."""
    return History([DayRow(ordinal, day) for ordinal, day in sorted(rows.days.items())], home, summaries)


def table_of_events(events: Iterable[tuple[int, str, str, str]]) -> pa.Table:
    """Make a table of events (µs, entity, state, cause)."""
    columns = list(zip(*events, strict=True)) or [(), (), (), ()]
    return table_of(
        {
            "last_updated": list(columns[0]),
            "entity_id": list(columns[1]),
            "state": list(columns[2]),
            "cause": list(columns[3]),
            "source": ["csv"] * len(columns[0]),
        }
    )


def fold(
    home: Home, tables: dict[int, pa.Table], detectors: Sequence[Detector] = ()
) -> tuple[Summary, dict[str, Summary]]:
    """Fold days in order; give the rows, and the summaries of each detector that keeps integers of its own."""
    rows = Summary(ROW, ROW_VERSION)
    keeping = [detector for detector in detectors if detector.keeps]
    summaries = {detector.name: Summary(detector.name, detector.version) for detector in keeping}
    seen, carries = Carry(), {detector.name: Carry() for detector in keeping}
    for ordinal in sorted(tables):
        view, seen = observe(Day.from_ordinal(ordinal, home.zone), tables[ordinal], home, seen)
        rows.days[ordinal] = view.row.integers
        for detector in keeping:
            kept, carries[detector.name] = detector.fold(view, carries[detector.name])
            summaries[detector.name].days[ordinal] = kept
    return rows, summaries


def household(seed: int = 0, days: int = 28, *, zone: str = "Europe/Amsterdam") -> Diary:
    """Make a home of four rooms with a morning routine, a day of wandering about, and an evening at the television."""
    rng = np.random.default_rng(seed)
    rooms = {
        "bedroom": ("light.bedside", "binary_sensor.bedroom_motion"),
        "bathroom": ("light.bathroom", "fan.bathroom", "binary_sensor.bathroom_motion"),
        "kitchen": ("light.kitchen", "switch.kettle", "binary_sensor.kitchen_motion"),
        "living_room": ("light.floor_lamp", "media_player.tv", "binary_sensor.living_motion"),
    }
    diary = Diary(home_of(rooms, zone=zone), days=days)
    for day in range(days):
        free = diary.date(day).weekday() >= 5
        wake = (8.7 if free else 6.8) + rng.normal(0, 0.12)
        for minute, entity, length in (
            (0, "light.bedside", 12),
            (0.5, "binary_sensor.bedroom_motion", 3),
            (3, "binary_sensor.bathroom_motion", 8),
            (3.2, "light.bathroom", 11),
            (4, "fan.bathroom", 14),
            (16, "binary_sensor.kitchen_motion", 20),
            (16.3, "light.kitchen", 25),
            (18, "switch.kettle", 4),
        ):
            if rng.random() < 0.97:
                diary.pulse(day, wake + (minute + rng.normal(0, 0.2)) / 60, entity, length)
        for _ in range(rng.poisson(10)):
            room = str(rng.choice(list(rooms)))
            diary.pulse(day, rng.uniform(wake + 1, 22), rooms[room][-1], 4)
        evening = 20.2 + rng.normal(0, 0.2)
        for minute in range(0, 140, 14):
            diary.pulse(day, evening + (minute + rng.uniform(0, 6)) / 60, "binary_sensor.living_motion", 3)
        diary.pulse(day, evening + rng.normal(3, 0.5) / 60, "light.floor_lamp", 150 + rng.normal(0, 9))
        diary.pulse(day, evening + rng.normal(5, 1) / 60, "media_player.tv", 140 + rng.normal(0, 9))
    return diary


def home_office(seed: int = 0, days: int = 70, *, weekdays: tuple[int, ...] = (1, 3)) -> tuple[Diary, list[int]]:
    """Make a home in which on most of some weekdays somebody is there in working hours; give these days as well."""
    rng = np.random.default_rng(seed)
    home = home_of({"kitchen": ["binary_sensor.kitchen_motion"], "office": ["light.desk"]})
    diary, at_home = Diary(home, days=days), []
    for day in range(days):
        weekday = diary.date(day).weekday()
        hours = [*rng.uniform(6.5, 8.5, 12), *rng.uniform(17.5, 22.5, 30)]
        if weekday in weekdays and rng.random() < 0.85:
            at_home.append(day)
            hours += [*rng.uniform(9, 17, 40)]
            diary.pulse(day, 9 + rng.normal(0, 0.1), "light.desk", 480)
        elif weekday >= 5:
            hours += [*rng.uniform(9, 17, 20)]
        for hour in sorted(hours):
            diary.pulse(day, float(hour), "binary_sensor.kitchen_motion", 2)
    return diary, at_home

"""Roll-ups: a day's integers in figures that a person reads."""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian.detect import ROW, DayRow, detectors
from quotidian.detect.dayrow import entity_of
from quotidian.detect.rollup import roll_up
from quotidian.model import Entity, Home, Integers, RollUp, Summary
from quotidian.model.rollup import DETECTORS, Figures

from .building import Act, Diary, fold, home_of, household, table_of_events

LAMP, DOOR, FAN = "light.hall", "binary_sensor.hall_door", "fan.bath"
some_examples = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


def rolled(home: Home, tables: Mapping[int, pa.Table]) -> dict[int, list[RollUp]]:
    """Fold days, pack and unpack what is kept, and roll each day up."""
    rows, summaries = fold(home, dict(tables), detectors())
    return {ordinal: of_day(ordinal, row, summaries) for ordinal, row in rows.days.items()}


def of_day(ordinal: int, row: Integers, summaries: Mapping[str, Summary]) -> list[RollUp]:
    """Roll a day up, from bytes."""
    kept = {
        one.name: (one.version, summaries[one.name].days[ordinal] if one.keeps else Integers()) for one in detectors()
    }
    unpacked = {name: (version, Integers.decode(integers.encode())) for name, (version, integers) in kept.items()}
    return roll_up(DayRow(ordinal, Integers.decode(row.encode())), detectors(), unpacked)


def figures(diary: Diary, detector: str, entity_id: str, day: int = -1) -> Figures:
    """Give what is said of an entity on one day, nothing where nothing is."""
    tables = diary.tables()
    found = rolled(diary.home, tables)[sorted(tables)[day]]
    return next((one.figures for one in found if (one.detector, one.entity_id) == (detector, entity_id)), {})


@cache
def sample() -> tuple[Home, dict[int, pa.Table]]:
    """Give a household of ten days with what can be said by every detector."""
    diary = household(3, 10)
    entities = {"sensor.kitchen_t": Entity("sensor.kitchen_t", device_class="temperature"), **diary.home.entities}
    diary.home = msgspec.structs.replace(diary.home, entities=entities)
    for day in range(10):
        diary.pulse(day, 19, "light.porch", 90, cause="automation")
        diary.add(day, 12, "binary_sensor.kitchen_motion", "unavailable")
        diary.add(day, 12.5, "binary_sensor.kitchen_motion", "off")
        diary.add(day, 0.25, "person.anna", "not_home" if day % 2 else "home")
        for hour in range(0, 24, 3):
            diary.add(day, hour, "sensor.kitchen_t", str(17 + hour / 3))
        for quarter in range(0, 2400, 5):
            diary.add(day, 10 + quarter / 400, "binary_sensor.chatter", "on" if quarter % 2 else "off")
    return diary.home, diary.tables()


@cache
def whole() -> dict[int, list[RollUp]]:
    """Give the sample's roll-ups."""
    return rolled(*sample())


# laws


@some_examples
@given(seed=st.integers(0, 2**32))
def test_the_order_of_events_does_not_matter(seed: int) -> None:
    """Events in any order, some of them twice, give the same figures."""
    home, tables = sample()
    rng = np.random.default_rng(seed)
    mixed = {}
    for ordinal, table in list(tables.items())[:3]:
        again = rng.choice(table.num_rows, rng.integers(0, 9))
        mixed[ordinal] = table.take(pa.array(rng.permutation([*range(table.num_rows), *again]), pa.int64()))
    assert all(whole()[ordinal] == found for ordinal, found in rolled(home, mixed).items())


@some_examples
@given(data=st.data())
def test_the_order_of_days_does_not_matter(data: st.DataObject) -> None:
    """Days whose integers were merged in any grouping and order give the same figures: they follow from these alone."""
    rows, summaries = fold(*sample(), detectors())
    parts = [
        {
            name: Summary(one.detector, one.version, {day: one.days[day]})
            for name, one in [(ROW, rows), *summaries.items()]
        }
        for day in data.draw(st.permutations([*rows.days]))
    ]
    while len(parts) > 1:
        place = data.draw(st.integers(0, len(parts) - 2))
        one, other = parts.pop(place), parts.pop(place)
        parts.insert(place, {name: one[name].merged(other[name]) for name in one})
    merged = parts[0]
    assert {day: of_day(day, row, merged) for day, row in merged[ROW].days.items()} == whole()


def test_each_is_said_once_and_in_order() -> None:
    """There is one roll-up for a date, a detector and an entity, in the order of their places."""
    for ordinal, found in whole().items():
        places = [one.place for one in found]
        assert all(one < other for one, other in pairwise(places))
        assert {one.date for one in found} == {dt.date.fromordinal(ordinal)}


def test_every_detector_says_something() -> None:
    """Each detector rolls up, under the names that the store knows."""
    assert {one.detector for found in whole().values() for one in found} == set(DETECTORS)
    assert tuple(one.name for one in detectors()) == DETECTORS


def test_figures_are_bounded_and_plain() -> None:
    """No list has more than 48 members, no figure is anything but a number, a text, or a list of one kind of them."""
    for one in (one for found in whole().values() for one in found):
        for value in one.figures.values():
            members = value if isinstance(value, list) else [value]
            assert len(members) <= 48
            assert len({type(member) for member in members}) <= 1
            assert all(type(member) in {int, float, str} for member in members)


def test_a_wild_day_stays_small() -> None:
    """However much happens, an entity's day takes less than two kilobytes in figures."""
    rng = np.random.default_rng(4)
    names = [f"switch.number_{number}" for number in range(60)]
    acts: list[Act] = [
        (second, name, "on" if place % 2 else "off", "physical")
        for name in names
        for place, second in enumerate(sorted(rng.uniform(0, 86_000, 150).tolist()))
    ]
    diary = Diary(days=1, acts={0: acts})
    (found,) = rolled(diary.home, diary.tables()).values()
    sizes: dict[str, int] = {}
    for one in found:
        sizes[one.entity_id] = sizes.get(one.entity_id, 0) + len(msgspec.msgpack.encode(one.figures))
    assert len(sizes) >= 60
    assert max(sizes.values()) < 2000


def test_every_figure_is_explained() -> None:
    """The page on the detectors names each figure of each detector in that detector's part."""
    page = (Path(__file__).parents[2] / "docs" / "detectors.md").read_text("utf-8")
    for one in (one for found in whole().values() for one in found):
        part = page.partition(f"(`{one.detector}`)\n")[2].partition("\n## ")[0].partition("**In figures.**")[2]
        missing = [name for name in one.figures if f"`{name}`" not in part]
        assert not missing, f"{one.detector}: {missing}"


# time of day


def evening() -> Diary:
    """Give two days on which a lamp goes on and off by hand, and once by an automation."""
    diary = Diary(home_of({"hall": (LAMP, DOOR)}), days=2)
    for day in range(2):
        diary.pulse(day, 6.75, LAMP, 15)
        diary.pulse(day, 18.5, LAMP, 20)
        diary.pulse(day, 22, LAMP, 60, cause="automation")
    return diary


def test_what_a_lamp_did() -> None:
    """Occurrences, their hours, states, first and last are what people did; automations are counted beside them."""
    told = figures(evening(), "time_of_day", LAMP)
    hours = [0] * 24
    hours[6], hours[7], hours[18] = 1, 1, 2
    assert told == {
        "occurrences": 4,
        "automated": 2,
        "hourly_distribution": hours,
        "peak_hours": [18],
        "states": ["off", "on"],
        "states_times": [2, 2],
        "first": 405,
        "last": 1130,
        "frequency": round(4 / 24, 4),
        "confidence": 1.0,
    }


def test_confidence_is_the_share_of_the_day_that_was_observed() -> None:
    """Six hours without a sensor are a quarter of the day, and count for no rate."""
    diary = evening()
    diary.add(1, 8, LAMP, "unavailable")
    diary.add(1, 14, LAMP, "off")
    told = figures(diary, "time_of_day", LAMP)
    assert (told["confidence"], told["frequency"]) == (0.75, round(4 / 18, 4))


def test_a_quiet_day_is_told_too() -> None:
    """An entity that was observed and did nothing has a day without occurrences; one that was not has none."""
    diary = evening()
    diary.days = 3
    quiet = figures(diary, "time_of_day", LAMP)
    assert (quiet["occurrences"], quiet["peak_hours"], quiet["states"], quiet["confidence"]) == (0, [], [], 1.0)
    assert "first" not in quiet
    diary.add(1, 23.5, LAMP, "unavailable")
    assert figures(diary, "time_of_day", LAMP) == {}


def test_chatter_keeps_its_count() -> None:
    """Of an entity that changes too often its count and the quarters with a change are told, no hours."""
    (*_, last) = whole().values()
    (told,) = (
        one.figures for one in last if one.entity_id == "binary_sensor.chatter" and one.detector == "time_of_day"
    )
    assert told["occurrences"] == 480
    assert told["quarters"] == [0] * 10 + [4] * 6 + [0] * 8
    assert "hourly_distribution" not in told


@pytest.mark.parametrize(("date", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)])
def test_a_change_of_the_clocks_is_one_day(date: dt.date, hours: int) -> None:
    """Every act has its wall hour, and rates go by the hours that the day had."""
    diary = Diary(home_of({"hall": (LAMP,)}), first=date, days=1)
    for hour in (1.5, 3.5, 5.5, 23.5):
        diary.add(0, hour, LAMP, "on" if hour in {1.5, 5.5} else "off")
    told = figures(diary, "time_of_day", LAMP)
    assert [hour for hour, count in enumerate(told["hourly_distribution"]) if count] == [1, 3, 5, 23]  # type: ignore[arg-type]
    assert (told["frequency"], told["confidence"]) == (round(4 / hours, 4), 1.0)


# the others


def test_a_pair_is_said_of_both() -> None:
    """A lamp that follows a door stands in the door's figures with a lag, and the door in the lamp's, before it."""
    diary = Diary(home_of({"hall": (LAMP, DOOR, FAN)}), days=1)
    for hour in (7, 9, 17):
        diary.add(0, hour, DOOR, "on")
        diary.add(0, hour + 20 / 3600, LAMP, "on")
        diary.add(0, hour + 0.4, DOOR, "off")
        diary.add(0, hour + 0.6, LAMP, "off")
    diary.pulse(0, 17.1, FAN, 240)
    assert figures(diary, "co_occurrence", DOOR) == {"others": [LAMP], "times": [3], "lags": [20]}
    assert figures(diary, "co_occurrence", LAMP) == {"others": [DOOR], "times": [3], "lags": [-20]}
    assert figures(diary, "co_occurrence", FAN) == {}
    assert figures(diary, "sequence", LAMP) == {
        "actions": 6,
        "before": DOOR,
        "before_times": 3,
        "before_gap": 20,
        "after": FAN,
        "after_times": 1,
        "after_gap": 340,
    }


def test_only_the_closest_partners_are_told() -> None:
    """Of many partners the eight are told of whose changes the largest share came together with the entity's."""
    diary = Diary(days=1)
    for number in range(12):
        name = f"switch.number_{number:02}"
        for place in range(number + 1):
            diary.add(0, 1 + place, name, "on" if place % 2 else "off")
    for place in range(12):
        diary.add(0, 1 + place, LAMP, "on" if place % 2 else "off")
    told = figures(diary, "co_occurrence", LAMP)
    assert told["others"] == [f"switch.number_{number:02}" for number in range(11, 3, -1)]
    assert told["times"] == [*range(12, 4, -1)]


def on_seconds(*acts: tuple[float, str], entity_id: str = LAMP) -> object:
    """Give for how long a lamp was on, on the second of two days, by the hours of the first at which it changed."""
    diary = Diary(days=2)
    for hour, state in acts:
        diary.add(int(hour // 24), hour % 24, entity_id, state)
    return figures(diary, "duration", entity_id).get("on_seconds")


def test_how_long_it_was_on() -> None:
    """What was on before midnight counts from midnight, what is still on counts until midnight, gaps not at all."""
    assert on_seconds((23, "on"), (25, "off"), (46, "on")) == 3 * 3600
    assert on_seconds((23, "on"), (25, "off")) == 3600
    assert on_seconds((26, "open"), (27, "closed"), entity_id="cover.blind") == 3600
    assert on_seconds((26, "on"), (27, "unavailable"), (29, "off"), (30, "on"), (31, "off")) == 2 * 3600
    assert on_seconds((5, "on")) is None


def test_which_spans_ended() -> None:
    """A span counts on the day on which it ends; one that no person ended is unended."""
    diary = Diary(days=2)
    diary.add(0, 23, LAMP, "on")
    diary.add(1, 1, LAMP, "off")
    diary.pulse(1, 8, LAMP, 10)
    diary.add(1, 20, LAMP, "on")
    diary.add(1, 21, LAMP, "off", cause="automation")
    assert figures(diary, "duration", LAMP) == {
        "states": ["on"],
        "spans": [2],
        "longest": [7200],
        "unended": 1,
        "on_seconds": 3600 + 600 + 3600,
    }


def test_which_rooms_were_used() -> None:
    """Seconds by hour, and ways to and from other rooms, under the areas' ids."""
    diary = Diary(home_of({"hall": ("binary_sensor.hall_motion",), "kitchen": ("light.kitchen",)}), days=1)
    diary.add(0, 7, "binary_sensor.hall_motion", "on")
    diary.add(0, 7.25, "light.kitchen", "on")
    hall, kitchen = (figures(diary, "room", area) for area in ("hall", "kitchen"))
    assert (hall["seconds"], hall["to"], hall["to_times"], hall["from"]) == (900, ["kitchen"], [1], [])
    assert (kitchen["seconds"], kitchen["from"], kitchen["from_times"]) == (1800, ["hall"], [1])
    assert kitchen["hourly_seconds"] == [0] * 7 + [1800] + [0] * 16


def test_what_the_house_did() -> None:
    """How much, when, in how many spells, and who was there."""
    diary = evening()
    diary.pulse(1, 2, DOOR, 1)
    assert figures(diary, "anomaly", "home") == {"changes": 6, "entities": 2, "hours": [2, 6, 7, 18]}
    told = figures(diary, "day_type", "home")
    assert (told["changes"], told["first"], told["last"], told["late"]) == (6, 405, 1130, 121)
    spells = {"sessions": 3, "starts": [120, 405, 1110], "minutes": [1, 15, 20]}
    assert figures(diary, "session", "home") == spells
    assert figures(diary, "session", LAMP) == {"sessions": 2, "starts": [405, 1110], "minutes": [15, 20]}
    assert figures(diary, "anomaly", LAMP) == {"states": ["on"], "longest": [3600]}
    assert figures(diary, "seasonal", LAMP) == {"states": ["off", "on"]}


def test_what_the_context_was() -> None:
    """The levels of a sensor and of presence are told by hour, as they are kept."""
    (*_, last) = whole().values()
    told = {one.entity_id: one.figures for one in last if one.detector == "contextual"}
    temperature = told["sensor.kitchen_t"]
    assert temperature["hours"] == [*range(24)]
    assert (temperature["lowest"], temperature["highest"]) == (34, 48)
    assert told["home"]["levels"] == [1] + [0] * 23


def subjects() -> Iterator[str]:
    """Give whom anything is said of."""
    yield from (one.entity_id for found in whole().values() for one in found)


def test_nobody_is_spoken_of_who_is_not_there() -> None:
    """Every roll-up is about an entity of an event, an area, or the home; never about a token."""
    home, tables = sample()
    entities = {name for table in tables.values() for name in table["entity_id"].to_pylist()}
    assert set(subjects()) <= entities | home.areas.keys() | {"home"}
    assert all(name == entity_of(name) for name in subjects())


def test_a_day_without_events_is_no_trouble() -> None:
    """An empty home says how little there was."""
    diary = Diary(days=1)
    (found,) = rolled(diary.home, {diary.first.toordinal(): table_of_events([])}).values()
    assert {one.entity_id for one in found} == {"home"}

"""Rooms: their hours, and the ways between them."""

import datetime as dt

import msgspec
import numpy as np
import pytest

from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.detect.room import Room
from quotidian.model import Carry, Day, Finding, Home, Stage

from .building import Diary, home_of, home_office, household, table_of_events

ROOMS = {"bedroom": ["binary_sensor.bed_motion"], "kitchen": ["light.kitchen", "binary_sensor.kitchen_motion"]}


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look at its rooms."""
    return Room().detect(diary.history(Room()))


def day_of(acts: list[tuple[float, str, str]], carry: Carry | None = None) -> tuple[dict[str, list[int]], Carry]:
    """Fold one day of acts (hour, entity, state) and give its columns."""
    home = home_of(ROOMS, zone="UTC")
    day = Day.of(dt.date(2026, 3, 3), "UTC")
    yesterday = [(day.start - 10**9, name, "standby", "physical") for name in ("light.kitchen", *ROOMS["bedroom"])]
    yesterday += [(day.start - 10**9, "binary_sensor.kitchen_motion", "standby", "physical")]
    _, seen = observe(day.shifted(-1), table_of_events(yesterday), home, Carry())
    events = [(day.start + int(hour * 3.6e9), name, state, "physical") for hour, name, state in acts]
    view, _ = observe(day, table_of_events(events), home, seen)
    kept, handed = Room().fold(view, carry or Carry())
    return {name: values.tolist() for name, values in kept.columns.items()}, handed


def test_a_day_keeps_use_by_hour_and_ways() -> None:
    """A room is in use until the next sign elsewhere, at most for half an hour; a change of rooms is a way."""
    columns, handed = day_of([(7, "binary_sensor.bed_motion", "on"), (7.25, "light.kitchen", "on")])
    assert columns == {
        "area": [0, 1],
        "hour": [7, 7],
        "seconds": [900, 1800],
        "from": [0],
        "to": [1],
        "at": [7],
        "count": [1],
        "since": [26_100],
        "room": [0, 1],
        "stops": [1, 1],
        "passed": [0, 0],
    }
    assert not handed


def test_who_walks_through_does_not_stop() -> None:
    """From the bedroom through the hall to the kitchen is a way from the bedroom to the kitchen."""
    home = home_of({**ROOMS, "hall": ["binary_sensor.hall_motion"]}, zone="UTC")
    diary = Diary(home, days=1)
    for hour, room in ((7, "bed"), (7.2, "hall"), (7.205, "kitchen"), (7.5, "hall"), (7.505, "bed")):
        diary.pulse(0, hour, f"binary_sensor.{room}_motion", 0.1)
    (kept,) = diary.history(Room()).summaries["room"].days.values()
    ways = [(kept.words[one], kept.words[other]) for one, other in zip(kept["from"], kept["to"], strict=True)]
    assert ways == [("bedroom", "kitchen"), ("kitchen", "bedroom")]
    assert dict(zip((kept.words[room] for room in kept["room"]), kept["passed"].tolist(), strict=True)) == {
        "bedroom": 0,
        "hall": 2,
        "kitchen": 0,
    }


def test_going_off_by_itself_is_no_sign() -> None:
    """A motion sensor that goes off says only that time has passed; a lamp that is switched off is a sign."""
    columns, _ = day_of([(7, "binary_sensor.bed_motion", "on"), (9, "binary_sensor.bed_motion", "off")])
    assert columns["seconds"] == [1800]
    columns, _ = day_of([(7, "light.kitchen", "on"), (9, "light.kitchen", "off")])
    assert columns["seconds"] == [1800, 1800]


def test_use_goes_on_over_midnight() -> None:
    """What a sign just before midnight says is counted on both days, and nothing is handed on for longer."""
    columns, handed = day_of([(23.75, "light.kitchen", "on")])
    assert columns["seconds"] == [900]
    handed = Carry(handed.words, {"instant": handed["instant"] - 86_400})
    columns, handed = day_of([], handed)
    assert (columns["hour"], columns["seconds"]) == ([0], [900])
    assert not handed


def test_hours_and_ways_of_a_household_are_found() -> None:
    """The planted evening in the living room and the morning's way are told, each once."""
    findings = found(household(days=60))
    told = {finding.subject: finding for finding in findings}
    assert len(told) == len(findings) <= 8
    evening = told["living_room",]
    assert evening.sentence.startswith("Every day between 20:00 and ")
    assert evening.evidence.kept == 60
    assert evening.evidence.q_value is None
    way = told["bathroom", "kitchen"]
    # Weekdays at seven, weekends at nine: one way of every day, not one for each.
    assert (way.measures["days"], way.measures["start"], way.measures["end"]) == ("all", 6, 10)
    assert way.evidence.share > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_nothing_in_noise(seed: int) -> None:
    """When each entity-day is shifted in a circle, no room has hours and no way has a time."""
    assert found(household(seed, days=40).circled(seed)) == []


def test_ten_days_are_emerging() -> None:
    """Ten days show hours, and say that they are few."""
    findings = found(household(days=10))
    assert any(finding.subject == ("living_room",) for finding in findings)
    assert all(finding.stage is Stage.EMERGING for finding in findings if finding.evidence.kept < 10)


def test_no_areas_find_nothing_and_say_why() -> None:
    """A home without areas has no findings, and a sentence that says what to do."""
    diary = Diary()
    for day in range(diary.days):
        diary.pulse(day, 7, "light.kitchen")
    assert found(diary) == []
    assert str(Room.lacking(diary.home)).startswith("No entity has an area")
    assert str(Room.lacking(home_of({"hall": ["light.hall"]}))).startswith("All entities are in one area")
    assert Room.lacking(home_of(ROOMS)) is None


def test_the_change_of_the_clocks_changes_no_hours() -> None:
    """The hours are those of the wall clock, before and after the clocks change."""
    diary = household(days=40)
    diary.first = dt.date(2026, 3, 9)
    evening = next(finding for finding in found(diary) if finding.subject == ("living_room",))
    assert (evening.measures["start"], evening.evidence.kept) == (20, 40)


def test_hostile_names_are_shown_plainly() -> None:
    """An area may be called anything."""
    rng = np.random.default_rng(2)
    diary = Diary(home_of({"a\n<b>\"'": ["light.x"], "🛁": ["light.y"]}), days=30)
    for day in range(30):
        diary.pulse(day, 7 + rng.uniform(0, 0.2), "light.x", 10)
        diary.pulse(day, 7.4 + rng.uniform(0, 0.2), "light.y", 10)
    findings = found(diary)
    assert findings
    assert all(finding.sentence.isprintable() for finding in findings)
    assert msgspec.json.encode(findings)


def test_little_or_no_data_says_nothing() -> None:
    """No day and one day have no hours."""
    assert Room().detect(History([], Home("h", "UTC"))) == []
    assert found(household(days=1)) == []


def test_bad_parameters_are_refused() -> None:
    """A cap of zero minutes is no cap."""
    with pytest.raises(ValueError, match="cap is 1 to 120 minutes"):
        Room(cap=0)


def test_two_rooms_at_once_have_no_way_between_them() -> None:
    """When signs come from two rooms in turn all evening, somebody is in each, and nobody is said to go."""
    rng = np.random.default_rng(3)
    diary = Diary(home_of(ROOMS), days=30)
    for day in range(30):
        for minute in range(0, 120, 10):
            diary.pulse(day, 20 + (minute + rng.uniform(0, 4)) / 60, "binary_sensor.bed_motion", 1)
            diary.pulse(day, 20 + (minute + rng.uniform(0, 8)) / 60, "binary_sensor.kitchen_motion", 1)
    assert all(len(finding.subject) == 1 for finding in found(diary))


def test_days_at_home_have_hours_of_their_own() -> None:
    """The room of those who work at home is told with these days, not with weekdays of which it is a part."""
    diary, at_home = home_office()
    for day in at_home:
        for minute in range(0, 480, 16):
            if not 190 < minute < 230:
                diary.pulse(day, 9.2 + minute / 60, "binary_sensor.office_motion", 2)
    areas = {"kitchen": ["binary_sensor.kitchen_motion"], "office": ["light.desk", "binary_sensor.office_motion"]}
    office = [one for one in found(Diary(home_of(areas), days=diary.days, acts=diary.acts)) if "office" in one.subject]
    (use,) = office
    assert (use.measures["days"], use.measures["start"]) == ("at_home", 9)
    assert use.measures["dates"] == [diary.date(day).toordinal() for day in at_home]
    assert (use.evidence.kept, use.evidence.observed) == (len(at_home), len(at_home))
    assert use.sentence.startswith("On days at home between 09:00 and ")


def test_days_of_absence_are_no_evidence() -> None:
    """A week away breaks no habit of a room."""
    diary = household(days=60)
    for day in range(30, 37):
        diary.acts[day] = []
    evening = next(finding for finding in found(diary) if finding.subject == ("living_room",))
    assert (evening.evidence.kept, evening.evidence.observed) == (53, 53)


def test_a_lamp_switched_from_elsewhere_is_no_use_of_a_room() -> None:
    """Where sensors see people in two rooms, a third one without is not said to be used."""
    rooms = {**ROOMS, "garden": ["light.string_lights"]}
    diary = Diary(home_of(rooms), days=40)
    for day in range(40):
        for minute in range(0, 60, 6):
            diary.pulse(day, 7 + minute / 60, "binary_sensor.bed_motion", 1)
            diary.pulse(day, 8.5 + minute / 60, "binary_sensor.kitchen_motion", 1)
        diary.pulse(day, 20, "light.string_lights", 30)
    findings = found(diary)
    assert findings
    assert not any("garden" in finding.subject for finding in findings)


def test_a_room_that_is_walked_through_has_no_hours() -> None:
    """Whoever leaves the house is last seen in the hall, which does not say that somebody stays there."""
    rooms = {**ROOMS, "hall": ["binary_sensor.hall_motion"]}
    diary = Diary(home_of(rooms), days=40)
    for day in range(40):
        for hour, room in ((7, "bed"), (7.4, "hall"), (7.405, "kitchen"), (7.9, "hall"), (7.905, "bed"), (8.2, "hall")):
            for minute in range(0, 20, 5) if room != "hall" else (0,):
                diary.pulse(day, hour + minute / 60, f"binary_sensor.{room}_motion", 0.1)
    findings = found(diary)
    assert ("bedroom", "kitchen") in [finding.subject for finding in findings]
    assert not any("hall" in finding.subject for finding in findings)

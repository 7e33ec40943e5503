"""Homes and histories unlike others: what is learned is sensible, or a sentence says what is missing; never a flood."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from quotidian.detect import detectors
from quotidian.detect.reconcile import reconcile
from quotidian.detect.telling import told_once
from quotidian.model.pattern import once
from quotidian.operate.telling import SHOWN, tell_patterns
from quotidian.settings import Settings
from quotidian.store import connect

from ..detect.building import Diary, home_of, household, table_of_events  # noqa: TID252 - tests are no package
from .conftest import Ran

Learns = Callable[..., tuple[str, list[Any]]]
YEAR = dt.date(2025, 3, 2)


@pytest.fixture
def learns(quotidian: Callable[..., Ran], tmp_path: Path) -> Learns:
    """Learn from a diary by way of a store; give what was said, and the active habits that are told."""

    def learn(diary: Diary, more: Iterable[tuple[int, str, str, str]] = ()) -> tuple[str, list[Any]]:
        store = connect(tmp_path / "store", Settings({}))
        store.set_home(msgspec.structs.replace(diary.home, id=store.home.id))
        store.append(table_of_events(sorted([*diary.events(), *more])))
        store.close()
        told = quotidian("learn")
        assert told.code == 0
        assert told.output.count("•") <= SHOWN
        assert len(told.output.splitlines()) < SHOWN + 20
        found = quotidian("patterns", "--json").json
        return told.output, [one for one in found if one["told_by"] is None]

    return learn


def evenings(days: int, first: dt.date = dt.date(2026, 3, 2), *, seed: int = 1) -> Diary:
    """Make a home of three entities: a lamp each morning, a television each evening, and a door."""
    diary, rng = Diary(first=first, days=days), np.random.default_rng(seed)
    for day in range(days):
        diary.pulse(day, 7 + rng.normal(0, 0.1), "light.bed", 30 + rng.normal(0, 3))
        diary.pulse(day, rng.uniform(9, 18), "binary_sensor.door", 1)
        diary.pulse(day, 20 + rng.normal(0, 0.1), "media_player.tv", 120 + rng.normal(0, 9))
    diary.pulse(days - 1, 22.5, "binary_sensor.door", 1)
    return diary


def subjects(found: Iterable[Any], detector: str | None = None) -> set[str]:
    """Give whom the habits are about."""
    return {
        token for one in found if detector in (None, one["finding"]["detector"]) for token in one["finding"]["subject"]
    }


def test_a_home_of_three_entities(learns: Learns) -> None:
    """What little there is is found: two times of day; the door keeps to none."""
    said, found = learns(evenings(14))
    assert subjects(found, "time_of_day") == {"light.bed=on", "media_player.tv=on"}
    assert re.search(r"Every day about (06:5\d|07:0\d) .* the bed light goes on: 1\d of 14 days", said)


def test_what_is_learned_is_told_once(learns: Learns, quotidian: Callable[..., Ran]) -> None:
    """A household's routine is told, and what it consists of stands under it: the nights settle that."""
    said, found = learns(household(days=14))
    every = quotidian("patterns", "--json").json
    silent = [one for one in every if one["told_by"] is not None]
    assert silent
    assert {one["told_by"] for one in silent} <= {one["id"] for one in found}
    assert not any(one["id"] in said for one in silent)


@pytest.mark.parametrize(("days", "says"), [(1, "1 day cannot show"), (2, "2 days cannot show")])
def test_days_too_few(learns: Learns, days: int, says: str) -> None:
    """It is said that they are, and how many each kind of habit needs."""
    said, found = learns(evenings(days))
    assert found == []
    assert f"No habits yet: {says} what comes back." in said
    assert "from 3 days on: times of day can be found" in said
    assert "from 5 days on: what follows on what, routines, rooms and how long things last" in said


def test_a_year(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a year there is more evidence, not more to read; its two changes of the clocks move nothing."""
    looking = detectors()
    history = evenings(365, YEAR).history(*looking)
    found = told_once(reconcile("home", [], [one for each in looking for one in each.detect(history)], history.last))
    times = {one.finding.subject[0]: one.finding for one in found if one.finding.detector == "time_of_day"}
    for token, minute in (("light.bed=on", 420), ("media_player.tv=on", 1200)):
        assert abs(times[token].measures["minute"] - minute) <= 5
        assert times[token].evidence.kept >= 300
    assert len(once(found)) <= SHOWN
    tell_patterns(found)
    assert capsys.readouterr().out.count("•") <= SHOWN


@pytest.mark.parametrize("times", [90, 500])
def test_a_sensor_that_fires_most_of_all(learns: Learns, times: int) -> None:
    """A sensor with four fifths of all events has no habit, and hides none of the others."""
    diary, rng = household(days=12), np.random.default_rng(2)
    events = len(diary.events())
    for day in range(12):
        for hour in np.sort(rng.uniform(0, 24, times)):
            diary.pulse(day, hour, "binary_sensor.loud", 0.05)
    assert len(diary.events()) > 3.5 * events
    _, found = learns(diary)
    assert not any("loud" in token for token in subjects(found) if "=" in token)
    assert "light.floor_lamp=on" in subjects(found)


def test_two_people_with_opposite_habits(learns: Learns) -> None:
    """Who works by day and who by night leave and come home at times of their own."""
    diary, rng = Diary(days=16), np.random.default_rng(3)
    for day in range(16):
        for who, leaves, comes in (("person.anna", 8, 17.5), ("person.bert", 20, 6.5)):
            diary.add(day, leaves + rng.normal(0, 0.1), who, "not_home")
            diary.add(day, comes + rng.normal(0, 0.1), who, "home")
    _, found = learns(diary)
    minutes = {
        one["finding"]["subject"][0]: one["finding"]["measures"]["minute"]
        for one in found
        if one["finding"]["detector"] == "time_of_day"
    }
    assert set(minutes) == {f"person.{who}={state}" for who in ("anna", "bert") for state in ("home", "not_home")}
    assert minutes["person.anna=not_home"] == pytest.approx(480, abs=10)
    assert minutes["person.bert=not_home"] == pytest.approx(1200, abs=10)


def test_a_clock_that_was_wrong_for_a_day(learns: Learns) -> None:
    """Five hours too early on one day costs that day, and no habit of its own comes of it."""
    diary = evenings(16)
    diary.acts[8] = [(second - 5 * 3600, entity, state, cause) for second, entity, state, cause in diary.acts[8]]
    _, found = learns(diary)
    times = [one["finding"] for one in found if one["finding"]["detector"] == "time_of_day"]
    assert {round(one["measures"]["minute"] / 60) for one in times} == {7, 20}


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_clock_that_knew_no_date(learns: Learns, year: int) -> None:
    """What a machine wrote before it knew the date is decades away: it makes no habit, and hides none."""
    start = int(dt.datetime(year, 1, 2, tzinfo=dt.UTC).timestamp() * 1e6)
    strange = [
        (start + place * 60_000_000, entity, state, cause)
        for place, (_, entity, state, cause) in enumerate(evenings(4).events())
    ]
    said, found = learns(evenings(14), strange)
    assert subjects(found, "time_of_day") == {"light.bed=on", "media_player.tv=on"}
    assert "of 14 days" in said


@pytest.mark.parametrize("first", [dt.date(2026, 3, 20), dt.date(2025, 10, 16)], ids=["spring", "autumn"])
def test_the_clocks_change(learns: Learns, first: dt.date) -> None:
    """Two weeks around it, a lamp by the wall clock is at one time, also in the hour that is skipped or comes twice."""
    diary, rng = Diary(first=first, days=18), np.random.default_rng(4)
    for day in range(18):
        diary.pulse(day, 2.5 + rng.normal(0, 0.1), "light.night", 5)
        diary.pulse(day, 7 + rng.normal(0, 0.1), "light.bed", 30)
        diary.pulse(day, 23, "binary_sensor.door", 30)
    _, found = learns(diary)
    times = {
        one["finding"]["subject"][0]: one["finding"] for one in found if one["finding"]["detector"] == "time_of_day"
    }
    assert times["light.bed=on"]["measures"]["minute"] == pytest.approx(420, abs=8)
    assert times["light.night=on"]["measures"]["minute"] == pytest.approx(150, abs=8)
    assert times["light.night=on"]["evidence"]["kept"] >= 14


def test_all_events_at_one_instant(learns: Learns) -> None:
    """A history that says that all happened in one instant shows no order, and makes no pairs of it."""
    lamps = {"hall": [f"light.lamp_{place}" for place in range(40)]}
    diary = Diary(home_of(lamps), days=1)
    for entity in lamps["hall"]:
        diary.add(0, 23, entity)
    said, found = learns(diary)
    assert found == []
    assert "1 day cannot show" in said


def test_all_events_of_each_day_at_one_instant(learns: Learns) -> None:
    """A thing that reports once a day what it kept is one act a day, not a pair of each with each."""
    lamps = {"hall": [f"light.lamp_{place}" for place in range(12)]}
    diary = Diary(home_of(lamps), days=10)
    for day in range(10):
        for entity in lamps["hall"]:
            diary.add(day, 22.5, entity, "on" if day % 2 else "off")
    _, found = learns(diary)
    assert len(found) <= 5
    assert subjects(found, "co_occurrence") == set()


def test_an_entity_that_was_renamed(learns: Learns) -> None:
    """The lamp's old name lets its habits go, the new one begins them; none is told of both at once."""
    diary = evenings(32)
    for day in range(14, 32):
        diary.acts[day] = [
            (second, "light.bedside" if entity == "light.bed" else entity, state, cause)
            for second, entity, state, cause in diary.acts[day]
        ]
    _, found = learns(diary)
    active = [one for one in found if one["status"] == "active"]
    assert subjects(active, "time_of_day") >= {"light.bedside=on", "media_player.tv=on"}
    assert not {"light.bed=on", "light.bedside=on"} <= subjects(active, "time_of_day")

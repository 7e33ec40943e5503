"""Across the detectors: what was not seen does not count, and what people did not do is no habit of theirs."""

from copy import deepcopy
from functools import cache

import msgspec
import numpy as np
import pytest

from quotidian.detect import Cadence, Detector, detectors
from quotidian.detect.dayrow import entity_of
from quotidian.model import Entity, Finding

from .building import Diary, home_of, household
from .sampled import every_detector

DAYS = 91


def rich() -> Diary:
    """Make a household of thirteen weeks that has something for each detector."""
    diary, rng = household(3, DAYS), np.random.default_rng(5)
    outside = Entity("sensor.outside", device_class="temperature")
    diary.home = msgspec.structs.replace(
        diary.home, latitude=52.0, longitude=5.0, entities={**diary.home.entities, outside.entity_id: outside}
    )
    for day in range(DAYS):
        cold = bool(rng.random() < 0.5)
        for hour in range(24):
            diary.add(day, hour, outside.entity_id, f"{(2 if cold else 14) + rng.normal(0, 1):.1f}")
        if cold:
            diary.pulse(day, 7.1 + rng.normal(0, 0.1), "switch.heater", 40)
        diary.pulse(day, 17 - day / 40 + rng.normal(0, 0.1), "light.desk", 20)
    for minute in range(0, 300, 10):
        diary.pulse(DAYS - 2, 12 + minute / 60, "switch.kettle", 2)
    return diary


@cache
def found(kind: str) -> dict[str, list[Finding]]:
    """Give what each detector finds in the household, or in one to which something was done."""
    diary = deepcopy(rich())
    if kind == "automated":
        for day in range(0, DAYS, 2):
            for entity in ("switch.kettle", "light.bedside", "media_player.tv", "switch.heater", "light.desk"):
                diary.pulse(day, 4.1, entity, 7, cause="automation")
    if kind == "restarted":
        for day in range(DAYS):
            for entity in diary.entities:
                diary.add(day, 4.1, entity, "unavailable", "unknown")
                diary.add(day, 4.11, entity, "1.0" if entity.startswith("sensor") else "off", "unknown")
    history = diary.history(*detectors())
    return {detector.name: detector.detect(history) for detector in detectors()}


@every_detector
def test_there_is_something_to_find(detector: Detector) -> None:
    """The household has something for each detector, or what follows would show nothing."""
    assert found("plain")[detector.name]


@every_detector
def test_what_automations_do_is_nobodys_habit(detector: Detector) -> None:
    """Of things that an automation switches as well, every second night, the same is found as of those it does not."""
    assert found("automated")[detector.name] == found("plain")[detector.name]


@every_detector
def test_what_a_restart_restores_is_no_act(detector: Detector) -> None:
    """Every night all entities go away and come back as they were: the same habits are found, kept on the same days."""
    plain, restarted = (
        {(one.subject, one.anchor, one.evidence.kept) for one in found(kind)[detector.name]}
        for kind in ("plain", "restarted")
    )
    assert restarted == plain


ROUTINE = ("light.bedside", "light.bathroom", "switch.kettle")


@cache
def seen(*, less: bool) -> dict[str, list[Finding]]:
    """Give what each daily detector finds in forty days of a routine; or when its things were away on two of them."""
    rooms = {"bedroom": ROUTINE[:1], "bathroom": ROUTINE[1:2], "kitchen": ROUTINE[2:], "hall": ("light.hall",)}
    diary, rng = Diary(home_of(rooms), days=40), np.random.default_rng(8)
    for day in range(40):
        wake = 7 + rng.normal(0, 0.15)
        gone = less and day in (16, 23)
        for place, entity in enumerate(ROUTINE):
            if gone:
                diary.add(day, 0.01, entity, "unavailable", "unknown")
                diary.add(day, 23.9, entity, "off", "unknown")
            else:
                diary.pulse(day, wake + (4 * place + rng.normal(0, 0.3)) / 60, entity, 30 + rng.normal(0, 3))
        for hour in range(8, 23):
            diary.pulse(day, hour + rng.uniform(0, 0.9), "light.hall", 3)
    history = diary.history(*detectors())
    return {one.name: one.detect(history) for one in detectors() if one.cadence is Cadence.DAILY}


@pytest.mark.parametrize("name", ["time_of_day", "co_occurrence", "sequence", "room", "duration"])
def test_days_on_which_a_thing_was_not_seen_do_not_count(name: str) -> None:
    """Of forty days on two of which the things were away, a habit was kept on 38 of 38, not of 40."""
    whole, less = (
        {one.subject: one.evidence for one in seen(less=gone)[name] if "light.hall" not in map(entity_of, one.subject)}
        for gone in (False, True)
    )
    assert {subject for subject, one in whole.items() if one.observed == 40}
    for subject, one in whole.items():
        if one.observed == 40 and "hall" not in subject:
            assert (subject, less[subject].observed) == (subject, 38)


def test_what_was_not_seen_is_not_missed() -> None:
    """Nobody did anything unusual on days on which a thing was away."""
    assert not [one for one in seen(less=True)["anomaly"] if entity_of(one.subject[1]) in ROUTINE]

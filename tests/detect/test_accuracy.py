"""The judge of the accuracy benchmark may be wrong as well: it is tried on claims of which we know what they are."""

import datetime as dt
from functools import cache
from typing import Any

import numpy as np
import pytest
from benchmarks.accuracy.calibration import Forecasts, calibrated
from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.lived import Lived
from benchmarks.accuracy.matching import learnable, matched
from benchmarks.accuracy.measures import time_of_day
from benchmarks.accuracy.scoring import Claim, Night, scored
from benchmarks.accuracy.table import ratio

from quotidian.detect import History, detectors
from quotidian.detect.statistics import share_interval
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.model import Evidence, Finding, Integers
from quotidian.model.day import SECOND, Day
from quotidian.simulate import Plan
from quotidian.simulate.truth import HabitTruth, Occasion, Truth

from .building import Diary, home_of

LAMP, TV, MOTION, FAN = "light.lamp=on", "media_player.tv=playing", "binary_sensor.hall_motion=on", "fan.bath=on"
FIRE = "switch.fire=on"
DAYS = 40


def diary(seed: int) -> Diary:
    """Make a home in which the lamp follows the television at eight, nine days in ten, and motion chatters."""
    rng = np.random.default_rng(seed)
    home = home_of({"living_room": ("light.lamp", "media_player.tv"), "hall": ("binary_sensor.hall_motion",)})
    lived = Diary(home, days=DAYS)
    for day in range(DAYS):
        hour = 20 + rng.normal(0, 0.1)
        if rng.random() < 0.9:
            lived.add(day, hour, "media_player.tv", "playing")
            lived.add(day, hour + 0.01, "light.lamp", "on")
            lived.add(day, hour + 0.1, "switch.fire", "on")
            lived.add(day, hour + 0.5, "fan.bath", "on")
        for entity in ("media_player.tv", "light.lamp", "switch.fire", "fan.bath"):
            lived.add(day, 23.5, entity, "off")
        for minute in range(17 * 60, 23 * 60, 10):
            lived.pulse(day, minute / 60 + rng.uniform(0, 0.1), "binary_sensor.hall_motion", 1)
    return lived


def habit(name: str, token: str, *, minute: int, kept: int = DAYS - 4) -> HabitTruth:
    """Plant a daily habit on the first days."""
    dates = [dt.date(2026, 3, 2) + dt.timedelta(days=day) for day in range(DAYS)]
    starts = [Day.of(date, "Europe/Amsterdam").start + minute * 60 * SECOND for date in dates]
    return HabitTruth(
        id=name,
        kind="time_of_day",
        sentence=name,
        tokens=(token,),
        parameters={"reference": "clock", "minute": minute, "spread": 6},
        chances=DAYS,
        possible=tuple(dates),
        kept=tuple(Occasion(date, (start,)) for date, start in zip(dates[:kept], starts[:kept], strict=True)),
    )


@cache
def drawn() -> tuple[History, Days]:
    """Give the days of the home, and two hundred days drawn afresh."""
    draws = [list(diary(seed).history().rows) for seed in range(1, 6)]
    own = diary(0).history()
    return own, Days(own.home, [(rows, [Integers()] * DAYS) for rows in draws])


def night(*habits: HabitTruth) -> Night:
    """Give the home with its truth."""
    own, fresh = drawn()
    truth = Truth(habits=habits, day_types={}, holidays={}, absences=(), restarts=(), outages=(), dropouts=(),
                  automations=(), consequences=(), renamings=())  # fmt: skip
    lived = Lived(Plan(days=DAYS), own.home, truth, own.rows, {})
    return Night(lived, fresh, (TimeOfDay(),), list(habits))


def claim(detector: str, *subject: str, kept: int = 36, **measures: Any) -> Finding:
    """Make a claim that was kept on so many days."""
    low, high = share_interval(kept, DAYS)
    return Finding(
        detector=detector,
        subject=subject,
        anchor=measures.get("minute"),
        measures=measures,
        evidence=Evidence(kept=kept, observed=DAYS, low=low, high=high),
        confidence=0.9,
        sentence="",
    )


def at(minute: int, token: str = LAMP, **more: Any) -> Finding:
    """Claim a time of day."""
    return claim("time_of_day", token, minute=minute, width=30, **more)


def judged(*findings: Finding, habits: tuple[HabitTruth, ...] = ()) -> tuple[Claim, ...]:
    """Judge claims of any detectors."""
    looking = tuple(one for one in detectors() if one.name in {finding.detector for finding in findings})
    return scored(night(*habits)._replace(looking=looking), findings, []).claims


def test_a_true_time_of_day_is_true():
    """What happens at eight on nine days in ten is claimed so, and comes out so in fresh days."""
    (one,) = judged(at(20 * 60))
    assert one.right, one.why


@pytest.mark.parametrize("finding", [at(22 * 60), at(20 * 60, kept=24), at(20 * 60, MOTION)])
def test_what_is_shifted_overstated_or_everywhere_is_wrong(finding: Finding):
    """A claim two hours off, one with another share, and one that holds at every minute are not true."""
    (one,) = judged(finding)
    assert not one.right, one.why


def test_what_is_past_midnight_belongs_to_the_day_before():
    """Ten past midnight after a Friday is looked for there, and not on the Friday morning."""
    lived = Diary(home_of(), days=28)
    for day in range(4, 28, 7):
        lived.add(day, 24.1, "light.lamp", "on")
        lived.add(day, 25, "light.lamp", "off")
    rows = lived.history().rows
    days = Days(home_of(), [(list(rows), [Integers()] * len(rows))])
    friday = at(6, days="friday", times=[1446] * 4)
    assert time_of_day(friday, days).kept == 4
    assert time_of_day(at(6, days="friday", times=[6] * 4), days).kept == 0


def test_a_consequence_that_nobody_planted_is_true():
    """The lamp follows the television: no habit says so, but fresh days do."""
    (one,) = judged(claim("co_occurrence", TV, LAMP, kept=DAYS, window=60, lag=36))
    assert (one.right, one.habit) == (True, ""), one.why


@pytest.mark.parametrize(("first", "then", "window"), [(MOTION, LAMP, 900), (TV, MOTION, 900), (LAMP, TV, 300)])
def test_a_pair_by_chance_or_against_its_direction_is_wrong(first: str, then: str, window: int):
    """Motion all evening comes before everything, and after it; the television never follows its lamp."""
    (one,) = judged(claim("co_occurrence", first, then, kept=DAYS, window=window, lag=60))
    assert not one.right, one.why


def test_of_two_claims_about_one_habit_the_second_is_a_duplicate():
    """One habit is told once; the other claim is an error though it is true."""
    claims = judged(at(20 * 60), at(20 * 60 + 3), habits=(habit("lamp", LAMP, minute=20 * 60),))
    assert [one.habit for one in claims].count("lamp") == 1
    assert [one.duplicate for one in claims].count(True) == 1


def test_a_habit_told_by_another_claim_is_found():
    """What a stronger description tells is not missed."""
    one = habit("lamp", LAMP, minute=20 * 60)
    told = scored(night(one), [], [at(20 * 60)]).habits
    missed = scored(night(one), [], [at(20 * 60 + 30)]).habits
    assert ([each.found for each in told], [each.found for each in missed]) == ([True], [False])


def test_as_many_habits_are_matched_as_possible():
    """A claim that could tell of two habits leaves to another claim the one that only that can tell."""
    habits = (habit("first", LAMP, minute=1200), habit("second", LAMP, minute=1208))
    found = matched(night(*habits).lived, [at(1204, kept=38), at(1199, kept=30)], habits)
    assert found == {0: 1, 1: 0}


def test_a_habit_kept_seldom_cannot_be_asked_for():
    """Fewer than ten days, or less than four in five, are not learnable."""
    assert learnable(habit("often", LAMP, minute=0, kept=32))
    assert not learnable(habit("seldom", LAMP, minute=0, kept=31))


def test_intervals_come_from_homes():
    """Homes that differ widen the interval; one home says nothing of others."""
    alike, unlike = ratio([9, 9, 9, 9], [10] * 4), ratio([10, 10, 10, 6], [10] * 4)
    assert alike.value == unlike.value == 0.9
    assert alike.high - alike.low < 1e-9 < unlike.high - unlike.low
    assert ratio([0], [0]).value is None


@pytest.mark.parametrize(("truly", "fair"), [(0.9, True), (0.7, False)])
def test_confidence_that_is_too_large_shows(truly: float, fair: bool):
    """Of what was told with 90 %, seven in ten hold: the error is 0.2."""
    rng = np.random.default_rng(3)
    homes = [Forecasts(np.full(1_000, 0.9), rng.random(1_000) < truly) for _ in range(4)]
    found = calibrated(homes)
    assert found.error is not None
    assert found.error.value is not None
    assert (found.error.value < 0.05) is fair
    assert found.error.value == pytest.approx(0.9 - truly, abs=0.03)
    assert calibrated(homes[:2]).error is None

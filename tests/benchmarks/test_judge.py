"""The judge says no: claims of another home, moved, turned round or invented are wrong, whatever they are about."""

import datetime as dt
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from benchmarks.accuracy.fresh import Days
from benchmarks.accuracy.judging import judge
from benchmarks.accuracy.lived import Lived
from benchmarks.accuracy.scoring import _told_truly, scored

from quotidian.model import Finding, Integers, Pattern
from quotidian.model.home import Home
from quotidian.simulate.truth import Truth

from ..detect.building import Diary, home_of  # noqa: TID252 - tests are no package
from ..detect.test_accuracy import DAYS, FAN, FIRE, LAMP, MOTION, TV, at, claim, drawn, habit, night  # noqa: TID252

_WEEKS = 12
_FIRST = dt.date(2026, 3, 2)  # a Monday
_LAST = _FIRST + dt.timedelta(days=7 * _WEEKS - 1)
RADIO, SIREN = "media_player.radio=playing", "binary_sensor.street_motion=on"


def days_of(*diaries: Diary) -> Days:
    """Put the days of some homes side by side."""
    draws = [list(diary.history().rows) for diary in diaries]
    return Days(diaries[0].home, [(rows, [Integers()] * len(rows)) for rows in draws])


@cache
def elsewhere() -> Days:
    """Give the days of a home with the same things, of which each is used once a day at any time, for any time."""
    diaries = []
    for seed in range(3):
        rng, diary = np.random.default_rng(seed), Diary(drawn()[0].home, days=DAYS)
        for day in range(DAYS):
            for token in (TV, LAMP, FIRE, FAN):
                entity, _, state = token.partition("=")
                start = rng.uniform(0, 20)
                diary.add(day, start, entity, state)
                diary.add(day, start + rng.uniform(0.1, 3), entity, "off")
            for hour in rng.uniform(0, 23, 20):
                diary.pulse(day, float(hour), "binary_sensor.hall_motion", 1)
        diaries.append(diary)
    return days_of(*diaries)


def session(minute: int = 1200, members: tuple[str, ...] = (TV, LAMP, FAN)) -> Finding:
    """Claim that things are used together from a minute on."""
    return claim("session", "home", minute=minute, width=30, members=list(members), pause=35, fewest=2)


def lasting(median: float = 12_600, token: str = LAMP) -> Finding:
    """Claim how long something stays on."""
    measures = {"median": median, "lower": 0.9 * median, "upper": 1.1 * median, "usual": 14_000}
    return claim("duration", token, kept=DAYS, **measures)


def used(start: int = 17, area: str = "hall") -> Finding:
    """Claim that a room is in use for six hours."""
    return claim("room", area, kept=DAYS, start=start, end=(start + 6) % 24)


def routine(*tokens: str) -> Finding:
    """Claim that acts come one after another."""
    return claim("sequence", *tokens, kept=DAYS, limits=[300, 900])


def both(first: str, then: str) -> Finding:
    """Claim that one act follows another."""
    return claim("co_occurrence", first, then, kept=DAYS, window=300, lag=36)


TRUE = [at(1200, TV), at(1200), at(1230, FAN), both(TV, LAMP), routine(TV, LAMP, FIRE), lasting(), session(), used()]


def wrong(findings: list[Finding], days: Days) -> list[bool]:
    """Judge claims on some days."""
    return [not judge(night().lived, days, finding, _LAST).true for finding in findings]


def test_claims_are_true_in_their_own_home() -> None:
    """What each detector may say of this home is so on fresh days: all that follows is wrong for one reason only."""
    assert wrong(TRUE, drawn()[1]) == [False] * len(TRUE)


def test_claims_of_another_home_are_wrong() -> None:
    """Judged by the days of a home that has the same things and other ways, nothing of it is true."""
    assert all(wrong(TRUE, elsewhere()))


def test_moved_claims_are_wrong() -> None:
    """Half an hour beside the minute, or six hours beside those of a room, is not what happens."""
    shifted = [at(1235, TV), at(1165), at(1265, FAN), session(1235), session(1165), used(11), used(22)]
    assert all(wrong(shifted, drawn()[1]))


def test_turned_claims_are_wrong() -> None:
    """Other states, another order, or another room are no small matter."""
    off = [token.replace("=on", "=off").replace("=playing", "=off") for token in (TV, LAMP, FAN)]
    turned = [at(1200, off[0]), at(1200, off[1]), both(LAMP, TV), both(TV, off[1]), routine(TV, LAMP, off[2])]
    turned += [routine(FIRE, LAMP, TV), lasting(token=off[1]), session(members=tuple(off)), used(area="living_room")]
    assert all(wrong(turned, drawn()[1]))


@pytest.mark.parametrize("steps", [(MOTION, TV, LAMP), (TV, MOTION, LAMP), (TV, LAMP, MOTION)])
def test_a_routine_is_no_better_than_its_weakest_link(steps: tuple[str, ...]) -> None:
    """What happens every ten minutes is no step, be it first, last or between, though the others are one routine."""
    assert wrong([claim("sequence", *steps, kept=DAYS, limits=[900, 900])], drawn()[1]) == [True]


def test_the_middle_of_a_wide_claim_is_where_it_is_said_to_be() -> None:
    """Within 70 minutes of 19:20 the lamp goes on, too, but nobody would say so."""
    wide = [claim("time_of_day", LAMP, minute=minute, width=70) for minute in (1_160, 1_190)]
    assert wrong(wide, drawn()[1]) == [True, False]


def test_an_interval_that_covers_everything_is_wrong() -> None:
    """Who claims any share between none and all has claimed nothing, though it be of what is there."""
    one = at(1200)
    wide = msgspec.structs.replace(one, evidence=msgspec.structs.replace(one.evidence, low=0.0, high=1.0))
    assert wrong([one, wide], drawn()[1]) == [False, True]


def test_invented_claims_are_wrong() -> None:
    """Any minute, any two things, any length, any hour: a judge that believed one in ten would be of no use."""
    rng, tokens = np.random.default_rng(5), [TV, LAMP, FAN, MOTION]
    minutes = [minute for minute in rng.integers(0, 1_440, 100).tolist() if not 1_165 < minute < 1_265]
    made: list[Finding] = [at(minute, tokens[minute % 4]) for minute in minutes if not 1_370 < minute < 1_440]
    made += [session(minute, (MOTION, FAN)) for minute in minutes]
    made += [both(MOTION, LAMP), both(FAN, MOTION), both(FAN, TV), both(LAMP, FAN)]
    made += [lasting(seconds) for seconds in (300.0, 6_000.0, 25_200.0)]
    made += [used(hour, area) for hour in range(13) for area in ("hall", "living_room")]
    found = wrong(made, drawn()[1])
    assert sum(found) >= 0.95 * len(found)


# drifts


@cache
def drifting() -> tuple[Days, Home]:
    """Give the days of a home whose radio comes four minutes later every week, in a street that is never quiet."""
    diaries = []
    for seed in range(3):
        rng, diary = np.random.default_rng(seed), Diary(home_of(), _FIRST, 7 * _WEEKS)
        for day in range(7 * _WEEKS):
            minute = 1_140 + 4 * day / 7 + rng.normal(0, 6)
            diary.add(day, minute / 60, "media_player.radio", "playing")
            diary.add(day, minute / 60 + 0.5, "media_player.radio", "off")
            for hour in np.sort(rng.uniform(0, 23.9, 30)):
                diary.pulse(day, float(hour), "binary_sensor.street_motion", 1)
        diaries.append(diary)
    return days_of(*diaries), diaries[0].home


def drift(before: int, after: int, token: str = RADIO, shape: str = "line") -> Finding:
    """Claim that a time moves."""
    since = _FIRST.toordinal() + 7 * _WEEKS // 2 if shape == "step" else _FIRST.toordinal()
    return claim("seasonal", token, "drift", shape=shape, before=before, after=after, since=since, days="all")


def test_a_true_drift_is_true() -> None:
    """It was at seven, and is at a quarter to eight."""
    assert wrong([drift(1_142, 1_184)], drifting()[0]) == [False]


@pytest.mark.parametrize(
    "finding",
    [
        drift(1_184, 1_142),
        drift(1_142, 1_215),
        drift(1_112, 1_154),
        drift(1_142, 1_184, SIREN),
        drift(300, 360, SIREN),
        drift(1_156, 1_171, token=RADIO),
        claim("seasonal", LAMP, "drift", shape="step", before=1_200, after=1_215, since=_FIRST.toordinal() + 20),
    ],
)
def test_a_drift_the_other_way_too_far_or_of_what_always_happens_is_wrong(finding: Finding) -> None:
    """A street that is never quiet has its middle anywhere; a move of which half is missing is none."""
    assert wrong([finding], drawn()[1] if finding.subject[0] == LAMP else drifting()[0]) == [True]


# days


@cache
def weeks() -> tuple[Days, Lived]:
    """Give the days of a home that gets up at seven, at weekends at nine, but for somebody who is up at five once."""
    diaries = []
    for seed in range(2):
        rng, diary = np.random.default_rng(seed), Diary(home_of(), _FIRST, 7 * _WEEKS)
        for day in range(7 * _WEEKS):
            begin = (7 if day % 7 < 5 else 9) + rng.normal(0, 0.2)
            diary.pulse(day, 5 + rng.uniform(0, 0.2), "light.lamp", 2)
            for quarter in np.arange(begin, 22.5, 0.2):
                diary.pulse(day, float(quarter), "light.lamp", 3)
        diaries.append(diary)
    dates = [_FIRST + dt.timedelta(days=day) for day in range(7 * _WEEKS)]
    week = ["work", "home_office", "work", "work", "work", "weekend", "weekend"]
    types = {date: week[date.weekday()] for date in dates} | {dates[20]: "party"}
    long = habit("door-left-open", "binary_sensor.door=on", minute=600, kept=1)
    long = msgspec.structs.replace(long, kind="anomaly")
    truth = Truth(habits=(long,), day_types=types, holidays={}, absences=(), restarts=(), outages=(), dropouts=(),
                  automations=(), consequences=(), renamings=())  # fmt: skip
    lived = night().lived
    return days_of(*diaries), msgspec.structs.replace(lived, truth=truth)


def kind(name: str, dates: list[dt.date], kept: int = DAYS, **measures: Any) -> Finding:
    """Claim a kind of days."""
    return claim("day_type", "home", name, kept=kept, dates=[date.toordinal() for date in dates], **measures)


def of_type(*types: str) -> list[dt.date]:
    """Give the days of some types."""
    return [date for date, one in weeks()[1].truth.day_types.items() if one in types]


@pytest.mark.parametrize(
    ("finding", "true"),
    [
        (kind("weekends", of_type("weekend"), first=[420, 540]), True),
        (kind("weekends", of_type("weekend"), first=[540, 420]), False),
        (kind("weekends", of_type("weekend"), first=[540, 700]), False),
        (kind("weekends", of_type("weekend"), first=[300, 360]), False),
        (kind("weekends", of_type("work"), first=[420, 540]), False),
        (kind("weekends", of_type("weekend"), hour=7, more=False), True),
        (kind("weekends", of_type("weekend"), hour=7, more=True), False),
        (kind("weekends", of_type("weekend"), hour=15, more=False), False),
        (kind("at_home", of_type("home_office")), True),
        (kind("at_home", of_type("work")), False),
        (kind("out", of_type("work")), True),
        (kind("out", of_type("home_office")), False),
        (kind("late", of_type("party")), True),
        (kind("late", of_type("weekend")), False),
        (kind("away", of_type("weekend")), False),
    ],
)
def test_kinds_of_days_are_held_against_days(finding: Finding, true: bool) -> None:
    """A kind means one type of days, whatever most of its days are; and weekends differ as fresh weekends do."""
    days, lived = weeks()
    assert judge(lived, days, finding, _LAST).true is true


def alarm(check: str, thing: str, day: int) -> Finding:
    """Claim that something was out of the ordinary."""
    return claim("anomaly", check, thing, check=check, date=(_FIRST + dt.timedelta(days=day)).toordinal())


@pytest.mark.parametrize(
    ("finding", "true"),
    [
        (alarm("long", "binary_sensor.door=on", 0), True),
        (alarm("long", "binary_sensor.door=on", 1), True),
        (alarm("long", "binary_sensor.door=on", 2), False),
        (alarm("long", "switch.oven=on", 0), False),
        (alarm("many", "home", 20), True),
        (alarm("late", "home", 21), True),
        (alarm("absent", "switch.oven=on", 20), False),
        (alarm("many", "home", 19), False),
    ],
)
def test_an_alarm_is_right_about_its_day_and_its_thing(finding: Finding, true: bool) -> None:
    """Something else that was up on that day does not make it right, nor does a party that nothing is missed at."""
    days, lived = weeks()
    assert judge(lived, days, finding, _LAST).true is true


# counting


def pattern(name: str, finding: Finding, told_by: str | None = None) -> Pattern:
    """List a claim."""
    return Pattern(id=name, finding=finding, first_seen=_LAST, last_seen=_LAST, updated=_LAST, told_by=told_by)


@pytest.mark.parametrize(("teller", "found"), [(at(1200, TV), True), (at(900, TV), False)])
def test_only_what_a_true_claim_tells_is_found(teller: Finding, found: bool) -> None:
    """A habit whose claim gives way to a wrong one was told to nobody."""
    one = night(habit("lamp", LAMP, minute=1200))
    hidden = _told_truly(one, [pattern("a", teller), pattern("b", at(1200), "a")])
    assert [each.found for each in scored(one, [teller], hidden).habits] == [found]


def test_a_habit_that_cannot_be_learned_is_not_told_twice_either() -> None:
    """Two claims about one planted habit are one too many, whether or not it counts for recall."""
    one = habit("lamp", LAMP, minute=1200, kept=20)
    lived = night(one)
    claims = scored(lived._replace(habits=[]), [at(1200), at(1201, TV, members=[LAMP])], []).claims
    assert [each.duplicate for each in claims].count(True) == 1


@pytest.mark.parametrize(("days", "again"), [("weekends", True), ("all", True), ("weekdays", False)])
def test_days_of_another_claim_are_no_news(days: str, again: bool) -> None:
    """Who tells of Saturdays after weekends, or of all days, says it again; after working days it is something else."""
    claims = scored(night(), [at(1200, days=days), at(1205, days="saturday")], []).claims
    assert [each.duplicate for each in claims] == [False, again]

"""How habits move over weeks, and which part of the year they belong to."""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from astral import Observer
from astral.sun import sunset

from quotidian.detect.history import History
from quotidian.detect.seasonal import Seasonal
from quotidian.model import Entity, Finding, Home, Integers, Stage, Summary

from .building import Diary, fold, household

PLACE = Observer(52.4, 4.9)
HOME = Home("h", "Europe/Amsterdam", latitude=52.4, longitude=4.9)


def moving(days: int = 98, seed: int = 0, *, step: float = 40, pace: float = 4, first: dt.date | None = None) -> Diary:
    """Make a home with a radio that moves once, an oven that moves every week, a lamp by the sun and one by the clock.

    ``step`` is minutes later from the ninth week on, ``pace`` minutes earlier every week.
    """
    rng = np.random.default_rng(seed)
    diary = Diary(HOME, first or dt.date(2026, 3, 2), days)
    for day in range(days):
        late = step / 60 if day >= 56 else 0.0
        diary.pulse(day, 12.75 + late + rng.normal(0, 0.12), "switch.radio", 20)
        diary.pulse(day, 17 - pace * (day // 7) / 60 + rng.normal(0, 0.12), "switch.oven", 20)
        dusk = sunset(PLACE, diary.date(day), tzinfo=ZoneInfo(HOME.zone))
        diary.pulse(day, dusk.hour + dusk.minute / 60 + 0.3 + rng.normal(0, 0.08), "light.porch", 60)
        diary.pulse(day, 6.75 + 2 * (diary.date(day).weekday() >= 5) + rng.normal(0, 0.1), "light.kitchen", 30)
        for _ in range(3):
            diary.pulse(day, rng.uniform(6, 23), "light.hall", 2)
    return diary


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look at its seasons."""
    return Seasonal().detect(diary.history(Seasonal()))


def in_another_order(diary: Diary, seed: int) -> Diary:
    """Make a null home: the weeks are put in another order."""
    order = np.random.default_rng(seed).permutation(diary.days // 7)
    acts = {int(order[day // 7]) * 7 + day % 7: acts for day, acts in diary.acts.items()}
    return Diary(diary.home, diary.first, diary.days, acts)


def shaped(months: set[int], years: int, share: float = 0.8) -> Summary:
    """Make years of days on which a heater is on in some months of the year (and on the first day of the others)."""
    days = {}
    for number in range(365 * years + 1):
        date = dt.date(2023, 1, 1) + dt.timedelta(days=number)
        on = (number % 10 < 10 * share) if date.month in months else date.day == 1
        words = ("climate.living", "heat", "light.hall", "on")
        columns = {"present": [0, 2], "token_entity": [0, 2] if on else [2], "token_state": [1, 3] if on else [3]}
        days[date.toordinal()] = Integers(words, columns)
    return Summary("seasonal", 1, days)


def test_a_step_and_a_drift_are_told_and_nothing_else() -> None:
    """The radio's step has its week and its times, the oven's drift its pace; what follows sun and clock is silent."""
    findings = {finding.subject: finding for finding in found(moving())}
    assert findings.keys() == {("switch.radio=on", "drift"), ("switch.oven=on", "drift")}
    radio, oven = (findings[f"switch.{name}=on", "drift"] for name in ("radio", "oven"))
    assert radio.measures["shape"] == "step"
    assert dt.date.fromordinal(radio.measures["since"]) == dt.date(2026, 4, 27)
    assert radio.measures["before"] == pytest.approx(765, abs=4)
    assert radio.anchor == radio.measures["after"] == pytest.approx(805, abs=4)
    assert "since the week of 27 April" in radio.sentence
    assert oven.measures["shape"] == "line"
    assert oven.measures["slope_low"] < -4 < oven.measures["slope_high"] < -3
    assert "4 min earlier every week" in oven.sentence
    assert radio.stage is Stage.ESTABLISHED
    assert radio.evidence.observed == 98


def test_a_drift_over_midnight_is_one_drift() -> None:
    """A bedtime that moves from before midnight to after it moves by forty minutes, not by a day."""
    rng = np.random.default_rng(1)
    diary = Diary(HOME, days=98)
    for day in range(98):
        diary.pulse(day, 23.7 + (day >= 56) * 40 / 60 + rng.normal(0, 0.1), "light.bed", 5)
    (finding,) = found(diary)
    assert finding.measures["before"] == pytest.approx(1422, abs=4)
    assert finding.measures["after"] == pytest.approx(22, abs=4)


def test_a_change_of_the_clocks_is_no_drift() -> None:
    """Habits by the clock stay where they are when the clocks change, and the sun's jump is the sun's."""
    findings = found(moving(step=0, pace=0, first=dt.date(2026, 9, 7)))
    assert findings == []


@pytest.mark.parametrize("seed", range(4))
def test_weeks_in_another_order_hold_no_drift(seed: int) -> None:
    """Nothing is told when the weeks of a home that moves are permuted."""
    assert found(in_another_order(moving(84, seed), seed)) == []


@pytest.mark.parametrize("seed", range(4))
def test_permuted_days_hold_no_drift(seed: int) -> None:
    """Nothing is told of homes whose days were put in another order."""
    diary = household(seed, 70)
    diary.home = HOME
    assert found(diary.permuted(seed)) == []


def test_without_a_place_every_drift_may_be_the_sun() -> None:
    """Where nobody knows when the sun sets, no drift is told."""
    diary = moving()
    diary.home = Home("h", HOME.zone)
    assert found(diary) == []


def test_what_moves_little_is_not_told() -> None:
    """A step of six minutes is not worth telling."""
    assert found(moving(step=6, pace=0)) == []


def test_the_subject_is_the_same_on_the_next_nights() -> None:
    """Three nights running say the same of the same subjects."""
    history = moving().history(Seasonal())
    nights = [
        [one.subject for one in Seasonal().detect(History(history.rows[:last], HOME, history.summaries))]
        for last in (96, 97, 98)
    ]
    assert nights[0] == nights[1] == nights[2] != []


def test_automations_are_not_people() -> None:
    """What an automation moves is no habit."""
    diary = moving()
    for day, acts in diary.acts.items():
        diary.acts[day] = [(second, entity, state, "automation") for second, entity, state, _ in acts]
    assert found(diary) == []


def test_two_cycles_make_a_yearly_shape() -> None:
    """A heater that heats from November to March in every year is told, with the months and the days."""
    months = {11, 12, 1, 2, 3}
    history = History((), HOME, {"seasonal": shaped(months, 2)})
    (finding,) = Seasonal().detect(history)
    assert finding.subject == ("climate.living=heat", "year")
    assert set(finding.measures["months"]) == months
    assert finding.sentence.startswith("From November to March the living climate changes to “heat”")
    assert finding.evidence.share == pytest.approx(0.8, abs=0.02)
    assert finding.stage is Stage.EMERGING
    (later,) = Seasonal().detect(History((), HOME, {"seasonal": shaped(months, 3)}))
    assert later.stage is Stage.ESTABLISHED


def test_one_cycle_makes_no_yearly_shape() -> None:
    """One year, or a habit that has no season, says nothing of years."""
    assert Seasonal().detect(History((), HOME, {"seasonal": shaped({11, 12, 1}, 1)})) == []
    assert Seasonal().detect(History((), HOME, {"seasonal": shaped(set(range(1, 13)), 3)})) == []
    assert Seasonal().detect(History((), HOME, {"seasonal": shaped({1, 5, 9}, 3)})) == []


def test_a_drift_that_begins_late_says_when_and_what_holds_now() -> None:
    """A radio that keeps its time for four months and then comes six minutes later every week is no step."""
    rng = np.random.default_rng(5)
    diary = Diary(HOME, days=182)
    for day in range(diary.days):
        late = max(day // 7 - 17, 0) * 6 / 60
        diary.pulse(day, 12.5 + late + rng.normal(0, 0.13), "switch.radio", 25)
    (finding,) = found(diary)
    measures = finding.measures
    assert measures["shape"] == "line"
    assert abs(dt.date.fromordinal(measures["since"]) - diary.date(17 * 7)) <= dt.timedelta(days=14)
    assert measures["before"] == pytest.approx(750, abs=5)
    assert finding.anchor == measures["after"] == pytest.approx(798, abs=8)
    assert measures["slope_low"] <= measures["slope"] <= measures["slope_high"]
    assert measures["slope"] == pytest.approx(6, abs=1.5)


def test_what_begins_and_ends_in_summer_is_one_habit() -> None:
    """A sprinkler's going off says no more than its going on, though it belongs to a month more."""
    days = {}
    for number in range(365 * 2 + 1):
        date = dt.date(2023, 1, 1) + dt.timedelta(days=number)
        states = [3] * (4 <= date.month <= 9) + [2] * (4 <= date.month <= 10)
        columns = {"present": [0, 1], "token_entity": [1, *[0] * len(states)], "token_state": [3, *states]}
        days[date.toordinal()] = Integers(("switch.garden", "light.hall", "off", "on"), columns)
    (finding,) = Seasonal().detect(History((), HOME, {"seasonal": Summary("seasonal", 1, days)}))
    assert finding.subject == ("switch.garden=on", "year")


@pytest.mark.parametrize("days", [1, 10, 45])
def test_few_days(days: int) -> None:
    """Less than seven weeks say nothing, without an error."""
    assert found(moving(days)) == []


def test_no_days_and_three_entities() -> None:
    """An empty history and a home in which nearly nothing happens give nothing."""
    assert Seasonal().detect(History((), HOME)) == []
    diary = Diary(HOME, days=80)
    for entity in ("light.a", "light.b", "lock.c"):
        diary.add(3, 12, entity, "on")
    assert found(diary) == []


def test_names_are_made_safe() -> None:
    """Newlines and direction characters of a name do not reach a sentence."""
    diary = moving()
    evil = Entity("switch.radio", name="Evil\n\u202e'; DROP\x00")
    diary.home = msgspec.structs.replace(HOME, entities={evil.entity_id: evil})
    sentences = [one.sentence for one in found(diary) if one.subject[0] == "switch.radio=on"]
    assert sentences
    assert not any(letter in sentences[0] for letter in "\n\u202e\x00")


def test_order_and_copies_of_events_change_nothing() -> None:
    """Days whose events are shuffled and given twice fold to the same integers."""
    diary = moving(6)
    rng = np.random.default_rng(0)
    tables = diary.tables()
    twice = {day: pa.concat_tables([table, table]) for day, table in tables.items()}
    shuffled = {day: table.take(rng.permutation(table.num_rows)) for day, table in twice.items()}
    assert fold(diary.home, tables, [Seasonal()]) == fold(diary.home, shuffled, [Seasonal()])


def test_parameters_are_checked() -> None:
    """A parameter out of its range is refused by name."""
    with pytest.raises(ValueError, match="permutations"):
        Seasonal(permutations=10)
    with pytest.raises(ValueError, match="least_shift"):
        Seasonal(least_shift=0)


def test_a_habit_of_three_weekdays_that_moves_is_told() -> None:
    """What is done on Mondays, Wednesdays and Fridays moves by two hours after six of 24 weeks, and says so."""
    rng = np.random.default_rng(3)
    diary = Diary(HOME, days=168)
    for day in range(168):
        if diary.date(day).weekday() in (0, 2, 4) and rng.random() < 0.85:
            diary.pulse(day, 18 + 1.8 * (day >= 42) + rng.normal(0, 0.17), "switch.treadmill", 33)
    (finding,) = found(diary)
    assert finding.measures["days"] == "monday+wednesday+friday"
    assert finding.measures["shape"] == "step"
    assert dt.date.fromordinal(finding.measures["since"]) == diary.date(42)
    assert finding.sentence.startswith("Mondays, Wednesdays and Fridays the treadmill switch goes on about 19:")


def test_a_drift_shows_within_three_months() -> None:
    """Four minutes later every week are told after ninety days, in one sentence."""
    rng = np.random.default_rng(4)
    diary = Diary(HOME, days=90)
    for day in range(90):
        diary.pulse(day, 21.4 + day / 7 * 4 / 60 + rng.normal(0, 0.13), "media_player.radio", 25)
    (finding,) = found(diary)
    assert finding.measures["shape"] == "line"
    assert "4 min later every week, now about 22:1" in finding.sentence

"""Kinds of days."""

import datetime as dt

import numpy as np
import pytest

from quotidian.detect.day_type import DayType
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.model import Carry, Day, Finding, Home, Stage

from .building import Diary, home_of, household, table_of_events


def found(diary: Diary) -> dict[str, Finding]:
    """Fold a diary and give what is told of its days, by kind."""
    findings = DayType().detect(diary.history(DayType()))
    told = {finding.subject[1]: finding for finding in findings}
    assert len(told) == len(findings)
    return told


def test_a_day_keeps_counts_and_edges() -> None:
    """Half hours are those of the wall clock; what happens before 04:00 is not the day's beginning."""
    day = Day.of(dt.date(2026, 3, 3), "UTC")
    events = [(day.start - 10**9, "light.x", "standby", "physical")]
    events += [(day.start + int(hour * 3.6e9), "light.x", f"s{hour}", "physical") for hour in (0.4, 7.1, 7.2, 23)]
    home = Home("h", "UTC")
    _, carry = observe(day.shifted(-1), table_of_events(events[:1]), home, Carry())
    view, _ = observe(day, table_of_events(events[1:]), home, carry)
    kept, handed = DayType().fold(view, Carry())
    assert np.flatnonzero(kept["counts"]).tolist() == [0, 14, 46]
    assert kept["counts"].sum() == 4
    assert kept["edges"].tolist() == [25_560, 82_800, 1_440]
    assert not handed


def test_weekends_that_begin_later_are_told() -> None:
    """The planted difference of about two hours is told in words and measures."""
    weekends = found(household(days=56))["weekends"]
    usual, weekend = weekends.measures["first"]
    assert abs(usual - 6.8 * 60) < 15
    assert abs(weekend - 8.7 * 60) < 15
    assert weekends.sentence.startswith("Weekends begin about 1 h ")
    assert weekends.evidence.observed == 16
    assert weekends.evidence.kept >= 15


@pytest.mark.parametrize("seed", range(5))
def test_days_in_another_order_have_no_weekends(seed: int) -> None:
    """When the days have changed their places, weekends do not differ, and no day is out of the ordinary."""
    assert found(household(seed, days=56).reordered(seed)) == {}


def test_a_slow_change_is_no_difference() -> None:
    """A home that becomes later every week has no weekends for that."""
    rng = np.random.default_rng(4)
    diary = Diary(days=56)
    for day in range(56):
        for hour in 6.5 + day / 28 + rng.exponential(4, 15):
            diary.pulse(day, float(min(hour, 23.5)), "light.x", 2)
    assert "weekends" not in found(diary)


def test_days_away_are_told() -> None:
    """Four days without activity are told as away."""
    diary = household(days=40)
    for day in (20, 21, 22, 30):
        diary.acts[day] = []
    away = found(diary)["away"]
    assert away.sentence == "Almost nothing happened on 22 to 24 March and 1 April: 4 days away"
    assert away.evidence.q_value is None
    assert away.measures["dates"] == [diary.date(day).toordinal() for day in (20, 21, 22, 30)]


def test_parties_are_busy_and_late() -> None:
    """Two evenings with many more changes until after midnight are told as both."""
    diary = household(days=42)
    rng = np.random.default_rng(9)
    lights = [entity for entity in diary.entities if entity.startswith("light.")]
    for day in (12, 33):
        for hour in np.sort(rng.uniform(19, 25.8, 300)):
            diary.pulse(day, float(hour), str(rng.choice(lights)), 1)
    told = found(diary)
    parties = [diary.date(day).toordinal() for day in (12, 33)]
    assert set(parties) <= set(told["busy"].measures["dates"])
    assert told["late"].measures["dates"] == parties
    assert told["late"].stage is Stage.EMERGING


def test_holidays_count_as_weekend() -> None:
    """A public holiday on a weekday is compared as a weekend day."""
    diary = household(days=56)
    home = Home("home", "Europe/Amsterdam", country="NL")
    holidays = Diary(home, diary.first, diary.days, diary.acts)
    assert found(holidays)["weekends"].evidence.observed > 16


def test_the_change_of_the_clocks_moves_nothing() -> None:
    """First activity is a time of the wall clock, on both sides of a change."""
    diary = household(days=42)
    diary.first = dt.date(2026, 10, 5)
    assert abs(found(diary)["weekends"].measures["first"][0] - 6.8 * 60) < 15


def test_little_or_no_data_says_nothing() -> None:
    """No day, one day, ten days and three things that rarely change have no kinds of days."""
    assert DayType().detect(History([], home_of())) == []
    assert found(household(days=1)) == {}
    assert found(household(days=10)) == {}
    diary = Diary(days=30)
    for day in range(0, 30, 3):
        diary.pulse(day, 12, f"light.{day % 3}")
    assert found(diary) == {}


def test_bad_parameters_are_refused() -> None:
    """Too few permutations cannot show anything."""
    with pytest.raises(ValueError, match="permutations is at least 199"):
        DayType(permutations=99)

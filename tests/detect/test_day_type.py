"""Kinds of days."""

import datetime as dt

import numpy as np
import pytest

from quotidian.detect.day_type import DayType
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.model import Carry, Day, Finding, Home, Stage

from .building import Diary, home_of, home_office, household, table_of_events


def found(diary: Diary) -> dict[str, Finding]:
    """Fold a diary and give what is told of its days, by kind."""
    findings = DayType().detect(diary.history(DayType()))
    told = {finding.subject[-1]: finding for finding in findings}
    assert len({finding.subject for finding in findings}) == len(findings)
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


def evenings(parties: tuple[int, ...]) -> Diary:
    """Make a home with lively evenings until eleven, in which somebody sometimes gets up, and some last until two."""
    rng, diary = np.random.default_rng(9), Diary(days=56)
    for day in range(56):
        for hour in [*rng.uniform(7, 9, 10), *rng.uniform(20, 26 if day in parties else 23, 60)]:
            diary.pulse(day, float(hour), "light.living_room", 0.2)
        if day % 7 == 4:
            for minute in range(4):
                diary.pulse(day, 26 + minute / 60, "light.bathroom", 0.5)
    return diary


def test_parties_are_long_nights() -> None:
    """Three Saturdays that last until two o'clock are told, with what is usual; getting up at night is no party."""
    diary = evenings((12, 33, 47))
    late = found(diary)["late"]
    assert late.measures["dates"] == [diary.date(day).toordinal() for day in (12, 33, 47)]
    assert late.evidence.observed == 16
    assert 25 * 60 < late.measures["until"] < 26 * 60
    assert 22 * 60 < late.measures["usual"] < 23 * 60
    assert late.sentence.endswith("as usual before a free day: guests or a party, perhaps")
    assert late.stage is Stage.EMERGING


def test_two_long_nights_are_no_kind() -> None:
    """What happened twice is not told; nor is what happens every Saturday."""
    assert "late" not in found(evenings((12, 33)))
    assert "late" not in found(evenings(tuple(range(5, 56, 7))))


def test_nights_that_are_long_on_any_day_are_nobodys_guests() -> None:
    """As many long nights before working days as before free ones say nothing of guests."""
    assert "late" not in found(evenings((1, 8, 12, 16, 23, 24, 29, 33, 37, 44, 47)))


def test_days_at_home_are_told_with_what_marks_them_out() -> None:
    """Which weekdays, which days, at what hours, and the lamp that is on just then."""
    diary, at_home = home_office()
    told = found(diary)
    dates = [diary.date(day).toordinal() for day in at_home]
    kind = told["at_home"]
    assert kind.subject == ("light.desk=on", "at_home")
    assert kind.measures["dates"] == dates
    assert kind.measures["members"] == ["light.desk=on"]
    assert kind.sentence == "On days at home the desk light is on for most of the time between 08:30 and 17:00"
    (whole,) = [one for one in DayType().detect(diary.history(DayType())) if one.subject == ("home", "at_home")]
    assert whole.sentence == (
        "Tuesdays and Thursdays are mostly days at home: somebody is about between 08:30 and 17:00, "
        "unlike on other weekdays"
    )
    assert whole.measures["dates"] == dates
    assert (whole.measures["weekdays"], whole.measures["start"]) == (["tuesday", "thursday"], 510)
    assert (whole.evidence.kept, whole.evidence.observed) == (len(at_home), 20)
    assert whole.evidence.q_value is not None
    assert whole.evidence.q_value <= 0.01


def test_what_is_on_every_day_marks_nothing_out() -> None:
    """A lamp that is on at these hours on other days too says nothing of days at home."""
    diary, at_home = home_office()
    for day in range(diary.days):
        if day not in at_home and diary.date(day).weekday() < 5:
            diary.pulse(day, 9, "light.desk", 480)
    assert [one.subject for one in DayType().detect(diary.history(DayType())) if one.subject[-1] == "at_home"] == [
        ("home", "at_home")
    ]


def test_the_interval_of_days_away_is_over_journeys() -> None:
    """Two journeys of four days are two things that happened, so the share of days away is less sure than by days."""
    diary = household(days=60)
    for day in (10, 11, 12, 13, 40, 41, 42, 43):
        diary.acts[day] = []
    evidence = found(diary)["away"].evidence
    assert (evidence.kept, evidence.observed) == (8, 60)
    assert evidence.low < 0.03
    assert evidence.high > 0.3


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

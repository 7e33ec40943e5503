"""Days on which nobody was there."""

import numpy as np
import pytest

from .building import Diary, household


def test_days_of_absence_are_not_lived() -> None:
    """Four empty days are not lived, and belong to no class of days, but the calendar still has them."""
    diary = household(days=40)
    for day in (20, 21, 22, 30):
        diary.acts[day] = []
    history = diary.history()
    assert np.flatnonzero(~history.lived).tolist() == [20, 21, 22, 30]
    assert all(not (mask & ~history.lived).any() for mask in history.classes.values())
    assert int(history.classes["all"].sum()) == 36
    assert history.calendar["all"].all()
    assert (history.calendar["weekdays"] != history.classes["weekdays"]).sum() == 3


def test_a_day_with_little_left_is_one_of_absence() -> None:
    """Somebody who comes to water the plants does not live there; half a usual day by itself is lived."""
    diary = household(days=40)
    diary.acts[20] = []
    diary.pulse(20, 10, "binary_sensor.kitchen_motion")
    diary.acts[30] = [act for act in diary.acts[30] if act[0] < 12 * 3600]
    assert np.flatnonzero(~diary.history().lived).tolist() == [20]


def test_leaving_and_coming_back_belong_to_an_absence() -> None:
    """The morning before a journey and the evening after it are no whole days; nor is a weekend that is both."""
    diary = household(days=40)
    for first, last in ((15, 18), (26, 27)):
        diary.acts[first] = [act for act in diary.acts[first] if act[0] < 9.2 * 3600]
        for day in range(first + 1, last):
            diary.acts[day] = []
        diary.acts[last] = [act for act in diary.acts[last] if act[0] > 21 * 3600]
    assert np.flatnonzero(~diary.history().lived).tolist() == [15, 16, 17, 18, 26, 27]


def test_a_day_that_was_not_observed_was_lived() -> None:
    """When every entity is unavailable for the day, nothing says that nobody was there."""
    diary = household(days=30)
    for entity in diary.entities:
        diary.acts[20] = [act for act in diary.acts[20] if act[1] != entity]
        diary.add(19, 23.99, entity, "unavailable")
        diary.add(21, 0.01, entity, "off")
    assert diary.history().lived.all()


@pytest.mark.parametrize("days", [1, 6])
def test_few_days_are_all_lived(days: int) -> None:
    """In a home of less than a week there is no usual day, so an empty one is no absence."""
    diary = household(days=days)
    diary.acts[days - 1] = []
    assert diary.history().lived.all()


def test_few_acts_say_nothing_of_absence() -> None:
    """A home with three acts on most days is as empty on one without."""
    diary = Diary(days=30)
    for day in range(29):
        diary.pulse(day, 12, "light.a")
    assert diary.history().lived.all()


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_away_from_a_home_without_habits(seed: int) -> None:
    """Each of a null home's days has its share of what happened, and all are lived."""
    diary = household(seed, 32)
    assert all(null.history().lived.all() for null in (diary.circled(seed), diary.permuted(seed), diary.jittered(seed)))


def test_a_party_is_no_absence() -> None:
    """A sensor that saw so many people that its changes are not kept was not alone at home."""
    diary = household(days=40)
    diary.acts[20] = []
    for minute in range(0, 900, 3):
        diary.pulse(20, 8 + minute / 60, "binary_sensor.living_motion", 1)
    history = diary.history()
    assert "binary_sensor.living_motion" in history.rows[20].chatter
    assert history.lived.all()


def test_what_chatters_every_day_does_not_live_there() -> None:
    """A gate that rattles in the wind says nothing of people, on days of absence as on others."""
    diary = household(days=20)
    diary.acts[10] = []
    for day in range(20):
        for minute in range(0, 1400, 6):
            diary.pulse(day, minute / 60, "binary_sensor.gate_vibration", 1)
    assert np.flatnonzero(~diary.history().lived).tolist() == [10]

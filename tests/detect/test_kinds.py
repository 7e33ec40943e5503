"""Kinds of days that are a home's own."""

import numpy as np
import pytest

from quotidian.detect.absence import half_hours_of
from quotidian.detect.kinds import OTHERS, kinds_of, same_without

from .building import Diary, home_office, household


@pytest.mark.parametrize("weekdays", [(1, 3), (2,), (0, 1, 3, 4)])
def test_days_at_home_are_found_with_their_weekdays(weekdays: tuple[int, ...]) -> None:
    """Which days, on which weekdays, and at what hours follows from the days themselves."""
    diary, at_home = home_office(weekdays=weekdays)
    history = diary.history()
    (kind,) = history.kinds
    if len(weekdays) < 3:
        assert (kind.name, kind.weekdays) == ("at_home", weekdays)
        assert np.flatnonzero(kind.days).tolist() == at_home
        assert kind.among.sum() == 10 * len(weekdays)
        assert history.classes["at_home"].tolist() == kind.days.tolist()
    else:  # most days are spent at home, so it is the others that are told
        assert (kind.name, kind.weekdays) == ("out", (2,))
        assert not history.classes["at_home"].any()
    assert abs(kind.start - 18) <= 1
    assert abs(kind.end - 34) <= 1
    assert kind.q_value <= 0.01


def test_classes_less_a_kind_are_its_other_days_and_empty_without_it() -> None:
    """Of ten weeks with days at home, the other weekdays are left; a home without kinds has no such classes."""
    diary, at_home = home_office()
    classes = diary.history().classes
    assert np.flatnonzero(classes["weekdays-at_home"]).tolist() == [
        day for day in range(70) if diary.date(day).weekday() < 5 and day not in at_home
    ]
    assert set(OTHERS) <= set(classes)
    assert len(classes) == len(list(classes))
    assert not any(Diary(days=28).history().classes[name].any() for name in OTHERS)


def test_a_kind_hangs_on_what_happens_on_its_days() -> None:
    """Days at home are the same days without the desk lamp; without what moves in the kitchen there are none."""
    history = home_office()[0].history()
    (kind,) = history.kinds
    weekdays = history.classes["weekdays"]
    assert same_without(kind, half_hours_of(history.rows, {"light.desk"}), weekdays)
    assert not same_without(kind, half_hours_of(history.rows, {"binary_sensor.kitchen_motion"}), weekdays)
    assert not same_without(kind, np.zeros_like(history.half_hours), weekdays)


@pytest.mark.parametrize("seed", range(4))
def test_days_in_another_order_have_no_kinds(seed: int) -> None:
    """Days that differ, but belong to no weekdays, are no kind of days."""
    assert home_office(seed)[0].reordered(seed).history().kinds == ()


@pytest.mark.parametrize("seed", range(3))
def test_days_of_one_kind_are_not_parted(seed: int) -> None:
    """A household whose weekdays are alike has no kinds, however busy some days are; nor has one week."""
    assert household(seed, days=70).history().kinds == ()
    assert home_office(seed, days=14)[0].history().kinds == ()


def test_busier_days_of_one_shape_are_no_kind() -> None:
    """Days that are more or less busy vary in one direction, which is not the same as two kinds."""
    rng = np.random.default_rng(3)
    ordinals = np.arange(739_000, 739_140)
    halves = rng.poisson(np.exp(rng.normal(1.0, 0.5, (140, 1))) * np.ones(48))
    weekday = (ordinals + 6) % 7
    classes = {"weekdays": weekday < 5, "weekends": weekday >= 5}
    assert kinds_of(halves, ordinals, classes) == ()


def test_a_history_can_be_asked_without_some_days() -> None:
    """What is left is as if these days had never been observed, for rows and summaries alike."""
    diary, at_home = home_office()
    history = diary.history()
    left = history.without(history.classes["at_home"])
    assert left.ordinals.tolist() == [diary.date(day).toordinal() for day in range(70) if day not in at_home]
    assert "light.desk=on" not in left.tokens
    assert history.ordinals.size == 70

"""The conditions that are worth trying."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model.automation import (
    Condition,
    NumericCondition,
    PresenceCondition,
    StateCondition,
    SunCondition,
    TimeCondition,
    WeekdayCondition,
)
from quotidian.suggest.conditions import vocabulary
from quotidian.suggest.replay import holds
from quotidian.suggest.tape import Readings, Tape

from ..detect.building import Diary  # noqa: TID252 - tests are no package
from .homes import DOOR, LAMP, taped


def days_of(*entities: str, states: tuple[str, ...] = ("on", "off")) -> Tape:
    """Make two days on which some things take some states."""
    diary = Diary(days=2)
    for entity in entities:
        for place, state in enumerate(states):
            diary.add(0, 1 + place, entity, state)
    return taped(diary)


def offered(tape: Tape, seconds: list[int], apart: tuple[str, ...] = ()) -> list[Condition]:
    """Give the conditions for a trigger that fired, and was of use, at some wall seconds of the second day."""
    instants = np.sort(int(tape.start[1]) + np.array(seconds, np.int64))
    return vocabulary(tape, instants, instants, apart)


def first_window(seconds: list[int]) -> TimeCondition:
    """Give the window of the clock that holds most."""
    return next(one for one in offered(days_of(LAMP), seconds) if isinstance(one, TimeCondition))


def test_the_window_is_the_shortest_that_holds_nine_of_ten() -> None:
    """Nine moments between 20:05 and 20:50 and one at noon: from 20:00 to 21:00."""
    late = [72_300 + 300 * number for number in range(9)]
    assert first_window([*late, 43_200]) == TimeCondition(after=72_000, before=75_600)


def test_a_window_may_go_over_midnight() -> None:
    """Moments from 23:50 to 00:20 are half an hour, not a day."""
    assert first_window([85_800, 86_100, 300, 1_200]) == TimeCondition(after=85_500, before=1_800)


@given(seconds=st.lists(st.integers(0, 86_399), min_size=1, max_size=30, unique=True))
def test_the_window_holds_nine_of_ten_moments_whatever_they_are(seconds: list[int]) -> None:
    """At least so many, and none where only the whole day would do."""
    tape = days_of(LAMP)
    windows = [one for one in offered(tape, seconds) if isinstance(one, TimeCondition)]
    own = windows[: len(windows) - 6]  # the six parts of the day are always tried
    assert len(own) <= 1
    for window in own:
        held = holds(window, tape, int(tape.start[1]) + np.array(seconds, np.int64))
        assert held.sum() >= 0.9 * len(seconds)


def test_days_of_the_week_and_daylight_are_always_tried() -> None:
    """Working days, weekends, each weekday, and both sides of the sun."""
    found = offered(days_of(LAMP), [43_200])
    assert [len(one.days) for one in found if isinstance(one, WeekdayCondition)] == [5, 2, 1, 1, 1, 1, 1, 1, 1]
    assert [one.up for one in found if isinstance(one, SunCondition)] == [False, True]


@pytest.mark.parametrize(("entity", "number"), [(LAMP, 0), ("person.anna", 2)])
def test_presence_is_tried_where_a_person_is_known(entity: str, number: int) -> None:
    """Without persons it would never hold."""
    found = offered(days_of(entity), [43_200])
    assert sum(isinstance(one, PresenceCondition) for one in found) == number


def test_states_of_other_things_are_tried_unless_they_are_many() -> None:
    """Two states of the door are; the lamp that it is about is not, nor what has five states besides its first one."""
    tape = days_of(DOOR, LAMP)
    found = [one for one in offered(tape, [43_200], apart=(LAMP,)) if isinstance(one, StateCondition)]
    assert {one.entity_id for one in found} == {DOOR}
    assert ("on",) in {one.states for one in found}
    many = days_of("select.mode", states=("a", "b", "c", "d", "e"))
    assert not [one for one in offered(many, [43_200]) if isinstance(one, StateCondition)]


def test_numbers_are_tried_at_what_they_read_when_it_fired() -> None:
    """The quarters of the readings, above and below; nothing where none was known."""
    tape = days_of(LAMP)
    start = int(tape.start[1])
    readings = Readings(start + np.arange(5) * 3_600, np.array([1.0, 2, 3, 4, 5]))
    read = Tape(
        tape.rows,
        tape.home,
        {"sensor.lux": readings, "sensor.none": Readings(start + np.arange(1), np.array([np.nan]))},
    )
    found = [one for one in offered(read, [0, 3_600, 7_200, 10_800, 14_400]) if isinstance(one, NumericCondition)]
    assert {one.entity_id for one in found} == {"sensor.lux"}
    assert sorted((one.above, one.below) for one in found if one.above) == [(2.0, None), (3.0, None), (4.0, None)]
    assert sorted(one.below for one in found if one.below) == [2.0, 3.0, 4.0]


def test_without_a_useful_moment_no_window_is_made() -> None:
    """Only the parts of the day are left."""
    tape = days_of(LAMP)
    none = np.empty(0, np.int64)
    assert sum(isinstance(one, TimeCondition) for one in vocabulary(tape, none, none, ())) == 6

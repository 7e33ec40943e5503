"""Reminders of what was left open or on for longer than ever before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.model import Home
from quotidian.model.automation import NotifyAction, StateTrigger
from quotidian.suggest.propose import MOST_REMINDERS, remind
from quotidian.suggest.reminders import Reminder, reminders
from quotidian.suggest.replay import starts

from ..detect.building import Diary, home_of  # noqa: TID252 - tests are no package
from .homes import LAMP, taped

WINDOW, LOCK = "binary_sensor.bath_window", "lock.front_door"
DAYS, CUT = 30, 20


def aired(entity: str = WINDOW, *, minutes: float = 20, days: int = DAYS) -> Diary:
    """Make days on which a window is open twice, for some minutes at the most."""
    diary = Diary(home_of({"bath": [WINDOW]}), days=days)
    rng = np.random.default_rng(0)
    for day in range(days):
        for hour in (8, 18):
            diary.pulse(day, hour, entity, minutes * rng.uniform(0.5, 0.95))
    diary.pulse(3, 12, entity, minutes)
    return diary


def found(diary: Diary, cut: int = CUT) -> list[Reminder]:
    """Give the reminders that are tried from a day on."""
    return reminders(taped(diary), cut)


def limit(reminder: Reminder) -> int:
    """Give after how many seconds one comes."""
    (trigger,) = reminder.automation.triggers
    assert isinstance(trigger, StateTrigger)
    return trigger.seconds


def test_a_window_left_open_for_longer_than_ever_is_told_of() -> None:
    """Of 41 times the longest was 20 minutes; it says so, and switches nothing."""
    (one,) = found(aired())
    assert (one.spans, one.longest, limit(one)) == (41, 1_200, 1_200)
    assert one.automation.sets == ()
    assert one.automation.alias == (
        "When the bath window has been open for 20 min: "
        "you are told “The bath window has been open for 20 min, longer than ever before.”"
    )
    (action,) = one.automation.actions
    assert isinstance(action, NotifyAction)
    assert one.days == tuple(taped(aired()).ordinals[CUT:].tolist())


def test_it_would_have_come_where_it_stayed_open_for_longer() -> None:
    """Once in the ten days that it is tried on, twenty minutes after it was opened."""
    diary = aired()
    diary.pulse(25, 12, WINDOW, 90)
    (one,) = found(diary)
    tape = taped(diary)
    assert one.instants == (int(tape.start[25]) + 12 * 3_600 + 1_200,)
    assert starts(one.automation, tape.part(CUT, DAYS)).tolist() == list(one.instants)


def test_what_would_come_often_is_no_reminder() -> None:
    """Three longer times in ten days are more than one a week; one is not."""
    diary = aired()
    for day in (21, 25):
        diary.pulse(day, 12, WINDOW, 90)
    assert found(diary) == []


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(0.5, 300), (7, 420), (21, 1_500), (61, 4_500), (125, 7_200 + 1_800), (170, 10_800)]
)
def test_limits_are_round_and_never_below_the_longest(minutes: float, seconds: int) -> None:
    """To minutes, to five, to fifteen, to thirty, as long as a step is at most a quarter; at least five minutes."""
    (one,) = found(aired(minutes=minutes))
    assert limit(one) == seconds


def test_what_is_open_for_hours_rests_so() -> None:
    """A window that was open for seven hours once is one that people leave open."""
    assert found(aired(minutes=420)) == []


def test_few_spans_and_few_days_show_nothing() -> None:
    """Nineteen spans, or many on seven days, do not show how long is usual."""
    assert found(aired(), cut=9) == []
    diary = Diary(home_of({"bath": [WINDOW]}), days=DAYS)
    for day in range(7):
        for hour in range(8, 20):
            diary.pulse(day, hour, WINDOW, 10)
    assert found(diary) == []
    diary.pulse(8, 8, WINDOW, 10)
    assert len(found(diary)) == 1


@pytest.mark.parametrize(("entity", "number"), [(WINDOW, 1), ("switch.oven", 1), (LAMP, 0), ("fan.bath", 0)])
def test_only_what_is_not_switched_by_itself_is_told_of(entity: str, number: int) -> None:
    """Windows and ovens are, a lamp and a fan would be switched."""
    assert len(found(aired(entity))) == number


def test_a_lock_is_told_of_while_it_is_open_and_not_while_it_is_locked() -> None:
    """It is locked for hours, as it should be."""
    diary = Diary(Home("home", "Europe/Amsterdam"), days=DAYS)
    for day in range(DAYS):
        for hour in (8, 18):
            diary.add(day, hour, LOCK, "unlocked")
            diary.add(day, hour + 0.1, LOCK, "locked")
    (one,) = found(diary)
    assert one.automation.triggers == (StateTrigger(entity_id=LOCK, state="unlocked", seconds=360),)


def test_what_is_used_most_comes_first_and_three_are_enough() -> None:
    """Of five windows the three that are opened most often."""
    windows = [f"binary_sensor.window_{number}" for number in range(5)]
    diary = Diary(home_of({"house": windows}), days=DAYS)
    for day in range(DAYS):
        for number, window in enumerate(windows):
            for hour in range(8, 10 + number):
                diary.pulse(day, hour, window, 10)
    spans = [one.spans for one in found(diary)]
    assert spans == sorted(spans, reverse=True)
    assert len(spans) == 5
    told = remind(taped(diary))
    assert len(told) == MOST_REMINDERS
    assert [one.automation.triggers[0].entity_id for one in told] == windows[:1:-1]


@settings(max_examples=20)
@given(acts=st.lists(st.tuples(st.integers(CUT, DAYS - 1), st.floats(0, 22), st.floats(0.1, 100)), max_size=8))
def test_limits_are_those_of_the_days_before(acts: list[tuple[int, float, float]]) -> None:
    """Whatever happens on the days that they are tried on, a limit stays or the reminder is left out."""
    diary = aired()
    for day, hour, minutes in acts:
        diary.pulse(day, hour, WINDOW, minutes)
    assert [(one.spans, one.longest, one.automation) for one in found(diary)] in (
        [],
        [(one.spans, one.longest, one.automation) for one in found(aired())],
    )

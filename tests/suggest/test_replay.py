"""Automations replayed on days that are known."""

import datetime as dt

import numpy as np
import pytest

from quotidian.detect.dayrow import DayRow
from quotidian.model import Home
from quotidian.model.automation import (
    And,
    Automation,
    Condition,
    Not,
    NumericCondition,
    NumericTrigger,
    Or,
    PresenceCondition,
    SetAction,
    StateCondition,
    StateTrigger,
    SunCondition,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.model.day import SECOND, moment
from quotidian.suggest.replay import fires, holds, starts
from quotidian.suggest.tape import Readings, Tape

from ..detect.building import Diary  # noqa: TID252 - tests are no package

IN_AMSTERDAM = Home("home", "Europe/Amsterdam", latitude=52.4, longitude=4.9)
DOOR, LAMP, ANNA = "binary_sensor.door", "light.lamp", "person.anna"


def taped(diary: Diary, readings: dict[str, Readings] | None = None) -> Tape:
    """Put a diary's days on a tape."""
    return Tape(diary.history().rows, diary.home, readings)


def clocks(tape: Tape, instants: np.ndarray) -> list[str]:
    """Read instants as day of the month and wall clock."""
    return [moment(int(one) * SECOND, tape.home.zone).strftime("%d %H:%M:%S") for one in instants]


def fired(trigger: Trigger, diary: Diary, readings: dict[str, Readings] | None = None) -> list[str]:
    """Give when a trigger fires on a diary's days."""
    tape = taped(diary, readings)
    return clocks(tape, fires(trigger, tape))


def holding(condition: Condition, diary: Diary, hours: list[float], day: int = 0) -> list[bool]:
    """Tell at which wall hours of a day a condition holds."""
    tape = taped(diary)
    instants = np.array([tape.start[day] + round(hour * 3600) for hour in hours], np.int64)
    return holds(condition, tape, instants).tolist()


def test_a_state_trigger_fires_whenever_the_state_is_entered_by_whomever() -> None:
    """It fires at each change into the state, also at those that automations made, and not while it stays so."""
    diary = Diary(days=2)
    diary.pulse(0, 8, DOOR)
    diary.pulse(1, 9, DOOR, cause="automation")
    assert fired(StateTrigger(entity_id=DOOR, state="on"), diary) == ["02 08:00:00", "03 09:00:00"]


def test_a_state_trigger_may_ask_where_the_entity_came_from() -> None:
    """Only a change from the named state fires."""
    diary = Diary(days=1)
    for hour, state in ((8, "idle"), (9, "playing"), (10, "off"), (11, "playing")):
        diary.add(0, hour, "media_player.tv", state)
    trigger = StateTrigger(entity_id="media_player.tv", state="playing", origin="off")
    assert fired(trigger, diary) == ["02 11:00:00"]


def test_a_state_that_must_last_fires_when_it_has_lasted() -> None:
    """Five minutes open fire after five minutes; four do not; five minutes that end the day do on the next one."""
    diary = Diary(days=2)
    diary.pulse(0, 8, DOOR, 4)
    diary.pulse(0, 9, DOOR, 6)
    diary.pulse(0, 23 + 58 / 60, DOOR, 20)
    assert fired(StateTrigger(entity_id=DOOR, state="on", seconds=300), diary) == ["02 09:05:00", "03 00:03:00"]


@pytest.mark.parametrize("gap", [1, 30])
def test_coming_back_after_an_outage_starts_nothing(gap: int) -> None:
    """A lamp that was on, was lost and is on again did not go on; what is not observed is in no state."""
    diary = Diary(days=1)
    diary.add(0, 8, LAMP)
    diary.add(0, 9, LAMP, "unavailable")
    diary.add(0, 9 + gap / 60, LAMP, "on")
    assert fired(StateTrigger(entity_id=LAMP, state="on"), diary) == ["02 08:00:00"]
    within = holding(StateCondition(entity_id=LAMP, states=("on",)), diary, [8.5, 9 + gap / 120, 9.8])
    assert within == [True, False, True]


def test_the_clock_fires_once_a_day_as_the_wall_shows_it() -> None:
    """Summer time begins on 29 March 2026: 02:30 is skipped on that day, 07:00 is not."""
    diary = Diary(first=dt.date(2026, 3, 28), days=3)
    diary.pulse(0, 12, LAMP)
    diary.pulse(2, 12, LAMP)
    assert fired(TimeTrigger(second=9_000), diary) == ["28 02:30:00", "30 02:30:00"]
    assert fired(TimeTrigger(second=25_200), diary) == ["28 07:00:00", "29 07:00:00", "30 07:00:00"]


def test_an_hour_that_is_shown_twice_fires_once() -> None:
    """Summer time ends on 25 October 2026: 02:30 comes twice, and the first of them fires."""
    diary = Diary(first=dt.date(2026, 10, 25), days=1)
    diary.pulse(0, 12, LAMP)
    tape = taped(diary)
    instants = fires(TimeTrigger(second=9_000), tape)
    assert (instants - tape.start[0]).tolist() == [9_000]


def test_the_sun_fires_with_its_offset() -> None:
    """A quarter of an hour after sunset is 900 s after what the row says."""
    history = Diary(IN_AMSTERDAM, days=3).history()
    tape = Tape(history.rows, history.home)
    rows: list[DayRow] = list(tape.rows)
    expected = [row.start + row.sun("sunset") + 900 for row in rows if row.sun("sunset") is not None]
    assert fires(SunTrigger(event="sunset", offset=900), tape).tolist() == expected


def test_a_number_fires_where_it_crosses_and_not_while_it_stays() -> None:
    """Falling below 8 fires, staying below does not; what comes from nowhere crosses nothing."""
    diary = Diary(days=1)
    diary.pulse(0, 1, LAMP)
    start = int(taped(diary).start[0])
    values = Readings(start + 3600 * np.arange(1, 7), np.array([7.0, 9.0, 7.5, 7.0, np.nan, 6.0]))
    trigger = NumericTrigger(entity_id="sensor.outdoor", below=8)
    assert fired(trigger, diary, {"sensor.outdoor": values}) == ["02 03:00:00"]


def test_conditions_say_what_they_say() -> None:
    """Each kind of condition, at instants at which it holds and at which it does not."""
    diary = Diary(IN_AMSTERDAM, days=2)
    diary.add(0, 9, ANNA, "home")
    diary.add(0, 17, ANNA, "not_home")
    assert holding(WeekdayCondition(days=(0,)), diary, [12]) == [True]  # 2 March 2026 is a Monday
    assert holding(WeekdayCondition(days=(0,)), diary, [12], day=1) == [False]
    assert holding(TimeCondition(after=8 * 3600, before=10 * 3600), diary, [7.99, 8, 10]) == [False, True, False]
    assert holding(TimeCondition(after=22 * 3600, before=6 * 3600), diary, [23, 5, 6]) == [True, True, False]
    assert holding(SunCondition(up=True), diary, [3, 12, 22]) == [False, True, False]
    assert holding(PresenceCondition(somebody=True), diary, [10, 18]) == [True, False]
    assert holding(PresenceCondition(somebody=False), diary, [10, 18]) == [False, True]
    late = Or(of=(TimeCondition(after=64_800, before=0), StateCondition(entity_id=ANNA, states=("home",))))
    assert holding(late, diary, [10, 17.5, 19]) == [True, False, True]
    assert holding(Not(of=(late,)), diary, [10, 17.5, 19]) == [False, True, False]
    assert holding(And(of=()), diary, [10]) == [True]


def test_what_is_not_known_does_not_hold() -> None:
    """Before anything was heard of a person nobody is at home, and nobody is away; an unread number is neither."""
    diary = Diary(days=1)
    diary.pulse(0, 9, LAMP)
    for condition in (
        PresenceCondition(somebody=True),
        PresenceCondition(somebody=False),
        StateCondition(entity_id="light.other", states=("on", "off")),
        NumericCondition(entity_id="sensor.other", above=-1e9),
        NumericCondition(entity_id="sensor.other", below=1e9),
    ):
        assert holding(condition, diary, [12]) == [False]


def test_an_automation_starts_where_all_its_conditions_hold() -> None:
    """The door starts it in the evening only, however many triggers see the same moment."""
    diary = Diary(days=1)
    diary.pulse(0, 8, DOOR)
    diary.pulse(0, 20, DOOR)
    door = StateTrigger(entity_id=DOOR, state="on")
    automation = Automation(
        id="a",
        alias="a",
        triggers=(door, door, TimeTrigger(second=72_000)),
        conditions=(TimeCondition(after=64_800, before=0),),
        actions=(SetAction(entities=(LAMP,), state="on"),),
    )
    tape = taped(diary)
    assert clocks(tape, starts(automation, tape)) == ["02 20:00:00"]

"""Automations a little different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model import Home
from quotidian.model.automation import (
    Automation,
    Condition,
    SetAction,
    StateCondition,
    StateTrigger,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.suggest.change import changed

HOME = Home("home", "Europe/Amsterdam")
LAMP = SetAction(entities=("light.lamp",), state="on")
DARK = StateCondition(entity_id="sun.sun", states=("below_horizon",))


def automation(trigger: Trigger, *conditions: Condition) -> Automation:
    """Make an automation that switches a lamp on."""
    return Automation(id="quotidian_a", alias="", triggers=(trigger,), conditions=conditions, actions=(LAMP,))


@pytest.mark.parametrize(
    ("trigger", "offset", "later"),
    [
        (TimeTrigger(second=72_000), -600, TimeTrigger(second=71_400)),
        (TimeTrigger(second=300), -600, TimeTrigger(second=86_100)),
        (SunTrigger(event="sunset", offset=300), -600, SunTrigger(event="sunset", offset=-300)),
        (
            StateTrigger(entity_id="lock.door", state="locked"),
            120,
            StateTrigger(entity_id="lock.door", state="locked", seconds=120),
        ),
    ],
)
def test_every_trigger_can_start_later(trigger: Trigger, offset: int, later: Trigger) -> None:
    """Times move on the clock's circle and around the sun; a state must last for longer."""
    assert changed(automation(trigger), HOME, offset=offset).triggers == (later,)


def test_nothing_starts_before_what_starts_it() -> None:
    """A state cannot have lasted for less than no time: that is an error, and not another automation."""
    with pytest.raises(ValueError, match="before what starts it"):
        changed(automation(StateTrigger(entity_id="lock.door", state="locked", seconds=60)), HOME, offset=-120)


def test_new_days_and_hours_replace_old_ones_and_leave_the_rest() -> None:
    """Only conditions of the same kind are replaced."""
    before = automation(TimeTrigger(second=0), WeekdayCondition(days=(5, 6)), DARK, TimeCondition(after=0, before=60))
    after = changed(before, HOME, weekdays=(4, 0, 4), between=(72_000, 0))
    assert after.conditions == (DARK, WeekdayCondition(days=(0, 4)), TimeCondition(after=72_000, before=0))


@given(st.integers(0, 86_399), st.integers(-86_400, 86_400))
def test_going_there_and_back_changes_nothing(second: int, offset: int) -> None:
    """An automation has the name and id that follow from what it does, however it came to do it."""
    before = changed(automation(TimeTrigger(second=second)), HOME)
    assert changed(changed(before, HOME, offset=offset), HOME, offset=-offset) == before
    assert (changed(before, HOME, offset=offset).id == before.id) == (offset % 86_400 == 0)

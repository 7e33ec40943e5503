"""The same automation a little different: earlier or later, on other days, at other hours."""

from collections.abc import Sequence

import msgspec

from quotidian.model import Home
from quotidian.model.automation import (
    Automation,
    Condition,
    NumericTrigger,
    StateTrigger,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.model.day import DAY_SECONDS
from quotidian.suggest.named import named


def changed(
    automation: Automation,
    home: Home,
    *,
    offset: int = 0,
    weekdays: Sequence[int] | None = None,
    between: tuple[int, int] | None = None,
) -> Automation:
    """Give an automation with other times.

    Parameters
    ----------
    automation, home
        The automation, and the home for its name.
    offset
        By how many seconds it starts later. What a state starts can be no earlier than the state.
    weekdays
        The days on which it may start, 0 being Monday, instead of those that it has.
    between
        The wall seconds between which it may start, instead of those that it has.

    Raises
    ------
    ValueError
        When it would start before what starts it.
    """
    conditions = list(automation.conditions)
    if weekdays is not None:
        conditions = [*_without(conditions, WeekdayCondition), WeekdayCondition(days=tuple(sorted(set(weekdays))))]
    if between is not None:
        conditions = [*_without(conditions, TimeCondition), TimeCondition(after=between[0], before=between[1])]
    triggers = tuple(_later(trigger, offset) for trigger in automation.triggers)
    return named(triggers, tuple(conditions), automation.actions, home)


def _without(conditions: Sequence[Condition], kind: type) -> list[Condition]:
    return [condition for condition in conditions if not isinstance(condition, kind)]


def _later(trigger: Trigger, offset: int) -> Trigger:
    match trigger:
        case TimeTrigger():
            return TimeTrigger(second=(trigger.second + offset) % DAY_SECONDS)
        case SunTrigger():
            return SunTrigger(event=trigger.event, offset=trigger.offset + offset)
        case StateTrigger() | NumericTrigger():
            if trigger.seconds + offset < 0:
                raise ValueError("it cannot start before what starts it")
            return msgspec.structs.replace(trigger, seconds=trigger.seconds + offset)

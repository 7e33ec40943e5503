"""An automation as Home Assistant's configuration, for current servers and for older ones."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quotidian.errors import RequestError
from quotidian.homeassistant.configuration.literal import literal
from quotidian.model.automation import (
    Action,
    And,
    Automation,
    Condition,
    Not,
    NotifyAction,
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
from quotidian.model.service import Call, begins_anew, calls

Configuration = dict[str, Any]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SUN, ABOVE, BELOW = "sun.sun", "above_horizon", "below_horizon"
ZONE: Final = "zone.home"  #: its state is how many persons are at home
RESTORED: Final = ("unavailable", "unknown")  #: from here comes what was only away: nothing has happened
NOTIFY: Final = "persistent_notification.create"
_RENAMED: Final = (2024, 10)  #: the version that took "triggers", "conditions" and "actions" first
_WHOLE: Final = 1 << 53  #: beyond it, a number that is no whole one is not told from one that is


class Keys(msgspec.Struct, frozen=True):
    """What the parts of an automation are called."""

    triggers: str
    conditions: str
    actions: str
    trigger: str
    action: str


CURRENT: Final = Keys("triggers", "conditions", "actions", "trigger", "action")
OLDER: Final = Keys("trigger", "condition", "action", "platform", "service")


def keys_of(version: str) -> Keys:
    """Give the keys that a version of Home Assistant takes.

    >>> keys_of("2024.3.3").triggers, keys_of("2025.4.4").triggers, keys_of("").triggers
    ('trigger', 'triggers', 'triggers')
    """
    parts = version.split(".")[:2]
    release = tuple(int(part) for part in parts if part.isdecimal())
    return OLDER if len(release) == len(_RENAMED) and release < _RENAMED else CURRENT


def configuration_of(automation: Automation, keys: Keys = CURRENT, notify: str = NOTIFY) -> Configuration:
    """Give an automation as Home Assistant's configuration, of the types that JSON has.

    Parameters
    ----------
    automation
        The automation.
    keys
        What its parts are called.
    notify
        The service that tells somebody something, such as ``notify.mobile_app_phone``.

    Raises
    ------
    RequestError
        When there is no service for something that it does.
    """
    return {
        "id": automation.id,
        "alias": automation.alias,
        "description": automation.description,
        keys.triggers: [_trigger(trigger, keys) for trigger in automation.triggers],
        keys.conditions: [_condition(condition) for condition in automation.conditions],
        keys.actions: [step for action in automation.actions for step in _steps(action, automation, keys, notify)],
        "mode": "single",
    }


def _trigger(trigger: Trigger, keys: Keys) -> Configuration:
    match trigger:
        case StateTrigger():
            origin = {"not_from": list(RESTORED)} if trigger.origin is None else {"from": trigger.origin}
            fields = {"entity_id": trigger.entity_id, **origin, "to": trigger.state, **_for(trigger.seconds)}
            return {keys.trigger: "state", **fields}
        case NumericTrigger():
            limits = _limits(trigger.above, trigger.below)
            return {
                keys.trigger: "numeric_state",
                "entity_id": trigger.entity_id,
                **limits,
                **_for(trigger.seconds),
            }
        case TimeTrigger():
            return {keys.trigger: "time", "at": clock_of(trigger.second)}
        case SunTrigger():
            offset = {"offset": clock_of(trigger.offset)} if trigger.offset else {}
            return {keys.trigger: "sun", "event": trigger.event, **offset}


def _condition(condition: Condition) -> Configuration:
    match condition:
        case And() | Or() | Not():
            kind = type(condition).__name__.lower()
            return {"condition": kind, "conditions": [_condition(part) for part in condition.of]}
        case WeekdayCondition():
            return {"condition": "time", "weekday": [WEEKDAYS[day] for day in condition.days]}
        case TimeCondition():
            # Midnight as an end is none: Home Assistant's "before" does not go beyond the day by itself.
            end = {"before": clock_of(condition.before)} if condition.before else {}
            return {"condition": "time", "after": clock_of(condition.after), **end}
        case SunCondition():
            return _state(SUN, (ABOVE if condition.up else BELOW,))
        case PresenceCondition():
            limit = {"above": 0} if condition.somebody else {"below": 1}
            return {"condition": "numeric_state", "entity_id": ZONE, **limit}
        case StateCondition():
            return _state(condition.entity_id, condition.states)
        case NumericCondition():
            limits = _limits(condition.above, condition.below)
            return {"condition": "numeric_state", "entity_id": condition.entity_id, **limits}


def _steps(action: Action, automation: Automation, keys: Keys, notify: str) -> list[Configuration]:
    match action:
        case SetAction():
            return _set(action, keys)
        case NotifyAction():
            data = {"message": action.message, "title": automation.alias}
            if notify == NOTIFY:
                data["notification_id"] = automation.id  # so that the second one replaces the first
            return [_call(Call(notify, data), keys)]


def _set(action: SetAction, keys: Keys) -> list[Configuration]:
    target = {"target": {"entity_id": _one_or_all(action.entities)}}
    steps = [_call(call, keys) | target for call in calls(action)]
    if not steps:
        raise RequestError(
            f"Home Assistant has no service that puts {', '.join(action.entities) or 'nothing'} into {action.state!r}."
        )
    if not any(begins_anew(entity_id, action.state) for entity_id in action.entities):
        return steps
    already = _state(_one_or_all(action.entities), (action.state,))
    return [{"if": [{"condition": "not", "conditions": [already]}], "then": steps}]


def _call(call: Call, keys: Keys) -> Configuration:
    data = {"data": literal(dict(call.data))} if call.data else {}
    return {keys.action: call.service, **data}


def _state(entity_id: str | list[str], states: tuple[str, ...]) -> Configuration:
    return {"condition": "state", "entity_id": entity_id, "state": _one_or_all(states)}


def _for(seconds: int) -> Configuration:
    return {"for": clock_of(seconds)} if seconds else {}


def _limits(above: float | None, below: float | None) -> Configuration:
    return {key: _short(limit) for key, limit in (("above", above), ("below", below)) if limit is not None}


def _short(number: float) -> float:
    """Give 20 for 20.0: people write numbers so."""
    return int(number) if abs(number) < _WHOLE and number == int(number) else number


def _one_or_all(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else list(names)


def clock_of(seconds: int) -> str:
    """Write seconds as Home Assistant writes spans and times of day.

    >>> clock_of(27_000), clock_of(-1_800), clock_of(100_000)
    ('07:30:00', '-00:30:00', '27:46:40')
    """
    minutes, second = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{second:02}"

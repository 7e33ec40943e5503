"""Automations in words that somebody understands who never wrote one."""

from typing import Final

from quotidian.detect import words
from quotidian.detect.things import OPENINGS, PASSING
from quotidian.model import Home
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

_WEEK: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
#: Several weekdays that have a name of their own.
_SETS: Final = {(0, 1, 2, 3, 4): "on weekdays", (5, 6): "at weekends"}
#: What a thing is in a state, by (device class, state), else by state.
_BEING: Final = {
    **dict.fromkeys(((kind, "on") for kind in OPENINGS), "open"),
    **dict.fromkeys(((kind, "off") for kind in OPENINGS), "closed"),
    **dict.fromkeys(((kind, "on") for kind in PASSING), "seeing somebody"),
    **dict.fromkeys(((kind, "off") for kind in PASSING), "seeing nobody"),
}
_STATES: Final = {"home": "at home", "not_home": "away"}


def sentence(automation: Automation, home: Home) -> str:
    """Say when an automation does what.

    >>> from quotidian.model.automation import Automation
    >>> lamp = SetAction(entities=("light.landing",), state="on")
    >>> locked = StateTrigger(entity_id="lock.front_door", state="locked")
    >>> evening = TimeCondition(after=72_000, before=0)
    >>> automation = Automation(id="a", alias="a", triggers=(locked,), conditions=(evening,), actions=(lamp,))
    >>> sentence(automation, Home("h", "UTC"))
    'When the front door lock is locked, between 20:00 and 00:00: the landing light goes on'
    """
    when = " or ".join(_trigger(trigger, home) for trigger in automation.triggers)
    only = "".join(f", {_condition(condition, home)}" for condition in automation.conditions)
    what = ", then ".join(_action(action, home) for action in automation.actions)
    return f"{when[:1].upper()}{when[1:]}{only}: {what}"


def _trigger(trigger: Trigger, home: Home) -> str:
    match trigger:
        case StateTrigger(seconds=0):
            return f"when {words.act(home, f'{trigger.entity_id}={trigger.state}')}"
        case StateTrigger():
            return f"when {lasting(home, trigger.entity_id, trigger.state, trigger.seconds)}"
        case NumericTrigger():
            stays = f" for {words.span(trigger.seconds)}" if trigger.seconds else ""
            return f"when {_bounds(home, trigger)}{stays}"
        case TimeTrigger():
            return f"at {words.clock(trigger.second / 60)}"
        case SunTrigger(offset=0):
            return f"at {trigger.event}"
        case SunTrigger():
            side = "after" if trigger.offset > 0 else "before"
            return f"{words.span(abs(trigger.offset))} {side} {trigger.event}"


def _condition(condition: Condition, home: Home) -> str:
    match condition:
        case WeekdayCondition():
            return _SETS.get(condition.days) or f"on {_listed([_WEEK[day] for day in condition.days], 'and')}"
        case TimeCondition():
            return f"between {words.clock(condition.after / 60)} and {words.clock(condition.before / 60)}"
        case SunCondition():
            return "while it is light" if condition.up else "while it is dark"
        case PresenceCondition():
            return f"while {'somebody' if condition.somebody else 'nobody'} is at home"
        case StateCondition():
            being = [_being(home, condition.entity_id, state) for state in condition.states]
            return f"while {_listed(being, 'or')}"
        case NumericCondition():
            return f"while {_bounds(home, condition)}"
        case And() | Or():
            return _listed(
                [_condition(part, home) for part in condition.of], "and" if isinstance(condition, And) else "or"
            )
        case Not():
            return f"unless {_listed([_condition(part, home).removeprefix('while ') for part in condition.of], 'or')}"


def _action(action: Action, home: Home) -> str:
    match action:
        case SetAction(entities=()):
            return "nothing is switched"
        case SetAction():
            return words.acts(home, action.tokens)
        case NotifyAction():
            return f"you are told “{words.plain_sentence(action.message)}”"


def lasting(home: Home, entity_id: str, state: str, seconds: int) -> str:
    """Say that something has been in a state for so long.

    >>> lasting(Home("h", "UTC"), "cover.blinds", "open", 300), lasting(Home("h", "UTC"), "person.anna", "home", 60)
    ('the blinds cover has been open for 5 min', 'Anna has been at home for 60 s')
    """
    verb = "have been" if words.are_many(home, entity_id) else "has been"
    return f"{words.thing(home, entity_id)} {verb} {_adjective(home, entity_id, state)} for {words.span(seconds)}"


def _being(home: Home, entity_id: str, state: str) -> str:
    """Say in which state something is."""
    verb = "are" if words.are_many(home, entity_id) else "is"
    return f"{words.thing(home, entity_id)} {verb} {_adjective(home, entity_id, state)}"


def _adjective(home: Home, entity_id: str, state: str) -> str:
    kind = home.entity(entity_id).device_class or ""
    return _BEING.get((kind, state)) or _STATES.get(state) or words.plain(state)


def _bounds(home: Home, part: NumericTrigger | NumericCondition) -> str:
    """Say between which bounds a number lies."""
    unit = home.entity(part.entity_id).unit
    bounds = [(word, bound) for word, bound in (("above", part.above), ("below", part.below)) if bound is not None]
    told = " and ".join(f"{word} {bound:g}{f' {words.plain(unit)}' if unit else ''}" for word, bound in bounds)
    return f"{words.thing(home, part.entity_id)} is {told}"


def _listed(parts: list[str], word: str) -> str:
    """Join parts as people do."""
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)

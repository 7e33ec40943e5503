"""On what conditions an automation does something, read from its configuration."""

from collections.abc import Callable, Mapping
from typing import Final

from quotidian.homeassistant.configuration.node import Node
from quotidian.homeassistant.configuration.triggers import CROSSED, DEVICE
from quotidian.homeassistant.configuration.written import SUN, WEEKDAYS, ZONE
from quotidian.model.automation import (
    And,
    Condition,
    Not,
    NumericCondition,
    Or,
    PresenceCondition,
    StateCondition,
    SunCondition,
    TimeCondition,
    WeekdayCondition,
)
from quotidian.model.home import domain_of
from quotidian.model.plain import plain

_IS: Final = {"is_on": "on", "is_off": "off"}
_NOON: Final = 12 * 3600
_ABOUT: Final = ("condition", "alias", "enabled")


def all_of(node: Node) -> tuple[Condition, ...]:
    """Read conditions that must all hold."""
    return tuple(found for part in node.parts if part.counts for found in conditions(part))


def together(found: tuple[Condition, ...]) -> Condition:
    """Give conditions that must all hold as one."""
    return found[0] if len(found) == 1 else And(of=found)


def is_condition(node: Node) -> bool:
    """Tell whether a step is a condition: what follows is done only where it holds."""
    return any(key in node for key in ("condition", *_COMBINED))


def conditions(node: Node) -> tuple[Condition, ...]:
    """Read one condition, as those that must all hold for it."""
    for key, kind in _COMBINED.items():
        if key in node:
            node.known(*_ABOUT, key)
            return (kind(of=_each(node[key])),)
    kind_of = node["condition"].text()
    if kind_of in _COMBINED:
        node.known(*_ABOUT, "conditions")
        return (_COMBINED[kind_of](of=_each(node["conditions"])),)
    if kind_of not in _KINDS:
        raise node.unclear(f"a condition of the kind '{plain(kind_of)}' is not analysed")
    return _KINDS[kind_of](node)


def _each(node: Node) -> tuple[Condition, ...]:
    return tuple(together(conditions(part)) for part in node.parts if part.counts)


def _state_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT, "entity_id", "state", "match")
    states = node["state"].texts()
    if not states:
        raise node.unclear("it does not say what state")
    if any(domain_of(state).startswith("input_") and "." in state for state in states):
        raise node["state"].unclear("the state is that of another entity")
    found = tuple(_in_state(entity_id, states, node["state"]) for entity_id in node["entity_id"].entities())
    anyone = node["match"].value is not None and node["match"].text() == "any"
    return (Or(of=found),) if anyone and len(found) > 1 else found


def _in_state(entity_id: str, states: tuple[str, ...], node: Node) -> Condition:
    if entity_id != SUN or len(states) != 1:
        return StateCondition(entity_id=entity_id, states=states)
    return SunCondition(up=node.one_of(states[0], CROSSED) == "sunrise")


def _numeric_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT, "entity_id", "above", "below")
    above, below = node.limits()
    return tuple(_within(entity_id, above, below) for entity_id in node["entity_id"].entities())


#: Of how many persons at home it speaks, when it says above or below how many.
_PRESENCE: Final[Mapping[tuple[float | None, float | None], bool]] = {(0, None): True, (None, 1): False}


def _within(entity_id: str, above: float | None, below: float | None) -> Condition:
    presence = _PRESENCE.get((above, below)) if entity_id == ZONE else None
    if presence is not None:
        return PresenceCondition(somebody=presence)
    return NumericCondition(entity_id=entity_id, above=above, below=below)


def _time_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT, "after", "before", "weekday")
    found: list[Condition] = []
    if "weekday" in node:
        days = {day: number for number, day in enumerate(WEEKDAYS)}
        names = node["weekday"].texts()
        found.append(WeekdayCondition(days=tuple(node["weekday"].one_of(name, days) for name in names)))
    if "after" in node or "before" in node:
        after = node["after"].clock() if "after" in node else 0
        before = node["before"].clock() if "before" in node else 0
        if "before" in node and after == before:
            raise node.unclear("it ends when it begins, so it never holds")
        found.append(TimeCondition(after=after, before=before))
    if not found:
        raise node.unclear("it says neither a time nor a weekday")
    return tuple(found)


_DAY, _NIGHT = SunCondition(up=True), SunCondition(up=False)
_MORNING, _AFTERNOON = TimeCondition(after=0, before=_NOON), TimeCondition(after=_NOON, before=0)
#: What "after" and "before" mean to Home Assistant, which looks at the sun of this day only: the sun is taken to rise
#: before noon and to set after it.
_SUN_TIMES: Final[Mapping[tuple[str, str], tuple[Condition, ...]]] = {
    ("sunrise", "sunset"): (_DAY,),
    ("sunset", "sunrise"): (_NIGHT,),
    ("sunrise", ""): (Or(of=(_DAY, _AFTERNOON)),),
    ("sunset", ""): (_NIGHT, _AFTERNOON),
    ("", "sunrise"): (_NIGHT, _MORNING),
    ("", "sunset"): (Or(of=(_DAY, _MORNING)),),
}


def _sun_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT, "after", "before", "after_offset", "before_offset")
    for key in ("after_offset", "before_offset"):
        if node[key].span():
            raise node[key].unclear("a while before or after the sun rises or sets is not analysed as a condition")
    after, before = (node[key].text() if key in node else "" for key in ("after", "before"))
    if (after, before) not in _SUN_TIMES:
        raise node.unclear("it does not say between which of sunrise and sunset")
    return _SUN_TIMES[after, before]


def _device_condition(node: Node) -> tuple[Condition, ...]:
    """Read how the editor writes that a device's entity is on or off."""
    node.known(*_ABOUT, *DEVICE)
    state = node["type"].one_of(node["type"].text(), _IS)
    return tuple(StateCondition(entity_id=name, states=(state,)) for name in node["entity_id"].entities())


_COMBINED: Final[Mapping[str, type[And] | type[Or] | type[Not]]] = {"and": And, "or": Or, "not": Not}
_KINDS: Final[Mapping[str, Callable[[Node], tuple[Condition, ...]]]] = {
    "state": _state_condition,
    "numeric_state": _numeric_condition,
    "time": _time_condition,
    "sun": _sun_condition,
    "device": _device_condition,
}

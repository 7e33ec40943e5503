"""A configuration that somebody wrote, understood as an automation as far as that can be."""

from typing import Any, Final

import msgspec

from quotidian.homeassistant.configuration.actions import actions
from quotidian.homeassistant.configuration.conditions import all_of, conditions, is_condition
from quotidian.homeassistant.configuration.node import Node, UnclearError, entities_named
from quotidian.homeassistant.configuration.triggers import triggers
from quotidian.model import Home
from quotidian.model.automation import Automation

_LONG: Final = 1 << 63  #: ids without quotes are numbers in YAML, but none is as large


class NotAnalysed(msgspec.Struct, frozen=True):
    """An automation that cannot be understood.

    ``place`` is where, as ``actions[0].choose`` (empty: the whole), ``reason`` why, as the end of a sentence;
    ``entities`` are those that it names openly.
    """

    id: str
    alias: str
    place: str
    reason: str
    entities: frozenset[str] = frozenset()


def understood(configuration: Any, home: Home | None = None) -> Automation | NotAnalysed:
    """Read a configuration, of the types that JSON has or as ``from_yaml`` gives it; whatever it is, this never fails.

    Every entity, state and time that it lists becomes a part of its own. What is switched off is left out, what makes
    no difference to when it starts and what it switches too.

    Parameters
    ----------
    configuration
        What somebody wrote, with the current keys or the older ones.
    home
        Where given, areas and devices that an action aims at are read as their entities.
    """
    node = Node(configuration)
    try:
        entities = entities_named(configuration)
    except UnclearError as error:
        return NotAnalysed("", "", error.place, error.reason)
    name, alias = _name(node["id"]), _name(node["alias"])
    try:
        return _automation(node, name, alias, home)
    except UnclearError as error:
        return NotAnalysed(name, alias, error.place, error.reason, entities)


def _automation(node: Node, name: str, alias: str, home: Home | None) -> Automation:
    if not isinstance(node.value, dict):
        raise node.unclear("this is no automation")
    if "use_blueprint" in node:
        raise node["use_blueprint"].unclear("it is made from a blueprint")
    starts = triggers(node.either("triggers", "trigger"))
    if not starts:
        raise node.unclear("nothing starts it")
    holds = all_of(node.either("conditions", "condition"))
    steps = node.either("actions", "action").parts
    while steps and is_condition(steps[0]):
        first = steps.pop(0)
        holds += conditions(first) if first.counts else ()
    does = actions(steps, home)
    if not does:
        raise node.unclear("it does nothing")
    return Automation(
        id=name,
        alias=alias,
        description=_name(node["description"]),
        triggers=starts,
        conditions=holds,
        actions=does,
    )


def _name(node: Node) -> str:
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONG:
        return str(value)
    return value if isinstance(value, str) else ""

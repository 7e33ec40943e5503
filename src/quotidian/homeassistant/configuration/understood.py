"""A configuration that somebody wrote, understood as an automation as far as that can be."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, Final, Literal, TypeVar

import msgspec

from quotidian.homeassistant.configuration.literal import plain_text
from quotidian.homeassistant.configuration.node import Node, UnclearError, entities_named
from quotidian.homeassistant.configuration.written import ABOVE, BELOW, NOTIFY, RESTORED, SUN, WEEKDAYS, ZONE
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
from quotidian.model.home import domain_of
from quotidian.model.plain import plain
from quotidian.model.service import Call, setting_of, state_after

_NOON: Final = 12 * 3600
_LONG: Final = 1 << 63  #: ids without quotes are numbers in YAML, but none is as large
_SUN_EVENT: Final[Mapping[str, Literal["sunrise", "sunset"]]] = {"sunrise": "sunrise", "sunset": "sunset"}
_CROSSED: Final[Mapping[str, Literal["sunrise", "sunset"]]] = {ABOVE: "sunrise", BELOW: "sunset"}
_TEMPLATE: Final = "a template is only known while it runs"
_T = TypeVar("_T")


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
    triggers = _flat(node.either("triggers", "trigger"), "triggers", _triggers)
    if not triggers:
        raise node.unclear("nothing starts it")
    conditions = _all_of(node.either("conditions", "condition"))
    steps = [step for step in node.either("actions", "action").parts if _counts(step)]
    while steps and _is_condition(steps[0]):
        conditions += _conditions(steps.pop(0))
    actions = _merged(_calls(steps, home))
    if not actions:
        raise node.unclear("it does nothing")
    description = _name(node["description"])
    return Automation(
        id=name, alias=alias, description=description, triggers=triggers, conditions=conditions, actions=actions
    )


def _name(node: Node) -> str:
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONG:
        return str(value)
    return value if isinstance(value, str) else ""


def _counts(node: Node) -> bool:
    """Tell whether a part is there and not switched off."""
    if node.value is not None and not isinstance(node.value, dict):
        raise node.unclear(_TEMPLATE if isinstance(node.value, str) else "this is no mapping of names to values")
    return node.value is not None and node.enabled


def _flat(node: Node, nest: str, read: Callable[[Node], Iterable[_T]]) -> tuple[_T, ...]:
    """Read every part, and those of lists in the list."""
    found: list[_T] = []
    for part in node.parts:
        if isinstance(part.value, list):
            found.extend(_flat(part, nest, read))
        elif _counts(part):
            found.extend(_flat(part[nest], nest, read) if nest in part else read(part))
    return tuple(found)


# triggers

_ABOUT_TRIGGERS: Final = ("trigger", "platform", "id", "alias", "enabled", "variables")
_ABOUT_CONDITIONS: Final = ("condition", "alias", "enabled")


def _triggers(node: Node) -> Iterable[Trigger]:
    kind = node.either("trigger", "platform").text()
    if kind not in _TRIGGERS:
        raise node.unclear(f"what starts by '{plain(kind)}' is not analysed")
    return _TRIGGERS[kind](node)


def _state_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT_TRIGGERS, "entity_id", "to", "from", "not_from", "for")
    states, origins = node["to"].texts(), node["from"].texts()
    if not states:
        raise node.unclear("it starts at every change, not when a certain state is entered")
    if not set(node["not_from"].texts()) <= set(RESTORED):
        raise node["not_from"].unclear("that it does not start from certain states is not analysed")
    seconds = _lasting(node)
    for entity_id, origin, state in product(node["entity_id"].entities(), origins or (None,), states):
        if entity_id == SUN:
            yield SunTrigger(event=_one_of(node["to"], state, _CROSSED), offset=seconds)
        else:
            yield StateTrigger(entity_id=entity_id, state=state, origin=origin, seconds=seconds)


def _numeric_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT_TRIGGERS, "entity_id", "above", "below", "for")
    above, below = _limits(node)
    seconds = _lasting(node)
    for entity_id in node["entity_id"].entities():
        yield NumericTrigger(entity_id=entity_id, above=above, below=below, seconds=seconds)


def _time_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT_TRIGGERS, "at")
    if not node["at"].parts:
        raise node.unclear("it does not say at what time")
    return (TimeTrigger(second=part.clock()) for part in node["at"].parts)


def _sun_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT_TRIGGERS, "event", "offset")
    yield SunTrigger(event=_one_of(node["event"], node["event"].text(), _SUN_EVENT), offset=node["offset"].span())


_TRIGGERS: Final[Mapping[str, Callable[[Node], Iterable[Trigger]]]] = {
    "state": _state_triggers,
    "numeric_state": _numeric_triggers,
    "time": _time_triggers,
    "sun": _sun_triggers,
}


def _one_of(node: Node, word: str, known: Mapping[str, _T]) -> _T:
    if word not in known:
        raise node.unclear(f"'{plain(word)}' is not one of {' and '.join(known)}")
    return known[word]


def _lasting(node: Node) -> int:
    seconds = node["for"].span()
    if seconds < 0:
        raise node["for"].unclear("nothing lasts a negative time")
    return seconds


def _limits(node: Node) -> tuple[float | None, float | None]:
    above, below = node["above"].number(), node["below"].number()
    if above is None and below is None:
        raise node.unclear("it says neither above nor below what")
    return above, below


# conditions


def _all_of(node: Node) -> tuple[Condition, ...]:
    """Read conditions that must all hold."""
    return tuple(found for part in node.parts if _counts(part) for found in _conditions(part))


def _together(conditions: tuple[Condition, ...]) -> Condition:
    return conditions[0] if len(conditions) == 1 else And(of=conditions)


def _is_condition(node: Node) -> bool:
    return any(key in node for key in ("condition", *_COMBINED))


def _conditions(node: Node) -> tuple[Condition, ...]:
    """Read one condition, as those that must all hold for it."""
    for key, kind in _COMBINED.items():
        if key in node:
            node.known(*_ABOUT_CONDITIONS, key)
            return (kind(of=_each(node[key])),)
    kind_of = node["condition"].text()
    if kind_of in _COMBINED:
        node.known(*_ABOUT_CONDITIONS, "conditions")
        return (_COMBINED[kind_of](of=_each(node["conditions"])),)
    if kind_of not in _CONDITIONS:
        raise node.unclear(f"a condition of the kind '{plain(kind_of)}' is not analysed")
    return _CONDITIONS[kind_of](node)


def _each(node: Node) -> tuple[Condition, ...]:
    return tuple(_together(_conditions(part)) for part in node.parts if _counts(part))


def _state_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT_CONDITIONS, "entity_id", "state", "match")
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
    return SunCondition(up=_one_of(node, states[0], _CROSSED) == "sunrise")


def _numeric_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT_CONDITIONS, "entity_id", "above", "below")
    above, below = _limits(node)
    return tuple(_within(entity_id, above, below) for entity_id in node["entity_id"].entities())


#: Of how many persons at home it speaks, when it says above or below how many.
_PRESENCE: Final[Mapping[tuple[float | None, float | None], bool]] = {(0, None): True, (None, 1): False}


def _within(entity_id: str, above: float | None, below: float | None) -> Condition:
    presence = _PRESENCE.get((above, below)) if entity_id == ZONE else None
    if presence is not None:
        return PresenceCondition(somebody=presence)
    return NumericCondition(entity_id=entity_id, above=above, below=below)


def _time_condition(node: Node) -> tuple[Condition, ...]:
    node.known(*_ABOUT_CONDITIONS, "after", "before", "weekday")
    found: list[Condition] = []
    if "weekday" in node:
        days = {day: number for number, day in enumerate(WEEKDAYS)}
        names = node["weekday"].texts()
        found.append(WeekdayCondition(days=tuple(_one_of(node["weekday"], name, days) for name in names)))
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
    node.known(*_ABOUT_CONDITIONS, "after", "before", "after_offset", "before_offset")
    for key in ("after_offset", "before_offset"):
        if node[key].span():
            raise node[key].unclear("a while before or after the sun rises or sets is not analysed as a condition")
    after, before = (node[key].text() if key in node else "" for key in ("after", "before"))
    if (after, before) not in _SUN_TIMES:
        raise node.unclear("it does not say between which of sunrise and sunset")
    return _SUN_TIMES[after, before]


_COMBINED: Final[Mapping[str, type[And] | type[Or] | type[Not]]] = {"and": And, "or": Or, "not": Not}
_CONDITIONS: Final[Mapping[str, Callable[[Node], tuple[Condition, ...]]]] = {
    "state": _state_condition,
    "numeric_state": _numeric_condition,
    "time": _time_condition,
    "sun": _sun_condition,
}


# actions

_ABOUT_CALLS: Final = ("alias", "enabled", "continue_on_error", "metadata")
#: Services that tell somebody something.
_TELLING: Final = (NOTIFY, "notify.")


class _Set(msgspec.Struct, frozen=True):
    """A call that switches entities, with its place."""

    node: Node
    call: Call
    entities: tuple[str, ...]


def _calls(steps: Iterable[Node], home: Home | None) -> Iterable["_Set | Action"]:
    for step in steps:
        if isinstance(step.value, list):
            yield from _calls(step.parts, home)
        elif _counts(step):
            yield from _step(step, home)


def _step(node: Node, home: Home | None) -> Iterable["_Set | Action"]:
    for nest in ("sequence", "parallel"):
        if nest in node:
            node.known(nest, *_ABOUT_CALLS)
            return _calls(node[nest].parts, home)
    if "if" in node:
        return _unless_already(node, home)
    if "scene" in node and "action" not in node and "service" not in node:
        node.known("scene", *_ABOUT_CALLS)
        return (_Set(node, Call("scene.turn_on"), node["scene"].entities()),)
    if not any(key in node for key in ("action", "service")):
        other = next((str(key) for key in node.value if key not in _ABOUT_CALLS), "") if node.value else ""
        raise node.unclear(f"'{plain(other)}' is not analysed as an action")
    return (_called(node, home),)


def _called(node: Node, home: Home | None) -> "_Set | Action":
    node.known("action", "service", "target", "data", "data_template", "entity_id", *_ABOUT_CALLS)
    service = node.either("action", "service").text().strip().lower()
    given = node.either("data", "data_template")
    if service.startswith(_TELLING) and service != "notify.reload":
        return _told(given["message"])
    data = {key: _plain(given[key]) for key in given.value} if isinstance(given.value, dict) else {}
    if given.value is not None and not isinstance(given.value, dict):
        raise given.unclear("this is no mapping of names to values")
    data.pop("entity_id", None)
    domain, _, name = service.partition(".")
    if domain == "script" and name not in ("turn_on", "turn_off", "toggle", "reload"):
        return _Set(node, Call("script.turn_on"), (service,))
    return _Set(node, Call(service, data), _target(node, given, domain, home))


def _told(node: Node) -> NotifyAction:
    """Read what somebody is told; a template in it changes nothing in the home, and stays as it is written."""
    if not isinstance(node.value, str):
        raise node.unclear("there should be a text")
    message = plain_text(node.value)
    return NotifyAction(message=node.value if message is None else message)


def _plain(node: Node) -> Any:
    """Read a value of a service's data, in which no text is a template."""
    if isinstance(node.value, dict):
        return {str(key): _plain(Node(inner, f"{node.place}.{key}")) for key, inner in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(part) for part in node.parts]
    if isinstance(node.value, str):
        found = plain_text(node.value)
        return node.text() if found is None else found
    if node.value is None or isinstance(node.value, bool | int | float):
        return node.value
    raise node.unclear("this is nothing that JSON has")


def _target(node: Node, data: Node, domain: str, home: Home | None) -> tuple[str, ...]:
    target = node["target"]
    if target.value is None:
        return (data["entity_id"] if "entity_id" in data else node["entity_id"]).entities()
    target.known("entity_id", "area_id", "device_id")
    found = list(target["entity_id"].entities()) if "entity_id" in target else []
    for key in ("area_id", "device_id"):
        if key in target:
            found.extend(_of_group(target[key], key, domain, home))
    return Node(found, target.place).entities()


def _of_group(node: Node, key: str, domain: str, home: Home | None) -> list[str]:
    """Give the entities of a service's domain that are in areas, or belong to devices."""
    names = node.texts()
    members = [
        entity_id
        for entity_id, entity in sorted(home.entities.items() if home else ())
        if domain_of(entity_id) == domain and (entity.area if key == "area_id" else entity.device) in names
    ]
    if not members:
        raise node.unclear("which entities these are is not known here")
    return members


def _unless_already(node: Node, home: Home | None) -> Iterable["_Set | Action"]:
    """Read what is only done where it is not so already: what ours write for what would begin anew."""
    node.known("if", "then", *_ABOUT_CALLS)
    conditions, steps = _all_of(node["if"]), list(_calls(node["then"].parts, home))
    actions = _merged(steps)
    if len(actions) == 1 and isinstance(actions[0], SetAction) and conditions == (_not_already(actions[0]),):
        return steps
    raise node.unclear("'if' is not analysed, but where it asks only whether it is so already")


def _not_already(action: SetAction) -> Condition:
    so = tuple(StateCondition(entity_id=entity_id, states=(action.state,)) for entity_id in action.entities)
    return Not(of=(_together(so),))


def _merged(steps: Iterable["_Set | Action"]) -> tuple[Action, ...]:
    """Read calls as actions; one that only sets something of what was switched just before goes with that."""
    actions: list[Action] = []
    for step in steps:
        if not isinstance(step, _Set):
            actions.append(step)
        elif setting_of(step.call.service) is not None:
            actions.append(_refined(actions.pop() if actions else None, step))
        else:
            actions.append(_switched(step))
    return tuple(actions)


def _refined(action: Action | None, step: _Set) -> SetAction:
    field = setting_of(step.call.service)
    if not isinstance(action, SetAction) or action.entities != step.entities or set(step.call.data) != {field}:
        raise step.node.unclear(f"what '{plain(step.call.service)}' sets is no state")
    return msgspec.structs.replace(action, settings={**action.settings, **step.call.data})


def _switched(step: _Set) -> SetAction:
    found = state_after(step.call, step.entities)
    if found is None:
        raise step.node.unclear(f"to what state '{plain(step.call.service)}' leads is not known")
    state, settings = found
    domain = domain_of(step.call.service)
    if domain != "homeassistant" and any(domain_of(entity_id) != domain for entity_id in step.entities):
        raise step.node.unclear(f"'{plain(step.call.service)}' does nothing to entities of another kind")
    return SetAction(entities=step.entities, state=state, settings=settings)

"""What an automation does, read from its configuration."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from quotidian.homeassistant.configuration.conditions import all_of, together
from quotidian.homeassistant.configuration.literal import plain_text
from quotidian.homeassistant.configuration.node import Node, shown
from quotidian.homeassistant.configuration.triggers import DEVICE
from quotidian.homeassistant.configuration.written import NOTIFY
from quotidian.model import Home
from quotidian.model.automation import Action, Condition, Not, NotifyAction, SetAction, StateCondition
from quotidian.model.home import domain_of
from quotidian.model.plain import plain
from quotidian.model.service import Call, setting_of, state_after

_ABOUT: Final = ("alias", "enabled", "continue_on_error", "metadata")
#: Which service does what the editor offers for a device.
_DONE: Final = {
    "turn_on": "turn_on",
    "turn_off": "turn_off",
    "open": "open_cover",
    "close": "close_cover",
    "lock": "lock",
    "unlock": "unlock",
}
#: Services that tell somebody something.
_TELLING: Final = (NOTIFY, "notify.")


class _Set(msgspec.Struct, frozen=True):
    """A call that switches entities, with its place."""

    node: Node
    call: Call
    entities: tuple[str, ...]


def actions(steps: Iterable[Node], home: Home | None) -> tuple[Action, ...]:
    """Read steps, one after the other; areas and devices as the entities that the home has there."""
    return _merged(_calls(steps, home))


def _calls(steps: Iterable[Node], home: Home | None) -> Iterable[_Set | Action]:
    for step in steps:
        if isinstance(step.value, list):
            yield from _calls(step.parts, home)
        elif step.counts:
            yield from _step(step, home)


def _step(node: Node, home: Home | None) -> Iterable[_Set | Action]:
    for nest in ("sequence", "parallel"):
        if nest in node:
            node.known(nest, *_ABOUT)
            return _calls(node[nest].parts, home)
    if "if" in node:
        return _unless_already(node, home)
    if "scene" in node and "action" not in node and "service" not in node:
        node.known("scene", *_ABOUT)
        return (_Set(node, Call("scene.turn_on"), node["scene"].entities()),)
    if "device_id" in node and "type" in node:
        return (_of_device(node),)
    if not any(key in node for key in ("action", "service")):
        other = next((key for key in node.value if key not in _ABOUT), "nothing")
        raise node.unclear(f"'{shown(other)}' is not analysed as an action")
    return (_called(node, home),)


def _called(node: Node, home: Home | None) -> _Set | Action:
    node.known("action", "service", "target", "data", "data_template", "entity_id", *_ABOUT)
    service = node.either("action", "service").text().strip().lower()
    given = node.either("data", "data_template")
    if service.startswith(_TELLING) and service != "notify.reload":
        return _told(given["message"])
    data = _data(given)
    data.pop("entity_id", None)
    domain, _, name = service.partition(".")
    if domain == "script" and name not in ("turn_on", "turn_off", "toggle", "reload"):
        return _Set(node, Call("script.turn_on"), (service,))
    return _Set(node, Call(service, data), _target(node, given, domain, home))


def _of_device(node: Node) -> _Set:
    """Read how the editor writes that a device's entity is switched."""
    node.known(*DEVICE, *_ABOUT)
    service = node["type"].one_of(node["type"].text(), _DONE)
    return _Set(node, Call(f"{node['domain'].text()}.{service}"), node["entity_id"].entities())


def _told(node: Node) -> NotifyAction:
    """Read what somebody is told; a template in it changes nothing in the home, and stays as it is written."""
    if not isinstance(node.value, str):
        raise node.unclear("there should be a text")
    message = plain_text(node.value)
    return NotifyAction(message=node.value if message is None else message)


def _data(node: Node) -> dict[str, Any]:
    if node.value is None:
        return {}
    if not isinstance(node.value, dict) or not all(isinstance(key, str) for key in node.value):
        raise node.unclear("this is no mapping of names to values")
    return {key: _plain(node[key]) for key in node.value}


def _plain(node: Node) -> Any:
    """Read a value of a service's data, in which no text is a template."""
    if isinstance(node.value, dict):
        return _data(node)
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


def _unless_already(node: Node, home: Home | None) -> Iterable[_Set | Action]:
    """Read what is only done where it is not so already: what ours write for what would begin anew."""
    node.known("if", "then", *_ABOUT)
    conditions, steps = all_of(node["if"]), list(_calls(node["then"].parts, home))
    done = _merged(steps)
    if len(done) == 1 and isinstance(done[0], SetAction) and conditions == (_not_already(done[0]),):
        return steps
    raise node.unclear("'if' is not analysed, but where it asks only whether it is so already")


def _not_already(action: SetAction) -> Condition:
    so = tuple(StateCondition(entity_id=entity_id, states=(action.state,)) for entity_id in action.entities)
    return Not(of=(together(so),))


def _merged(steps: Iterable[_Set | Action]) -> tuple[Action, ...]:
    """Read calls as actions; one that only sets something of what was switched just before goes with that."""
    found: list[Action] = []
    for step in steps:
        if not isinstance(step, _Set):
            found.append(step)
        elif setting_of(step.call.service) is not None:
            found.append(_refined(found.pop() if found else None, step))
        else:
            found.append(_switched(step))
    return tuple(found)


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
        raise step.node.unclear(f"'{plain(step.call.service)}' is not analysed for entities of another kind")
    return SetAction(entities=step.entities, state=state, settings=settings)

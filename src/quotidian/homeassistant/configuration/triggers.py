"""What starts an automation, read from its configuration."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Final, Literal

from quotidian.homeassistant.configuration.node import Node
from quotidian.homeassistant.configuration.written import ABOVE, BELOW, RESTORED, SUN
from quotidian.model.automation import NumericTrigger, StateTrigger, SunTrigger, TimeTrigger, Trigger
from quotidian.model.plain import plain

SunEvent = Literal["sunrise", "sunset"]
_SUN_EVENT: Final[Mapping[str, SunEvent]] = {"sunrise": "sunrise", "sunset": "sunset"}
#: What brings the sun into its states.
CROSSED: Final[Mapping[str, SunEvent]] = {ABOVE: "sunrise", BELOW: "sunset"}
#: What names an entity of a device.
DEVICE: Final = ("device_id", "domain", "entity_id", "type")
_TURNED: Final = {"turned_on": "on", "turned_off": "off"}
#: What changes nothing about when it starts.
_ABOUT: Final = ("trigger", "platform", "id", "alias", "enabled", "variables")


def triggers(node: Node) -> tuple[Trigger, ...]:
    """Read triggers, also those in lists in a list."""
    found: list[Trigger] = []
    for part in node.parts:
        if isinstance(part.value, list):
            found.extend(triggers(part))
        elif part.counts:
            found.extend(triggers(part["triggers"]) if "triggers" in part else _triggers(part))
    return tuple(found)


def _triggers(node: Node) -> Iterable[Trigger]:
    kind = node.either("trigger", "platform").text()
    if kind not in _KINDS:
        raise node.unclear(f"what starts by '{plain(kind)}' is not analysed")
    return _KINDS[kind](node)


def _state_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT, "entity_id", "to", "from", "not_from", "for")
    states, origins = node["to"].texts(), node["from"].texts()
    if not states:
        raise node.unclear("it starts at every change, not when a certain state is entered")
    if not set(node["not_from"].texts()) <= set(RESTORED):
        raise node["not_from"].unclear("that it does not start from certain states is not analysed")
    seconds = _lasting(node)
    for entity_id, origin, state in product(node["entity_id"].entities(), origins or (None,), states):
        if entity_id == SUN:
            yield SunTrigger(event=node["to"].one_of(state, CROSSED), offset=seconds)
        else:
            yield StateTrigger(entity_id=entity_id, state=state, origin=origin, seconds=seconds)


def _numeric_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT, "entity_id", "above", "below", "for")
    above, below = node.limits()
    seconds = _lasting(node)
    for entity_id in node["entity_id"].entities():
        yield NumericTrigger(entity_id=entity_id, above=above, below=below, seconds=seconds)


def _time_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT, "at")
    if not node["at"].parts:
        raise node.unclear("it does not say at what time")
    return (TimeTrigger(second=part.clock()) for part in node["at"].parts)


def _sun_triggers(node: Node) -> Iterable[Trigger]:
    node.known(*_ABOUT, "event", "offset")
    yield SunTrigger(event=node["event"].one_of(node["event"].text(), _SUN_EVENT), offset=node["offset"].span())


def _device_triggers(node: Node) -> Iterable[Trigger]:
    """Read how the editor writes that a device's entity was switched."""
    node.known(*_ABOUT, *DEVICE, "for")
    state = node["type"].one_of(node["type"].text(), _TURNED)
    seconds = _lasting(node)
    return (StateTrigger(entity_id=name, state=state, seconds=seconds) for name in node["entity_id"].entities())


_KINDS: Final[Mapping[str, Callable[[Node], Iterable[Trigger]]]] = {
    "state": _state_triggers,
    "numeric_state": _numeric_triggers,
    "time": _time_triggers,
    "sun": _sun_triggers,
    "device": _device_triggers,
}


def _lasting(node: Node) -> int:
    seconds = node["for"].span()
    if seconds < 0:
        raise node["for"].unclear("nothing lasts a negative time")
    return seconds

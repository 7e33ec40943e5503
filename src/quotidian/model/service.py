"""By which of Home Assistant's services entities are put into a state, and into which state a service puts them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from quotidian.model.automation import SetAction
from quotidian.model.home import domain_of


class Call(msgspec.Struct, frozen=True):
    """A service, as ``light.turn_on``, and the data that go with it."""

    service: str
    data: Mapping[str, Any] = {}


_SWITCHED: Final = {"on": "turn_on", "off": "turn_off"}
#: Of each domain, the services that lead to its states.
_SERVICES: Final[Mapping[str, Mapping[str, str]]] = {
    "alarm_control_panel": {
        "armed_away": "alarm_arm_away",
        "armed_custom_bypass": "alarm_arm_custom_bypass",
        "armed_home": "alarm_arm_home",
        "armed_night": "alarm_arm_night",
        "armed_vacation": "alarm_arm_vacation",
        "disarmed": "alarm_disarm",
    },
    "automation": _SWITCHED,
    "camera": _SWITCHED,
    "cover": {"open": "open_cover", "closed": "close_cover"},
    "fan": _SWITCHED,
    "group": _SWITCHED,
    "humidifier": _SWITCHED,
    "input_boolean": _SWITCHED,
    "lawn_mower": {"mowing": "start_mowing", "docked": "dock", "paused": "pause"},
    "light": _SWITCHED,
    "lock": {"locked": "lock", "unlocked": "unlock", "open": "open"},
    "media_player": {**_SWITCHED, "playing": "media_play", "paused": "media_pause", "idle": "media_stop"},
    "remote": _SWITCHED,
    "scene": {"on": "turn_on"},
    "script": _SWITCHED,
    "siren": _SWITCHED,
    "switch": _SWITCHED,
    "vacuum": {"cleaning": "start", "docked": "return_to_base", "paused": "pause", "idle": "stop"},
    "valve": {"open": "open_valve", "closed": "close_valve"},
}
#: Of other domains, the one service for all states, and the field of its data that names the state.
_CHOSEN: Final = {
    "climate": ("set_hvac_mode", "hvac_mode"),
    "input_select": ("select_option", "option"),
    "select": ("select_option", "option"),
    "water_heater": ("set_operation_mode", "operation_mode"),
}
#: Settings that have a service of their own.
_SEPARATE: Final[Mapping[str, Mapping[str, str]]] = {
    "climate": {"fan_mode": "set_fan_mode", "preset_mode": "set_preset_mode", "swing_mode": "set_swing_mode"},
    "humidifier": {"humidity": "set_humidity", "mode": "set_mode"},
    "media_player": {"volume_level": "volume_set", "source": "select_source"},
}
#: Services that set how far open, or how strong: the field, the state that goes with it, and the state at zero.
_LEVELS: Final = {
    "cover.set_cover_position": ("position", "open", "closed"),
    "fan.set_percentage": ("percentage", "on", "off"),
    "valve.set_valve_position": ("position", "open", "closed"),
}
#: What begins anew when it is called for an entity that is in that state already.
_BEGINS_ANEW: Final = frozenset(
    {
        ("lawn_mower", "docked"),
        ("lawn_mower", "mowing"),
        ("script", "on"),
        ("siren", "on"),
        ("vacuum", "cleaning"),
        ("vacuum", "docked"),
    }
)
#: A service for entities of several domains.
_ANY_DOMAIN: Final = "homeassistant"

_LEADS_TO: Final = {
    f"{domain}.{service}": state for domain, services in _SERVICES.items() for state, service in services.items()
} | {"climate.turn_off": "off"}
_CHOOSES: Final = {f"{domain}.{service}": field for domain, (service, field) in _CHOSEN.items()} | {
    "climate.set_temperature": "hvac_mode"
}
_SETS: Final = {
    f"{domain}.{service}": field for domain, services in _SEPARATE.items() for field, service in services.items()
}


def calls(action: SetAction) -> tuple[Call, ...]:
    """Give the services that do what an action says, in order; none where there is no such service.

    Settings are named as in the service's data, such as ``brightness`` or ``position``.

    >>> calls(SetAction(entities=("cover.blind",), state="closed"))
    (Call(service='cover.close_cover', data={}),)
    >>> calls(SetAction(entities=("climate.attic",), state="heat", settings={"temperature": 21}))
    (Call(service='climate.set_temperature', data={'hvac_mode': 'heat', 'temperature': 21}),)
    >>> calls(SetAction(entities=("sensor.power",), state="40"))
    ()
    """
    domains = {domain_of(entity_id) for entity_id in action.entities}
    domain = domains.pop() if len(domains) == 1 else _ANY_DOMAIN
    separate = _SEPARATE.get(domain, {})
    main = _main(domain, action, {key: value for key, value in action.settings.items() if key not in separate})
    if main is None:
        return ()
    after = (
        Call(f"{domain}.{separate[key]}", {key: action.settings[key]}) for key in separate if key in action.settings
    )
    return (main, *after)


def _main(domain: str, action: SetAction, settings: Mapping[str, Any]) -> Call | None:
    """Give the call that leads to the state."""
    if domain in _CHOSEN:
        service, field = _CHOSEN[domain]
        service = "set_temperature" if domain == "climate" and settings else service
        return Call(f"{domain}.{service}", {field: action.state, **settings})
    if domain in ("cover", "valve") and settings:
        call = Call(f"{domain}.set_{domain}_position", settings)
        return call if state_after(call, ()) == (action.state, settings) else None
    if domain in (_ANY_DOMAIN, "group"):
        fits = bool(action.entities) and not settings and _switchable(action.entities, action.state)
        return Call(f"{_ANY_DOMAIN}.{_SWITCHED[action.state]}") if fits else None
    service = _SERVICES.get(domain, {}).get(action.state, "")
    return Call(f"{domain}.{service}", settings) if service else None


def state_after(call: Call, entities: Iterable[str]) -> tuple[str, Mapping[str, Any]] | None:
    """Give the state into which a call puts entities, and the settings that go with it, where it can be told.

    >>> state_after(Call("light.turn_on", {"brightness": 80}), ("light.desk",))
    ('on', {'brightness': 80})
    >>> state_after(Call("light.toggle"), ("light.desk",)) is None
    True
    """
    data = dict(call.data)
    if call.service in _LEVELS:
        field, some, none = _LEVELS[call.service]
        level = data.get(field)
        if not isinstance(level, int | float):
            return None
        return (some, data) if level > 0 else (none, {})
    if call.service in _CHOOSES:
        state = data.pop(_CHOOSES[call.service], None)
        return (state, data) if isinstance(state, str) else None
    domain, _, service = call.service.partition(".")
    if domain == _ANY_DOMAIN:
        states = [state for state, known in _SWITCHED.items() if known == service]
        return (states[0], data) if states and not data and _switchable(entities, states[0]) else None
    return (_LEADS_TO[call.service], data) if call.service in _LEADS_TO else None


def setting_of(service: str) -> str | None:
    """Give the only thing that a service sets beside a state, such as ``volume_level``; none where it does more."""
    return _SETS.get(service)


def begins_anew(entity_id: str, state: str) -> bool:
    """Tell whether putting an entity into a state in which it is already would begin something anew.

    >>> begins_anew("script.evening", "on"), begins_anew("light.desk", "on")
    (True, False)
    """
    return (domain_of(entity_id), state) in _BEGINS_ANEW


def _switchable(entities: Iterable[str], state: str) -> bool:
    """Tell whether all can be switched by the services that every domain shares."""
    return state in _SWITCHED and all(
        _SERVICES.get(domain_of(entity_id), {}).get(state) == _SWITCHED[state] for entity_id in entities
    )

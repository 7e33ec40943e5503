"""What kinds of things there are: what people operate, what sees them, and what coming to rest means.

No rule goes by what an entity is called, only by its domain, device class and state, as Home Assistant defines them.
"""

from typing import Final

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.model import Home
from quotidian.model.home import domain_of

#: Domains of things that people operate, and that an automation could operate for them.
ACTUATORS: Final = frozenset(
    {"climate", "cover", "fan", "humidifier", "input_boolean", "input_select", "lawn_mower", "light", "lock"}
    | {"media_player", "remote", "scene", "select", "siren", "switch", "vacuum", "valve", "water_heater"}
)

#: Sensors that see people walk by, and things that they open, by device class.
PASSING: Final = frozenset({"motion", "moving", "occupancy", "presence"})
OPENINGS: Final = frozenset({"door", "garage_door", "opening", "window"})

#: Sensors that see a machine run, by device class.
RUNNING: Final = frozenset({"heat", "power", "running"})

#: States that end what another state began.
ENDS: Final = frozenset({"docked", "idle", "off", "paused", "standby"})

#: What may stay on or open too long, by Home Assistant's own states.
ACTIVE_STATES: Final = frozenset({"on", "open", "unlocked", "playing"})

#: States in which a thing rests: how long it rests is nobody's habit.
RESTING: Final = ENDS | {"closed", "closing", "home", "locked", "opening"}

#: Things that a person who is there operates by hand, and those of them that a timer or a remote control may end.
_OPERATED: Final = frozenset(
    {"button", "climate", "cover", "event", "fan", "input_boolean", "input_button", "light", "lock", "media_player"}
    | {"scene", "switch"}
)
_TIMED: Final = frozenset({"climate", "fan", "input_boolean", "media_player", "switch"})


def tells(home: Home, entity_id: str) -> bool:
    """Tell whether an entity is one by which people show that they are there."""
    domain, kind = domain_of(entity_id), home.entity(entity_id).device_class
    return domain in _OPERATED or (domain == "binary_sensor" and (kind is None or kind in PASSING | OPENINGS))


def is_act(home: Home, token: str) -> bool:
    """Tell acts from what sensors only see: people walking by, and a sensor coming to rest.

    >>> is_act(Home("h", "UTC"), "light.desk=off"), is_act(Home("h", "UTC"), "binary_sensor.fridge=off")
    (True, False)
    """
    entity_id = entity_of(token)
    if domain_of(entity_id) != "binary_sensor":
        return True
    return home.entity(entity_id).device_class not in PASSING and state_of(token) not in RESTING


def is_sign(home: Home, token: str) -> bool:
    """Tell whether a token's occurring shows that somebody is there at that moment.

    >>> home = Home("h", "UTC")
    >>> is_sign(home, "light.desk=off"), is_sign(home, "fan.bathroom=off"), is_sign(home, "sensor.washer=done")
    (True, False, False)
    """
    entity_id = entity_of(token)
    passing = home.entity(entity_id).device_class in PASSING or domain_of(entity_id) in _TIMED
    return tells(home, entity_id) and not (passing and state_of(token) in ENDS)

"""What tells that somebody is there: motion, doors, and things that people operate."""

from typing import Final

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.dayview import RESTING
from quotidian.model import Home
from quotidian.model.home import domain_of

#: Sensors that notice people, by device class.
_WATCHING: Final = frozenset({"door", "garage_door", "motion", "moving", "occupancy", "opening", "presence", "window"})

#: Things that people operate, by domain.
_OPERATED: Final = frozenset(
    {"button", "climate", "cover", "event", "fan", "input_boolean", "input_button", "light", "lock", "media_player"}
    | {"scene", "switch"}
)

#: Sensors whose going off only says that time has passed, and things that a timer or a remote control may end.
PASSING: Final = frozenset({"motion", "moving", "occupancy", "presence"})
_TIMED: Final = frozenset({"climate", "fan", "input_boolean", "media_player", "switch"})
_ENDS: Final = frozenset({"idle", "off", "paused", "standby"})


def tells(home: Home, entity_id: str) -> bool:
    """Tell whether an entity is one by which people show that they are there."""
    domain, kind = domain_of(entity_id), home.entity(entity_id).device_class
    return domain in _OPERATED or (domain == "binary_sensor" and (kind is None or kind in _WATCHING))


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
    return tells(home, entity_id) and not (passing and state_of(token) in _ENDS)

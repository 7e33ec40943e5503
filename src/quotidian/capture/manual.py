"""Events that somebody posts by hand, to see them go all the way."""

import datetime as dt
import re
import uuid
from typing import Any, Final

import msgspec

from quotidian import clock
from quotidian.capture.states import change_of
from quotidian.errors import RequestError
from quotidian.homeassistant.moments import iso
from quotidian.model.day import DAY_SECONDS, SECOND, instant

_ENTITY: Final = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_STATE: Final = 255  #: characters, as in Home Assistant
_LATEST: Final = DAY_SECONDS * SECOND  #: how far ahead an event may be
_EXAMPLE: Final = (
    'Send a whole event of Home Assistant, or {"event_type": "state_changed", "entity_id": "light.desk", '
    '"state": "on", "timestamp": "2026-01-31T12:00:00Z"}.'
)


class Posted(msgspec.Struct, frozen=True):
    """What was taken in: the event's entity and time (µs), which make its id, and Home Assistant's own form of it."""

    entity_id: str
    updated: int
    event: dict[str, Any]


def posted(told: Any) -> Posted:
    """Read an event, whole or flat.

    Raises
    ------
    RequestError
        When it is neither, with what is wrong about it.
    """
    if not isinstance(told, dict):
        raise RequestError("The body is not an event.", _EXAMPLE)
    event_type = told.get("event_type", "state_changed")
    if event_type != "state_changed":
        raise RequestError("Only events of the type state_changed are kept.", _EXAMPLE)
    return _whole(told) if "data" in told else _flat(told)


def _flat(told: dict[str, Any]) -> Posted:
    entity_id, state = _entity(told.get("entity_id")), _state(told.get("state"))
    updated = _time(told["timestamp"]) if told.get("timestamp") is not None else clock.now()
    attributes = told.get("attributes", {})
    if not isinstance(attributes, dict):
        raise RequestError("The attributes are not an object.", _EXAMPLE)
    at = iso(updated)
    context = {"id": uuid.uuid4().hex, "parent_id": None, "user_id": None}
    new = {
        "entity_id": entity_id,
        "state": state,
        "attributes": attributes,
        "last_changed": at,
        "last_updated": at,
        "context": context,
    }
    return Posted(entity_id, updated, change_of(new))


def _whole(told: dict[str, Any]) -> Posted:
    data = told["data"]
    if not isinstance(data, dict):
        raise RequestError("The event's data is not an object.", _EXAMPLE)
    entity_id, new = _entity(data.get("entity_id")), data.get("new_state")
    if new is None:
        return Posted(entity_id, _time(told.get("time_fired")), told)
    if not isinstance(new, dict):
        raise RequestError("The event's new_state is not an object.", _EXAMPLE)
    _state(new.get("state"))
    return Posted(entity_id, _time(new.get("last_updated") or told.get("time_fired")), told)


def _entity(told: object) -> str:
    if not isinstance(told, str) or not _ENTITY.fullmatch(told):
        raise RequestError("The event names no entity such as light.desk.", _EXAMPLE)
    return told


def _state(told: object) -> str:
    if not isinstance(told, str) or len(told) > _STATE:
        raise RequestError(f"The state is not text of at most {_STATE} characters.", _EXAMPLE)
    return told


def _time(told: object) -> int:
    """Read a time: ISO 8601 with its zone, or seconds since 1970."""
    try:
        if isinstance(told, str):
            moment = dt.datetime.fromisoformat(told)
            time = instant(moment) if moment.tzinfo is not None else None
        else:
            time = round(told * SECOND) if isinstance(told, int | float) and not isinstance(told, bool) else None
    except (ValueError, OverflowError):
        time = None
    if time is None or not 0 <= time <= clock.now() + _LATEST:
        raise RequestError("The event's time is none, has no zone, or is in the future.", _EXAMPLE)
    return time

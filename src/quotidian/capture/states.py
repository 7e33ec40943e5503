"""Home Assistant's states, and the changes that a history tells, as the events that it would have sent."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from quotidian.homeassistant.cause import Causes, Trace
from quotidian.homeassistant.history import Change
from quotidian.homeassistant.moments import iso
from quotidian.model import Cause
from quotidian.model.day import instant


class FilledEvent(msgspec.Struct, frozen=True):
    """What a filled record holds."""

    cause: Cause
    event: dict[str, Any]


def updated(state: Mapping[str, Any]) -> int:
    """Give when a state was last updated (µs); 0 where it does not say so."""
    try:
        return instant(dt.datetime.fromisoformat(state["last_updated"]))
    except (KeyError, TypeError, ValueError):
        return 0


def cause_of(state: Mapping[str, Any], machines: frozenset[str]) -> Cause:
    """Tell who made a state, as far as its own context says so."""
    context = state.get("context")
    if not isinstance(context, Mapping):
        return Cause()
    trace = Trace(str(context.get("id")), _text(context.get("parent_id")), _text(context.get("user_id")))
    return Causes(machines).cause(str(state.get("entity_id")), None, trace, 0)


def event_of(change: Change) -> dict[str, Any]:
    """Make the event that told of a recorded change. Of its context only the cause is known."""
    updated_at = iso(change.last_updated)
    state = None
    if change.state is not None:
        state = {
            "entity_id": change.entity_id,
            "state": change.state,
            "attributes": change.attributes,
            "last_changed": iso(change.last_changed),
            "last_updated": updated_at,
            "context": None,
        }
    return _event(change.entity_id, state, change.old_state, updated_at, None)


def change_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Make the event that told of a state."""
    return _event(state.get("entity_id"), state, None, state.get("last_updated"), state.get("context"))


def _event(
    entity_id: object, new: Mapping[str, Any] | None, old: str | None, fired: object, context: object
) -> dict[str, Any]:
    before = None if old is None else {"entity_id": entity_id, "state": old}
    return {
        "event_type": "state_changed",
        "data": {"entity_id": entity_id, "old_state": before, "new_state": new},
        "origin": "LOCAL",
        "time_fired": fired,
        "context": context,
    }


def _text(told: object) -> str | None:
    return told if isinstance(told, str) and told else None

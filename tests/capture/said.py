"""Events as Home Assistant says them."""

import datetime as dt
import itertools
from typing import Any

import msgspec

from quotidian.model.day import moment
from quotidian.spool import Kind, Record

START = round(dt.datetime(2026, 3, 2, 7, 0, tzinfo=dt.UTC).timestamp()) * 1_000_000
_numbers = itertools.count()


def context(key: str | None = None, parent: str | None = None, user: str | None = None) -> dict[str, Any]:
    """Give a context; without a key, one of its own."""
    return {"id": key or f"context{next(_numbers)}", "parent_id": parent, "user_id": user}


def state(entity_id: str, word: str, at: int, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give a state."""
    written = moment(at).isoformat()
    return {
        "entity_id": entity_id,
        "state": word,
        "attributes": {},
        "last_changed": written,
        "last_updated": written,
        "context": told or context(),
    }


def changed(
    entity_id: str, word: str | None, old: str | None = "off", at: int = START, told: dict[str, Any] | None = None
) -> bytes:
    """Say that a state changed."""
    told = told or context()
    new = None if word is None else state(entity_id, word, at, told)
    before = None if old is None else state(entity_id, old, at - 1, told)
    data = {"entity_id": entity_id, "old_state": before, "new_state": new}
    return event("state_changed", data, at, told)


def event(event_type: str, data: dict[str, Any], at: int = START, told: dict[str, Any] | None = None) -> bytes:
    """Say that something happened."""
    return msgspec.json.encode(
        {
            "event_type": event_type,
            "data": data,
            "origin": "LOCAL",
            "time_fired": moment(at).isoformat(),
            "context": told or context(),
        }
    )


def record(payload: bytes, kind: Kind = Kind.LIVE, seq: int = 1, arrived: int = START) -> Record:
    """Make a record of it."""
    return Record(seq, arrived, kind, payload)

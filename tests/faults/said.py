"""What a scripted Home Assistant says and records: states, events as JSON, history and logbook."""

import datetime as dt
import itertools
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

USER = "ab" * 16  #: the only person
_AUTOMATION = "automation_triggered"


class Change(NamedTuple):
    """One change of state, as it would be recorded; ``state`` is null for a removal, times are µs."""

    entity_id: str
    state: str | None
    changed: int
    updated: int
    user: str | None
    automation: str | None
    attributes: dict[str, Any]


class Said:
    """The home's states, and every change that was ever said or recorded.

    Parameters
    ----------
    unrecorded
        Entities that the recorder leaves out.
    """

    def __init__(self, unrecorded: frozenset[str] = frozenset()) -> None:
        self.changes: list[Change] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.ahead = 0  #: how far (µs) this home's clock is ahead
        self._unrecorded = unrecorded
        self._contexts = itertools.count(1)
        self._last = 0

    def now(self) -> int:
        """Give the instant by this home's clock: each is told once, so that no two changes share one."""
        self._last = max(time.time_ns() // 1000 + self.ahead, self._last + 1 if self.ahead >= 0 else 0)
        return self._last

    def jump(self, seconds: float) -> None:
        """Set the clock of the home forward or back."""
        self.ahead += int(seconds * 1e6)
        self._last = 0

    def change(
        self,
        entity_id: str,
        state: str | None,
        *,
        attributes: dict[str, Any] | None = None,
        user: str | None = None,
        automation: str | None = None,
    ) -> list[bytes]:
        """Change a state; give the events that are fired, in their order."""
        at, old = self.now(), self.states.get(entity_id)
        context = {"id": f"01{next(self._contexts):024d}", "parent_id": None, "user_id": user}
        told = {} if attributes is None else attributes
        same = old is not None and old["state"] == state
        changed = instant(old["last_changed"]) if same and old is not None else at
        new = None if state is None else _state((entity_id, state, told), changed, at, context)
        fired = []
        if automation is not None:
            data = {"name": automation, "entity_id": automation, "source": "state of sensor.trigger"}
            fired.append(event(_AUTOMATION, data, at - 1, context))
        fired.append(event("state_changed", {"entity_id": entity_id, "old_state": old, "new_state": new}, at, context))
        if new is None:
            self.states.pop(entity_id, None)
        else:
            self.states[entity_id] = new
        self.changes.append(Change(entity_id, state, changed, at, user, automation, told))
        return fired

    def history(self, asked: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Answer ``history/history_during_period``."""
        start, end = _span(asked)
        found: dict[str, list[dict[str, Any]]] = {}
        wanted = frozenset(asked["entity_ids"])
        for row in self._recorded(end, wanted):
            rows = found.setdefault(row.entity_id, [])
            if row.updated > start:
                rows.append(_row(row, row.updated))
            elif asked.get("include_start_time_state", True):
                rows[:] = [_row(row, start)]
        return {entity_id: rows for entity_id, rows in found.items() if rows}

    def logbook(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer ``logbook/get_events``: continuous sensors are left out."""
        start, end = _span(asked)
        wanted = frozenset(asked["entity_ids"]) if "entity_ids" in asked else None
        found: list[dict[str, Any]] = []
        for row in self._recorded(end, wanted):
            if row.updated > start and "unit_of_measurement" not in row.attributes:
                found.extend(_entries(row, whole=wanted is None or row.automation in wanted))
        return found

    def _recorded(self, end: int, wanted: frozenset[str] | None) -> Iterator[Change]:
        for row in self.changes:
            kept = row.entity_id not in self._unrecorded and row.state is not None
            if kept and row.updated < end and (wanted is None or row.entity_id in wanted):
                yield row


def _entries(row: Change, *, whole: bool) -> Iterator[dict[str, Any]]:
    entry = {"state": row.state, "entity_id": row.entity_id, "when": row.updated / 1e6}
    if row.automation is not None:
        name = row.automation
        trigger = {"message": "triggered by state of sensor.trigger", "source": "state of sensor.trigger"}
        if whole:
            told = {"entity_id": name, "context_id": "01" + "0" * 24, "domain": "automation"}
            yield {"name": name, **trigger, **told, "when": (row.updated - 1) / 1e6}
        entry |= {
            "context_event_type": _AUTOMATION,
            "context_domain": "automation",
            "context_entity_id": name,
            "context_name": name,
            "context_message": trigger["message"],
            "context_source": trigger["source"],
        }
    elif row.user is not None:
        entry |= {
            "context_user_id": row.user,
            "context_event_type": "call_service",
            "context_domain": row.entity_id.partition(".")[0],
            "context_service": "turn_on",
        }
    yield entry


def _row(row: Change, updated: int) -> dict[str, Any]:
    told: dict[str, Any] = {"s": row.state, "a": row.attributes, "lu": updated / 1e6}
    return told if row.changed == row.updated or updated != row.updated else told | {"lc": row.changed / 1e6}


def _span(asked: dict[str, Any]) -> tuple[int, int]:
    end = asked.get("end_time")
    return instant(asked["start_time"]), instant(end) if end else 2**62


def _state(
    what: tuple[str, str, dict[str, Any]], changed: int, updated: int, context: dict[str, Any]
) -> dict[str, Any]:
    entity_id, state, attributes = what
    return {
        "entity_id": entity_id,
        "state": state,
        "attributes": attributes,
        "last_changed": spelled(changed),
        "last_reported": spelled(updated),
        "last_updated": spelled(updated),
        "context": context,
    }


def event(event_type: str, data: dict[str, Any], fired: int, context: dict[str, Any]) -> bytes:
    """Write an event as Home Assistant does."""
    return msgspec.json.encode(
        {"event_type": event_type, "data": data, "origin": "LOCAL", "time_fired": spelled(fired), "context": context}
    )


def spelled(instant: int) -> str:
    """Write an instant (µs) as Home Assistant does."""
    whole = dt.datetime.fromtimestamp(instant // 1_000_000, dt.UTC)
    return whole.replace(microsecond=instant % 1_000_000).isoformat()


def instant(text: str) -> int:
    """Read an instant (µs) as it was written."""
    since = dt.datetime.fromisoformat(text) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return since // dt.timedelta(microseconds=1)

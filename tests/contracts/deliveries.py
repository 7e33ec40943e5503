"""Deliveries for the contracts, in few words."""

from typing import Any

from quotidian.model import Arrival, Cause, CauseKind, DeadLetter, Enriched, Event, Source
from quotidian.model.event import event_id

MANUAL = Cause(CauseKind.MANUAL)


def event(entity_id: str, updated: int, state: str | None = "on", **more: Any) -> Event:
    """Make an event; what is not said is plain."""
    plain: dict[str, Any] = {"home": "h", "last_changed": updated, "cause": Cause(CauseKind.PHYSICAL)}
    name = event_id("h", entity_id, updated)
    return Event(event_id=name, entity_id=entity_id, last_updated=updated, new_state=state, **plain | more)


def arrival(seq: int, entity_id: str, updated: int, state: str | None = "on", **more: Any) -> Arrival:
    """Make an event that arrived 10 ms after it happened."""
    return Arrival(seq=seq, arrived=updated + 10_000, event=event(entity_id, updated, state, **more))


def filled(seq: int, entity_id: str, updated: int, state: str | None = "on", **more: Any) -> Arrival:
    """Make an event that Home Assistant's history told an hour later."""
    found = event(entity_id, updated, state, source=Source.HISTORY, **more)
    return Arrival(seq=seq, arrived=updated + 3_600_000_000, event=found)


def letter(seq: int, arrived: int, text: str = "{", reason: str = "That is no JSON.") -> DeadLetter:
    """Make a dead letter."""
    return DeadLetter(seq=seq, arrived=arrived, reason=reason, text=text)


def delivery(first: int, last: int, *events: Arrival, stream: str = "stream", **more: Any) -> Enriched:
    """Make a delivery of the numbers from first to last."""
    return Enriched(stream=stream, first=first, last=last, events=list(events), **more)

"""Messages as Home Assistant tells them, for the tests of enrich."""

from typing import Any

import msgspec

from quotidian.model import Area, CauseKind, Entity, Home, Snapshot, Source
from quotidian.model.delivery import Delivery, Heard, Message
from quotidian.model.event import Cause

NOW = 1_772_500_000_000_000  #: when everything arrives: 2026-03-03, 01:06 UTC
ATTRIBUTES = ("brightness", "temperature", "unit_of_measurement")

OLD = Home(
    "",
    "Europe/Amsterdam",
    areas={"den": Area("den", "Den", "Attic"), "hall": Area("hall", "Hall")},
    entities={"light.desk": Entity("light.desk", "Desk", "den", "device-1", labels=("work",))},
)
NEW = Home(
    "",
    "Europe/Amsterdam",
    areas=OLD.areas,
    entities={
        "light.desk": Entity("light.desk", "Desk", "hall", "device-1"),
        "sensor.oven": Entity("sensor.oven", "Oven", "hall", "device-2", "temperature", "°C"),
    },
)
MOVED = 1_772_450_000_000_000  #: when the desk's lamp moved from the den to the hall
SNAPSHOTS = (Snapshot(MOVED - 10**10, OLD), Snapshot(MOVED, NEW))


def state(entity_id: str, word: Any, at: Any = "2026-03-02T07:00:00.123456+00:00", **fields: Any) -> dict[str, Any]:
    """Give a state as Home Assistant writes it."""
    return {
        "entity_id": entity_id,
        "state": word,
        "attributes": {},
        "last_changed": at,
        "last_reported": at,
        "last_updated": at,
        "context": {"id": "01CONTEXT", "parent_id": None, "user_id": "anna"},
        **fields,
    }


def changed(
    entity_id: Any = "light.desk", new: Any = "on", old: Any = "off", fired: Any = "2026-03-02T07:00:00.200000+00:00"
) -> dict[str, Any]:
    """Give an event; ``new`` and ``old`` are states, or the words of such."""
    states = [state(entity_id, one) if isinstance(one, str) else one for one in (new, old)]
    return {
        "event_type": "state_changed",
        "data": {"entity_id": entity_id, "old_state": states[1], "new_state": states[0]},
        "origin": "LOCAL",
        "time_fired": fired,
        "context": {"id": "01CONTEXT", "parent_id": None, "user_id": "anna"},
    }


def heard(seq: int, event: Any, *, text: str | None = None, arrived: int = NOW) -> Heard:
    """Give an event as capture tells of it; bytes are taken as they are."""
    raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return Heard(
        seq=seq, arrived=arrived, source=Source.LIVE, cause=Cause(CauseKind.PHYSICAL), event=msgspec.Raw(raw), text=text
    )


def delivery(*messages: Message, stream: str = "stream", first: int | None = None) -> Delivery:
    """Give a delivery of messages whose numbers are contiguous."""
    return Delivery(
        stream=stream,
        first=messages[0].seq if first is None else first,
        last=messages[-1].seq,
        messages=list(messages),
    )

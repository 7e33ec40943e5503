"""Deliveries of capture's, decoded, enriched, and encoded for the store."""

from collections.abc import Iterator
from typing import Final

import msgspec

from benchmarks.fresh import Laps
from quotidian import clock
from quotidian.enrich.app import read_body
from quotidian.enrich.enrichment import Enrichment
from quotidian.enrich.snapshots import Snapshots
from quotidian.model import Area, Cause, CauseKind, Delivery, Entity, Heard, Home, Snapshot, Source
from quotidian.model.day import moment
from quotidian.settings import Settings

#: Deliveries of so many events, and how many of them.
STAGES: Final = {"one": (1, 5_000), "twenty": (20, 1_000), "many": (500, 100)}
_THINGS: Final = 300


def run(laps: Laps) -> None:
    """Do what enrich does between its two sockets."""
    known = Snapshots([Snapshot(0, _home())])
    enrichment = Enrichment("home", Settings({}).words("QUOTIDIAN_ATTRIBUTES"), known)
    first = 1
    for stage, (size, count) in STAGES.items():
        bodies = list(_bodies(first, size, count))
        laps.lap(f"{stage} made")
        for body in bodies:
            delivery = read_body(body, "/api/v1/events")
            assert isinstance(delivery, Delivery)
            enriched = enrichment.enriched(delivery)
            assert len(enriched.events) == size
            msgspec.json.encode(enriched)
        laps.lap(stage)
        first += size * count


def _home() -> Home:
    areas = {f"area_{number}": Area(f"area_{number}", f"Area {number}", "Ground") for number in range(12)}
    entities = {
        name: Entity(name, "Thing", f"area_{number % 12}", f"device-{number}", "power", "W", ("a", "b"))
        for number, name in enumerate(map(_name, range(_THINGS)))
    }
    return Home("home", "Europe/Amsterdam", areas=areas, entities=entities)


def _name(number: int) -> str:
    return f"sensor.thing_{number % _THINGS}_power"


def _bodies(first: int, size: int, count: int) -> Iterator[bytes]:
    now = clock.now()
    for at in range(first, first + size * count, size):
        heard: list[Heard] = [_heard(seq, now - 1_000_000 * 3_600 + seq * 137) for seq in range(at, at + size)]
        yield msgspec.json.encode(Delivery(stream="a stream", first=at, last=at + size - 1, messages=[*heard]))


def _heard(seq: int, time: int) -> Heard:
    told = moment(time).isoformat(timespec="microseconds")
    context = {"id": f"01J{seq:023d}", "parent_id": None, "user_id": None}
    states = [
        {
            "entity_id": _name(seq),
            "state": f"{(seq + step) % 977 / 10:.1f}",
            "attributes": {
                "state_class": "measurement",
                "unit_of_measurement": "W",
                "device_class": "power",
                "friendly_name": f"Thing {seq % _THINGS} Power",
            },
            "last_changed": told,
            "last_reported": told,
            "last_updated": told,
            "context": context,
        }
        for step in (0, 1)
    ]
    event = {
        "event_type": "state_changed",
        "data": {"entity_id": _name(seq), "old_state": states[0], "new_state": states[1]},
        "origin": "LOCAL",
        "time_fired": told,
        "context": context,
    }
    raw = msgspec.Raw(msgspec.json.encode(event))
    return Heard(seq=seq, arrived=time + 2_000, source=Source.LIVE, cause=Cause(CauseKind.PHYSICAL), event=raw)

"""One change of state of one entity, and who caused it."""

import math
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec
import pyarrow as pa


class CauseKind(StrEnum):
    """Who changed a state."""

    UNKNOWN = "unknown"  #: the source does not say (a CSV download has no contexts)
    PHYSICAL = "physical"  #: the device itself: a wall switch, a sensor
    PERSON = "person"  #: a user of Home Assistant
    BRIDGE = "bridge"  #: a person by HomeKit, Alexa or Google
    REMOTE = "remote"  #: a person by a button, remote or tag that an automation listens to
    SCRIPT = "script"  #: a script that no person started
    AUTOMATION = "automation"
    INTEGRATION = "integration"  #: a service call that nobody above made
    RESTORED = "restored"  #: nobody: the entity came back after it was unavailable or unknown
    MANUAL = "manual"  #: an event posted by hand to try the pipeline


#: What people (or what we cannot tell from people) did: the only causes that habits are learned from.
LEARNABLE: Final = frozenset(
    {CauseKind.UNKNOWN, CauseKind.PHYSICAL, CauseKind.PERSON, CauseKind.BRIDGE, CauseKind.REMOTE}
)


class Source(StrEnum):
    """Where a copy of an event was read."""

    LIVE = "live"
    JSONL = "jsonl"
    RECORDER = "recorder"
    HISTORY = "history"
    CSV = "csv"
    SIMULATED = "simulated"


#: Of two copies of one event, each field comes from the copy with the higher rank that has it.
RANK: Final = {
    Source.LIVE: 5,
    Source.JSONL: 4,
    Source.RECORDER: 3,
    Source.HISTORY: 2,
    Source.SIMULATED: 1,
    Source.CSV: 0,
}


class Context(msgspec.Struct, frozen=True):
    """Home Assistant's context of a change: three ids, as hexadecimal or ULID text."""

    id: str
    parent_id: str | None = None
    user_id: str | None = None


class Cause(msgspec.Struct, frozen=True):
    """Who changed a state, as far as it could be told.

    ``entity`` is the automation or script, ``user`` the id of the user in Home Assistant.
    """

    kind: CauseKind = CauseKind.UNKNOWN
    entity: str | None = None
    user: str | None = None

    @property
    def learnable(self) -> bool:
        """Whether habits of people may be learned from it."""
        return self.kind in LEARNABLE


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of state.

    All times are µs since 1970-01-01 UTC. ``new_state`` is ``None`` when the entity was removed,
    ``old_state`` when it is not known or there was none. What follows ``source`` comes from enrichment: what the
    registries said of the entity at that time (``area`` and ``device`` are ids, ``floor`` is a name), and the state
    as a number (1 and 0 for the two states of a binary one), ``None`` where it is none.
    """

    event_id: str
    home: str
    entity_id: str
    old_state: str | None = None
    new_state: str | None
    attributes: dict[str, Any] = {}
    last_changed: int
    last_updated: int
    context: Context | None = None
    cause: Cause = Cause()
    source: Source = Source.LIVE
    area: str | None = None
    floor: str | None = None
    device: str | None = None
    device_class: str | None = None
    labels: tuple[str, ...] = ()
    unit: str | None = None
    value: float | None = None

    @property
    def restored(self) -> bool:
        """Whether nobody acted: the entity came back after it was unavailable or unknown."""
        return self.cause.kind is CauseKind.RESTORED


class Registered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the registries said of an entity when it changed: the column ``registry``, as a JSON object."""

    area: str | None = None
    floor: str | None = None
    device: str | None = None
    device_class: str | None = None
    labels: tuple[str, ...] = ()
    unit: str | None = None


#: The two states of binary things as numbers, as Home Assistant itself counts them (a lock's 1 is locked).
BINARY_VALUES: Final = {
    "on": 1.0,
    "off": 0.0,
    "open": 1.0,
    "closed": 0.0,
    "home": 1.0,
    "not_home": 0.0,
    "locked": 1.0,
    "unlocked": 0.0,
    "detected": 1.0,
    "not_detected": 0.0,
    "clear": 0.0,
    "above_horizon": 1.0,
    "below_horizon": 0.0,
}


def value_of(state: str | None) -> float | None:
    """Give a state as a number, ``None`` where it is none; never an infinity or NaN.

    >>> value_of("21.5"), value_of("on"), value_of("unlocked"), value_of("nan"), value_of("heat")
    (21.5, 1.0, 0.0, None, None)
    """
    if state is None:
        return None
    known = BINARY_VALUES.get(state)
    if known is not None:
        return known
    try:
        value = float(state)
    except ValueError:
        return None
    # Python also reads 1_000 and digits of other scripts, which no device means as a number.
    return value if math.isfinite(value) and "_" not in state and state.isascii() else None


def event_id(home: str, entity_id: str, last_updated: int) -> str:
    """Name an event: 128 bits as 32 hexadecimal digits.

    Two copies of one change (live, and read later from the recorder) have the same id.
    ``last_updated`` is in µs; for a removal it is the time at which the removal was fired.
    """
    words = f"{home}\0{entity_id}\0{last_updated}".encode()
    return blake2b(words, digest_size=16).hexdigest()


_text = pa.dictionary(pa.int32(), pa.string())

#: Events in columns: how they travel in bulk, lie in a sealed day and reach the detectors.
#: ``last_changed`` is null when it equals ``last_updated``; ``state`` is null for a removal;
#: ``attributes`` is a JSON object as text, or null; ``registry`` is a ``Registered`` as JSON text, null where
#: nothing is known. Not here: ``event_id`` and ``value`` (computed), ``old_state`` (the row before), contexts (settled
#: into the cause).
EVENT_SCHEMA: Final = pa.schema(
    [
        pa.field("entity_id", _text, nullable=False),
        pa.field("last_updated", pa.int64(), nullable=False),
        pa.field("last_changed", pa.int64()),
        pa.field("state", _text),
        pa.field("cause", _text, nullable=False),
        pa.field("cause_entity", _text),
        pa.field("user", _text),
        pa.field("source", _text, nullable=False),
        pa.field("attributes", _text),
        pa.field("registry", _text),
    ]
)

#: Events that were looked up: each with its entity's state before, null where there was none or it is not known.
FOUND_SCHEMA: Final = EVENT_SCHEMA.append(pa.field("old_state", _text))


def table_of(columns: dict[str, Any]) -> pa.Table:
    """Make a table of ``EVENT_SCHEMA`` from Python lists, numpy arrays or Arrow arrays by column name.

    A column that is missing (not one that may not be null) is filled with nulls.
    """
    rows = len(columns["entity_id"])
    arrays = []
    for field in EVENT_SCHEMA:
        column = columns.get(field.name)
        if column is None:
            arrays.append(pa.nulls(rows, field.type))
        elif isinstance(column, pa.Array | pa.ChunkedArray):
            arrays.append(column if column.type == field.type else column.cast(field.type))
        else:
            arrays.append(_array(column, field.type))
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


def _array(column: Any, kind: pa.DataType) -> "pa.Array[Any]":
    if pa.types.is_dictionary(kind):
        return pa.array(column, pa.string()).dictionary_encode()
    return pa.array(column, kind)


def table_from(events: Iterable[Event]) -> pa.Table:
    """Make a table of ``EVENT_SCHEMA`` from events; what that has no column for is left out."""
    rows = [
        (
            event.entity_id,
            event.last_updated,
            None if event.last_changed == event.last_updated else event.last_changed,
            event.new_state,
            event.cause.kind.value,
            event.cause.entity,
            event.cause.user,
            event.source.value,
            msgspec.json.encode(event.attributes, order="sorted").decode() if event.attributes else None,
            registry_text(event),
        )
        for event in events
    ]
    columns = zip(*rows, strict=True) if rows else ([] for _ in EVENT_SCHEMA)
    return table_of(dict(zip(EVENT_SCHEMA.names, map(list, columns), strict=True)))


_NOTHING: Final = Registered()


def registry_text(event: Event) -> str | None:
    """Give what the registries said of an event's entity, as the column ``registry`` has it."""
    return _said(event.area, event.floor, event.device, event.device_class, event.labels, event.unit)


@lru_cache(maxsize=4096)
def _said(*words: Any) -> str | None:
    said = Registered(*words)
    return None if said == _NOTHING else msgspec.json.encode(said).decode()


def events_of(table: pa.Table, home: str) -> Iterator[Event]:
    """Read a table of ``EVENT_SCHEMA`` or ``FOUND_SCHEMA`` row by row.

    Without a column that tells it, an entity's old state is that of its row before in the table.
    """
    before: dict[str, str | None] = {}
    for row in table.to_pylist():
        entity_id, updated = row["entity_id"], row["last_updated"]
        said = msgspec.json.decode(row["registry"], type=Registered) if row["registry"] else _NOTHING
        yield Event(
            event_id=event_id(home, entity_id, updated),
            home=home,
            entity_id=entity_id,
            old_state=row["old_state"] if "old_state" in row else before.get(entity_id),
            new_state=row["state"],
            attributes=msgspec.json.decode(row["attributes"]) if row["attributes"] else {},
            last_changed=updated if row["last_changed"] is None else row["last_changed"],
            last_updated=updated,
            cause=Cause(CauseKind(row["cause"]), row["cause_entity"], row["user"]),
            source=Source(row["source"]),
            area=said.area,
            floor=said.floor,
            device=said.device,
            device_class=said.device_class,
            labels=said.labels,
            unit=said.unit,
            value=value_of(row["state"]),
        )
        before[entity_id] = row["state"]

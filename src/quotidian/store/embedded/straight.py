"""The short way of received events into ``hot``: by the numbers of their words, without Arrow.

An event takes it when its day has no file and its entity has no event in the same millisecond: then there is no
copy with which it could have to be united.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from quotidian.model import CauseKind, Event, Source
from quotidian.model.event import registry_text, table_of
from quotidian.store.embedded.arrow import instants
from quotidian.store.embedded.copies import stored
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.intake import Intake
from quotidian.store.embedded.ledger import Ledger, LedgerDay

_MILLISECOND: Final = 1000


class Row(NamedTuple):
    """An event as the store keeps it, and as what it counts when it is new."""

    counts: str
    last_updated: int
    entity_id: str
    last_changed: int
    state: str | None
    cause: str
    cause_entity: str | None
    user: str | None
    source: str
    attributes: str | None
    registry: str | None

    @classmethod
    def of(cls, event: Event, intake: Intake) -> "Row":
        """Read an event."""
        cause = event.cause
        return cls(
            _counted(event),
            event.last_updated,
            event.entity_id,
            event.last_changed,
            event.new_state,
            cause.kind.value,
            cause.entity,
            cause.user,
            event.source.value,
            intake.attributes_text(event.attributes) if event.attributes else None,
            registry_text(event),
        )


def _counted(event: Event) -> str:
    if event.cause.kind is CauseKind.MANUAL:
        return "manual"
    return "filled" if event.source is Source.HISTORY else "received"


class Straight:
    """Puts received events into the store."""

    def __init__(self, events: Events, ledger: Ledger) -> None:
        self._events, self._ledger = events, ledger
        self._hot, self._arrived = events.hot, events.arrived

    def take(self, ordinal: int, rows: Sequence[Row], new: set[tuple[int, str]]) -> Counter[str]:
        """Add events of one day; count new ones by what they are, and copies as ``duplicate``.

        ``new`` is given the time and the entity of each that is new.
        """
        record = self._ledger.day(ordinal)
        fast, slow = ([], rows) if record.sealed else self._parted(rows)
        if fast:
            self._put(fast)
            new.update((row.last_updated, row.entity_id) for row, _ in fast)
            self._ledger.put(record.changed(record.events + len(fast)))
        counts = Counter(row.counts for row, _ in fast)
        for name in ("received", "filled", "manual"):
            some = [row for row in slow if row.counts == name]
            if some:
                new |= self._unite(self._ledger.day(ordinal), name, some, counts)
        return counts

    def arrive(self, rows: Iterable[Row], new: set[tuple[int, str]]) -> None:
        """Give events that are new the numbers of their arrival, in their order."""
        number = self._hot.entities.number
        keys = dict.fromkeys((row.last_updated, row.entity_id) for row in rows)
        # Uniting may have moved an event that was known to the millisecond only: it comes behind those that were told.
        told = [*(key for key in keys if key in new), *sorted(new - keys.keys())]
        self._arrived.add((updated, number(entity_id)) for updated, entity_id in told)

    def _parted(self, rows: Sequence[Row]) -> tuple[list[tuple[Row, int]], list[Row]]:
        """Part rows, with the numbers of their entities, from those that may be copies."""
        number = self._hot.entities.number
        taken = self._hot.taken(list({row.last_updated // _MILLISECOND for row in rows}))
        fast: list[tuple[Row, int]] = []
        slow: list[Row] = []
        for row in rows:
            entity = number(row.entity_id)
            key = (row.last_updated // _MILLISECOND, entity)
            if key in taken:
                slow.append(row)
            else:
                taken.add(key)
                fast.append((row, entity))
        return fast, slow

    def _put(self, rows: Sequence[tuple[Row, int]]) -> None:
        text = self._hot.texts.number
        self._hot.add(
            (row.last_updated, entity, row.last_updated - row.last_changed, 0, *map(text, row[4:]))
            for row, entity in rows
        )

    def _unite(self, record: LedgerDay, name: str, rows: Sequence[Row], counts: Counter[str]) -> set[tuple[int, str]]:
        before, after = self._events.unite(record, _table(rows))
        more = after.num_rows - before.num_rows
        counts[name] += max(0, more)
        counts["duplicate"] += len(rows) - max(0, more)
        counts["removed"] += max(0, -more)
        return _keys(after) - _keys(before) if more > 0 else set()


def _table(rows: Sequence[Row]) -> pa.Table:
    columns = dict(zip(Row._fields, map(list, zip(*rows, strict=True)), strict=True))
    pairs = zip(columns["last_changed"], columns["last_updated"], strict=True)
    columns["last_changed"] = [None if changed == updated else changed for changed, updated in pairs]
    return stored(table_of(columns))


def _keys(events: pa.Table) -> set[tuple[int, str]]:
    names: list[Any] = events["entity_id"].to_pylist()
    return set(zip(instants(events).tolist(), names, strict=True))

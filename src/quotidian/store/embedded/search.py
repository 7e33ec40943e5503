"""Events looked up: the newest, the last that arrived, and how many."""

from collections import Counter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.model import Day, Home, Registered
from quotidian.model.arrays import Bools, Ints
from quotidian.model.event import FOUND_SCHEMA
from quotidian.store.embedded.arrow import chosen, instants, ordered
from quotidian.store.embedded.copies import Coded
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events, named, plain
from quotidian.store.embedded.hot import COLUMNS, WIDTH
from quotidian.store.embedded.intake import between
from quotidian.store.embedded.ledger import LedgerDay
from quotidian.store.protocols import Arrivals, By

#: Among so many events before the oldest that was found the state before is looked for.
_LOOKED_BACK: Final = 5_000
_FIRST, _LAST = -(1 << 62), 1 << 62


class Wanted(NamedTuple):
    """Which events are looked for, see ``Store.events``; ``within`` are the entities that are in the area today."""

    start: int
    end: int
    entity_id: str | None = None
    area: str | None = None
    within: frozenset[str] = frozenset()
    cause: str | None = None
    before: tuple[int, str] | None = None

    @classmethod
    def of(
        cls,
        home: Home,
        *,
        start: int | None,
        end: int | None,
        entity_id: str | None,
        area: str | None,
        cause: str | None,
        before: tuple[int, str] | None,
    ) -> "Wanted":
        """Read what was asked for."""
        end = _LAST if end is None else end
        end = end if before is None else min(end, before[0] + 1)
        within = frozenset(name for name, entity in home.entities.items() if area is not None and entity.area == area)
        return cls(_FIRST if start is None else start, end, entity_id, area, within, cause, before)

    def conditions(self) -> dict[str, tuple[object, ...]]:
        """Give conditions of SQL on ``hot`` and ``entity`` with their parameters."""
        found: dict[str, tuple[object, ...]] = {"hot.updated >= ? AND hot.updated < ?": (self.start, self.end)}
        if self.entity_id is not None:
            found["hot.entity = (SELECT id FROM entity WHERE name = ?)"] = (self.entity_id,)
        if self.cause is not None:
            found["hot.cause = (SELECT id FROM text WHERE value = ?)"] = (self.cause,)
        if self.area is not None:
            within = msgspec.json.encode(sorted(self.within)).decode()
            found[
                "(hot.registry IN (SELECT id FROM text WHERE CASE WHEN value LIKE '{%' AND json_valid(value) "
                "THEN json_extract(value, '$.area') END = ?) OR (hot.registry = 0 AND hot.entity IN "
                "(SELECT id FROM entity WHERE name IN (SELECT value FROM json_each(?)))))"
            ] = (self.area, within)
        if self.before is not None:
            found["(hot.updated < ? OR entity.name > ?)"] = self.before
        return found

    def rows(self, events: pa.Table) -> Bools:
        """Tell which events are looked for."""
        found = between(events, self.start, self.end)
        if self.entity_id is not None:
            found &= named(events["entity_id"], self.entity_id.__eq__)
        if self.cause is not None:
            found &= named(events["cause"], self.cause.__eq__)
        if self.area is not None:
            untold = np.asarray(events["registry"].is_null()) & named(events["entity_id"], self.within.__contains__)
            found &= untold | named(events["registry"], self._told)
        if self.before is not None:
            later = named(events["entity_id"], self.before[1].__lt__)
            found &= (instants(events) < self.before[0]) | later
        return found

    def _told(self, registry: str) -> bool:
        return msgspec.json.decode(registry, type=Registered).area == self.area


class Search:
    """Looks events up."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database, self._events, self._hot = database, events, events.hot

    def newest(self, wanted: Wanted, limit: int) -> pa.Table:
        """Give the newest events, newest first; only the days that are needed are read."""
        parts, found = [FOUND_SCHEMA.empty_table()], 0
        for day, record in reversed(self._events.days(wanted.start, wanted.end)):
            if found >= limit:
                break
            part = self._newest(day, record, wanted, limit - found)
            parts.append(part)
            found += part.num_rows
        return pa.concat_tables(parts).unify_dictionaries().combine_chunks()

    def _newest(self, day: Day, record: LedgerDay, wanted: Wanted, limit: int) -> pa.Table:
        if record.sealed is None:
            span = wanted._replace(start=max(wanted.start, day.start), end=min(wanted.end, day.end))
            return self._found(self._rows(span, limit))
        events = self._events.all(day, record)
        events = _with_states_before(events)
        events = chosen(events, wanted.rows(events))
        return ordered(events, np.argsort(-instants(events), kind="stable")[:limit])

    def _rows(self, wanted: Wanted, limit: int) -> Ints:
        conditions = wanted.conditions()
        return self._database.numbers(
            f"SELECT {COLUMNS} FROM hot CROSS JOIN entity ON entity.id = hot.entity "  # noqa: S608
            f"WHERE {' AND '.join(conditions)} ORDER BY hot.updated DESC, entity.name LIMIT ?",
            [*(value for values in conditions.values() for value in values), limit],
            WIDTH,
        )

    def _found(self, rows: Ints) -> pa.Table:
        before = self._hot.texts.column(self._states_before(rows[0], rows[1]))
        return plain(self._hot.table(rows)).append_column(FOUND_SCHEMA.field("old_state"), before)

    def _states_before(self, updated: Ints, entity: Ints) -> Ints:
        """Give for each event the number of its entity's state before, 0 where it is not found."""
        found = np.zeros(updated.size, np.int64)
        waiting: dict[int, list[int]] = {}
        for place in np.argsort(updated, kind="stable").tolist():
            waiting.setdefault(int(entity[place]), []).append(place)
        for moment, number, state in self._back(updated, entity):
            places = waiting.get(number, [])
            while places and updated[places[-1]] > moment:
                found[places.pop()] = state
            if not places and waiting.pop(number, None) is not None and not waiting:
                break
        return found

    def _back(self, updated: Ints, entity: Ints) -> Any:
        if not updated.size:
            return []
        one = "AND entity = ?" if np.all(entity == entity[0]) else ""
        return self._database.execute(
            f"SELECT updated, entity, state FROM hot WHERE updated < ? {one} ORDER BY updated DESC LIMIT ?",  # noqa: S608
            [int(updated.max()), *([int(entity[0])] if one else []), updated.size + _LOOKED_BACK],
        )

    def arrivals(self, after: int | None, limit: int) -> Arrivals:
        """Give events in the order of their arrival."""
        arrived = self._events.arrived
        if after is None:
            return Arrivals(FOUND_SCHEMA.empty_table(), arrived.last(), lost=False)
        rows, cursor, lost = arrived.after(after, limit)
        return Arrivals(self._found(rows), cursor, lost)

    def latest(self) -> int | None:
        """Give the newest event's last updated."""
        for day, record in reversed(self._events.days(_FIRST, _LAST)):
            if record.sealed is None:
                return self._hot.last(day.start, day.end)
            return int(instants(self._events.all(day, record)).max())
        return None

    def counts(self, start: int, end: int, by: By) -> dict[str, int]:
        """Count events by something."""
        total: Counter[str] = Counter()
        for day, record in self._events.days(start, end):
            first, last = max(start, day.start), min(end, day.end)
            if by == "day" and (first, last) == (day.start, day.end):
                total[str(day.date)] += record.events
            else:
                total.update(self._counts(day, record, first, last, by))
        return dict(sorted(total.items()))

    def _counts(self, day: Day, record: LedgerDay, start: int, end: int, by: By) -> dict[str, int]:
        if record.sealed is None:
            return dict(self._database.rows(_COUNTS[by], (start, end))) if by != "day" else self._count(day, start, end)
        events = self._events.all(day, record)
        events = chosen(events, between(events, start, end))
        if by == "day":
            return {str(day.date): events.num_rows} if events.num_rows else {}
        words = Coded.of(events["entity_id" if by == "entity" else "cause"])
        return dict(zip(words.spelled(), np.bincount(words.codes).tolist(), strict=True))

    def _count(self, day: Day, start: int, end: int) -> dict[str, int]:
        count = self._database.value("SELECT count(*) FROM hot WHERE updated >= ? AND updated < ?", (start, end))
        return {str(day.date): count} if count else {}


_COUNTS: Final = {
    "entity": "SELECT name, count(*) FROM hot JOIN entity ON entity.id = hot.entity "
    "WHERE updated >= ? AND updated < ? GROUP BY hot.entity",
    "cause": "SELECT value, count(*) FROM hot JOIN text ON text.id = hot.cause "
    "WHERE updated >= ? AND updated < ? GROUP BY hot.cause",
}


def _with_states_before(events: pa.Table) -> pa.Table:
    """Give a whole day's events, sorted by (entity id, last updated), the states of the rows before."""
    entities, states = Coded.of(events["entity_id"]), Coded.of(events["state"])
    before = np.roll(states.codes, 1)
    first = np.append(True, np.diff(entities.codes) != 0)[: before.size]
    column = Coded(np.where(first, -1, before), states.words).column()
    return plain(events).append_column(FOUND_SCHEMA.field("old_state"), column)

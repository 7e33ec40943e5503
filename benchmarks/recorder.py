"""A recorder database as Home Assistant writes it, of a simulated home: its tables, columns and indices (schema 50)."""

import datetime as dt
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from benchmarks import homes
from quotidian.model import CauseKind, Home
from quotidian.model.day import SECOND
from quotidian.simulate import simulate

_TABLES: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE schema_changes (change_id INTEGER NOT NULL PRIMARY KEY, schema_version INTEGER, changed DATETIME);
INSERT INTO schema_changes VALUES (1, 50, '2026-01-01 00:00:00');
CREATE TABLE event_types (event_type_id INTEGER NOT NULL PRIMARY KEY, event_type VARCHAR(64));
CREATE TABLE event_data (data_id INTEGER NOT NULL PRIMARY KEY, hash BIGINT, shared_data TEXT);
CREATE TABLE events (event_id INTEGER NOT NULL PRIMARY KEY, event_type CHAR(0), event_data CHAR(0), origin CHAR(0),
    origin_idx SMALLINT, time_fired CHAR(0), time_fired_ts FLOAT, context_id CHAR(0), context_user_id CHAR(0),
    context_parent_id CHAR(0), data_id INTEGER, context_id_bin BLOB, context_user_id_bin BLOB,
    context_parent_id_bin BLOB, event_type_id INTEGER);
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL PRIMARY KEY, entity_id VARCHAR(255));
CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL PRIMARY KEY, hash BIGINT, shared_attrs TEXT);
CREATE TABLE states (state_id INTEGER NOT NULL PRIMARY KEY, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0),
    event_id SMALLINT, last_changed CHAR(0), last_changed_ts FLOAT, last_reported_ts FLOAT, last_updated CHAR(0),
    last_updated_ts FLOAT, old_state_id INTEGER, attributes_id INTEGER, context_id CHAR(0), context_user_id CHAR(0),
    context_parent_id CHAR(0), origin_idx SMALLINT, context_id_bin BLOB, context_user_id_bin BLOB,
    context_parent_id_bin BLOB, metadata_id INTEGER);
"""
_INDICES: Final = """
CREATE UNIQUE INDEX ix_states_meta_entity_id ON states_meta (entity_id);
CREATE INDEX ix_state_attributes_hash ON state_attributes (hash);
CREATE INDEX ix_event_data_hash ON event_data (hash);
CREATE INDEX ix_events_context_id_bin ON events (context_id_bin);
CREATE INDEX ix_events_event_type_id_time_fired_ts ON events (event_type_id, time_fired_ts);
CREATE INDEX ix_events_time_fired_ts ON events (time_fired_ts);
CREATE INDEX ix_events_data_id ON events (data_id);
CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
CREATE INDEX ix_states_context_id_bin ON states (context_id_bin);
CREATE INDEX ix_states_attributes_id ON states (attributes_id);
CREATE INDEX ix_states_old_state_id ON states (old_state_id);
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
PRAGMA journal_mode = WAL;
"""
_STATE: Final = (
    "INSERT INTO states (state_id, state, last_changed_ts, last_updated_ts, old_state_id, attributes_id, origin_idx,"
    " context_id_bin, context_user_id_bin, metadata_id) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)"
)
_EVENT: Final = (
    "INSERT INTO events (origin_idx, time_fired_ts, data_id, context_id_bin, event_type_id) VALUES (0, ?, ?, ?, 1)"
)
_AUTOMATED: Final = frozenset({CauseKind.AUTOMATION.value, CauseKind.REMOTE.value})


def recorder(states: int) -> Path:
    """Give a database of the large home with about so many states, rounded up to whole days."""
    return homes.kept(f"recorder-{states}", ("model", "simulate"), lambda path: _write(path, states), Path(__file__))


def count(database: Path) -> int:
    """Give the number of its states."""
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        return int(connection.execute("SELECT max(state_id) FROM states").fetchone()[0])
    finally:
        connection.close()


def _write(path: Path, states: int) -> None:
    # A fortnight more than needed, because Home Assistant is down on some days.
    days, large = states // 99_000 + 14, homes.PLANS["large"]
    # A long one begins a year earlier: states of the future would be refused.
    start = large.start if days <= large.days else large.start - dt.timedelta(weeks=52)
    simulated = simulate(msgspec.structs.replace(large, days=days, start=start))
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(_TABLES)
    recording = _Recording(database, simulated.home)
    for _, events in simulated.days():
        recording.add(events)
        if recording.states >= states:
            break
    recording.finish()
    database.close()


class _Recording:
    """What the recorder remembers from day to day."""

    def __init__(self, database: sqlite3.Connection, home: Home) -> None:
        self._database, self._home = database, home
        self._rng = np.random.default_rng(1)
        self._entities: dict[str, int] = {}
        self._attributes: dict[tuple[str, str | None], int] = {}
        self._automations: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self.states = 0

    def add(self, table: pa.Table) -> None:
        """Record a day."""
        columns: dict[str, list[Any]] = {name: _words(table[name]) for name in table.column_names}
        contexts = self._contexts(table["last_updated"].to_numpy())
        self._database.execute("BEGIN")
        self._database.executemany(_STATE, self._state_rows(columns, contexts))
        self._database.executemany(_EVENT, list(self._event_rows(columns, contexts)))
        self._database.execute("COMMIT")

    def finish(self) -> None:
        """Record what the states point to, and build the indices."""
        many = self._database.executemany
        self._database.execute("BEGIN")
        many("INSERT INTO states_meta VALUES (?, ?)", [(key, name) for name, key in self._entities.items()])
        texts = ((key, zlib.crc32(text.encode()), text) for key, text in self._texts())
        many("INSERT INTO state_attributes VALUES (?, ?, ?)", texts)
        self._database.execute("INSERT INTO event_types VALUES (1, 'automation_triggered')")
        data = ((key, key, _triggered(name)) for name, key in self._automations.items())
        many("INSERT INTO event_data VALUES (?, ?, ?)", data)
        self._database.execute("COMMIT")
        self._database.executescript(_INDICES)

    def _state_rows(self, columns: dict[str, list[Any]], contexts: list[bytes]) -> Iterator[tuple[Any, ...]]:
        names = ("entity_id", "state", "last_updated", "last_changed", "user", "attributes")
        rows = zip(*(columns[name] for name in names), contexts, strict=True)
        for entity_id, state, updated, changed, user, attributes, context in rows:
            self.states += 1
            yield (
                self.states,
                "" if state is None else state,
                None if changed is None else changed / SECOND,
                updated / SECOND,
                self._last.get(entity_id),
                self._attributes.setdefault((entity_id, attributes), len(self._attributes) + 1),
                context,
                None if user is None else user.encode()[:16].ljust(16),
                self._entities.setdefault(entity_id, len(self._entities) + 1),
            )
            self._last[entity_id] = self.states

    def _event_rows(self, columns: dict[str, list[Any]], contexts: list[bytes]) -> Iterator[tuple[Any, ...]]:
        names = ("cause", "cause_entity", "last_updated")
        for cause, maker, time, context in zip(*(columns[name] for name in names), contexts, strict=True):
            if cause in _AUTOMATED:
                data = self._automations.setdefault(maker, len(self._automations) + 1)
                yield time / SECOND, data, context

    def _contexts(self, times: np.ndarray[Any, Any]) -> list[bytes]:
        """Make ids as Home Assistant does: the time in milliseconds, then ten random bytes."""
        ids = self._rng.integers(0, 256, (times.size, 16), np.uint8)
        ids[:, :6] = (times // 1000).astype(">i8").view(np.uint8).reshape(-1, 8)[:, 2:]
        flat = ids.tobytes()
        return [flat[start : start + 16] for start in range(0, len(flat), 16)]

    def _texts(self) -> Iterator[tuple[int, str]]:
        for (entity_id, kept), key in self._attributes.items():
            entity = self._home.entity(entity_id)
            known = {"friendly_name": entity.name or entity_id, "device_class": entity.device_class}
            if entity_id.startswith("sensor."):
                known |= {"state_class": "measurement", "unit_of_measurement": entity.unit}
            own = msgspec.json.decode(kept) if kept else {}
            yield key, msgspec.json.encode(known | own).decode()


def _words(column: Any) -> list[Any]:
    """Give a column's values; of words, each one is made once."""
    array = column.combine_chunks()
    if not isinstance(array, pa.DictionaryArray):
        return list(array.to_pylist())
    words = [*array.dictionary.to_pylist(), None]
    return [words[code] for code in array.indices.fill_null(-1).to_numpy().tolist()]


def _triggered(automation: str) -> str:
    return msgspec.json.encode({"name": automation, "entity_id": automation, "source": "state of sensor"}).decode()

"""A store that only remembers, and recorder databases of three ages."""

import json
import sqlite3
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from quotidian.importers import Imported, Source, import_source, open_source
from quotidian.model import Home
from quotidian.store.protocols import Appended, Checkpoint, Store

NOON = 1_760_000_000.0  #: seconds


class RecordingStore:
    """Remembers the home, the batches and the checkpoints; rows that it has are known."""

    def __init__(self, home: Home | None = None) -> None:
        self.home = home or Home("0" * 32, "UTC")
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.checkpoints: dict[str, str] = {}
        self.batches = 0

    def set_home(self, home: Home) -> None:
        self.home = home

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        before = len(self.rows)
        self.rows |= {(row["entity_id"], row["last_updated"]): row for row in events.to_pylist()}
        if checkpoint is not None:
            self.checkpoints[checkpoint.source] = checkpoint.position
        self.batches += 1
        new = len(self.rows) - before
        return Appended(new, events.num_rows - new)

    def checkpoint(self, source: str) -> str | None:
        return self.checkpoints.get(source)

    def hold(self, name: str, owner: str, seconds: float) -> bool:
        return True

    def release(self, name: str, owner: str) -> None:
        pass

    def take(self, source: Source) -> Imported:
        """Import a source."""
        return import_source(cast("Store", self), source)


def taken(where: str | Path, store: RecordingStore | None = None, **how: Any) -> tuple[RecordingStore, Imported]:
    """Import a source into a store of its own, in Berlin unless told otherwise."""
    store = store or RecordingStore()
    return store, store.take(open_source(str(where), **{"zone": "Europe/Berlin", **how}))


class Recorder:
    """Writes a recorder database as today's Home Assistant would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(
            """
            PRAGMA synchronous=OFF;
            CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id TEXT UNIQUE);
            CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, shared_attrs TEXT UNIQUE);
            CREATE TABLE event_types (event_type_id INTEGER PRIMARY KEY, event_type TEXT UNIQUE);
            CREATE TABLE event_data (data_id INTEGER PRIMARY KEY, shared_data TEXT);
            CREATE TABLE schema_changes (change_id INTEGER PRIMARY KEY, schema_version INTEGER);
            INSERT INTO schema_changes VALUES (1, 50);
            CREATE TABLE events (event_id INTEGER PRIMARY KEY, event_type, event_data, time_fired, time_fired_ts FLOAT,
                context_id, context_user_id, context_parent_id, data_id, context_id_bin BLOB, context_user_id_bin BLOB,
                context_parent_id_bin BLOB, event_type_id INTEGER);
            CREATE TABLE states (state_id INTEGER PRIMARY KEY, entity_id TEXT, state VARCHAR(255), attributes TEXT,
                last_changed, last_changed_ts FLOAT, last_updated, last_updated_ts FLOAT, attributes_id INTEGER,
                context_id, context_user_id, context_parent_id, context_id_bin BLOB, context_user_id_bin BLOB,
                context_parent_id_bin BLOB, metadata_id INTEGER);
            """
        )

    def state(
        self,
        entity_id: str | None,
        state: str | None,
        time: float | None,
        *,
        changed: float | None = None,
        attributes: dict[str, Any] | str | None = None,
        context: tuple[bytes | None, bytes | None, bytes | None] = (b"c" * 16, None, None),
    ) -> None:
        """Record a state; the context is (id, parent's id, user's id)."""
        if entity_id is not None:
            self.db.execute("INSERT OR IGNORE INTO states_meta (entity_id) VALUES (?)", (entity_id,))
        if isinstance(attributes, dict):
            attributes = json.dumps(attributes)
        if attributes is not None:
            self.db.execute("INSERT OR IGNORE INTO state_attributes (shared_attrs) VALUES (?)", (attributes,))
        self.db.execute(
            "INSERT INTO states (state, last_changed_ts, last_updated_ts, context_id_bin, context_parent_id_bin,"
            " context_user_id_bin, metadata_id, attributes_id) VALUES (?, ?, ?, ?, ?, ?,"
            " (SELECT metadata_id FROM states_meta WHERE entity_id = ?),"
            " (SELECT attributes_id FROM state_attributes WHERE shared_attrs = ?))",
            (state, changed, time, *context, entity_id, attributes),
        )

    def event(
        self, kind: str, data: dict[str, Any], time: float, context: tuple[bytes, bytes | None, bytes | None]
    ) -> None:
        """Record an event."""
        self.db.execute("INSERT OR IGNORE INTO event_types (event_type) VALUES (?)", (kind,))
        key = self.db.execute("INSERT INTO event_data (shared_data) VALUES (?)", (json.dumps(data),)).lastrowid
        self.db.execute(
            "INSERT INTO events (time_fired_ts, data_id, context_id_bin, context_parent_id_bin, context_user_id_bin,"
            " event_type_id) VALUES (?, ?, ?, ?, ?, (SELECT event_type_id FROM event_types WHERE event_type = ?))",
            (time, key, *context, kind),
        )


def store_registry(folder: Path, name: str, data: object) -> None:
    """Write a file of ``.storage``."""
    (folder / ".storage").mkdir(exist_ok=True)
    (folder / ".storage" / name).write_text(json.dumps({"data": data}))

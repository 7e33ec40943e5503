"""The questions that a recorder database is asked, whatever columns its version has."""

from typing import Final

import msgspec

from quotidian.errors import SourceError
from quotidian.homeassistant.cause import TELLING_EVENTS
from quotidian.importers.database import Database

_TELLING: Final = ", ".join(f"'{name}'" for name in sorted(TELLING_EVENTS))


class RecorderSchema(msgspec.Struct, frozen=True):
    """Statements for one database.

    ``page`` gives at most so many states behind a state id, in its order, as (state id, entity, state, updated,
    changed, attributes, context id, user id, parent id). ``entity`` is a metadata id or the entity id itself,
    ``attributes`` an attributes id or JSON text; times are seconds since 1970-01-01 UTC.
    ``events`` gives the events that tell causes between two times (seconds), as (type, data, time, context id,
    user id, parent id), and ``tells`` whether there is any; ``None`` where there is no place for them.
    """

    version: int | None
    page: str
    inline: bool  #: whether attributes stand in the states themselves
    contexts: bool
    updated: str  #: gives when a state id was updated
    events: str | None
    tells: str | None

    @classmethod
    def of(cls, database: Database, name: str) -> "RecorderSchema":
        """See what a database has.

        Raises
        ------
        SourceError
            When it is no recorder's.
        """
        states = database.columns("states")
        entity = _either(states, "metadata_id", "entity_id")
        updated = _seconds(states, "last_updated")
        if "state_id" not in states or "state" not in states or entity is None or updated is None:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            raise SourceError(
                f"{name} is a database, but not Home Assistant's recorder: "
                f"it has the tables {', '.join(sorted(tables)[:8]) or '(none)'}.",
                "Give home-assistant_v2.db.",
            )
        context = _either(states, "context_id_bin", "context_id")
        attributes = _either(states, "attributes_id", "attributes")
        selected = (
            "state_id",
            entity,
            "CAST(state AS TEXT)",
            updated,
            _seconds(states, "last_changed") or "NULL",
            attributes or "NULL",
            context or "NULL",
            _either(states, "context_user_id_bin", "context_user_id") or "NULL",
            _either(states, "context_parent_id_bin", "context_parent_id") or "NULL",
        )
        events, tells = _events(database) if context is not None else (None, None)
        return cls(
            version=_version(database),
            page=f"SELECT {', '.join(selected)} FROM states WHERE state_id > ? ORDER BY state_id LIMIT ?",  # noqa: S608
            inline="attributes_id" not in states,
            contexts=context is not None,
            updated=f"SELECT {updated} FROM states WHERE state_id = ?",  # noqa: S608
            events=events,
            tells=tells,
        )


def _events(database: Database) -> tuple[str | None, str | None]:
    found = database.columns("events")
    time, context = _seconds(found, "time_fired"), _either(found, "context_id_bin", "context_id")
    if time is None or context is None:
        return None, None
    tables, kind, data = "events", "events.event_type", "events.event_data"
    telling = f"events.event_type IN ({_TELLING})"
    if "event_type_id" in found and database.columns("event_types"):
        tables += " JOIN event_types ON event_types.event_type_id = events.event_type_id"
        kind = "event_types.event_type"
        # A type gets its number with its first event, which may be fired while we are reading.
        numbers = f"SELECT event_type_id FROM event_types WHERE event_type IN ({_TELLING})"  # noqa: S608
        telling = f"events.event_type_id IN ({numbers})"
    if "data_id" in found and database.columns("event_data"):
        tables += " LEFT JOIN event_data ON event_data.data_id = events.data_id"
        data = "COALESCE(event_data.shared_data, events.event_data)" if "event_data" in found else "shared_data"
    user = _either(found, "context_user_id_bin", "context_user_id") or "NULL"
    parent = _either(found, "context_parent_id_bin", "context_parent_id") or "NULL"
    between = (
        "time_fired_ts > ?1 AND time_fired_ts <= ?2"
        if "time_fired_ts" in found
        else "time_fired > strftime('%Y-%m-%d %H:%M:%f', ?1, 'unixepoch')"
        " AND time_fired <= strftime('%Y-%m-%d %H:%M:%f', ?2, 'unixepoch')"
    )
    return (
        f"SELECT {kind}, {data}, {time}, {context}, {user}, {parent} FROM {tables} "  # noqa: S608
        f"WHERE {telling} AND {between} ORDER BY events.event_id",
        f"SELECT 1 FROM {tables} WHERE {telling} LIMIT 1",  # noqa: S608
    )


def _either(found: frozenset[str], new: str, old: str) -> str | None:
    """Give the newer column where it is filled, else the older: a database that is being migrated has both."""
    if new in found and old in found:
        return f"COALESCE({new}, {old})"
    return new if new in found else old if old in found else None


def _seconds(found: frozenset[str], name: str) -> str | None:
    """Give a time as seconds since 1970; older versions kept it as text in UTC, without saying so."""
    text = (
        f"(strftime('%s', substr({name}, 1, 19)) * 1000000"
        f" + CAST(substr(substr({name}, 21, 6) || '000000', 1, 6) AS INTEGER)) / 1000000.0"
    )
    if f"{name}_ts" in found:
        number = f"CAST({name}_ts AS REAL)"
        return f"COALESCE({number}, {text})" if name in found else number
    return text if name in found else None


def _version(database: Database) -> int | None:
    if not database.columns("schema_changes"):
        return None
    row = database.execute("SELECT schema_version FROM schema_changes ORDER BY change_id DESC LIMIT 1").fetchone()
    return None if row is None else row[0]

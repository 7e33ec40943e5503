"""The schema and its migrations."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from quotidian.errors import StoreRefusedError
from quotidian.model.day import Day
from quotidian.model.event import table_of
from quotidian.store import Store
from quotidian.store.embedded import sealed as sealed_module
from quotidian.store.embedded.copies import stored
from quotidian.store.embedded.database import FILE, Database, schemas
from quotidian.store.embedded.sealed import SealedDays

SATURDAY = dt.date(2025, 9, 6)
START = Day.of(SATURDAY, "UTC").end


def dump(directory: Path) -> list[str]:
    """Give all that a database holds."""
    connection = sqlite3.connect(directory / FILE)
    try:
        return [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]
    finally:
        connection.close()


MIGRATION = ["CREATE TABLE one (x)", "INSERT INTO one VALUES ('a;b')", "ALTER TABLE mark ADD COLUMN more TEXT"]


@pytest.mark.parametrize("failing", range(len(MIGRATION) + 1))
def test_a_migration_happens_wholly_or_not_at_all(tmp_path: Path, failing: int) -> None:
    """Whichever statement fails, the file stays as it was; the repaired migration then goes through."""
    Database(tmp_path).close()
    before = dump(tmp_path)
    broken = [*MIGRATION[:failing], "INSERT INTO nowhere VALUES (1)", *MIGRATION[failing:]]
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Database(tmp_path, [*schemas(), ";\n".join(broken) + ";"])
    assert dump(tmp_path) == before
    Database(tmp_path, [*schemas(), "-- a remark; with a semicolon\n" + ";\n".join(MIGRATION) + ";"]).close()
    assert "'a;b'" in "".join(dump(tmp_path))
    assert dump(tmp_path)[-1] == f"({len(schemas()) + 1},)"


def test_a_newer_schema_is_refused_and_left_alone(opened: Callable[..., Store], tmp_path: Path) -> None:
    """A store of a later version is not touched."""
    opened()
    opened(tmp_path / "other")
    path = tmp_path / "store" / FILE
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreRefusedError, match="newer Quotidian"):
        opened()
    assert path.read_bytes() == before


def test_as_many_free_pages_go_as_are_asked_for(tmp_path: Path) -> None:
    """Each step of a shrinking gives back its number of pages, and tells whether there are more."""
    database = Database(tmp_path)
    database.executemany("INSERT INTO mark VALUES (?, ?)", [(number, "x" * 500) for number in range(200)])
    database.execute("DELETE FROM mark")
    free = database.value("PRAGMA freelist_count")
    assert free > 50
    assert database.shrink(free - 10)
    assert database.value("PRAGMA freelist_count") == 10
    assert not database.shrink(free)
    assert database.value("PRAGMA freelist_count") == 0
    database.close()


def test_the_schema_is_durable(tmp_path: Path) -> None:
    """Every commit waits for the disk, and what is deleted is overwritten."""
    database = Database(tmp_path)
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 2, "locking_mode": "exclusive"}
    assert {name: database.value(f"PRAGMA {name}") for name in wanted} == wanted
    database.close()


OLD = """
    INSERT INTO home VALUES (1, CAST('{"id":"6f1c0f34-9d0e-4a7e-8f43-6f2f3c2b8a11","zone":"UTC"}' AS BLOB));
    INSERT INTO entity VALUES (7, 'light.a');
    INSERT INTO text VALUES (1, 'on'), (2, 'person'), (3, 'live'), (4, '{"brightness":5}');
    INSERT INTO hot VALUES (1757203200000000, 7, 5, 1, 2, 0, 0, 3, 4, 0);
    INSERT INTO hot VALUES (1757203201000000, 7, 0, 0, 2, 0, 0, 3, 0, 0);
"""


def test_a_store_of_the_first_version_is_read_and_goes_on(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Rows, sealed files without the newer column, and the ledger are there; its days are accounted for as imported."""
    store = tmp_path / "store"
    store.mkdir()
    first = Database(store, schemas()[:1])
    for statement in OLD.strip().split(";\n"):
        first.execute(statement)
    sealed = SealedDays(store, "6f1c0f34-9d0e-4a7e-8f43-6f2f3c2b8a11")
    columns = {"entity_id": ["light.b"], "last_updated": [START - 1], "cause": ["person"], "source": ["csv"]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sealed_module._OPTIONS, "use_dictionary", ["entity_id"])
        file = sealed.write(SATURDAY, stored(table_of(columns)).drop_columns(["registry"]))
    day = (SATURDAY.toordinal(), 1, *file, 1, None)
    first.execute("INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?)", day)
    first.execute("INSERT INTO day (ordinal, events, revision) VALUES (?, 2, 1)", (SATURDAY.toordinal() + 1,))
    first.close()
    again = opened()
    rows = [(row["entity_id"], row["state"], row["attributes"], row["registry"]) for row in again.events().to_pylist()]
    assert rows == [
        ("light.a", None, None, None),
        ("light.a", "on", '{"brightness":5}', None),
        ("light.b", None, None, None),
    ]
    assert [one.imported for one in again.certificates(SATURDAY, SATURDAY + dt.timedelta(days=1))] == [1, 2]
    more = columns | {"entity_id": ["light.c"], "last_updated": [START - 2], "registry": ['{"area":"den"}']}
    again.append(table_of(more))
    again.seal(SATURDAY + dt.timedelta(days=2))
    assert again.day_events(Day.of(SATURDAY, "UTC"))["registry"].to_pylist() == [None, '{"area":"den"}']

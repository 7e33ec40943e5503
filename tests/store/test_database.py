"""The schema and its migrations."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from quotidian.errors import StoreRefusedError
from quotidian.store import Store
from quotidian.store.embedded.database import FILE, Database, schemas


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


def test_the_schema_is_durable(tmp_path: Path) -> None:
    """Every commit waits for the disk, and what is deleted is overwritten."""
    database = Database(tmp_path)
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 2, "locking_mode": "exclusive"}
    assert {name: database.value(f"PRAGMA {name}") for name in wanted} == wanted
    database.close()

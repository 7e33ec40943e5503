"""Home Assistant's recorder database, of any age."""

import datetime as dt
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.errors import CorruptSourceError, SourceError
from quotidian.importers import open_source
from quotidian.importers.recorder_page import microseconds
from quotidian.model import CauseKind, Home

from .recorded import NOON, Recorder, RecordingStore, store_registry, taken

AUTOMATION, PERSON, OTHER = b"a" * 16, b"p" * 16, b"o" * 16
USER = bytes(range(16))
AT = int(NOON) * 1_000_000


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """Make an empty recorder database."""
    recorder = Recorder(tmp_path / "home-assistant_v2.db")
    yield recorder
    recorder.db.close()


def test_states(recorder: Recorder) -> None:
    """Each state comes with its times in µs, its allowed attributes and its cause; '' and NULL are removals."""
    told = {"brightness": 80, "friendly_name": "Desk"}
    recorder.event("automation_triggered", {"entity_id": "automation.dusk"}, NOON, (AUTOMATION, None, None))
    recorder.state("light.desk", "on", NOON + 0.25, attributes=told, context=(AUTOMATION, None, None))
    recorder.state("light.desk", "on", NOON + 9, changed=NOON + 0.25, context=(PERSON, None, USER))
    recorder.state("light.desk", "off", NOON + 90, context=(OTHER, None, None))
    recorder.state("light.desk", "", NOON + 91)
    recorder.state("light.desk", None, NOON + 92)
    store, imported = taken(recorder.path)
    rows = list(store.rows.values())
    assert [(row["last_updated"] - AT, row["last_changed"], row["state"]) for row in rows] == [
        (250_000, None, "on"),
        (9_000_000, AT + 250_000, "on"),
        (90_000_000, None, "off"),
        (91_000_000, None, None),
        (92_000_000, None, None),
    ]
    assert [(row["cause"], row["cause_entity"], row["user"]) for row in rows[:3]] == [
        (CauseKind.AUTOMATION, "automation.dusk", None),
        (CauseKind.PERSON, None, USER.hex()),
        (CauseKind.PHYSICAL, None, None),
    ]
    assert [row["attributes"] for row in rows[:2]] == ['{"brightness":80}', None]
    assert (imported.read, imported.rejected, imported.fault) == (5, 0, None)


def test_second_run_reads_only_what_is_new(recorder: Recorder) -> None:
    """A database that goes on growing is read from where it was left."""
    recorder.state("light.a", "on", NOON)
    store, _ = taken(recorder.path)
    assert taken(recorder.path, store)[1].read == 0
    recorder.state("light.a", "off", NOON + 1)
    assert taken(recorder.path, store)[1].read == 1


def test_replaced_database_is_read_from_its_beginning(recorder: Recorder) -> None:
    """Another database in the same place has another row where reading stopped: nothing of it is missed."""
    recorder.state("light.a", "on", NOON)
    recorder.state("light.a", "off", NOON + 1)
    store, _ = taken(recorder.path)
    recorder.db.execute("DELETE FROM states")
    for n in range(3):
        recorder.state("light.b", "on", NOON + 10 + n)
    _, imported = taken(recorder.path, store)
    assert imported.appended.new == 3


def test_purge_does_not_matter(recorder: Recorder) -> None:
    """Home Assistant purges old states; what is new behind them is read."""
    for n in range(3):
        recorder.state("light.a", str(n), NOON + n)
    store, _ = taken(recorder.path)
    recorder.state("light.a", "new", NOON + 9)
    recorder.db.execute("DELETE FROM states WHERE state_id <= 3")
    assert taken(recorder.path, store)[1].appended.new == 1


def test_resumes_at_every_batch(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that was stopped goes on behind the last batch that became durable."""
    monkeypatch.setattr("quotidian.importers.recorder._PAGE", 10)
    monkeypatch.setattr("quotidian.importers.batch.ROWS", 20)
    for n in range(50):
        recorder.state("sensor.a", str(n), NOON + n)
    store = RecordingStore()
    source = open_source(str(recorder.path), zone="UTC")
    batches = source.read(None)
    first = next(batches)
    batches.close()
    store.checkpoints[source.key] = first.position
    assert first.table.num_rows == 20
    assert taken(recorder.path, store)[1].read == 30
    assert store.batches == 2


def test_reads_while_it_is_written(recorder: Recorder) -> None:
    """What still stands in the write-ahead log is read too, and the writer is never made to wait."""
    recorder.db.execute("PRAGMA journal_mode=WAL")
    recorder.state("light.a", "on", NOON)
    source = open_source(str(recorder.path), zone="UTC")
    source.home(Home("h", "UTC"))
    batches = source.read(None)
    assert next(batches).table.num_rows == 1
    recorder.state("light.a", "off", NOON + 1)
    busy, log, moved = recorder.db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    assert (busy, log) == (0, moved)
    assert list(batches) == []


def test_first_automation_ever_fires_while_it_is_read(recorder: Recorder) -> None:
    """Causes are heard too when their kind of event gets its first row after the database was opened."""
    recorder.db.execute("PRAGMA journal_mode=WAL")
    recorder.state("light.a", "on", NOON)
    source = open_source(str(recorder.path), zone="UTC")
    context = (b"a" * 16, None, None)
    recorder.event("automation_triggered", {"entity_id": "automation.dusk"}, NOON + 1, context)
    recorder.state("light.a", "off", NOON + 1, context=context)
    store = RecordingStore()
    store.take(source)
    row = store.rows["light.a", round((NOON + 1) * 1e6)]
    assert (row["cause"], row["cause_entity"]) == ("automation", "automation.dusk")


def test_event_between_two_pages_is_heard(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is written after a page was read, but fired within the second behind it, is not passed over."""
    monkeypatch.setattr("quotidian.importers.recorder._PAGE", 1)
    monkeypatch.setattr("quotidian.importers.batch.ROWS", 1)
    recorder.db.execute("PRAGMA journal_mode=WAL")
    recorder.event("call_service", {}, NOON, (b"b" * 16, None, None))
    recorder.state("light.a", "on", NOON)
    source = open_source(str(recorder.path), zone="UTC")
    batches = source.read(None)
    next(batches)
    context = (b"a" * 16, None, None)
    recorder.event("automation_triggered", {"entity_id": "automation.dusk"}, NOON + 0.5, context)
    recorder.state("light.a", "off", NOON + 0.5, context=context)
    (row,) = [row for batch in batches for row in batch.table.to_pylist()]
    assert (row["cause"], row["cause_entity"]) == ("automation", "automation.dusk")


def test_nothing_is_left_beside_a_database_at_rest(recorder: Recorder) -> None:
    """Reading a database that nobody writes leaves no log beside it, which its owner might not be able to open."""
    recorder.db.execute("PRAGMA journal_mode=WAL")
    recorder.state("light.a", "on", NOON)
    recorder.db.close()
    assert len(taken(recorder.path)[0].rows) == 1
    assert [path.name for path in recorder.path.parent.iterdir()] == [recorder.path.name]


def test_writer_that_starts_meanwhile_is_noticed(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home Assistant may start while its database is being read: what it writes from then on is read too."""
    monkeypatch.setattr("quotidian.importers.recorder._PAGE", 1)
    monkeypatch.setattr("quotidian.importers.batch.ROWS", 1)
    recorder.db.execute("PRAGMA journal_mode=WAL")
    recorder.state("light.a", "on", NOON)
    recorder.db.close()
    source = open_source(str(recorder.path), zone="UTC")
    batches = source.read(None)
    next(batches)
    started = sqlite3.connect(recorder.path, isolation_level=None)
    started.execute("INSERT INTO states (state, last_updated_ts, metadata_id) VALUES ('off', ?, 1)", (NOON + 1,))
    assert [batch.table.num_rows for batch in batches] == [1]
    started.close()


def test_old_schema(tmp_path: Path) -> None:
    """A version of 2018 keeps entity ids, attributes, text contexts and times without a zone, in UTC."""
    db = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    db.executescript(
        """
        CREATE TABLE events (event_id INTEGER PRIMARY KEY, event_type, event_data, time_fired, context_id,
            context_user_id);
        CREATE TABLE states (state_id INTEGER PRIMARY KEY, domain, entity_id, state, attributes, last_changed,
            last_updated, context_id, context_user_id);
        INSERT INTO events VALUES (1, 'automation_triggered', '{"entity_id": "automation.a"}',
            '2018-12-04 09:36:06.300000', 'x', NULL);
        INSERT INTO states VALUES (1, 'light', 'light.a', 'on', '{"brightness": 3}', '2018-12-04 09:36:06.362496',
            '2018-12-04 09:36:06.362496', 'x', NULL);
        INSERT INTO states VALUES (2, 'light', 'light.a', 'off', '{}', '2018-12-04 09:40:00', '2018-12-04 09:40:00',
            'y', 'anna');
        """
    )
    db.close()
    store, _ = taken(tmp_path / "old.db")
    instant = int(dt.datetime(2018, 12, 4, 9, 36, 6, tzinfo=dt.UTC).timestamp()) * 1_000_000 + 362_496
    first, second = store.rows.values()
    assert (first["last_updated"], first["last_changed"], first["attributes"]) == (instant, None, '{"brightness":3}')
    assert (first["cause"], second["cause"], second["user"]) == (CauseKind.AUTOMATION, CauseKind.PERSON, "anna")


def test_schema_between(tmp_path: Path) -> None:
    """A version between has attributes ids and numbers for times, but still entity ids and text contexts."""
    db = sqlite3.connect(tmp_path / "between.db", isolation_level=None)
    db.executescript(
        """
        CREATE TABLE events (event_id INTEGER PRIMARY KEY, event_type, event_data, time_fired_ts, data_id, context_id,
            context_user_id, context_parent_id);
        CREATE TABLE event_data (data_id INTEGER PRIMARY KEY, shared_data);
        CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, shared_attrs);
        CREATE TABLE states (state_id INTEGER PRIMARY KEY, entity_id, state, attributes, last_changed_ts,
            last_updated_ts, attributes_id, context_id, context_user_id, context_parent_id);
        INSERT INTO event_data VALUES (1, '{"entity_id": "script.s"}');
        INSERT INTO events VALUES (1, 'script_started', NULL, 1760000000.0, 1, 'x', NULL, NULL);
        INSERT INTO state_attributes VALUES (4, '{"brightness": 3}');
        INSERT INTO states VALUES (1, 'light.a', 'on', NULL, NULL, 1760000000.5, 4, 'x', NULL, NULL);
        """
    )
    db.close()
    store, _ = taken(tmp_path / "between.db")
    (row,) = store.rows.values()
    assert (row["cause"], row["cause_entity"], row["attributes"]) == (CauseKind.SCRIPT, "script.s", '{"brightness":3}')


def test_rows_in_the_middle_of_a_migration(recorder: Recorder) -> None:
    """Rows that Home Assistant has not moved to the new columns yet are read from the old ones."""
    recorder.db.execute(
        "INSERT INTO states (entity_id, state, attributes, last_updated, context_id) VALUES"
        " ('light.old', 'on', '{\"brightness\": 1}', '2025-10-09 08:53:20.125000', 'x')"
    )
    recorder.state("light.new", "on", NOON + 1)
    store, _ = taken(recorder.path)
    assert [(r["entity_id"], r["last_updated"], r["attributes"]) for r in store.rows.values()] == [
        ("light.old", AT + 125_000, '{"brightness":1}'),
        ("light.new", AT + 1_000_000, None),
    ]


def test_without_contexts_causes_are_unknown(tmp_path: Path) -> None:
    """A version that kept no contexts claims nothing about causes."""
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    db.execute("CREATE TABLE states (state_id INTEGER PRIMARY KEY, entity_id, state, last_updated)")
    db.execute("INSERT INTO states VALUES (1, 'light.a', 'on', '2017-01-01 00:00:00')")
    db.close()
    (row,) = taken(tmp_path / "a.db")[0].rows.values()
    assert row["cause"] == CauseKind.UNKNOWN


def test_rows_that_cannot_be_used(recorder: Recorder, tmp_path: Path) -> None:
    """Rows without entity, dot or time, or from the future, are counted and written down with their ids."""
    recorder.state(None, "on", NOON)
    recorder.state("nodot", "on", NOON)
    recorder.state("light.a", "on", None)
    recorder.state("light.a", "on", 9e9)
    recorder.state('light."; drop\n😀', "on", NOON)
    source = open_source(str(recorder.path), zone="UTC", rejects=tmp_path / "rejects.csv")
    store = RecordingStore()
    imported = store.take(source)
    assert source.rejects.counts == {
        "no entity id": 1,
        "entity id without a dot": 1,
        "not a time": 1,
        "a time in the future": 1,
    }
    assert imported.rejected == 4
    assert [key[0] for key in store.rows] == ['light."; drop\n😀']
    assert "state_id 2,entity id without a dot" in (tmp_path / "rejects.csv").read_text()


def test_home_beside_the_database(recorder: Recorder, tmp_path: Path) -> None:
    """Zone and areas come from .storage beside the database, and win over --zone, which is said."""
    store_registry(tmp_path, "core.config", {"time_zone": "Australia/Lord_Howe"})
    store_registry(tmp_path, "core.area_registry", {"areas": [{"id": "k", "name": "Kitchen"}]})
    recorder.state("light.a", "on", NOON)
    store, imported = taken(recorder.path, zone="Europe/Berlin")
    assert (store.home.zone, store.home.areas["k"].name) == ("Australia/Lord_Howe", "Kitchen")
    assert "Europe/Berlin is not used" in imported.warnings[0]


def test_unknown_zone_and_damaged_registry_warn(recorder: Recorder, tmp_path: Path) -> None:
    """A zone that is not known here, or a damaged registry, costs a warning and not the history."""
    recorder.state("light.a", "on", NOON)
    store_registry(tmp_path, "core.config", {"time_zone": "Mars/Olympus"})
    store, imported = taken(recorder.path)
    assert store.home.zone == "Europe/Berlin"
    assert "Mars/Olympus" in imported.warnings[0]
    (tmp_path / ".storage" / "core.config").write_text("{")
    assert "core.config is damaged" in taken(recorder.path)[1].warnings[0]


def test_machines_zone_is_a_guess(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any word on the zone it is the machine's, with a warning; what the store knows stands above that."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    recorder.state("light.a", "on", NOON)
    store, imported = taken(recorder.path, zone=None)
    assert store.home.zone == "Asia/Tokyo"
    assert "Asia/Tokyo, this machine's, is assumed" in imported.warnings[0]
    known = RecordingStore(Home("h", "Europe/Paris", latitude=1.0))
    assert taken(recorder.path, known, zone=None)[1].warnings == ()
    assert known.home.zone == "Europe/Paris"


def test_service_account_beside(recorder: Recorder, tmp_path: Path) -> None:
    """A user whom Home Assistant made for itself is no person."""
    store_registry(tmp_path, "auth", {"users": [{"id": USER.hex(), "system_generated": True}]})
    recorder.state("light.a", "on", NOON, context=(PERSON, None, USER))
    (row,) = taken(recorder.path)[0].rows.values()
    assert row["cause"] == CauseKind.INTEGRATION


def test_slow_cover_in_an_area(recorder: Recorder, tmp_path: Path) -> None:
    """A cover that lost its context is matched with the call to its area a minute before."""
    store_registry(tmp_path, "core.area_registry", {"areas": [{"id": "k", "name": "Kitchen"}]})
    entities = [{"entity_id": "cover.k", "area_id": "k"}]
    store_registry(tmp_path, "core.entity_registry", {"entities": entities})
    call = {"domain": "cover", "service": "close_cover", "service_data": {"area_id": ["k"]}}
    recorder.event("call_service", call, NOON, (PERSON, None, USER))
    recorder.state("cover.k", "closed", NOON + 60, context=(OTHER, None, None))
    (row,) = taken(recorder.path)[0].rows.values()
    assert row["cause"] == CauseKind.PERSON


def test_a_foreign_database(tmp_path: Path) -> None:
    """A database that is no recorder's is refused, with the tables that it has."""
    db = sqlite3.connect(tmp_path / "a.db")
    db.execute("CREATE TABLE songs (title)")
    db.close()
    with pytest.raises(SourceError, match="songs"):
        open_source(str(tmp_path / "a.db"))


def _damaged(recorder: Recorder) -> bytes:
    recorder.db.execute("BEGIN")
    for n in range(4000):
        recorder.state(f"sensor.number_{n % 7}", str(n) * 20, NOON + n)
    recorder.db.execute("COMMIT")
    recorder.db.close()
    return recorder.path.read_bytes()


def test_truncated_database(recorder: Recorder) -> None:
    """Of a database that lost its end, what can be read is used; the fault says how far that was."""
    whole = _damaged(recorder)
    recorder.path.write_bytes(whole[: len(whole) * 3 // 4])
    store, imported = taken(recorder.path)
    assert 0 < len(store.rows) < 4000
    assert isinstance(imported.fault, CorruptSourceError)
    assert "2025-10-09" in str(imported.fault)


def test_overwritten_pages(recorder: Recorder) -> None:
    """Garbage in the middle ends the reading there with a fault, never with another error."""
    whole = bytearray(_damaged(recorder))
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 40960] = os.urandom(40960)
    recorder.path.write_bytes(bytes(whole))
    store, imported = taken(recorder.path)
    assert store.rows
    assert imported.fault is not None


def test_not_a_database_after_all(tmp_path: Path) -> None:
    """A file with a database's first bytes and garbage behind them is refused or said to be damaged."""
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    with pytest.raises((SourceError, CorruptSourceError), match=r"a\.db"):
        open_source(str(tmp_path / "a.db"))


def test_text_that_is_not_utf8(recorder: Recorder) -> None:
    """A state that is not UTF-8 is read with replacements; nothing before or behind it is lost."""
    for n in range(3):
        recorder.state("sensor.a", str(n), NOON + n)
    recorder.db.execute("UPDATE states SET state = CAST(x'ff41' AS TEXT) WHERE state_id = 2")
    store, _ = taken(recorder.path)
    assert [row["state"] for row in store.rows.values()] == ["0", "�A", "2"]


@given(st.floats(0, 4e9))
def test_times_are_rounded_as_home_assistant_does(seconds: float) -> None:
    """A time in the database becomes the µs that Home Assistant's own event had, so copies are one event."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    expected = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    assert int(microseconds(np.array([seconds]))[0]) == expected

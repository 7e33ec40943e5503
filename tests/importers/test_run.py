"""Importing into a store."""

import datetime as dt
from pathlib import Path

import pytest

from quotidian.errors import CorruptSourceError
from quotidian.importers import import_source, open_source
from quotidian.model import Day
from quotidian.store import connect
from quotidian.store.protocols import IMPORT, Appended

from .recorded import NOON, Recorder, RecordingStore, taken


def test_same_source_twice_adds_nothing(tmp_path: Path) -> None:
    """Imported twice, even by another name, a history stands in the store once, on its own days; retention waits."""
    recorder = Recorder(tmp_path / "a.db")
    recorder.state("light.a", "on", NOON, attributes={"brightness": 3})
    recorder.state("light.a", "off", NOON + 60)
    recorder.db.close()
    copy = tmp_path / "b.db"
    copy.write_bytes(recorder.path.read_bytes())
    store = connect(tmp_path / "store")
    told: list[tuple[int, int | None]] = []

    def tell(read: int, total: int | None) -> None:
        told.append((read, total))
        assert not store.hold(IMPORT, "nobody else", 1)

    def run(path: Path) -> Appended:
        source = open_source(str(path), zone="Europe/Berlin")
        return import_source(store, source, tell).appended

    assert [run(recorder.path), run(recorder.path), run(copy)] == [Appended(2, 0), Appended(0, 0), Appended(0, 2)]
    assert told == [(2, 2), (2, 2)]
    assert store.hold(IMPORT, "somebody", 1), "it is held on to"
    assert store.home.zone == "Europe/Berlin"
    day = store.day_events(Day.of(dt.date(2025, 10, 9), "Europe/Berlin"))
    assert day["state"].to_pylist() == ["on", "off"]
    assert day["attributes"].to_pylist() == ['{"brightness":3}', None]
    store.close()


def test_stopped_import_keeps_what_was_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in the middle loses nothing: the next run goes on behind the last batch."""
    monkeypatch.setattr("quotidian.importers.history_csv._CHUNK", 10)
    monkeypatch.setattr("quotidian.importers.batch.ROWS", 10)
    path = tmp_path / "a.csv"
    rows = "".join(f"light.a,{n},2025-10-09T08:53:{n:02}Z\n" for n in range(50))
    path.write_text("entity_id,state,last_changed\n" + rows)
    store = RecordingStore()

    def stop(_read: int, _total: int | None) -> None:
        if store.batches == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_source(store, open_source(str(path), zone="UTC"), stop)  # type: ignore[arg-type]
    assert len(store.rows) == 30
    assert taken(path, store, zone="UTC")[1].read == 20
    assert len(store.rows) == 50


def test_damage_without_anything_good_is_an_error(tmp_path: Path) -> None:
    """When nothing could be read before the damage, importing fails instead of reporting success."""
    recorder = Recorder(tmp_path / "a.db")
    recorder.db.execute("BEGIN")
    for n in range(2000):
        recorder.state("sensor.a", str(n) * 20, NOON + n)
    recorder.db.execute("COMMIT")
    root = recorder.db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'states'").fetchone()[0]
    recorder.db.close()
    whole = bytearray(recorder.path.read_bytes())
    whole[(root - 1) * 4096 : root * 4096] = b"\x99" * 4096
    recorder.path.write_bytes(bytes(whole))
    with pytest.raises(CorruptSourceError, match="is damaged"):
        taken(recorder.path)

"""Claims about a backup of a store whose finished days and summaries lie in InfluxDB."""

import threading
from contextlib import closing
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.errors import CorruptStoreError, UnreachableError
from quotidian.model import Integers
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.backup.local import set_aside

from ..contracts.in_influx import in_influx  # noqa: TID252 - tests are no package
from .backups import OLDER, archive_of, content, filled, learned, restored
from .delivered import DAYS, MONDAY, START, check, delivery


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give a store with something in every layer, whose finished days are in InfluxDB."""
    monkeypatch.setattr(clock, "now", lambda: START + 10 * 86_400_000_000)
    store = in_influx(tmp_path / "influx", Settings({}))
    for number in range(OLDER):
        store.receive(delivery(number))
    store.seal(MONDAY.replace(day=MONDAY.day + DAYS - 1))
    learned(store)
    while store.settle():
        pass
    return store


def test_it_is_restored_into_files(store: Store, tmp_path: Path) -> None:
    """The backup holds days and summaries themselves: opened without InfluxDB, every layer is what it was."""
    with closing(store):
        packed = archive_of(store)
        before = layers(store)
    assert not [*(tmp_path / "influx").glob("events/*/*/*")]
    assert restored(packed, tmp_path / "new").days == DAYS - 1
    with closing(connect(tmp_path / "new", Settings({}))) as again:
        check(again, OLDER)
        assert layers(again) == before
    filled(tmp_path / "plain", OLDER)
    names = {name.split("/")[2] for name in content(tmp_path / "plain")[1]}
    assert {name.split("/")[2] for name in content(tmp_path / "new")[1]} == names


def layers(store: Store) -> list[object]:
    """Give what was learned."""
    return [
        store.summary("a", 1, MONDAY, MONDAY),
        store.carries(MONDAY),
        store.period_summary("weekly", "a", 1, MONDAY, MONDAY),
        store.patterns(),
        store.marks(),
    ]


def test_it_is_made_in_another_thread(store: Store) -> None:
    """What is asked of InfluxDB is asked beside the store's thread, with connections of its own; the store goes on."""
    with closing(store), closing(store.backup()) as backup:
        days: list[int] = []
        thread = threading.Thread(target=lambda: days.append(backup.manifest.days))
        thread.start()
        store.receive(delivery(OLDER))
        thread.join()
        assert days == [DAYS - 1]
        check(store, OLDER + 1)


def test_without_influxdb_there_is_none(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that InfluxDB does not answer, and nothing is left."""
    with closing(store), closing(store.backup()) as backup:
        nobody = Settings({"INFLUXDB_URL": "http://127.0.0.1:9", "INFLUXDB_TOKEN": "x", "INFLUXDB_ORG": "x"})
        monkeypatch.setattr(backup._backing, "_settings", nobody)  # type: ignore[attr-defined]
        with pytest.raises(UnreachableError):
            backup.manifest  # noqa: B018 - made when it is asked for
    assert not [*(tmp_path / "influx" / "snapshot").iterdir()]


def test_what_has_changed_meanwhile_is_no_damage(store: Store, tmp_path: Path) -> None:
    """A day that was moved again is whole in the store; a summary that was is due where the backup is restored."""
    with closing(store):
        with closing(store.backup()) as backup:
            store.receive(delivery(OLDER))
            store.seal(MONDAY.replace(day=MONDAY.day + DAYS - 1))
            with pytest.raises(CorruptStoreError):
                backup.manifest  # noqa: B018 - made when it is asked for
            assert not set_aside(store, backup)
        with closing(store.backup()) as backup:
            (first, *_) = store.days()
            store.put_day(first.date, {"a": (1, Integers(("light.0=off",)))}, {}, first.revision)
            packed = b"".join(backup.chunks())
        restored(packed, tmp_path / "new")
        with closing(connect(tmp_path / "new", Settings({}))) as again:
            assert not again.summary("a", 1, MONDAY, MONDAY).days
            assert again.days()[0].due

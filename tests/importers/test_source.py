"""Opening a source, whatever it is."""

import gc
import gzip
import io
import json
import sqlite3
import tarfile
import tempfile
from pathlib import Path

import pytest

from quotidian.errors import CorruptSourceError, DiskFullError, SourceError
from quotidian.importers import open_source
from quotidian.importers.zones import checked_zone, machine_zone

from .recorded import NOON, Recorder, taken


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Make a recorder database with one state."""
    recorder = Recorder(tmp_path / "home-assistant_v2.db")
    recorder.state("light.a", "on", NOON)
    recorder.db.close()
    return recorder.path


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where databases are unpacked."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _backup(folder: Path, database: Path, **told: object) -> Path:
    config = json.dumps({"data": {"time_zone": "Asia/Tokyo"}}).encode()
    inner = _tar(
        {
            "data/home-assistant_v2.db": database.read_bytes(),
            "data/.storage/core.config": config,
            "../../outside": b"x",
            "data/../../home-assistant_v2.db": b"x",
        },
        "w:gz",
    )
    path = folder / "backup.tar"
    about = json.dumps({"name": "b", **told}).encode()
    path.write_bytes(_tar({"./backup.json": about, "./homeassistant.tar.gz": inner}))
    return path


def test_backup(tmp_path: Path, database: Path, unpacked: Path) -> None:
    """A backup's database is imported with the zone beside it, from a directory that is removed afterwards."""
    path = _backup(tmp_path, database, protected=False)
    before = set(tmp_path.parent.rglob("outside"))
    steps: list[int] = []
    source = open_source(str(path), unpacking=steps.append)
    assert source.kind == "Home Assistant recorder in a backup (schema 50)"
    assert len(list(unpacked.iterdir())) == 1
    del source
    gc.collect()
    store, imported = taken(path)
    gc.collect()
    assert (len(store.rows), store.home.zone, imported.fault) == (1, "Asia/Tokyo", None)
    assert list(unpacked.iterdir()) == []
    assert set(tmp_path.parent.rglob("outside")) == before
    assert steps[-1] >= database.stat().st_size


def test_encrypted_backup(tmp_path: Path, database: Path, unpacked: Path) -> None:
    """An encrypted backup is refused with the remedy, whether it says so itself or its content does."""
    secret = tmp_path / "secret.tar"
    secret.write_bytes(_tar({"homeassistant.tar.gz": b"SecureTar\x02\0\0\0\0\0\0" + b"\x8f" * 900}))
    older = tmp_path / "older.tar"
    older.write_bytes(_tar({"homeassistant.tar.gz": b"\x8f" * 9000}))
    for path in (_backup(tmp_path, database, protected=True), secret, older):
        with pytest.raises(SourceError, match="Make a backup without a password"):
            open_source(str(path))
    assert list(unpacked.iterdir()) == []


def test_backup_without_history(tmp_path: Path, unpacked: Path) -> None:
    """A backup without a database is refused."""
    path = tmp_path / "a.tar"
    path.write_bytes(_tar({"./backup.json": b"{}", "./homeassistant.tar.gz": _tar({"data/x": b""}, "w:gz")}))
    with pytest.raises(SourceError, match="is an archive without"):
        open_source(str(path))


def test_truncated_backup(tmp_path: Path, database: Path, unpacked: Path) -> None:
    """A backup that lost its end is said to be damaged, and nothing of it stays behind."""
    path = _backup(tmp_path, database)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    with pytest.raises(CorruptSourceError, match=r"backup\.tar"):
        open_source(str(path))
    assert list(unpacked.iterdir()) == []


def test_no_room(tmp_path: Path, database: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room on the disk nothing is unpacked, and the remedy is named."""
    monkeypatch.setattr("quotidian.importers.backup._SPARE", 1 << 60)
    with pytest.raises(DiskFullError, match="TMPDIR"):
        open_source(str(_backup(tmp_path, database)))
    assert list(unpacked.iterdir()) == []


def test_packed_database(tmp_path: Path, database: Path, unpacked: Path) -> None:
    """A database may be packed."""
    path = tmp_path / "any.name"
    path.write_bytes(gzip.compress(database.read_bytes()))
    assert len(taken(path)[0].rows) == 1
    gc.collect()
    assert list(unpacked.iterdir()) == []


def test_database_from_standard_input(database: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database may come from standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(database.read_bytes())))
    assert len(taken("-")[0].rows) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF\0\0\0", "it is binary"),
        (b"PK\x03\x04....", "is a zip archive"),
        ("entity_id".encode("utf-16"), "is UTF-16"),
    ],
)
def test_files_that_are_nothing(tmp_path: Path, content: bytes, words: str) -> None:
    """What cannot be a history is refused, saying what it is."""
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        open_source(str(path))


@pytest.mark.parametrize("where", ["nothing/here.db", "ftp://home/history.csv"])
def test_missing(where: str) -> None:
    """A file that is not there is said not to be."""
    with pytest.raises(SourceError, match="There is no file"):
        open_source(where)


def test_directory(database: Path) -> None:
    """A directory is refused; where a database is in it, it is named."""
    with pytest.raises(SourceError, match=r"is a directory.*home-assistant_v2\.db"):
        open_source(str(database.parent))


def test_gzip_of_garbage(tmp_path: Path) -> None:
    """A packed file that is damaged from its beginning is an error that names it."""
    path = tmp_path / "a.gz"
    path.write_bytes(b"\x1f\x8b\x08\0" + b"garbage" * 10)
    with pytest.raises(CorruptSourceError, match=r"a\.gz is damaged"):
        open_source(str(path))


def test_path_is_quoted(tmp_path: Path, database: Path) -> None:
    """Signs that mean something in a database's address are only part of its path."""
    strange = tmp_path / "a?mode=rwc&b#c %41"
    strange.mkdir()
    database.rename(strange / "x y.db")
    assert len(taken(strange / "x y.db")[0].rows) == 1


def test_database_is_not_changed(database: Path) -> None:
    """Reading leaves every byte of the database as it was."""
    before = database.read_bytes()
    taken(database)
    assert database.read_bytes() == before
    sqlite3.connect(database).close()


@pytest.mark.parametrize(("name", "meant"), [("Europe/Berln", "Europe/Berlin"), ("new york", "America/New_York")])
def test_unknown_zone(name: str, meant: str) -> None:
    """An unknown zone is refused with the ones that look alike."""
    with pytest.raises(SourceError, match=meant):
        checked_zone(name)


def test_machine_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone is what TZ says; what it says is no zone, never an error."""
    monkeypatch.setenv("TZ", ":Pacific/Apia")
    assert machine_zone() == "Pacific/Apia"
    monkeypatch.setenv("TZ", "../../etc/passwd")
    assert checked_zone(machine_zone())

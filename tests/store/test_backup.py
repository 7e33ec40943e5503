"""Claims about backups: they hold what the store held, and are put in its place wholly or not at all."""

import contextlib
import datetime as dt
import errno
import hashlib
import io
import json
import os
import pty
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from quotidian.errors import (
    CorruptError,
    CorruptSourceError,
    CorruptStoreError,
    DiskFullError,
    QuotidianError,
    SettingError,
    SourceError,
    StoreBusyError,
    StoreRefusedError,
)
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.backup import cipher, restoring
from quotidian.store.backup.file import written
from quotidian.store.backup.local import set_aside

from ..killing import ROOT, command  # noqa: TID252 - tests are no package
from .backups import OLDER, archive_of, content, filled, nobody, restored, unseen
from .delivered import DAYS, MONDAY, SIZE, check, delivery

BLOCK = 512


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a closed store with something in every layer; not to be changed."""
    directory = tmp_path_factory.mktemp("kept") / "store"
    filled(directory, OLDER)
    return directory


@pytest.fixture(scope="module")
def packed(kept: Path) -> bytes:
    """Give a backup of it."""
    store = connect(kept, Settings({}))
    with closing(store):
        return archive_of(store)


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Iterator[Store]:
    """Give a store like it that may be changed."""
    shutil.copytree(kept, tmp_path / "store")
    made = connect(tmp_path / "store", Settings({}))
    yield made
    made.close()


class TestWhole:
    def test_what_is_restored_is_what_was_there(self, kept: Path, packed: bytes, tmp_path: Path) -> None:
        """Every row of every table, every file to the byte; and the chain of certificates is whole."""
        told = restored(packed, tmp_path / "new")
        tables, files = content(tmp_path / "new")
        assert (tables, files) == content(kept)
        assert (told.days, told.events) == (len(files), OLDER * DAYS)
        assert len(files) == DAYS - 1
        store = connect(tmp_path / "new", Settings({}))
        with closing(store):
            check(store, OLDER)

    def test_it_is_a_plain_tar_that_says_what_is_in_it(self, kept: Path, packed: bytes) -> None:
        """Any tar opens it; the manifest has size and SHA-256 of each member, and its own beside it."""
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            found = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
        told = found.pop("manifest.json")
        assert found.pop("manifest.sha256").split() == [hashlib.sha256(told).hexdigest().encode(), b"manifest.json"]
        members = {one.pop("name"): one for one in json.loads(told)["members"]}
        assert members == {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in found.items()
        }
        assert {*found} == {"quotidian.sqlite", *content(kept)[1]}

    def test_nothing_but_the_store_is_in_it(self, store: Store, tmp_path: Path) -> None:
        """Neither the secret nor tokens, settings or what waits in the spool (R19)."""
        directory = tmp_path / "store"
        canaries = {
            name: f"canary-of-{name}" for name in ("secret", "tokens.json", ".env", "quotidian.toml", "spool/1")
        }
        for name, canary in canaries.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(canary)
        data = archive_of(store)
        assert not any(canary.encode() in data for canary in canaries.values())

    def test_what_lies_beside_a_store_stays(self, packed: bytes, tmp_path: Path) -> None:
        """A restore leaves tokens, the secret and the spool alone, and keeps what it replaces."""
        directory = tmp_path / "store"
        filled(directory, OLDER + 1)
        before = content(directory)
        told = restored(packed, directory, replace=True)
        assert told.aside is not None
        assert content(Path(told.aside)) == before
        assert (directory / "secret").read_text() == "kept"
        again = connect(directory, Settings({}))
        with closing(again):
            assert again.received("victim") == OLDER * SIZE

    def test_a_store_is_not_replaced_unasked(self, kept: Path, packed: bytes, tmp_path: Path) -> None:
        """Neither a store nor days without their database."""
        for lost in ((), ("quotidian.sqlite",)):
            directory = tmp_path / f"store{len(lost)}"
            shutil.copytree(kept, directory)
            for name in lost:
                (directory / name).unlink()
            with pytest.raises(StoreRefusedError, match="--replace"):
                restored(packed, directory)
            assert (
                content(kept)[1].items()
                <= {
                    path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.glob("events/*/*/*")
                }.items()
            )

    def test_a_store_in_use_is_not_replaced(self, store: Store, packed: bytes, tmp_path: Path) -> None:
        """Somebody who has it open is not robbed of it."""
        with pytest.raises(StoreBusyError, match="in use"):
            restored(packed, tmp_path / "store", replace=True)
        check(store, OLDER)


class TestMoment:
    def test_what_comes_meanwhile_is_not_in_it(self, store: Store, kept: Path, tmp_path: Path) -> None:
        """Deliveries, sealed days and what is forgotten after the moment: the backup is as of the moment."""
        with closing(store.backup()) as backup:
            store.receive(delivery(OLDER))
            store.seal(MONDAY + DAYS * dt.timedelta(days=1))
            store.forget("light.1")
            data = b"".join(backup.chunks())
        restored(data, tmp_path / "new")
        assert content(tmp_path / "new") == content(kept)
        assert not [*(tmp_path / "store" / "snapshot").iterdir()]

    def test_where_files_cannot_be_linked(self, store: Store, kept: Path, tmp_path: Path) -> None:
        """They are copied instead."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, "link", refuse)
            backup = store.backup()
        with closing(backup):
            restored(b"".join(backup.chunks()), tmp_path / "new")
        assert content(tmp_path / "new") == content(kept)

    def test_a_damaged_day_is_said_and_the_next_backup_goes_without_it(self, store: Store, tmp_path: Path) -> None:
        """A backup never has a day that is not what was written."""
        damaged = next((tmp_path / "store").glob("events/*/*/*"))
        damaged.write_bytes(damaged.read_bytes()[:-9] + b"#" * 9)
        with closing(store.backup()) as backup:
            with pytest.raises(CorruptStoreError, match=damaged.parent.name.removeprefix("date=")):
                backup.manifest  # noqa: B018 - made when it is asked for
            set_aside(store, backup)
        assert restored(archive_of(store), tmp_path / "new").days == DAYS - 2

    def test_little_space_is_said_before(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sentence has both figures."""
        usage = shutil.disk_usage("/")._replace(free=1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(DiskFullError, match=r"MB are needed, 1\.0 MB are free"):
            store.backup()


def refuse(*_: object) -> None:
    """Do as a filesystem without links."""
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


class TestKilled:
    def test_killed_at_every_step(self, tmp_path: Path) -> None:
        """A killed backup leaves nothing that matters; after a killed restore the store is the old or the new one."""
        ended = subprocess.run(
            command("store.restored", tmp_path), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert int(ended.stdout) > 40


class TestDamage:
    def test_every_flipped_bit_is_noticed(self, packed: bytes, tmp_path: Path) -> None:
        """A bit flipped anywhere is refused, and nothing is made where the store was to be."""
        for place in [*range(0, 4 * BLOCK, 97), *range(4 * BLOCK, len(packed), len(packed) // 150)]:
            damaged = bytearray(packed)
            damaged[place] ^= 1 << place % 8
            with pytest.raises((SourceError, CorruptSourceError)):
                restored(bytes(damaged), tmp_path / "new")
            assert not (tmp_path / "new" / "quotidian.sqlite").exists(), place

    def test_every_cut_is_noticed(self, packed: bytes, tmp_path: Path) -> None:
        """However short it is cut: refused."""
        for size in [0, 1, BLOCK, *range(2 * BLOCK, len(packed), len(packed) // 60), len(packed) - 1]:
            with pytest.raises((SourceError, CorruptSourceError)):
                restored(packed[:size], tmp_path / "new")

    def test_the_damaged_member_is_named(self, packed: bytes, tmp_path: Path) -> None:
        """Its name is in the sentence, for damage and for a cut; the store that was there is as it was."""
        filled(tmp_path / "store", 1)
        before = content(tmp_path / "store")
        for name, place in offsets(packed).items():
            flipped = packed[: place + 9] + bytes([packed[place + 9] ^ 1]) + packed[place + 10 :]
            for damaged in (flipped, packed[: place + 9]):
                # The manifest and its sum speak for each other.
                with pytest.raises(CorruptSourceError, match=name.replace("sha256", "json|sha256")):
                    restored(damaged, tmp_path / "store", replace=True)
        assert content(tmp_path / "store") == before

    def test_a_day_that_the_ledger_does_not_know_as_it_is(self, packed: bytes, tmp_path: Path) -> None:
        """A manifest alone is not believed: each day is compared with the database's ledger."""
        data = dict(members(packed))
        day = next(name for name in data if name.startswith("events/"))
        for changed, what in (({**data, day: b"another"}, "is not what"), (without(data, day), "is not what")):
            with pytest.raises(CorruptSourceError, match=f"{day}.*{what}"):
                restored(made(changed), tmp_path / "new")
        with pytest.raises(CorruptSourceError, match="does not know"):
            restored(made(data | {day.replace("date=2026", "date=2027"): data[day]}), tmp_path / "new")

    def test_a_damaged_database(self, packed: bytes, tmp_path: Path) -> None:
        """Checked by SQLite itself before anything is switched."""
        data = dict(members(packed))
        base = data["quotidian.sqlite"]
        for damaged in (b"no database" * 100, base[:20_000] + bytes(9000) + base[29_000:]):
            with pytest.raises((CorruptError, QuotidianError), match=r"quotidian\.sqlite"):
                restored(made(data | {"quotidian.sqlite": damaged}), tmp_path / "new")
            assert not (tmp_path / "new" / "quotidian.sqlite").exists()


class TestHostile:
    @pytest.mark.parametrize(
        "name",
        [
            *("/etc/cron.d/x", "../../x", "events/../../x", "secret", "tokens.json", "lock", "quotidian.sqlite-wal"),
            "events/home=5f0c3c1e-8f0e-4c4a-9d55-0d6c0f3f9a11/date=2026-11-22/../../../x.parquet",
            "events/home=5f0c3c1e-8f0e-4c4a-9d55-0d6c0f3f9a11/date=2026-11-22/x\n.parquet",
        ],
    )
    def test_a_place_that_is_none_of_a_store(self, packed: bytes, tmp_path: Path, name: str) -> None:
        """A name that leads elsewhere is refused, whatever the manifest says."""
        with pytest.raises(SourceError, match="no place in a store"):
            restored(made(dict(members(packed)) | {name: b"x"}), tmp_path / "new")
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, b"x", b"L"])
    def test_what_is_no_plain_file(self, packed: bytes, tmp_path: Path, kind: bytes) -> None:
        """Links, devices, directories and extended headers are refused before they are read."""
        data = bytearray(packed)
        place = offsets(packed)["quotidian.sqlite"] - BLOCK
        header = tarfile.TarInfo.frombuf(bytes(data[place : place + BLOCK]), "utf-8", "strict")
        header.type, header.linkname = kind, "/etc/passwd"
        data[place : place + BLOCK] = header.tobuf(tarfile.USTAR_FORMAT)
        with pytest.raises(SourceError, match="no plain file"):
            restored(bytes(data), tmp_path / "new")

    def test_more_than_was_announced(self, packed: bytes, tmp_path: Path) -> None:
        """A member twice, one that is larger than the manifest says, one more, and bytes behind the end."""
        data = members(packed)
        more = [
            made([*data, data[-1]]),
            made(data, sizes={"quotidian.sqlite": 10}),
            made(data, announced=data[:-1]),
            packed + b"x",
        ]
        for one in more:
            with pytest.raises((SourceError, CorruptSourceError)):
                restored(one, tmp_path / "new")
            assert not (tmp_path / "new" / "quotidian.sqlite").exists()

    def test_a_manifest_without_end(self, tmp_path: Path) -> None:
        """A manifest or a key that says it has gigabytes is not read."""
        for name in ("manifest.json", "identity.age"):
            told = tarfile.TarInfo(name)
            told.size = 5_000_000_000
            endless = told.tobuf(tarfile.USTAR_FORMAT) + bytes(10_000)
            with pytest.raises(SourceError, match="larger than"):
                restored(endless, tmp_path / "new")
        assert not (tmp_path / "new").exists()

    def test_of_a_newer_version(self, packed: bytes, tmp_path: Path) -> None:
        """A newer format or schema is refused with both numbers."""
        for field in ("format", "schema"):
            with pytest.raises(SourceError, match=f"newer Quotidian.*{field} 99"):
                restored(made(members(packed), **{field: 99}), tmp_path / "new")
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("data", [b"", b"no tar" * 500, b"PK\3\4" + bytes(2000), b"age-encryption.org/v1\n" * 90])
    def test_what_is_no_backup(self, data: bytes, tmp_path: Path) -> None:
        """Another file is said to be none, and nothing is made."""
        with pytest.raises((SourceError, CorruptSourceError)):
            restored(data, tmp_path / "new")
        assert not (tmp_path / "new").exists()


class TestEncrypted:
    def test_the_passphrase_opens_it_and_another_does_not(self, kept: Path, packed: bytes, tmp_path: Path) -> None:
        """Nothing of the home can be read in it; the program age opens it, too."""
        sink = io.BytesIO()
        cipher.write(iter([packed]), len(packed), sink, "correct horse")
        sealed = sink.getvalue()
        assert b"light." not in sealed
        assert b"quotidian.sqlite" not in sealed
        restored(sealed, tmp_path / "new", passphrase=lambda: "correct horse")
        assert content(tmp_path / "new") == content(kept)
        with pytest.raises(SourceError, match=r"identity\.age"):
            restored(sealed, tmp_path / "other", passphrase=lambda: "correct pony")
        assert not (tmp_path / "other").exists()
        opened_by_age(sealed, b"correct horse", tmp_path, packed)

    def test_what_is_damaged_is_refused(self, packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Flipped or cut, at the start, in the middle and at the end."""
        monkeypatch.setattr(cipher.pyrage, "passphrase", Plain)
        sink = io.BytesIO()
        cipher.write(iter([packed]), len(packed), sink, "x")
        sealed = sink.getvalue()
        for place in range(BLOCK, len(sealed), len(sealed) // 40):
            for damaged in (sealed[:place], sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]):
                with pytest.raises((SourceError, CorruptSourceError)):
                    restored(damaged, tmp_path / "new", passphrase=lambda: "x")
        assert not (tmp_path / "new" / "quotidian.sqlite").exists()
        assert restored(sealed, tmp_path / "new", passphrase=lambda: "x").days == DAYS - 1


class Plain:
    """A cipher for keys that takes no time."""

    @staticmethod
    def encrypt(data: bytes, passphrase: str) -> bytes:
        return passphrase.encode() + data

    @staticmethod
    def decrypt(data: bytes, passphrase: str) -> bytes:
        return data.removeprefix(passphrase.encode())


class TestFile:
    def test_it_has_its_name_when_all_of_it_is_there(self, tmp_path: Path) -> None:
        """Nobody finds half a backup under its name, nor anything after a failure; it is for its owner's eyes."""
        path = tmp_path / "backup.tar"
        with contextlib.suppress(ZeroDivisionError), written(path) as sink:
            sink.write(b"half")
            assert not path.exists()
            raise ZeroDivisionError
        assert not [*tmp_path.iterdir()]
        with written(path) as sink:
            sink.write(b"whole")
        assert path.read_bytes() == b"whole"
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_file_that_is_there_stays(self, tmp_path: Path) -> None:
        """Unless it is to be replaced; then it is there until the new one is whole."""
        path = tmp_path / "backup.tar"
        path.write_bytes(b"old")
        with pytest.raises(SettingError, match="--replace"), written(path):
            pass
        with contextlib.suppress(ZeroDivisionError), written(path, replace=True) as sink:
            sink.write(b"half")
            raise ZeroDivisionError
        assert path.read_bytes() == b"old"
        with written(path, replace=True) as sink:
            sink.write(b"new")
        assert path.read_bytes() == b"new"

    def test_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        """It is named, not the file that is written meanwhile."""
        with (
            pytest.raises(SettingError, match=r"There is no directory .*elsewhere\."),
            written(tmp_path / "elsewhere/b"),
        ):
            pass

    def test_a_link_in_its_way(self, tmp_path: Path) -> None:
        """Where everybody may write, nobody leads it astray."""
        (tmp_path / "precious").write_bytes(b"precious")
        (tmp_path / ".backup.tar.unfinished").symlink_to(tmp_path / "precious")
        with pytest.raises(OSError, match="symbolic links"), written(tmp_path / "backup.tar"):
            pass
        assert (tmp_path / "precious").read_bytes() == b"precious"

    def test_two_at_once(self, tmp_path: Path) -> None:
        """The second is refused, and the first goes on."""
        path = tmp_path / "backup.tar"
        with written(path) as sink:
            with pytest.raises(StoreBusyError), written(path):
                pass
            sink.write(b"first")
        assert path.read_bytes() == b"first"


def test_a_full_disk_leaves_no_half_archive(small_disk: Path, opened: Callable[..., Store]) -> None:
    """Where the space ends in the middle it is said, and what was written of it is gone; the store is as it was."""
    store = opened()
    for number in range(OLDER):
        store.receive(delivery(number))
    path = small_disk / "backup.tar"
    with pytest.raises(DiskFullError, match="No space is left for the backup"), written(path) as sink:
        cipher.write((bytes(100_000) for _ in range(100)), 10_000_000, sink)
    assert not [*small_disk.iterdir()]
    check(store, OLDER)


def test_a_full_disk_keeps_the_old_store(small_disk: Path, packed: bytes) -> None:
    """A backup that does not fit is refused before anything is changed."""
    filled(small_disk / "store", 1)
    before = content(small_disk / "store")
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 20_000))
    with pytest.raises(DiskFullError, match="are needed"):
        restored(packed, small_disk / "store", replace=True)
    (small_disk / "ballast").unlink()
    assert content(small_disk / "store") == before


def test_verifying_changes_nothing_and_finds_what_restoring_would(packed: bytes) -> None:
    """The same checks, without a place for the store."""
    assert restoring.verify(io.BytesIO(packed), nobody, unseen).events == OLDER * DAYS
    data = dict(members(packed))
    day = next(name for name in data if name.startswith("events/"))
    with pytest.raises(CorruptSourceError, match=day):
        restoring.verify(io.BytesIO(made(data | {day: b"another"})), nobody, unseen)


# archives, taken apart and put together


def offsets(packed: bytes) -> dict[str, int]:
    """Give where each member's bytes begin."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {one.name: one.offset_data for one in archive}


def members(packed: bytes) -> list[tuple[str, bytes]]:
    """Give the members behind the manifest."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = [(one.name, archive.extractfile(one).read()) for one in archive]  # type: ignore[union-attr]
    return found[2:]


def without(data: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Leave a member out."""
    return {other: content for other, content in data.items() if other != name}


def made(data: Any, announced: Any = None, sizes: dict[str, int] | None = None, **told: int) -> bytes:
    """Make an archive whose manifest agrees with what is in it, but for what is said to be otherwise."""
    data = [*data.items()] if isinstance(data, dict) else data
    home = next(name for name, _ in data if name.startswith("events/"))[len("events/home=") :][:36]
    rows = [
        {"name": name, "size": (sizes or {}).get(name, len(one)), "sha256": hashlib.sha256(one).hexdigest()}
        for name, one in (data if announced is None else announced)
    ]
    manifest = {"format": 1, "version": "9", "schema": 3, "home": home, "made": "2026-11-22T00:00:00+00:00"} | told
    head = json.dumps({**manifest, "members": rows}).encode()
    digest = f"{hashlib.sha256(head).hexdigest()}  manifest.json\n".encode()
    sink = io.BytesIO()
    for name, one in [("manifest.json", head), ("manifest.sha256", digest), *data]:
        header = tarfile.TarInfo(name)
        header.size = len(one)
        sink.write(header.tobuf(tarfile.USTAR_FORMAT) + one + bytes(-len(one) % BLOCK))
    return sink.getvalue() + bytes(2 * BLOCK)


def opened_by_age(sealed: bytes, passphrase: bytes, folder: Path, wanted: bytes) -> None:
    """Open an encrypted backup with the program age, if it is there."""
    if shutil.which("age") is None:
        pytest.skip("NOT TESTED: Debian's age is not installed (make test-components)")
    with tarfile.open(fileobj=io.BytesIO(sealed)) as archive:
        for one in archive:
            (folder / one.name).write_bytes(archive.extractfile(one).read())  # type: ignore[union-attr]
    words = ["age", "--decrypt", "--identity", "identity.age", "--output", "opened.tar", "quotidian.tar.age"]
    pid, terminal = pty.fork()  # it asks a terminal, and nobody else
    if pid == 0:
        os.chdir(folder)
        os.execvp(words[0], words)
    while b"passphrase" not in os.read(terminal, 1000):
        pass
    os.write(terminal, passphrase + b"\n")
    with contextlib.suppress(OSError):
        while os.read(terminal, 1000):
            pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (folder / "opened.tar").read_bytes() == wanted

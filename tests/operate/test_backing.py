"""Claims about ``quotidian backup`` and ``quotidian restore``, as a person types them."""

import json
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.operate.console import Stages
from quotidian.store.backup import cipher

from ..pipeline import COMMAND  # noqa: TID252 - tests are no package
from .conftest import Ran, ran

NOON = 1_795_345_200_000_000  #: 2026-11-22, 11:00 UTC


@pytest.fixture
def folder(lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a store that has learned, at noon of a Sunday."""
    shutil.copytree(lived, tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    return tmp_path


def tables(store: Path) -> list[str]:
    """Give all that a store's database holds."""
    with closing(sqlite3.connect(store / "quotidian.sqlite")) as database:
        return [*database.iterdump()]


class TestBackup:
    def test_it_is_named_after_the_day_and_can_be_restored(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """Without a name it lies in the working directory; verified and restored it has all layers."""
        told = quotidian("backup")
        assert "Wrote quotidian-2026-11-22.tar" in told.output
        verified = ran("backup", "--verify", "quotidian-2026-11-22.tar", "--json").json
        restored = ran("restore", "quotidian-2026-11-22.tar", "--data", folder / "new", "--json").json
        assert restored["place"] == str(folder / "new")
        assert {**restored, "place": None} == {**verified, "place": None}
        assert tables(folder / "new") == tables(folder / "store")
        assert ran("patterns", "--data", folder / "new", "--json").output == quotidian("patterns", "--json").output

    def test_json_says_what_was_written(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """The file, its size, and what is in it."""
        told = quotidian("backup", "here.tar", "--json").json
        assert told["bytes"] == (folder / "here.tar").stat().st_size
        assert (told["file"], told["encrypted"]) == ("here.tar", False)
        assert told["made"] == "2026-11-22T11:00:00+00:00"

    def test_a_file_that_is_there_is_not_written_over(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """Unless one says so."""
        (folder / "here.tar").write_bytes(b"precious")
        refused = quotidian("backup", "here.tar")
        assert refused.code == 1
        assert "--replace" in refused.errors
        assert (folder / "here.tar").read_bytes() == b"precious"
        assert quotidian("backup", "here.tar", "--replace").code == 0
        assert ran("backup", "--verify", "here.tar").code == 0

    def test_without_a_store_nothing_is_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One sentence, and neither a file nor a directory."""
        monkeypatch.chdir(tmp_path)
        told = ran("backup", "--data", tmp_path / "none")
        assert told.code == 1
        assert "There is no store" in told.errors
        assert not [*tmp_path.iterdir()]


class TestPassphrase:
    def test_of_a_file(self, folder: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
        """It encrypts and decrypts; a wrong one and none are said, and it is in no output (R19)."""
        keys: list[bytes] = []
        # The real one takes seconds, which tests of the store spend.
        monkeypatch.setattr(cipher.pyrage, "passphrase", _Plain(keys))
        (folder / "right").write_text("canary passphrase\n")
        (folder / "wrong").write_text("another\n")
        made = quotidian("backup", "here.tar", "--passphrase-file", "right")
        assert "encrypted" in made.output
        with tarfile.open("here.tar") as archive:
            assert archive.getnames() == ["identity.age", "quotidian.tar.age"]
        told = ran("backup", "--verify", "here.tar", "--passphrase-file", "right")
        wrong = ran("restore", "here.tar", "--passphrase-file", "wrong", "--data", folder / "new")
        none = ran("restore", "here.tar", "--data", folder / "new")
        assert (told.code, wrong.code, none.code) == (0, 1, 1)
        assert "identity.age" in wrong.errors
        assert "--passphrase-file" in none.errors
        assert not (folder / "new").exists()
        assert not any("canary" in one.output + one.errors for one in (made, told, wrong, none))

    def test_a_file_that_is_none(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """Empty, of two lines, or no text: said before anything is written."""
        for content in (b"", b"one\ntwo\n", b"\xff\xfe"):
            (folder / "key").write_bytes(content)
            told = quotidian("backup", "here.tar", "--passphrase-file", "key")
            assert (told.code, "key" in told.errors) == (1, True)
        assert not (folder / "here.tar").exists()

    def test_asked_twice(self, folder: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
        """A passphrase that is typed otherwise the second time encrypts nothing."""
        monkeypatch.setattr(cipher.pyrage, "passphrase", _Plain([]))
        typed = iter(["one", "two", "same", "same", "same"])
        monkeypatch.setattr(Stages, "secret", lambda *_: next(typed))
        differ = quotidian("backup", "here.tar", "--encrypt")
        assert (differ.code, "differ" in differ.errors) == (1, True)
        assert not (folder / "here.tar").exists()
        assert quotidian("backup", "here.tar", "--encrypt", "--json").json["encrypted"] is True
        assert ran("backup", "--verify", "here.tar").code == 0

    def test_where_nobody_can_be_asked(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """Without a terminal a passphrase is to be in a file."""
        told = quotidian("backup", "--encrypt")
        assert told.code == 1
        assert "--passphrase-file" in told.errors


class _Plain:
    """Stands for the slow cipher of keys."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    def encrypt(self, data: bytes, passphrase: str) -> bytes:
        self._keys[:] = [data, passphrase.encode()]
        return b"sealed"

    def decrypt(self, data: bytes, passphrase: str) -> bytes:
        if passphrase.encode() != self._keys[1]:
            raise cipher.pyrage.DecryptError("no")
        return self._keys[0]


class TestPipes:
    def test_through_standard_output_and_input(self, folder: Path) -> None:
        """What is sent on is the archive and nothing else; the remark goes to standard error."""
        words = [*COMMAND, "backup", "-", "--data", str(folder / "store")]
        sent = subprocess.run(words, capture_output=True, check=True)
        assert b"Wrote" in sent.stderr
        told = ran("restore", "-", "--data", folder / "new", "--json", given=sent.stdout)
        assert told.json["events"] > 0
        assert tables(folder / "new") == tables(folder / "store")


class TestRestore:
    def test_a_store_that_is_there_is_moved_aside(self, folder: Path, quotidian: Callable[..., Ran]) -> None:
        """Refused first; with --replace the old one is where the answer says, and can be opened there."""
        quotidian("backup", "here.tar")
        before = tables(folder / "store")
        refused = quotidian("restore", "here.tar")
        assert (refused.code, "--replace" in refused.errors) == (1, True)
        told = quotidian("restore", "here.tar", "--replace", "--json").json
        assert tables(Path(told["aside"])) == before
        assert "replaced-2026-11-22" in quotidian("restore", "here.tar", "--replace").output
        assert ran("days", "--data", told["aside"]).code == 0

    def test_into_influxdb_it_says_what_is_next(
        self, folder: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A backup is restored into files; with InfluxDB set, the command that takes it there is named."""
        quotidian("backup", "here.tar")
        monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
        assert (
            "quotidian store copy --from embedded --to influx"
            in ran("restore", "here.tar", "--data", folder / "new").output
        )

    @pytest.mark.parametrize("content", [b"", b"hello", b"age-encryption.org/v1\n" * 40, bytes(4096)])
    def test_what_is_no_backup(self, folder: Path, content: bytes) -> None:
        """One sentence, and nothing is made."""
        (folder / "strange").write_bytes(content)
        told = ran("restore", "strange", "--data", folder / "new")
        assert told.code == 1
        assert told.errors.startswith("Error: The ")
        assert not (folder / "new").exists()

    def test_a_file_that_is_missing(self, folder: Path) -> None:
        """It is named."""
        told = ran("restore", "none.tar", "--data", folder / "new")
        assert (told.code, "none.tar" in told.errors) == (1, True)


def test_the_manifest_is_for_people_too(folder: Path, quotidian: Callable[..., Ran]) -> None:
    """It is JSON in lines, with the version and the home, and no name of an entity."""
    quotidian("backup", "here.tar")
    with tarfile.open("here.tar") as archive:
        content = archive.extractfile("manifest.json").read()  # type: ignore[union-attr]
    told = json.loads(content)
    assert told["format"] == 1
    assert content.count(b"\n") > 5
    assert b"light." not in content

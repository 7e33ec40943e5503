"""Tokens are shown once, and only their hashes are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran

Run = Callable[..., Ran]


def test_a_token_is_shown_once_and_nowhere_kept(quotidian: Run, tmp_path: Path) -> None:
    """Standard output has the token alone; no file of the data directory holds it, and only we may read them."""
    made = quotidian("token", "new", "laptop")
    token = made.output.strip()
    assert token.startswith("qt_")
    assert token not in made.errors
    files = [path for path in (tmp_path / "store").iterdir() if path.is_file()]
    assert all(token.encode() not in path.read_bytes() for path in files)
    assert [path.stat().st_mode & 0o777 for path in files if path.name == "tokens.json"] == [0o600]


def test_tokens_are_listed_by_name_and_revoked(quotidian: Run) -> None:
    """The list has the names; one that was revoked is not on it any more, and can be made again."""
    assert "No tokens" in quotidian("token", "list").output
    quotidian("token", "new", "laptop")
    made = quotidian("token", "new", "prometheus", "--json").json
    assert made["name"] == "prometheus"
    assert [one["name"] for one in quotidian("token", "list", "--json").json] == ["laptop", "prometheus"]
    assert "laptop" in quotidian("token", "list").output
    assert made["token"] not in quotidian("token", "list").output
    assert quotidian("token", "revoke", "laptop").code == 0
    assert [one["name"] for one in quotidian("token", "list", "--json").json] == ["prometheus"]
    assert quotidian("token", "new", "laptop").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("revoke", "nobody"), "There is no token 'nobody'"),
        (("new", "laptop"), "There is a token 'laptop' already"),
        (("new", "bell\a"), "must be text that can be read"),
        (("new", " "), "must be text that can be read"),
    ],
)
def test_names_that_cannot_be_used_are_refused(words: tuple[str, ...], told: str, quotidian: Run) -> None:
    """A name that is there twice, not there, or not readable is an error in a sentence."""
    quotidian("token", "new", "laptop")
    refused = quotidian("token", *words)
    assert refused.code == 1
    assert told in refused.errors


def test_the_file_of_tokens_may_be_another(quotidian: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that is set; where it cannot be written, a sentence says so."""
    monkeypatch.setenv("QUOTIDIAN_TOKENS", str(tmp_path / "shared" / "known.json"))
    quotidian("token", "new", "laptop")
    assert "laptop" in (tmp_path / "shared" / "known.json").read_text("utf-8")
    assert not (tmp_path / "store" / "tokens.json").exists()
    monkeypatch.setenv("QUOTIDIAN_TOKENS", "/proc/quotidian/tokens.json")
    refused = quotidian("token", "new", "laptop")
    assert refused.code == 1
    assert "/proc/quotidian/tokens.json cannot be written" in refused.errors

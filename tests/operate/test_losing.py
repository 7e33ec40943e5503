"""The loss certificates are told so that a loss is seen, and a broken chain is a failure."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from quotidian.model import Home
from quotidian.store import Certificate, Verification, connect

from .conftest import ran

DAY = dt.date(2026, 3, 1)
MINUTE = 60_000_000


class Told:
    """A store that has certified two days; that a real one answers so is seen beside a real Home Assistant."""

    home = Home("home", "Europe/Amsterdam")

    def __init__(self, verification: Verification) -> None:
        self._verification = verification

    def certificates(self, first: dt.date, last: dt.date) -> list[Certificate]:
        whole = Certificate(date=DAY, zone="Europe/Amsterdam", revision=1, received=24_480, number=1, hash="aa")
        poor = Certificate(
            date=DAY + dt.timedelta(days=1),
            zone="Europe/Amsterdam",
            revision=1,
            received=12,
            dead=3,
            missing=7,
            unrecoverable=[(0, 90 * MINUTE)],
            provisional=True,
        )
        assert (last - first).days == 13
        return [whole, poor]

    def verify(self) -> Verification:
        return self._verification


def certified(monkeypatch: pytest.MonkeyPatch, verification: Verification) -> None:
    """Have the command find that store."""

    @contextmanager
    def opened(*_: Any) -> Iterator[Told]:
        yield Told(verification)

    monkeypatch.setattr("quotidian.operate.losing.opened", opened)


def test_losses_stand_out_of_what_went_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each day is one line of at most 80 letters with its counts; a column in which nothing is, is left out."""
    certified(monkeypatch, Verification(1, "ab" * 32))
    told = ran("loss")
    assert told.code == 0
    whole, poor = told.output.splitlines()[1:3]
    assert whole.split() == ["Sun", "2026-03-01", "24,480", "–", "–", "–", "–"]
    assert poor.split() == ["Mon", "2026-03-02", "so", "far", "12", "–", "3", "7", "1", "h", "30", "min"]
    assert "copies" not in told.output
    assert max(map(len, told.output.splitlines())) <= 80
    assert "The chain of certificates (1) is whole; its head is abababababababab." in told.output


@pytest.mark.parametrize("width", [32, 40, 60])
def test_a_narrow_terminal_shows_every_word(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the table has no room, days are told in lines; no name is cut short."""
    certified(monkeypatch, Verification(1, "ab" * 32))
    monkeypatch.setattr("quotidian.operate.losing.answers._width", width)
    told = ran("loss").output
    assert "…" not in told
    assert "nothing lost" in " ".join(told.partition("Mon")[0].split())
    assert "nothing lost" not in " ".join(told.partition("Mon")[2].split())
    assert {"received", "dead", "missing", "unknown"} <= set(told.replace(",", " ").split())
    assert max(map(len, told.partition("\n\n")[0].splitlines())) <= width


def test_a_broken_chain_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and where it breaks is told; as data too."""
    certified(monkeypatch, Verification(9, "ab", fault="The hash is another.", number=4, date=DAY))
    told, data = ran("loss"), ran("loss", "--json")
    assert told.code == data.code == 1
    assert "broken at number 4: The hash is another." in told.errors
    assert data.json["chain"]["number"] == 4
    assert [one["dead"] for one in data.json["certificates"]] == [0, 3]


def test_a_home_that_was_never_watched_is_told_how(tmp_path: Path) -> None:
    """An empty store has no certificates, and says what makes some."""
    connect(tmp_path).close()
    told = ran("loss", "--data", tmp_path)
    assert told.code == 0
    assert "No day has been watched yet. `quotidian up`" in told.output

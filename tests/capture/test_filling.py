"""Gaps that cannot be filled, or not wholly: what becomes of them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quotidian.capture import filling
from quotidian.capture.filling import Filler
from quotidian.capture.gaps import MARGIN, Gaps, Last
from quotidian.capture.link import Link
from quotidian.errors import RequestError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.history import Change, Window
from quotidian.model import Cause, Gap
from quotidian.model.day import SECOND
from quotidian.spool import Kind, Spool

from .said import START, state

_END = START + 100 * SECOND


class Recorder:
    """A session whose Home Assistant has this to say of its recorder; ``None`` when it has none."""

    def __init__(self, told: dict[str, Any] | None) -> None:
        self._told = told

    async def command(self, type: str) -> dict[str, Any]:  # noqa: A002 - as in a session
        if self._told is None:
            raise RequestError("Unknown command.")
        return self._told


def _filled(directory: Path, session: Recorder, *, first: bool = False, missing: bool = False) -> tuple[list[Gap], int]:
    """Fill a gap, and give the notes of what became of it and how many changes were spooled.

    It is one of an outage, the first one, or one of records that are missing in our own spool.
    """

    async def running() -> tuple[list[Gap], int]:
        spool = Spool(directory, quota=10_000_000)
        try:
            gaps = Gaps(directory, spool, 3600 * SECOND)
            if missing:
                gaps.missing(START, _END, "a file of the spool was damaged")
            else:
                gaps.lost(None if first else Last(1, START))
                gaps.listening([state("light.a", "on", START - 1), state("light.b", "on", _END)])
            filler = Filler(lambda: Address("ws://nowhere", ""), spool, gaps, Link(), frozenset)
            await filler._fill(session, await gaps.next())  # type: ignore[arg-type]
            assert gaps.open == ()
            records = list(spool.replay(0))
        finally:
            spool.close()
        notes = [msgspec.json.decode(one.payload, type=Gap) for one in records if one.kind == Kind.GAP]
        return [note for note in notes if note.state != "open"], sum(one.kind == Kind.FILLED for one in records)

    return asyncio.run(running())


def _change(time: int) -> Change:
    return Change("light.a", "off", msgspec.Raw(b"{}"), time, time, Cause(), "on")


def _telling(monkeypatch: pytest.MonkeyPatch, *told: Window | RequestError) -> None:
    async def windows(*_: object, **__: object) -> AsyncGenerator[Window, None]:
        for one in told:
            if isinstance(one, RequestError):
                raise one
            yield one

    monkeypatch.setattr(filling, "windows", windows)


@pytest.mark.parametrize("told", [None, {"recording": False}])
def test_no_recorder(tmp_path: Path, told: dict[str, Any] | None) -> None:
    """Without a recorder a gap is unrecoverable, with the reason; the states at its end are kept all the same."""
    [gap], filled = _filled(tmp_path, Recorder(told))
    assert (gap.start, gap.end, gap.state) == (START, _END, "unrecoverable")
    assert gap.reason == "Home Assistant's recorder is off"
    assert (gap.filled, gap.unverifiable, filled) == (1, 1, 1)


def test_no_recorder_before_we_listened(tmp_path: Path) -> None:
    """Without a recorder nothing is filled of what was before we ever listened, and it is not said that it was."""
    [gap], filled = _filled(tmp_path, Recorder(None), first=True)
    assert (gap.start, gap.end, gap.state) == (_END, _END, "unrecoverable")
    assert gap.reason == "Home Assistant's recorder is off"
    assert filled == 2


def test_history_ends_in_the_midst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the history begins within a gap, the part before that is unrecoverable and the rest is filled."""
    middle = START + 40 * SECOND
    _telling(monkeypatch, Window([_change(middle)], False, START + 1, _END + 1))
    [filled, lost], count = _filled(tmp_path, Recorder({"recording": True}))
    assert (filled.start, filled.end, filled.state, filled.filled, filled.unverifiable) == (
        middle,
        _END,
        "filled",
        2,
        1,
    )
    assert (lost.start, lost.end, lost.state) == (START, middle, "unrecoverable")
    assert lost.id != filled.id
    assert count == 2


def test_history_stops_in_the_midst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Home Assistant gives no more after a while, what it gave counts, and the rest is unrecoverable."""
    middle = START + 40 * SECOND
    window = Window([_change(START + 1)], True, START + 1, middle + 1)
    _telling(monkeypatch, window, RequestError("Home Assistant keeps no history."))
    [filled, lost], _ = _filled(tmp_path, Recorder({"recording": True}))
    assert (filled.start, filled.end, filled.state) == (START, middle, "filled")
    assert (lost.start, lost.end, lost.reason) == (middle, _END, "Home Assistant keeps no history.")


def test_history_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that knows of nothing at all, neither in the gap nor before it, fills no gap."""
    _telling(monkeypatch, Window([], False, START + 1, _END + 1))
    [gap], _ = _filled(tmp_path, Recorder({"recording": True}))
    assert (gap.state, gap.unverifiable) == ("unrecoverable", 1)


def test_margin_is_no_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the history begins within the margin of what is missing, all that is missing is filled."""
    _telling(monkeypatch, Window([_change(START - 10 * SECOND)], False, START - MARGIN + 1, _END + MARGIN + 1))
    [gap], _ = _filled(tmp_path, Recorder({"recording": True}), missing=True)
    assert (gap.start, gap.end, gap.state) == (START - 10 * SECOND, _END + MARGIN, "filled")


def test_loss_has_no_margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is missing and cannot be filled no more is told than is missing."""
    _telling(monkeypatch, Window([_change(START + 10 * SECOND)], False, START - MARGIN + 1, _END + MARGIN + 1))
    [_, lost], _ = _filled(tmp_path / "part", Recorder({"recording": True}), missing=True)
    assert (lost.start, lost.end) == (START, START + 10 * SECOND)
    [gap], _ = _filled(tmp_path / "all", Recorder(None), missing=True)
    assert (gap.start, gap.end, gap.state) == (START, _END, "unrecoverable")


def test_end_of_the_margin_is_no_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the history stops within the margin behind what is missing, nothing is lost."""
    window = Window([_change(START + 1)], True, START - MARGIN + 1, _END + 11 * SECOND)
    _telling(monkeypatch, window, RequestError("Home Assistant keeps no history."))
    [gap], _ = _filled(tmp_path, Recorder({"recording": True}), missing=True)
    assert (gap.end, gap.state) == (_END + 11 * SECOND - 1, "filled")

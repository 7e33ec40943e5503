"""Capture and a Home Assistant that says what a test wants: refusals, cuts, garbage, floods, kills."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotidian.capture import connection, pause
from quotidian.capture.capture import Capture
from quotidian.capture.forwarder import SINK
from quotidian.capture.reader import PENDING
from quotidian.homeassistant.moments import iso
from quotidian.model import Delivery, Gap, GapNote
from quotidian.settings import Settings

from ..faults.scripted import TOKEN, ScriptedHome, quiet  # noqa: TID252 - tests are no package
from .capturing import capturing, delivered, enriched, listening, settings_for, told
from .delivering import SECRET, KeptEnrich, held, refused, serving
from .said import event

_SERVE = """
import sys, uvicorn
from quotidian.capture.app import create_app
from quotidian.settings import Settings
uvicorn.run(create_app(Settings()), port=int(sys.argv[1]), log_config=None)
"""


@pytest.fixture
def home() -> Iterator[ScriptedHome]:
    """Run a scripted Home Assistant."""
    with ScriptedHome() as home:
        yield home


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pause, "INITIAL", 0.1)
    monkeypatch.setattr(connection, "LOOK", 0.05)


def _agrees(home: ScriptedHome, enrich: KeptEnrich) -> bool:
    """Tell whether every change that was ever made is there, and nothing else."""
    found = {
        (told.entity_id, told.state, told.updated) for entity in _entities(home) for told in enrich.changes(entity)
    }
    return {(row[0], row[2], _written(row[1])) for row in home.ledger()} == found


def _entities(home: ScriptedHome) -> set[str]:
    return {row[0] for row in home.ledger()}


def _written(instant: int) -> str:
    return iso(instant)


def _closed(enrich: KeptEnrich) -> list[Gap]:
    return [gap for gap in enrich.gaps.values() if gap.state != "open"]


def test_wrong_token(home: ScriptedHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused token is tried once and told once; a new one in its file is found, and what happened is filled."""
    token = tmp_path / "token"
    token.write_text("canary-token")

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            settings = settings_for(home.url, "", tmp_path / "data", url, HA_TOKEN_FILE=str(token))
            async with Capture.open(settings, SECRET) as capture:
                await held(lambda: capture.link.state == "refused")
                assert (await capture.health()).state == "degraded"
                await told(home.changes, "light.desk", 5)
                token.write_text(TOKEN)
                await listening(capture)
                await delivered(capture, enrich)
        assert len(home.status()["refused"]) == 1
        assert _agrees(home, enrich)

    asyncio.run(running())
    said = capsys.readouterr().out
    assert said.count("refuses us") == 1
    assert "canary" not in said


def test_cut_connection(home: ScriptedHome, tmp_path: Path) -> None:
    """What changes while a connection is cut is filled, once, and the connection is made again."""

    async def running() -> None:
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings), capturing(settings) as capture:
            for number in range(3):
                await told(home.changes, "light.desk", 3)
                await told(home.shut)
                await told(home.changes, "light.desk", 3)
                await told(home.open)
                await held(lambda number=number: capture.link.connections == number + 2)  # type: ignore[misc]
                await listening(capture)
            await delivered(capture, enrich)
            assert capture.link.reconnects == 3
            updated = [change.updated for change in enrich.changes("light.desk")]
            assert len(updated) == len(set(updated)) == 18
            assert _agrees(home, enrich)
            assert {gap.state for gap in _closed(enrich)} == {"filled"}

    asyncio.run(running())


def test_garbage(home: ScriptedHome, tmp_path: Path) -> None:
    """What cannot be read is handed on as text under its number, and what comes after it as ever."""

    async def running() -> None:
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings), capturing(settings) as capture:
            await told(home.frame, '{"id":2,"type":"event","event":{"event_type":"state_cha')
            await told(home.changes, "light.desk", 1)
            await held(lambda: bool(enrich.changes("light.desk")))
            await delivered(capture, enrich)
            assert [heard.text for heard in enrich.heard if heard.text] == [
                '{"id":2,"type":"event","event":{"event_type":"state_cha'
            ]

    asyncio.run(running())


def test_full_spool_stops_listening(home: ScriptedHome, tmp_path: Path) -> None:
    """Over its quota capture stops listening, and drops nothing; when there is room, the rest is filled."""

    async def running() -> None:
        async with (
            enriched(home.url, TOKEN, tmp_path, QUOTIDIAN_SPOOL_QUOTA="1") as (enrich, settings),
            capturing(settings) as capture,
        ):
            enrich.refusing = lambda _: refused(503, **{"Retry-After": "0"})
            await told(home.flood, 4_000, 0)
            await held(lambda: capture.link.state == "full")
            assert (await capture.health()).state == "down"
            assert capture.spool.bytes < 3_000_000
            await told(quiet, home)
            enrich.refusing = lambda _: None
            await listening(capture)
            await delivered(capture, enrich)
            assert _agrees(home, enrich)

    asyncio.run(running())


def test_flood_is_bounded(home: ScriptedHome, tmp_path: Path) -> None:
    """While enrich is down and the commit interval is long, no more waits in memory than is allowed."""

    async def running() -> None:
        more = {"QUOTIDIAN_COMMIT_INTERVAL": "600"}
        async with (
            enriched(home.url, TOKEN, tmp_path, **more) as (_, settings),
            capturing(settings, filled=False) as capture,
        ):
            most = 0
            await told(home.flood, 30_000, 0)

            def all_heard() -> bool:
                nonlocal most
                most = max(most, capture.spool.pending_bytes)
                return capture.spool.appended >= 30_000

            await held(all_heard)
            assert PENDING // 2 < most < 2 * PENDING
            assert capture.spool.committed > 0

    asyncio.run(running())


def test_killed_in_a_flood(home: ScriptedHome, tmp_path: Path) -> None:
    """After kill -9 in the midst of a flood each change is there once: heard, or filled from the history."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            settings = {
                "HA_URL": home.url,
                "HA_TOKEN": TOKEN,
                "QUOTIDIAN_DATA": str(tmp_path),
                "QUOTIDIAN_SECRET": SECRET,
                "QUOTIDIAN_COMMIT_INTERVAL": "0.3",
                "QUOTIDIAN_HISTORY_DAYS": "1",
                "ENRICHMENT_PIPELINE_URL": url,
                "DATA_STORAGE_URL": url,
            }
            for delivered_before_the_kill in (200, 900):
                process = await asyncio.to_thread(_started, settings)
                await told(home.listened)
                await told(home.flood, 1_000, 2_000)
                await held(lambda least=delivered_before_the_kill: len(enrich.heard) >= least)  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
                await told(process.wait)
            await told(quiet, home)
            async with capturing(Settings(settings)) as capture:
                await delivered(capture, enrich)
        assert len({delivery.stream for delivery in enrich.deliveries}) == 1
        assert enrich.covered == capture.spool.committed
        assert _agrees(home, enrich)

    asyncio.run(running())


def test_killed_after_a_reconnection(home: ScriptedHome, tmp_path: Path) -> None:
    """What was heard shortly before a cut is not lost by a kill shortly after it, however long the commit interval."""

    async def running() -> None:
        enrich, left = KeptEnrich(), tmp_path / "left"
        async with serving(enrich.app) as url:
            more = {"QUOTIDIAN_COMMIT_INTERVAL": "600"}
            await told(home.changes, "light.desk", 1)
            async with capturing(settings_for(home.url, TOKEN, tmp_path / "data", url, **more)) as capture:
                before = capture.spool.appended
                await told(home.changes, "light.desk", 3)
                await held(lambda: capture.spool.appended == before + 3)
                await told(home.drop)
                await held(lambda: capture.link.connections == 2)
                shutil.copytree(tmp_path / "data", left)  # as a kill leaves it
            async with capturing(settings_for(home.url, TOKEN, left, url)) as capture:
                await delivered(capture, enrich)
        assert _agrees(home, enrich)

    asyncio.run(running())


def test_begun_again_after_a_call(home: ScriptedHome, tmp_path: Path) -> None:
    """The gap of a restart begins at the last change that was heard, though something else was heard after it."""

    async def running() -> None:
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings):
            async with capturing(settings) as capture:
                before = capture.spool.appended
                await told(home.changes, "light.desk", 2)
                await told(home.fire, event("call_service", {}).decode(), "call_service")
                await held(lambda: capture.spool.appended == before + 3)
            heard = home.ledger()[-1][1]
            await told(home.changes, "light.desk", 1)
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
        assert max(gap.start for gap in enrich.gaps.values()) == heard

    asyncio.run(running())


def _started(settings: dict[str, str]) -> "subprocess.Popen[bytes]":
    environment = {**settings, "PATH": os.environ["PATH"], "HOME": settings["QUOTIDIAN_DATA"]}
    return subprocess.Popen([sys.executable, "-c", _SERVE, "0"], env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("ahead", [7200, -7200])
def test_first_history_by_another_clock(home: ScriptedHome, tmp_path: Path, ahead: int) -> None:
    """What Home Assistant recorded before we ever listened is filled, though its clock differs from ours by hours."""

    async def running() -> None:
        await told(home.set, ahead=ahead)
        await told(home.changes, "light.desk", 3)
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings), capturing(settings) as capture:
            await delivered(capture, enrich)
        assert _agrees(home, enrich)

    asyncio.run(running())


def test_open_gap_is_closed_though_it_was_forgotten(home: ScriptedHome, tmp_path: Path) -> None:
    """A gap that the store shows as open is filled and closed also when our own record of it was lost."""

    async def running() -> None:
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings):
            await told(home.changes, "light.desk", 3)
            start, end = home.ledger()[0][1], home.ledger()[-1][1]
            note = GapNote(seq=0, arrived=start, gap=Gap(id="forgotten", start=start, end=end))
            enrich.deliveries.append(Delivery(stream="this one", first=0, last=0, messages=[note]))
            async with capturing(settings):
                await held(lambda: enrich.gaps["forgotten"].state == "filled")

    asyncio.run(running())


def test_store_that_knows_more(home: ScriptedHome, tmp_path: Path) -> None:
    """A new spool goes on where the store's newest event is, not at the beginning of the history."""

    async def running() -> None:
        async with enriched(home.url, TOKEN, tmp_path) as (enrich, settings):
            await told(home.changes, "light.desk", 6)
            enrich.latest = home.ledger()[2][1]
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
                assert capture.spool.depth(SINK) == 0
        assert [change.state for change in enrich.changes("light.desk")] == ["3", "4", "5"]

    asyncio.run(running())

"""Capture and a real Home Assistant: five causes, gaps, restarts, registries, rights."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotidian.homeassistant.address import address_of
from quotidian.homeassistant.session import Session
from quotidian.model import CauseKind, Heard, Source
from quotidian.settings import Settings

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252
from .capturing import capturing, delivered, enriched, listening, told
from .delivering import KeptEnrich, Told, held

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]
_UNRECORDED = """
  exclude: {entities: [input_boolean.secret]}
"""
_DESK = "light.desk"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a home with a light that can be switched in every way, and with an entity that is not recorded."""
    furnished = FURNISHED.replace("  away:\n", "  away:\n  secret:\n", 1)
    home = RealHomeAssistant(tmp_path_factory.mktemp("homeassistant"), furnished)
    written = home.folder / "configuration.yaml"
    written.write_text(written.read_text().replace("  commit_interval: 1\n", "  commit_interval: 1" + _UNRECORDED))
    with home:
        yield home


def _live(heard: Heard) -> bool:
    return heard.source is Source.LIVE


async def _states(home: RealHomeAssistant, enrich: KeptEnrich, count: int) -> list[Told]:
    await held(lambda: len(enrich.changes(_DESK)) >= count)
    return enrich.changes(_DESK)


def test_removed_while_nobody_listened(home: RealHomeAssistant, tmp_path: Path) -> None:
    """What an entity did before it was removed is filled, and its removal, though it left no state to ask for."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings):
            async with capturing(settings) as capture:
                await told(home.put, "light.brief", "on")
                await delivered(capture, enrich)
                await held(lambda: bool(enrich.changes("light.brief")))
            await told(home.put, "light.brief", "off")
            await told(home.put, "light.other", "on")
            await told(home.remove, "light.brief")
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
            changes = enrich.changes("light.brief")
            assert [change.state for change in changes] == ["on", "off", None]
            assert [change.live for change in changes] == [True, False, False]

    asyncio.run(running())


def test_five_causes(home: RealHomeAssistant, tmp_path: Path) -> None:
    """A user, a script, an automation, a button, a time trigger and the wall switch are told apart, as they happen."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings), capturing(settings) as capture:
            await told(home.press, "desk_wall")  # from now on it has a state
            await delivered(capture, enrich)
            seen = len(enrich.changes(_DESK))
            for step in (
                lambda: home.call("light.turn_on", entity_id=_DESK),
                lambda: home.call("script.evening"),
                lambda: home.call("input_boolean.turn_on", entity_id="input_boolean.away"),
                lambda: home.call("input_button.press", entity_id="input_button.bed"),
                lambda: home.press("desk_wall"),
                lambda: home.call("automation.turn_on", entity_id="automation.ticking"),
            ):
                await told(step)
                seen += 1
                await _states(home, enrich, seen)
            await told(home.call, "automation.turn_off", entity_id="automation.ticking")
            await told(home.call, "input_boolean.turn_off", entity_id="input_boolean.away")
            changes = [change for change in enrich.changes(_DESK) if change.live]
            found = [(change.kind, change.cause.entity, change.cause.user) for change in changes[-6:]]
            assert found[:5] == [
                (CauseKind.PERSON, None, home.user),
                (CauseKind.PERSON, "script.evening", home.user),
                (CauseKind.AUTOMATION, "automation.leaving", None),
                (CauseKind.REMOTE, "automation.goodnight", home.user),
                (CauseKind.PHYSICAL, None, None),
            ]
            assert found[5] == (CauseKind.AUTOMATION, "automation.ticking", None)

    asyncio.run(running())


async def _away(home: RealHomeAssistant, settings: Settings, enrich: KeptEnrich, count: int) -> None:
    """Listen, stop, let the light change so often, and listen again until all of it is there."""
    async with capturing(settings) as capture:
        await told(home.call, "light.toggle", entity_id=_DESK)
        await held(lambda: bool(enrich.changes(_DESK)) and enrich.changes(_DESK)[-1].live)
        await delivered(capture, enrich)
    for _ in range(count):
        await told(home.call, "light.toggle", entity_id=_DESK)
    async with capturing(settings) as capture:
        await told(home.call, "light.toggle", entity_id=_DESK)
        await held(lambda: enrich.changes(_DESK)[-1].live)
        await delivered(capture, enrich)


def test_gap_is_filled(home: RealHomeAssistant, tmp_path: Path) -> None:
    """Each change while capture was stopped is there exactly once afterwards, with its time and its cause."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings):
            await _away(home, settings, enrich, 5)
            changes = enrich.changes(_DESK)
            filled = [change for change in changes if not change.live and change.kind is not CauseKind.UNKNOWN]
            assert [change.kind for change in filled[-5:]] == [CauseKind.PERSON] * 5
            assert not [time for time, count in Counter(change.updated for change in changes).items() if count > 1]
            # As the recorder has them: to the microsecond, which is what event ids are made of.
            times = {change.updated for change in changes}
            await told(until, lambda: times <= _recorded(home))
            gaps = [gap for gap in enrich.gaps.values() if gap.state != "open"]
            assert [gap.state for gap in gaps] == ["filled", "filled"]

    asyncio.run(running())


def _recorded(home: RealHomeAssistant) -> set[str | None]:
    answer = home._ask(f"/api/history/period?filter_entity_id={_DESK}")
    return {state["last_updated"] for state in answer[0]}


def test_what_is_not_recorded_is_said(home: RealHomeAssistant, tmp_path: Path) -> None:
    """Of an entity that Home Assistant does not record, the last change of a gap is kept and counted unverifiable."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings):
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
            before = set(enrich.gaps)
            for _ in range(3):
                await told(home.call, "input_boolean.toggle", entity_id="input_boolean.secret")
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
            [gap] = [gap for key, gap in enrich.gaps.items() if key not in before]
            assert (gap.state, gap.filled, gap.unverifiable) == ("filled", 1, 1)
            last = enrich.changes("input_boolean.secret")[-1]
            assert (last.kind, last.source, last.state) == (
                CauseKind.PERSON,
                Source.HISTORY,
                await asyncio.to_thread(home.state, "input_boolean.secret"),
            )

    asyncio.run(running())


def test_gap_while_the_recorder_was_disabled(home: RealHomeAssistant, tmp_path: Path) -> None:
    """Home Assistant does not tell that its recorder was disabled: the last states are kept, counted unverifiable."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings):
            async with capturing(settings) as capture:
                await delivered(capture, enrich)
            before = set(enrich.gaps)
            await told(home.call, "recorder.disable")
            try:
                for _ in range(3):
                    await told(home.call, "light.toggle", entity_id=_DESK)
                async with capturing(settings) as capture:
                    await delivered(capture, enrich)
            finally:
                await told(home.call, "recorder.enable")
            [gap] = [gap for key, gap in enrich.gaps.items() if key not in before]
            assert gap.filled == gap.unverifiable == 3  # the light, its relay, and the power that it takes
            assert enrich.changes(_DESK)[-1].state == await asyncio.to_thread(home.state, _DESK)

    asyncio.run(running())


def test_token_without_rights(home: RealHomeAssistant, tmp_path: Path) -> None:
    """With a guest's token changes are heard; that causes stay unknown is said, and nothing is called physical."""

    async def running() -> None:
        async with enriched(home.url, home.guest_token, tmp_path) as (enrich, settings), capturing(settings) as capture:
            await told(home.call, "input_boolean.turn_on", entity_id="input_boolean.away")
            await told(home.call, "input_boolean.turn_off", entity_id="input_boolean.away")
            await held(lambda: len(enrich.changes("input_boolean.away")) > 1)
            assert enrich.changes("input_boolean.away")[-1].kind is CauseKind.PERSON
            assert not [heard for heard in enrich.heard if _live(heard) and heard.cause.kind is CauseKind.PHYSICAL]
            assert "administrator" in str((await capture.health()).dependencies)
            assert capture.figures.status()["home_assistant"]["admin"] is False

    asyncio.run(running())


def test_registries_are_told_when_they_change(home: RealHomeAssistant, tmp_path: Path) -> None:
    """What the registries say is told once at first and again when it changes, not with each connection."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings):
            for _ in range(2):
                async with capturing(settings) as capture:
                    await delivered(capture, enrich)
            [note] = enrich.registries
            assert note.snapshot.home.zone == "Europe/Amsterdam"
            assert note.snapshot.home.entities["light.desk"].name == "Desk"
            async with capturing(settings) as capture:
                async with Session.open(address_of(settings)) as session:
                    await session.command("config/area_registry/create", name="Attic")
                await held(lambda: len(enrich.registries) == 2)
            assert [area.name for area in enrich.registries[1].snapshot.home.areas.values()] == ["Attic"]

    asyncio.run(running())


def test_restart_in_the_middle(home: RealHomeAssistant, tmp_path: Path) -> None:
    """Home Assistant restarted: what it changed while it went and came is stored once, and coming back is no act."""

    async def running() -> None:
        async with enriched(home.url, home.token, tmp_path) as (enrich, settings), capturing(settings) as capture:
            await told(home.call, "light.turn_on", entity_id=_DESK)
            await held(lambda: bool(enrich.changes(_DESK)))
            await told(home.restart)
            await held(lambda: capture.link.connections == 2, 60)
            await listening(capture)
            await told(home.call, "light.toggle", entity_id=_DESK)
            await held(lambda: enrich.changes(_DESK)[-1].kind is CauseKind.PERSON)
            await delivered(capture, enrich)
            changes = {change.updated: change for change in enrich.changes(_DESK)}
            recorded = await asyncio.to_thread(_recorded, home)
            assert len(recorded) > 1
            assert {time for time in recorded if str(time) >= min(map(str, changes))} <= set(changes)
            assert not [gap for gap in enrich.gaps.values() if gap.state != "filled"]

    asyncio.run(running())

"""A running Home Assistant, imported over its WebSocket."""

import asyncio
import signal
import sqlite3
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from quotidian import clock
from quotidian.errors import AccessError, SettingError, UnreachableError
from quotidian.importers import live, open_source
from quotidian.model import Area, CauseKind, Home, Source
from quotidian.operate.cli import app
from quotidian.operate.console import progress
from quotidian.settings import Settings
from quotidian.store.protocols import Checkpoint

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252
from .recorded import RecordingStore, taken
from .test_real_recorder import lived_before

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]

CANARY = "canary-51d2"
DAYS = 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a Home Assistant that has lived the same minute on each of three days before, and again today."""
    folder = tmp_path_factory.mktemp("homeassistant")
    home = RealHomeAssistant(folder, FURNISHED)
    home.keep("core.area_registry", {"areas": [{"id": "study", "name": "Study"}]})
    relay = {"entity_id": "input_boolean.desk_relay", "unique_id": "desk_relay", "platform": "input_boolean"}
    empty = dict.fromkeys(("config_entry_id", "device_id", "disabled_by", "name", "icon"))
    home.keep("core.entity_registry", {"entities": [{**empty, **relay, "area_id": "study"}]})
    with home:
        home.press("desk_wall")
        home.call("light.turn_on", entity_id="light.desk")
        home.call("script.evening")
        home.call("input_boolean.turn_on", entity_id="input_boolean.away")
        until(lambda: home.state("light.desk") == "on")
        home.stop()
        longer = lived_before(home.database, folder / "longer.db", days=DAYS)
        chain(longer)
        (folder / "stopped").write_text(str(clock.now()))
        for beside in folder.glob("home-assistant_v2.db*"):
            beside.unlink()
        longer.rename(home.database)
        home.start()
        yield home


def chain(database: Path) -> None:
    """Link each state to the one before it, as Home Assistant does: without, its logbook passes it over."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "UPDATE states SET old_state_id = (SELECT max(p.state_id) FROM states p"
            " WHERE p.metadata_id = states.metadata_id AND p.state_id < states.state_id)"
        )


def settings(home: RealHomeAssistant, **more: str) -> Settings:
    """Give settings with the owner's token."""
    return Settings({"HA_TOKEN": home.token, **more})


def told(store: RecordingStore) -> dict[tuple[str, int], Any]:
    """Give what was stored, without what differs between copies of different ranks."""
    return {key: (row["state"], row["last_changed"], row["attributes"]) for key, row in store.rows.items()}


@pytest.fixture(scope="module")
def whole(home: RealHomeAssistant) -> RecordingStore:
    """Import all of it at once."""
    return taken(home.url, settings=settings(home), zone=None)[0]


def test_same_as_the_database(home: RealHomeAssistant, whole: RecordingStore) -> None:
    """Over the network comes what is in the database; causes agree wherever the logbook tells them."""
    database, _ = taken(home.database)
    ours = told(whole)
    assert {key: ours[key] for key in told(database)} == told(database)
    assert {row["source"] for row in whole.rows.values()} == {Source.HISTORY.value}
    stopped = int((home.folder / "stopped").read_text())
    silent = (CauseKind.UNKNOWN, CauseKind.RESTORED)
    known = [key for key, row in whole.rows.items() if key[1] < stopped and row["cause"] not in silent]
    assert who(whole, known) == who(database, known)
    desk = [whole.rows[key]["cause"] for key in known if key[0] == "light.desk"]
    desk = [cause for cause in desk if cause != CauseKind.PHYSICAL]  # each day but the first begins with its state
    assert desk == [CauseKind.PERSON, CauseKind.PERSON, CauseKind.AUTOMATION] * (DAYS + 1)


def who(store: RecordingStore, keys: list[tuple[str, int]]) -> list[tuple[str, str | None, str | None]]:
    """Give who caused each of some rows."""
    rows = [store.rows[key] for key in keys]
    return [(row["cause"], row["cause_entity"], row["user"]) for row in rows]


def test_the_home_comes_along(whole: RecordingStore) -> None:
    """Name, zone, place and areas come from the registries of the running Home Assistant."""
    told = whole.home
    assert (told.name, told.zone, told.country, told.latitude) == ("Test home", "Europe/Amsterdam", "NL", 52.4)
    assert told.area_of("input_boolean.desk_relay") == Area("study", "Study")
    assert told.entity("sensor.power").device_class == "power"


def test_stopped_and_gone_on(home: RealHomeAssistant, whole: RecordingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import during which Home Assistant is killed goes on from where it was, and misses nothing."""
    monkeypatch.setattr("quotidian.importers.batch.ROWS", 1)
    store = RecordingStore()
    source = open_source(home.url, settings=settings(home))
    source.home(Home("0" * 32, "UTC"))

    def stopped_midway() -> None:
        for batch in source.read(None):
            store.append(batch.table, Checkpoint(source.key, batch.position))
            home.kill()

    with pytest.raises(UnreachableError):
        stopped_midway()
    stored = len(store.rows)
    assert 0 < stored < len(whole.rows)
    home.start()
    _, imported = taken(home.url, store, settings=settings(home))
    assert {key: row for key, row in store.rows.items() if key in whole.rows} == whole.rows
    assert imported.appended.known == 0
    assert imported.read == len(store.rows) - stored


def test_only_the_days_that_are_wanted(home: RealHomeAssistant, whole: RecordingStore) -> None:
    """Where fewer days are wanted than the recorder has, only these are fetched."""
    store, _ = taken(home.url, settings=settings(home, QUOTIDIAN_HISTORY_DAYS="1"))
    desk = [updated for entity_id, updated in store.rows if entity_id == "light.desk"]
    assert desk
    assert max(desk) - min(desk) < 86_400 * 1_000_000
    assert len(store.rows) < len(whole.rows)


def test_learn_on_the_command_line(home: RealHomeAssistant, tmp_path: Path) -> None:
    """`quotidian learn http://…` takes the token from the environment and learns the days; twice adds nothing."""
    line = ["learn", home.url, "--data", str(tmp_path / "store"), "--json"]
    first = CliRunner(env={"HA_TOKEN": home.token}).invoke(app, line, catch_exceptions=False)
    assert first.exit_code == 0, first.stderr
    told = msgspec.json.decode(first.stdout)
    assert (told["home"]["zone"], told["imported"]["rejected"]) == ("Europe/Amsterdam", 0)
    assert told["imported"]["new"] > 0
    assert told["days"] >= DAYS - 1
    again = CliRunner(env={"HA_TOKEN": home.token}).invoke(app, line, catch_exceptions=False)
    assert msgspec.json.decode(again.stdout)["imported"]["known"] == 0
    for run in (first, again):
        assert home.token not in run.output + run.stderr


def test_a_guests_token_is_told(home: RealHomeAssistant) -> None:
    """A token that is no administrator's imports everything, with a warning about what it may not know."""
    _, imported = taken(home.url, settings=Settings({"HA_TOKEN": home.guest_token}))
    assert imported.read > 0
    assert [sentence for sentence in imported.warnings if "not an administrator's" in sentence]


def test_refused_token(home: RealHomeAssistant) -> None:
    """A token that is refused is an error that does not say it."""
    with pytest.raises(AccessError, match="refuses the token") as refused:
        open_source(home.url, settings=Settings({"HA_TOKEN": CANARY}))
    assert CANARY not in str(refused.value)


def test_token_is_asked_for(home: RealHomeAssistant) -> None:
    """Where the settings have no token it is asked for; where nobody can be asked, the setting is named."""
    assert open_source(home.url, settings=Settings({}), token=lambda: home.token).kind.startswith("Home Assistant 20")
    with progress(quiet=True) as stages, pytest.raises(SettingError, match="HA_TOKEN"):
        open_source(home.url, settings=Settings({}), token=lambda: stages.secret("?"))


def test_token_in_the_address() -> None:
    """A token in the address is refused, and not repeated."""
    with pytest.raises(SettingError, match="HA_TOKEN") as refused:
        open_source(f"http://ha:8123/?token={CANARY}", settings=Settings({}))
    assert CANARY not in str(refused.value)


def test_an_interrupt_ends_what_it_interrupts() -> None:
    """After Ctrl-C in the midst of a question, what asked it has ended in order, and can be closed."""
    ended: list[str] = []

    async def asked() -> AsyncGenerator[int, None]:
        try:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            await asyncio.sleep(60)
            yield 1
        finally:
            await asyncio.sleep(0)
            ended.append("in order")

    found = asked()
    with live._Background() as background:
        with pytest.raises(KeyboardInterrupt):
            background.run(live._next(found))
        assert ended == ["in order"]
        background.run(found.aclose())

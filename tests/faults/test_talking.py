"""The scripted Home Assistant speaks as a real one does."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from ..real_home_assistant import HASS, MISSING, RealHomeAssistant  # noqa: TID252 - tests are no package
from .said import instant
from .scripted import TOKEN, ScriptedHome

_CONFIGURATION = """
logbook:
input_boolean:
  lamp:
  fan:
automation:
  - id: leaving
    alias: Leaving
    trigger: {platform: state, entity_id: input_boolean.lamp, to: "on"}
    action: {service: input_boolean.turn_on, entity_id: input_boolean.fan}
"""


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedHome]:
    """Run a scripted Home Assistant."""
    with ScriptedHome() as home:
        yield home


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a real Home Assistant with an automation."""
    with RealHomeAssistant(tmp_path_factory.mktemp("homeassistant"), _CONFIGURATION) as home:
        yield home


class Speaker:
    """A client that speaks the dialogue by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._waiting: list[Any] = []

    async def heard(self) -> Any:
        """Give the next message, whether it came alone or in a list."""
        while not self._waiting:
            told = msgspec.json.decode((await self._socket.receive(timeout=20)).data)
            self._waiting.extend(told if isinstance(told, list) else [told])
        return self._waiting.pop(0)

    async def ask(self, kind: str, **more: Any) -> Any:
        """Give the answer to a command; events that come before it are passed over."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "type": kind, **more})
        while (answer := await self.heard()).get("id") != self._number or answer["type"] == "event":
            pass
        return answer

    async def event(self, kind: str, entity_id: str = "") -> Any:
        """Give the next event of a kind, of one entity where one is named."""
        while True:
            told = await self.heard()
            event = told.get("event", {"event_type": ""})
            if event["event_type"] == kind and entity_id in ("", event["data"]["entity_id"]):
                return told


@asynccontextmanager
async def speaking(url: str, token: str) -> AsyncIterator[tuple[Speaker, list[Any]]]:
    """Connect and log in; give the speaker and what was said until then."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/api/websocket") as socket:
        speaker = Speaker(socket)
        said = [await speaker.heard()]
        await socket.send_json({"type": "auth", "access_token": token})
        yield speaker, [*said, await speaker.heard()]


class Scripted:
    """A person and an automation at work in a scripted home."""

    lag = 0.0

    def __init__(self, home: ScriptedHome) -> None:
        self.home, self.url, self.token = home, home.url, TOKEN
        for entity_id in ("input_boolean.lamp", "input_boolean.fan"):
            home.change(entity_id, "off")

    def lamp(self, state: str) -> None:
        """Let the person switch the lamp, and the automation follow."""
        self.home.change("input_boolean.lamp", state, user="ab" * 16)
        if state == "on":
            self.home.change("input_boolean.fan", "on", automation="automation.leaving")


class Real:
    """A person at work in a real home, and its automation."""

    lag = 2.0  #: the recorder commits once a second

    def __init__(self, home: RealHomeAssistant) -> None:
        self.home, self.url, self.token = home, home.url, home.token

    def lamp(self, state: str) -> None:
        """Let the person switch the lamp; the automation follows by itself."""
        self.home.call(f"input_boolean.turn_{state}", entity_id="input_boolean.lamp")


async def live(speaker: Speaker, home: Scripted | Real) -> dict[str, Any]:
    """Subscribe, let the lamp be switched, and give what was said."""
    found = {"features": await speaker.ask("supported_features", features={"coalesce_messages": 1})}
    for kind in ("state_changed", "automation_triggered"):
        found[f"subscribed {kind}"] = await speaker.ask("subscribe_events", event_type=kind)
    found["ping"] = await speaker.ask("ping")
    found["unknown"] = await speaker.ask("no_such_command")
    await asyncio.to_thread(home.lamp, "on")
    found["changed"] = await speaker.event("state_changed", "input_boolean.lamp")
    found["triggered"] = await speaker.event("automation_triggered")
    await speaker.event("state_changed", "input_boolean.fan")
    await asyncio.to_thread(home.lamp, "off")
    await speaker.event("state_changed", "input_boolean.lamp")
    return found


async def asked(speaker: Speaker, since: dt.datetime) -> dict[str, Any]:
    """Ask for all that is known of the last moments."""
    found = {"recorder": await speaker.ask("recorder/info")}
    for name in ("entity", "device", "area", "floor", "label"):
        found[name] = isinstance((await speaker.ask(f"config/{name}_registry/list"))["result"], list)
    states = (await speaker.ask("get_states"))["result"]
    found["states"] = [state for state in states if state["entity_id"] == "input_boolean.lamp"]
    config = (await speaker.ask("get_config"))["result"]
    found["config"] = {name: config[name] for name in ("time_zone", "location_name", "latitude", "version", "state")}
    found["user"] = (await speaker.ask("auth/current_user"))["result"]
    found["users"] = [u for u in (await speaker.ask("config/auth/list"))["result"] if u["id"] == found["user"]["id"]]
    span = {"start_time": since.isoformat(), "end_time": dt.datetime.now(dt.UTC).isoformat()}
    wanted = {"entity_ids": ["input_boolean.lamp", "light.none"], "no_attributes": False}
    command, whole = "history/history_during_period", {"significant_changes_only": False}
    rows = (await speaker.ask(command, **span, **wanted, **whole, include_start_time_state=False))["result"]
    found["history"] = {name: [row["s"] for row in told] for name, told in rows.items()}, rows
    stream = {**span, "entity_ids": ["sensor.none"], "include_start_time_state": False}
    del stream["end_time"]
    found["stream"] = [await speaker.ask("history/stream", **stream), await speaker.heard(), await speaker.heard()]
    entries = (await speaker.ask("logbook/get_events", **span))["result"]
    found["logbook"] = [entry for entry in entries if entry.get("entity_id") in _SHOWN]
    return found


async def dialogue(home: Scripted | Real) -> dict[str, Any]:
    """Hold one dialogue; give all that was answered."""
    async with speaking(home.url, home.token) as (speaker, said):
        await speaker.ask("ping")
        since = dt.datetime.now(dt.UTC)
        heard = await live(speaker, home)
        await asyncio.sleep(home.lag)
        return {"login": said} | heard | await asked(speaker, since)


def shape(told: Any, name: str = "") -> Any:
    """Give the names and kinds of what was said; what differs by home is left out, an automation's parents too."""
    if name in _OWN or told is None:
        return "…"
    if isinstance(told, dict):
        mine = "source" in told and "domain" in told
        return {key: shape(value, key) for key, value in told.items() if not (mine and key.startswith("context_"))}
    if isinstance(told, list | tuple):
        return [shape(one) for one in told]
    return "number" if isinstance(told, int | float) and not isinstance(told, bool) else type(told).__name__


_OWN = frozenset({"a", "attributes", "credentials", "mfa_modules", "user_id", "parent_id"})
_SHOWN = ("input_boolean.lamp", "input_boolean.fan", "automation.leaving")


@pytest.mark.homeassistant
@pytest.mark.skipif(not HASS.exists(), reason=MISSING)
def test_it_answers_as_a_real_one_does(scripted: ScriptedHome, real: RealHomeAssistant) -> None:
    """The same commands to a scripted and to a real Home Assistant have answers of the same shape."""
    theirs, ours = asyncio.run(dialogue(Real(real))), asyncio.run(dialogue(Scripted(scripted)))
    assert ours.keys() == theirs.keys()
    for name in theirs:
        assert shape(ours[name], name) == shape(theirs[name], name), name
    assert ours["history"][0] == theirs["history"][0] == {"input_boolean.lamp": ["on", "off"]}


@pytest.mark.homeassistant
@pytest.mark.skipif(not HASS.exists(), reason=MISSING)
def test_it_refuses_a_token_as_a_real_one_does(scripted: ScriptedHome, real: RealHomeAssistant) -> None:
    """A wrong token is answered by the same words."""

    async def refused(url: str) -> Any:
        async with speaking(url, "wrong") as (_, said):
            return said[-1]

    assert asyncio.run(refused(scripted.url)) == asyncio.run(refused(real.url))


def test_a_silent_one_answers_nothing_and_loses_nothing(scripted: ScriptedHome) -> None:
    """While it is silent nothing comes, though the socket stays open; afterwards what was said comes."""

    async def listened() -> Any:
        async with speaking(scripted.url, TOKEN) as (speaker, _):
            await speaker.ask("subscribe_events", event_type="state_changed")
            scripted.set(silent=True)
            scripted.change("light.desk", "on")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(speaker.heard(), 0.3)
            scripted.set(silent=False)
            return await speaker.event("state_changed", "light.desk")

    assert asyncio.run(listened())["event"]["data"]["new_state"]["state"] == "on"


def test_a_flood_arrives_whole_and_in_order(scripted: ScriptedHome) -> None:
    """What is said as fast as is listened arrives once, in its order, and stands in the ledger."""

    async def listened() -> list[str]:
        async with speaking(scripted.url, TOKEN) as (speaker, _):
            await speaker.ask("supported_features", features={"coalesce_messages": 1})
            await speaker.ask("subscribe_events", event_type="state_changed")
            scripted.flood(5_000, entities=7)
            events = [await speaker.event("state_changed") for _ in range(5_000)]
        return [one["event"]["data"]["new_state"]["last_updated"] for one in events]

    before = len(scripted.ledger())
    heard = asyncio.run(listened())
    assert [instant(text) for text in heard] == [row[1] for row in scripted.ledger()[before:]]
    assert heard == sorted(set(heard))

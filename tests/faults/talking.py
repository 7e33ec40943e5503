"""A Home Assistant that says what a test wants: ``python talking.py PORT CONTROL``.

On ``PORT`` it speaks the WebSocket dialogue that a real one speaks (``test_talking.py`` compares the two), on
``CONTROL`` it is told what to say, what to keep silent and what to break. It runs as a process of its own, so that a
flood shares no interpreter with what is measured.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

sys.path.insert(0, str(Path(__file__).parent))

from said import USER, Said, instant

TOKEN = "good"
VERSION = "2025.4.4"
PENDING = 4096  #: messages that may wait for one client, as in Home Assistant
_FRAME = 256  #: messages in one frame at most
_ADMINS = frozenset(
    {"automation_triggered", "call_service", "script_started", "tag_scanned", "homekit_state_change", "zha_event"}
)


class Listener:
    """One client: what waits to be sent to it, and what it subscribed to."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, *, admin: bool) -> None:
        self.socket, self.transport, self.admin = socket, transport, admin
        self.coalescing = False
        self.subscriptions: dict[int, str | None] = {}
        self.pending: deque[bytes] = deque()
        self.wake = asyncio.Event()

    def put(self, message: bytes) -> None:
        """Queue a message."""
        self.pending.append(message)
        self.wake.set()

    def fire(self, kind: str, event: bytes) -> None:
        """Queue an event once for each subscription that it belongs to."""
        for number, wanted in self.subscriptions.items():
            if wanted in (kind, None):
                self.put(b'{"type":"event","event":%b,"id":%d}' % (event, number))

    def hears(self, kind: str) -> bool:
        """Tell whether events of a kind are told to it."""
        return any(wanted in (kind, None) for wanted in self.subscriptions.values())

    async def write(self, talking: "Talking") -> None:
        """Send what waits, for ever."""
        while True:
            await self.wake.wait()
            await talking.speaking.wait()
            count = min(len(self.pending), _FRAME) if self.coalescing else 1
            frame = [self.pending.popleft() for _ in range(count)]
            if not self.pending:
                self.wake.clear()
            data = frame[0] if len(frame) == 1 else b"[" + b",".join(frame) + b"]"
            await self.socket.send_frame(data, WSMsgType.TEXT)
            talking.sent += len(frame)


class Talking:
    """The server: its home, its clients, and what is wrong with it."""

    def __init__(self) -> None:
        self.said = Said(frozenset({"sensor.unrecorded"}))
        self.listeners: set[Listener] = set()
        self.speaking = asyncio.Event()
        self.speaking.set()
        self.tokens = {TOKEN: True}  #: the tokens that are good, and whether they are an administrator's
        self.refused: list[float] = []  #: when tokens were refused
        self.asked: dict[str, int] = {}  #: how often each command was asked
        self.repeats, self.shuffled, self.impatient = 1, 1, False
        self.sent = 0
        self.poured = 0.0  #: when the last flood began to be said
        self.flooding: asyncio.Task[None] | None = None
        self._held: list[tuple[str, bytes]] = []
        self.registries: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("entity", "device", "area", "floor", "label")
        }

    # what is said

    def change(self, **told: Any) -> int:
        """Change a state, and say so; give its instant."""
        for event in self.said.change(**told):
            self.fire(
                "automation_triggered" if event.startswith(b'{"event_type":"automation') else "state_changed", event
            )
        return self.said.changes[-1].updated

    def fire(self, kind: str, event: bytes) -> None:
        """Say an event to all who subscribed, as often and in the order that was asked for."""
        self._held.append((kind, event))
        if len(self._held) < self.shuffled:
            return
        held, self._held = self._held[::-1], []
        for listener in list(self.listeners):
            for one in held:
                for _ in range(self.repeats):
                    listener.fire(*one)
            if self.impatient and len(listener.pending) > PENDING:
                listener.transport.abort()

    async def flood(self, count: int, rate: float, entities: int) -> None:
        """Change so many states, so many a second."""
        start = time.monotonic()
        for number in range(count):
            self.change(entity_id=f"sensor.flood_{number % entities}", state=str(number))
            ahead = (number + 1) / rate - (time.monotonic() - start)
            await asyncio.sleep(max(ahead, 0) if ahead > 0.001 or number % 64 == 63 else 0)

    async def pour(self, count: int, entities: int) -> None:
        """Change so many states as fast as is listened; all is made first, so that saying it costs little."""
        made = []
        for number in range(count):
            made += self.said.change(f"sensor.flood_{number % entities}", str(number))
            if number % 1000 == 0:
                await asyncio.sleep(0)
        self.poured = time.time()
        for number, event in enumerate(made):
            self.fire("state_changed", event)
            if number % _FRAME == 0:
                await asyncio.sleep(0)
                while not self.impatient and any(len(one.pending) > 2 * _FRAME for one in self.listeners):
                    await asyncio.sleep(0.0005)

    # the dialogue

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one client."""
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        await socket.send_json({"type": "auth_required", "ha_version": VERSION})
        token = (await socket.receive_json()).get("access_token")
        await self.speaking.wait()
        if token not in self.tokens:
            self.refused.append(time.time())
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            await socket.close()
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": VERSION})
        listener = Listener(socket, request.transport, admin=self.tokens[token])
        self.listeners.add(listener)
        writer = asyncio.create_task(listener.write(self))
        try:
            await self._listen(socket, listener)
        finally:
            self.listeners.discard(listener)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def _listen(self, socket: web.WebSocketResponse, listener: Listener) -> None:
        async for message in socket:
            await self.speaking.wait()
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                told = json.loads(message.data)
                for command in told if isinstance(told, list) else [told]:
                    listener.put(msgspec.json.encode(self.answer(listener, command)))

    def answer(self, listener: Listener, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer a command."""
        number, kind = asked["id"], asked["type"]
        self.asked[kind] = self.asked.get(kind, 0) + 1
        if kind == "ping":
            return {"id": number, "type": "pong"}
        handler = self._handlers().get(kind)
        if handler is None:
            return _error(number, "unknown_command", "Unknown command.")
        try:
            return {"id": number, "type": "result", "success": True, "result": handler(listener, asked)}
        except PermissionError:
            return _error(number, "unauthorized", "Unauthorized")

    def _handlers(self) -> dict[str, Callable[[Listener, dict[str, Any]], Any]]:
        return {
            "supported_features": self._supports,
            "subscribe_events": self._subscribes,
            "unsubscribe_events": lambda one, asked: one.subscriptions.pop(asked["subscription"], None) and None,
            "get_states": lambda *_: list(self.said.states.values()),
            "get_config": lambda *_: _CONFIG,
            "recorder/info": lambda *_: dict(_RECORDER),
            "auth/current_user": lambda one, _: _USER | {"is_admin": one.admin, "is_owner": one.admin},
            "config/auth/list": self._users,
            "history/stream": self._streams,
            "history/history_during_period": lambda _, asked: self.said.history(asked),
            "logbook/get_events": lambda _, asked: self.said.logbook(asked),
            **{f"config/{name}_registry/list": self._registry(name) for name in self.registries},
        }

    def _registry(self, name: str) -> Callable[[Listener, dict[str, Any]], Any]:
        return lambda *_: self.registries[name]

    def _supports(self, listener: Listener, asked: dict[str, Any]) -> None:
        listener.coalescing = "coalesce_messages" in asked["features"]

    def _subscribes(self, listener: Listener, asked: dict[str, Any]) -> None:
        wanted = asked.get("event_type")
        if not listener.admin and (wanted is None or wanted in _ADMINS):
            raise PermissionError(wanted)
        listener.subscriptions[asked["id"]] = wanted

    def _streams(self, listener: Listener, asked: dict[str, Any]) -> None:
        """Begin a stream of the history: what is recorded; where that is nothing, once more when all is written."""
        at = {"start_time": instant(asked["start_time"]) / 1e6, "end_time": self.said.now() / 1e6}
        states = self.said.history(asked)
        for told in (states,) if states else (states, {}):
            message = {"id": asked["id"], "type": "event", "event": {"states": told, **at}}
            asyncio.get_running_loop().call_soon(listener.put, msgspec.json.encode(message))

    def _users(self, listener: Listener, _: dict[str, Any]) -> list[dict[str, Any]]:
        if not listener.admin:
            raise PermissionError
        return [_LISTED]


class Control:
    """What a test asks for, by HTTP."""

    def __init__(self, talking: Talking, port: int) -> None:
        self.talking, self._port = talking, port
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen on the port of Home Assistant."""
        if self._runner is None:
            app = web.Application()
            app.router.add_get("/api/websocket", self.talking.websocket)
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
            await self._runner.setup()
            await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def shut(self) -> None:
        """Stop listening, and cut whoever listens."""
        await self.drop("abort")
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def drop(self, how: str) -> None:
        """End all connections: ``close`` says so, ``abort`` does not."""
        for listener in list(self.talking.listeners):
            if how == "close":
                await listener.socket.close(code=WSCloseCode.GOING_AWAY)
            listener.transport.abort()

    async def change(self, told: list[dict[str, Any]]) -> list[int]:
        """Change states; give their instants."""
        return [self.talking.change(**one) for one in told]

    async def flood(self, told: dict[str, Any]) -> None:
        """Begin a flood; without a rate as fast as is listened."""
        talking, rate = self.talking, told.pop("rate")
        flood = talking.flood(rate=rate, **told) if rate else talking.pour(**told)
        talking.flooding = asyncio.create_task(flood)

    async def frame(self, told: dict[str, Any]) -> None:
        """Send a text as it is, as a frame of its own; ``make`` names one that is too large to be told."""
        text = told["text"].encode() * told.get("times", 1)
        for listener in list(self.talking.listeners):
            await listener.socket.send_frame(text, WSMsgType.TEXT)

    async def fire(self, told: dict[str, Any]) -> None:
        """Say an event that nobody records, whatever it holds."""
        self.talking.fire(told["kind"], told["event"].encode())

    async def set(self, told: dict[str, Any]) -> None:
        """Change how it behaves."""
        talking = self.talking
        for name in ("repeats", "shuffled", "impatient", "tokens", "registries"):
            setattr(talking, name, told.get(name, getattr(talking, name)))
        if "silent" in told:
            (talking.speaking.clear if told["silent"] else talking.speaking.set)()
        if "ahead" in told:
            talking.said.jump(told["ahead"])

    async def status(self) -> dict[str, Any]:
        """Tell how it goes."""
        talking = self.talking
        return {
            "listeners": sum(one.hears("state_changed") for one in talking.listeners),
            "changes": len(talking.said.changes),
            "sent": talking.sent,
            "poured": talking.poured,
            "pending": sum(len(one.pending) for one in talking.listeners),
            "flooding": talking.flooding is not None and not talking.flooding.done(),
            "refused": talking.refused,
            "asked": talking.asked,
        }

    async def ledger(self) -> list[tuple[Any, ...]]:
        """Tell every change: entity, instant, state, whether a person made it, and the automation that did."""
        return [(c.entity_id, c.updated, c.state, c.user, c.automation) for c in self.talking.said.changes]

    def route(self, call: Callable[..., Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Let a test call something by HTTP."""

        async def handler(request: web.Request) -> web.Response:
            told = await request.read()
            done = await (call(msgspec.json.decode(told)) if told else call())
            return web.Response(body=msgspec.json.encode(done))

        return handler


async def main(port: int, control_port: int) -> None:
    """Serve until killed."""
    control = Control(Talking(), port)
    app = web.Application(client_max_size=2**30)
    for name in ("open", "shut", "drop", "change", "flood", "frame", "fire", "set", "status", "ledger"):
        app.router.add_post(f"/{name}", control.route(getattr(control, name)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await control.open()
    await web.TCPSite(runner, "127.0.0.1", control_port).start()
    await asyncio.Event().wait()


def _error(number: int, code: str, message: str) -> dict[str, Any]:
    return {"id": number, "type": "result", "success": False, "error": {"code": code, "message": message}}


_CONFIG = {
    "allowlist_external_dirs": [],
    "allowlist_external_urls": [],
    "components": ["history", "logbook", "recorder"],
    "config_dir": "/config",
    "config_source": "storage",
    "country": "NL",
    "currency": "EUR",
    "debug": False,
    "elevation": 0,
    "external_url": None,
    "internal_url": None,
    "language": "en",
    "latitude": 52.4,
    "location_name": "Scripted home",
    "longitude": 4.9,
    "radius": 100,
    "recovery_mode": False,
    "safe_mode": False,
    "state": "RUNNING",
    "time_zone": "Europe/Amsterdam",
    "unit_system": {"length": "km", "temperature": "°C"},
    "version": VERSION,
    "whitelist_external_dirs": [],
}
_RECORDER = {
    "backlog": 0,
    "db_in_default_location": True,
    "max_backlog": 65000,
    "migration_in_progress": False,
    "migration_is_live": False,
    "recording": True,
    "thread_running": True,
}
_USER: dict[str, Any] = {
    "id": USER,
    "name": "Owner",
    "is_owner": True,
    "is_admin": True,
    "credentials": [],
    "mfa_modules": [],
}
_LISTED: dict[str, Any] = {
    "id": USER,
    "username": None,
    "name": "Owner",
    "is_owner": True,
    "is_active": True,
    "local_only": False,
    "system_generated": False,
    "group_ids": ["system-admin"],
    "credentials": [],
}

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

"""An enrich (and the few words of the store that capture asks for) on a real port: it keeps what was delivered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from quotidian.model import CauseKind, Delivery, Gap, GapNote, Heard, Home, Receipt, RegistryNote, Source

SECRET = "canary-secret"
Refusal = Callable[[Delivery], Response | None]


class KeptEnrich:
    """Takes deliveries in order, as the real one does: numbers that it has are taken again without effect.

    One that follows on what is not here is refused.
    """

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.refusing: Refusal = _nothing
        self.missing: tuple[int, int] | None = None
        self.latest: int | None = None
        self.calls = 0
        self.app = FastAPI()
        self.app.post("/api/v1/events")(self._post)
        self.app.get("/api/v1/home")(self._home)
        self.app.get("/api/v1/gaps")(self._gaps)
        self.app.get("/api/v1/latest")(self._latest)
        self.app.get("/api/v1/streams/{stream}")(self._stream)

    @property
    def heard(self) -> list[Heard]:
        """Everything that was heard, once a number, in the order of the numbers."""
        found = {m.seq: m for d in self.deliveries for m in d.messages if isinstance(m, Heard)}
        return [found[seq] for seq in sorted(found)]

    @property
    def gaps(self) -> dict[str, Gap]:
        """What is known of gaps by now."""
        return {m.gap.id: m.gap for d in self.deliveries for m in d.messages if isinstance(m, GapNote)}

    @property
    def registries(self) -> list[RegistryNote]:
        """The snapshots."""
        return [m for d in self.deliveries for m in d.messages if isinstance(m, RegistryNote)]

    @property
    def covered(self) -> int:
        """The number up to which nothing is missing, from 1 on."""
        last = 0
        for delivery in sorted(self.deliveries, key=lambda d: d.first):
            if delivery.first > last + 1:
                break
            last = max(last, delivery.last)
        return last

    def last(self, stream: str) -> int:
        """Give the last number of a stream, 0 when there is none."""
        return max((d.last for d in self.deliveries if d.stream == stream), default=0)

    def changes(self, entity_id: str) -> list["Told"]:
        """Give an entity's changes, in the order in which they came."""
        return [told for heard in self.heard if heard.text is None and (told := Told.of(heard)).entity_id == entity_id]

    async def _post(self, request: Request) -> Response:
        self.calls += 1
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return refused(401)
        delivery = msgspec.json.decode(await request.body(), type=Delivery)
        refusal = self.refusing(delivery)
        if refusal is not None:
            return refusal
        if delivery.follows > self.last(delivery.stream):
            return refused(409, "It is behind.")
        self.deliveries.append(delivery)
        dead = sum(isinstance(m, Heard) and m.text is not None for m in delivery.messages)
        missing, self.missing = self.missing, None
        return _json(Receipt(stream=delivery.stream, last=delivery.last, dead=dead, missing=missing))

    async def _home(self) -> Response:
        return _json(Home("home", "Europe/Amsterdam"))

    async def _gaps(self) -> Response:
        return _json({"gaps": list(self.gaps.values())})

    async def _latest(self) -> Response:
        return _json({"latest": self.latest})

    async def _stream(self, stream: str) -> Response:
        return _json({"stream": stream, "last": self.last(stream)})


class Told:
    """One change, as it was delivered."""

    def __init__(self, heard: Heard, data: dict[str, Any]) -> None:
        new, old = data["new_state"], data["old_state"]
        self.entity_id: str = data["entity_id"]
        self.state = None if new is None else new["state"]
        self.old = None if old is None else old["state"]
        self.updated: str | None = None if new is None else new["last_updated"]
        self.cause, self.source = heard.cause, heard.source

    @classmethod
    def of(cls, heard: Heard) -> "Told":
        """Read what was heard."""
        return cls(heard, msgspec.json.decode(heard.event)["data"])

    @property
    def kind(self) -> CauseKind:
        """Who did it."""
        return self.cause.kind

    @property
    def live(self) -> bool:
        """Whether it was heard when it happened."""
        return self.source is Source.LIVE


def _nothing(_: Delivery) -> Response | None:
    return None


def _json(data: Any) -> Response:
    return Response(msgspec.json.encode(data), media_type="application/json")


def refused(status: int, what: str = "No.", **headers: str) -> Response:
    """Answer as our services do when they refuse."""
    content = msgspec.json.encode({"error": {"kind": "Request", "what": what, "remedy": ""}})
    return Response(content, status, headers, media_type="application/json")


@asynccontextmanager
async def serving(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """Serve an application on a port (a free one), and give its address."""
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    if task.done():
        task.result()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def held(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds; fail when it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)

"""Enrich on a real port, before a store that remembers what it was sent and fails when it is told to."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from quotidian.enrich.app import create_app
from quotidian.model import Home, Snapshot
from quotidian.model.delivery import Enriched, Receipt, Refusal
from quotidian.settings import Settings

SECRET = "canary-secret"


class KeepingStore:
    """Answers enrich as the store does."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self.snapshots = list(snapshots)
        self.received: list[Enriched] = []
        self.failing: Response | None = None
        self.app = FastAPI()
        self.app.get("/health")(self._health)
        self.app.get("/api/v1/{path:path}")(self._get)
        self.app.post("/api/v1/events")(self._post)

    @property
    def last(self) -> int:
        """The last number of the stream of posted events."""
        return max((one.last for one in self.received if one.stream == "by-hand"), default=0)

    async def _health(self) -> Response:
        return self.failing or _json({"state": "ok", "service": "store", "version": "1"})

    async def _get(self, path: str, after: int = 0, limit: int = 1) -> Response:
        told: dict[str, Any] = {
            "home": Home("home", "Europe/Amsterdam"),
            "snapshots": {"snapshots": [one for one in self.snapshots if one.since > after][:limit]},
            "streams/by-hand": {"stream": "by-hand", "last": self.last},
        }
        return self.failing or _json(told[path])

    async def _post(self, request: Request) -> Response:
        enriched = msgspec.json.decode(await request.body(), type=Enriched)
        if request.headers["authorization"] != f"Bearer {SECRET}" or self.failing:
            return self.failing or Response(status_code=401)
        self.received.append(enriched)
        refusals = [Refusal(letter.seq, letter.reason) for letter in enriched.letters]
        return _json(
            Receipt(
                stream=enriched.stream,
                last=enriched.last,
                new=len(enriched.events),
                dead=len(refusals),
                refusals=refusals,
            )
        )


def _json(data: Any) -> Response:
    return Response(msgspec.json.encode(data), media_type="application/json")


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on a free port, and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server._serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Service:
    """Enrich as those who send it events see it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, store: KeepingStore, directory: str) -> None:
        self.url, self.store, self.directory = url, store, directory
        self._session = session

    async def post(self, data: Any, path: str = "/api/v1/events", secret: str = SECRET) -> tuple[int, Any]:
        """Post something; bytes are sent as they are."""
        raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with self._session.post(self.url + path, data=io.BytesIO(raw), headers=headers) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, str]:
        """Get something as text."""
        async with self._session.get(self.url + path) as response:
            return response.status, await response.text()


def with_enrich(directory: Any, check: Callable[[Service], Awaitable[None]], *snapshots: Snapshot) -> None:
    """Run a check against enrich and its store."""

    async def run() -> None:
        store = KeepingStore(*snapshots)
        async with serving(store.app) as store_url:
            told = {"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET, "DATA_STORAGE_URL": store_url}
            async with serving(create_app(Settings(told))) as url, aiohttp.ClientSession() as session:
                await check(Service(url, session, store, str(directory)))

    asyncio.run(run())

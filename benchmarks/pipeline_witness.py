"""Stands before the store, and notes when its receipts come back."""

import asyncio
import contextlib
import threading
import time
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import ClientSession, DummyCookieJar, web
from tests.ports import free

from quotidian.model.delivery import Enriched

_HANDED_ON = ("Authorization", "Content-Type", "X-Request-Id")


class Witness:
    """Hands every request on to the store; ``latencies`` are milliseconds from a change to its receipt.

    A change is as old as its ``last_updated``, which the scripted Home Assistant takes from the same clock just before
    it says it; a receipt is there when its last byte has come out of the store. So the time that handing on costs
    counts too.
    """

    def __init__(self, store: str) -> None:
        self.port, self._store = free(), store
        self.latencies: list[float] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stop: Any = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop.aclose(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _start(self) -> None:
        self._stop = contextlib.AsyncExitStack()
        self._session = await self._stop.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._hand_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        self._stop.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()

    async def _hand_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
        async with self._session.request(
            request.method, self._store + request.path_qs, data=body or None, headers=headers
        ) as answer:
            content = await answer.read()
        if request.method == "POST" and answer.status == 200:
            self._note(body, time.time_ns() // 1000)
        return web.Response(body=content, status=answer.status, content_type="application/json")

    def _note(self, body: bytes, now: int) -> None:
        received = msgspec.json.decode(body, type=Enriched).events
        self.latencies += [(now - one.event.last_updated) / 1000 for one in received]

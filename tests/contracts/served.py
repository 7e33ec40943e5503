"""A store behind a real server on a real port, as a command meets it while the services run."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from quotidian.service.run import Server, listening
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.app import create_app
from quotidian.store.remote import RemoteStore


class Switch:
    """One server for all tests, in a thread of its own; the application behind it changes."""

    def __init__(self) -> None:
        self.app: FastAPI | None = None
        self.address = ("", 0)
        self._loop = asyncio.new_event_loop()
        self._lifespan: AbstractAsyncContextManager[Any] | None = None
        started = threading.Event()
        threading.Thread(target=self._serve, args=(started,), daemon=True).start()
        started.wait()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        with listening("127.0.0.1", 0) as taken:
            self.address = taken.getsockname()[:2]
            self._loop.run_until_complete(Server(cast("FastAPI", self), taken).up())
            started.set()
            self._loop.run_forever()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the application that is there now."""
        assert self.app is not None
        await self.app(scope, receive, send)

    def open(self, app: FastAPI) -> None:
        """Start an application."""
        app.state.address = self.address
        self._lifespan = app.router.lifespan_context(app)
        self._run(self._lifespan.__aenter__())
        self.app = app

    def close(self) -> None:
        """Stop the application."""
        assert self._lifespan is not None
        self._run(self._lifespan.__aexit__(None, None, None))
        self.app = None

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


switch = cache(Switch)


class ServedStore(RemoteStore):
    """What ``connect`` gives while a service holds the store; closing it also stops the service."""

    def close(self) -> None:
        """Close the connection, and stop the service."""
        super().close()
        switch().close()


def served(directory: Path, settings: Settings) -> Store:
    """Serve a store, and connect to it."""
    switch().open(create_app(settings.replaced(QUOTIDIAN_DATA=str(directory))))
    store = connect(directory, settings)
    assert type(store) is RemoteStore
    store.__class__ = ServedStore
    return cast("Store", store)

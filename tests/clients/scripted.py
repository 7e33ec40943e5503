"""A real server on a real port that answers as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Scripted:
    """Answers requests one after the other from a script; the last answer is repeated."""

    def __init__(self, *script: Response | None) -> None:
        self.script = list(script)
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the request, and answer; ``None`` never answers."""
        request = Request(scope, receive)
        self.heard.append((request.method, request.url.path, dict(request.headers), await request.body()))
        response = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if response is None:
            await asyncio.Event().wait()
        else:
            await response(scope, receive, send)


@asynccontextmanager
async def serving(*script: Response | None) -> AsyncIterator[Scripted]:
    """Serve a script on a free port."""
    app = Scripted(*script)
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    app.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield app
    finally:
        server.should_exit = True
        await task

"""Running services: one process, one loop, one handler of signals, for one service or for all."""

import asyncio
import signal
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI


async def serve(apps: Sequence[tuple[FastAPI, int]], host: str) -> None:
    """Serve applications on their ports until SIGTERM or SIGINT; the first named starts first and stops last."""
    servers = [
        _Server(uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)) for app, port in apps
    ]
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running: list[asyncio.Task[None]] = []
    for server in servers:
        running.append(asyncio.create_task(server.serve()))
        await server.up(running[-1])
    ended = [asyncio.create_task(stopping.wait()), *running]
    await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    for server, task in zip(reversed(servers), reversed(running), strict=True):
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """A server that leaves signals to us and can be waited for."""

    def install_signal_handlers(self) -> None:
        """Leave them alone."""

    async def up(self, task: asyncio.Task[None]) -> None:
        while not self.started and not task.done():
            await asyncio.sleep(0.01)
        if task.done():
            task.result()


def _config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)

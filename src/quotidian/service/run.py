"""Running services: one process, one loop, one handler of signals, for one service or for all."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from quotidian.errors import SettingError

GRACE: Final = 10  #: seconds that requests get to end when a service stops
KEPT: Final = 60  #: seconds that an idle connection is kept: longer than our clients keep theirs
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def serve(apps: Sequence[tuple[FastAPI, int]], host: str, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serve applications on their ports until SIGTERM or SIGINT; the first named starts first and stops last.

    All ports are taken before anything starts. A second signal ends requests that are still running. ``ready`` is
    called when all of them have started.

    Raises
    ------
    SettingError
        When a port or the host cannot be used.
    QuotidianError
        Whatever a service raised when it started or stopped.
    """
    log = structlog.get_logger(service="run")
    servers: list[Server] = []
    stack = AsyncExitStack()
    with _told_to_stop(servers) as stopping:
        try:
            sockets = [stack.enter_context(listening(host, port)) for _, port in apps]
            for (app, _), taken in zip(apps, sockets, strict=True):
                servers.append(await stack.enter_async_context(running(app, taken)))
                log.debug("a service is served", app=app.title, address="{}:{}".format(*app.state.address))
            log.info("serving", **_places([app for app, _ in apps]))
            ready()
            await _first_end(stopping, servers)
            log.info("stopping")
        finally:
            # Closed as after a success: a service whose neighbour failed stops like any other.
            await stack.aclose()


def _places(apps: Sequence[FastAPI]) -> dict[str, str]:
    """Say where each service is, by its name."""
    return {app.title.rpartition(" ")[2]: "{}:{}".format(*app.state.address) for app in apps}


async def _first_end(stopping: asyncio.Event, servers: Sequence["Server"]) -> None:
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait([told, *(server.task for server in servers)], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take a port, 0 for any that is free; connections wait until somebody serves it.

    Raises
    ------
    SettingError
        When it cannot be taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that asyncio sends small answers at once: else each waits 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
            taken.listen(2048)
        except (OSError, UnicodeError, OverflowError) as error:
            raise _not_taken(host, port, error) from error
        yield taken


def _not_taken(host: str, port: int, error: Exception) -> SettingError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        what = f"Port {port} is in use by another program."
        return SettingError(what, "Stop that program, or set QUOTIDIAN_PORT to a number from which five are free.")
    if number == errno.EACCES:
        return SettingError(f"Port {port} may not be used.", "Set QUOTIDIAN_PORT to a number over 1023.")
    return SettingError(f"{host!r} is no address of this machine.", "Set QUOTIDIAN_HOST to one, or to 0.0.0.0 for all.")


@asynccontextmanager
async def running(app: FastAPI, taken: socket.socket) -> AsyncIterator["Server"]:
    """Run an application on a port that was taken; ``app.state.address`` tells it which.

    Its lifespan is entered here and not by uvicorn, which would turn an error into a log entry and an exit.
    """
    app.state.address = taken.getsockname()[:2]
    async with app.router.lifespan_context(app):
        server = Server(app, taken)
        try:
            yield await server.up()
        finally:
            app.state.stopping.set()
            await server.down()


class Server(uvicorn.Server):
    """A server that leaves signals to us and can be waited for."""

    def __init__(self, app: FastAPI, taken: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEPT,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._taken = taken
        self.task: asyncio.Task[None]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def up(self) -> "Server":
        """Start, and wait until requests are served."""
        self.task = asyncio.create_task(self.serve([self._taken]))
        while not self.started and not self.task.done():
            await asyncio.sleep(0.005)
        if self.task.done():
            self.task.result()
        return self

    async def down(self) -> None:
        """Let requests end, and stop."""
        self.should_exit = True
        await self.task


@contextmanager
def _told_to_stop(servers: Sequence[Server]) -> Iterator[asyncio.Event]:
    """Give an event that a signal sets; a second signal hurries the servers."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        for server in servers if stopping.is_set() else ():
            server.force_exit = True
        stopping.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, told)
    try:
        yield stopping
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

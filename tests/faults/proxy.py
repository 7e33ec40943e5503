"""A TCP proxy that breaks connections: cut, half-closed, slow, silent, or with the answer lost."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from ..ports import free  # noqa: TID252 - tests are no package

_SIZE = 65_536


class Proxy:
    """Stands between a client and the port of a server while the context lasts.

    What is set concerns the bytes that come from then on, of every connection:

    - ``silent``: nothing passes, in neither direction, and nothing is ended.
    - ``delay``: seconds that each piece waits; ``pace``: bytes a second, 0 for no limit.
    - ``refusing``: new connections are ended at once.
    - ``losing``: so many answers are not handed on: the request was delivered, then both sides are cut.
    """

    def __init__(self, target: int) -> None:
        self.port, self._target = free(), target
        self.silent, self.refusing, self.delay, self.pace, self.losing = False, False, 0.0, 0.0, 0
        self.lost = 0  #: answers that were not handed on
        self.accepted = 0  #: connections
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

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
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection."""
        self._called(self._cut)

    def half_close(self) -> None:
        """Tell each side that the other one will send no more, and go on listening to it."""
        self._called(self._half_close)

    def _called(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def _cut(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    def _half_close(self) -> None:
        for writer in list(self._open):
            with contextlib.suppress(OSError):
                writer.write_eof()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _stop(self) -> None:
        self._server.close()
        self._cut()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            _reset(writer)
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        both = {writer, back}
        self._open |= both
        ways = [asyncio.create_task(way) for way in (self._pump(reader, back), self._answer(there, writer, back))]
        try:
            with contextlib.suppress(asyncio.CancelledError):  # at the end of the proxy
                await asyncio.gather(*ways)
        finally:
            self._open -= both
            for one in both:
                _reset(one)
            for way in ways:
                way.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_SIZE):
                await self._passed(data, writer)
            writer.write_eof()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_SIZE):
                if self.losing > 0:
                    self.losing, self.lost = self.losing - 1, self.lost + 1
                    _reset(writer)
                    _reset(back)
                    return
                await self._passed(data, writer)
            writer.write_eof()

    async def _passed(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while self.silent:
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.delay + (len(data) / self.pace if self.pace else 0))
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset, without sending what waits."""
    there: Any = writer.get_extra_info("socket")
    if there is not None:
        with contextlib.suppress(OSError):
            there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

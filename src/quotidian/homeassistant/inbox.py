"""What was heard and not taken yet: bounded, so that a slow taker slows the one who speaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

LIMIT: Final = 4_000_000  #: bytes that may wait


class Inbox:
    """Raw events between the task that reads a socket and the one that takes them.

    Parameters
    ----------
    limit
        Bytes beyond which ``put`` waits.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit, self._size = limit, 0
        self._waiting: list[bytes] = []
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._end: Exception | None = None

    async def put(self, events: list[bytes]) -> None:
        """Add events; come back when there is room for more."""
        self._waiting += events
        self._size += sum(map(len, events))
        self._news.set()
        if self._size > self._limit:
            self._room.clear()
            await self._room.wait()

    def end(self, error: Exception) -> None:
        """Say why nothing more comes."""
        self._end = error
        self._news.set()

    async def batches(self) -> AsyncIterator[list[bytes]]:
        """Hand out all that waits, again and again; raise what ended it after the last."""
        while True:
            await self._news.wait()
            self._news.clear()
            batch, self._waiting, self._size = self._waiting, [], 0
            self._room.set()
            if batch:
                yield batch
            elif self._end is not None:
                raise self._end
            if self._end is not None:
                self._news.set()

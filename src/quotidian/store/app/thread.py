"""The one thread in which a store lives: SQLite's connections belong to the thread that opened them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from quotidian.store.protocols import Store

T = TypeVar("T")


class StoreThread:
    """Opens, calls and closes a store in one thread; calls are made one after the other, as they came.

    Parameters
    ----------
    opening
        Opens the store.
    """

    def __init__(self, opening: Callable[[], Store]) -> None:
        self._opening = opening
        self._pool = ThreadPoolExecutor(1, "store")
        self._store: Store | None = None

    async def open(self) -> Store:
        """Open the store.

        Raises
        ------
        QuotidianError
            Whatever opening it raises.
        """
        try:
            self._store = await self._run(self._opening)
        except BaseException:
            self._pool.shutdown()
            raise
        return self._store

    async def call(self, work: Callable[[Store], T]) -> T:
        """Do something with the store in its thread, and wait for the result."""
        store = self._store
        assert store is not None, "the store is not open"
        return await self._run(lambda: work(store))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Let calls end that were made before, and close the store."""
        store, self._store = self._store, None
        if store is not None:
            await self._run(store.close)
        self._pool.shutdown()

"""A backup while the store goes on: its thread is held for a moment, the rest is written from others."""

import asyncio
from contextlib import suppress
from typing import Final

from fastapi import Depends, FastAPI
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from quotidian.errors import CorruptStoreError
from quotidian.store.app.thread import StoreThread
from quotidian.store.backup.local import set_aside
from quotidian.store.protocols import Backup
from quotidian.store.remote import BACKUP

_MEDIA: Final = "application/x-tar"
_TRIES: Final = 3  # moments that are taken, when days change before they were fetched from InfluxDB


def add(app: FastAPI, thread: StoreThread) -> None:
    """Add the route."""

    @app.get(
        BACKUP,
        summary="All that the store holds, as a tar",
        tags=["store"],
        dependencies=[Depends(app.state.access.changing)],
        responses={200: {"content": {_MEDIA: {}}}},
    )
    async def _backup() -> Response:
        """Give it to whoever has a token, always: everything is in it, and it takes space on the disk for a while."""
        for _ in range(_TRIES - 1):
            with suppress(_ChangedError):
                return await _taken(thread)
        return await _taken(thread)


class _ChangedError(CorruptStoreError):
    """What lies in InfluxDB has changed since the moment of a backup."""


async def _taken(thread: StoreThread) -> "_Streamed":
    backup = await thread.call(lambda store: store.backup())
    try:
        manifest = await asyncio.to_thread(lambda: backup.manifest)
    except BaseException as error:
        await asyncio.to_thread(backup.close)
        if isinstance(error, CorruptStoreError) and not await thread.call(lambda store: set_aside(store, backup)):
            raise _ChangedError(error.what, error.remedy) from error
        raise
    return _Streamed(backup, manifest.size)


class _Streamed(StreamingResponse):
    """An archive that is sent; whatever ends that, its space is given back."""

    def __init__(self, backup: Backup, size: int) -> None:
        super().__init__(backup.chunks(), headers={"Content-Length": str(size)}, media_type=_MEDIA)
        self._backup = backup

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.to_thread(self._backup.close)

"""A backup while the store goes on: its thread is held for a moment, the rest is written from others."""

import asyncio
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
        backup = await thread.call(lambda store: store.backup())
        try:
            manifest = await asyncio.to_thread(lambda: backup.manifest)
        except BaseException as error:
            await asyncio.to_thread(backup.close)
            if isinstance(error, CorruptStoreError):
                await thread.call(lambda store: set_aside(store, backup))
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

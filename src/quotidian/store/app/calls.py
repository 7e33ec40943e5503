"""The store's own methods over HTTP, for our commands while this process holds the store."""

import msgspec
from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from quotidian.errors import NotFoundError, RequestError
from quotidian.service.wire import raw_body, refusal
from quotidian.store.app.thread import StoreThread
from quotidian.store.calls import CALLS
from quotidian.store.remote import MEDIA, PATH

_LARGEST = 64_000_000  # bytes: tables of events, a day's summaries


def add(app: FastAPI, thread: StoreThread) -> None:
    """Add the route."""

    @app.post(
        PATH + "{method}",
        summary="Call a method of the store",
        tags=["internal"],
        dependencies=[Depends(app.state.access.trusting)],
        include_in_schema=False,
    )
    async def _call(method: str, request: Request) -> Response:
        call = CALLS.get(method)
        if call is None:
            raise NotFoundError("The store has no such method.", "Run programs of one version.")
        content = await raw_body(request, _LARGEST)
        try:
            found = await thread.call(lambda store: call.made(store, content))
        except msgspec.DecodeError as error:
            raise RequestError(f"The arguments cannot be used: {error}.", "Run programs of one version.") from error
        except (ValueError, TypeError, KeyError) as error:
            # A mistake of the caller's: raised there as what it is.
            return refusal(400, type(error).__name__, str(error))
        return Response(found, media_type=MEDIA)

"""An application: routes for health, readiness and metrics, one shape of errors, and a name for each request."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from difflib import get_close_matches
from typing import Final

import structlog
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from quotidian import __version__
from quotidian.errors import (
    AccessError,
    BehindError,
    ConflictError,
    NotFoundError,
    PermanentError,
    QuotidianError,
    RequestError,
    RetryableError,
    SettingError,
    TooLargeError,
    UnreachableError,
)
from quotidian.model.health import Dependency, Health, ServiceHealth
from quotidian.service.access import Access
from quotidian.service.gate import Gate, names_of
from quotidian.service.openapi import describe, speaks
from quotidian.service.unserved import Unserved
from quotidian.service.wire import answer, refusal
from quotidian.settings import Settings

_STATUS: Final = (
    (AccessError, 401),
    (NotFoundError, 404),
    (BehindError, 409),
    (ConflictError, 409),
    (TooLargeError, 413),
    (RetryableError, 503),
    (SettingError, 500),
    (PermanentError, 400),
)
_KINDS: Final = {404: "NotFound", 405: "NotFound"}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create(name: str, settings: Settings, health: Callable[[], Awaitable[Health]], lifespan: Lifespan) -> FastAPI:
    """Make a service's application.

    ``app.state`` has ``access`` (an ``Access``), ``metrics`` (a ``CollectorRegistry`` of its own), ``log``,
    ``address`` (host and port; ``None`` until it is served by ``quotidian.service.run``) and ``stopping`` (an event
    that is set before requests that still run are waited for).
    ``GET /health`` answers 200 while the process works, with what it needs; ``GET /ready`` 503 while it cannot do its
    work; ``GET /metrics`` speaks Prometheus's text format.
    """
    # Pages that show the document would load their scripts from far away.
    app = FastAPI(
        title=f"Quotidian: {name}",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        dependencies=[Depends(_known)],
    )
    app.state.access, app.state.metrics = Access(settings), CollectorRegistry()
    app.state.log, app.state.address = structlog.get_logger(service=name), None
    app.state.unserved = Unserved(app.state.log)
    app.state.stopping = asyncio.Event()
    ProcessCollector(registry=app.state.metrics)
    app.add_middleware(Gate, service=name, names=names_of(settings), metrics=app.state.metrics)
    for kind, handler in ((QuotidianError, _told), (HTTPException, _refused), (RequestValidationError, _invalid)):
        app.add_exception_handler(kind, handler)
    _add_operation(app, name, health)
    return app


def _add_operation(app: FastAPI, name: str, health: Callable[[], Awaitable[Health]]) -> None:
    reading = [Depends(app.state.access.reading)]

    @app.get("/health", summary="How the service is", tags=["operation"], openapi_extra=speaks(gives=ServiceHealth))
    async def _health(request: Request) -> Response:
        """Who may not read hears only the states: figures tell when somebody was at home."""
        found = await health()
        if not await app.state.access.lets_read(request):
            found = Health(found.state, tuple(Dependency(one.name, one.state) for one in found.dependencies))
        return answer(ServiceHealth(found.state, found.dependencies, found.figures, name, __version__))

    @app.get("/ready", summary="Whether the service can do its work", tags=["operation"])
    async def _ready() -> Response:
        found = await health()
        return answer({"ready": found.state != "down"}, 503 if found.state == "down" else 200)

    @app.get("/metrics", summary="Figures for Prometheus", tags=["operation"], dependencies=reading)
    async def _metrics() -> Response:
        return Response(generate_latest(app.state.metrics), media_type=CONTENT_TYPE_LATEST)

    @app.get("/openapi.json", summary="This document", tags=["operation"], dependencies=reading)
    async def _document() -> Response:
        return answer(describe(app))


async def _known(request: Request) -> None:
    """Refuse a parameter that the route does not know: spelled wrong, it would be passed over, and all be answered.

    Raises
    ------
    RequestError
        When there is one.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = {one.alias for one in route.dependant.query_params}
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"Did you mean {near[0]}?" if near else f"It knows {', '.join(sorted(known)) or 'none'}."
            raise RequestError(f"{request.url.path} does not know the parameter {name[:40]!r}.", meant)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, QuotidianError)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        request.app.state.unserved.tell(request.url.path, error)
    # Whoever asks knows the kinds of the tree, not those that a store has of its own.
    kind = next(one for one in type(error).__mro__ if one.__module__ == QuotidianError.__module__)
    return refusal(status, kind.__name__.removesuffix("Error"), error.what, error.remedy, _headers(error))


def _headers(error: QuotidianError) -> dict[str, str]:
    if isinstance(error, AccessError):
        return {"WWW-Authenticate": "Bearer"}
    after = error.after if isinstance(error, UnreachableError) else None
    return {} if after is None else {"Retry-After": str(round(after + 0.5))}


async def _refused(request: Request, error: Exception) -> Response:
    """Tell of a path or method that is not there."""
    assert isinstance(error, HTTPException)
    what = f"There is no {request.method} {request.url.path} here."
    kind = _KINDS.get(error.status_code, "Request")
    headers = dict(error.headers or {})
    return refusal(error.status_code, kind, what, "See /openapi.json.", headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """Tell of a parameter that cannot be used."""
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return refusal(422, "Request", f"The request cannot be used: {wrong}.", "See /openapi.json.")

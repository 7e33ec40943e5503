"""An application: routes for health, readiness and metrics, one shape of errors, and a name for each request."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from quotidian import __version__
from quotidian.errors import (
    AccessError,
    NotFoundError,
    PermanentError,
    QuotidianError,
    RetryableError,
    SettingError,
    TooLargeError,
)
from quotidian.model.health import Health, ServiceHealth
from quotidian.service.access import Access
from quotidian.service.wire import answer
from quotidian.settings import Settings

_STATUS: Final = (
    (AccessError, 401),
    (NotFoundError, 404),
    (TooLargeError, 413),
    (RetryableError, 503),
    (SettingError, 500),
    (PermanentError, 400),
)


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create(name: str, settings: Settings, health: Callable[[], Awaitable[Health]], lifespan: Lifespan) -> FastAPI:
    """Make a service's application.

    ``app.state`` has ``access`` (an ``Access``), ``metrics`` (a ``CollectorRegistry`` of its own) and ``log``.
    ``GET /health`` answers 200 while the process works, with what it needs; ``GET /ready`` 503 while it cannot do its
    work; ``GET /metrics`` speaks Prometheus's text format.
    """
    access = Access(settings)
    app = FastAPI(title=f"Quotidian: {name}", version=__version__, lifespan=lifespan)
    app.state.access, app.state.metrics = access, CollectorRegistry()
    app.state.log = structlog.get_logger(service=name)

    @app.get("/health", summary="How the service is", tags=["operation"])
    async def _health() -> Response:
        found = await health()
        return answer(ServiceHealth(found.state, found.dependencies, found.figures, name, __version__))

    @app.get("/ready", summary="Whether the service can do its work", tags=["operation"])
    async def _ready() -> Response:
        found = await health()
        return answer({"ready": found.state != "down"}, 503 if found.state == "down" else 200)

    @app.get("/metrics", summary="Figures for Prometheus", tags=["operation"], dependencies=[Depends(access.reading)])
    async def _metrics() -> Response:
        return Response(generate_latest(app.state.metrics), media_type=CONTENT_TYPE_LATEST)

    app.add_exception_handler(QuotidianError, _told)
    return app


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, QuotidianError)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return refusal(status, type(error).__name__.removesuffix("Error"), error.what, error.remedy)


def refusal(status: int, kind: str, what: str, remedy: str = "") -> Response:
    """Answer with an error, in the one shape that all services have."""
    return answer({"error": {"kind": kind, "what": what, "remedy": remedy}}, status)

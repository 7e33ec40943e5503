"""Capture as a service: it listens to Home Assistant, and hands on what it hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from quotidian.capture.capture import Capture
from quotidian.capture.manual import posted
from quotidian.service import Dependency, Health, answer, body, create
from quotidian.service.openapi import speaks
from quotidian.settings import Settings

_EXAMPLE: Final = {"event_type": "state_changed", "entity_id": "light.desk", "state": "on"}
_ANSWER: Final = {
    "event_id": "0f343b0931126a20f133d67c2b018a3b",
    "entity_id": "light.desk",
    "last_updated": 1769860800000000,
    "stream": "c0ffee00c0ffee00c0ffee00c0ffee00",
    "seq": 17,
}
_LARGEST: Final = 1_000_000  #: bytes of an event posted by hand


def create_app(settings: Settings) -> FastAPI:
    """Make the service; everything starts and ends with its lifespan."""
    running: list[Capture] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Capture.open(settings, app.state.access.secret) as capture:
            app.state.metrics.register(capture.figures)
            app.state.capture = capture
            running.append(capture)
            try:
                yield
            finally:
                running.clear()
                app.state.metrics.unregister(capture.figures)

    async def health() -> Health:
        return await running[0].health() if running else Health("down", (Dependency("capture", "down", "Stopping."),))

    app = create("capture", settings, health, lifespan)
    _add_routes(app)
    return app


def _add_routes(app: FastAPI) -> None:
    access = app.state.access

    @app.post(
        "/api/v1/events/forward",
        summary="Take in an event by hand",
        tags=["events"],
        dependencies=[Depends(access.changing)],
        openapi_extra=speaks(takes=dict[str, Any], gives=dict[str, Any], example=_EXAMPLE, answered=_ANSWER),
    )
    async def _forward(request: Request) -> Response:
        """Answer when the event is durable. It is kept as one posted by hand, and never learned from."""
        event = posted(await body(request, dict[str, Any], _LARGEST))
        return answer(await app.state.capture.post(event))

    @app.get(
        "/api/v1/status",
        summary="What capture does",
        tags=["operation"],
        dependencies=[Depends(access.reading)],
        openapi_extra=speaks(gives=dict[str, Any]),
    )
    async def _status() -> Response:
        return answer(app.state.capture.figures.status())

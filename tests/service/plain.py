"""A small service that shows what all services share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from quotidian.errors import ConflictError, UnreachableError
from quotidian.model import Event
from quotidian.service import Dependency, Health, answer, body, create
from quotidian.service.openapi import speaks
from quotidian.settings import Settings


def plain_app(environment: dict[str, str], started: list[str] | None = None, name: str = "plain") -> FastAPI:
    """Make it; it notes when it starts and stops."""
    noted = [] if started is None else started

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        noted.append(f"{name} starts")
        yield
        noted.append(f"{name} stops")

    async def health() -> Health:
        return Health("ok", (Dependency("disk", "ok", "It is in the cellar."),), {"last_event": 1})

    app = create(name, Settings(environment), health, lifespan)
    reading, changing = [Depends(app.state.access.reading)], [Depends(app.state.access.changing)]

    @app.get("/things", dependencies=reading)
    async def _things(limit: int = 1) -> Response:
        return answer({"limit": limit})

    @app.post("/things", dependencies=changing, openapi_extra=speaks(takes=Event, gives=dict[str, int]))
    async def _put(request: Request) -> Response:
        return answer({"size": len(str(await body(request, dict[str, Any])))})

    @app.get("/broken")
    async def _broken() -> Response:
        raise RuntimeError("the token is " + app.state.access.secret)

    @app.get("/later")
    async def _later() -> Response:
        raise UnreachableError("It rests.", "Wait.", after=2.2)

    @app.get("/changed")
    async def _changed() -> Response:
        raise ConflictError("It is another one by now.", "Read it again.")

    return app

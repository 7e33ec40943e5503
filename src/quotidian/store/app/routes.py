"""How the store's reading routes are made."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Query
from starlette.responses import Response

from quotidian.service.openapi import speaks

Reader = TypeVar("Reader", bound=Callable[..., Awaitable[Response]])
Limit = Annotated[int, Query(ge=1, le=1000, description="How many, at most.")]


def route(app: FastAPI, path: str, summary: str, gives: Any, example: Any = None) -> Callable[[Reader], Reader]:
    """Add a route that only reads, and describe what it gives."""
    extra = speaks(gives=gives, answered=example)
    reading = [Depends(app.state.access.reading)]
    return app.get("/api/v1" + path, summary=summary, tags=["store"], dependencies=reading, openapi_extra=extra)

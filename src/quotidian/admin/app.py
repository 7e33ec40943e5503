"""The admin service: how the pipeline is, for programs and on one page for people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from quotidian.admin.overview import Loss, Overviews
from quotidian.admin.page import HEADERS, asset, render, render_login
from quotidian.errors import AccessError, QuotidianError
from quotidian.model import Event
from quotidian.service import Health, answer, create
from quotidian.service.openapi import speaks
from quotidian.service.wire import raw_body
from quotidian.settings import Settings

COOKIE: Final = "quotidian"
_DAYS: Final = 90 * 86_400  #: seconds for which a browser is let in
_LARGEST: Final = 4_096  #: bytes of the form that holds a token
_ASSETS: Final = {"style.css": "text/css", "page.js": "text/javascript"}


def create_app(settings: Settings) -> FastAPI:
    """Make the admin service's application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.overviews = Overviews(settings, app.state.access.secret)
        yield
        await app.state.overviews.close()

    async def health() -> Health:
        found: Health = await app.state.overviews.health()
        return found

    app = create("admin", settings, health, lifespan)
    _add_api(app)
    _add_pages(app)
    return app


async def reading(request: Request) -> None:
    """Let a reading request in; a browser's cookie is as good as a program's header.

    Raises
    ------
    AccessError
        When it is not to be let in.
    """
    await request.app.state.access.reading(_with_token(request, request.cookies.get(COOKIE)))


def _with_token(request: Request, token: str | None) -> Request:
    """Give a request whose token stands where programs put it."""
    if not token or "authorization" in request.headers:
        return request
    header = (b"authorization", b"Bearer " + token.encode("latin-1", "replace"))
    return Request({**request.scope, "headers": [*request.scope["headers"], header]})


def _add_api(app: FastAPI) -> None:
    @app.get(
        "/api/v1/events/recent",
        summary="The newest events",
        tags=["admin"],
        dependencies=[Depends(reading)],
        openapi_extra=speaks(gives=dict[str, list[Event]]),
    )
    async def _recent(limit: Annotated[int, Query(ge=1, le=1000, description="How many, at most.")] = 20) -> Response:
        found = await app.state.overviews.read("store", "/api/v1/events", limit=limit)
        return answer({"events": found["events"]})

    @app.get(
        "/api/v1/stats",
        summary="What the store holds, and what capture and enrich did since their start",
        tags=["admin"],
        dependencies=[Depends(reading)],
        openapi_extra=speaks(gives=dict[str, dict[str, Any] | None]),
    )
    async def _stats() -> Response:
        """Give ``null`` for a service that does not answer."""
        paths = {"store": "/api/v1/stats", "capture": "/api/v1/status", "enrich": "/api/v1/status"}
        return answer({name: await _or_none(app, name, path) for name, path in paths.items()})

    @app.get(
        "/api/v1/loss",
        summary="The loss certificates, and whether their chain is whole",
        tags=["admin"],
        dependencies=[Depends(reading)],
        openapi_extra=speaks(gives=Loss),
    )
    async def _loss(first: str | None = None, last: str | None = None) -> Response:
        """Of the days from ``first`` to ``last`` (as in 2026-11-21), or of all."""
        overviews: Overviews = app.state.overviews
        found = await overviews.read("store", "/api/v1/certificates", first=first, last=last)
        chain = await overviews.read("store", "/api/v1/certificates/chain")
        return answer({"certificates": found["certificates"], "chain": chain})


async def _or_none(app: FastAPI, service: str, path: str) -> Any:
    try:
        return await app.state.overviews.read(service, path)
    except QuotidianError:
        return None


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def _page(request: Request) -> Response:
        try:
            await reading(request)
        except AccessError:
            return _redirect("login")
        text = render(await app.state.overviews.overview(), leavable=COOKIE in request.cookies)
        return Response(text, media_type="text/html", headers=HEADERS)

    @app.get("/login", include_in_schema=False)
    async def _login() -> Response:
        return Response(render_login(), media_type="text/html", headers=HEADERS)

    @app.post("/login", include_in_schema=False)
    async def _enter(request: Request) -> Response:
        form = parse_qs((await raw_body(request, _LARGEST)).decode("utf-8", "replace"))
        token = form.get("token", [""])[0].strip()
        try:
            app.state.access.check(_with_token(request, token))
        except AccessError as error:
            fault = error.what if token else "Enter a token."
            return Response(render_login(fault), 401, HEADERS, "text/html")
        response = _redirect("./")
        _set_cookie(request, response, token, _DAYS)
        return response

    @app.post("/logout", include_in_schema=False)
    async def _leave(request: Request) -> Response:
        response = _redirect("login")
        _set_cookie(request, response, "", 0)
        return response

    def serve(name: str, media: str) -> None:
        async def _asset() -> Response:
            return Response(asset(name), media_type=media)

        app.get(f"/{name}", include_in_schema=False)(_asset)

    for name, media in _ASSETS.items():
        serve(name, media)


def _redirect(where: str) -> Response:
    # A relative address also leads there beneath a path of somebody else's, such as Home Assistant's ingress.
    return Response(status_code=303, headers={"Location": where})


def _set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Hand a token to the browser: out of reach of scripts, and sent with requests of our own pages alone."""
    response.set_cookie(
        COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )

"""The HTTP API of Home Assistant: what each answer means, told without the token."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from quotidian.errors import AccessError, NotFoundError, QuotidianError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address, socket_url
from quotidian.homeassistant.rest import Rest

TOKEN = "canary"


def test_what_is_asked_arrives() -> None:
    """Method, path, token and body arrive as they were given, also where a part of the path is odd."""

    async def echo(request: web.Request) -> web.Response:
        told = [request.method, request.raw_path, request.headers["Authorization"], await request.text()]
        return web.json_response(told)

    async def ask() -> object:
        async with TestServer(_app(echo)) as server, _rest(str(server.make_url("/"))) as rest:
            return await rest.ask("POST", "config", "a/../b c", body={"x": 1})

    assert asyncio.run(ask()) == ["POST", "/api/config/a%2F..%2Fb%20c", f"Bearer {TOKEN}", '{"x":1}']


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            '{"message": "Message malformed:\\u202e bad @ data"}',
            RequestError,
            r"refuses: Message malformed: bad @",
        ),
        (400, "", RequestError, "it does not say why"),
        (401, "401: Unauthorized", AccessError, "administrator"),
        (403, "", AccessError, "lets nobody in"),
        (404, '{"message": "Resource not found"}', NotFoundError, "Resource not found"),
        (500, "<html>Server got itself in trouble</html>", UnreachableError, r"status 500.*trouble"),
        (502, "", UnreachableError, "is not up"),
        (302, "", UnreachableError, "status 302"),
        (400, "x" * 100_000, RequestError, "x{600}\\."),
        (400, "[" * 100_000, RequestError, "refuses"),
    ],
)
def test_each_answer_is_told(status: int, body: str, error: type[QuotidianError], said: str) -> None:
    """A refusal is told with Home Assistant's reason, made safe to show, and never with the token."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "http://elsewhere.example/"})

    async def ask() -> None:
        async with TestServer(_app(answer)) as server, _rest(str(server.make_url("/"))) as rest:
            await rest.ask("GET", "config")

    with pytest.raises(error, match=said) as raised:
        asyncio.run(ask())
    assert TOKEN not in repr(raised.value)
    assert len(str(raised.value)) < 900


def test_nobody_there_is_told() -> None:
    """When nobody answers, the error names the place and not the token."""

    async def ask() -> None:
        async with _rest("http://127.0.0.1:1") as rest:
            await rest.ask("GET", "config")

    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1") as raised:
        asyncio.run(ask())
    assert TOKEN not in repr(raised.value) + repr(raised.value.__cause__)


def _app(handler: object) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    return app


def _rest(url: str) -> AbstractAsyncContextManager[Rest]:
    return Rest.open(Address(socket_url(url), TOKEN), 5)

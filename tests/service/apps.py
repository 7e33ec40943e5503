"""Every service's application, and how one is run on a real port."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import aiohttp
from fastapi import FastAPI
from fastapi.routing import APIRoute

from quotidian.service.run import listening, running
from quotidian.settings import Settings

#: The services that there are.
SERVICES = ("store", "enrich", "capture", "admin", "learn")
#: Routes that tell nothing of the home and need no token.
OPEN = {"/health", "/ready", "/login", "/logout", "/style.css", "/page.js"}
#: Routes that only read and need a token everywhere.
GUARDED = {"/api/v1/backup"}
SECRET = "Canary-Secret-5uperS3cret-of-the-services"


def app_of(service: str, environment: dict[str, str]) -> FastAPI:
    """Make a service's application."""
    app: FastAPI = import_module(f"quotidian.{service}.app").create_app(Settings(environment))
    return app


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Give every method and path of an application."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes), "a route that is no APIRoute escapes the tests"
    return sorted((method, route.path) for route in routes for method in route.methods)


@asynccontextmanager
async def served(app: FastAPI, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve an application on a free port; give its address."""
    with listening(host, 0) as taken:
        async with running(app, taken):
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"


async def ask(method: str, url: str, token: str | None = None, **more: Any) -> tuple[int, Mapping[str, str], bytes]:
    """Make one request; give status, headers and body."""
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, **more) as response:
        return response.status, response.headers, await response.read()

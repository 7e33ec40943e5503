"""The gate before every application: who may knock at all, a name for each request, and no error that escapes.

A page in somebody's browser can send requests to addresses of the home. So the name under which a service is called
must be one of its own (else a foreign name could be pointed at it), and a request that changes something must not come
from another origin. There are no CORS headers: no other page may read an answer.
"""

import ipaddress
import re
import socket
import time
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quotidian.service import stranger
from quotidian.service.wire import refusal
from quotidian.settings import PORTS, URLS, Settings

REQUEST_ID: Final = "X-Request-Id"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})


class Gate:
    """Wraps an application.

    Parameters
    ----------
    app
        The application.
    service
        Its name, for logs.
    names
        The host names under which it may be called, besides addresses.
    metrics
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, service: str, names: frozenset[str], metrics: CollectorRegistry) -> None:
        self._app, self._names = app, names
        self._log = structlog.get_logger(service=service)
        labels = ("method", "route", "status")
        self._answered = Counter("quotidian_http_requests", "Requests that were answered.", labels, registry=metrics)
        self._took = Histogram("quotidian_http_seconds", "Time until the answer.", labels[:2], registry=metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _Answer(send, _named(headers))
        with structlog.contextvars.bound_contextvars(request_id=answer.request_id):
            await self._pass(scope, headers, receive, answer)

    async def _pass(self, scope: Scope, headers: Headers, receive: Receive, answer: "_Answer") -> None:
        began = time.monotonic()
        try:
            refused = self._refused(scope["method"], headers)
            await (refused or self._app)(scope, receive, answer)
        except ClientDisconnect:
            self._log.debug("the client went away", path=scope["path"])
        except Exception:
            self._log.exception("a request failed", method=scope["method"], path=scope["path"])
            if answer.status:
                raise  # half an answer is out: the connection must break
            what = f"Something went wrong inside (request {answer.request_id})."
            await refusal(500, "Internal", what, "The service's log tells more.")(scope, receive, answer)
        finally:
            self._count(scope, answer.status, time.monotonic() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # By route, not by path: what a stranger makes up must not become a label.
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._answered.labels(method, route, status).inc()
        self._took.labels(method, route).observe(seconds)
        self._log.debug("a request was answered", method=method, route=route, status=status, seconds=round(seconds, 4))

    def _refused(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            what = "This service is not called by that name."
            if "text/html" in headers.get("accept", ""):
                return stranger.page(what, _host_name(host))
            return refusal(403, "Access", what, "Use its address, or add the name to QUOTIDIAN_NAMES.")
        if method not in _HARMLESS and not _is_same_origin(headers, host):
            return refusal(403, "Access", "A page of another origin may not change anything here.")
        if headers.get("content-encoding", "identity") != "identity":
            return refusal(415, "Request", "Bodies may not be compressed.", "Send it as plain JSON.")
        return None

    def _is_ours(self, host: str) -> bool:
        name = _host_name(host)
        return name is not None and (name in self._names or _is_address(name))


_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class _Answer:
    """Sends an answer on, with the request's id, and remembers its status (0 while there is none)."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self.request_id, self.status = send, request_id, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def names_of(settings: Settings) -> frozenset[str]:
    """Give the names under which the services of a home may be called."""
    told = [urlsplit(settings.text(name)).hostname or "" for name in URLS.values()]
    machine = socket.gethostname()
    # The services' own names are those of their containers.
    names = [*PORTS, *told, "localhost", machine, f"{machine}.local", settings.text("QUOTIDIAN_HOST")]
    return frozenset(name.lower() for name in [*names, *settings.words("QUOTIDIAN_NAMES")] if name)


def _named(headers: Headers) -> str:
    told = headers.get(REQUEST_ID, "")
    return told if _ID.fullmatch(told) else uuid4().hex[:16]


def _host_name(host: str) -> str | None:
    """Give the name in a ``Host`` header, without port and brackets; ``None`` when it is none."""
    try:
        parts = urlsplit(f"//{host}")
        whole = parts.netloc == host and "@" not in host and (parts.port or 1) > 0
    except ValueError:
        return None
    return parts.hostname.rstrip(".") if whole and parts.hostname else None


def _is_address(name: str) -> bool:
    """Tell whether a name is an IP address, which nobody can point somewhere else."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Tell whether a request comes from no page, or from one of ours: browsers say so and pages cannot forge it."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in _OWN_SITE
    return origin is None or urlsplit(origin).netloc == host

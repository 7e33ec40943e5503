"""Calls to one peer over HTTP."""

import io
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import msgspec
import structlog

from quotidian.clients.faults import FOREIGN, refused, stranger, unreached
from quotidian.clients.policy import RETRYING, Breaker
from quotidian.errors import SettingError

CONNECT: Final = 5.0  #: seconds
PATIENCE: Final = 15.0  #: seconds
REQUEST_ID: Final = "X-Request-Id"
_LARGE: Final = 1_000_000  # bytes
_STORE: Final = "/api/v1/store/"

T = TypeVar("T")


class Caller:
    """One peer: its address, our secret, one session, one policy of retries and one circuit breaker.

    A lost answer is like a lost request: the call is made again, so only idempotent calls belong here.

    Parameters
    ----------
    peer
        The service's name, for messages.
    url
        Its address, such as ``http://127.0.0.1:8002``.
    secret
        The services' shared secret; empty sends none.
    patience
        Seconds that an answer may take; each megabyte of the body adds one.
    retries
        Whether a call that failed is made again.

    Raises
    ------
    SettingError
        When the address cannot be one.
    """

    def __init__(self, peer: str, url: str, secret: str, *, patience: float = PATIENCE, retries: bool = True) -> None:
        self._peer = peer
        self._url = checked_url(peer, url)
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._patience, self._retries = patience, retries
        self._breaker = Breaker(peer)
        self._log = structlog.get_logger(peer=peer)
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Caller({self._peer!r}, {self._url!r})"

    async def get(self, path: str, kind: type[T], **query: str | int | None) -> T:
        """Read something.

        Raises
        ------
        UnreachableError, AccessError, RequestError, NotFoundError
            See ``quotidian.clients.faults``.
        """
        told = {name: str(value) for name, value in query.items() if value is not None}
        return await self._call(_Asked("GET", path, None, told, _request_id()), kind)

    async def post(self, path: str, kind: type[T], data: Any) -> T:
        """Send something as JSON, and read the answer.

        Raises
        ------
        UnreachableError, AccessError, RequestError, TooLargeError, NotFoundError, BehindError
            See ``quotidian.clients.faults``.
        """
        return await self._call(_Asked("POST", path, msgspec.json.encode(data), {}, _request_id()), kind)

    async def call(self, method: str, kind: type[T], arguments: Mapping[str, Any]) -> T:
        """Call a method of the store itself, as our commands do, with arguments and an answer of plain types.

        Raises
        ------
        UnreachableError, AccessError, RequestError, ConflictError
            See ``quotidian.clients.faults``.
        """
        body = msgspec.msgpack.encode(arguments)
        return await self._call(_Asked("POST", _STORE + method, body, {}, _request_id(), packed=True), kind)

    async def _call(self, asked: "_Asked", kind: type[T]) -> T:
        self._log.debug("a peer is called", method=asked.method, path=asked.path, request_id=asked.request_id)

        # Without arguments: the library logs those of what it calls.
        async def attempt() -> T:
            async with self._breaker.guarding():
                return self._decoded(await self._once(asked), kind, packed=asked.packed)

        return await (RETRYING(attempt) if self._retries else attempt())

    async def _once(self, asked: "_Asked") -> bytes:
        seconds = self._patience + len(asked.body or b"") / 1e6
        try:
            async with self._opened().request(
                asked.method,
                self._url + asked.path,
                data=asked.body and _sent(asked.body),
                params=asked.query,
                headers=self._headers | asked.headers,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT),
                allow_redirects=False,
            ) as response:
                content = await response.read()
        except FOREIGN as error:
            raise unreached(self._peer, error) from error
        if not 200 <= response.status < 300:
            raise refused(self._peer, response.status, response.headers, content)
        return content

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _decoded(self, content: bytes, kind: type[T], *, packed: bool) -> T:
        try:
            return msgspec.msgpack.decode(content, type=kind) if packed else msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise stranger(self._peer) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Asked(NamedTuple):
    """One call, however often it is tried."""

    method: str
    path: str
    body: bytes | None
    query: Mapping[str, str]
    request_id: str
    packed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        media = "application/msgpack" if self.packed else "application/json"
        return {REQUEST_ID: self.request_id} | ({} if self.body is None else {"Content-Type": media})


def _sent(body: bytes) -> bytes | io.BytesIO:
    """Give a body as it is sent: a large one in pieces, so that others get their turn."""
    return body if len(body) < _LARGE else io.BytesIO(body)


def checked_url(peer: str, url: str) -> str:
    """Give an address without the slash at its end.

    Raises
    ------
    SettingError
        When it cannot be one.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError(f"The address of the {peer} service cannot be used.", "Write it as http://HOST:PORT.")
    return url.rstrip("/")


def _request_id() -> str:
    """Give the id of the request that is being worked on, else a new one: an event's way can be followed by it."""
    told = structlog.contextvars.get_contextvars().get("request_id")
    return str(told) if told else uuid4().hex[:16]

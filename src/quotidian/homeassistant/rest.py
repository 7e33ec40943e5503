"""What Home Assistant takes over HTTP only: the configuration of automations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
import msgspec

from quotidian.errors import AccessError, NotFoundError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.frames import UNREADABLE
from quotidian.homeassistant.refusal import answered, refusal
from quotidian.model.plain import plain_sentence

_SCHEMES: Final = {"ws": "http", "wss": "https"}
_SAID: Final = 600  #: letters of its reason that are shown


def no_administrator() -> AccessError:
    """Say what a token may not do that is nobody's who is an administrator."""
    return AccessError(
        "Home Assistant lets only administrators change automations, and this token is not one's.",
        "Set HA_TOKEN to an administrator's token; without one, copy the automation's YAML into Home Assistant.",
    )


class Rest:
    """The HTTP API beside a WebSocket; made by ``open``."""

    def __init__(self, client: aiohttp.ClientSession, address: Address) -> None:
        self._client: Final = client
        self._address: Final = address
        self._root: Final = _root(address.url)

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, seconds: float) -> AsyncIterator[Self]:
        """Make ready to ask; an answer may take so many seconds."""
        headers = {"Authorization": f"Bearer {address.token}"}
        timeout = aiohttp.ClientTimeout(seconds)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as client:
            yield cls(client, address)

    async def ask(self, method: str, *path: str, body: Any = None) -> Any:
        """Ask for something and give the answer.

        Raises
        ------
        AccessError
            When the token may not do this.
        NotFoundError
            When it is not there.
        RequestError
            When Home Assistant refuses; its reason is in the error.
        UnreachableError
            When it does not answer, or fails at it.
        """
        url = "/".join((self._root, *(quote(part, safe="") for part in path)))
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with self._client.request(
                method, url, data=data, headers=headers, ssl=self._address.verify_tls, allow_redirects=False
            ) as response:
                status, answer = response.status, await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise refusal(self._address, error) from error
        return self._read(status, answer)

    def _read(self, status: int, answer: bytes) -> Any:
        if status == 401:
            raise no_administrator()
        try:
            found = msgspec.json.decode(answer)
        except UNREADABLE:
            found = answer.decode("utf-8", "replace")
        if status == 200:
            return found
        reason = _reason(found)
        if status == 404:
            raise NotFoundError(f"Home Assistant does not have this: {reason}.")
        if status == 400:
            raise RequestError(f"Home Assistant refuses: {reason}.")
        if status == 500:
            raise UnreachableError(
                f"Home Assistant could not do this (status 500): {reason}.",
                "Its log says why; with a !secret or a mistake in automations.yaml it cannot change that file.",
            )
        raise answered(self._address, status)


def _root(url: str) -> str:
    """Give the address of the HTTP API beside a WebSocket's.

    >>> _root("ws://homeassistant.local:8123/api/websocket"), _root("ws://supervisor/core/websocket")
    ('http://homeassistant.local:8123/api', 'http://supervisor/core/api')
    """
    parts = urlsplit(url)
    path = parts.path.removesuffix("/websocket").removesuffix("/api") + "/api"
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, "", ""))


def _reason(answer: Any) -> str:
    said = answer.get("message") if isinstance(answer, dict) else answer
    return plain_sentence(str(said))[:_SAID].rstrip(".") or "it does not say why"

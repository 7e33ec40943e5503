"""Connecting to Home Assistant and logging in."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final, NoReturn

import aiohttp
import msgspec

from quotidian.errors import AccessError, UnreachableError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.frames import Message, messages
from quotidian.homeassistant.refusal import refusal

_FRAME: Final = 1 << 28  #: bytes of a frame, at most: the states of a large home are many megabytes
_CLOSING: Final = 2.0  #: seconds for which a peer may take its leave


async def login(stack: AsyncExitStack, address: Address, seconds: float) -> tuple[aiohttp.ClientWebSocketResponse, str]:
    """Give a WebSocket on which we are logged in, closed by a stack, and Home Assistant's version.

    Raises
    ------
    AccessError
        When the token is refused, or this machine is.
    UnreachableError
        When nobody answers there within so many seconds, or not as Home Assistant does.
    """
    try:
        async with asyncio.timeout(seconds):
            client = await stack.enter_async_context(aiohttp.ClientSession(trace_configs=[_staying(address)]))
            socket = await client.ws_connect(
                address.url,
                ssl=address.verify_tls,
                max_msg_size=_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
            )
            stack.push_async_callback(socket.close)
            return socket, await _authenticated(socket, address)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise refusal(address, error) from error


def _staying(address: Address) -> aiohttp.TraceConfig:
    """Follow nobody who sends us elsewhere: the token is for this address alone."""

    async def moved(*_: object) -> NoReturn:
        raise UnreachableError(f"{address.host} sends us to another address.", "Set HA_URL to that one, often https.")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(moved)
    return trace


async def _authenticated(socket: aiohttp.ClientWebSocketResponse, address: Address) -> str:
    """Say the token; give Home Assistant's version."""
    await _greeting(socket, address, "auth_required")
    await socket.send_str(msgspec.json.encode({"type": "auth", "access_token": address.token}).decode())
    return (await _greeting(socket, address, "auth_ok")).ha_version


async def _greeting(socket: aiohttp.ClientWebSocketResponse, address: Address, wanted: str) -> Message:
    frame = await socket.receive()
    message = next(messages(frame.data), None) if frame.type is aiohttp.WSMsgType.TEXT else None
    if isinstance(message, Message) and message.type == "auth_invalid":
        raise AccessError(
            f"Home Assistant at {address.host} refuses the token.",
            "Make a new long-lived access token on your profile page, under Security, and set HA_TOKEN to it.",
        )
    if not isinstance(message, Message) or message.type != wanted:
        raise UnreachableError(
            f"What answers at {address.url} does not talk as Home Assistant does.",
            "Check the address and the port; while Home Assistant starts, wait.",
        )
    return message

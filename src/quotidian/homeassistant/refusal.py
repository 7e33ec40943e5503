"""Why a connection to Home Assistant could not be made, for people."""

import os
import socket
from typing import Final

import aiohttp

from quotidian.errors import AccessError, UnreachableError
from quotidian.homeassistant.address import Address

_BANNED: Final = 403
_PROXY: Final = frozenset({502, 503, 504})


def refusal(address: Address, error: Exception) -> UnreachableError | AccessError:
    """Say what went wrong when connecting, and what to do about it."""
    host = address.host
    if isinstance(error, TimeoutError):
        return UnreachableError(
            f"Home Assistant at {host} does not answer.", "Check the address and the port, and whether it is running."
        )
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return answered(address, error.status)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return UnreachableError(f"{address.place} does not speak TLS.", "Try http:// instead of https://.")
    if isinstance(error, aiohttp.ClientSSLError):
        return UnreachableError(
            f"The certificate of Home Assistant at {host} is not one that is trusted here: {_reason(error)}.",
            "If it is your own, set HA_VERIFY_TLS to false.",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return _unknown(host)
    if isinstance(error, aiohttp.ClientConnectorError | OSError):
        return UnreachableError(
            f"Nobody answers at {address.place}: {_reason(error)}.",
            "Check that Home Assistant is running, and the address with its port (usually 8123).",
        )
    return UnreachableError(f"Home Assistant at {host} cannot be reached: {error or type(error).__name__}.")


def answered(address: Address, status: int) -> UnreachableError | AccessError:
    """Read an HTTP status that Home Assistant would not have given."""
    host = address.host
    if status == _BANNED:
        return AccessError(
            f"Home Assistant at {host} lets nobody in from this machine (status 403).",
            "Take this machine's address out of ip_bans.yaml, restart Home Assistant, and check the token.",
        )
    if status in _PROXY:
        return UnreachableError(f"Home Assistant behind {host} is not up (status {status}).", "Wait, or start it.")
    return UnreachableError(
        f"What answers at {address.url} is not Home Assistant (status {status}).",
        "Check the address and the port. HA_URL usually ends with the port: http://192.168.1.10:8123.",
    )


def _unknown(host: str) -> UnreachableError:
    what = f"There is no machine of the name {host}."
    if host.endswith(".local"):
        return UnreachableError(
            what, "Names that end in .local do not resolve in Docker: set HA_URL with the IP address instead."
        )
    return UnreachableError(what, "Check HA_URL, or use the IP address.")


def _reason(error: Exception) -> str:
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    told = getattr(inner, "verify_message", None) or _system(inner) or getattr(inner, "strerror", None) or str(inner)
    return str(told).rstrip(".")


def _system(error: object) -> str | None:
    """Say it as the system does: asyncio's own words show tuples of addresses."""
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else None

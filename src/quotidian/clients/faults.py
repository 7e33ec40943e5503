"""What a peer says or fails to say, as errors of ours.

A message may only be given up (split, or made a dead letter) when the service itself said that it cannot be used. So
whatever may come from somebody else at its address (a proxy, another program) is "not reachable": to be tried again.
"""

import asyncio
import email.utils
import os
from collections.abc import Mapping
from typing import Final

import aiohttp

from quotidian import clock
from quotidian.errors import (
    AccessError,
    BehindError,
    ConflictError,
    NotFoundError,
    QuotidianError,
    RequestError,
    SettingError,
    TooLargeError,
    UnreachableError,
)
from quotidian.model.problem import Problem

_LATER: Final = frozenset({408, 425, 429})
_MENDED: Final = "Is it running? `quotidian doctor` tells more."


def refused(peer: str, status: int, headers: Mapping[str, str], content: bytes) -> QuotidianError:
    """Make an error of an answer that is not a success."""
    told = Problem.of(content)
    what = told.what if told else f"The {peer} service answered with status {status}."
    remedy = told.remedy if told else ""
    if status in (401, 403):
        return AccessError(what, remedy or "Give all services the same QUOTIDIAN_SECRET.")
    if status == 413:
        return TooLargeError(what, remedy)
    if status in (404, 405):
        return NotFoundError(what, remedy) if told else stranger(peer)
    if status == 409:
        if told is None:
            return stranger(peer)
        return (ConflictError if told.kind == "Conflict" else BehindError)(what, remedy)
    if 400 <= status < 500 and status not in _LATER:
        return RequestError(what, remedy)
    if status < 400:
        return stranger(peer)
    return UnreachableError(what, remedy or _MENDED, seconds(headers.get("Retry-After")))


def stranger(peer: str) -> UnreachableError:
    """Say that what answers at a peer's address is not that peer."""
    return UnreachableError(
        f"Something else answers at the address of the {peer} service.",
        "Check the addresses and ports in the settings.",
    )


def seconds(told: str | None) -> float | None:
    """Read a ``Retry-After``: seconds, or a date; ``None`` where it is neither."""
    if told is None:
        return None
    if told.strip().isdecimal():
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - clock.now() / 1e6)
    except (ValueError, OverflowError):
        return None


def unreached(peer: str, error: Exception) -> QuotidianError:
    """Make an error of ours of one that aiohttp or the operating system raised."""
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return SettingError(f"The address of the {peer} service cannot be used.", "Write it as http://HOST:PORT.")
    if isinstance(error, asyncio.TimeoutError):
        return UnreachableError(f"The {peer} service does not answer in time.", _MENDED)
    return UnreachableError(f"The {peer} service cannot be reached ({_reason(error)}).", _MENDED)


def _reason(error: Exception) -> str:
    """Say it as the system does: asyncio's own words show tuples of addresses."""
    if not isinstance(error, OSError):
        return type(error).__name__
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return error.strerror or type(error).__name__


#: Everything that a call over HTTP may raise that is not ours.
FOREIGN: Final = (aiohttp.ClientError, OSError, asyncio.TimeoutError)

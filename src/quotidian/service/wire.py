"""Bodies of requests and answers: JSON by msgspec, limited in size."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from quotidian.errors import RequestError, TooLargeError

LARGEST: Final = 16_000_000  #: bytes of a request's body, at most

T = TypeVar("T")


async def body(request: Request, kind: type[T], largest: int = LARGEST) -> T:
    """Read a request's body as JSON of a kind.

    Raises
    ------
    TooLargeError
        When it is larger than ``largest`` bytes; the rest is not read.
    RequestError
        When it is not JSON, or not of that kind.
    """
    try:
        return msgspec.json.decode(await raw_body(request, largest), type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RequestError(f"The body of {request.url.path} cannot be used: {error}.", "See /docs.") from error
    except RecursionError as error:
        raise RequestError(f"The body of {request.url.path} is nested too deeply.", "See /docs.") from error


async def raw_body(request: Request, largest: int = LARGEST) -> bytes:
    """Read a request's body; it is never held beyond ``largest`` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise TooLargeError(f"The body of {request.url.path} is larger than {largest:,} bytes.", "Send less.")
        parts.append(part)
    return b"".join(parts)


def answer(data: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")

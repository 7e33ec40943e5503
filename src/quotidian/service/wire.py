"""Bodies of requests and answers: JSON by msgspec, limited in size."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from quotidian.errors import RequestError, TooLargeError
from quotidian.model.problem import Problem

LARGEST: Final = 8_000_000  #: bytes of a request's body, at most
PARTS: Final = 300_000  #: values in it, at most: small ones take ten times as much memory as text
_DRAINED: Final = 8  #: times the largest body are read and thrown away, so that the sender hears the refusal

T = TypeVar("T")


async def body(request: Request, kind: type[T], largest: int = LARGEST) -> T:
    """Read a request's body as JSON of a kind.

    Raises
    ------
    TooLargeError
        When it is larger than ``largest`` bytes, or has more than ``PARTS`` values.
    RequestError
        When it is not JSON, or not of that kind.
    """
    return decoded(await raw_body(request, largest), kind, request.url.path)


def decoded(content: bytes, kind: type[T], path: str) -> T:
    """Decode a body that was sent to a path.

    Raises
    ------
    TooLargeError
        When it has more than ``PARTS`` values.
    RequestError
        When it is not JSON, or not of that kind.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > PARTS:
        raise TooLargeError(f"The body of {path} has more than {PARTS:,} values.", "Send less at once.")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RequestError(f"The body of {path} cannot be used: {error}.", "See /openapi.json.") from error
    except RecursionError as error:
        raise RequestError(f"The body of {path} is nested too deeply.", "See /openapi.json.") from error


async def raw_body(request: Request, largest: int = LARGEST) -> bytes:
    """Read a request's body; it is never held beyond ``largest`` bytes.

    Raises
    ------
    TooLargeError
        When it is larger.
    """
    content, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= largest:
            content += part
        elif size > largest * _DRAINED:
            break
    if size > largest:
        del content
        raise TooLargeError(f"The body of {request.url.path} is larger than {largest:,} bytes.", "Send less at once.")
    return bytes(content)


def answer(data: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def refusal(status: int, kind: str, what: str, remedy: str = "", headers: dict[str, str] | None = None) -> Response:
    """Answer with an error, in the one shape that all services have."""
    return Response(Problem(kind, what, remedy).answer(), status, headers, media_type="application/json")

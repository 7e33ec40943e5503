"""Frames of Home Assistant's WebSocket: one message or many, of which only the envelope is read."""

from collections.abc import Iterator
from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, RecursionError)


class Garbage(bytes):
    """A frame, or a message of one, that cannot be read."""


class Fault(msgspec.Struct):
    """Why a command was refused."""

    code: str = ""
    message: str = ""


class Message(msgspec.Struct):
    """The envelope of a message; what is in it is left as it came."""

    type: str
    id: int | None = None
    success: bool = False
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None
    event: msgspec.Raw = msgspec.Raw()
    message: str = ""
    ha_version: str = ""


_MESSAGES: Final = msgspec.json.Decoder(list[Message])
_MESSAGE: Final = msgspec.json.Decoder(Message)
_PARTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def messages(frame: str | bytes) -> Iterator[Message | Garbage]:
    """Read a frame: a message, or a list of messages."""
    try:
        if frame[:1] in ("[", b"["):
            yield from _MESSAGES.decode(frame)
        else:
            yield _MESSAGE.decode(frame)
    except UNREADABLE:
        yield from _salvaged(frame)


def _salvaged(frame: str | bytes) -> Iterator[Message | Garbage]:
    """Read of a frame what can be read, message by message."""
    try:
        parts: list[msgspec.Raw | str | bytes] = [*_PARTS.decode(frame)]
    except UNREADABLE:
        parts = [frame]
    for part in parts:
        try:
            yield _MESSAGE.decode(part)
        except UNREADABLE:
            yield Garbage(part.encode("utf-8", "replace") if isinstance(part, str) else bytes(part))

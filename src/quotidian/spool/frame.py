"""How a record lies on disk: a header with a checksum of its own, then the payload.

A header that can be trusted by itself tells the number, the time and the length of a record whose payload is damaged,
and tells a record that was cut off while it was being written from one that was damaged later.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple
from zlib import crc32


class Kind(IntEnum):
    """What a payload is.

    ``LIVE``: one event of Home Assistant, JSON as heard. ``GARBAGE``: bytes that are not JSON. ``FILLED``: JSON of
    ``{"cause": …, "event": …}``, made from Home Assistant's history. ``MANUAL``: JSON of a ``state_changed`` event
    that was sent by hand. ``REGISTRIES``: JSON of a ``Snapshot``. ``GAP``: JSON of a ``Gap``.
    """

    LIVE = 1
    GARBAGE = 2
    FILLED = 3
    MANUAL = 4
    REGISTRIES = 5
    GAP = 6


class Record(NamedTuple):
    """One thing that was heard: its number, when it arrived (µs), what it is, and its bytes."""

    seq: int
    arrived: int
    kind: Kind
    payload: bytes


class Span(NamedTuple):
    """Bytes that are no good record; ``numbers``: how many whole records they can have been at most."""

    start: int
    end: int
    numbers: int


# 0xFF is in no UTF-8 text: in a log of JSON the mark is found where a frame begins and nowhere else.
_MARK: Final = b"\xffQsp"
_LEAD: Final = struct.Struct("<4sI")  # the mark, the checksum of the fields
_FIELDS: Final = struct.Struct("<IIQqB")  # the payload's checksum and length, seq, arrived, kind
HEADER: Final = _LEAD.size + _FIELDS.size
_KINDS: Final = {kind.value: kind for kind in Kind}


def encode(record: Record) -> bytes:
    """Give a record's bytes in the log."""
    seq, arrived, kind, payload = record
    fields = _FIELDS.pack(crc32(payload), len(payload), seq, arrived, kind)
    return b"".join((_LEAD.pack(_MARK, crc32(fields)), fields, payload))


def length(record: Record) -> int:
    """Give the number of bytes that a record takes in the log."""
    return HEADER + len(record.payload)


def arrival(frame: bytes) -> int:
    """Give when the record of a frame arrived (µs)."""
    arrived: int = _FIELDS.unpack_from(frame, _LEAD.size)[3]
    return arrived


def scan(data: bytes) -> Iterator[Record | Span]:
    """Read bytes of a log that start where a frame starts; they are given without a gap, good or not."""
    at, end = 0, len(data)
    while at < end:
        fields = _fields(data, at)
        if fields is None:
            after = _next_frame(data, at + 1)
            yield Span(at, after, _frames_within(data[at:after]))
        else:
            check, size, seq, arrived, kind = fields
            after = at + HEADER + size
            payload = data[at + HEADER : after]
            if after > end:
                yield Span(at, end, 0)
            elif crc32(payload) == check and kind in _KINDS:
                yield Record(seq, arrived, _KINDS[kind], payload)
            else:
                yield Span(at, after, 1)
        at = after


def _fields(data: bytes, at: int) -> tuple[int, int, int, int, int] | None:
    if len(data) - at < HEADER:
        return None
    mark, check = _LEAD.unpack_from(data, at)
    if mark != _MARK or crc32(data[at + _LEAD.size : at + HEADER]) != check:
        return None
    return _FIELDS.unpack_from(data, at + _LEAD.size)


def _next_frame(data: bytes, at: int) -> int:
    at = data.find(_MARK, at)
    while at >= 0 and _fields(data, at) is None:
        at = data.find(_MARK, at + 1)
    return len(data) if at < 0 else at


def _frames_within(spoilt: bytes) -> int:
    # After a power cut a file can be longer than what was written to it; the rest is zeros.
    return len(spoilt) // HEADER if spoilt.strip(b"\0") else 0

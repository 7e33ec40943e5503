"""Line protocol, read as strictly as InfluxDB 2 reads it.

A separator is escaped when the byte before it is a backslash; no other backslash outside of strings means anything. So
a name cannot end in a backslash, nor hold the end of a line.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

Value = float | int | str | bool

#: A point's measurement and tags, with their separators escaped, take no more than this.
MAX_KEY: Final = 65_535
#: The first and the last instant that can be stored, in ns.
EARLIEST, LATEST = -(2**63) + 2, 2**63 - 2
NANOSECONDS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
RESERVED_TAGS: Final = ("_field", "_measurement", "time")

_KEY = re.compile(rb"(?:[^ ]|(?<=\\) )*")
_COMMA = re.compile(rb"(?<!\\),")
_EQUALS = re.compile(rb"(?<!\\)=")
_ESCAPED = re.compile(rb"\\([,= ])")
_ESCAPED_IN_FIELD_KEY = re.compile(rb'\\([,= "])')
_FIELD_KEY = re.compile(rb"(?:[^=, \\]|\\.)*", re.DOTALL)
_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
#: A line without any oddity, up to its end: most are such.
_PLAIN_FIELD = rb'[^\\\n"=, ]++=(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\\\n"=, ]++)'
_PLAIN_LINE = re.compile(
    rb"[^\\\n ]++(?:\\.[^\\\n ]*+)*+ " + _PLAIN_FIELD + rb"(?:," + _PLAIN_FIELD + rb")*+ -?\d++(?=\n|\Z)", re.DOTALL
)
_ESCAPED_IN_STRING = re.compile(rb'\\(["\\])')
_BARE = re.compile(rb"[^, ]*")
_FLOAT = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(rb"(-?\d+)i")
_UNSIGNED = re.compile(rb"(\d+)u")
_TIME = re.compile(rb"-?\d+")
_SPECIAL = re.compile(rb'[\\="\n, ]')
_IN_STRING = re.compile(rb'[\\"]')
_BOOLEANS = dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), True) | dict.fromkeys(
    (b"f", b"F", b"false", b"False", b"FALSE"), False
)


class ParseError(Exception):
    """Lines that cannot be read: nothing of their batch is written."""


class Unsigned(int):
    """An unsigned integer, which is another type than an integer."""


@dataclass(frozen=True)
class Point:
    """One line: its time in ns, or ``None`` where the line has none."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: dict[str, Value]
    time: int | None


def points(body: bytes, precision: str) -> list[Point]:
    """Read a batch; raise with one message a line that cannot be read."""
    read, wrong = [], []
    for line in split(body):
        try:
            read.append(_point(line, NANOSECONDS[precision]))
        except ParseError as error:
            wrong.append(f"unable to parse '{_text(line)}': {error}")
    if wrong:
        raise ParseError("\n".join(wrong))
    return read


def split(body: bytes) -> Iterator[bytes]:
    """Give the lines that are neither empty nor comments; a string may hold the end of a line."""
    start = 0
    while start < len(body):
        end = _end_of_line(body, start)
        line = body[start:end].lstrip(b" \t\0")
        if line and not line.startswith(b"#"):
            yield line
        start = end + 1


def _end_of_line(body: bytes, at: int) -> int:
    if plain := _PLAIN_LINE.match(body, at):
        return plain.end()
    in_fields, values = False, 0
    while found := _SPECIAL.search(body, at):
        at, sign = found.end(), found.group()
        if sign == b"\\":
            at += 1
        elif sign == b"\n":
            return at - 1
        elif sign == b" ":
            in_fields = True
        elif in_fields and sign == b'"' and values > 0:
            at = _end_of_string(body, at)
        elif in_fields and sign != b'"':
            values += 1 if sign == b"=" else -1
    return len(body)


def _end_of_string(body: bytes, at: int) -> int:
    while found := _IN_STRING.search(body, at):
        at = found.end()
        if found.group() == b'"':
            return at
        at += 1
    return len(body)


def _point(line: bytes, unit: int) -> Point:
    key = _KEY.match(line).group()  # type: ignore[union-attr]  # it matches nothing, too
    measurement, tags = _series(key)
    if len(key) == len(line):
        raise ParseError("missing fields")
    if len(key) > MAX_KEY:
        raise ParseError(f"max key length exceeded: {len(key)} > {MAX_KEY}")
    fields, at = _fields(line, len(line) - len(line[len(key) :].lstrip(b" \t\0")))
    return Point(measurement, tags, fields, _time(line[at:].strip(b" "), unit))


@lru_cache(10_000)
def _series(key: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    measurement, *written = _COMMA.split(key)
    if not measurement:
        raise ParseError("missing measurement")
    tags = sorted(_tag(tag) for tag in written)
    names = [name for name, _ in tags]
    if len(set(names)) < len(names):
        raise ParseError("duplicate tags")
    for reserved in RESERVED_TAGS:
        if reserved in names:
            raise ParseError(f'cannot use reserved tag key "{reserved}"')
    return _unescaped(measurement), tuple(tags)


def _tag(written: bytes) -> tuple[str, str]:
    name, *values = _EQUALS.split(written)
    if not name:
        raise ParseError("missing tag key")
    if not values or not values[0]:
        raise ParseError("missing tag value")
    if len(values) > 1:
        raise ParseError("invalid tag format")
    return _unescaped(name), _unescaped(values[0])


def _fields(line: bytes, at: int) -> tuple[dict[str, Value], int]:
    fields: dict[str, Value] = {}
    while True:
        key = _FIELD_KEY.match(line, at).group()  # type: ignore[union-attr]  # it matches nothing, too
        at += len(key)
        if line[at : at + 1] != b"=":
            raise ParseError("invalid field format")
        if not key:
            raise ParseError("missing field key")
        if key.endswith(b"\\") or b"\0" in key:
            raise ParseError(f"invalid value: field-key={_text(key)}")
        value, at = _value(line, at + 1)
        if (name := _field_name(key)) in fields:
            raise ParseError(f"field {name} is given twice, of which InfluxDB takes either")
        if name != "time":  # InfluxDB drops such a field in silence
            fields[name] = value
        if line[at : at + 1] != b",":
            return fields, at
        at += 1


@lru_cache(10_000)
def _field_name(key: bytes) -> str:
    return _text(_ESCAPED_IN_FIELD_KEY.sub(rb"\1", key))


def _value(line: bytes, at: int) -> tuple[Value, int]:
    if line[at : at + 1] == b'"':
        string = _STRING.match(line, at)
        if string is None or line[string.end() : string.end() + 1] not in (b"", b",", b" "):
            raise ParseError("unbalanced quotes")
        text = string.group(1)
        return _text(_ESCAPED_IN_STRING.sub(rb"\1", text) if b"\\" in text else text), string.end()
    bare = _BARE.match(line, at).group()  # type: ignore[union-attr]  # it matches nothing, too
    if not bare:
        raise ParseError("missing field value")
    return _plain(bare), at + len(bare)


def _plain(bare: bytes) -> Value:
    if bare in _BOOLEANS:
        return _BOOLEANS[bare]
    if integer := _INTEGER.fullmatch(bare):
        return _within(int(integer.group(1)), -(2**63), 2**63 - 1, "integer")
    if unsigned := _UNSIGNED.fullmatch(bare):
        return Unsigned(_within(int(unsigned.group(1)), 0, 2**64 - 1, "unsigned"))
    if _FLOAT.fullmatch(bare):
        if math.isinf(number := float(bare)):
            raise ParseError("invalid float")
        return number
    raise ParseError("invalid number" if bare[:1] in b"-.0123456789N" else "invalid boolean")


def _within(number: int, least: int, most: int, kind: str) -> int:
    if least <= number <= most:
        return number
    raise ParseError(f"unable to parse {kind} {number}: value out of range")


def _time(written: bytes, unit: int) -> int | None:
    if not written:
        return None
    if b" " in written:
        raise ParseError("point is invalid")
    if not _TIME.fullmatch(written):
        raise ParseError("bad timestamp")
    time = int(written) * unit
    if not EARLIEST <= time <= LATEST:
        raise ParseError(f"time outside range {EARLIEST} - {LATEST}")
    return time


def _unescaped(written: bytes) -> str:
    return _text(_ESCAPED.sub(rb"\1", written))


def _text(written: bytes) -> str:
    return written.decode(errors="surrogateescape")

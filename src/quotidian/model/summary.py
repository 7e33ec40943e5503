"""What is kept of a day: named columns of integers, and the words that they point to."""

import sys
import zlib
from collections.abc import Mapping
from typing import Any, Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from quotidian.model.arrays import Ints

_WIDTHS: Final = ("int8", "int16", "int32", "int64")
_WHOLE: Final = frozenset(map(np.dtype, _WIDTHS))
#: How columns are held, with the smallest and the largest number of each: chances in 16 bits have no sign.
_HELD: Final = tuple(
    (np.dtype(name), int(np.iinfo(name).min), int(np.iinfo(name).max))
    for name in ("int8", "uint8", "int16", "uint16", "int32", "int64")
)


class _Column(msgspec.Struct, frozen=True, array_like=True):
    name: str
    length: int
    width: int
    difference: bool


class _Head(msgspec.Struct, frozen=True, array_like=True):
    words: tuple[str, ...]
    columns: tuple[_Column, ...]


class Integers:
    """A few named columns of integers, with the words (entity ids, states) that they point to by position.

    Immutable; equal when every word and every integer is. Summaries and carries are made of it, so that adding,
    comparing and storing them is exact. Each column is held in its narrowest width, and given out in 64 bits.

    >>> row = Integers(("light.desk",), {"entity": [0, 0], "second": [25200, 79200]})
    >>> Integers.decode(row.encode()) == row
    True
    """

    __slots__ = ("_columns", "_packed", "words")

    def __init__(self, words: tuple[str, ...] = (), columns: Mapping[str, object] | None = None) -> None:
        self.words: Final = words
        self._columns: Final = {name: _narrow(values) for name, values in (columns or {}).items()}
        self._packed: bytes | None = None

    @property
    def columns(self) -> dict[str, Ints]:
        """Every column, by name."""
        return {name: self[name] for name in self._columns}

    def __getitem__(self, name: str) -> Ints:
        values = self._columns[name].astype(np.int64)
        values.flags.writeable = False
        return values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Integers):
            return NotImplemented
        return (
            self.words == other.words
            and self._columns.keys() == other._columns.keys()
            and all(np.array_equal(values, other[name]) for name, values in self._columns.items())
        )

    def __hash__(self) -> int:
        return hash((self.words, *sorted(self._columns)))

    def __bool__(self) -> bool:
        return bool(self.words) or bool(self._columns)

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}[{values.size}]" for name, values in self._columns.items())
        return f"Integers({len(self.words)} words; {columns})"

    def encode(self) -> bytes:
        """Pack into bytes: each column in its narrowest width, as differences where these are narrower."""
        if self._packed is not None:
            return self._packed
        packed, heads = [], []
        for name in sorted(self._columns):
            values = self[name]
            differences = np.diff(values, prepend=np.int64(0))
            width, narrow = _width(values), _width(differences)
            difference = narrow < width
            heads.append(_Column(name, values.size, min(width, narrow), difference))
            packed.append((differences if difference else values).astype(_WIDTHS[min(width, narrow)]).tobytes())
        head = msgspec.msgpack.encode(_Head(self.words, tuple(heads)))
        body = len(head).to_bytes(4, "little") + head + b"".join(packed)
        return zlib.compress(body, 6)

    @classmethod
    def decode(cls, packed: bytes, *, keep: bool = False) -> Self:
        """Unpack what ``encode`` made.

        Parameters
        ----------
        packed
            The bytes.
        keep
            Whether they are held, for ``encode`` to give them again: for a store that hands on what it has.

        Raises
        ------
        ValueError
            When the bytes are damaged.
        """
        try:
            body = zlib.decompress(packed)
            start = 4 + int.from_bytes(body[:4], "little")
            head = msgspec.msgpack.decode(body[4:start], type=_Head)
            columns: dict[str, object] = {}
            for column in head.columns:
                kind = np.dtype(_WIDTHS[column.width])
                values = np.frombuffer(body, kind, column.length, start)
                columns[column.name] = np.cumsum(values, dtype=np.int64) if column.difference else values
                start += kind.itemsize * column.length
        except (zlib.error, msgspec.DecodeError, IndexError) as error:
            raise ValueError(f"not a packed table of integers: {error}") from error
        # The same words stand in every day, for as long as the home has the same things: they are held once.
        integers = cls(tuple(map(sys.intern, head.words)), columns)
        integers._packed = packed if keep else None
        return integers


def _narrow(values: object) -> NDArray[np.integer[Any]]:
    numbers: NDArray[Any] = np.asarray(values)
    if numbers.dtype not in _WHOLE:
        numbers = numbers.astype(np.int64)
    low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    return numbers.astype(next(kind for kind, least, most in _HELD if least <= low and high <= most))


def _width(values: Ints) -> int:
    if not values.size:
        return 0
    low, high = int(values.min()), int(values.max())
    return next(n for n in range(4) if -(1 << 8 * 2**n - 1) <= low and high < 1 << 8 * 2**n - 1)


#: What one day hands on to the next.
Carry = Integers


class Summary(msgspec.Struct, frozen=True):
    """What one detector keeps of some days: a day's integers by the day's ordinal.

    Days stay apart, so weeks and months are unions of days, any day can be taken out again exactly, and
    merging is associative and commutative, with ``Summary(detector, version)`` as its identity.
    """

    detector: str
    version: int
    days: dict[int, Integers] = {}

    def merged(self, other: "Summary") -> "Summary":
        """Unite with another summary of the same detector and version.

        Raises
        ------
        ValueError
            When detectors or versions differ, or a day stands in both with different integers.
        """
        if (self.detector, self.version) != (other.detector, other.version):
            raise ValueError(f"cannot merge {self.detector} {self.version} with {other.detector} {other.version}")
        for ordinal in self.days.keys() & other.days.keys():
            if self.days[ordinal] != other.days[ordinal]:
                raise ValueError(f"{self.detector}: day {ordinal} stands in both with different integers")
        days = self.days | other.days
        return Summary(self.detector, self.version, {ordinal: days[ordinal] for ordinal in sorted(days)})

    def without(self, ordinals: frozenset[int]) -> "Summary":
        """Take days out, exactly as if they had never been merged."""
        kept = {ordinal: day for ordinal, day in self.days.items() if ordinal not in ordinals}
        return Summary(self.detector, self.version, kept)

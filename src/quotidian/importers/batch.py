"""What every importer hands out, and what all of them check and keep of a row."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, Self

import msgspec
import numpy as np
import pyarrow as pa

from quotidian import clock
from quotidian.errors import CorruptSourceError
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_SECONDS, SECOND

ROWS: Final = 100_000  #: rows of a batch, at most
BYTES: Final = 16_000_000  #: of a batch, about


class Batch(msgspec.Struct, frozen=True):
    """Events as a table of ``EVENT_SCHEMA``; ``position`` names the place up to which everything was handed out."""

    table: pa.Table
    position: str


class Reached(msgspec.Struct, frozen=True):
    """How far a source was read: what a position says, each kind of source in its own words."""

    @classmethod
    def of(cls, position: str | None) -> Self | None:
        """Read a position; ``None`` where it is none of ours, so that reading starts from the beginning."""
        try:
            return None if position is None else msgspec.json.decode(position, type=cls)
        except msgspec.DecodeError:
            return None


class Attributes:
    """The attributes that are kept, picked from JSON text.

    Examples
    --------
    >>> Attributes(["brightness"]).kept('{"brightness": 80, "friendly_name": "Desk"}')
    '{"brightness":80}'
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        # Most texts have none of the names: seen without decoding them.
        self._any = re.compile("|".join(f'"{re.escape(name)}"' for name in sorted(names))) if names else None

    def kept(self, text: str | None) -> str | None:
        """Give the kept ones of a JSON object as text, ``None`` where there are none.

        Raises
        ------
        ValueError
            When the text is not a JSON object.
        """
        if not text or self._any is None or not self._any.search(text):
            return None
        try:
            return self.picked(msgspec.json.decode(text, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"attributes are not a JSON object: {error}") from error

    def picked(self, attributes: dict[str, Any]) -> str | None:
        """Give the kept ones of decoded attributes as text, ``None`` where there are none."""
        found = {name: value for name, value in attributes.items() if name in self._names and value is not None}
        return msgspec.json.encode(found, order="sorted").decode() if found else None


def entity_fault(entity_id: str | None) -> str | None:
    """Tell what is wrong with an entity id, ``None`` where nothing is."""
    if not entity_id:
        return "no entity id"
    domain, dot, object_id = entity_id.partition(".")
    return None if dot and domain and object_id else "entity id without a dot"


def horizon() -> int:
    """Give the instant (µs) behind which a time must be a mistake: tomorrow, this time."""
    return clock.now() + DAY_SECONDS * SECOND


def same_as_updated(changed: Ints, updated: Ints, known: Bools) -> "pa.Array[Any]":
    """Give ``last_changed`` as a column: null where it is not known or says the same as ``last_updated``."""
    return pa.array(changed, pa.int64(), mask=np.asarray(~known | (changed == updated)))


def constant(word: str, rows: int) -> "pa.Array[Any]":
    """Give a column that says the same in every row."""
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([word]))


def batches(tables: Iterator[pa.Table], position: Callable[[], str]) -> Iterator[Batch]:
    """Join small tables into batches; ``position`` names the place behind the table that came last.

    Raises
    ------
    CorruptSourceError
        When the tables end with it, after all that came before has been handed out.
    """
    held: list[pa.Table] = []
    while True:
        damage: CorruptSourceError | None = None
        try:
            table = next(tables, None)
        except CorruptSourceError as error:
            damage, table = error, None
        if table is not None:
            held.append(table)
        full = sum(t.num_rows for t in held) >= ROWS or sum(t.nbytes for t in held) >= BYTES
        if held and (full or table is None):
            yield Batch(_joined(held), position())
            held = []
        if damage is not None:
            raise damage
        if table is None:
            return


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Put tables after one another, with one dictionary a column."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()

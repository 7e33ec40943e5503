"""Copies of one event, united field by field.

Every field of a united event is the largest of its copies' by (rank of the copy, value), so that uniting is
commutative, associative and idempotent. ``state``, ``last_changed`` and ``source`` say something even where they are
null; the fields in ``LENT`` do not (nor does the cause ``unknown``), and may come from a copy of lower rank than the
event's ``source``. By how much lower, three bits a field in the order of ``LENT``, is kept in ``origins``.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quotidian.model import CauseKind, Source
from quotidian.model.arrays import Bools, Ints
from quotidian.model.event import EVENT_SCHEMA, RANK
from quotidian.store.embedded.arrow import arrow, chosen, instants, numbers, ordered

#: Events as the store keeps them.
STORED_SCHEMA: Final = EVENT_SCHEMA.append(pa.field("origins", pa.int16()))
LENT: Final = ("cause", "cause_entity", "user", "attributes", "registry")
_BITS: Final = 3
_MILLISECOND: Final = 1000
_BY_RANK: Final = pa.array([source.value for source in sorted(RANK, key=RANK.__getitem__)], pa.string())


class Coded(NamedTuple):
    """A column of words: for each row the position of its word, or -1 for null."""

    codes: Ints
    words: Any

    @classmethod
    def of(cls, column: Any) -> "Coded":
        """Read a dictionary column; each word that is in use stands once."""
        array: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if array.null_count == len(array):
            return cls(np.full(len(array), -1), pa.array([], pa.string()))
        once = array.dictionary.dictionary_encode()
        codes = numbers(array.indices, -1)
        codes = np.append(numbers(once.indices, -1), -1)[codes]
        used = np.zeros(len(once.dictionary) + 1, bool)
        used[codes] = True
        used[-1] = False
        positions = np.cumsum(used) - 1
        positions[-1] = -1
        return cls(positions[codes], once.dictionary.take(arrow(np.flatnonzero(used))))

    def in_order(self) -> "Coded":
        """Put the words in order, so that codes compare as their words do."""
        order = np.asarray(pc.sort_indices(self.words)).astype(np.int64)
        place = np.empty(order.size + 1, np.int64)
        place[order] = np.arange(order.size)
        place[-1] = -1
        return Coded(place[self.codes], self.words.take(arrow(order)))

    def spelled(self) -> list[str]:
        """Give the words."""
        words: list[Any] = self.words.to_pylist()
        return words

    def column(self) -> Any:
        """Make the dictionary column again."""
        indices = arrow(self.codes.astype(np.int32), self.codes < 0)
        return pa.DictionaryArray.from_arrays(indices, self.words)


def stored(events: pa.Table) -> pa.Table:
    """Give events the store's own column."""
    return events.append_column(STORED_SCHEMA.field("origins"), pa.nulls(events.num_rows, pa.int16()))


def united(tables: Sequence[pa.Table]) -> pa.Table:
    """Unite events and copies of them: a table of ``STORED_SCHEMA``, sorted by (entity id, last updated)."""
    tables = [table for table in tables if table.num_rows]
    if not tables:
        return STORED_SCHEMA.empty_table()
    table = _packed(pa.concat_tables(tables))
    return _without_coarse_copies(_without_copies(table))


def difference(before: pa.Table, after: pa.Table) -> tuple[Bools, Bools]:
    """Tell which rows of ``before`` are gone and which of ``after`` are new or changed.

    Both are tables that ``united`` gave.
    """
    gone, changed = np.ones(before.num_rows, bool), np.ones(after.num_rows, bool)
    if not before.num_rows or not after.num_rows:
        return gone, changed
    table = _packed(pa.concat_tables([before, after]))
    columns = _comparable(table)
    order = np.lexsort((columns["last_updated"], columns["entity_id"]))
    left, right = order[:-1], order[1:]
    both = (columns["entity_id"][left] == columns["entity_id"][right]) & (
        columns["last_updated"][left] == columns["last_updated"][right]
    )
    left, right = left[both], right[both]
    same = np.logical_and.reduce([values[left] == values[right] for values in columns.values()])
    gone[left] = False
    changed[right[same] - before.num_rows] = False
    return gone, changed


def lags(table: pa.Table) -> Ints:
    """Give last updated minus last changed in µs."""
    updated = instants(table)
    changed = table["last_changed"]
    return np.where(np.asarray(changed.is_null()), 0, updated - numbers(changed))


def ranks(table: pa.Table) -> Ints:
    """Give the rank of each row's source."""
    source = Coded.of(table["source"])
    return np.array([RANK[Source(word)] for word in source.spelled()], np.int64)[source.codes]


def _packed(table: pa.Table) -> pa.Table:
    """Make one chunk, with the words that are in use once each and the entity ids in order."""
    table = table.unify_dictionaries().combine_chunks()
    arrays: list[Any] = []
    for field in STORED_SCHEMA:
        column = table[field.name]
        if pa.types.is_dictionary(field.type):
            words = Coded.of(column)
            arrays.append((words.in_order() if field.name == "entity_id" else words).column())
        else:
            arrays.append(column.combine_chunks())
    return pa.Table.from_arrays(arrays, schema=STORED_SCHEMA)


def _comparable(table: pa.Table) -> dict[str, Ints]:
    """Read every column of a packed table as numbers that are equal where the values are."""
    words = {
        field.name: numbers(_indices(table[field.name]), -1)
        for field in STORED_SCHEMA
        if pa.types.is_dictionary(field.type)
    }
    return words | {
        "last_updated": instants(table),
        "last_changed": lags(table),
        "origins": numbers(table["origins"], 0),
    }


def _indices(column: Any) -> Any:
    array: Any = column.combine_chunks()
    return array.indices


def _without_copies(table: pa.Table) -> pa.Table:
    entity = numbers(_indices(table["entity_id"]), -1)
    updated = instants(table)
    order = np.lexsort((updated, entity))
    entity, updated = entity[order], updated[order]
    first = np.ones(order.size, bool)
    first[1:] = (np.diff(entity) != 0) | (np.diff(updated) != 0)
    if not np.array_equal(order, np.arange(order.size)):
        table = ordered(table, order)
    if first.all():
        return table
    alone = first & np.append(first[1:], True)
    clash = _resolved(_packed(chosen(table, ~alone)), np.flatnonzero(first[~alone]))
    return _without_copies(_packed(pa.concat_tables([chosen(table, alone), clash])))


def _resolved(table: pa.Table, starts: Ints) -> pa.Table:
    """Unite groups of copies; a group reaches from one start to the next."""
    rank, gaps = ranks(table), numbers(table["origins"], 0)
    top = np.maximum.reduceat(rank, starts)
    columns: dict[str, Any] = {name: table[name].take(arrow(starts)) for name in ("entity_id", "last_updated")}
    columns["last_changed"] = _changed(table, rank, starts)
    columns["state"] = _largest(Coded.of(table["state"]), rank, starts, lent=False)[0].column()
    columns["source"] = pa.DictionaryArray.from_arrays(arrow(top.astype(np.int32)), _BY_RANK)
    origins = np.zeros(starts.size, np.int64)
    for place, name in enumerate(LENT):
        words = _known(Coded.of(table[name])) if name == "cause" else Coded.of(table[name])
        own = rank - (gaps >> _BITS * place & (1 << _BITS) - 1)
        best, best_rank = _largest(words, own, starts, lent=True)
        origins |= np.where(best.codes < 0, 0, top - best_rank) << _BITS * place
        columns[name] = (_unknown(best) if name == "cause" else best).column()
    columns["origins"] = arrow(origins.astype(np.int16), origins == 0)
    return pa.table([columns[field.name] for field in STORED_SCHEMA], schema=STORED_SCHEMA)


def _largest(words: Coded, rank: Ints, starts: Ints, *, lent: bool) -> tuple[Coded, Ints]:
    """Give each group's largest word by (rank, word), and its rank; with ``lent``, null says nothing."""
    words = words.in_order()
    base = len(words.words) + 1
    score = rank * base + words.codes + 1
    if lent:
        score[words.codes < 0] = 0
    best = np.maximum.reduceat(score, starts)
    return Coded(best % base - 1, words.words), best // base


def _changed(table: pa.Table, rank: Ints, starts: Ints) -> Any:
    lag = lags(table)
    values, place = np.unique(lag, return_inverse=True)
    best = values[np.maximum.reduceat(rank * values.size + place, starts) % values.size]
    return arrow(instants(table)[starts] - best, best == 0)


def _known(cause: Coded) -> Coded:
    """Read the cause ``unknown`` as null."""
    unknown = np.array([word == CauseKind.UNKNOWN for word in cause.spelled()], bool)
    return Coded(np.where(np.append(unknown, True)[cause.codes], -1, cause.codes), cause.words)


def _unknown(cause: Coded) -> Coded:
    """Write null as the cause ``unknown``."""
    words = pa.concat_arrays([cause.words, pa.array([CauseKind.UNKNOWN.value], pa.string())])
    return Coded(np.where(cause.codes < 0, len(cause.words), cause.codes), words)


def _without_coarse_copies(table: pa.Table) -> pa.Table:
    """Unite rows of a CSV download, which carry milliseconds, with exact rows of the same entity, ms and state.

    Of several exact rows in one millisecond the earliest takes it.
    """
    coarse = ranks(table) == RANK[Source.CSV]
    if coarse.all() or not coarse.any():
        return table
    columns = _comparable(table)
    millisecond = columns["last_updated"] // _MILLISECOND
    apart = np.append(True, (np.diff(columns["entity_id"]) != 0) | (np.diff(millisecond) != 0))
    key = np.cumsum(apart) * (int(columns["state"].max()) + 2) + columns["state"] + 1
    exact, where = np.unique(key[~coarse], return_index=True)
    place = np.minimum(np.searchsorted(exact, key[coarse]), exact.size - 1)
    met = exact[place] == key[coarse]
    if not met.any():
        return table
    updated = columns["last_updated"].copy()
    updated[np.flatnonzero(coarse)[met]] = columns["last_updated"][~coarse][where[place[met]]]
    return _without_copies(_at(table, updated))


def _at(table: pa.Table, updated: Ints) -> pa.Table:
    # The lag stays, so that a row which moves says what it said.
    lag = lags(table)
    table = table.set_column(1, STORED_SCHEMA.field("last_updated"), arrow(updated))
    changed = arrow(updated - lag, lag == 0)
    return table.set_column(2, STORED_SCHEMA.field("last_changed"), changed)

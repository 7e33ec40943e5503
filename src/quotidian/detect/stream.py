"""A day's events in columns, and what stood before each of them.

What was posted by hand to try the pipeline is not the home's, and left out before anything else. A state that an entity
came back with after it was unavailable is nobody's act, and what stood before is lost, even where the event
that would say so is missing.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.detect.dayview import UNKNOWN_STATES
from quotidian.model import Carry, CauseKind
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.event import LEARNABLE


class Past(msgspec.Struct, frozen=True, order=True):
    """What stood before the day: a state, since when (µs), and whether people may have caused it."""

    state: str
    since: int
    acted: bool


NOTHING: Final = Past("", 0, False)


class Stream(msgspec.Struct, frozen=True):
    """The day's events in columns sorted by (entity, time), and what stood before each.

    ``known`` and ``number`` describe ``states``; ``past`` is what was carried, by entity. ``change`` is any change
    of state, to or from unknown ones too; ``restored`` marks what an entity came back with. Times are µs since
    1970-01-01 UTC. ``place`` gives for each event, in the order in which they were given, its position in the columns.
    """

    entities: tuple[str, ...]
    states: tuple[str, ...]
    known: Bools
    number: Floats
    entity: Ints
    time: Ints
    state: Ints
    before: Ints
    since: Ints
    change: Bools
    learned: Bools
    restored: Bools
    began: Bools
    past: tuple[Past, ...]
    place: Ints


def own(events: pa.Table) -> Bools:
    """Tell which events are the home's, and not posted by hand."""
    return ~_caused(events.unify_dictionaries().combine_chunks(), frozenset({CauseKind.MANUAL}))


def own_events(events: pa.Table) -> pa.Table:
    """Leave out what was posted by hand, and the words that only such events have; in one chunk."""
    kept, events = own(events), events.unify_dictionaries().combine_chunks()
    if kept.all():
        return events
    left = events.filter(pa.array(kept))
    columns: list[Any] = [
        column.combine_chunks().dictionary_decode().dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column.combine_chunks()
        for column in cast("list[Any]", left.columns)
    ]
    return pa.Table.from_arrays(columns, schema=events.schema)


def stream_of(events: pa.Table, carry: Carry) -> Stream:
    """Put the home's own events into columns, on top of what the day before handed on."""
    carried = _carried(carry)
    named, entity = codes(events, "entity_id")
    told, state = codes(events, "state")
    entities = tuple(sorted({*named, *carried}))
    states = tuple(sorted({*told, *(past.state for past in carried.values()), ""}))
    entity, state = recoded(named, entities, entity), recoded(told, states, state)
    time, learned = events["last_updated"].to_numpy().astype(np.int64), _caused(events, LEARNABLE)
    restored = _caused(events, frozenset({CauseKind.RESTORED}))

    order = np.lexsort((restored, learned, state, time, entity))
    again = np.zeros(order.size, bool)
    again[1:] = (np.diff(entity[order]) == 0) & (np.diff(time[order]) == 0)
    place = np.empty(order.size, np.int64)
    place[order] = np.cumsum(~again) - 1
    order = order[~again]
    entity, time, state = entity[order], time[order], state[order]
    learned, restored = learned[order], restored[order]

    past = [carried.get(name, NOTHING) for name in entities]
    code = {name: number for number, name in enumerate(states)}
    past_state = np.array([code[one.state] for one in past], np.int64)
    first = np.diff(entity, prepend=-1) != 0
    before = np.where(first, past_state[entity], np.roll(state, 1))
    change = state != before

    # The change that began the state before: the last one of the same entity, else what was carried.
    rows = np.arange(entity.size)
    entry = np.roll(np.maximum.accumulate(np.where(change, rows, -1)), 1) if entity.size else rows
    opening = np.maximum.accumulate(np.where(first, rows, 0)) if entity.size else rows
    today = (entry >= opening) & ~first
    known = np.array([name not in UNKNOWN_STATES for name in states], bool)
    acted = change & known[state] & known[before] & learned
    since = np.where(today, time[entry], np.array([one.since for one in past], np.int64)[entity])
    began = np.where(today, acted[entry], np.array([one.acted for one in past], bool)[entity])
    return Stream(
        entities=entities,
        states=states,
        known=known,
        number=np.array([_number(name) for name in states]),
        entity=entity,
        time=time,
        state=state,
        before=before,
        since=since,
        change=change,
        learned=learned,
        restored=restored,
        began=began,
        past=tuple(past),
        place=place,
    )


def codes(events: pa.Table, name: str) -> tuple[list[str], Ints]:
    """Give a dictionary column as its words and each row's word; a null reads as an empty word."""
    if not events.num_rows:
        return [], np.empty(0, np.int64)
    column = cast("pa.DictionaryArray[Any, Any]", events[name].chunk(0))
    words = [str(word) for word in column.dictionary.to_pylist()]
    indices = column.indices
    if indices.null_count:
        indices, words = indices.fill_null(len(words)), [*words, ""]
    return words, indices.to_numpy(zero_copy_only=False).astype(np.int64)


def recoded(words: Sequence[str], order: Sequence[str], codes: Ints) -> Ints:
    """Give codes of some words as codes of all words in another order."""
    rank = {word: number for number, word in enumerate(order)}
    return np.array([rank[word] for word in words], np.int64)[codes] if codes.size else codes


def _caused(events: pa.Table, wanted: frozenset[CauseKind]) -> Bools:
    kinds, kind = codes(events, "cause")
    return np.array([name in wanted for name in kinds], bool)[kind] if kind.size else np.empty(0, bool)


def _number(state: str) -> float:
    try:
        return float(state)
    except ValueError:
        return np.nan


def _carried(carry: Carry) -> dict[str, Past]:
    if not carry:
        return {}
    columns = (carry[name].tolist() for name in ("entity", "state", "since", "acted"))
    return {
        carry.words[entity]: Past(carry.words[state], since, bool(acted))
        for entity, state, since, acted in zip(*columns, strict=True)
    }


def handed_on(stream: Stream) -> Carry:
    """Give each entity's state at the end of the day; one that was removed is not handed on."""
    last = {name: past for name, past in zip(stream.entities, stream.past, strict=True) if past is not NOTHING}
    ends = np.flatnonzero(np.diff(stream.entity, append=-1) != 0)
    for row in ends.tolist():
        state = stream.states[stream.state[row]]
        known = bool(stream.known[stream.state[row]])
        if stream.change[row]:
            acted = known and bool(stream.known[stream.before[row]] and stream.learned[row])
            past = Past(state, int(stream.time[row]), acted)
        else:
            past = Past(state, int(stream.since[row]), bool(stream.began[row]))
        last[stream.entities[stream.entity[row]]] = past
    kept = sorted((name, past) for name, past in last.items() if past.state)
    words = tuple(sorted({word for name, past in kept for word in (name, past.state)}))
    rank = {word: number for number, word in enumerate(words)}
    return Carry(
        words,
        {
            "entity": [rank[name] for name, _ in kept],
            "state": [rank[past.state] for _, past in kept],
            "since": [past.since for _, past in kept],
            "acted": [past.acted for _, past in kept],
        },
    )

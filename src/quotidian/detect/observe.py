"""From a day's events to a ``DayView``: what changed, by whom, and what was observed.

A day is read together with what the day before handed on (each entity's state at midnight, and since when), so
that the view is the same whether the day is folded the night after or a year later. The order in which the
events are given does not matter, and a second copy of an event changes nothing.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
from astral import Observer
from astral.sun import sunrise, sunset

from quotidian.detect.dayrow import OCCUPANCY_BITS, DayRow
from quotidian.detect.dayview import (
    IGNORED_DOMAINS,
    MOST_CHANGES,
    MOST_STATES,
    PRESSED_DOMAINS,
    UNKNOWN_STATES,
    Changes,
    DayView,
    Samples,
)
from quotidian.model import Carry, Day, Home, Integers
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import SECOND, instant
from quotidian.model.event import LEARNABLE
from quotidian.model.home import domain_of

_QUARTER: Final = 900


class _Past(msgspec.Struct, frozen=True, order=True):
    """What stood before the day: a state, since when (µs), and whether people may have caused it."""

    state: str
    since: int
    acted: bool


_NOTHING: Final = _Past("", 0, False)


class _Stream(msgspec.Struct, frozen=True):
    """The day's events in columns sorted by (entity, time), and what stood before each.

    ``known`` and ``number`` describe ``states``; ``past`` is what was carried, by entity. ``change`` is any change
    of state, to or from unknown ones too. Times are µs since 1970-01-01 UTC.
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
    began: Bools
    past: tuple[_Past, ...]


def observe(day: Day, events: pa.Table, home: Home, carry: Carry) -> tuple[DayView, Carry]:
    """Read a day's events (a table of ``EVENT_SCHEMA``) on top of what the day before handed on.

    Returns the view, and what this day hands on: by entity its last state, since when, and whether people may
    have caused it.
    """
    stream = _stream(events, carry)
    discrete, numeric = _kinds(stream)
    usable = stream.known[stream.state]
    was_usable = stream.known[stream.before]
    moved = stream.change & discrete[stream.entity] & was_usable
    changes, lost = _changes(day, stream, moved & usable), _changes(day, stream, moved & ~usable)
    sampled = np.flatnonzero(numeric[stream.entity] & usable & ~np.isnan(stream.number[stream.state]))
    samples = Samples(
        stream.entity[sampled],
        (stream.time[sampled] - day.start) // SECOND,
        stream.number[stream.state[sampled]],
    )
    row = _row(day, home, stream, changes, discrete)
    view = DayView(day, home, row, stream.entities, stream.states, changes, lost, samples)
    return view, _handed_on(stream)


def _stream(events: pa.Table, carry: Carry) -> _Stream:
    events = events.unify_dictionaries().combine_chunks()
    carried = _carried(carry)
    named, entity = _codes(events, "entity_id")
    told, state = _codes(events, "state")
    entities = tuple(sorted({*named, *carried}))
    states = tuple(sorted({*told, *(past.state for past in carried.values()), ""}))
    entity, state = _recoded(named, entities, entity), _recoded(told, states, state)
    time, learned = events["last_updated"].to_numpy().astype(np.int64), _learned(events)

    order = np.lexsort((learned, state, time, entity))
    again = np.zeros(order.size, bool)
    again[1:] = (np.diff(entity[order]) == 0) & (np.diff(time[order]) == 0)
    order = order[~again]
    entity, time, state, learned = entity[order], time[order], state[order], learned[order]

    past = [carried.get(name, _NOTHING) for name in entities]
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
    return _Stream(
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
        began=began,
        past=tuple(past),
    )


def _codes(events: pa.Table, name: str) -> tuple[list[str], Ints]:
    """Give a dictionary column as its words and each row's word; a null reads as an empty word."""
    if not events.num_rows:
        return [], np.empty(0, np.int64)
    column = cast("pa.DictionaryArray[Any, Any]", events[name].chunk(0))
    words = [str(word) for word in column.dictionary.to_pylist()]
    indices = column.indices
    if indices.null_count:
        indices, words = indices.fill_null(len(words)), [*words, ""]
    return words, indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _recoded(words: Sequence[str], order: Sequence[str], codes: Ints) -> Ints:
    rank = {word: number for number, word in enumerate(order)}
    return np.array([rank[word] for word in words], np.int64)[codes] if codes.size else codes


def _learned(events: pa.Table) -> Bools:
    kinds, kind = _codes(events, "cause")
    return np.array([name in LEARNABLE for name in kinds], bool)[kind] if kind.size else np.empty(0, bool)


def _number(state: str) -> float:
    try:
        return float(state)
    except ValueError:
        return np.nan


def _carried(carry: Carry) -> dict[str, _Past]:
    if not carry:
        return {}
    columns = (carry[name].tolist() for name in ("entity", "state", "since", "acted"))
    return {
        carry.words[entity]: _Past(carry.words[state], since, bool(acted))
        for entity, state, since, acted in zip(*columns, strict=True)
    }


def _handed_on(stream: _Stream) -> Carry:
    """Give each entity's state at the end of the day; one that was removed is not handed on."""
    last = {name: past for name, past in zip(stream.entities, stream.past, strict=True) if past is not _NOTHING}
    ends = np.flatnonzero(np.diff(stream.entity, append=-1) != 0)
    for row in ends.tolist():
        state = stream.states[stream.state[row]]
        known = bool(stream.known[stream.state[row]])
        if stream.change[row]:
            acted = known and bool(stream.known[stream.before[row]] and stream.learned[row])
            past = _Past(state, int(stream.time[row]), acted)
        else:
            past = _Past(state, int(stream.since[row]), bool(stream.began[row]))
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


def _kinds(stream: _Stream) -> tuple[Bools, Bools]:
    """Tell which entities are discrete and which are numeric: by what their states are, not by what they are called."""
    size = len(stream.entities)
    usable = np.flatnonzero(stream.known[stream.state])
    codes = _recoded([past.state for past in stream.past], stream.states, np.arange(size))
    entity = np.concatenate([stream.entity[usable], np.flatnonzero(stream.known[codes])])
    state = np.concatenate([stream.state[usable], codes[stream.known[codes]]])
    told = np.bincount(entity, minlength=size)
    numbers = np.bincount(entity[~np.isnan(stream.number[state])], minlength=size)
    distinct = np.bincount(np.unique(entity * len(stream.states) + state) // len(stream.states), minlength=size)
    domains = [domain_of(name) for name in stream.entities]
    pressed = np.array([domain in PRESSED_DOMAINS for domain in domains], bool)
    ignored = np.array([domain in IGNORED_DOMAINS for domain in domains], bool)
    numeric = (numbers * 2 >= told) & (told > 0) & ~pressed
    discrete = ~numeric & ~ignored & (told > 0) & (pressed | (distinct <= MOST_STATES))
    return discrete, numeric


def _changes(day: Day, stream: _Stream, chosen: Bools) -> Changes:
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((stream.entity[rows], stream.time[rows]))]
    return Changes(
        entity=stream.entity[rows],
        second=(stream.time[rows] - day.start) // SECOND,
        before=stream.before[rows],
        after=stream.state[rows],
        since=(stream.since[rows] - day.start) // SECOND,
        learned=stream.learned[rows],
        began=stream.began[rows],
    )


def _row(day: Day, home: Home, stream: _Stream, changes: Changes, discrete: Bools) -> DayRow:
    counts = np.bincount(changes.entity, minlength=len(stream.entities))
    chatter = np.flatnonzero(counts > MOST_CHANGES)
    quiet = counts[changes.entity] <= MOST_CHANGES
    entity, state = changes.entity[quiet], changes.after[quiet]
    labels = [*stream.states, "pressed"]
    pressed = np.array([domain_of(name) in PRESSED_DOMAINS for name in stream.entities], bool)
    state = np.where(pressed[entity], len(stream.states), state)
    keys, token = np.unique(entity * len(labels) + state, return_inverse=True)
    present, gaps = _exposure(day, stream, discrete)

    token_names = [(stream.entities[key // len(labels)], labels[key % len(labels)]) for key in keys.tolist()]
    words = tuple(sorted({word for pair in token_names for word in pair} | set(present)))
    rank = {word: number for number, word in enumerate(words)}
    occupancy = [_occupancy(changes.second[changes.entity == one]) for one in chatter.tolist()]
    return DayRow(
        day.ordinal,
        Integers(
            words,
            {
                "header": [day.start // SECOND, day.seconds, *_sun(day, home)],
                "clock_from": [start for start, _ in day.clock],
                "clock_shift": [shift for _, shift in day.clock],
                "token_entity": [rank[name] for name, _ in token_names],
                "token_state": [rank[name] for _, name in token_names],
                "second": changes.second[quiet],
                "token": token.reshape(-1),
                "learned": changes.learned[quiet],
                "present": sorted(rank[name] for name in present),
                "gap_entity": [rank[name] for name, _, _ in gaps],
                "gap_start": [start for _, start, _ in gaps],
                "gap_end": [end for _, _, end in gaps],
                "chatter_entity": [rank[stream.entities[one]] for one in chatter.tolist()],
                "chatter_count": counts[chatter],
                "chatter_0": [bits[0] for bits in occupancy],
                "chatter_1": [bits[1] for bits in occupancy],
                "chatter_2": [bits[2] for bits in occupancy],
            },
        ),
    )


def _exposure(day: Day, stream: _Stream, discrete: Bools) -> tuple[list[str], list[tuple[str, int, int]]]:
    """Give the discrete entities observed at some time of the day, and the spans in which they were not."""
    usable, was_usable = stream.known[stream.state], stream.known[stream.before]
    toggles: dict[int, list[tuple[int, bool]]] = {}
    for row in np.flatnonzero((usable != was_usable) & discrete[stream.entity]).tolist():
        second = int((stream.time[row] - day.start) // SECOND)
        toggles.setdefault(int(stream.entity[row]), []).append((second, bool(usable[row])))
    present, gaps = [], []
    for entity in np.flatnonzero(discrete).tolist():
        name = stream.entities[entity]
        observed, spans = stream.past[entity].state not in UNKNOWN_STATES, []
        since, seen = 0, observed
        for second, now in [*toggles.get(entity, []), (day.seconds, True)]:
            if not observed and second > since:
                spans.append((name, since, second))
            observed, since, seen = now, second, seen or (now and second < day.seconds)
        if seen:
            present.append(name)
            gaps.extend(spans)
    return present, gaps


def _occupancy(seconds: Ints) -> tuple[int, ...]:
    quarters = np.unique(np.minimum(seconds // _QUARTER, OCCUPANCY_BITS - 1)).tolist()
    return tuple(sum(1 << q - low for q in quarters if low <= q < low + 32) for low in (0, 32, 64))


def _sun(day: Day, home: Home) -> tuple[int, int]:
    """Give sunrise and sunset in elapsed seconds, -1 where there is none or nobody knows where the home is."""
    if home.latitude is None or home.longitude is None:
        return -1, -1
    observer = Observer(home.latitude, home.longitude)

    def second(event: Callable[..., dt.datetime]) -> int:
        try:
            return (instant(event(observer, day.date, tzinfo=ZoneInfo(day.zone))) - day.start) // SECOND
        except ValueError:  # the sun does not cross the horizon that day
            return -1

    return second(sunrise), second(sunset)

"""From a day's events to a ``DayView``: what changed, by whom, and what was observed.

A day is read together with what the day before handed on (each entity's state at midnight, and since when), so
that the view is the same whether the day is folded the night after or a year later. The order in which the
events are given does not matter, and a second copy of an event changes nothing.
"""

from typing import Final

import numpy as np
import pyarrow as pa

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
from quotidian.detect.registered import home_then
from quotidian.detect.silence import silences, united
from quotidian.detect.stream import Stream, handed_on, own_events, recoded, stream_of
from quotidian.detect.sun import sun_of
from quotidian.model import Carry, Day, Home, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import SECOND
from quotidian.model.home import domain_of

_QUARTER: Final = 900

#: The entities observed at some time of the day, and the spans (entity, elapsed seconds) in which they were not.
_Exposure = tuple[list[str], list[tuple[str, int, int]]]


def observe(day: Day, events: pa.Table, home: Home, carry: Carry) -> tuple[DayView, Carry]:
    """Read a day's events (a table of ``EVENT_SCHEMA``) on top of what the day before handed on.

    Returns the view, and what this day hands on: by entity its last state, since when, and whether people may
    have caused it; when something was last heard, and how long silences usually are (see ``silences``). The view's home
    is described as the events themselves tell that it was on that day.
    """
    events = own_events(events)
    stream, home = stream_of(events, carry), home_then(home, events)
    discrete, numeric = _kinds(stream)
    usable = stream.known[stream.state]
    was_usable = stream.known[stream.before]
    moved = stream.change & discrete[stream.entity] & was_usable
    changes = _changes(day, stream, moved & usable & ~stream.restored, stream.state)
    nowhere = np.where(stream.restored, stream.states.index(""), stream.state)
    lost = _changes(day, stream, moved & (~usable | stream.restored), nowhere)
    sampled = np.flatnonzero(numeric[stream.entity] & usable & ~np.isnan(stream.number[stream.state]))
    samples = Samples(
        stream.entity[sampled],
        (stream.time[sampled] - day.start) // SECOND,
        stream.number[stream.state[sampled]],
    )
    deaf, silence = silences(day, stream.time, carry)
    row = _row(day, home, stream, changes, _exposure(day, stream, discrete, deaf))
    view = DayView(day, home, row, stream.entities, stream.states, changes, lost, samples)
    states = handed_on(stream)
    return view, Carry(states.words, states.columns | silence.columns)


def _kinds(stream: Stream) -> tuple[Bools, Bools]:
    """Tell which entities are discrete and which are numeric: by what their states are, not by what they are called."""
    size = len(stream.entities)
    usable = np.flatnonzero(stream.known[stream.state])
    codes = recoded([past.state for past in stream.past], stream.states, np.arange(size))
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


def _changes(day: Day, stream: Stream, chosen: Bools, after: Ints) -> Changes:
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((stream.entity[rows], stream.time[rows]))]
    return Changes(
        entity=stream.entity[rows],
        second=(stream.time[rows] - day.start) // SECOND,
        before=stream.before[rows],
        after=after[rows],
        since=(stream.since[rows] - day.start) // SECOND,
        learned=stream.learned[rows],
        began=stream.began[rows],
    )


def _row(day: Day, home: Home, stream: Stream, changes: Changes, exposure: _Exposure) -> DayRow:
    counts = np.bincount(changes.entity, minlength=len(stream.entities))
    chatter = np.flatnonzero(counts > MOST_CHANGES)
    quiet = counts[changes.entity] <= MOST_CHANGES
    entity, state = changes.entity[quiet], changes.after[quiet]
    labels = [*stream.states, "pressed"]
    pressed = np.array([domain_of(name) in PRESSED_DOMAINS for name in stream.entities], bool)
    state = np.where(pressed[entity], len(stream.states), state)
    keys, token = np.unique(entity * len(labels) + state, return_inverse=True)
    present, gaps = exposure

    token_names = [(stream.entities[key // len(labels)], labels[key % len(labels)]) for key in keys.tolist()]
    words = tuple(sorted({word for pair in token_names for word in pair} | set(present)))
    rank = {word: number for number, word in enumerate(words)}
    occupancy = [_occupancy(changes.second[changes.entity == one]) for one in chatter.tolist()]
    return DayRow(
        day.ordinal,
        Integers(
            words,
            {
                "header": [day.start // SECOND, day.seconds, *sun_of(day, home)],
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


def _exposure(day: Day, stream: Stream, discrete: Bools, deaf: list[tuple[int, int]]) -> _Exposure:
    """Give the discrete entities observed at some time of the day, and the spans in which they were not.

    Nothing is observed in the spans in which nobody listened.
    """
    usable, was_usable = stream.known[stream.state], stream.known[stream.before]
    toggles: dict[int, list[tuple[int, bool]]] = {}
    for row in np.flatnonzero((usable != was_usable) & discrete[stream.entity]).tolist():
        second = int((stream.time[row] - day.start) // SECOND)
        toggles.setdefault(int(stream.entity[row]), []).append((second, bool(usable[row])))
    present, gaps = list[str](), list[tuple[str, int, int]]()
    for entity in np.flatnonzero(discrete).tolist():
        name = stream.entities[entity]
        observed, spans = stream.past[entity].state not in UNKNOWN_STATES, list(deaf)
        since = 0
        for second, now in [*toggles.get(entity, []), (day.seconds, True)]:
            if not observed and second > since:
                spans.append((since, second))
            observed, since = now, second
        spans = united(spans)
        if spans != [(0, day.seconds)]:
            present.append(name)
            gaps.extend((name, start, end) for start, end in spans)
    return present, gaps


def _occupancy(seconds: Ints) -> tuple[int, ...]:
    quarters = np.unique(np.minimum(seconds // _QUARTER, OCCUPANCY_BITS - 1)).tolist()
    return tuple(sum(1 << q - low for q in quarters if low <= q < low + 32) for low in (0, 32, 64))

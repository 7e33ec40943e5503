"""Shared rows taken apart by entity and put together again, so that an entity's day can be moved as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np

from benchmarks import folding
from quotidian.detect import DayRow, DayView, Detector, History
from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.dayview import Changes, Samples
from quotidian.detect.silence import united
from quotidian.model import Day, Home, Integers, Summary
from quotidian.model.arrays import Ints

_CHATTER = ("chatter_0", "chatter_1", "chatter_2")


class EntityDay(msgspec.Struct, frozen=True):
    """What one entity did on one day: its changes in order (elapsed second, state, learned), gaps, chatter.

    ``chatter`` holds the count and three times 32 bits of occupancy of an entity that chattered, else nothing.
    """

    second: Ints
    state: tuple[str, ...]
    learned: Ints
    present: bool
    gaps: tuple[tuple[int, int], ...]
    chatter: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """The elapsed second behind the last thing that is known of the day."""
        return max([int(self.second.max(initial=-1)) + 1, *(end for _, end in self.gaps)])

    def moved(self, seconds: int, length: int) -> "EntityDay":
        """Shift everything but chatter by so many seconds, in a circle of a day of that length.

        Of chatter only quarters of an hour are known; no detector looks for habits in them.
        """
        second = (self.second + seconds) % length
        order = np.argsort(second, kind="stable")
        gaps = united([piece for gap in self.gaps for piece in _turned(gap, seconds, length)])
        return msgspec.structs.replace(
            self,
            second=second[order],
            state=tuple(self.state[place] for place in order.tolist()),
            learned=self.learned[order],
            gaps=tuple(gaps),
        )


def _turned(gap: tuple[int, int], seconds: int, length: int) -> list[tuple[int, int]]:
    """Shift a span [start, end) in a circle; one that crosses the end of the day becomes two."""
    size = min(gap[1] - gap[0], length)
    start = (gap[0] + seconds) % length
    end = start + size
    return [(start, end)] if end <= length else [(0, end - length), (start, length)]


class Days(msgspec.Struct, frozen=True, dict=True):
    """Days of a home: its shared rows in order, and what each detector keeps of them beside."""

    source: str
    home: Home
    rows: tuple[DayRow, ...]
    summaries: Mapping[str, Summary]

    @cached_property
    def apart(self) -> list[dict[str, EntityDay]]:
        """Give what each entity did, by day."""
        return [taken_apart(row) for row in self.rows]

    def history(self) -> History:
        """Give the days to a detector."""
        return History(self.rows, self.home, self.summaries)


def taken_apart(row: DayRow) -> dict[str, EntityDay]:
    """Give what each entity did on a day."""
    words, integers = row.integers.words, row.integers
    states = [state_of(token) for token in row.tokens]
    bits = zip(*(integers[name].tolist() for name in ("chatter_entity", "chatter_count", *_CHATTER)), strict=True)
    chatter = {words[entity]: tuple(rest) for entity, *rest in bits}
    names = sorted({words[number] for number in np.unique(row.entity).tolist()} | row.present | chatter.keys())
    number = {word: place for place, word in enumerate(words)}
    found = {}
    for name in names:
        mine = np.flatnonzero(row.entity == number[name])
        found[name] = EntityDay(
            second=row.second[mine],
            state=tuple(states[token] for token in row.token[mine].tolist()),
            learned=integers["learned"][mine],
            present=name in row.present,
            gaps=tuple(row.gaps.get(name, ())),
            chatter=chatter.get(name, ()),
        )
    return found


def put_together(frame: DayRow, parts: Mapping[str, EntityDay]) -> DayRow:
    """Make a row of what entities did, on the date of another row, with its length, clock and sun."""
    names = sorted(parts)
    words = tuple(sorted({*names, *(state for part in parts.values() for state in part.state)}))
    rank = {word: place for place, word in enumerate(words)}
    entity = np.concatenate([np.full(parts[name].second.size, rank[name]) for name in names] or [_nothing()])
    state = np.array([rank[state] for name in names for state in parts[name].state], np.int64)
    second = np.concatenate([parts[name].second for name in names] or [_nothing()])
    learned = np.concatenate([parts[name].learned for name in names] or [_nothing()])
    order = np.lexsort((entity, second))
    keys, token = np.unique((entity * len(words) + state)[order], return_inverse=True)
    gaps = [(rank[name], *gap) for name in names for gap in parts[name].gaps]
    chatter = [(rank[name], *parts[name].chatter) for name in names if parts[name].chatter]
    columns = {name: frame.integers[name] for name in ("header", "clock_from", "clock_shift")}
    columns |= {
        "token_entity": keys // max(len(words), 1),
        "token_state": keys % max(len(words), 1),
        "second": second[order],
        "token": token.reshape(-1),
        "learned": learned[order],
        "present": np.array([rank[name] for name in names if parts[name].present], np.int64),
    }
    columns |= _columns(("gap_entity", "gap_start", "gap_end"), gaps)
    columns |= _columns(("chatter_entity", "chatter_count", *_CHATTER), chatter)
    return DayRow(frame.ordinal, Integers(words, columns))


def _nothing() -> Ints:
    return np.empty(0, np.int64)


def _columns(names: Sequence[str], rows: Sequence[tuple[int, ...]]) -> dict[str, Ints]:
    table = np.array(rows, np.int64).reshape(-1, len(names))
    return {name: table[:, place] for place, name in enumerate(names)}


# folding


def folded(source: str, home: Home, views: Iterable[DayView], detectors: Sequence[Detector]) -> Days:
    """Fold days that follow one another, for every detector that keeps integers of its own."""
    return Days(source, home, *folding.folded(views, detectors))


def seen_again(home: Home, row: DayRow) -> DayView:
    """Give a day to be folded of which only the shared row is known, without readings of numbers.

    What stood before an entity's first change of the day is nothing, since midnight.
    """
    entities = tuple(sorted(row.present | {entity_of(token) for token in row.tokens}))
    states = tuple(sorted({"", *map(state_of, row.tokens)}))
    number = {word: place for place, word in enumerate(entities)}
    code = {word: place for place, word in enumerate(states)}
    entity = np.array([number[entity_of(token)] for token in row.tokens], np.int64)[row.token]
    after = np.array([code[state_of(token)] for token in row.tokens], np.int64)[row.token]
    order = np.lexsort((np.arange(entity.size), entity))
    first = np.diff(entity[order], prepend=-1) != 0
    before, since = np.empty_like(after), np.empty_like(after)
    before[order] = np.where(first, code[""], np.roll(after[order], 1))
    since[order] = np.where(first, 0, np.roll(row.second[order], 1))
    nothing = np.empty(0, np.int64)
    none = Changes(*[nothing] * 5, *[nothing.astype(bool)] * 2)
    return DayView(
        day=Day.from_ordinal(row.ordinal, home.zone),
        home=home,
        row=row,
        entities=entities,
        states=states,
        changes=Changes(entity, row.second, before, after, since, row.learned, row.learned),
        lost=none,
        samples=Samples(nothing, nothing, np.empty(0)),
    )

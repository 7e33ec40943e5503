"""What Home Assistant sees of it: a table of events a day, with its restarts, outages and sensors that drop out."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from quotidian.model import CauseKind, Day, Source
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import SECOND
from quotidian.model.event import EVENT_SCHEMA
from quotidian.simulate.calendar import Down
from quotidian.simulate.chance import chance
from quotidian.simulate.changes import Change
from quotidian.simulate.house import House, Role, Thing
from quotidian.simulate.plan import Plan
from quotidian.simulate.sensors import Readings
from quotidian.simulate.truth import Renaming, Span

UNAVAILABLE: Final = "unavailable"
RESTORED: Final = ""  #: stands for whatever the state is by now
_CAUSES: Final = tuple(CauseKind)


class Row(NamedTuple):
    """One event, before it is put into columns."""

    time: int
    changed: int | None
    entity_id: str
    state: str | None
    cause: CauseKind
    entity: str | None
    user: str | None
    attributes: str | None


def skewed(plan: Plan, day: Day, times: Ints) -> Ints:
    """Read instants (µs) of a day from Home Assistant's clock: set at midnight, and wrong by seconds between."""
    wrong = 2.2 * SECOND * float(chance(plan.noise, "clock", day.ordinal).standard_normal())
    place = (times - day.start) / (day.end - day.start)
    return times + np.rint(4 * wrong * place * (1 - place)).astype(np.int64)


def dropouts(plan: Plan, day: Day, meters: list[Thing]) -> list[Span]:
    """Give the times in which single meters could not be reached; each ends before midnight."""
    rng = chance(plan.noise, "dropout", day.ordinal)
    spans = []
    for _ in range(int(rng.poisson(0.2 + 0.004 * len(meters)))):
        start = int(rng.integers(day.start, day.end - 2_000 * SECOND))
        end = min(start + round(rng.lognormal(7.6, 0.9) * SECOND), day.end - SECOND)
        spans.append(Span(start, end, meters[int(rng.integers(len(meters)))].entity_id if meters else None))
    return [span for span in spans if span.entity_id]


def renaming(plan: Plan, house: House) -> Renaming | None:
    """Give the one meter of a large home that is replaced by another on its twenty-first day."""
    meters = [thing for thing in house.of(Role.METER) if thing.curve == "temperature"]
    if plan.entities < 200 or plan.days <= 20 or not meters:
        return None
    day = Day.from_ordinal(plan.start.toordinal() + 20, plan.zone)
    old = meters[-1].entity_id
    return Renaming(day.start + 13 * 3_600 * SECOND, old, old.replace("_temperature", "_climate_temperature"))


class Record:
    """Home Assistant's record of a home: keeps the state of every entity from day to day."""

    def __init__(self, plan: Plan, house: House, meters: list[Thing]) -> None:
        self._plan, self._meters = plan, meters
        self._renaming = renaming(plan, house)
        metered = {thing.entity_id for thing in meters}
        self._true = {thing.entity_id: thing.rest for thing in house.things.values() if thing.entity_id not in metered}
        self._seen: dict[str, str] = {}
        self._changed: dict[str, int] = {}
        self._attributes: dict[str, str | None] = {}

    def day(self, day: Day, changes: Iterable[Change], readings: Readings, downs: list[Down]) -> pa.Table:
        """Put a day's changes and readings into a table, sorted by time."""
        rows = self._rows(day, changes, downs)
        readings, more = self._reported(day, readings, downs)
        return self._table(day, rows + more, readings)

    def _rows(self, day: Day, changes: Iterable[Change], downs: list[Down]) -> list[Row]:
        rng = chance(self._plan.noise, "record", day.ordinal)
        marks = self._marks(day, downs, rng)
        blind = [(down.stopped, down.back) for down in downs]
        rows = []
        for change in sorted([*changes, *marks], key=lambda change: (change.time, change.entity_id, change.state)):
            row = self._row(change, any(start <= change.time < end for start, end in blind))
            if row is not None:
                rows.append(row)
        return rows

    def _row(self, change: Change, blind: bool) -> Row | None:
        """Note a change; what makes no event (nothing new, or nobody there to see it) gives ``None``."""
        time, entity_id, state, cause, entity, user, attributes = change
        if state == RESTORED:
            state, attributes = self._true[entity_id], self._attributes.get(entity_id)
        elif state != UNAVAILABLE:
            self._true[entity_id] = state
            self._attributes[entity_id] = attributes
            if blind:
                return None
        if self._seen.get(entity_id) == state:
            if attributes is None:
                return None
            return Row(time, self._changed[entity_id], entity_id, state, cause, entity, user, attributes)
        self._seen[entity_id], self._changed[entity_id] = state, time
        return Row(time, None, entity_id, state, cause, entity, user, attributes)

    def _marks(self, day: Day, downs: list[Down], rng: Generator) -> list[Change]:
        """Let every entity be unavailable when Home Assistant starts, and there again a little later."""
        marks = []
        if not self._seen:
            marks += self._all(day.start + SECOND, RESTORED, rng)
        for down in downs:
            if day.start <= down.started < day.end and self._seen:
                marks += self._all(down.started, UNAVAILABLE, rng)
            if day.start <= down.back < day.end and self._seen:
                marks += self._all(down.back, RESTORED, rng)
        return marks

    def _all(self, time: int, state: str, rng: Generator) -> list[Change]:
        late = rng.integers(0, 3 * SECOND, len(self._true)).tolist()
        return [Change(time + more, entity_id, state) for more, entity_id in zip(late, self._true, strict=True)]

    def _reported(self, day: Day, readings: Readings, downs: list[Down]) -> tuple[Readings, list[Row]]:
        """Leave out what meters said when nobody listened, and note that they were unavailable."""
        kept: Bools = np.ones(readings.time.size, bool)
        rows = []
        for down in downs:
            kept &= (readings.time < down.stopped) | (readings.time >= down.back)
            if day.start <= down.started < day.end:
                rows += [
                    self._lost(down.started + 7 * n, self._name(n, down.started)) for n in range(len(self._meters))
                ]
        positions = {thing.entity_id: position for position, thing in enumerate(self._meters)}
        for span in dropouts(self._plan, day, self._meters):
            position = positions[str(span.entity_id)]
            if not any(down.stopped <= span.end and span.start <= down.back for down in downs):
                kept &= (readings.meter != position) | (readings.time < span.start) | (readings.time >= span.end)
                rows.append(self._lost(span.start, self._name(position, span.start)))
        if self._renaming and day.start <= self._renaming.at < day.end:
            rows.append(self._lost(self._renaming.at, self._renaming.entity_id)._replace(state=None))
        return Readings(readings.meter[kept], readings.time[kept], readings.value[kept]), rows

    def _lost(self, time: int, entity_id: str) -> Row:
        return Row(time, None, entity_id, UNAVAILABLE, CauseKind.PHYSICAL, None, None, None)

    def _name(self, position: int, time: int) -> str:
        entity_id = self._meters[position].entity_id
        renamed = self._renaming and self._renaming.entity_id == entity_id and time >= self._renaming.at
        return self._renaming.successor if renamed and self._renaming else entity_id

    def _table(self, day: Day, rows: list[Row], readings: Readings) -> pa.Table:
        names = {thing.entity_id: position for position, thing in enumerate(self._meters)}
        meter = readings.meter
        if self._renaming:
            successor = names.setdefault(self._renaming.successor, len(names))
            moved = (meter == names[self._renaming.entity_id]) & (readings.time >= self._renaming.at)
            meter = np.where(moved, successor, meter)
        entity = _Words(names)
        spoken, codes = self._spoken(readings)
        state = _Words({word: code for code, word in enumerate(spoken)})
        causes, things, users, attributes = (_Words({}) for _ in range(4))
        physical, simulated = causes.code(CauseKind.PHYSICAL.value), np.zeros(len(rows) + meter.size, np.int32)
        time = skewed(self._plan, day, np.concatenate([_ints(row.time for row in rows), readings.time]))
        changed = self._changed_times(day, rows)
        order = np.argsort(time, kind="stable")
        none = np.full(meter.size, -1)

        def column(words: _Words, own: Iterable[str | None], rest: Ints) -> "pa.Array[Any]":
            return words.array(np.concatenate([_ints(words.code(word) for word in own), rest])[order])

        columns = [
            column(entity, (row.entity_id for row in rows), meter),
            pa.array(time[order], pa.int64()),
            _nullable(np.concatenate([changed, none])[order]),
            column(state, (row.state for row in rows), codes),
            column(causes, (row.cause.value for row in rows), np.full(meter.size, physical)),
            column(things, (row.entity for row in rows), none),
            column(users, (row.user for row in rows), none),
            pa.DictionaryArray.from_arrays(simulated, pa.array([Source.SIMULATED.value])),
            column(attributes, (row.attributes for row in rows), none),
            pa.nulls(order.size, EVENT_SCHEMA.field("registry").type),
        ]
        return pa.Table.from_arrays(columns, schema=EVENT_SCHEMA)

    def _changed_times(self, day: Day, rows: list[Row]) -> Ints:
        """Read the times of last changes from the clock of their own day; -1 where nothing is to be said."""
        changed = _ints(-1 if row.changed is None else row.changed for row in rows)
        for one in {Day.containing(int(time), day.zone) for time in changed if time >= 0}:
            within = (changed >= one.start) & (changed < one.end)
            changed[within] = skewed(self._plan, one, changed[within])
        return changed

    def _spoken(self, readings: Readings) -> tuple[list[str], Ints]:
        """Write every value as its meter does: the distinct texts, and which of them each reading is."""
        digits = np.array([max(0, int(np.ceil(-np.log10(thing.step)))) for thing in self._meters] or [0])
        step = np.array([thing.step for thing in self._meters] or [1.0])
        scale = np.rint(step[readings.meter] * 10.0 ** digits[readings.meter]).astype(np.int64)
        keys = (readings.value * scale << 3) | digits[readings.meter] if readings.meter.size else readings.value
        distinct, codes = np.unique(keys, return_inverse=True)
        return [f"{(key >> 3) / 10 ** (key & 7):.{key & 7}f}" for key in distinct.tolist()], codes


class _Words:
    """A dictionary of words that grows as they are met."""

    def __init__(self, known: dict[str, int]) -> None:
        self._codes = dict(known)

    def code(self, word: str | None) -> int:
        return -1 if word is None else self._codes.setdefault(word, len(self._codes))

    def array(self, codes: Ints) -> "pa.Array[Any]":
        indices = pa.array(codes.astype(np.int32), pa.int32(), mask=codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(list(self._codes), pa.string()))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _nullable(values: Ints) -> "pa.Array[Any]":
    return pa.array(values, pa.int64(), mask=values < 0)

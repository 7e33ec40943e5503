"""Kernel J at instants of the day: on how many days does something happen near an instant, and how many by chance.

All days lie on one line, so a habit around midnight is one habit. On the line of the clock a day is cut at
midnight, on those of the sun so that sunrise or sunset stands at 12:00 of each day.
"""

from functools import cached_property
from typing import Final, TypeVar

import msgspec
import numpy as np

from quotidian.detect.dayclass import best_class, best_class_of, searched, units_of
from quotidian.detect.dayrow import CELL_MINUTES, DAY_CELLS
from quotidian.detect.history import History, entities_of
from quotidian.detect.statistics import ONE, around, at_least, nearest
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES

REFERENCES: Final = ("clock", "sunrise", "sunset")
NOON: Final = 720  #: where the sun's event stands on its own line, in minutes
SUN_REACH: Final = 120  #: minutes before and after the sun's event in which it may be what people go by
SUN_WINDOW: Final = 30  #: who keeps to the sun by more than so many minutes does not keep to it
_MOVED: Final = 20  #: minutes by which the sun must have moved to be told from the clock
_LEAST_DAYS: Final = 3
_MOST_TIMES: Final = 4
_NEAR_CELLS: Final = 3  #: cells by which two windows' middles may differ and still tell of the same time
_DISTINCT: Final = 30  #: minutes that two times of one class of days lie apart at least

_NIGHT: Final = 180  #: minutes after midnight that people count to the day before

_Cells = TypeVar("_Cells", Ints, Bools)
_ByDay = TypeVar("_ByDay", Ints, Bools, Floats)


class Search(msgspec.Struct, frozen=True):
    """What is looked for: half-widths and jitter in minutes (multiples of 5), floors on share and lift, level.

    With ``kinds``, days may be told by the kinds that are the home's own.
    """

    windows: tuple[int, ...]
    jitter: int
    level: float
    least_share: float
    least_lift: float
    kinds: bool = True


class Mode(msgspec.Struct, frozen=True):
    """A time of day at which a token occurs more often than chance has it.

    ``cell`` is the grid instant (5 minutes each) on the line of ``reference``, ``window`` the half-width in minutes,
    ``days`` the class of days that describes it best; of ``observed`` days ``kept`` were hit, ``expected`` by chance.
    ``places`` are the days (positions in the history) that were hit, ``times`` the minute of each by the clock, which
    may lie beyond midnight: what is done at night belongs to the day before.
    """

    reference: str
    days: str
    cell: int
    window: int
    p_value: float
    kept: int
    observed: int
    expected: float
    places: Ints
    times: Floats


class _Line(msgspec.Struct, frozen=True):
    """One token's occurrences along a line of days: their minutes, sorted, and the running count of cells hit."""

    minutes: Ints
    hit: Ints


class _Exposure(msgspec.Struct, frozen=True):
    """At which instants a whole window was observed, shape (days, 288), ``None`` for always; their days by class."""

    seen: Bools | None
    days: Floats


class _Candidates(msgspec.Struct, frozen=True):
    """Instants that pass the floors and the level, in columns; ``reference`` and ``days`` are numbers."""

    reference: Ints
    window: Ints
    days: Ints
    cell: Ints
    p_value: Floats
    kept: Ints
    observed: Ints
    expected: Ints


def _reached(reference: str) -> slice:
    """Give the cells of a day at whose instants a line is tested: the sun's are those around its event."""
    reach = NOON if reference == "clock" else SUN_REACH
    return slice((NOON - reach) // CELL_MINUTES, min((NOON + reach) // CELL_MINUTES + 1, DAY_CELLS))


class DayLine:
    """The days of a history side by side, and the search for times of day on them."""

    def __init__(self, history: History, search: Search) -> None:
        self._history: Final = history
        self._search: Final = search
        self._exposures: Final[dict[tuple[int, str, int], _Exposure]] = {}
        self._pad: Final = (max(search.windows) + search.jitter) // CELL_MINUTES

    def modes(self, entity_id: str, rows: Ints) -> list[Mode]:
        """Find the times of day of some rows of the timeline, the most certain first, four at the most.

        The p-value is the smallest one, times all that was tried: windows, classes of days, references, and how many
        windows fit into a day.
        """
        if not self._worth_testing(entity_id, rows):
            return []
        found = [self._tested(name, entity_id, rows) for name in REFERENCES if name == "clock" or self.moved(name)]
        columns = [np.concatenate(column) for column in zip(*map(msgspec.structs.astuple, found), strict=True)]
        return self._chosen(_Candidates(*columns), entity_id, rows)

    def moved(self, event: str) -> bool:
        """Tell whether the sun rose or set every day, and moved enough for its times to be told from the clock's."""
        minutes = self._history.sun(event)
        return bool(minutes.min() >= 0 and np.ptp(minutes) >= _MOVED)

    def by(self, reference: str, places: Ints, times: Floats) -> Floats:
        """Turn minutes by the clock into minutes on another reference's line."""
        if reference == "clock":
            return times
        return np.asarray(times - self._history.sun(reference)[places] + NOON, np.float64)

    def _worth_testing(self, entity_id: str, rows: Ints) -> bool:
        """Look whether any class of days has any four hours that could reach the least share."""
        timeline = self._history.timeline
        hours = np.zeros((len(self._history.rows), 24), bool)
        hours[timeline.day[rows], np.clip(timeline.wall[rows] // 3600, 0, 23)] = True
        # Four hours hold every window of an hour either side, wherever the hours begin and the sun moves.
        wide = hours | np.roll(hours, -1, axis=1) | np.roll(hours, 1, axis=1) | np.roll(hours, 2, axis=1)
        most = self._summed(wide).max(axis=1)
        present = self._summed(self._history.present(entity_id)[:, None])[:, 0]
        return bool((most >= np.maximum(_LEAST_DAYS, 0.8 * self._search.least_share * present)).any())

    def _tested(self, reference: str, entity_id: str, rows: Ints) -> _Candidates:
        """Test every instant in every window and class of days on one reference's line."""
        search, line, near = self._search, self._line(reference, rows), _reached(reference)
        tested = [np.empty((6, 0), np.int64)]
        # What a window misses, a narrower one misses too: the widest first, until no share is large enough.
        for number, window in sorted(enumerate(search.windows), key=lambda pair: -pair[1]):
            if reference != "clock" and window > SUN_WINDOW:
                continue
            exposure = self._exposure(reference, entity_id, window)
            hit, days = self._within(line.hit, window) > 0, exposure.days[:, near]
            kept = self._by_class(self._by_day(hit)[:, near], exposure, near)
            likely = (kept >= _LEAST_DAYS) & (kept >= search.least_share * days)
            # What chance gives is worked out where it matters: at most instants too little happens for any class.
            some = np.flatnonzero(likely.any(axis=0))
            if not some.size:
                break
            copies = self._by_day(self._within(self._running(hit), search.jitter))[:, near.start + some]
            expected = np.zeros(kept.shape)
            expected[:, some] = self._by_class(self._chances[copies], exposure, near.start + some)
            likely &= kept * ONE >= search.least_lift * expected
            of, cell = np.nonzero(likely)
            counts = [part[likely].astype(np.int64) for part in (kept, days, expected)]
            tested.append(np.stack([np.full(of.size, number), of, near.start + cell, *counts]))
        window, of, cell, kept, days, expected = np.concatenate(tested, axis=1)
        # Every window of every class on every line has its part of the level.
        tried = len(search.windows) * DAY_MINUTES / (2 * np.array(search.windows)) / self._weights[reference]
        p = np.minimum(at_least(kept, days, expected) * tried[window] / searched().weights[of], 1.0)
        columns = np.full(p.size, REFERENCES.index(reference)), window, of, cell, p, kept, days, expected
        return _Candidates(*(column[p < search.level] for column in columns))

    def _chosen(self, candidates: _Candidates, entity_id: str, rows: Ints) -> list[Mode]:
        """Choose the most certain candidate, put aside all that tell of the same time, and choose again.

        The days that describe a candidate best may be those of an earlier one: it says nothing more.
        """
        told: list[Mode] = []
        columns = (candidates.cell, candidates.days, candidates.window, candidates.reference, candidates.p_value)
        order = np.lexsort(columns)
        open_ = np.ones(order.size, bool)
        for _ in range(_MOST_TIMES):
            if not open_.any():
                break
            surest = int(order[np.argmax(open_[order])])
            mode = self._mode(candidates, self._fullest(candidates, surest, open_), entity_id, rows)
            if not any(_mostly_in(mode, other) for other in told):
                told.append(mode)
            open_ &= ~self._same(candidates, mode, surest)
        return told

    def _fullest(self, candidates: _Candidates, surest: int, open_: Bools) -> int:
        """Give the candidate that tells the same with the most days beyond those of chance.

        The surest window is often so narrow that it misses days on which people were merely a little off.
        """
        near = open_ & (candidates.reference == candidates.reference[surest])
        near &= candidates.days == candidates.days[surest]
        near &= np.abs(around(candidates.cell - candidates.cell[surest], 0, DAY_CELLS)) <= _NEAR_CELLS
        beyond = np.where(near, candidates.kept - candidates.expected / ONE, -np.inf)
        return int(np.lexsort((candidates.p_value, -beyond))[0])

    def _same(self, candidates: _Candidates, mode: Mode, surest: int) -> Bools:
        """Tell which candidates can be hit by the occurrences of a mode, or are of the class in which it was found."""
        windows = np.array(self._search.windows)[candidates.window]
        middle = np.zeros(candidates.cell.size)
        reach = np.zeros(candidates.cell.size)
        for number, reference in enumerate(REFERENCES):
            of = candidates.reference == number
            if of.any():
                times = self.by(reference, mode.places, mode.times)
                middle[of], reach[of] = np.median(times), np.ptp(times) / 2
        apart = candidates.cell * CELL_MINUTES - middle
        near = np.abs(around(apart, 0)) <= np.maximum(2 * mode.window, _DISTINCT) + windows + reach
        # An hour past midnight may be told of either of two days.
        later = np.rint(-apart / DAY_MINUTES).astype(np.int64)
        days, overlap = self._history.classes[mode.days], np.zeros(near.size, bool)
        for shift in np.unique(later).tolist():
            of = later == shift
            overlap[of] = self._summed(self._moved(days, shift)[:, None])[candidates.days[of], 0] > 0
        return np.asarray(near & (overlap | (candidates.days == candidates.days[surest])))

    def _mode(self, candidates: _Candidates, place: int, entity_id: str, rows: Ints) -> Mode:
        reference = REFERENCES[int(candidates.reference[place])]
        window, cell = self._search.windows[int(candidates.window[place])], int(candidates.cell[place])
        line, seen = self._line(reference, rows), self._exposure(reference, entity_id, window).seen
        running = self._within(line.hit, window) > 0
        hit = self._by_day(running)[:, cell]
        could = np.ones(hit.size, bool) if seen is None else seen[:, cell]
        chance = self._chances[self._by_day(self._within(self._running(running), self._search.jitter))[:, cell]]
        centres = self._places * DAY_MINUTES + cell * CELL_MINUTES
        times = (nearest(line.minutes, centres) + cell * CELL_MINUTES).astype(np.float64)
        if reference != "clock":
            times += self._history.sun(reference) - NOON
        if reference == "clock" and np.median(times[hit]) < self._morning and self._evenings(hit):
            hit, could = self._moved(hit, -1), self._moved(could, -1)
            chance, times = self._moved(chance, -1), self._moved(times + DAY_MINUTES, -1)
        days = self._class(rows, int(np.median(times[hit])), hit, could)
        mask = could & self._history.classes[days]
        places = np.flatnonzero(mask & hit)
        return Mode(
            reference=reference,
            days=days,
            cell=cell,
            window=window,
            p_value=float(candidates.p_value[place]),
            kept=places.size,
            observed=int(mask.sum()),
            expected=float(chance[mask].sum()) / ONE,
            places=places,
            times=times[places],
        )

    def _class(self, rows: Ints, minute: int, hit: Bools, could: Bools) -> str:
        """Name the class of days that describes best when some rows come about a minute."""
        if not self._search.kinds:
            return best_class(self._history, hit, could)
        token = self._history.tokens[int(self._history.timeline.token[rows[0]])]
        return best_class_of(self._history, entities_of(self._history.members[token]), minute, hit, could)

    @cached_property
    def _morning(self) -> int:
        """Until which minute after midnight it is night: before anything that may be done at sunrise."""
        first = int(self._history.sun("sunrise").min())
        return _NIGHT if first < 0 else max(min(_NIGHT, first - SUN_REACH), 0)

    def _evenings(self, hit: Bools) -> bool:
        """Tell whether enough of the days before some days were observed, and lived, to tell of these."""
        return int((self._moved(hit, -1) & self._history.lived).sum()) >= _LEAST_DAYS

    def _moved(self, values: _ByDay, days: int) -> _ByDay:
        """Give to each day what belongs to the day so many days before it; nothing where that was not observed."""
        line = np.zeros(int(self._places[-1]) + 2 + 2 * abs(days), values.dtype)
        line[self._places + abs(days) + days] = values
        return line[self._places + abs(days)]

    # the line

    @cached_property
    def _weights(self) -> dict[str, float]:
        """How much of the level belongs to each line: half of it to the clock's, where the sun has lines at all."""
        suns = [name for name in REFERENCES[1:] if self.moved(name)]
        return {"clock": 0.5 if suns else 1.0, **dict.fromkeys(suns, 0.5 / max(len(suns), 1))}

    @cached_property
    def _by_unit(self) -> tuple[Ints, Ints, Floats]:
        """The lived days by unit, where each unit begins among them, and the classes' members among these units."""
        lived, units = np.flatnonzero(self._history.lived), units_of(self._history)
        order = lived[np.argsort(units[lived], kind="stable")]
        found, first = np.unique(units[order], return_index=True)
        return order, first, searched().members[:, found]

    def _summed(self, days: Ints | Bools | Floats) -> Floats:
        """Sum over the lived days of each class in which is searched: shape (classes, columns)."""
        order, first, members = self._by_unit
        if not order.size:
            return np.zeros((len(members), days.shape[1]))
        # By unit first: multiplying all days with all classes at once would wake the threads of the linear algebra.
        return np.asarray(members @ np.add.reduceat(days[order].astype(np.float64), first, axis=0))

    @cached_property
    def _places(self) -> Ints:
        """The line's day of each day of the history: an empty one stands before the first, and one behind the last."""
        return np.asarray(self._history.ordinals - self._history.ordinals[0] + 1)

    @cached_property
    def _size(self) -> int:
        return int(self._places[-1] + 2) * DAY_CELLS

    def _by_day(self, line: _Cells) -> _Cells:
        days = line.reshape(-1, DAY_CELLS)
        gapless = len(self._places) == len(days) - 2
        return days[1:-1] if gapless else days[self._places]

    def _by_class(self, days: _Cells, exposure: _Exposure, cells: slice | Ints) -> Floats:
        """Sum over the days of each class, where some cells of them were observed: shape (classes, cells)."""
        return self._summed(days if exposure.seen is None else days * exposure.seen[:, cells])

    def _line(self, reference: str, rows: Ints) -> _Line:
        timeline = self._history.timeline
        minutes = self._places[timeline.day[rows]] * DAY_MINUTES + timeline.wall[rows] // 60
        if reference != "clock":
            minutes = minutes - self._history.sun(reference)[timeline.day[rows]] + NOON
        minutes = np.sort(np.clip(minutes, 0, self._size * CELL_MINUTES - 1))
        return _Line(minutes, self._running(np.bincount(minutes // CELL_MINUTES, minlength=self._size) > 0))

    def _running(self, cells: Bools) -> Ints:
        """Count the cells before each cell's left edge, with as much around the line as any window reaches."""
        running = np.zeros(cells.size + 2 * self._pad + 1, np.int64)
        end = self._pad + 1 + cells.size
        np.cumsum(cells, out=running[self._pad + 1 : end])
        running[end:] = running[end - 1]
        return running

    def _within(self, running: Ints, minutes: int) -> Ints:
        """Count the cells within so many minutes either side of each left edge."""
        reach = minutes // CELL_MINUTES
        first = self._pad - reach
        behind = running[first + 2 * reach : first + 2 * reach + self._size]
        return np.asarray(behind - running[first : first + self._size])

    @cached_property
    def _chances(self) -> Ints:
        """The chance of an instant by how many of its jittered copies are hit, as floors of the complement."""
        copies = 2 * self._search.jitter // CELL_MINUTES
        return np.asarray(ONE - (ONE * (copies - np.arange(copies + 1))) // copies)

    def _exposure(self, reference: str, entity_id: str, window: int) -> _Exposure:
        """Give the exposure of an entity; those that were observed alike share it."""
        cells = self._history.cells(entity_id)
        key = id(cells), reference, window
        if key not in self._exposures:
            line = np.zeros((self._size // DAY_CELLS, DAY_CELLS), bool)
            line[self._places] = cells
            if reference != "clock":
                line = self._shifted(line, (self._history.sun(reference) - NOON) // CELL_MINUTES)
            seen = self._by_day(self._within(self._running(~line.reshape(-1)), window) == 0)
            self._exposures[key] = _Exposure(None if seen.all() else seen, self._summed(seen))
        return self._exposures[key]

    def _shifted(self, line: Bools, cells: Ints) -> Bools:
        """Move each day's observed cells back by so many cells along the line."""
        shift = np.zeros(line.shape[0], np.int64)
        shift[self._places] = cells
        seen = np.flatnonzero(line)
        moved = np.zeros(line.size, bool)
        moved[np.clip(seen - shift[seen // DAY_CELLS], 0, line.size - 1)] = True
        return moved


def _mostly_in(mode: Mode, other: Mode) -> bool:
    """Tell whether most occurrences of a mode are those of another one."""
    one, others = (part.places * DAY_MINUTES + part.times for part in (mode, other))
    return bool(2 * np.isin(one, others).sum() > one.size)

"""The days that a detector may look at, put side by side."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import holidays
import msgspec
import numpy as np

from quotidian.detect.absence import half_hours_of, quiet_days
from quotidian.detect.dayrow import DayRow, entity_of
from quotidian.detect.kinds import DayClasses, Kind
from quotidian.detect.together import TOGETHER_SECONDS, spoken_for
from quotidian.model import Home, Summary
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import wall_seconds

if TYPE_CHECKING:
    from quotidian.detect.edges import LongNights

_COUNTRY: Final = re.compile("[A-Z]{2}")

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Timeline(msgspec.Struct, frozen=True):
    """What people may have done on all days, in columns sorted by (instant, token).

    ``day`` is the position of the day in ``History.rows``, ``instant`` seconds since 1970-01-01 UTC, ``wall`` the wall
    second, ``token`` the position in ``History.tokens``.
    """

    day: Ints
    instant: Ints
    wall: Ints
    token: Ints


class History:
    """Days in order, each detector's summaries of them, and what follows from the rows alone.

    Parameters
    ----------
    rows
        The shared rows, one a day, ascending; days that were not observed (or that are excluded) are missing.
    home
        The home, for its calendar.
    summaries
        The daily summaries of each detector that keeps integers of its own, by detector.
    """

    def __init__(self, rows: Sequence[DayRow], home: Home, summaries: Mapping[str, Summary] | None = None) -> None:
        self.rows: Final = tuple(rows)
        self.home: Final = home
        self.summaries: Final = dict(summaries or {})
        # Not functools.cache: it would keep every history of a long run alive.
        self._present: Final[dict[str, Bools]] = {}
        self._cells: Final[dict[str, Bools]] = {}
        self._alike_cells: Final[dict[bytes, Bools]] = {}
        self._suns: Final[dict[str, Ints]] = {}

    @cached_property
    def ordinals(self) -> Ints:
        """The date ordinal of each day."""
        return np.array([row.ordinal for row in self.rows], np.int64)

    @property
    def last(self) -> dt.date:
        """The last day."""
        return dt.date.fromordinal(self.rows[-1].ordinal)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Every token that people may have caused on some day; of those that move together only the first."""
        return tuple(sorted(set(self._raw_tokens) - self._spoken_for.keys()))

    @cached_property
    def members(self) -> dict[str, tuple[str, ...]]:
        """The tokens that a token stands for: those that move together with it, and itself."""
        members = {token: [token] for token in self.tokens}
        for token, speaker in sorted(self._spoken_for.items()):
            members[speaker].append(token)
        return {token: tuple(sorted(group)) for token, group in members.items()}

    @cached_property
    def timeline(self) -> Timeline:
        """What people may have done; what moves together happens once."""
        raw = self._raw_timeline
        number = {token: place for place, token in enumerate(self.tokens)}
        spoken = np.array([number[self._spoken_for.get(token, token)] for token in self._raw_tokens], np.int64)
        token = spoken[raw.token]
        order = np.lexsort((raw.instant, token))
        again = np.zeros(order.size, bool)
        again[1:] = (np.diff(token[order]) == 0) & (np.diff(raw.instant[order]) <= TOGETHER_SECONDS)
        grouped = np.bincount(spoken, minlength=len(self.tokens))[token[order]] > 1
        kept = order[~(again & grouped)]
        kept = kept[np.lexsort((token[kept], raw.instant[kept]))]
        del self._raw_timeline  # it is not needed any more
        return Timeline(raw.day[kept], raw.instant[kept], raw.wall[kept], token[kept])

    @cached_property
    def occurrences(self) -> dict[str, Ints]:
        """The rows of the timeline at which each token occurs."""
        order = np.argsort(self.timeline.token, kind="stable")
        bounds = np.searchsorted(self.timeline.token[order], np.arange(len(self.tokens) + 1))
        return {token: order[bounds[place] : bounds[place + 1]] for place, token in enumerate(self.tokens)}

    @cached_property
    def calendar(self) -> dict[str, Bools]:
        """The days of the calendar by name, each a mask over the days: all, weekdays and weekends, the seven weekdays.

        A public holiday of the home's country counts as weekend.
        """
        weekday = (self.ordinals + 6) % 7
        free = (weekday >= 5) | self.holidays
        single = {name: weekday == number for number, name in enumerate(WEEKDAYS)}
        return {"all": np.ones(weekday.size, bool), "weekdays": ~free, "weekends": free, **single}

    @cached_property
    def lived(self) -> Bools:
        """Whether somebody lived in the home, by day: not on days on which almost nothing happened (see ``absence``).

        A habit was neither kept nor broken on a day of absence, so such a day is no evidence.
        """
        return ~quiet_days(self.rows, self.half_hours, (self.calendar["weekdays"], self.calendar["weekends"]))

    @cached_property
    def half_hours(self) -> Ints:
        """How often people may have changed something, by half hour of the wall clock: shape (days, 48)."""
        return half_hours_of(self.rows)

    @cached_property
    def classes(self) -> DayClasses:
        """The classes of days in which habits are looked for: those of the calendar, less the days of absence.

        Behind them come the kinds of days and the long nights that are this home's own, by their names.
        """
        masks = {name: mask & self.lived for name, mask in self.calendar.items()}
        return DayClasses(masks, self.half_hours, self.ordinals, self._late)

    @cached_property
    def long_nights(self) -> "LongNights | None":
        """The long nights before free days, if they are more than chance."""
        from quotidian.detect.edges import long_nights  # noqa: PLC0415 - it reads histories

        return long_nights(self)

    def _late(self) -> Bools:
        return np.zeros(len(self.rows), bool) if self.long_nights is None else self.long_nights.nights

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of days that are this home's own."""
        return self.classes.kinds

    def without(self, days: Bools) -> "History":
        """Give the history as if some days, shape (days,), had not been observed, such as those of a class."""
        out = frozenset(self.ordinals[days].tolist())
        summaries = {name: summary.without(out) for name, summary in self.summaries.items()}
        return History([row for row in self.rows if row.ordinal not in out], self.home, summaries)

    @cached_property
    def holidays(self) -> Bools:
        """Which days are public holidays where the home is."""
        return holidays_among([dt.date.fromordinal(row.ordinal) for row in self.rows], self.home.country)

    def present(self, entity_id: str) -> Bools:
        """Tell on which days an entity was observed at all."""
        if entity_id not in self._present:
            self._present[entity_id] = np.array([entity_id in row.present for row in self.rows], bool)
        return self._present[entity_id]

    def cells(self, entity_id: str) -> Bools:
        """Tell which 5-minute cells of the wall clock an entity was observed through: shape (days, 288).

        Entities that were observed alike share one array.
        """
        if entity_id not in self._cells:
            cells = np.stack([row.observed(entity_id) for row in self.rows])
            self._cells[entity_id] = self._alike_cells.setdefault(np.packbits(cells).tobytes(), cells)
        return self._cells[entity_id]

    def sun(self, event: str) -> Ints:
        """Give the wall minute of each day's ``sunrise`` or ``sunset``, -1 where there is none."""
        if event not in self._suns:
            self._suns[event] = np.array([_sun_minute(row, event) for row in self.rows], np.int64)
        return self._suns[event]

    @cached_property
    def _raw_tokens(self) -> tuple[str, ...]:
        learned = ((row.tokens, np.unique(row.token[row.learned]).tolist()) for row in self.rows)
        return tuple(sorted({tokens[place] for tokens, places in learned for place in places}))

    @cached_property
    def _raw_timeline(self) -> Timeline:
        number = {token: place for place, token in enumerate(self._raw_tokens)}
        parts = []
        for place, row in enumerate(self.rows):
            learned = row.learned
            numbers = np.array([number.get(token, -1) for token in row.tokens], np.int64)
            token = numbers[row.token[learned]] if numbers.size else np.empty(0, np.int64)
            seconds = row.second[learned]
            parts.append((np.full(seconds.size, place), row.start + seconds, row.wall[learned], token))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.empty(0, np.int64)] * 4
        order = np.lexsort((columns[3], columns[1]))
        return Timeline(*(column[order] for column in columns))

    @cached_property
    def _spoken_for(self) -> dict[str, str]:
        """The token that speaks for each of those that move together with it."""
        return spoken_for(self._raw_tokens, self._raw_timeline.instant, self._raw_timeline.token)


def _sun_minute(row: DayRow, event: str) -> int:
    second = row.sun(event)
    return -1 if second is None else int(wall_seconds(row.clock, np.array([second]))[0]) // 60


def holidays_among(dates: Sequence[dt.date], country: str | None) -> Bools:
    """Tell which of some dates, in order, are public holidays of a country (ISO 3166 alpha-2); none where unknown."""
    if not dates or country is None or not _COUNTRY.fullmatch(country):
        return np.zeros(len(dates), bool)
    try:
        # Asking for the list of countries first would load the calendars of all of them.
        calendar = holidays.country_holidays(country, years=range(dates[0].year, dates[-1].year + 1))
    except NotImplementedError:
        return np.zeros(len(dates), bool)
    return np.array([date in calendar for date in dates], bool)


def entities_of(tokens: Sequence[str]) -> tuple[str, ...]:
    """Give the entities of some tokens, each once, in order."""
    return tuple(dict.fromkeys(entity_of(token) for token in tokens))

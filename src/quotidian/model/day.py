"""A local day: from midnight to midnight where the home stands, 23 to 25 hours long."""

import datetime as dt
import itertools
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from quotidian.model.arrays import Ints

SECOND = 1_000_000  #: µs
DAY_SECONDS = 86_400
DAY_MINUTES = 1_440
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def instant(moment: dt.datetime) -> int:
    """Give an aware datetime in µs since 1970-01-01 UTC, exactly."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def moment(instant: int, zone: str = "UTC") -> dt.datetime:
    """Give an instant (µs) as an aware datetime on the zone's clock."""
    return (_EPOCH + dt.timedelta(microseconds=instant)).astimezone(ZoneInfo(zone))


class Day(msgspec.Struct, frozen=True, order=True):
    """One local day of a zone.

    ``start`` and ``end`` are µs since 1970-01-01 UTC, the end being the next day's start.
    *Elapsed* seconds count from ``start``; *wall* seconds are what a clock on the wall shows,
    counted from 00:00, so that across a change of the clocks the two differ.
    """

    date: dt.date
    zone: str
    start: int
    end: int

    @classmethod
    def of(cls, date: dt.date, zone: str) -> Self:
        """Give the local day of a date."""
        return cls(date, zone, _midnight(date, zone), _midnight(date + dt.timedelta(days=1), zone))

    @classmethod
    def containing(cls, instant: int, zone: str) -> Self:
        """Give the local day in which an instant (µs) lies."""
        day = cls.of(moment(instant, zone).date(), zone)
        if instant < day.start:
            return day.shifted(-1)
        return day.shifted(1) if instant >= day.end else day

    @classmethod
    def from_ordinal(cls, ordinal: int, zone: str) -> Self:
        """Give the local day of a proleptic Gregorian ordinal."""
        return cls.of(dt.date.fromordinal(ordinal), zone)

    def shifted(self, days: int) -> Self:
        """Give the day so many days later."""
        return self.of(self.date + dt.timedelta(days=days), self.zone)

    @property
    def ordinal(self) -> int:
        """The date as a proleptic Gregorian ordinal: the key of everything that is kept by day."""
        return self.date.toordinal()

    @property
    def seconds(self) -> int:
        """The length: 86,400 on all but two days a year."""
        return (self.end - self.start) // SECOND

    @property
    def clock(self) -> tuple[tuple[int, int], ...]:
        """How to read the wall clock: pairs (elapsed second from which it holds, wall minus elapsed seconds)."""
        return _clock(self.start, self.end, self.date, self.zone)

    def wall(self, elapsed: Ints) -> Ints:
        """Give the wall seconds at elapsed seconds; these may also lie a little before or after the day."""
        return wall_seconds(self.clock, elapsed)


def wall_seconds(clock: tuple[tuple[int, int], ...], elapsed: Ints) -> Ints:
    """Read a day's clock (see ``Day.clock``) at elapsed seconds."""
    shifts = np.array([shift for _, shift in clock], np.int64)
    since = np.array([start for start, _ in clock], np.int64)
    return elapsed + shifts[np.maximum(np.searchsorted(since, elapsed, "right") - 1, 0)]


def shown_minutes(clock: tuple[tuple[int, int], ...], seconds: int) -> NDArray[np.bool_]:
    """Tell for each of the 1,440 wall minutes whether the clock showed it during a day of so many elapsed seconds."""
    shown = np.zeros(DAY_MINUTES, bool)
    ends = [start for start, _ in clock[1:]] + [seconds]
    for (start, shift), end in zip(clock, ends, strict=True):
        first, last = (max(start, 0) + shift) // 60, (end + shift) // 60
        shown[max(first, 0) : min(last, DAY_MINUTES)] = True
    return shown


@lru_cache(maxsize=4096)
def _midnight(date: dt.date, zone: str) -> int:
    # A midnight that the clocks skip is read with the offset before the change: the change itself.
    return instant(dt.datetime.combine(date, dt.time(), ZoneInfo(zone)))


@lru_cache(maxsize=4096)
def _clock(start: int, end: int, date: dt.date, zone: str) -> tuple[tuple[int, int], ...]:
    wall_zero = (date - _EPOCH.date()).days * DAY_SECONDS

    def shift(second: int) -> int:
        local = moment(start + second * SECOND, zone).replace(tzinfo=dt.UTC)
        return instant(local) // SECOND - wall_zero - second

    found = [(0, shift(0))]
    hours = range(0, (end - start) // SECOND + 1, 3600)
    for low, high in itertools.pairwise(hours):
        if shift(low) == shift(high):
            continue
        before, after = low, high
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if shift(middle) == shift(low) else (before, middle)
        found.append((after, shift(after)))
    return tuple(found)

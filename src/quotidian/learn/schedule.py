"""When the learning is to run: times as cron writes them, on the clock of the home."""

import datetime as dt
import itertools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from quotidian.errors import SettingError
from quotidian.model import Day, JobKind
from quotidian.model.day import SECOND, moment
from quotidian.settings import Settings

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

#: The setting of each kind that runs by itself, in the order in which they run.
SCHEDULED: Final = MappingProxyType(
    {
        JobKind.DAILY: "ANALYSIS_SCHEDULE",
        JobKind.WEEKLY: "WEEKLY_ANALYSIS_SCHEDULE",
        JobKind.MONTHLY: "MONTHLY_ANALYSIS_SCHEDULE",
    }
)
_WRITTEN: Final = (
    'Write it as cron does, "minute hour day month weekday": "0 3 * * *" is every night at three, "30 4 * * 0" Sundays '
    "at half past four."
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM: Final = re.compile(r"(?:(?P<all>\*)|(?P<first>[0-9a-z]+)(?:-(?P<last>[0-9a-z]+))?)(?:/(?P<step>[0-9]+))?")
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Cron:
    """Times that come again and again.

    Five fields: minute, hour, day of the month, month (also ``jan``), weekday (also ``sun``; 0 and 7 are Sunday). Each
    is ``*``, a number, a range, any of these in steps (``*/2``), or several of them parted by commas. Where both the
    day and the weekday are told, either of them is enough.

    Examples
    --------
    >>> from quotidian.model.day import instant, moment
    >>> sunday = Cron("0 3 * * 7").after(instant(dt.datetime(2026, 11, 21, tzinfo=dt.UTC)), "Europe/Berlin")
    >>> f"{moment(sunday, 'Europe/Berlin'):%A %H:%M}"
    'Sunday 03:00'

    Raises
    ------
    ValueError
        When it is not written like that, or never comes.
    """

    def __init__(self, text: str) -> None:
        fields = text.lower().split()
        if len(fields) != 5:
            raise ValueError("five fields are needed")
        minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
        days, months = _numbers(fields[2], 1, 31), _numbers(fields[3], 1, 12, _MONTHS)
        weekdays = [_from_monday(number) for number in _numbers(fields[4], 0, 7, _WEEKDAYS)]
        if _either(fields):
            chosen = [(days, None), (None, weekdays)]
        elif min(days) > max(_LONGEST[month - 1] for month in months):
            raise ValueError("none of these months is that long")
        else:
            chosen = [(days, weekdays)]
        self._triggers = [_trigger(minutes, hours, one, months, other) for one, other in chosen]

    def after(self, instant: int, zone: str) -> int:
        """Give the first time (µs) that lies behind an instant, on the clock of a zone.

        A time that the clocks skip comes when they have been set, and one that they show twice comes once.
        """
        wall = moment(instant, zone).replace(tzinfo=None)
        while True:
            wall = self._next(wall)
            found = _shown(wall, zone)
            if found > instant:
                return found

    def _next(self, wall: dt.datetime) -> dt.datetime:
        """Give the next time on a clock that is never set."""
        start = (wall.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)).replace(tzinfo=dt.UTC)
        found: list[dt.datetime] = [trigger.get_next_fire_time(None, start) for trigger in self._triggers]
        return min(found).replace(tzinfo=None)


def crons(settings: Settings) -> Mapping[JobKind, Cron]:
    """Give the times of each kind that runs by itself.

    Raises
    ------
    SettingError
        When one cannot be used.
    """
    return {kind: cron(settings, name) for kind, name in SCHEDULED.items()}


def cron(settings: Settings, name: str) -> Cron:
    """Give the times that a setting tells.

    Raises
    ------
    SettingError
        When it cannot be used.
    """
    try:
        return Cron(settings.text(name))
    except ValueError as error:
        raise SettingError(f"{name} is {settings.text(name)!r}: {error}.", _WRITTEN) from error


def _trigger(
    minutes: list[int], hours: list[int], days: list[int] | None, months: list[int], weekdays: list[int] | None
) -> "CronTrigger":
    # Loaded when it is needed: commands that only look do without it.
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415

    # On a clock that is never set: what becomes of a time on the home's clock is for ``_shown`` to say.
    return CronTrigger(
        minute=_listed(minutes),
        hour=_listed(hours),
        day=_listed(days),
        month=_listed(months),
        day_of_week=_listed(weekdays),
        second="0",
        timezone=dt.UTC,
    )


def _listed(numbers: list[int] | None) -> str:
    return "*" if numbers is None else ",".join(map(str, numbers))


def _either(fields: list[str]) -> bool:
    """Tell whether the day or the weekday is enough, as cron has it: where neither field begins with a star."""
    return not fields[2].startswith("*") and not fields[4].startswith("*")


def _from_monday(weekday: int) -> int:
    """Count a weekday from Monday, as the library does, and not from Sunday, as cron does.

    >>> [_from_monday(weekday) for weekday in (0, 1, 6, 7)]
    [6, 0, 5, 6]
    """
    return (weekday - 1) % 7


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> list[int]:
    """Give the numbers that a field stands for.

    >>> _numbers("*/20,5-7", 0, 59), _numbers("fri-sun", 0, 7, _WEEKDAYS)
    ([0, 5, 6, 7, 20, 40], [5, 6, 7])
    """
    found: set[int] = set()
    for item in field.split(","):
        parts = _ITEM.fullmatch(item)
        if parts is None:
            raise ValueError(f"{item[:20]!r} means nothing here")
        first, last = _span(parts, low, high, names)
        step = int(parts["step"] or 1)
        if not (low <= first <= last <= high and step):
            raise ValueError(f"{item[:20]!r} is not within {low} to {high}")
        found.update(range(first, last + 1, step))
    return sorted(found)


def _span(parts: re.Match[str], low: int, high: int, names: tuple[str, ...]) -> tuple[int, int]:
    if parts["all"]:
        # A week has seven days, though Sunday has two numbers.
        return low, 6 if names is _WEEKDAYS else high
    first = _number(parts["first"], low, names)
    if parts["last"] is None:
        return first, high if parts["step"] else first
    last = _number(parts["last"], low, names)
    return first, high if names is _WEEKDAYS and first > last == 0 else last


def _number(word: str, low: int, names: tuple[str, ...]) -> int:
    if word.isdecimal():
        return int(word)
    if word not in names:
        raise ValueError(f"{word[:20]!r} means nothing here")
    return names.index(word) + (low if names is _MONTHS else 0)


def _shown(wall: dt.datetime, zone: str) -> int:
    """Give the instant (µs) at which a zone's clocks first show a time, or a later one where they skip it."""
    day = Day.of(wall.date(), zone)
    seconds = wall.hour * 3600 + wall.minute * 60
    for (start, shift), (end, _) in itertools.pairwise([*day.clock, (day.seconds, 0)]):
        elapsed = max(start, seconds - shift)
        if elapsed < end:
            return day.start + elapsed * SECOND
    return day.end

"""How long things are kept: what is old enough to be dropped, and how short learning allows it to be."""

import datetime as dt
from typing import Final, Literal, NamedTuple

import msgspec

from quotidian import clock
from quotidian.errors import SettingError
from quotidian.model.day import moment
from quotidian.settings import Settings
from quotidian.store.protocols import Period

Layer = Literal["RAW", "DAILY", "WEEKLY"]

#: Days for which the account of deliveries (tallies, numbers, holes, gaps) is kept at least: a year can be told of.
ACCOUNTS: Final = 366


class _Needed(NamedTuple):
    """How many days of something learning cannot do without, and why."""

    days: int
    because: str


#: See "How short it may be" in docs/storage.md.
_NEEDED: Final[dict[Layer, _Needed]] = {
    "RAW": _Needed(3, "A day is folded the night after, and again while late events of it come, for 48 hours."),
    "DAILY": _Needed(
        35, "A month is united from the daily summaries of its 31 days once it is over, also after a missed night."
    ),
    "WEEKLY": _Needed(35, "Weeks that are dropped before their days would be made again every night."),
}
#: How far the detectors look back on each layer, and what they do without more.
_LOOK_BACK: Final[dict[Layer, tuple[int, str]]] = {
    "DAILY": (90, "the daily detectors look back on 90 days, and find habits later with fewer"),
    "WEEKLY": (364, "the weekly and monthly detectors look back on 364 days, and cannot tell a season with fewer"),
}


class Retention(msgspec.Struct, frozen=True):
    """Days for which raw events, daily and weekly summaries are kept."""

    raw: int
    daily: int
    weekly: int

    @classmethod
    def of(cls, settings: Settings) -> "Retention":
        """Read the settings.

        Raises
        ------
        SettingError
            When one is no number of days.
        """
        return cls(*(settings.days(_setting(layer)) for layer in _NEEDED))


class Cutoffs(msgspec.Struct, frozen=True):
    """The first dates that are kept: of raw events, daily summaries, weekly ones, and of the account of deliveries.

    InfluxDB drops by itself: of what lies there alone nothing is left of days before ``elsewhere``.
    """

    raw: dt.date
    daily: dt.date
    weekly: dt.date
    accounts: dt.date
    elsewhere: dt.date

    @classmethod
    def of(cls, today: dt.date, settings: Settings) -> "Cutoffs":
        """Read the settings."""
        kept = Retention.of(settings)

        def first(date: dt.date, age: int) -> dt.date:
            return dt.date.fromordinal(max(1, date.toordinal() - age))

        return cls(
            raw=first(today, kept.raw),
            daily=first(today, kept.daily),
            weekly=first(today, kept.weekly),
            accounts=first(today, max(kept.raw, ACCOUNTS)),
            elsewhere=first(moment(clock.now(), "UTC").date(), settings.days("INFLUXDB_RETENTION_RAW")),
        )


def _setting(layer: Layer) -> str:
    return f"QUOTIDIAN_RETENTION_{layer}"


def refuse_short(settings: Settings) -> None:
    """Refuse to keep things for less than learning needs.

    Raises
    ------
    SettingError
        When one is kept for less, or is no number of days.
    """
    for layer, (least, because) in _NEEDED.items():
        name = _setting(layer)
        if settings.days(name) < least:
            raise SettingError(
                f"{name} is {settings.text(name)!r}, and learning needs {least} days. {because}",
                f"Set it to {least} or more.",
            )
    daily, weekly = _setting("DAILY"), _setting("WEEKLY")
    if settings.days(weekly) < settings.days(daily):
        raise SettingError(
            f"{weekly} is {settings.text(weekly)!r}, less than {daily}. {_NEEDED['WEEKLY'].because}",
            f"Set it to {settings.days(daily)} or more.",
        )


def losses(settings: Settings) -> list[str]:
    """Say, a sentence each, what is lost by keeping things for less than the detectors look back on."""
    found = []
    for layer, (days, lost) in _LOOK_BACK.items():
        name = _setting(layer)
        if settings.days(name) < days:
            found.append(f"{name} is {settings.text(name)!r}: {lost}.")
    return found


def period_start(period: Period, date: dt.date) -> dt.date:
    """Give the Sunday on which a date's week starts, or the first of its month."""
    return date - dt.timedelta(days=date.isoweekday() % 7) if period == "weekly" else date.replace(day=1)


def period_end(period: Period, start: dt.date) -> dt.date:
    """Give the first date after the week or month that starts on a date."""
    if period == "weekly":
        return start + dt.timedelta(days=7)
    return (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)

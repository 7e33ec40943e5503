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
_EMBEDDED: Final[dict[Layer, _Needed]] = {
    "RAW": _Needed(3, "A day is folded the night after, and again while late events of it come, for 48 hours."),
    "DAILY": _Needed(
        35, "A month is united from the daily summaries of its 31 days once it is over, also after a missed night."
    ),
    "WEEKLY": _Needed(35, "Weeks that are dropped before their days would be made again every night."),
}
#: InfluxDB counts from each instant, and drops by itself: the night's run must be over by then.
_INFLUX: Final[dict[Layer, _Needed]] = _EMBEDDED | {
    "RAW": _Needed(4, "A day is folded the night after, and again while late events of it come, for 48 hours.")
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
        """Read the settings of the kind of store.

        Raises
        ------
        SettingError
            When one is no number of days.
        """
        return cls(*(settings.days(setting(layer, settings)) for layer in _EMBEDDED))


class Cutoffs(msgspec.Struct, frozen=True):
    """The first dates that are kept: of raw events, daily summaries, weekly ones, and of the account of deliveries.

    InfluxDB does not wait for retention: of what lies there nothing is left of days before ``elsewhere``.
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
            elsewhere=first(moment(clock.now(), "UTC").date(), kept.raw) if _in_influx(settings) else dt.date.min,
        )


def setting(layer: Layer, settings: Settings) -> str:
    """Name the setting that says how long a layer is kept in the kind of store that is set."""
    return f"{'INFLUXDB' if _in_influx(settings) else 'QUOTIDIAN'}_RETENTION_{layer}"


def _in_influx(settings: Settings) -> bool:
    return settings.text("QUOTIDIAN_STORE") == "influx"


def refuse_short(settings: Settings) -> None:
    """Refuse to keep things for less than learning needs.

    Raises
    ------
    SettingError
        When one is kept for less, or is no number of days.
    """
    needed = _INFLUX if _in_influx(settings) else _EMBEDDED
    for layer, (least, because) in needed.items():
        name = setting(layer, settings)
        if settings.days(name) < least:
            raise SettingError(
                f"{name} is {settings.text(name)!r}, and learning needs {least} days. {because}",
                f"Set it to {least} or more.",
            )
    daily, weekly = setting("DAILY", settings), setting("WEEKLY", settings)
    if settings.days(weekly) < settings.days(daily):
        raise SettingError(
            f"{weekly} is {settings.text(weekly)!r}, less than {daily}. {needed['WEEKLY'].because}",
            f"Set it to {settings.days(daily)} or more.",
        )


def losses(settings: Settings) -> list[str]:
    """Say, a sentence each, what is lost by keeping things for less than the detectors look back on."""
    found = []
    for layer, (days, lost) in _LOOK_BACK.items():
        name = setting(layer, settings)
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

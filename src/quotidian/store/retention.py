"""What is old enough to be dropped, the same for every store."""

import datetime as dt

import msgspec

from quotidian.settings import Settings
from quotidian.store.protocols import Period


class Cutoffs(msgspec.Struct, frozen=True):
    """The first dates that are kept: of raw events, of daily summaries, of weekly and monthly ones."""

    raw: dt.date
    daily: dt.date
    weekly: dt.date

    @classmethod
    def of(cls, today: dt.date, settings: Settings) -> "Cutoffs":
        """Read the settings."""

        def kept(name: str) -> dt.date:
            return dt.date.fromordinal(max(1, today.toordinal() - settings.days(name)))

        return cls(
            kept("QUOTIDIAN_RETENTION_RAW"), kept("QUOTIDIAN_RETENTION_DAILY"), kept("QUOTIDIAN_RETENTION_WEEKLY")
        )


def period_end(period: Period, start: dt.date) -> dt.date:
    """Give the first date after the week or month that starts on a date."""
    if period == "weekly":
        return start + dt.timedelta(days=7)
    return (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)

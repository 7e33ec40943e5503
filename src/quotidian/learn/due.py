"""What is due: which times have come, and which days, weeks and months wait to be learned from."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from quotidian.learn.schedule import Cron
from quotidian.model import Day, Job, JobState
from quotidian.model.day import SECOND

SETTLED: Final = 300 * SECOND  #: what happened while nobody listened is fetched before it is learned from
FIRST: Final = 3_600 * SECOND  #: and so is a home's whole history, before the very first time
_PAUSE: Final = 300 * SECOND  #: after a failure; twice as long after each that follows
_LONGEST: Final = 6 * 3_600 * SECOND
_FAILED: Final = (JobState.FAILED, JobState.INTERRUPTED)


class Waiting(msgspec.Struct, frozen=True):
    """What waits: how many days, the first and the last of them, and the last days of the newest week and month."""

    days: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    week: dt.date | None = None
    month: dt.date | None = None


class Standing(msgspec.Struct, frozen=True):
    """How one kind stands: since when it is (or will be) due, when it is run, until when it rests (all µs)."""

    due: int
    at: int
    rests: int = 0


class _Record(msgspec.Struct, frozen=True):
    date: dt.date
    revision: int
    folded: int | None
    expired: bool = False


class _Looked(msgspec.Struct, frozen=True):
    weekly: dt.date | None = None
    monthly: dt.date | None = None


def waiting(ledger: Sequence[Mapping[str, Any]], nights: Mapping[str, Any], now: int, zone: str) -> Waiting:
    """Tell what waits, by the store's books.

    Parameters
    ----------
    ledger
        The lines of the day ledger, oldest first.
    nights
        The last day that each cadence has looked at.
    now, zone
        The present instant in µs, and where the home is.
    """
    records = msgspec.convert(ledger, list[_Record])
    looked = msgspec.convert(nights, _Looked)
    today = Day.containing(now, zone).date
    # The last day of all may have been cut short, and waits for the rest of its events.
    days = [one.date for one in records[:-1] if one.date < today and one.revision != one.folded and not one.expired]
    folded = [one.date for one in records if one.folded is not None]
    saturday = today - dt.timedelta(days=today.isoweekday() % 7 + 1)
    ultimo = today - dt.timedelta(days=today.day)
    return Waiting(
        len(days),
        min(days, default=None),
        max(days, default=None),
        saturday if _unseen(folded, looked.weekly, saturday) else None,
        ultimo if _unseen(folded, looked.monthly, ultimo) else None,
    )


def _unseen(folded: Sequence[dt.date], after: dt.date | None, last: dt.date) -> bool:
    return any((after or dt.date.min) < date <= last for date in folded)


def standing(cron: Cron, runs: Sequence[Job], now: int, zone: str, began: int) -> Standing:
    """Tell how a kind stands.

    It is due when a time of its schedule has come since it was last done; so a time that was missed is caught up, once,
    and a clock that is set makes nothing run twice or not at all. Runs of the future, from before a clock was set back,
    are not known yet: the worst that can come of that is a run that finds nothing to do.

    Parameters
    ----------
    cron
        Its times.
    runs
        Its newest jobs.
    now, zone
        The present instant in µs, and where the home is.
    began
        The instant at which the service began; failures before count no more.
    """
    known = [job for job in runs if job.asked <= now]
    done = max((job.asked for job in known if job.state is JobState.DONE), default=None)
    due = began + FIRST if done is None else cron.after(done, zone)
    failed = [job for job in known if job.state in _FAILED and job.asked >= max(done or 0, began)]
    rests = 0
    if failed:
        newest = max(job.ended or job.asked for job in failed)
        rests = newest + min(_PAUSE * 2 ** (len(failed) - 1), _LONGEST)
    return Standing(due, max(due, rests, began + SETTLED if due <= began else 0), rests)

"""What a run did, a sentence each: the same for logs, for jobs and for people."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from quotidian.learn.fold import Folded
from quotidian.learn.night import Learned
from quotidian.model import JobKind, Pattern, Status
from quotidian.model.pattern import once
from quotidian.store import DayRecord
from quotidian.store.protocols import Nights

_ONE: Final = {"night": "the night after", "week": "the week up to", "month": "the month up to"}


class Before(msgspec.Struct, frozen=True):
    """What there was before a run: how far each cadence had looked, the patterns, and the day ledger."""

    nights: Nights
    patterns: tuple[Pattern, ...]
    days: tuple[DayRecord, ...]

    def completed(self, learned: Learned, days: Sequence[DayRecord]) -> Learned:
        """Add the days that a run folded before its store went away; ``days`` is the ledger after it."""
        before, told = {one.date: one.folded for one in self.days}, set(learned.folded.days)
        more = [one for one in days if one.date not in told and one.folded not in (None, before.get(one.date))]
        folded = Folded(tuple(one.date for one in more), sum(one.events for one in more))
        return msgspec.structs.replace(learned, folded=folded + learned.folded)

    def looks(self, learned: Learned) -> dict[str, tuple[dt.date, ...]]:
        """Give the last days of what a run looked at for the first time: nights, weeks and months.

        Where nothing is new, the last night is looked at once more; that counts when something else was found.
        """
        found = (
            ("night", learned.nights, self.nights.daily),
            ("week", learned.weeks, self.nights.weekly),
            ("month", learned.months, self.nights.monthly),
        )
        again = learned.patterns != self.patterns
        return {
            noun: tuple(date for date in dates if again or reached is None or date > reached)
            for noun, dates, reached in found
        }


def tidings(
    kind: JobKind, before: Before, learned: Learned, newest: dt.date | None, *, detecting: int, seconds: float
) -> tuple[str, ...]:
    """Tell what a run did.

    Parameters
    ----------
    kind
        What it was.
    before
        What there was before.
    learned
        What came of it.
    newest
        The newest day that is folded, if there is one.
    detecting
        How many detectors there are.
    seconds
        How long it took.
    """
    told = [*_folded(learned, detecting, seconds), *_looked(before, learned), *_kept(learned), *learned.folded.damaged]
    return tuple(told) or (_nothing(kind, newest),)


def _folded(learned: Learned, detecting: int, seconds: float) -> list[str]:
    days = sorted(learned.folded.days)
    if not days:
        return []
    span = str(days[0]) if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
    return [f"folded {span}: {learned.folded.events:,} events, {detecting} detectors, {seconds:.1f} s"]


def _looked(before: Before, learned: Learned) -> list[str]:
    habits = sum(one.status is Status.ACTIVE for one in once(learned.patterns))
    looks = before.looks(learned).items()
    return [f"looked at {_dates(noun, dates)}: {habits:,} habits" for noun, dates in looks if dates]


def _dates(noun: str, dates: Sequence[dt.date]) -> str:
    if len(dates) == 1:
        return f"{_ONE[noun]} {dates[0]}"
    return f"{len(dates)} {noun}s, the last up to {dates[-1]}"


def _kept(learned: Learned) -> list[str]:
    told = [f"united {learned.periods} summaries of weeks and months"] if learned.periods else []
    dropped = learned.retained
    if dropped.raw_days or dropped.daily_days or dropped.weeks:
        told.append(
            f"dropped {dropped.raw_days} days of events, {dropped.daily_days} of daily summaries and {dropped.weeks} "
            "weekly ones, for their age"
        )
    return told


def _nothing(kind: JobKind, newest: dt.date | None) -> str:
    if newest is None:
        return "Nothing to do: no day is over yet."
    last = f"the newest day that was learned from is {newest}."
    if kind in (JobKind.WEEKLY, JobKind.MONTHLY):
        period = "week" if kind is JobKind.WEEKLY else "month"
        return f"Nothing to do: no {period} has ended since the last time; {last}"
    return f"Nothing to do: {last}"

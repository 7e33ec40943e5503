"""A run of the learning: what was asked, how far it is, and what became of it."""

import datetime as dt
from enum import StrEnum

import msgspec


class JobKind(StrEnum):
    """What a job does; each does what its kind has left to do, in order."""

    DAILY = "daily"  #: fold finished days, and look with the detectors that look every night
    WEEKLY = "weekly"  #: unite finished weeks, and look with the weekly detectors
    MONTHLY = "monthly"  #: unite finished months, and look with the monthly detectors
    BACKFILL = "backfill"  #: all three, for the last so many days


class JobState(StrEnum):
    """Where a job is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  #: its process ended without a word; what it had done is kept


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run. ``asked``, ``started`` and ``ended`` are instants in µs.

    ``stage`` ("fold", "review") with ``done`` of ``total`` is its progress. ``days`` were folded with ``events``,
    ``nights`` were reviewed; ``first`` and ``last`` are the first and the last day that was folded. ``memory`` is the
    peak of its process in bytes. ``error`` says why it failed, ``tidings`` what it did, a sentence each.
    """

    id: str
    kind: JobKind
    by: str
    asked: int
    state: JobState = JobState.WAITING
    started: int | None = None
    ended: int | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    days: int = 0
    events: int = 0
    nights: int = 0
    patterns: int = 0
    memory: int = 0
    error: str = ""
    tidings: tuple[str, ...] = ()

"""What a job is asked to do, and how it is told: words that the service, its children and the commands share."""

import datetime as dt
from typing import Final, Self
from uuid import uuid4

import msgspec

from quotidian import clock
from quotidian.model import Job, JobKind, JobState

#: Who may run is told by this name in the store.
HOLD: Final = "learn"
BACKFILL: Final = 30  #: days
MOST_DAYS: Final = 3_660  #: of a backfill
#: States behind which nothing comes.
ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.INTERRUPTED})


class Order(msgspec.Struct, frozen=True):
    """What is asked for: a kind; ``date`` does as if tonight followed that day, ``days`` is how far a backfill goes."""

    kind: JobKind
    date: dt.date | None = None
    days: int | None = None

    @classmethod
    def backfill(cls, days: int | None = None) -> Self:
        """Order the last so many days, by default those of a month."""
        return cls(JobKind.BACKFILL, days=BACKFILL if days is None else days)


class Given(msgspec.Struct, frozen=True):
    """An order as a child gets it: with its job as it waits, and with the store's address and secret."""

    order: Order
    job: Job
    url: str
    secret: str


def asked(order: Order, by: str) -> Job:
    """Make the job of an order."""
    return Job(id=uuid4().hex[:12], kind=order.kind, by=by, asked=clock.now())


def interrupted(job: Job, why: str) -> Job:
    """Give a job as its end is told when it cannot tell itself."""
    return msgspec.structs.replace(job, state=JobState.INTERRUPTED, ended=clock.now(), error=why)

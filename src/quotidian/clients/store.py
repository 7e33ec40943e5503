"""The store, as the other services speak to it."""

from typing import Any

import msgspec

from quotidian.clients.caller import Caller
from quotidian.model import Enriched, Event, Gap, Home, Job, JobKind, Pattern, Receipt, Snapshot

Rows = list[dict[str, Any]]


class EventPage(msgspec.Struct, frozen=True):
    """Events, and the cursor with which the next page is asked for; ``None`` when there is none.

    ``lost`` says of arrivals that some which came in between have to be read by time.
    """

    events: list[Event] = []
    cursor: str | None = None
    lost: bool = False


class _Latest(msgspec.Struct, frozen=True):
    latest: int | None


class _Patterns(msgspec.Struct, frozen=True):
    patterns: list[Pattern]


class StoreClient:
    """The store at an address.

    Every method raises ``UnreachableError`` (try again, after ``after`` seconds where it says so), ``RequestError`` (it
    cannot be used), ``NotFoundError`` or ``AccessError``; ``receive`` also ``TooLargeError`` (send less at once) and
    ``BehindError`` (it follows on what the store does not have).
    """

    def __init__(self, url: str, secret: str) -> None:
        self._caller = Caller("store", url, secret)

    async def receive(self, enriched: Enriched) -> Receipt:
        """Hand over what was enriched; everything up to the receipt's ``last`` is durable."""
        return await self._caller.post("/api/v1/events", Receipt, enriched)

    async def home(self) -> Home:
        """Give the home as the store knows it; its id is the one that events are named after."""
        return await self._caller.get("/api/v1/home", Home)

    async def received(self, stream: str) -> int:
        """Give the highest number of a stream that the store has, 0 when it knows none."""
        found = await self._caller.get(f"/api/v1/streams/{stream}", dict[str, Any])
        return int(found["last"])

    async def latest(self) -> int | None:
        """Give the newest event's ``last_updated`` (µs), ``None`` in an empty store."""
        return (await self._caller.get("/api/v1/latest", _Latest)).latest

    async def snapshots(self, after: int | None = None, limit: int | None = None) -> list[Snapshot]:
        """Give what the registries said, oldest first: all, or the first ``limit`` behind an instant (µs)."""
        kind = dict[str, list[Snapshot]]
        return (await self._caller.get("/api/v1/snapshots", kind, after=after, limit=limit))["snapshots"]

    async def events(self, **query: str | int | None) -> EventPage:
        """Give events, newest first.

        The query may have ``start_time``, ``end_time``, ``entity_id``, ``area``, ``cause``, ``limit``, ``cursor``,
        ``after`` and ``wait``, as the store's route has them.
        """
        return await self._caller.get("/api/v1/events", EventPage, **query)

    async def stats(self) -> dict[str, Any]:
        """Give what the store holds, in figures."""
        return await self._caller.get("/api/v1/stats", dict[str, Any])

    async def days(self) -> Rows:
        """Give the day ledger, oldest first."""
        return await self._rows("days")

    async def counts(self, **query: str | int | None) -> dict[str, int]:
        """Count events (``by`` entity, cause or day; ``start_time``, ``end_time``)."""
        return (await self._caller.get("/api/v1/counts", dict[str, dict[str, int]], **query))["counts"]

    async def patterns(self) -> list[Pattern]:
        """Give all patterns, also those that another one tells better."""
        return (await self._caller.get("/api/v1/patterns", _Patterns, all="true")).patterns

    async def gaps(self, **query: str | int | None) -> list[Gap]:
        """Give the gaps that are known, oldest first (``start_time``, ``end_time``)."""
        return (await self._caller.get("/api/v1/gaps", dict[str, list[Gap]], **query))["gaps"]

    async def dead_letters(self, limit: int = 100, before: int | None = None) -> Rows:
        """Give the newest messages that could not be used (or those with a number less than ``before``)."""
        found = await self._caller.get("/api/v1/dead-letters", dict[str, Any], limit=limit, before=before)
        letters: Rows = found["letters"]
        return letters

    async def certificates(self, first: str | None = None, last: str | None = None) -> Rows:
        """Give the loss certificates of the days from first to last, oldest first."""
        return await self._rows("certificates", first=first, last=last)

    async def jobs(self, limit: int = 100, kind: JobKind | None = None) -> list[Job]:
        """Give the learning's jobs that were asked for last, newest first."""
        return await self._caller.call("jobs", list[Job], {"limit": limit, "kind": kind})

    async def put_job(self, job: Job) -> None:
        """Keep what is known of a job by now."""
        await self._caller.call("put_job", type(None), {"job": job})

    async def hold(self, name: str, owner: str, seconds: float) -> bool:
        """Take a name for so many seconds; ``False`` while somebody else has it."""
        return await self._caller.call("hold", bool, {"name": name, "owner": owner, "seconds": seconds})

    async def release(self, name: str, owner: str) -> None:
        """Give a name back, if it is the owner's."""
        await self._caller.call("release", type(None), {"name": name, "owner": owner})

    async def nights(self) -> dict[str, Any]:
        """Give the last day that each cadence has looked at, by cadence (ISO dates, or ``None``)."""
        return await self._caller.call("nights", dict[str, Any], {})

    async def _rows(self, name: str, **query: str | int | None) -> Rows:
        return (await self._caller.get(f"/api/v1/{name}", dict[str, Rows], **query))[name]

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

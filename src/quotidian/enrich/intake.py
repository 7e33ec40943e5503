"""What enrich does with what it is sent: nothing is acknowledged that the store has not made durable."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Any, Final, TypeVar

import msgspec
import structlog

from quotidian import clock
from quotidian.clients import StoreClient
from quotidian.enrich.enrichment import Enrichment
from quotidian.enrich.posted import STREAM, Outcome, Posted, posted
from quotidian.enrich.snapshots import Snapshots
from quotidian.errors import AccessError, BehindError, QuotidianError, UnreachableError
from quotidian.model.delivery import Delivery, Enriched, Receipt

_log = structlog.get_logger(service="enrich")
_PAGE: Final = 10  #: snapshots read at once

T = TypeVar("T")


class Intake:
    """Takes deliveries and posts, and hands them to the store.

    Parameters
    ----------
    store
        Where events go; the home's id and what the registries said come from there, before the first event.
    attributes
        The names of the attributes that are kept.
    """

    def __init__(self, store: StoreClient, attributes: Sequence[str]) -> None:
        self._store = store
        self._attributes = attributes
        self._enrichment: Enrichment | None = None
        self._snapshots = Snapshots()
        self._starting = asyncio.Lock()
        self._posting = asyncio.Lock()
        self._posted: int | None = None
        self.events = 0  #: that the store acknowledged
        self.probes = 0
        self.letters: Counter[str] = Counter()  #: dead letters by reason
        self.last_event: int | None = None  #: when the newest event happened (µs)
        self.failure: str | None = None  #: why the last delivery was not taken

    @property
    def figures(self) -> dict[str, Any]:
        """What was done since the start."""
        return {
            "events": self.events,
            "probes": self.probes,
            "dead_letters": self.letters.total(),
            "dead_letters_by_reason": dict(self.letters),
            "snapshots": len(self._snapshots),
            "last_event": self.last_event,
            "failure": self.failure,
        }

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Take a delivery of capture's; the receipt, with a refusal for each dead letter, is the store's.

        Raises
        ------
        UnreachableError
            When the store cannot be reached: nothing is acknowledged.
        TooLargeError, RequestError
            When the store cannot take so much at once, or this.
        BehindError
            When it follows on what the store does not have.
        """
        return await self._stored((await self._ready()).enriched(delivery))

    async def post(self, messages: Sequence[msgspec.Raw]) -> Posted:
        """Take events that were posted by hand; the errors are those of ``deliver``."""
        found = posted(messages, clock.now(), await self._ready())
        self.probes += sum(outcome.note is not None for outcome in found.outcomes)
        async with self._posting:
            if self._posted is None:
                self._posted = await self._asked(self._store.received(STREAM))
            enriched = found.enriched(self._posted)
            if enriched is not None:
                # Whether a delivery that failed half-way was taken, only the store knows.
                self._posted = None
                receipt = await self._stored(enriched)
                self._posted = receipt.last
                found = _with_refusals(found, enriched, receipt)
        return found

    async def _ready(self) -> Enrichment:
        """Give what makes events, once the store has said whose they are and what the registries said."""
        async with self._starting:
            if self._enrichment is None:
                home = await self._asked(self._store.home())
                await self._learn()
                self._enrichment = Enrichment(home.id, self._attributes, self._snapshots)
        return self._enrichment

    async def _learn(self) -> None:
        """Read what the registries said, a page at a time: a year of it is large, and little of it differs."""
        after: int | None = None
        while page := await self._asked(self._store.snapshots(after, _PAGE)):
            for snapshot in page:
                self._snapshots.add(snapshot)
            after = page[-1].since

    async def _stored(self, enriched: Enriched) -> Receipt:
        receipt = await self._asked(self._store.receive(enriched))
        self._tell(enriched, receipt)
        self.events += len(enriched.events)
        self.letters.update(refusal.reason for refusal in receipt.refusals)
        newest = max((arrival.event.last_updated for arrival in enriched.events), default=None)
        if newest is not None:
            self.last_event = max(newest, self.last_event or 0)
        return receipt

    def _tell(self, enriched: Enriched, receipt: Receipt) -> None:
        """Log what became of a delivery: by its numbers and the events' ids, so that each can be followed."""
        where = {"stream": enriched.stream, "first": enriched.first, "last": enriched.last}
        if receipt.refusals:
            _log.warning("messages cannot be used", **where, reasons=dict(Counter(r.reason for r in receipt.refusals)))
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            ids = [arrival.event.event_id for arrival in enriched.events]
            _log.debug("a delivery is stored", **where, new=receipt.new, known=receipt.known, events=ids)

    async def _asked(self, call: Awaitable[T]) -> T:
        """Ask the store; that it does not know us is no fault of whoever sent something here."""
        try:
            found = await call
        except AccessError as error:
            self._failed(error)
            raise UnreachableError(f"The store does not let enrich in: {error.what}", error.remedy) from error
        except BehindError:  # the store does take something, only not this
            raise
        except QuotidianError as error:
            self._failed(error)
            raise
        if self.failure is not None:
            _log.info("the store takes events again")
        self.failure = None
        return found

    def _failed(self, error: QuotidianError) -> None:
        if self.failure != str(error):  # once, not for each attempt
            _log.warning("the store takes nothing for now", reason=str(error))
        self.failure = str(error)


def _with_refusals(found: Posted, enriched: Enriched, receipt: Receipt) -> Posted:
    """Tell of each event that the store itself refused."""
    refused = {refusal.seq: refusal.reason for refusal in receipt.refusals}
    if not refused:
        return found
    ids = {arrival.event.event_id: refused[arrival.seq] for arrival in enriched.events if arrival.seq in refused}
    outcomes = tuple(Outcome(error=ids[one.event_id]) if one.event_id in ids else one for one in found.outcomes)
    return msgspec.structs.replace(found, outcomes=outcomes)

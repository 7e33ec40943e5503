"""From the spool to enrich: in order, again and again until it is durable in the store."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog

from quotidian import clock
from quotidian.capture.batch import BatchSize, as_text, halves, is_text, runs
from quotidian.capture.cause import Settler
from quotidian.capture.pause import pause
from quotidian.clients.policy import RestingError
from quotidian.errors import BehindError, QuotidianError, RequestError, TooLargeError, UnreachableError
from quotidian.model import Delivery, Receipt
from quotidian.spool import Record, Spool

SINK: Final = "enrich"
_log: Final = structlog.get_logger(service="capture")


class Delivering(Protocol):
    """Where deliveries go."""

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Deliver, and come back when it is durable."""


class Forwarder:
    """Delivers what the spool holds, for ever; a number is acknowledged only after the receipt for it.

    Parameters
    ----------
    spool
        Is read, and acknowledged.
    settler
        Makes messages of its records.
    client
        Enrich.
    missing
        Told a span (µs) of which the store says that it never saw the numbers.
    received
        Gives the highest number of a stream that the store has.
    """

    def __init__(
        self,
        spool: Spool,
        settler: Settler,
        client: Delivering,
        missing: Callable[[int, int, str], None],
        received: Callable[[str], Awaitable[int]],
    ) -> None:
        self._spool, self._settler, self._client, self._missing = spool, settler, client, missing
        self._received = received
        self._found: int | None = spool.committed  #: the last number that was there at the start, until it is compared
        self._named = 0  #: the last number that was acknowledged under another name
        self._follows = 0  #: the last number of which we were told that the store has all up to it
        self._batch = BatchSize()
        self._failures = 0
        self.error: QuotidianError | None = None
        self._told = ""  # why nothing is delivered, as it was logged
        self.delivered = self.dead = self.known = 0
        self.lag: float = 0.0  #: seconds between hearing the last one delivered and its receipt
        self.last_delivered: int | None = None  #: µs

    async def run(self) -> None:
        """Deliver, for ever."""
        await self._compare()
        while True:
            records = await self._spool.read(SINK, limit=self._batch.limit, size=self._batch.size)
            try:
                for run in runs(records):
                    begun = time.monotonic()
                    await self._deliver(self._delivery(run))
                    self._batch.went(len(run), time.monotonic() - begun)
            except BehindError as error:
                await self._fall_back(error)

    async def _compare(self) -> None:
        """Begin behind what the store has, and give none of its numbers to anything else.

        A disk that loses what it said was written lets the spool begin with lower numbers than were delivered.
        """
        while self._found is not None:
            try:
                received = await self._had()
                if received > self._found:
                    self._spool.rename()
                    self._named, received = self._spool.acked(SINK), 0
                    _log.error("the end of the spool was lost: its numbers go on under a new name")
                self._go_on(received)
                self.error, self._told, self._found = None, "", None
            except QuotidianError as error:  # the disk is full
                await self._failed(error)

    async def _fall_back(self, error: BehindError) -> None:
        """Deliver again what the store, emptied or put back, does not have any more."""
        received = await self._had()
        if received >= self._follows:  # it became another one meanwhile, or enrich delivers to another than we ask
            await self._failed(error)
        self._go_on(received)

    def _go_on(self, received: int) -> None:
        """Go on behind the last number that the store has; it gets again what is kept of what it lost."""
        self._follows = received
        if self._spool.rewind(SINK, max(received, self._named)):
            _log.warning("the store is an older one: it gets again what is kept", received=received)

    async def _had(self) -> int:
        """Give the highest number that the store has, as soon as it says so."""
        while True:
            try:
                return await self._received(self._spool.stream)
            except QuotidianError as error:
                await self._failed(error)

    def _delivery(self, records: Sequence[Record]) -> Delivery:
        settle = self._settler.message
        messages = [message for record in records if (message := settle(record)) is not None]
        return Delivery(
            stream=self._spool.stream,
            first=records[0].seq,
            last=records[-1].seq,
            follows=self._follows,
            messages=messages,
        )

    async def _deliver(self, delivery: Delivery) -> None:
        """Deliver all of it: what is refused in parts, down to the one message that is to blame."""
        parts = [delivery]
        while parts:
            part = parts.pop()
            try:
                self._delivered(part, await self._accepted(part))
            except RequestError as error:
                if isinstance(error, TooLargeError):
                    self._batch.halve()
                if len(part.messages) > 1:
                    parts += reversed(halves(part))
                elif is_text(part):
                    await self._failed(error)  # nothing of it is to blame: enrich does not take anything
                    parts.append(part)
                else:
                    _log.warning("a message cannot be used", number=part.messages[0].seq, reason=str(error))
                    parts.append(as_text(part))

    async def _accepted(self, delivery: Delivery) -> Receipt:
        """Deliver until there is a receipt for all of it, or it is refused for what it is or follows on."""
        while True:
            try:
                receipt = await self._client.deliver(delivery)
                if receipt.last >= delivery.last:
                    return receipt
                raise UnreachableError(f"Enrich took {receipt.last} of the numbers up to {delivery.last}.")
            except (RequestError, BehindError):
                raise
            except QuotidianError as error:
                await self._failed(error)

    async def _failed(self, error: QuotidianError) -> None:
        # That a peer is left alone for a moment says less than why it is: the reason is told, and once.
        if error.what != self._told and not (self._told and isinstance(error, RestingError)):
            _log.warning("nothing is delivered for now", reason=str(error), waiting=self._spool.depth(SINK))
            self._told = error.what
        self.error = error
        self._failures += 1
        await asyncio.sleep(pause(self._failures, error))

    def _delivered(self, delivery: Delivery, receipt: Receipt) -> None:
        self._spool.ack(SINK, delivery.last)
        self._follows = delivery.last
        if self.error is not None:
            _log.info("deliveries go on", waiting=self._spool.depth(SINK))
        self.error, self._failures, self._told = None, 0, ""
        self.delivered += len(delivery.messages)
        self.dead += receipt.dead
        self.known += receipt.known
        self.last_delivered = clock.now()
        if delivery.messages:
            self.lag = (self.last_delivered - delivery.messages[-1].arrived) / 1e6
        if receipt.missing is not None:
            self._missing(*receipt.missing, "the store never saw a part of what was heard")

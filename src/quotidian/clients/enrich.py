"""Enrich, as the other services speak to it."""

from quotidian.clients.caller import Caller
from quotidian.model import Delivery, Receipt


class EnrichClient:
    """Enrich at an address.

    Every method raises ``UnreachableError`` (try again, after ``after`` seconds where it says so), ``TooLargeError``
    (send less at once), ``RequestError`` (it cannot be used), ``BehindError`` (it follows on what the store does not
    have), ``NotFoundError`` (the address is another service's) or ``AccessError``.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._caller = Caller("enrich", url, secret)

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Deliver messages; everything up to the receipt's ``last`` is durable in the store."""
        return await self._caller.post("/api/v1/events", Receipt, delivery)

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

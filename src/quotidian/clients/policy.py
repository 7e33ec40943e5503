"""When a call is made again, and when not at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import stamina
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from quotidian.errors import PermanentError, UnreachableError

ATTEMPTS: Final = 4
LONGEST: Final = 5.0  #: seconds that a call waits by itself for a peer that says "later"
FAILURES: Final = 5  #: calls running that fail until the breaker opens
REST: Final = 5.0  #: seconds for which an open breaker lets nothing through


class RestingError(UnreachableError):
    """The breaker is open: the peer failed so often that it is left alone for a while."""


def again(error: Exception) -> bool | float:
    """Tell whether a call that failed is made again, and after how many seconds where the peer said so."""
    if not isinstance(error, UnreachableError) or isinstance(error, RestingError):
        return False
    if error.after is None:
        return True
    return error.after if error.after <= LONGEST else False


# What a call met is told once, by whoever made it, and not attempt for attempt by the library.
stamina.instrumentation.set_on_retry_hooks(())

#: One call in several attempts, with a back-off that grows and jitters; ``stamina.set_active(False)`` switches it off.
RETRYING: Final = stamina.AsyncRetryingCaller(attempts=ATTEMPTS, timeout=30.0, wait_max=2.0, wait_jitter=0.5).on(again)


class Breaker:
    """A circuit breaker before one peer; only silence and failures of the peer open it."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._opened: float | None = None
        self._why = ""
        self._renew()

    def _renew(self) -> None:
        # What the peer answered, and a "later" of its own, are signs of life.
        alive = (UnreachableError, lambda error: error.after is not None)
        self._factory = AsyncCircuitBreakerFactory(FAILURES, REST, [alive, PermanentError, asyncio.CancelledError])

    @asynccontextmanager
    async def guarding(self) -> AsyncIterator[None]:
        """Guard one call.

        Raises
        ------
        RestingError
            When the breaker is open; ``after`` tells for how many seconds.
        """
        self._rested()
        breaker = await self._factory.get_breaker(self._peer)
        try:
            async with breaker:
                yield
        except UnreachableError as error:
            self._why = error.what
            raise
        except OpenedState as error:
            raise RestingError(
                f"The {self._peer} service failed {FAILURES} times running and is left alone for a moment. {self._why}",
                "It is tried again by itself; `quotidian doctor` tells more.",
                self._left(),
            ) from error
        finally:
            self._note(breaker.context.state)

    def _left(self) -> float:
        return REST if self._opened is None else max(0.0, REST - (time.monotonic() - self._opened))

    def _note(self, state: str) -> None:
        if state != "opened":
            self._opened = None
        elif self._opened is None:
            self._opened = time.monotonic()

    def _rested(self) -> None:
        # The library reads the wall clock: set back by an hour, it would keep the peer out for an hour.
        if self._opened is not None and self._left() == 0.0:
            self._opened = None
            self._renew()

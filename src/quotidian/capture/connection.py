"""The connection to Home Assistant: made, kept, and made again for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from quotidian import clock
from quotidian.capture.commit import AGAIN, Committer
from quotidian.capture.gaps import Gaps, Last
from quotidian.capture.link import Link
from quotidian.capture.pause import pause
from quotidian.capture.reader import PENDING, Reader
from quotidian.capture.registries import RegistryWatch
from quotidian.errors import AccessError, DiskFullError, QuotidianError, SettingError, UnreachableError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.live import fetch_states, subscribe_all
from quotidian.homeassistant.session import Session
from quotidian.spool import Spool

STABLE: Final = 60.0  #: seconds after which a connection counts as good
REFUSED: Final = 15 * 60.0  #: seconds until a refused token is tried again: each refusal is told to the owner
LOOK: Final = 2.0  #: seconds between two looks at settings that must change
_log: Final = structlog.get_logger(service="capture")


class Connection:
    """Listens to Home Assistant for ever.

    Parameters
    ----------
    address
        Gives the address and the token that are set now.
    newest
        Gives when the newest event that the store has was updated (µs), to know where a new spool goes on.
    """

    def __init__(
        self,
        *,
        address: Callable[[], Address],
        newest: Callable[[], Awaitable[int | None]],
        spool: Spool,
        committer: Committer,
        reader: Reader,
        registries: RegistryWatch,
        gaps: Gaps,
        link: Link,
    ) -> None:
        self._address, self._newest, self._spool, self._committer = address, newest, spool, committer
        self._reader, self._registries, self._gaps, self._link = reader, registries, gaps, link
        self._failures = 0

    async def run(self) -> None:
        """Connect, listen, and connect again."""
        while True:
            begun = time.monotonic()
            try:
                await self._listen()
            except AccessError as error:
                await self._refused(error)
            except SettingError as error:
                await self._unset(error)
            except DiskFullError as error:
                await self._full(error)
            except QuotidianError as error:
                await self._failed(error, time.monotonic() - begun)

    async def _listen(self) -> None:
        """Hold one connection, until it breaks."""
        async with Session.open(self._address()) as session:
            await self._lost()
            try:
                admin = await subscribe_all(session)
                await _together(self._reader.read(session), self._attend(session, admin=admin))
            except AccessError as error:  # the token is good, but not for this: no reason to stay away
                raise UnreachableError(error.what, error.remedy) from error

    async def _lost(self) -> None:
        """Note from where on something is missing, before anything is heard.

        What was heard before is made durable first: from then on the next gap begins behind it.
        """
        await self._committer.commit()
        last = self._reader.last
        if last is None and self._gaps.new and (newest := await self._newest()) is not None:
            last = Last(self._spool.appended + 1, newest)
        self._gaps.lost(last)

    async def _attend(self, session: Session, *, admin: bool) -> None:
        """Do what is due on a new connection, then follow the registries."""
        states = await fetch_states(session)
        self._gaps.listening(states, clock.now())
        self._committer.wake()
        self._link.made(session.version, admin=admin)
        _log.info("listening to Home Assistant", version=session.version, admin=admin, entities=len(states))
        await self._registries.refresh(session, admin=admin)
        await self._registries.watch(session, admin=admin)

    async def _failed(self, error: QuotidianError, seconds: float) -> None:
        self._failures = 1 if seconds > STABLE else self._failures + 1
        if self._link.error is None or self._link.error.what != error.what:  # each reason once, not each attempt
            _log.warning("Home Assistant is not heard", reason=str(error))
        self._link.lost("connecting", error)
        await asyncio.sleep(pause(self._failures, error))

    async def _refused(self, error: AccessError) -> None:
        """Wait until the settings name another token, or so long that it does not trouble anybody."""
        self._link.lost("refused", error)
        _log.error("Home Assistant refuses us", reason=str(error))
        refused, deadline = self._address(), time.monotonic() + REFUSED
        while time.monotonic() < deadline and self._address_now() in (refused, None):
            await asyncio.sleep(LOOK)

    async def _unset(self, error: SettingError) -> None:
        if self._link.state != "unset":
            _log.error("nothing to listen to", reason=str(error))
        self._link.lost("unset", error)
        while self._address_now() is None:
            await asyncio.sleep(LOOK)

    def _address_now(self) -> Address | None:
        try:
            return self._address()
        except SettingError:
            return None

    async def _full(self, error: DiskFullError) -> None:
        """Wait until there is room for what will be heard."""
        self._link.lost("full", error)
        _log.error("there is no room for what is heard", reason=str(error))
        while self._spool.full or self._committer.full or self._spool.pending_bytes > PENDING // 2:
            await asyncio.sleep(AGAIN / 2)


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """Work on several things until one fails; raise what it failed with."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

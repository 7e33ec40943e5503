"""What the store does by itself: it seals days that are over, and certifies them."""

import asyncio
import datetime as dt
from typing import Final

import structlog

from quotidian import clock
from quotidian.errors import QuotidianError
from quotidian.model import Day
from quotidian.store.app.thread import StoreThread
from quotidian.store.protocols import Store

FIRST: Final = 60.0  #: seconds until the first round: what waited for the store comes first
PAUSE: Final = 600.0  #: seconds between two rounds
SHOWN: Final = 5.0  #: seconds between two steps of showing new events where finished days lie
_DAY: Final = dt.timedelta(days=1)
#: Late events change the certificate of a day for as long as they can come; older days are done on demand.
_CERTIFIED: Final = 7 * _DAY


class Housekeeping:
    """Rounds of short steps in the store's thread, so that deliveries never wait for long.

    ``trouble`` is what went wrong in the last round, ``unshown`` what keeps new events from being shown where finished
    days lie; empty when nothing did. ``warning`` says what somebody should do before something is lost.
    """

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread
        self._log = structlog.get_logger(service="store")
        self.trouble = self.unshown = self.warning = ""
        self._warned: dt.date | None = None

    async def run(self, first: float = FIRST, pause: float = PAUSE) -> None:
        """Go round for ever."""
        await asyncio.sleep(first)
        while True:
            try:
                await self.round()
                self.trouble = ""
            except QuotidianError as error:
                self.trouble = str(error)
                self._log.exception("housekeeping failed")
            await asyncio.sleep(pause)

    async def round(self) -> list[dt.date]:
        """Go round once; give the days that were sealed."""
        today = await self._thread.call(_today)
        # What follows may fail, and this is for whoever mends that.
        await self._warn(today)
        sealed: list[dt.date] = []
        for date in await self._thread.call(lambda store: _unsealed(store, today)):
            sealed += await self._thread.call(lambda store, before=date + _DAY: store.seal(before))  # type: ignore[misc]
        # Days with late events are sealed again.
        sealed += await self._thread.call(lambda store: store.seal(today))
        await self._thread.call(lambda store: store.certificates(today - _CERTIFIED, today - _DAY))
        if sealed:
            self._log.info("days were sealed", days=[date.isoformat() for date in sealed])
        moved = 0
        while await self._thread.call(lambda store: store.settle()):
            moved += 1
        if moved:
            self._log.info("finished days and summaries were moved", steps=moved)
        return sealed

    async def _warn(self, today: dt.date) -> None:
        """Find out what is about to be lost, and log it once a day."""
        self.warning = " ".join(await self._thread.call(lambda store: store.warnings()))
        if self.warning and self._warned != today:
            self._warned = today
            self._log.warning("something is about to be lost", what=self.warning)

    async def show(self, pause: float = SHOWN) -> None:
        """Show new events where finished days lie, for ever."""
        while True:
            try:
                await self._thread.call(lambda store: store.mirror())
                self.unshown = ""
            except QuotidianError as error:
                if not self.unshown:
                    self._log.warning("new events are not shown in InfluxDB", reason=str(error))
                self.unshown = str(error)
            await asyncio.sleep(pause)


def _today(store: Store) -> dt.date:
    return Day.containing(clock.now(), store.home.zone).date


def _unsealed(store: Store, today: dt.date) -> list[dt.date]:
    return [day.date for day in store.days() if day.date < today and day.events and not day.sealed_bytes]

"""When what was heard is written to disk."""

import asyncio
from typing import Final

import structlog

from quotidian.errors import DiskFullError, QuotidianError
from quotidian.spool import Spool

AGAIN: Final = 2.0  #: seconds until a full disk is tried again
_log: Final = structlog.get_logger(service="capture")


class Committer:
    """Commits a spool in groups: one fsync at a time, each for all that came meanwhile.

    Parameters
    ----------
    spool
        Whose records are to be durable.
    interval
        Seconds for which records are gathered; 0 commits as soon as there is one.
    """

    def __init__(self, spool: Spool, interval: float) -> None:
        self._spool, self._interval = spool, interval
        self._pending = asyncio.Event()
        self.error: QuotidianError | None = None

    def wake(self) -> None:
        """Tell that there is something to commit."""
        self._pending.set()

    async def run(self) -> None:
        """Commit for ever; a full disk is tried again until it has room."""
        while True:
            await self._pending.wait()
            if self._interval:
                await asyncio.sleep(self._interval)
            self._pending.clear()
            known = self.error
            try:
                await self.commit()
                if known is not None:
                    _log.info("what was heard is written down again")
            except QuotidianError as error:
                if known is None:
                    _log.error("what was heard cannot be written down", reason=str(error))
                self._pending.set()
                await asyncio.sleep(AGAIN)

    async def commit(self) -> None:
        """Commit now.

        Raises
        ------
        DiskFullError
            When there is no room; nothing is lost by that as long as the process runs.
        """
        try:
            await self._spool.commit()
        except QuotidianError as error:
            self.error = error
            raise
        self.error = None

    @property
    def full(self) -> bool:
        """Whether the disk had no room at the last try."""
        return isinstance(self.error, DiskFullError)

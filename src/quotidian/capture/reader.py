"""What Home Assistant says, into the spool and nothing else."""

from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from quotidian import clock
from quotidian.capture.cause import STATE_CHANGED, fired
from quotidian.capture.commit import Committer
from quotidian.capture.gaps import Last
from quotidian.errors import DiskFullError
from quotidian.homeassistant.session import Garbage
from quotidian.spool import Kind, Spool

PENDING: Final = 8_000_000  #: bytes that may wait for the disk
_REGISTRY: Final = (b"_registry_updated", b"core_config_updated")
_HEAD: Final = 80  #: bytes of an event in which its type stands


class Hearing(Protocol):
    """Where events come from: a session."""

    def events(self) -> AsyncIterator[list[bytes]]:
        """Hand out events as they come."""


class Reader:
    """Appends every event to the spool, in the bytes in which it came.

    Parameters
    ----------
    spool
        Where to.
    committer
        Makes it durable.
    changed
        Called when the registries are not what they were.
    last
        The last change that the spool holds from before.
    """

    def __init__(self, spool: Spool, committer: Committer, changed: Callable[[], None], last: Last | None) -> None:
        self._spool, self._committer, self._changed = spool, committer, changed
        self._before = last
        self._latest: tuple[int, bytes, int] | None = None
        self.heard = 0
        self.last_event: int | None = None  #: when the last one arrived (µs)

    @property
    def last(self) -> Last | None:
        """The last change that was heard."""
        if self._latest is not None:
            seq, payload, arrived = self._latest
            time = fired(payload)
            if time is not None:
                self._before = Last(seq, time, arrived)
            self._latest = None
        return self._before

    async def read(self, session: Hearing) -> None:
        """Read until the session ends.

        Raises
        ------
        UnreachableError
            At the session's end.
        DiskFullError
            When there is no room for more; what was read is in the spool, at least in memory.
        """
        async for events in session.events():
            self._append(events)
            self._committer.wake()
            if self._spool.pending_bytes > PENDING:
                await self._committer.commit()
            if self._spool.full:
                raise DiskFullError(
                    "As much waits to be stored as QUOTIDIAN_SPOOL_QUOTA allows.",
                    "Listening goes on when there is room; what is missed is filled from Home Assistant's history.",
                )

    def _append(self, events: list[bytes]) -> None:
        arrived, append = clock.now(), self._spool.append
        for event in events:
            if event.startswith(STATE_CHANGED):
                self._latest = (append(Kind.LIVE, event, arrived), event, arrived)
            elif isinstance(event, Garbage):
                append(Kind.GARBAGE, event, arrived)
            else:
                append(Kind.LIVE, event, arrived)
                self._look(event)
        self.heard += len(events)
        self.last_event = arrived

    def _look(self, event: bytes) -> None:
        head = event[:_HEAD]
        if any(name in head for name in _REGISTRY):
            self._changed()

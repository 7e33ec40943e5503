"""All parts of capture, put together and kept running."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import structlog

from quotidian import clock
from quotidian.capture.cause import STATE_CHANGED, Settler, fired
from quotidian.capture.commit import Committer
from quotidian.capture.connection import Connection
from quotidian.capture.figures import Figures
from quotidian.capture.filling import Filler
from quotidian.capture.forwarder import SINK, Forwarder
from quotidian.capture.gaps import Gaps, Last
from quotidian.capture.link import Link
from quotidian.capture.manual import Posted
from quotidian.capture.reader import Reader
from quotidian.capture.registries import RegistryWatch
from quotidian.clients import EnrichClient, StoreClient
from quotidian.errors import QuotidianError
from quotidian.homeassistant.address import address_of
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.model.event import event_id
from quotidian.model.health import Dependency, Health
from quotidian.settings import Settings
from quotidian.spool import Kind, Record, Spool

_DAY: Final = DAY_SECONDS * SECOND
_MEGABYTE: Final = 1_000_000
_AGAIN: Final = 5.0  #: seconds after which a part that failed is started again
_LOOK: Final = 5.0  #: seconds between two looks at rates and damages
_log: Final = structlog.get_logger(service="capture")


class Capture:
    """Listens, spools, fills and forwards; made by ``open``.

    Parameters
    ----------
    settings
        The settings in force.
    secret
        The services' shared secret.
    spool
        The spool, open.
    """

    def __init__(self, settings: Settings, secret: str, spool: Spool) -> None:
        directory = spool_directory(settings)
        self.spool = spool
        self.link = Link()
        self.gaps = Gaps(directory, spool, settings.days("QUOTIDIAN_HISTORY_DAYS") * _DAY)
        self._enrich = EnrichClient(settings.url("enrich"), secret)
        self._store = StoreClient(settings.url("store"), secret)
        self._programs = frozenset(settings.words("QUOTIDIAN_MACHINES"))
        self._settler = Settler(self._programs)
        self._committer = Committer(spool, settings.number("QUOTIDIAN_COMMIT_INTERVAL"))
        self._registries = RegistryWatch(directory, spool, self._committer, self._settler)
        self._address = lambda: address_of(settings.again())
        self._forwarder = Forwarder(spool, self._settler, self._enrich, self._missing, self._received)
        self._filler = Filler(self._address, spool, self.gaps, self.link, self._machines)
        self._home: str | None = None
        self._broken: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, secret: str) -> AsyncIterator[Self]:
        """Open the spool and start everything; at the end what was heard is durable.

        Raises
        ------
        SettingError, StoreBusyError, DiskFullError, StoreRefusedError
            When a setting cannot be used, or the spool's directory cannot.
        """
        quota = round(settings.number("QUOTIDIAN_SPOOL_QUOTA") * _MEGABYTE)
        async with AsyncExitStack() as stack:
            spool = Spool(spool_directory(settings), quota=quota, sinks=(SINK,))
            stack.callback(spool.close)
            capture = cls(settings, secret, spool)
            stack.push_async_callback(capture._close)
            await capture._start()
            yield capture

    async def _start(self) -> None:
        last = await asyncio.to_thread(self._recall)
        self._reader = Reader(self.spool, self._committer, self._registries.changed, last)
        self.figures = Figures(self.link, self._reader, self.spool, self.gaps, self._forwarder)
        connection = Connection(
            address=self._address,
            newest=self._newest,
            spool=self.spool,
            committer=self._committer,
            reader=self._reader,
            registries=self._registries,
            gaps=self.gaps,
            link=self.link,
        )
        parts = {
            "commit": self._committer.run,
            "listen": connection.run,
            "forward": self._forwarder.run,
            "fill": self._filler.run,
            "watch": self._watch,
        }
        self._tasks = [asyncio.create_task(self._kept_running(name, run), name=name) for name, run in parts.items()]

    async def _close(self) -> None:
        tasks = getattr(self, "_tasks", [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._committer.commit()
        finally:
            await self._enrich.close()
            await self._store.close()

    def _recall(self) -> Last | None:
        """Read the spool once: what was settled tells causes, and the last change tells where a gap begins."""
        latest: Record | None = None
        acked = self.spool.acked(SINK)

        def records() -> Iterable[Record]:
            nonlocal latest
            for record in self.spool.replay(0):
                if record.kind == Kind.LIVE and record.payload.startswith(STATE_CHANGED):
                    latest = record
                yield record

        told = records()
        self._settler.remember(told, acked)
        for _ in told:
            pass
        time = None if latest is None else fired(latest.payload)
        return None if latest is None or time is None else Last(latest.seq, time, latest.arrived)

    async def _kept_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a part for ever. What it holds is in the spool, so it can always begin anew."""
        while True:
            try:
                await run()
            except Exception as error:
                self._broken[name] = repr(error)
                _log.exception("a part of capture failed and is started again", part=name)
            await asyncio.sleep(_AGAIN)

    async def _watch(self) -> None:
        while True:
            self.gaps.heard(self._reader.last)
            self.gaps.damaged(self.spool.damages)
            self.figures.look()
            await asyncio.sleep(_LOOK)

    async def _received(self, stream: str) -> int:
        """Ask the store what it has of a stream, and once also which gaps are open there."""
        if not self.gaps.whole:
            self.gaps.adopt(await self._store.gaps())
        return await self._store.received(stream)

    def _missing(self, start: int, end: int, reason: str) -> None:
        self.gaps.heard(self._reader.last)
        self.gaps.missing(start, end, reason)

    def _machines(self) -> frozenset[str]:
        known = self._registries.known
        return self._programs | frozenset(known.machines if known is not None else ())

    async def _newest(self) -> int | None:
        try:
            latest = await self._store.latest()
        except QuotidianError as error:
            _log.info("the store does not say what it has: all of the history is read", reason=str(error))
            return None
        return None if latest is None or latest > clock.now() else latest

    async def post(self, posted: Posted) -> dict[str, Any]:
        """Take in an event by hand; it is durable when this returns."""
        seq = self.spool.append(Kind.MANUAL, msgspec.json.encode(posted.event), clock.now())
        await self._committer.commit()
        name = await self._home_id()
        return {
            "event_id": None if name is None else event_id(name, posted.entity_id, posted.updated),
            "entity_id": posted.entity_id,
            "last_updated": posted.updated,
            "stream": self.spool.stream,
            "seq": seq,
        }

    async def _home_id(self) -> str | None:
        """Give the home's id, which the store made; ``None`` as long as the store never answered."""
        if self._home is None:
            try:
                self._home = (await self._store.home()).id
            except QuotidianError as error:
                _log.info("the store does not say which home it is", reason=str(error))
        return self._home

    async def health(self) -> Health:
        """Tell how all of it is."""
        needed = (self._spool_health(), self._link_health(), self._enrich_health(), *self._broken_parts())
        if needed[0].state == "down":
            return Health("down", needed)
        return Health("ok" if all(one.state == "ok" for one in needed) else "degraded", needed)

    def _spool_health(self) -> Dependency:
        error = self._committer.error
        if error is not None:
            return Dependency("spool", "down", str(error))
        if self.spool.full:
            return Dependency("spool", "down", "It holds as much as QUOTIDIAN_SPOOL_QUOTA allows.")
        return Dependency("spool", "ok")

    def _link_health(self) -> Dependency:
        if self.link.state == "connected":
            limited = "" if self.link.admin else "The token is not an administrator's: some causes stay unknown."
            return Dependency("homeassistant", "ok", limited)
        return Dependency("homeassistant", "down", str(self.link.error or "The connection is being made."))

    def _enrich_health(self) -> Dependency:
        error = self._forwarder.error
        return Dependency("enrich", "ok") if error is None else Dependency("enrich", "down", str(error))

    def _broken_parts(self) -> tuple[Dependency, ...]:
        return tuple(
            Dependency(name, "degraded", f"It failed and was started again: {why}")
            for name, why in self._broken.items()
        )


def spool_directory(settings: Settings) -> Path:
    """Give the directory in which the spool lives."""
    told = settings.text("QUOTIDIAN_SPOOL")
    return Path(told).expanduser() if told else Path(settings.text("QUOTIDIAN_DATA")).expanduser() / "spool"

"""A running Home Assistant: everything that its recorder has, over its WebSocket, in windows of an hour to a day."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import aclosing, closing
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
import pyarrow as pa

from quotidian import clock
from quotidian.errors import SettingError
from quotidian.homeassistant.address import Address, socket_url
from quotidian.homeassistant.history import Change, Window, oldest, windows
from quotidian.homeassistant.live import fetch_registries
from quotidian.homeassistant.registries import Registries
from quotidian.homeassistant.session import Session
from quotidian.importers.batch import Attributes, Batch, Reached, batches, constant, entity_fault, horizon
from quotidian.importers.place import Place
from quotidian.importers.rejects import Rejects
from quotidian.model import Home, Source
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.model.event import table_of
from quotidian.settings import Settings

_REMEMBERED: Final = 20_000  #: attributes whose kept text is remembered

_T = TypeVar("_T")


class Position(Reached, frozen=True):
    """The instant (µs, by Home Assistant's clock) before which everything was handed out."""

    until: int


class LiveHistory:
    """The history of a running Home Assistant.

    Entities that were removed are found by the logbook alone, which leaves out sensors with a unit.

    Parameters
    ----------
    where
        Its address, as people write it.
    zone
        The home's time zone, where Home Assistant does not tell it.
    rejects
        Takes what cannot be used.
    settings
        Those in force: token, attributes, machines, and how many days are wanted.
    token
        Asks for the token, where the settings have none.

    Raises
    ------
    SettingError
        When the address is none, or holds a secret, or there is no token.
    AccessError
        When the token is refused.
    UnreachableError
        When nobody answers there, or not as Home Assistant does.
    """

    total: int | None = None

    def __init__(
        self, where: str, zone: str | None, rejects: Rejects, settings: Settings, token: Callable[[], str] | None
    ) -> None:
        url = socket_url(where)
        self._address = Address(url, _token(settings, token), settings.flag("HA_VERIFY_TLS"))
        with _Background() as background:
            version, registries = background.run(_introduced(self._address))
        self.key = f"homeassistant:{url}"
        self.kind = f"Home Assistant {version} at {self._address.host}"
        self.rejects = rejects
        self._place, self._attributes = Place(zone, registries), Attributes(settings.words("QUOTIDIAN_ATTRIBUTES"))
        self.warnings = self._place.warnings
        self._machines = registries.machines | frozenset(settings.words("QUOTIDIAN_MACHINES"))
        self._span = settings.days("QUOTIDIAN_HISTORY_DAYS") * DAY_SECONDS * SECOND
        self._last: Position | None = None
        self._kept: dict[bytes, str | None] = {}
        if not registries.users:
            self.warnings.append(
                "The token is not an administrator's, so it is not known which users are programs: "
                "what they did is learned as if people had done it."
            )

    def home(self, home: Home) -> Home:
        """Lay what the registries know over a home."""
        return self._place.home(home)

    def read(self, position: str | None) -> Iterator[Batch]:
        """Hand out the changes behind a position, as far as the recorder reaches back.

        Raises
        ------
        UnreachableError
            When the connection ends; what was handed out before is not read again.
        RequestError
            When Home Assistant keeps no history.
        """
        self._last = Position.of(position)
        with _Background() as background, closing(self._tables(background, self._last)) as tables:
            yield from batches(tables, lambda: msgspec.json.encode(self._last).decode())

    def _tables(self, background: "_Background", position: Position | None) -> Generator[pa.Table]:
        found = self._windows(position)
        try:
            while (window := background.run(_next(found))) is not None:
                changes = self._usable(window)
                if window.changes:
                    self._last = Position(window.changes[-1].last_updated + 1)
                if changes:
                    yield self._table(changes)
        finally:
            background.run(found.aclose())

    async def _windows(self, position: Position | None) -> AsyncGenerator[Window, None]:
        async with Session.open(self._address) as session:
            start = position.until if position is not None else await self._first(session)
            found = windows(session, start, clock.now(), machines=self._machines)
            async with aclosing(found):
                async for window in found:
                    yield window

    async def _first(self, session: Session) -> int:
        now = clock.now()
        reach = await oldest(session)
        return max(now if reach is None else reach, now - self._span)

    def _usable(self, window: Window) -> list[Change]:
        latest, usable = horizon(), []
        for change in window.changes:
            fault = entity_fault(change.entity_id)
            if fault is None and change.last_updated > latest:
                fault = "a time in the future"
            if fault is None:
                usable.append(change)
            else:
                self.rejects.add(fault, "the history", f"{change.entity_id},{change.state},{change.last_updated}")
        return usable

    def _table(self, changes: list[Change]) -> pa.Table:
        return table_of(
            {
                "entity_id": [change.entity_id for change in changes],
                "last_updated": [change.last_updated for change in changes],
                "last_changed": [None if c.last_changed == c.last_updated else c.last_changed for c in changes],
                "state": [change.state for change in changes],
                "cause": [change.cause.kind.value for change in changes],
                "cause_entity": [change.cause.entity for change in changes],
                "user": [change.cause.user for change in changes],
                "source": constant(Source.HISTORY.value, len(changes)),
                "attributes": [self._text(bytes(change.attributes)) for change in changes],
            }
        )

    def _text(self, attributes: bytes) -> str | None:
        """Give the kept attributes; most texts come again and again."""
        if attributes not in self._kept:
            if len(self._kept) > _REMEMBERED:
                self._kept.clear()
            try:
                self._kept[attributes] = self._attributes.kept(attributes.decode("utf-8", "replace"))
            except ValueError:
                self._kept[attributes] = None
        return self._kept[attributes]


class _Background:
    """An event loop in a thread of its own: the connection lives on while what it brought is being stored."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="homeassistant", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(_ended(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for some work; an interrupt of ours ends it too."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except Exception:
            raise
        except BaseException:
            # An interrupt may come at any time, even before there is a future to be cancelled; and what was worked on
            # can be closed only when the work has let go of it.
            asyncio.run_coroutine_threadsafe(_ended(), self._loop).result()
            raise


async def _ended() -> None:
    """End whatever still runs in this loop, in order."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _introduced(address: Address) -> tuple[str, Registries]:
    async with Session.open(address) as session:
        return session.version, await fetch_registries(session)


async def _next(found: AsyncIterator[Window]) -> Window | None:
    return await anext(found, None)


def _token(settings: Settings, asked: Callable[[], str] | None) -> str:
    token = settings.text("HA_TOKEN").strip() or ("" if asked is None else asked().strip())
    if not token:
        raise SettingError(
            "There is no token for Home Assistant.",
            "Make a long-lived access token on your profile page, under Security, and set HA_TOKEN to it.",
        )
    return token

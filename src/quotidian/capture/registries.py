"""What the registries say, put into the spool whenever it changes."""

import asyncio
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import structlog

from quotidian import clock
from quotidian.capture.cause import Settler
from quotidian.capture.commit import Committer
from quotidian.capture.kept import keep, kept
from quotidian.errors import RequestError, UnreachableError
from quotidian.homeassistant.live import fetch_registries
from quotidian.homeassistant.registries import Registries
from quotidian.homeassistant.session import Session
from quotidian.model import Home, Snapshot
from quotidian.spool import Kind, Spool

DEBOUNCE: Final = 2.0  #: seconds in which changes of the registries are gathered
_FILE: Final = "registries.json"
_log: Final = structlog.get_logger(service="capture")


class Known(msgspec.Struct, frozen=True):
    """What the registries said last, which users are no persons, and whether the token is an administrator's."""

    snapshot: Snapshot
    machines: tuple[str, ...] = ()
    admin: bool = False


class RegistryWatch:
    """Keeps the spool and the causes up to date with the registries.

    Parameters
    ----------
    directory
        Where it is kept what they said last.
    spool, committer
        Take a snapshot when it differs from the one before.
    settler
        Is told who is no person, and which entities are in which area.
    """

    def __init__(self, directory: Path, spool: Spool, committer: Committer, settler: Settler) -> None:
        self._path, self._spool, self._committer, self._settler = directory / _FILE, spool, committer, settler
        self._changed = asyncio.Event()
        self.known = kept(self._path, Known)
        self._tell()

    def changed(self) -> None:
        """Tell that the registries are not what they were."""
        self._changed.set()

    async def watch(self, session: Session, *, admin: bool) -> None:
        """Fetch the registries again after each change, as long as the session lasts."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(DEBOUNCE)
            self._changed.clear()
            try:
                await self.refresh(session, admin=admin)
            except (RequestError, UnreachableError) as error:
                _log.warning("the registries could not be read", reason=str(error))

    async def refresh(self, session: Session, *, admin: bool) -> None:
        """Fetch the registries, and note what they say if it is new."""
        registries = await fetch_registries(session)
        before = self.known
        home = home_of(registries)
        snapshot = Snapshot(clock.now(), home)
        if before is not None and before.snapshot.home == home:
            snapshot = before.snapshot
        known = Known(snapshot, tuple(sorted(registries.machines)), admin)
        if known == before:
            return
        if before is None or snapshot is not before.snapshot:
            self._spool.append(Kind.REGISTRIES, msgspec.json.encode(snapshot), snapshot.since)
            await self._committer.commit()
        keep(self._path, known)
        self.known = known
        self._tell()

    def _tell(self) -> None:
        if self.known is not None:
            members = members_of(self.known.snapshot.home)
            self._settler.know(self.known.machines, members, complete=self.known.admin)


def home_of(registries: Registries) -> Home:
    """Make a home of what the registries say. Its id is left to the store, which has made one."""
    return registries.home(Home(id="", zone=_zone(registries.zone)))


def members_of(home: Home) -> dict[str, tuple[str, ...]]:
    """Give the entities by their area."""
    members: dict[str, list[str]] = {}
    for entity in home.entities.values():
        if entity.area is not None:
            members.setdefault(entity.area, []).append(entity.entity_id)
    return {area: tuple(entities) for area, entities in members.items()}


def _zone(name: str | None) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"

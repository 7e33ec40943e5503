"""A store that another process holds, used over HTTP: every method is a request to that process."""

import datetime as dt
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa

from quotidian import errors
from quotidian.errors import CorruptStoreError, QuotidianError, SettingError, UnreachableError
from quotidian.model.problem import Problem
from quotidian.store.backup.archive import Contents
from quotidian.store.backup.tar import CHUNK, Tar
from quotidian.store.calls import CALLS, Call, unpacked
from quotidian.store.protocols import Appended, Checkpoint, Forgotten, Retained

PATH: Final = "/api/v1/store/"
BACKUP: Final = "/api/v1/backup"
MEDIA: Final = "application/msgpack"
ROWS: Final = 50_000  #: events that travel at once
_CONNECT: Final = 5.0  # seconds
_PATIENCE: Final = 600.0  # seconds: forgetting an entity rewrites every day
_DAY: Final = dt.timedelta(days=1)
_OTHERS: Final = {kind.__name__: kind for kind in (ValueError, TypeError, KeyError)}
_LOST: Final = (http.client.HTTPException, ConnectionError)


class RemoteStore:
    """A store at an address; see ``quotidian.store.protocols.Store`` for what its methods do.

    Errors are those that the store itself raises; ``UnreachableError`` when it does not answer.

    Parameters
    ----------
    url
        The store service's address.
    secret
        The services' shared secret.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA}
        self._connection: http.client.HTTPConnection | None = None
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"RemoteStore({self._url!r})"

    def __getattr__(self, name: str) -> Any:
        call = CALLS.get(name)
        if call is None:
            raise AttributeError(f"a store has no {name!r}")
        if call.is_property:
            return self._made(call)
        return lambda *args, **kwargs: self._made(call, *args, **kwargs)

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        """Add events; a large batch travels in parts, and the checkpoint with the last of them."""
        done = Appended(0, 0)
        last = max(0, (events.num_rows - 1) // ROWS)
        for part in range(last + 1):
            rows = events.slice(part * ROWS, ROWS)
            done += self._made(CALLS["append"], rows, checkpoint if part == last else None)
        return done

    def seal(self, before: dt.date) -> list[dt.date]:
        """Move the events of days into their files, a day at a time, so that what comes in between need not wait."""
        unsealed = [day.date + _DAY for day in self.days() if day.date < before and day.events and not day.sealed_bytes]
        sealed: list[dt.date] = []
        damage: CorruptStoreError | None = None
        # Days with late events are sealed again, with the last call.
        for end in [*unsealed, before]:
            try:
                sealed += self._made(CALLS["seal"], end)
            except CorruptStoreError as error:
                damage = damage or error
        if damage is not None:
            raise damage
        return sealed

    def retain(self, today: dt.date, *, dry_run: bool = False, once: bool = False) -> Retained:
        """Drop what is old, a few days at a time, so that what comes in between need not wait."""
        retained: Retained = self._made(CALLS["retain"], today, dry_run=dry_run, once=True)
        while retained.more and not once and not dry_run:
            retained += self._made(CALLS["retain"], today, once=True)
        return retained

    def forget(self, entity_id: str, progress: Callable[[int, int], None] | None = None) -> Forgotten:
        """Take an entity out of every layer; progress is told once, at the end."""
        forgotten: Forgotten = self._made(CALLS["forget"], entity_id)
        if progress is not None:
            progress(forgotten.days, forgotten.days)
        return forgotten

    def backup(self) -> "RemoteBackup":
        """Ask for all that the store holds now, over a connection of its own."""
        try:
            connection = self._connected()
            connection.request("GET", BACKUP, headers=self._headers)
            response = connection.getresponse()
        except (*_LOST, OSError) as error:
            raise self._unreached(error) from error
        if response.status != http.HTTPStatus.OK:
            with closing(connection):
                _raise(response.status, response.read(), response.headers.get("Retry-After"))
        return RemoteBackup(connection, response)

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            self._drop()

    def _made(self, call: Call, *args: Any, **kwargs: Any) -> Any:
        content = call.packed(args, kwargs)
        with self._turn:
            status, found, after = self._sent(call.name, content)
        if status != http.HTTPStatus.OK:
            _raise(status, found, after)
        try:
            return unpacked(found, call.gives)
        except (msgspec.DecodeError, ValueError) as error:
            raise _stranger() from error

    def _sent(self, name: str, content: bytes) -> tuple[int, bytes, str | None]:
        """Send a request; once more on a new connection when one that was kept turns out to be closed."""
        kept = self._connection is not None
        try:
            return self._once(name, content)
        except _LOST as error:
            self._drop()
            if not kept:
                raise self._unreached(error) from error
        except OSError as error:
            self._drop()
            raise self._unreached(error) from error
        try:
            return self._once(name, content)
        except (*_LOST, OSError) as error:
            self._drop()
            raise self._unreached(error) from error

    def _once(self, name: str, content: bytes) -> tuple[int, bytes, str | None]:
        connection = self._opened()
        connection.request("POST", PATH + name, content, self._headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers.get("Retry-After")

    def _opened(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._connected()
        return self._connection

    def _connected(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=_CONNECT)
        connection.connect()
        connection.sock.settimeout(_PATIENCE)
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unreached(self, error: Exception) -> QuotidianError:
        if isinstance(error, http.client.InvalidURL):
            return SettingError("The store's address cannot be used.", "Write DATA_STORAGE_URL as http://HOST:PORT.")
        return UnreachableError(
            f"The store at {self._url} cannot be reached ({type(error).__name__}).",
            "Look whether Quotidian is still running, then try again.",
        )


class RemoteBackup:
    """An archive that the store's service sends; see ``quotidian.store.protocols.Backup``."""

    damaged = None  # the service sets such a day aside itself

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response
        self._read: list[bytes] = []
        archive = Tar(self)
        self.manifest: Final = Contents(archive, archive.next()).manifest

    def read(self, size: int, /) -> bytes:
        """Read on; what was read is kept until all of it is asked for."""
        self._read.append(self._response.read(size))
        return self._read[-1]

    def chunks(self) -> Iterator[bytes]:
        """Give the archive in pieces.

        Raises
        ------
        UnreachableError
            When the service ends in the middle of it.
        """
        left = self.manifest.size
        try:
            for part in chain(self._read, iter(lambda: self._response.read(CHUNK), b"")):
                left -= len(part)
                yield part
        except (*_LOST, OSError) as error:
            raise _ended() from error
        if left:
            raise _ended()

    def close(self) -> None:
        """End the answer."""
        self._connection.close()


def _ended() -> UnreachableError:
    return UnreachableError("The store went away in the middle of the backup.", "Run this again when it is back.")


def _raise(status: int, content: bytes, after: str | None) -> NoReturn:
    """Raise what the store raised: an error of the same type."""
    told = Problem.of(content)
    if told is None:
        raise _stranger()
    if told.kind in _OTHERS:
        raise _OTHERS[told.kind](told.what)
    kind = getattr(errors, f"{told.kind}Error", None)
    if kind is UnreachableError and after:
        raise UnreachableError(told.what, told.remedy, float(after))
    if kind is None:
        raise UnreachableError(f"The store failed ({status}): {told.what}", told.remedy)
    raise kind(told.what, told.remedy)


def _stranger() -> UnreachableError:
    return UnreachableError("Something else answers at the store's address.", "Check the addresses in the settings.")

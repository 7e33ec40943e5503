"""The only way to a store."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakKeyDictionary

import pyarrow as pa

from quotidian.errors import SettingError, StoreBusyError, StoreRefusedError
from quotidian.settings import Settings
from quotidian.store.embedded.place import PRIVATE, Lock, disk_errors, refuse_network
from quotidian.store.protocols import Store
from quotidian.store.remote import RemoteStore
from quotidian.store.retention import refuse_short

if TYPE_CHECKING:
    from quotidian.store.embedded.backing import Backing
    from quotidian.store.embedded.store import EmbeddedStore

__all__ = ["connect", "refuse_network"]


_locks: Final["WeakKeyDictionary[EmbeddedStore, Lock]"] = WeakKeyDictionary()


def connect(
    directory: Path, settings: Settings | None = None, *, create: bool = True, elsewhere: bool = False
) -> Store:
    """Open the store in a directory: ours alone until it is closed, or over HTTP where a running service holds it.

    Parameters
    ----------
    directory
        Where the store lives, or is to live.
    settings
        By default those of the environment.
    create
        Whether to make a store where there is none.
    elsewhere
        Whether the one that ``DATA_STORAGE_URL`` names counts where there is none here, as in another container.

    Raises
    ------
    StoreBusyError
        When another process has it open and does not serve it.
    StoreRefusedError
        When there is none and none is to be made, it was made by a newer version, it lies on a network
        filesystem, or its directory cannot be written.
    DiskFullError
        When there is no space to make it.
    CorruptStoreError
        When its database is damaged.
    """
    from quotidian.store.backup.restoring import has_store  # noqa: PLC0415 - as in open_here

    settings = settings or Settings()
    named = settings.url("store") if settings.origin("DATA_STORAGE_URL") else None
    if elsewhere and named is not None and not has_store(directory.expanduser()):
        return _served(named, directory, settings)
    try:
        return open_here(directory, settings, create=create)
    except StoreBusyError:
        address = Lock.address(directory.expanduser())
        if address is None:
            raise
        # In another container the holder's own address means nothing; a setting then names it.
        return _served(named or f"http://{address}", directory, settings)


def _served(url: str, directory: Path, settings: Settings) -> Store:
    return cast("Store", RemoteStore(url, _secret(directory.expanduser(), settings)))


def _secret(directory: Path, settings: Settings) -> str:
    """Give the services' secret: the one that is set, else the one that the services made in their directory."""
    path = directory / "secret"
    return settings.text("QUOTIDIAN_SECRET") or (path.read_text().strip() if path.exists() else "")


def open_here(directory: Path, settings: Settings, *, create: bool = True, here: bool = False) -> Store:
    """Open the store in a directory for this process alone.

    With ``here``, what lies in InfluxDB comes back into the directory as the store settles, whatever the settings say.

    Raises
    ------
    StoreBusyError, StoreRefusedError, DiskFullError, CorruptStoreError, SettingError
        As ``connect`` does; also when a running service holds it.
    """
    # Loaded late: a process that asks a store over HTTP, such as that of a nightly job, does without.
    from quotidian.store.backup.restoring import has_store, settle  # noqa: PLC0415
    from quotidian.store.embedded.store import EmbeddedStore  # noqa: PLC0415

    # Arrow's own pool keeps what it once had; on a small machine the system gets it back.
    pa.set_memory_pool(pa.system_memory_pool())
    directory = directory.expanduser()
    refuse_network(directory)
    refuse_short(settings)
    if not create and not has_store(directory):
        raise StoreRefusedError(
            f"There is no store in {directory}.", "Import a source first, or name another directory."
        )
    with disk_errors(directory):
        directory.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    lock = Lock(directory)
    try:
        settle(directory)
        store = EmbeddedStore(directory, settings, lock, _backing(directory, settings, here=here))
    except BaseException:
        lock.release()
        raise
    _locks[store] = lock
    return store


def _backing(directory: Path, settings: Settings, *, here: bool) -> "Backing":
    """Give the place of finished days and summaries that the settings want."""
    from quotidian.store.embedded.backing import Files  # noqa: PLC0415

    kind = settings.text("QUOTIDIAN_STORE")
    if kind not in ("embedded", "influx"):
        raise SettingError(f"QUOTIDIAN_STORE is {kind!r}.", "Set it to embedded or influx.")
    if kind == "embedded" and not here:
        return Files()
    from quotidian.store.influx.backing import InfluxBacking  # noqa: PLC0415

    return InfluxBacking(directory, settings, here=here)


def prepare(settings: Settings) -> list[str]:
    """Make what finished days and summaries need where they are to lie, and tell what was done.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    refuse_short(settings)
    if settings.text("QUOTIDIAN_STORE") != "influx":
        return ["Nothing is to be made: finished days and summaries lie in QUOTIDIAN_DATA."]
    from quotidian.store.influx.buckets import init  # noqa: PLC0415

    return init(settings)


def shortens(settings: Settings) -> bool:
    """Tell whether ``prepare`` would let InfluxDB keep things for less long than it does.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    from quotidian.store.influx.buckets import shortens as found  # noqa: PLC0415

    return settings.text("QUOTIDIAN_STORE") == "influx" and found(settings)


def lacking(settings: Settings) -> list[str]:
    """Tell which of InfluxDB's buckets are missing, or keep less than the settings say.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    from quotidian.store.influx.buckets import shortened  # noqa: PLC0415

    return shortened(settings)


def announce(store: Store, host: str, port: int) -> None:
    """Tell other processes of this machine where the store that we hold is served."""
    lock = _locks.get(cast("EmbeddedStore", store))
    if lock is not None:
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened at
        host = everywhere.get(host, host)
        lock.announce(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

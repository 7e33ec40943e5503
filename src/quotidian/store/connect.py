"""The only way to a store."""

from pathlib import Path

import pyarrow as pa

from quotidian.errors import StoreRefusedError
from quotidian.settings import Settings
from quotidian.store.embedded.database import FILE
from quotidian.store.embedded.place import Lock, disk_errors, refuse_network
from quotidian.store.embedded.store import EmbeddedStore
from quotidian.store.protocols import Store

__all__ = ["connect", "refuse_network"]


def connect(directory: Path, settings: Settings | None = None, *, create: bool = True) -> Store:
    """Open the store in a directory; it is ours alone until it is closed.

    Parameters
    ----------
    directory
        Where the store lives, or is to live.
    settings
        By default those of the environment.
    create
        Whether to make a store where there is none.

    Raises
    ------
    StoreBusyError
        When another process has it open.
    StoreRefusedError
        When there is none and none is to be made, it was made by a newer version, it lies on a network
        filesystem, or its directory cannot be written.
    DiskFullError
        When there is no space to make it.
    CorruptStoreError
        When its database is damaged.
    """
    # Arrow's own pool keeps what it once had; on a small machine the system gets it back.
    pa.set_memory_pool(pa.system_memory_pool())
    directory = directory.expanduser()
    refuse_network(directory)
    if not create and not (directory / FILE).exists():
        raise StoreRefusedError(
            f"There is no store in {directory}.", "Import a source first, or name another directory."
        )
    with disk_errors(directory):
        # What happens in a home is nobody else's business.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(directory)
    try:
        return EmbeddedStore(directory, settings or Settings(), lock)
    except BaseException:
        lock.release()
        raise

"""Importing: a source's events into a store, resumable at every batch."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import uuid4

import msgspec

from quotidian.errors import CorruptSourceError, UnreachableError
from quotidian.importers.source import Source
from quotidian.store.protocols import IMPORT, Appended, Checkpoint, Store

_PATIENCE: Final = 600.0  # seconds that a batch may take to be read and stored


class Imported(msgspec.Struct, frozen=True):
    """What became of a source: rows handed out, what the store made of them, and rows that could not be used.

    ``fault`` says where the source is damaged; what stood before that place was imported.
    """

    read: int
    appended: Appended
    rejected: int
    warnings: tuple[str, ...] = ()
    fault: CorruptSourceError | None = None


def import_source(store: Store, source: Source, progress: Callable[[int, int | None], None] | None = None) -> Imported:
    """Read everything of a source that the store has not had from it yet.

    Each batch becomes durable together with the position behind it, so an import that was stopped goes on from
    there; reading anything twice adds nothing.

    Parameters
    ----------
    progress
        Told after each batch how many rows were read, and of how many, where that is known.

    Raises
    ------
    CorruptSourceError
        When the source is damaged and nothing in it could be used.
    """
    read, appended, fault = 0, Appended(0, 0), None
    owner = uuid4().hex
    _lay(store, source)
    try:
        for batch in source.read(store.checkpoint(source.key)):
            # Areas become known with the rows that name them: before the position passes these rows.
            _lay(store, source)
            store.hold(IMPORT, owner, _PATIENCE)
            appended += store.append(batch.table, Checkpoint(source.key, batch.position))
            read += batch.table.num_rows
            if progress is not None:
                progress(read, source.total)
    except CorruptSourceError as error:
        if not read:
            raise
        fault = error
    finally:
        source.rejects.close()
        with suppress(UnreachableError):  # it ends by itself
            store.release(IMPORT, owner)
    return Imported(read, appended, source.rejects.total, tuple(source.warnings), fault)


def _lay(store: Store, source: Source) -> None:
    home = source.home(store.home)
    if home != store.home:
        store.set_home(home)

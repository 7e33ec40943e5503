"""The store, opened for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quotidian.settings import Settings
from quotidian.store import Store, connect


@contextmanager
def opened(data: Path | None, *, create: bool = False) -> Iterator[Store]:
    """Open the store for one command."""
    settings = Settings()
    place = data or Path(settings.text("QUOTIDIAN_DATA"))
    store = connect(place, settings, create=create, elsewhere=data is None)
    try:
        yield store
    finally:
        store.close()

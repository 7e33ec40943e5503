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
    store = connect(data or Path(settings.text("QUOTIDIAN_DATA")), settings, create=create)
    try:
        yield store
    finally:
        store.close()

"""What the tests of learning share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.conftest import logged

from quotidian.settings import Settings
from quotidian.store import Store, connect

__all__ = ["logged"]


class Stores:
    """Stores below a directory, by name; whoever has one open lets go first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, Store] = {}

    def __call__(self, name: str = "store", **settings: str) -> Store:
        self.close(name)
        self._open[name] = connect(self._directory / name, Settings(settings))
        return self._open[name]

    def close(self, *names: str) -> None:
        for name in names or tuple(self._open):
            if name in self._open:
                self._open.pop(name).close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Stores]:
    """Open stores by their names."""
    stores = Stores(tmp_path)
    yield stores
    stores.close()

"""What the tests of the embedded store share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian.settings import Settings
from quotidian.store import Store, connect

from .. import disks  # noqa: TID252 - tests are no package


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Open a store; opening again closes the one before."""
    stores: list[Store] = []

    def again(directory: Path = tmp_path / "store") -> Store:
        while stores:
            stores.pop().close()
        stores.append(connect(directory, Settings({})))
        return stores[-1]

    yield again
    while stores:
        stores.pop().close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MB."""
    with disks.small_disk(tmp_path, "4m") as place:
        yield place

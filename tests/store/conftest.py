"""What the tests of the embedded store share."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian.settings import Settings
from quotidian.store import Store, connect


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
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("NOT TESTED: mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)

"""The stores that have to keep the contracts: each test runs on every backend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.model import Home
from quotidian.settings import Settings
from quotidian.store import Store, connect

from .in_influx import in_influx
from .rows import NOON, ZONE
from .served import served

BACKENDS = {"embedded": connect, "influx": in_influx, "remote": served}


@pytest.fixture(params=sorted(BACKENDS))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Open a store in a directory of its own; opening again closes the one before."""
    stores: list[Store] = []

    def again(environment: dict[str, str] | None = None, *, directory: Path | None = None) -> Store:
        while stores:
            stores.pop().close()
        store = BACKENDS[request.param](directory or tmp_path / "store", Settings(environment or {}))
        stores.append(store)
        return store

    yield again
    while stores:
        stores.pop().close()


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be noon of the Monday, two weeks later."""
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def store(opened: Callable[..., Store]) -> Store:
    """Give an empty store in Berlin."""
    store = opened()
    store.set_home(Home(store.home.id, ZONE))
    return store

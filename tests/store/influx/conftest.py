"""A store in InfluxDB at noon of a day that is told, and the server beneath it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.model import Home
from quotidian.settings import Settings
from quotidian.store import Store
from quotidian.store.connect import open_here, prepare

from ...influx.server import Influx  # noqa: TID252 - tests are no package
from .days import NOON, ZONE


@pytest.fixture(scope="session")
def running() -> Iterator[Influx]:
    """Run one server for all of these tests."""
    with Influx() as influx:
        yield influx


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let it be another instant than noon of that day."""

    def at(instant: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    at(NOON)
    return at


@pytest.fixture
def influx(running: Influx, time: Callable[[int], None]) -> Iterator[Influx]:
    """Give the server, empty."""
    del time
    running.reset()
    running.now = lambda: clock.now()  # noqa: PLW0108 - the clock changes
    yield running
    running.reset()


@pytest.fixture
def settings(influx: Influx) -> Settings:
    """Give the settings of a store in InfluxDB, whose buckets are there."""
    found = Settings(
        {
            "QUOTIDIAN_STORE": "influx",
            # As long as InfluxDB, by default, keeps them: so a day's file goes once it is no longer recent.
            "QUOTIDIAN_RETENTION_RAW": "7",
            "INFLUXDB_URL": influx.url,
            "INFLUXDB_TOKEN": influx.token,
            "INFLUXDB_ORG": influx.org,
        }
    )
    prepare(found)
    return found


@pytest.fixture
def opened(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Open the store of a test; opening again closes the one before."""
    stores: list[Store] = []

    def again(*, here: bool = False, **values: str) -> Store:
        while stores:
            stores.pop().close()
        store = open_here(tmp_path / "store", settings.replaced(**values), here=here)
        stores.append(store)
        store.set_home(Home(store.home.id, ZONE))
        return store

    yield again
    while stores:
        stores.pop().close()


@pytest.fixture
def store(opened: Callable[..., Store]) -> Store:
    """Give an empty store."""
    return opened()

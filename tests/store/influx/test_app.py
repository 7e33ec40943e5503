"""A store in InfluxDB as a service."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from quotidian.clients import health
from quotidian.errors import UnreachableError
from quotidian.settings import Settings
from quotidian.store.app import create_app
from quotidian.store.app.housekeeping import Housekeeping
from quotidian.store.app.thread import StoreThread
from quotidian.store.connect import open_here

from ...contracts.deliveries import arrival, delivery  # noqa: TID252 - tests are no package
from ...influx.server import Influx  # noqa: TID252
from ...service.apps import served  # noqa: TID252
from .days import DAY, MONDAY, NOON, away, many, settled


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def records(influx: Influx) -> int:
    """Count the events in InfluxDB."""
    return sum(name == "record" for _, _, name, _, _ in influx.buckets["home_assistant_events"].points())


def test_what_is_new_is_shown_and_what_is_over_is_moved(influx: Influx, settings: Settings, tmp_path: Path) -> None:
    """By the store itself; while InfluxDB is away, it says why not, takes events, and goes on when it is back."""

    async def run() -> None:
        thread = StoreThread(lambda: open_here(tmp_path, settings))
        await thread.open()
        rounds = Housekeeping(thread)
        showing = asyncio.create_task(rounds.show(0.01))
        await thread.call(lambda store: store.receive(delivery(1, 1, arrival(1, "light.a", NOON))))
        await until(lambda: records(influx) == 1)
        with away(influx):
            await thread.call(lambda store: store.receive(delivery(2, 2, arrival(2, "light.b", NOON))))
            await thread.call(lambda store: store.append(many(MONDAY)))
            await until(lambda: "does not answer" in rounds.unshown)
            try:
                await rounds.round()
            except UnreachableError:
                pass
            else:
                raise AssertionError("InfluxDB was not missed")
            days = await thread.call(lambda store: [day.date for day in store.days() if day.sealed_bytes])
            assert MONDAY in days
        await until(lambda: not rounds.unshown)
        await rounds.round()
        moved = await thread.call(lambda store: sum(day.events for day in store.days() if day.date < MONDAY + DAY))
        await until(lambda: records(influx) == moved + 2)
        showing.cancel()
        await thread.close()

    asyncio.run(run())


def test_health_names_influxdb(settings: Settings, tmp_path: Path, influx: Influx) -> None:
    """A store that cannot show what is new, nor read what is over, is degraded and not down: it takes events."""
    with closing(open_here(tmp_path, settings)) as store:
        store.append(many(MONDAY))
        settled(store)

    async def run() -> None:
        async with served(create_app(settings.replaced(QUOTIDIAN_DATA=str(tmp_path)))) as url:
            found = await health(url)
            assert {one.name: one.state for one in found.dependencies}["influxdb"] == "ok"
            with away(influx):
                found = await health(url)
                assert {one.name: one.state for one in found.dependencies}["database"] == "degraded"
                assert found.state == "degraded"

    asyncio.run(run())

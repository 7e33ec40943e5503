"""The store as a service: the only one that opens a database."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from fastapi import FastAPI

from quotidian.errors import QuotidianError, UnreachableError
from quotidian.model.health import State
from quotidian.service import Dependency, Health, create
from quotidian.settings import Settings
from quotidian.store.app import backup, calls, intake, reading
from quotidian.store.app.housekeeping import Housekeeping
from quotidian.store.app.thread import StoreThread
from quotidian.store.connect import announce, open_here
from quotidian.store.protocols import Store
from quotidian.store.retention import losses

_PATIENCE: Final = 3.0  # seconds that the store may be busy with something else before that is worth telling
_LITTLE: Final = 200_000_000  # bytes


def create_app(settings: Settings, store: Callable[[], Store] | None = None) -> FastAPI:
    """Make the store's application.

    Parameters
    ----------
    settings
        They say where the store lives.
    store
        Opens the store, in the thread in which it is going to live; by default the one in ``QUOTIDIAN_DATA``.
    """
    directory = Path(settings.text("QUOTIDIAN_DATA")).expanduser()
    thread = StoreThread(store or partial(open_here, directory, settings))
    housekeeping = Housekeeping(thread)
    elsewhere = settings.text("QUOTIDIAN_STORE") == "influx"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = await thread.open()
        for loss in losses(settings):
            structlog.get_logger(service="store").warning("less is kept than could be learned from", what=loss)
        if app.state.address is not None:
            app.state.access.secret  # noqa: B018 - made now, so that others who find the address can read it
            await thread.call(lambda _: announce(opened, *app.state.address))
        tasks = [asyncio.create_task(housekeeping.run())]
        if elsewhere:
            tasks.append(asyncio.create_task(housekeeping.show()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await thread.close()

    async def health() -> Health:
        rounds = (_rounds(housekeeping), *_shown(housekeeping, elsewhere), *_expiring(housekeeping))
        needed = (await _database(thread), _disk(directory), *rounds)
        states = {one.state for one in needed}
        state: State = "down" if "down" in states else "ok" if states == {"ok"} else "degraded"
        return Health(state, needed, taking.figures)

    app = create("store", settings, health, lifespan)
    taking = intake.Intake(app, thread)
    intake.add(app, taking)
    reading.add(app, thread, taking)
    calls.add(app, thread)
    backup.add(app, thread)
    return app


async def _database(thread: StoreThread) -> Dependency:
    try:
        await asyncio.wait_for(thread.call(lambda store: store.latest()), _PATIENCE)
    except TimeoutError:
        return Dependency("database", "degraded", f"It has been busy for over {_PATIENCE:g} s.")
    except UnreachableError as error:
        # Events are taken all the same.
        return Dependency("database", "degraded", str(error))
    except QuotidianError as error:
        return Dependency("database", "down", str(error))
    return Dependency("database", "ok")


def _disk(directory: Path) -> Dependency:
    free = shutil.disk_usage(directory).free
    if free < _LITTLE:
        return Dependency("disk", "degraded", f"Only {free // 1_000_000} MB are free where the store lives.")
    return Dependency("disk", "ok")


def _shown(housekeeping: Housekeeping, elsewhere: bool) -> list[Dependency]:
    state: State = "degraded" if housekeeping.unshown else "ok"
    return [Dependency("influxdb", state, housekeeping.unshown)] if elsewhere else []


def _expiring(housekeeping: Housekeeping) -> list[Dependency]:
    return [Dependency("retention", "degraded", housekeeping.warning)] if housekeeping.warning else []


def _rounds(housekeeping: Housekeeping) -> Dependency:
    return Dependency("housekeeping", "degraded" if housekeeping.trouble else "ok", housekeeping.trouble)

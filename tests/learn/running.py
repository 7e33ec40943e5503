"""The learning's service before a real store, in this process: only its jobs are processes of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from fastapi import FastAPI

from quotidian.clients import StoreClient
from quotidian.learn.app import create_app
from quotidian.learn.runner import PROGRAM, Runner
from quotidian.model import Job
from quotidian.settings import Settings
from quotidian.store import connect
from quotidian.store.app import create_app as create_store

from ..detect.building import household  # noqa: TID252 - tests are no package
from ..service.apps import served  # noqa: TID252 - tests are no package
from .living import tell_all

SECRET = "canary-secret-of-learn"


def filled(directory: Path, days: int = 9) -> int:
    """Make a store with some days of a household; give the number of its events."""
    store = connect(directory, Settings({}))
    try:
        tell_all(store, household(3, days))
        return sum(record.events for record in store.days())
    finally:
        store.close()


@asynccontextmanager
async def stored(directory: Path) -> AsyncIterator[str]:
    """Serve the store in a directory; give its address."""
    async with served(create_store(Settings({"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET}))) as url:
        yield url


@asynccontextmanager
async def running(directory: Path, **options: Any) -> AsyncIterator[tuple[Runner, StoreClient]]:
    """Let a runner work for the store in a directory."""
    async with stored(directory) as url:
        store = StoreClient(url, SECRET)
        runner = Runner(store, url, SECRET, **options)
        task = asyncio.create_task(runner.run())
        try:
            yield runner, store
        finally:
            task.cancel()
            await asyncio.wait([task])
            await store.close()


@asynccontextmanager
async def learning(directory: Path, **settings: str) -> AsyncIterator[tuple[str, FastAPI]]:
    """Serve learn before the store in a directory; give its address and its application."""
    async with stored(directory) as url:
        told = {"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET, "DATA_STORAGE_URL": url, **settings}
        app = create_app(Settings(told))
        async with served(app) as address:
            yield address, app


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def children() -> list[int]:
    """Give the processes in which our jobs run."""
    return [one.pid for one in psutil.Process().children() if PROGRAM[-1] in one.cmdline()]


def facts(job: Job) -> tuple[str, str]:
    """Give how a job ended, and why."""
    return job.state.value, job.error

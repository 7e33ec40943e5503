"""Capture, running in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quotidian.capture.capture import Capture
from quotidian.settings import Settings

from .delivering import SECRET, KeptEnrich, held, serving


def settings_for(home: str, token: str, data: Path, enrich: str, **more: str) -> Settings:
    """Give settings of a capture that commits at once."""
    return Settings(
        {
            "HA_URL": home,
            "HA_TOKEN": token,
            "QUOTIDIAN_DATA": str(data),
            "QUOTIDIAN_COMMIT_INTERVAL": "0",
            "QUOTIDIAN_HISTORY_DAYS": "1",
            "ENRICHMENT_PIPELINE_URL": enrich,
            "DATA_STORAGE_URL": enrich,
            **more,
        }
    )


@asynccontextmanager
async def capturing(settings: Settings, *, filled: bool = True) -> AsyncIterator[Capture]:
    """Run capture; begin when it listens and has filled what was missing."""
    async with Capture.open(settings, SECRET) as capture:
        await listening(capture, filled=filled)
        yield capture


async def listening(capture: Capture, *, filled: bool = True) -> None:
    """Wait until capture listens, and has filled what was missing."""
    await held(lambda: capture.link.state == "connected")
    if filled:
        await held(lambda: not capture.gaps.open and capture.spool.committed == capture.spool.appended)


async def delivered(capture: Capture, enrich: KeptEnrich) -> None:
    """Wait until enrich has everything that was heard."""
    await held(lambda: enrich.covered >= capture.spool.appended)


@asynccontextmanager
async def enriched(home: str, token: str, data: Path, **more: str) -> AsyncIterator[tuple[KeptEnrich, Settings]]:
    """Serve an enrich, and give settings of a capture that delivers to it."""
    enrich = KeptEnrich()
    async with serving(enrich.app) as url:
        yield enrich, settings_for(home, token, data, url, **more)


async def told(function: object, *args: object, **named: object) -> None:
    """Call something that blocks, in a thread."""
    assert callable(function)
    await asyncio.to_thread(function, *args, **named)

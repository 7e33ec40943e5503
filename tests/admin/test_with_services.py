"""The admin service before the real store, enrich and capture."""

import asyncio
from pathlib import Path

import aiohttp
import msgspec

from quotidian.admin.app import create_app
from quotidian.capture.app import create_app as create_capture
from quotidian.enrich.app import create_app as create_enrich
from quotidian.settings import Settings
from quotidian.store.app import create_app as create_store

from .pipeline import SECRET, served


def test_an_event_is_seen_where_people_look(tmp_path: Path) -> None:
    """What is posted to enrich stands on the page and in the API, and health knows what the real services say."""

    async def run() -> None:
        settings = Settings({"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET})
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with served(create_store(settings)) as store_url:
            settings = settings.replaced(DATA_STORAGE_URL=store_url)
            async with served(create_enrich(settings)) as enrich_url:
                settings = settings.replaced(ENRICHMENT_PIPELINE_URL=enrich_url)
                async with served(create_capture(settings)) as capture_url:
                    settings = settings.replaced(QUOTIDIAN_CAPTURE_URL=capture_url)
                    async with served(create_app(settings)) as url, aiohttp.ClientSession(headers=headers) as session:
                        await _look(session, enrich_url, url)

    asyncio.run(run())


async def _look(session: aiohttp.ClientSession, enrich_url: str, url: str) -> None:
    event = {"entity_id": "light.desk", "state": "brand new"}
    async with session.post(enrich_url + "/api/v1/events", data=msgspec.json.encode(event)) as response:
        (told,) = (await response.json())["results"]
    async with session.get(url + "/api/v1/events/recent") as response:
        assert [one["event_id"] for one in (await response.json())["events"]] == [told["event_id"]]
    async with session.get(url + "/") as response:
        page = await response.text()
    assert "brand new" in page
    assert "Nobody has said where Home Assistant is." in page
    async with session.get(url + "/api/v1/loss") as response:
        (certificate,) = (await response.json())["certificates"]
    assert (certificate["manual"], certificate["provisional"]) == (1, True)
    async with session.get(url + "/health") as response:
        found = await response.json()
    states = {one["name"]: one["state"] for one in found["dependencies"]}
    assert (states["store"], states["enrich"], states["store.database"]) == ("ok", "ok", "ok")
    assert states["capture.homeassistant"] == "down"
    assert (found["figures"]["home_assistant"], found["figures"]["spool_depth"]) == ("unset", 0)
    async with session.get(url + "/api/v1/stats") as response:
        stats = await response.json()
    assert (stats["store"]["events"], stats["enrich"]["events"], stats["capture"]["spool"]["full"]) == (1, 1, False)

"""Enrich before the real store: what is acknowledged is there, described as it was, also after a restart."""

import asyncio
from pathlib import Path

import aiohttp

from quotidian.clients import EnrichClient, StoreClient
from quotidian.enrich.app import create_app
from quotidian.model import CauseKind, Snapshot
from quotidian.model.delivery import Gap, GapNote, RegistryNote
from quotidian.settings import Settings
from quotidian.store.app import create_app as create_store

from .serving import SECRET, Service, serving
from .telling import MOVED, NEW, NOW, OLD, changed, delivery, heard, state


def settings_of(directory: Path, **more: str) -> Settings:
    """Give settings of services that share a secret."""
    return Settings({"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET, **more})


def test_what_is_acknowledged_is_in_the_store(tmp_path: Path) -> None:
    """Events with what the registries said, dead letters, notes of gaps, and the numbers of the stream."""

    async def run() -> None:
        async with serving(create_store(settings_of(tmp_path))) as store_url:
            told = settings_of(tmp_path, DATA_STORAGE_URL=store_url)
            store = StoreClient(store_url, SECRET)
            async with serving(create_app(told)) as url:
                enrich = EnrichClient(url, SECRET)
                sent = delivery(
                    RegistryNote(seq=1, arrived=NOW, snapshot=Snapshot(MOVED - 10**10, OLD)),
                    heard(2, changed(new=state("light.desk", "on", MOVED - 1))),
                    heard(3, changed("desk", "on")),
                    GapNote(seq=4, arrived=NOW, gap=Gap(id="g", start=MOVED, end=MOVED + 5)),
                )
                receipt = await enrich.deliver(sent)
                assert (receipt.last, receipt.new, [one.seq for one in receipt.refusals]) == (4, 1, [3])
                assert await enrich.deliver(sent) == receipt
                await enrich.close()
            async with serving(create_app(told)) as url, aiohttp.ClientSession() as session:
                enrich = EnrichClient(url, SECRET)
                await enrich.deliver(delivery(heard(5, changed(new=state("light.desk", "off", MOVED - 2)))))
                note = RegistryNote(seq=6, arrived=NOW, snapshot=Snapshot(MOVED, NEW))
                await enrich.deliver(delivery(note, heard(7, changed(new=state("light.desk", "off", MOVED + 1)))))
                service = Service(url, session, None, str(tmp_path))  # type: ignore[arg-type]
                posted = {"entity_id": "light.desk", "state": "on", "timestamp": (MOVED + 2) / 1e6}
                assert (await service.post([posted, {"entity_id": "desk"}]))[0] == 207
                assert (await service.post(posted))[0] == 200
                await enrich.close()
            found = (await store.events(limit=10)).events
            said = [(one.new_state, one.area, one.floor, one.cause.kind) for one in found]
            assert said == [
                ("on", "hall", None, CauseKind.MANUAL),
                ("off", "hall", None, CauseKind.PHYSICAL),
                ("on", "den", "Attic", CauseKind.PHYSICAL),
                ("off", "den", "Attic", CauseKind.PHYSICAL),
            ]
            assert {one.home for one in found} == {(await store.home()).id}
            assert [await store.received(stream) for stream in ("stream", "by-hand")] == [7, 3]
            assert [gap.id for gap in await store.gaps()] == ["g"]
            await store.close()

    asyncio.run(run())

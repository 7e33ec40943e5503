"""Connections that break in every way: each event is stored, and stored once (R7)."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import SEEDS, settled
from .proxy import Proxy
from .running import PORTS, Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome


class Links:
    """A pipeline with a proxy on each way: Home Assistant to capture, capture to enrich, enrich to store."""

    def __init__(self, nursery: Nursery, home: ScriptedHome, folder: Path, stack: ExitStack) -> None:
        self.home = home
        self.heard = stack.enter_context(Proxy(home.port))
        self.pipeline = Pipeline(nursery, folder, (self.heard.url, TOKEN))
        self.delivered = stack.enter_context(Proxy(self.pipeline.port + PORTS["enrich"]))
        self.kept = stack.enter_context(Proxy(self.pipeline.port + PORTS["store"]))
        self.pipeline.settings |= {"ENRICHMENT_PIPELINE_URL": self.delivered.url, "DATA_STORAGE_URL": self.kept.url}
        stack.enter_context(self.pipeline)
        self.proxies = (self.heard, self.delivered, self.kept)
        self.pipeline.start()
        home.listened()


@pytest.fixture(scope="module")
def links(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Links]:
    """Run a pipeline with proxies."""
    with ExitStack() as stack:
        home = stack.enter_context(ScriptedHome())
        yield Links(nursery, home, tmp_path_factory.mktemp("links"), stack)


@pytest.mark.parametrize("seed", SEEDS)
def test_connections_cut_and_half_closed(links: Links, seed: int) -> None:
    """Cut or half-closed at seeded moments on any way, under load."""
    seeded = random.Random(seed)
    links.home.flood(1500, rate=500, entities=20)
    for _ in range(12):
        time.sleep(seeded.uniform(0.02, 0.4))  # the seeded moment, not a wait for something
        proxy = seeded.choice(links.proxies)
        seeded.choice((proxy.cut, proxy.half_close))()
    settled(links.pipeline, links.home)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_lost_after_delivery(links: Links, seed: int) -> None:
    """Requests that were carried out, but whose answers never came, are repeated without a second row."""
    seeded = random.Random(seed)
    before = links.delivered.lost + links.kept.lost
    links.home.flood(1000, rate=500, entities=20)
    for _ in range(6):
        proxy = seeded.choice((links.delivered, links.kept))
        proxy.losing = 1
        until(lambda proxy=proxy: proxy.losing == 0)  # type: ignore[misc]
    assert links.delivered.lost + links.kept.lost == before + 6
    settled(links.pipeline, links.home)


@pytest.mark.parametrize("way", [1, 2], ids=["capture to enrich", "enrich to store"])
def test_a_slow_connection(links: Links, way: int) -> None:
    """Throttled and delayed, all arrives."""
    proxy = links.proxies[way]
    proxy.delay, proxy.pace = 0.02, 300_000
    links.home.flood(1000, rate=1000, entities=20)
    try:
        settled(links.pipeline, links.home)
    finally:
        proxy.delay, proxy.pace = 0.0, 0.0


def test_silent_peers_on_every_way(links: Links) -> None:
    """Half-open connections, on which nothing comes any more, are given up by themselves within 30 s."""
    links.delivered.silent = links.kept.silent = True
    links.home.flood(100, rate=500, entities=20, wait=True)
    until(lambda: links.pipeline.get("capture", "/api/v1/status")["spool"]["depth"] > 0)
    links.heard.silent = True
    links.home.change("light.unheard", "on")
    accepted = [proxy.accepted for proxy in links.proxies[:2]]
    until(lambda: all(p.accepted > n for p, n in zip(links.proxies, accepted, strict=False)), 30)
    for proxy in links.proxies:
        proxy.cut()
        proxy.silent = False
    settled(links.pipeline, links.home)

"""Whatever is killed, and whenever: what was acknowledged is there, and there once (R1)."""

import random
import signal
import time
from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import SEEDS, settled, total
from .running import SERVICES, Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome


@pytest.mark.parametrize("seed", SEEDS)
def test_services_killed_under_load(nursery: Nursery, home: ScriptedHome, tmp_path: Path, seed: int) -> None:
    """Each service is killed twice, in a seeded order at seeded moments, while 500 events a second come."""
    seeded = random.Random(seed)
    victims = seeded.sample(SERVICES * 2, len(SERVICES) * 2)
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(4000, rate=500, entities=40)
        for victim in victims:
            time.sleep(seeded.uniform(0.05, 1.0))  # the seeded moment, not a wait for something
            assert pipeline.kill(victim) == -signal.SIGKILL
            time.sleep(seeded.uniform(0, 0.3))
            pipeline.start(victim, ready=victim == "store")
        settled(pipeline, home)


def test_all_killed_at_once(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """All services are killed together under load, as by a power cut, while the home goes on."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(1500, rate=500, entities=40)
        until(lambda: total(pipeline) > 300)
        for name in SERVICES:
            pipeline.kill(name)
        home.changes("light.meanwhile", 20)
        pipeline.start()
        settled(pipeline, home)


def test_an_orderly_stop_loses_nothing(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """SIGTERM ends each service by itself; started again they go on from where they were."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(1000, rate=500, entities=40)
        until(lambda: total(pipeline) > 100)
        assert [pipeline.kill(name, signal.SIGTERM) for name in reversed(SERVICES)] == [0, 0, 0]
        pipeline.start()
        settled(pipeline, home)

"""A spool whose bytes were damaged: set aside, counted, and the span filled again (R4)."""

import random
from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import SEEDS, settled
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome


@pytest.mark.parametrize("case", [("flipped", 7200), ("flipped", -7200), ("torn", 7200)])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_spool(
    nursery: Nursery, home: ScriptedHome, tmp_path: Path, seed: int, case: tuple[str, int]
) -> None:
    """Bits flipped in the midst, or the tail torn off, while events wait: the rest goes on, what is lost is filled.

    Home Assistant's clock is ahead of ours, or behind.
    """
    how, ahead = case
    seeded = random.Random(seed)
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        home.set(ahead=ahead)
        pipeline.start()
        home.listened()
        home.changes("light.desk", 20)
        settled(pipeline, home)
        pipeline.kill("store")
        home.flood(600, rate=1000, entities=20, wait=True)
        until(lambda: home.status()["pending"] == 0)
        until(lambda: _spooled(pipeline) >= 620)
        pipeline.kill("capture")
        _damage(pipeline.data / "spool", how, seeded)
        pipeline.start("store", "capture")
        if how == "flipped":
            until(lambda: list((pipeline.data / "spool" / "quarantine").glob("*")) != [])
        settled(pipeline, home, damaged=how == "flipped")


def _spooled(pipeline: Pipeline) -> int:
    return sum(path.read_bytes().count(b'"state_changed"') for path in (pipeline.data / "spool").glob("*.log"))


def _damage(spool: Path, how: str, seeded: random.Random) -> None:
    path = max(spool.glob("*.log"), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    if how == "torn":
        del content[-seeded.randrange(10, len(content) // 4) :]
    else:
        for _ in range(3):
            content[seeded.randrange(len(content) // 2, len(content))] ^= 1 << seeded.randrange(8)
    path.write_bytes(content)

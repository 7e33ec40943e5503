"""A disk that is full: said, nothing damaged, and all goes on within 10 s once there is space (R3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import disks  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import settled
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 8 MB."""
    with disks.small_disk(tmp_path, "8m") as place:
        yield place


@pytest.mark.parametrize("what", ["spool", "store"])
def test_a_full_disk(nursery: Nursery, home: ScriptedHome, tmp_path: Path, small_disk: Path, what: str) -> None:
    """When the disk of the spool or of the store is full it is said; with space again, all that was said is stored."""
    places = {
        "spool": {"QUOTIDIAN_SPOOL": str(small_disk / "spool")},
        "store": {"QUOTIDIAN_SPOOL": str(tmp_path / "spool")},
    }
    with Pipeline(nursery, tmp_path, (home.url, TOKEN), **places[what]) as pipeline:
        if what == "store":
            pipeline.data = small_disk / "data"
            pipeline.settings["QUOTIDIAN_DATA"] = str(pipeline.data)
        pipeline.start()
        home.listened()
        home.changes("light.desk", 20)
        settled(pipeline, home)
        ballast = disks.filled(small_disk)
        home.flood(4000, rate=2000, entities=20, wait=True)
        until(lambda: _said(pipeline, what))
        ballast.unlink()
        settled(pipeline, home, 15)


def _said(pipeline: Pipeline, what: str) -> bool:
    if what == "spool":
        return pipeline.get("capture", "/health")["state"] != "ok"
    return "No space is left for the store" in pipeline.log("enrich")

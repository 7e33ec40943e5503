"""A store that is an older one than capture delivered to: emptied, or brought back from a backup."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import certificates, said, stored, total
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome

_BY_HAND = b'{"event_type": "state_changed", "entity_id": "light.hand", "state": "on"}'


@pytest.mark.parametrize("backup", ["none", "of another life", "of yesterday"])
def test_an_older_store(nursery: Nursery, home: ScriptedHome, tmp_path: Path, backup: str) -> None:
    """What capture had delivered to the store before is delivered again, also what was posted by hand."""
    kept = tmp_path / "kept"
    home.changes("light.desk", 5)
    with Pipeline(nursery, tmp_path, (home.url, TOKEN), QUOTIDIAN_SPOOL=str(tmp_path / "spool")) as pipeline:
        pipeline.start("store")
        if backup == "of another life":
            _while_stopped(pipeline, lambda: shutil.copytree(pipeline.data, kept))
        pipeline.start("enrich", "capture")
        until(lambda: total(pipeline) == 5)
        if backup == "of yesterday":
            _while_stopped(pipeline, lambda: shutil.copytree(pipeline.data, kept))
        home.changes("light.desk", 20)
        until(lambda: total(pipeline) == 25)
        assert pipeline.status_of("capture", "/api/v1/events/forward", _BY_HAND)[0] == 200
        until(lambda: total(pipeline) == 26)
        _while_stopped(pipeline, lambda: _replaced(pipeline.data, kept))
        home.changes("light.desk", 1)
        until(lambda: total(pipeline) >= 27, 60)
        found = [one for one in stored(pipeline) if one[0] != "light.hand"]
        assert sorted(found) == sorted(said(home.ledger()))
        assert total(pipeline) == len(found) + 1
        assert not any(one["missing"] for one in certificates(pipeline))
        until(lambda: all(gap["state"] != "open" for one in certificates(pipeline) for gap in one["gaps"]))


def _while_stopped(pipeline: Pipeline, act: Callable[[], object]) -> None:
    """Act while the store is stopped."""
    pipeline.kill("store")
    act()
    pipeline.start("store")


def _replaced(data: Path, kept: Path) -> None:
    """Put a backup in the place of a store, or nothing; the secret stays."""
    secret = (data / "secret").read_bytes()
    shutil.rmtree(data)
    if kept.exists():
        shutil.copytree(kept, data)
    data.mkdir(exist_ok=True)
    (data / "secret").touch(0o600)
    (data / "secret").write_bytes(secret)

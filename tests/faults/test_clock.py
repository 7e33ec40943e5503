"""Clocks that jump: each event is stored once, at the time that Home Assistant gave it."""

from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import settled
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome

_HOUR = 3600


@pytest.mark.parametrize("ahead", [_HOUR, -_HOUR], ids=["forward", "back"])
def test_home_assistants_clock_jumps(nursery: Nursery, home: ScriptedHome, tmp_path: Path, ahead: int) -> None:
    """It jumps by an hour while we listen, and nothing is lost or doubled."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.changes("light.desk", 20)
        home.set(ahead=ahead)
        home.changes("light.desk", 20)
        settled(pipeline, home)


@pytest.mark.parametrize("ahead", [_HOUR, -_HOUR], ids=["forward", "back"])
def test_it_jumps_while_nobody_listens(nursery: Nursery, home: ScriptedHome, tmp_path: Path, ahead: int) -> None:
    """It jumps by an hour while we are cut off, and what happened before and after the jump is filled."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.changes("light.desk", 20)
        settled(pipeline, home, 10)
        home.shut()
        home.changes("light.desk", 5)
        home.set(ahead=ahead)
        home.changes("light.desk", 5)
        home.open()
        home.listened()
        until(lambda: home.status()["asked"].get("get_states", 0) > 1)
        home.changes("light.desk", 1)
        settled(pipeline, home, 10)

"""The store is away for long while much happens: bounded memory, nothing lost, drained in order (R5)."""

import signal
from pathlib import Path

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import events, settled
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome, quiet

_MEGABYTE = 1_000_000
_DAY = 20_000  #: events: what a busy home tells in hours


def test_a_long_outage_of_the_store(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """All is spooled within little memory, then stored in the order in which it was heard."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(200, entities=50, wait=True)
        settled(pipeline, home)
        pipeline.kill("store")
        before = pipeline.memory("capture", "VmRSS"), pipeline.memory("enrich", "VmRSS")
        home.flood(_DAY, rate=4000, entities=50)
        quiet(home)
        pipeline.start("store")
        settled(pipeline, home)
        after = pipeline.memory("capture"), pipeline.memory("enrich")
        assert max(now - then for now, then in zip(after, before, strict=True)) < 60 * _MEGABYTE
        arrived = [(one["entity_id"], one["last_updated"]) for one in _by_arrival(pipeline)]
        assert arrived[-_DAY:] == [row[:2] for row in home.ledger()[-_DAY:]]


def _by_arrival(pipeline: Pipeline) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    cursor = "0"
    while page := pipeline.get("store", "/api/v1/events", after=cursor, limit=1000):
        found += page["events"]
        if not page["events"]:
            return found
        cursor = page["cursor"]
    return found


def test_the_spool_over_its_quota(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """When no more may wait, listening stops; what was missed is filled from the history, once there is room."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN), QUOTIDIAN_SPOOL_QUOTA="3") as pipeline:
        pipeline.start()
        home.listened()
        home.flood(100, entities=50, wait=True)
        settled(pipeline, home)
        pipeline.kill("store")
        home.flood(12_000, rate=6000, entities=50, wait=True)
        until(lambda: home.status()["listeners"] == 0)
        spool = sum(path.stat().st_size for path in (pipeline.data / "spool").rglob("*") if path.is_file())
        assert spool < 4 * _MEGABYTE
        pipeline.start("store")
        settled(pipeline, home, 90)
        assert any(one["source"] == "history" for one in events(pipeline))


def test_a_home_that_loses_its_patience(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """A flood beyond what Home Assistant keeps for a slow client ends the connection; what it dropped is filled."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.set(impatient=True)
        pipeline.send("capture", signal.SIGSTOP)
        until(lambda: _lost_patience(home))
        pipeline.send("capture", signal.SIGCONT)
        home.listened()
        settled(pipeline, home)


def _lost_patience(home: ScriptedHome) -> bool:
    """Flood; how much the system's own buffers take before anybody has to wait differs between machines."""
    home.flood(10_000, entities=2000, wait=True)
    return bool(home.status()["listeners"] == 0)

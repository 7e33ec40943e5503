"""A real Home Assistant that is restarted, killed, cut off and paused: what it recorded is stored, once (R6, R12)."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252
from .agreement import differences, events, stored
from .proxy import Proxy
from .recorder import recorded
from .running import Nursery, Pipeline

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]
_TICKING = "automation.ticking"


class Watched:
    """A real Home Assistant with automations, listened to through a proxy."""

    def __init__(self, nursery: Nursery, folder: Path, stack: ExitStack) -> None:
        self.home = RealHomeAssistant(folder / "homeassistant", FURNISHED)
        stack.enter_context(self.home)
        self.proxy = stack.enter_context(Proxy(int(self.home.url.rpartition(":")[2])))
        self.pipeline = stack.enter_context(Pipeline(nursery, folder, (self.proxy.url, self.home.token)))
        self.pipeline.start()
        self.listening()

    def listening(self) -> None:
        """Wait until a change reaches the store."""
        last = self.tick()
        until(lambda: any(one["last_updated"] > last for one in self._newest()), 60)

    def tick(self) -> int:
        """Let something happen; give when."""
        now = time.time_ns() // 1000
        self.home.call("light.toggle", entity_id="light.desk")
        return now

    def _newest(self) -> list[dict[str, int]]:
        try:
            return list(self.pipeline.get("store", "/api/v1/events", limit=1)["events"])
        except OSError:
            return []

    @property
    def connected(self) -> bool:
        """Whether capture says that it listens."""
        return self.pipeline.get("capture", "/health")["state"] == "ok"

    def agrees(self, *, exactly: bool = True) -> None:
        """Wait until the store holds what was recorded, and check that it holds each change once."""
        self.tick()
        time.sleep(1.5)  # the recorder commits once a second
        wanted = Counter(recorded(self.home))
        try:
            until(lambda: not wanted - Counter(stored(self.pipeline)), 25)
        except TimeoutError:
            raise AssertionError(differences(wanted, Counter(stored(self.pipeline)))) from None
        found = Counter(stored(self.pipeline))
        assert max(found.values()) == 1
        if exactly:  # the recorder writes late too
            until(lambda: not found - Counter(recorded(self.home)), 15)


@pytest.fixture(scope="module")
def watched(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run a real Home Assistant whose automation switches a light each second, and a pipeline that listens to it."""
    with ExitStack() as stack:
        made = Watched(nursery, tmp_path_factory.mktemp("watched"), stack)
        made.home.call("automation.turn_on", entity_id=_TICKING)
        yield made


def test_cut_off_while_automations_go_on(watched: Watched) -> None:
    """While nobody can connect, the home's own automations change states: the gap is filled, with their causes."""
    before = time.time_ns() // 1000
    watched.proxy.refusing = True
    watched.proxy.cut()
    time.sleep(5)  # the automation ticks
    watched.proxy.refusing = False
    after = time.time_ns() // 1000
    watched.listening()
    watched.agrees()
    lamp = [
        e for e in events(watched.pipeline) if e["entity_id"] == "light.desk" and before < e["last_updated"] < after
    ]
    assert len(lamp) >= 4
    assert {one["cause"]["kind"] for one in lamp} == {"automation"}
    assert {one["cause"]["entity"] for one in lamp} == {_TICKING}


def test_restarted(watched: Watched) -> None:
    """Restarted in the middle, all that it recorded is there once, and no lamp that came back is a switching."""
    watched.home.restart()
    watched.home.call("automation.turn_on", entity_id=_TICKING)
    watched.listening()
    watched.agrees()


def test_killed(watched: Watched) -> None:
    """Killed in the middle, all that it recorded is there once."""
    watched.home.kill()
    watched.home.start()
    watched.home.call("automation.turn_on", entity_id=_TICKING)
    watched.listening()
    watched.agrees(exactly=False)


def test_paused(watched: Watched) -> None:
    """Stopped by a signal, its socket stays open and silent: noticed within 30 s; afterwards nothing is missing."""
    watched.home.pause()
    begun = time.monotonic()
    try:
        until(lambda: not watched.connected, 30)
    finally:
        watched.home.resume()
    assert time.monotonic() - begun < 30
    watched.listening()
    watched.agrees(exactly=False)

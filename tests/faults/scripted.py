"""Starts a scripted Home Assistant (``talking.py``) as a process, and tells it what to do."""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from ..ports import free  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252 - tests are no package

TOKEN = "good"
Row = tuple[str, int, str | None, str | None, str | None]  #: entity, instant (µs), state, user, automation


class ScriptedHome:
    """A scripted Home Assistant while the context lasts."""

    def __init__(self) -> None:
        self.port, self._control = free(), free()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it says that it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        script = Path(__file__).with_name("talking.py")
        self._process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self._control)])
        until(self._there, 20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _there(self) -> bool:
        try:
            return bool(self.status())
        except OSError:
            return False

    def _do(self, name: str, told: Any = None) -> Any:
        data = b"" if told is None else msgspec.json.encode(told)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._control}/{name}", data, timeout=60) as answer:
            return msgspec.json.decode(answer.read())

    def change(self, entity_id: str, state: str | None, **more: Any) -> int:
        """Change a state; give its instant (µs)."""
        return int(self._do("change", [{"entity_id": entity_id, "state": state, **more}])[0])

    def changes(self, entity_id: str, count: int) -> None:
        """Change one entity so many times, at once."""
        first = len(self.ledger())
        self._do("change", [{"entity_id": entity_id, "state": str(first + number)} for number in range(count)])

    def flood(self, count: int, rate: float = 0, entities: int = 300, *, wait: bool = False) -> None:
        """Begin to change so many states, so many a second (0: as fast as is listened)."""
        self._do("flood", {"count": count, "rate": rate, "entities": entities})
        if wait:
            until(lambda: not self.status()["flooding"], 600)

    def frame(self, text: str, times: int = 1) -> None:
        """Send a frame as it is."""
        self._do("frame", {"text": text, "times": times})

    def fire(self, event: str, kind: str = "state_changed") -> None:
        """Say an event that nobody records."""
        self._do("fire", {"event": event, "kind": kind})

    def set(self, **told: Any) -> None:
        """Change how it behaves: silent, repeats, shuffled, impatient, tokens, registries, ahead (s)."""
        self._do("set", told)

    def drop(self, how: str = "abort") -> None:
        """End all connections."""
        self._do("drop", how)

    def shut(self) -> None:
        """Stop listening; its home goes on."""
        self._do("shut")

    def open(self) -> None:
        """Listen again."""
        self._do("open")

    def status(self) -> Any:
        """Tell how it goes."""
        return self._do("status")

    def ledger(self) -> list[Row]:
        """Give every change that was ever made."""
        return [tuple(row) for row in self._do("ledger")]

    def listened(self, seconds: float = 30) -> None:
        """Wait until somebody listens."""
        until(lambda: self.status()["listeners"] > 0, seconds)


def quiet(home: ScriptedHome, seconds: float = 60) -> float:
    """Wait until a flood is over and all of it was sent; give the time it took (s)."""
    start = time.monotonic()
    until(lambda: not home.status()["flooding"] and not home.status()["pending"], seconds)
    return time.monotonic() - start

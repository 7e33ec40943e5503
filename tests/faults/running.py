"""The real services as real processes: started, killed, paused and asked over HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from ..ports import free  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252 - tests are no package

PORTS = {"capture": 0, "enrich": 1, "admin": 2, "store": 3, "learn": 4}
SERVICES = ("store", "enrich", "capture")
_URLS = {"enrich": "ENRICHMENT_PIPELINE_URL", "store": "DATA_STORAGE_URL"}


class Nursery:
    """The process that forks services."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("nursery.py"))
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True)

    def ask(self, **asked: Any) -> Any:
        """Make one request of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class Bare:
    """Starts each service as a fresh process that shares nothing, for what is measured."""

    def __init__(self) -> None:
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def ask(self, **asked: Any) -> Any:
        """Make a request as of a nursery."""
        if "poll" in asked:
            return self._started[asked["poll"]].poll()
        command = [str(Path(sys.executable).with_name("quotidian")), *asked["start"]]
        with Path(asked["log"]).open("ab") as log:
            process = subprocess.Popen(command, env=asked["env"], cwd=asked["folder"], stdout=log, stderr=log)
        self._started[process.pid] = process
        return process.pid

    def close(self) -> None:
        """Nothing is left to end."""


class Pipeline:
    """One home's services, in a directory and on ports of their own.

    Parameters
    ----------
    nursery
        Starts them.
    folder
        Holds their data, and a log for each.
    homed
        Home Assistant's address and token.
    settings
        Settings of all of them; ``routes`` tells other addresses by service, for a proxy to stand between.
    """

    def __init__(
        self,
        nursery: Nursery | Bare,
        folder: Path,
        homed: tuple[str, str],
        routes: dict[str, str] | None = None,
        **settings: str,
    ) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free(5)
        self._nursery = nursery
        self.pids: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HA_URL": homed[0],
            "HA_TOKEN": homed[1],
            "QUOTIDIAN_DATA": str(self.data),
            "QUOTIDIAN_PORT": str(self.port),
            "QUOTIDIAN_COMMIT_INTERVAL": "0",
            **{_URLS[name]: url for name, url in (routes or {}).items()},
            **settings,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.pids):
            self.kill(name)
        if kind is not None:
            sys.stderr.write("".join(self.log(name)[-3000:] for name in SERVICES))

    # processes

    def start(self, *names: str, ready: bool = True) -> None:
        """Start services, one after another."""
        for name in names or SERVICES:
            self.pids[name] = self._nursery.ask(
                start=["serve", name], env=self.settings, folder=str(self.folder), log=str(self.folder / f"{name}.log")
            )
            if ready:
                until(lambda name=name: self.ready(name), 60)  # type: ignore[misc]

    def start_up(self) -> None:
        """Start all services in one process, which then stands for capture."""
        log = str(self.folder / "capture.log")
        pid = self._nursery.ask(start=["up"], env=self.settings, folder=str(self.folder), log=log)
        self.pids = {"capture": pid}
        until(lambda: self.ready("capture"), 60)

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a service."""
        os.kill(self.pids[name], number)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill a service and wait until it is gone; give how it ended."""
        pid = self.pids.pop(name)
        deadline, sent = time.monotonic() + 30, False
        while (code := self._nursery.ask(poll=pid)) is None:
            if not sent:
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
                sent = True
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError(f"{name} does not stop")
            time.sleep(0.01)
        return int(code)

    def ended(self, name: str) -> bool:
        """Tell whether a service has ended by itself."""
        return self._nursery.ask(poll=self.pids[name]) is not None

    def ready(self, name: str) -> bool:
        """Tell whether a service can do its work."""
        if self.ended(name):
            raise RuntimeError(f"{name} ended:\n{self.log(name)[-3000:]}")
        try:
            return bool(self.get(name, "/ready")["ready"])
        except OSError:
            return False

    def log(self, name: str) -> str:
        """Give what a service wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def memory(self, name: str, field: str = "VmHWM") -> int:
        """Give the most memory (bytes) that a service ever had resident."""
        lines = Path(f"/proc/{self.pids[name]}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

    # what they tell

    def get(self, name: str, path: str, **query: Any) -> Any:
        """Read something from a service."""
        return self.ask(name, path + (f"?{urlencode(query)}" if query else ""))

    def ask(self, name: str, path: str, data: bytes | None = None, *, token: str | None = None) -> Any:
        """Send something to a service with a token, by default the services' secret; give the answer."""
        url = f"http://127.0.0.1:{self.port + PORTS[name]}{path}"
        headers = {"Authorization": f"Bearer {self.secret if token is None else token}"}
        headers["Content-Type"] = "application/json"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
            return json.load(answer)

    def status_of(self, name: str, path: str, data: bytes, token: str | None = None) -> tuple[int, Any]:
        """Send something to a service; give the status and the answer, whatever they are."""
        try:
            return 200, self.ask(name, path, data, token=token)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    @property
    def secret(self) -> str:
        """The services' shared secret."""
        path = self.data / "secret"
        return path.read_text() if path.exists() else ""

    def figures(self, name: str) -> dict[str, Any]:
        """Give what a service counts."""
        return dict(self.get(name, "/health")["figures"])

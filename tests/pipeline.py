"""All services of a home, run by the command as a person runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from .ports import free

#: The command, without the script that installing makes.
COMMAND: Final = (sys.executable, "-c", "from quotidian.operate.cli import main; main()")
PORTS: Final = {"capture": 0, "enrich": 1, "admin": 2, "store": 3, "learn": 4}


class Pipeline:
    """Runs ``quotidian up`` while the context lasts.

    Parameters
    ----------
    folder
        Its working directory; the data lie in ``data`` in it.
    settings
        More of the environment.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free(len(PORTS))
        self.environment = _without_settings() | {
            "HOME": str(folder),
            "QUOTIDIAN_DATA": str(folder / "data"),
            "QUOTIDIAN_PORT": str(self.port),
            "QUOTIDIAN_COMMIT_INTERVAL": "0",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self.folder / "output").open("wb") as output, (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "up"], env=self.environment, cwd=self.folder, stdout=output, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError(self.log)
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()

    def stop(self) -> int:
        """Stop it as systemd and Docker do; give its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """Kill it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def output(self) -> str:
        """What it said on standard output."""
        return (self.folder / "output").read_text("utf-8")

    @property
    def log(self) -> str:
        """What it said on standard error."""
        return (self.folder / "log").read_text("utf-8")

    def url(self, service: str, path: str = "") -> str:
        """Give the address of a service."""
        return f"http://127.0.0.1:{self.port + PORTS[service]}{path}"

    def get(self, service: str, path: str) -> str:
        """Read something from a service."""
        with urllib.request.urlopen(self.url(service, path), timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run another command with the same settings."""
        return subprocess.run(
            [*COMMAND, *map(str, words)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

    def asked(self, *words: object) -> Any:
        """Give the JSON that a command answers with."""
        return json.loads(self.run(*words, "--json").stdout)

    def answers(self) -> bool:
        """Tell whether all services answer."""
        try:
            return all(json.loads(self.get(service, "/health"))["service"] == service for service in PORTS)
        except OSError:
            return False


def _without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not re.match(r"QUOTIDIAN_|HA_|INFLUXDB_", name)}

"""The real parts that the look-alike is held to, where they can be had.

- InfluxDB 1, which reads the same line protocol;
- VictoriaMetrics, which takes what InfluxDB's own client sends to version 2;
- the parser and checker of Flux.
"""

import http.client
import json
import os
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ..ports import free  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252
from .lines import Value

_COMPONENTS: Final = Path(os.environ.get("QUOTIDIAN_COMPONENTS") or "~/.cache/quotidian").expanduser()
_FLUX = _COMPONENTS / "flux/node_modules/@influxdata/flux-lsp-node"

INFLUX_1: Final = shutil.which("influxd")
VICTORIA_METRICS: Final = shutil.which("victoria-metrics")
NODE: Final = shutil.which("node") if _FLUX.is_dir() else None
MISSING: Final = "NOT TESTED: no {} here: run `make test-components`"

#: Measurement, tags, field, time in ns, value.
Kept = tuple[str, tuple[tuple[str, str], ...], str, int, Value]

_CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
"""


class _Component:
    """A server of its own process and port, while the context lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free(2)
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Give the command that runs it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        with (self._folder / "output.log").open("wb") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT)
        try:
            until(self._running, 20)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask(self, method: str, path: str, body: bytes = b"", **query: str) -> tuple[int, bytes]:
        """Send a request; give the answer's status and body."""
        self._connection.request(method, f"{path}?{urllib.parse.urlencode(query)}", body)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _running(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self._folder / "output.log").read_text()[-3000:])
        try:
            return self.ask("GET", "/ping")[0] < 300
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False


class RealInflux1(_Component):
    """InfluxDB 1, with one database for each test that asks for a fresh one."""

    database = "empty"

    def command(self) -> list[str]:
        """Give the command that runs it."""
        configuration = self._folder / "influxdb.conf"
        configuration.write_text(_CONFIGURATION.format(folder=self._folder, port=self._port, backup=self._port + 1))
        return [str(INFLUX_1), "-config", str(configuration)]

    def fresh(self, name: str, retention: str = "INF") -> None:
        """Use an empty database, which keeps its points for so long."""
        self.query(f'DROP DATABASE "{name}"')
        self.query(f'CREATE DATABASE "{name}" WITH DURATION {retention}')
        self.database = name

    def write(self, body: bytes, precision: str = "u") -> tuple[int, str]:
        """Write lines; give the status and what was wrong."""
        status, said = self.ask("POST", "/write", body, db=self.database, precision=precision)
        return status, json.loads(said)["error"] if said else ""

    def query(self, text: str) -> list[dict[str, Any]]:
        """Ask in InfluxQL; give the series."""
        status, said = self.ask("POST", "/query", db=self.database, q=text, epoch="ns")
        answer = json.loads(said)
        if status != 200 or "error" in answer["results"][0]:
            raise RuntimeError(said.decode())
        return list(answer["results"][0].get("series", []))

    def points(self) -> list[Kept]:
        """Give every value that it keeps."""
        return [
            kept
            for series in self.query("SHOW FIELD KEYS")
            for kept in self._of(series["name"], {name for name, kind in series["values"] if kind == "float"})
        ]

    def _of(self, measurement: str, floats: set[str]) -> Iterator[Kept]:
        for series in self.query(f'SELECT * FROM "{measurement}" GROUP BY *'):
            tags = tuple(sorted((key, tag) for key, tag in series.get("tags", {}).items() if tag))
            for time, *values in series["values"]:
                for name, value in zip(series["columns"][1:], values, strict=True):
                    if value is not None:
                        yield measurement, tags, name, time, float(value) if name in floats else value


class VictoriaMetrics(_Component):
    """VictoriaMetrics: it keeps numbers, in ms, and no text."""

    def command(self) -> list[str]:
        """Give the command that runs it."""
        folder, address = self._folder / "data", f"127.0.0.1:{self._port}"
        return [
            str(VICTORIA_METRICS),
            f"-storageDataPath={folder}",
            f"-httpListenAddr={address}",
            "-retentionPeriod=100y",
        ]

    def numbers(self, *fields: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        """Give the values of fields: by labels (``__name__`` is the measurement and the field), by time in ms."""
        self.ask("GET", "/internal/force_flush")
        _, said = self.ask("GET", "/api/v1/export", **{"match[]": f'{{__name__=~".*_({"|".join(fields)})"}}'})
        return {
            tuple(sorted(series["metric"].items())): dict(
                zip(series["timestamps"], map(float, series["values"]), strict=True)
            )
            for series in map(json.loads, said.splitlines())
        }


def check_flux(queries: Sequence[str]) -> list[dict[str, list[str]]]:
    """Tell for each query what is ``wrong`` with it, and which ``strings`` stand in it, as the real parser reads it."""
    script = Path(__file__).with_name("check_flux.js")
    ran = subprocess.run(
        [str(NODE), str(script), str(_FLUX)], input=json.dumps(list(queries)).encode(), capture_output=True, check=False
    )
    if ran.returncode or not ran.stdout:
        raise RuntimeError(ran.stderr.decode())
    return list(json.loads(ran.stdout.rpartition(b"\n")[2]))

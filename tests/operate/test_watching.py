"""Status asks the running services, and says so when they do not answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from quotidian.errors import UnreachableError
from quotidian.operate import alive
from quotidian.operate.asking import health_of

from .conftest import ran

WELL: Final = {
    "service": "admin",
    "version": "9.9",
    "state": "ok",
    "dependencies": [{"name": "capture", "state": "degraded", "detail": "Home [bold]Assistant[/] is away."}],
    "figures": {"spool_depth": 12345, "last_event": None},
}


ASKED: Final[list[str | None]] = []


@contextmanager
def answering(told: Any, status: int = 200) -> Iterator[int]:
    """Run a server that gives the same answer to every question; give its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ASKED.append(self.headers.get("Authorization"))
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_status_tells_every_service_and_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What admin knows is on the screen, markup in it shown as text; as data it is unchanged."""
    with answering(WELL) as port:
        monkeypatch.setenv("QUOTIDIAN_PORT", str(port - 2))
        told, data = ran("status"), ran("status", "--json")
    assert told.code == 0
    assert "Home [bold]Assistant[/] is away." in told.output
    assert "12,345" in told.output
    assert data.json == WELL


def test_status_says_each_trouble_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a service suffers from what a part of another one lacks, only the part is named."""
    away = "InfluxDB does not answer."
    poor = [
        {"name": "enrich", "state": "degraded", "detail": f"influxdb: {away}"},
        {"name": "store", "state": "degraded", "detail": away},
        {"name": "store.influxdb", "state": "degraded", "detail": away},
        {"name": "learn", "state": "down", "detail": "It does not answer."},
    ]
    with answering(WELL | {"dependencies": poor}) as port:
        monkeypatch.setenv("QUOTIDIAN_PORT", str(port - 2))
        told = ran("status").output
    assert told.count(away) == 1
    assert told.count("see store.influxdb") == 2
    assert "It does not answer." in told


def test_status_is_asked_with_the_services_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one that is set, else the one that the services made; so figures are told also where strangers hear none."""
    monkeypatch.setenv("QUOTIDIAN_DATA", str(tmp_path))
    ASKED.clear()
    with answering(WELL) as port:
        monkeypatch.setenv("QUOTIDIAN_PORT", str(port - 2))
        ran("status")
        (tmp_path / "secret").write_text("made\n")
        ran("status")
        monkeypatch.setenv("QUOTIDIAN_SECRET", "set")
        ran("status")
    assert ASKED == [None, "Bearer made", "Bearer set"]


def test_a_pipeline_that_is_down_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1; of one service alone only whether it answers counts."""
    with answering(WELL | {"state": "down"}) as port:
        monkeypatch.setenv("QUOTIDIAN_PORT", str(port - 2))
        assert ran("status").code == 1
        assert ran("status", "--service", "admin").code == 0


@pytest.mark.parametrize(
    ("told", "status"), [(b"<html>", 200), ({}, 200), ([], 200), ({"service": "store"}, 200), (WELL, 404)]
)
def test_another_program_at_the_address_is_not_taken_for_a_service(told: Any, status: int) -> None:
    """Whatever is not a service of that name is an error."""
    with answering(told, status) as port, pytest.raises(UnreachableError, match="admin"):
        health_of("admin", f"http://127.0.0.1:{port}")


def test_nobody_there_is_an_error_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and what to do is said; a proxy in the environment is not asked."""
    monkeypatch.setenv("QUOTIDIAN_PORT", "1")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    told = ran("status")
    assert told.code == 1
    assert "admin does not answer at http://127.0.0.1:3" in told.errors
    assert "quotidian up" in told.errors


def test_the_containers_health_check_ends_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service that answers is well, also when it says that it cannot work; one that does not is told."""
    with answering(WELL | {"state": "down"}) as port:
        monkeypatch.setenv("QUOTIDIAN_PORT", str(port - 2))
        alive.main("admin")
    with pytest.raises(SystemExit, match="admin does not answer at"):
        alive.main("admin")
    assert capsys.readouterr().out == ""


def test_an_unknown_service_is_refused() -> None:
    """The services that there are are named."""
    told = ran("status", "--service", "everything")
    assert told.code == 2
    assert "capture, enrich, admin, store" in told.errors

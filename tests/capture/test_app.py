"""Capture's HTTP API, also where there is no Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from quotidian.capture.app import create_app
from quotidian.capture.forwarder import SINK
from quotidian.model import CauseKind
from quotidian.model.event import event_id

from .capturing import settings_for
from .delivering import SECRET, KeptEnrich, held, refused, serving
from .said import START, changed

_FLAT = {
    "event_type": "state_changed",
    "entity_id": "light.desk",
    "state": "on",
    "timestamp": "2026-03-02T07:00:00+00:00",
}


class Asking:
    """Capture on a port, and the enrich behind it."""

    def __init__(self, url: str, http: aiohttp.ClientSession, enrich: KeptEnrich, app: Any) -> None:
        self.url, self._http, self.enrich, self.capture = url, http, enrich, app.state.capture

    async def get(self, path: str) -> tuple[int, str]:
        async with self._http.get(self.url + path) as response:
            return response.status, await response.text()

    async def post(self, data: Any, token: str = SECRET) -> tuple[int, dict[str, Any]]:
        body = data if isinstance(data, bytes) else msgspec.json.encode(data)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.post(f"{self.url}/api/v1/events/forward", data=body, headers=headers) as response:
            return response.status, await response.json()


def _run(data: Path, test: Callable[[Asking], Awaitable[None]], home: str = "", token: str = "") -> None:
    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as behind:
            app = create_app(settings_for(home, token, data, behind, QUOTIDIAN_SECRET=SECRET))
            async with serving(app) as url, aiohttp.ClientSession() as http:
                await test(Asking(url, http, enrich, app))

    asyncio.run(running())


def test_without_a_home_assistant(tmp_path: Path) -> None:
    """Without an address the service runs and is ready, and its health says what to set."""

    async def test(capture: Asking) -> None:
        await held(lambda: capture.capture.link.state == "unset")
        status, text = await capture.get("/health")
        assert status == 200
        assert "HA_URL" in text
        assert (await capture.get("/ready"))[0] == 200
        told = msgspec.json.decode((await capture.get("/api/v1/status"))[1])
        assert told["home_assistant"]["state"] == "unset"
        assert (told["spool"]["depth"], told["gaps"]) == (0, [])

    _run(tmp_path, test)


def test_with_a_home_assistant_that_is_not_there(tmp_path: Path) -> None:
    """While nobody answers there, the service says so, and takes events by hand."""

    async def test(capture: Asking) -> None:
        await held(lambda: capture.capture.link.error is not None)
        assert "Nobody answers" in (await capture.get("/health"))[1]
        assert (await capture.post(_FLAT))[0] == 200
        await held(lambda: bool(capture.enrich.heard))

    _run(tmp_path, test, "http://127.0.0.1:9", "canary-token")


def test_event_by_hand_is_durable(tmp_path: Path) -> None:
    """The answer comes when the event is on disk, with its id; enrich gets it as one posted by hand."""

    async def test(capture: Asking) -> None:
        capture.enrich.refusing = lambda _: refused(503)
        status, told = await capture.post(_FLAT)
        assert status == 200
        assert told["event_id"] == event_id("home", "light.desk", START)
        assert (told["seq"], capture.capture.spool.committed, told["stream"]) == (1, 1, capture.capture.spool.stream)
        capture.enrich.refusing = lambda _: None
        await held(lambda: capture.capture.spool.depth(SINK) == 0)
        [heard] = capture.enrich.heard
        assert heard.cause.kind is CauseKind.MANUAL
        assert not heard.cause.learnable

    _run(tmp_path, test)


def test_whole_event_by_hand(tmp_path: Path) -> None:
    """An event as Home Assistant sends it is taken too, as it is."""

    async def test(capture: Asking) -> None:
        payload = changed("light.desk", "on")
        status, told = await capture.post(payload)
        assert (status, told["last_updated"]) == (200, START)
        await held(lambda: bool(capture.enrich.heard))
        assert msgspec.json.decode(capture.enrich.heard[0].event) == msgspec.json.decode(payload)

    _run(tmp_path, test)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"{}", b'{"entity_id":"light.desk"}', b"[" * 5000])
def test_what_is_no_event_is_refused(tmp_path: Path, body: bytes) -> None:
    """What is not an event is answered with 400 and what is wrong; nothing of it is kept."""

    async def test(capture: Asking) -> None:
        status, told = await capture.post(body)
        assert status == 400
        assert told["error"]["what"]
        assert capture.capture.spool.appended == 0

    _run(tmp_path, test)


def test_posting_needs_a_token(tmp_path: Path) -> None:
    """Nobody posts events without a token, or with a wrong one."""

    async def test(capture: Asking) -> None:
        for token in ("", "wrong"):
            status, told = await capture.post(_FLAT, token)
            assert (status, told["error"]["kind"]) == (401, "Access")
        assert capture.capture.spool.appended == 0

    _run(tmp_path, test)


def test_metrics(tmp_path: Path) -> None:
    """Prometheus finds what is heard, spooled, delivered and missed, and how the connection and the breaker are."""

    async def test(capture: Asking) -> None:
        await capture.post(_FLAT)
        await held(lambda: capture.capture.spool.depth(SINK) == 0)
        _, text = await capture.get("/metrics")
        for line in (
            "quotidian_capture_events_heard_total 0.0",
            "quotidian_capture_records_spooled_total 1.0",
            "quotidian_capture_messages_delivered_total 1.0",
            "quotidian_capture_messages_dead_total 0.0",
            "quotidian_capture_reconnects_total 0.0",
            "quotidian_capture_gap_seconds_unrecoverable_total 0.0",
            "quotidian_capture_spool_depth 0.0",
            "quotidian_capture_breaker_open 0.0",
            'quotidian_capture_connection{state="unset"} 1.0',
        ):
            assert line in text
        for name in ("spool_bytes", "spool_pending_bytes", "gaps_open", "gap_seconds_open", "lag_seconds"):
            assert f"quotidian_capture_{name} " in text

    _run(tmp_path, test)


def test_secrets_stay_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the token nor the secret is in what is answered or logged."""

    async def test(capture: Asking) -> None:
        await held(lambda: capture.capture.link.error is not None)
        answers = [(await capture.get(path))[1] for path in ("/health", "/metrics", "/api/v1/status", "/openapi.json")]
        assert "canary" not in "".join(answers)

    _run(tmp_path, test, "http://127.0.0.1:9", "canary-token")
    assert "canary" not in capsys.readouterr().out

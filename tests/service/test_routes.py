"""Claims about every route of every service: who may ask, and what nonsense gets."""

import asyncio
import io
import json
import re
import socket
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian.service.logs import configure
from quotidian.settings import URLS, Settings

from .apps import GUARDED, OPEN, SECRET, SERVICES, app_of, ask, routes_of, served

CANARY = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Make settings in a folder, with peers that do not answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    peers = dict.fromkeys(URLS.values(), nobody)
    return {
        "QUOTIDIAN_DATA": str(folder),
        "QUOTIDIAN_SECRET": SECRET,
        "HA_URL": nobody,
        "HA_TOKEN": "x",
        **peers,
        **more,
    }


def filled(path: str) -> str:
    """Put something in a path's places."""
    return re.sub(r"\{\w+(:path)?\}", "2026-03-02", path)


@pytest.mark.parametrize("service", SERVICES)
class TestAccess:
    def test_changing_always_needs_a_token(self, service: str, tmp_path: Path) -> None:
        """No route that changes something answers to nobody or to a made-up token, also where reading is open."""
        app = app_of(service, environment(tmp_path, QUOTIDIAN_OPEN_READING="true"))
        changing = [route for route in routes_of(app) if route[0] in CHANGING and route[1] not in OPEN]
        assert changing or service == "admin"

        async def run() -> None:
            async with served(app) as url:
                for method, path in changing:
                    for token in (None, "qt_made_up"):
                        status, _, content = await ask(method, url + filled(path), token, json={})
                        assert status == 401, (method, path, token)
                        assert json.loads(content)["error"]["kind"] == "Access"

        asyncio.run(run())

    def test_reading_needs_a_token_where_others_can_reach_it(self, service: str, tmp_path: Path) -> None:
        """Only health, readiness and what shows nothing of the home answer without one; loopback answers all."""
        for host, closed in (("0.0.0.0", True), ("127.0.0.1", False)):
            app = app_of(service, environment(tmp_path / host, QUOTIDIAN_HOST=host))

            async def run(app=app, closed=closed) -> None:  # type: ignore[no-untyped-def]
                async with served(app) as url:
                    for method, path in routes_of(app):
                        if method == "GET" and path not in OPEN:
                            status, _, _ = await ask(method, url + filled(path), allow_redirects=False)
                            assert (status in (401, 303)) is (closed or path in GUARDED), path

            asyncio.run(run())

    def test_a_token_opens_reading(self, service: str, tmp_path: Path) -> None:
        """With the services' secret nothing is refused for access, wherever it is served."""
        app = app_of(service, environment(tmp_path, QUOTIDIAN_HOST="0.0.0.0"))

        async def run() -> None:
            async with served(app) as url:
                for method, path in routes_of(app):
                    if method == "GET":
                        assert (await ask(method, url + filled(path), SECRET))[0] not in (401, 403), path

        asyncio.run(run())


@pytest.mark.parametrize("service", SERVICES)
class TestSecrets:
    def test_no_secret_is_in_answers_figures_or_logs(self, service: str, tmp_path: Path, logged: io.StringIO) -> None:
        """At debug level, whatever is asked, with peers that do not answer and a token of Home Assistant's."""
        told = environment(tmp_path, HA_TOKEN=CANARY, QUOTIDIAN_LOG_LEVEL="debug")
        configure(Settings(told), logged)
        app, shown = app_of(service, told), []

        async def run() -> None:
            async with served(app) as url:
                for method, path in routes_of(app):
                    sent = {} if method == "GET" else {"data": b'{"token": 7}'}
                    _, headers, content = await ask(method, url + filled(path), SECRET, allow_redirects=False, **sent)
                    shown.append(f"{path} {dict(headers)} {content.decode(errors='replace')}")

        asyncio.run(run())
        assert len(logged.getvalue().splitlines()) >= len(shown)
        for text in [*shown, logged.getvalue()]:
            assert SECRET not in text
            assert CANARY not in text


@pytest.mark.parametrize("service", SERVICES)
class TestNonsense:
    def test_huge_and_deep_bodies_get_a_refusal_in_little_memory(self, service: str, tmp_path: Path) -> None:
        """Ten megabytes of text, of opening brackets, of small values: a 4xx each, and memory grows by < 50 MB."""
        app = app_of(service, environment(tmp_path))
        bodies = [
            b'{"a":"' + b"x" * 10_000_000 + b'"}',
            b"[" * 7_900_000,
            b"[" * 100_000,
            b'{"a":[' + b"[]," * 2_500_000,
        ]
        before = psutil.Process().memory_info().rss

        async def run() -> None:
            async with served(app) as url:
                for method, path in routes_of(app):
                    if method in CHANGING and path not in OPEN:
                        for body in bodies:
                            status, _, content = await ask(method, url + filled(path), SECRET, data=_pieces(body))
                            assert 400 <= status < 500, (path, body[:10])
                            assert "error" in json.loads(content)

        asyncio.run(run())
        assert psutil.Process().memory_info().rss - before < 50_000_000

    # What waits for others jitters its pauses meanwhile, which looks as if strategies used chance.
    @pytest.mark.filterwarnings("ignore:Do not use the `random` module")
    def test_no_query_and_no_body_is_a_fault(self, service: str, tmp_path: Path) -> None:
        """Whatever is in a path, a query or a body is answered or refused, never with a 500."""
        app = app_of(service, environment(tmp_path))
        names = (
            "start_time",
            "end_time",
            "limit",
            "cursor",
            "after",
            "before",
            "area",
            "cause",
            "by",
            "first",
            "enrich",
        )
        words = st.text(max_size=12) | st.sampled_from(
            ["now", "5m ago", "0", "-1", "9" * 30, "2026-02-30", "null", "é\0"]
        )
        plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
        texts = st.recursive(
            plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
        )
        known = st.sampled_from(
            ["stream", "first", "last", "events", "messages", "entity_id", "state", "timestamp", "event_type"]
        )
        bodies = st.binary(max_size=60) | (texts | st.dictionaries(known, texts)).map(
            lambda data: json.dumps(data).encode()
        )

        async def run() -> None:
            async with served(app) as url:
                asked = [route for route in routes_of(app) if route[1] not in OPEN]
                route_of = st.sampled_from(asked)

                @given(route=route_of, query=st.dictionaries(st.sampled_from(names), words, max_size=2), body=bodies)
                @settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck])
                def tried(route: tuple[str, str], query: dict[str, str], body: bytes) -> None:
                    sent = {"data": body} if route[0] in CHANGING else {"params": query}
                    found = asyncio.run(ask(route[0], url + filled(route[1]), SECRET, **sent))
                    assert found[0] not in (500, 501), (route, query, body)

                await asyncio.to_thread(tried)

        asyncio.run(run())


async def _pieces(body: bytes):  # type: ignore[no-untyped-def]
    for first in range(0, len(body), 1_000_000):
        yield body[first : first + 1_000_000]

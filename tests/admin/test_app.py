"""The admin service: what it tells of the others, to whom, and what it does when they are away."""

from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from fastapi import FastAPI

from quotidian.service import Access

from .pipeline import SECRET, Pipeline, event, with_admin

REACHABLE = {"QUOTIDIAN_HOST": "0.0.0.0"}


async def got(url: str, path: str, token: str = "", **more: Any) -> tuple[int, Any]:
    """Get something, as JSON where it is."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.get(url + path, headers=headers, **more) as response:
        raw = await response.read()
        return response.status, msgspec.json.decode(raw) if "json" in response.content_type else raw.decode()


def told(health: dict[str, Any]) -> dict[str, str]:
    """Give the state of each thing that the admin service depends on."""
    return {one["name"]: one["state"] for one in health["dependencies"]}


def test_health_tells_of_all_services_and_what_they_need(tmp_path: Path) -> None:
    """States of services and of their parts, rates, lag, the last event, what waits, and open gaps."""

    async def check(url: str, _: FastAPI) -> None:
        status, found = await got(url, "/health")
        assert (status, found["state"]) == (200, "ok")
        assert told(found) == {
            "capture": "ok",
            "capture.spool": "ok",
            "capture.homeassistant": "ok",
            "enrich": "ok",
            "store": "ok",
            "store.database": "ok",
            "learn": "ok",
        }
        assert found["figures"] == {
            "home_assistant": "connected",
            "events_per_minute": 17.4,
            "last_event": pipeline.status["events"]["last"],
            "lag_seconds": 0.007,
            "spool_depth": 3,
            "spool_bytes": 81_234,
            "open_gaps": 0,
        }

    pipeline = Pipeline()
    with_admin(tmp_path, pipeline, check)


@pytest.mark.parametrize("away", ["capture", "enrich", "store"])
def test_a_service_that_is_away_is_said_to_be(tmp_path: Path, away: str) -> None:
    """The others are told of all the same, and pages and API say what they can."""

    async def check(url: str, _: FastAPI) -> None:
        status, found = await got(url, "/health")
        assert (status, found["state"], told(found)[away]) == (200, "down", "down")
        assert sum(state == "ok" for state in told(found).values()) >= 3
        assert (await got(url, "/api/v1/stats"))[1][away] is None
        status, page = await got(url, "/")
        assert status == 200
        assert f"{away} is down." in page.lower()
        assert (await got(url, "/api/v1/events/recent"))[0] == (503 if away == "store" else 200)

    pipeline = Pipeline()
    pipeline.away.add(away)
    with_admin(tmp_path, pipeline, check)


def test_the_api_gives_events_figures_and_certificates(tmp_path: Path) -> None:
    """What the store says is passed on; the services know the admin service by their secret."""

    async def check(url: str, _: FastAPI) -> None:
        status, found = await got(url, "/api/v1/events/recent?limit=2")
        assert (status, [one["entity_id"] for one in found["events"]]) == (200, ["light.desk", "sensor.oven"])
        assert (await got(url, "/api/v1/events/recent?limit=0"))[0] == 422
        _, found = await got(url, "/api/v1/stats")
        assert (found["store"], found["enrich"]) == ({"events": 1235}, {"events": 1235})
        assert found["capture"]["spool"]["depth"] == 3
        _, found = await got(url, "/api/v1/loss")
        assert found["certificates"][0]["received"] == 1204
        assert found["chain"] == {"certificates": 0, "head": ""}
        assert {token for _, _, token in pipeline.asked} == {f"Bearer {SECRET}"}

    pipeline = Pipeline()
    with_admin(tmp_path, pipeline, check)


def test_nothing_is_read_without_a_token_where_others_can_reach_it(tmp_path: Path) -> None:
    """API routes refuse, the page leads to the login; health alone tells strangers whether it works."""

    async def check(url: str, _: FastAPI) -> None:
        for path in ("/api/v1/events/recent", "/api/v1/stats", "/api/v1/loss", "/metrics", "/openapi.json"):
            assert (await got(url, path))[0] == 401, path
            assert (await got(url, path, "wrong"))[0] == 401, path
            assert (await got(url, path, SECRET))[0] == 200, path
        status, page = await got(url, "/", allow_redirects=False)
        assert (status, page) == (303, "")
        assert "Willow" not in (await got(url, "/"))[1]

    with_admin(tmp_path, Pipeline(), check, **REACHABLE)


def test_a_token_logs_in_and_out(tmp_path: Path) -> None:
    """A right token makes a cookie out of reach of scripts and other sites, with which pages and API are read."""

    async def check(url: str, app: FastAPI) -> None:
        access: Access = app.state.access
        token = access.give("phone")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for wrong in ("", "wrong", "a\r\nb", "🦉"):
                async with session.post(url + "/login", data={"token": wrong}) as response:
                    assert (response.status, "alert" in await response.text()) == (401, True)
                    assert "Set-Cookie" not in response.headers
            async with session.post(url + "/login", data={"token": f" {token}\n"}, allow_redirects=False) as response:
                cookie = response.headers["Set-Cookie"].lower()
                assert (response.status, response.headers["Location"]) == (303, "./")
                assert "httponly" in cookie
                assert "samesite=strict" in cookie
            for path in ("/", "/api/v1/stats"):
                async with session.get(url + path) as response:
                    assert response.status == 200
            async with session.get(url + "/") as response:
                assert "Log out" in await response.text()
            access.revoke("phone")
            async with session.get(url + "/api/v1/stats") as response:
                assert response.status == 401
            async with session.post(url + "/logout") as response:
                assert response.url.path == "/login"
            assert not [*session.cookie_jar]

    with_admin(tmp_path, Pipeline(), check, **REACHABLE)


def test_another_site_cannot_log_in_or_out(tmp_path: Path) -> None:
    """A page of another origin may not change who is logged in, nor show our pages within its own."""

    async def check(url: str, _: FastAPI) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("/login", "/logout"):
                for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                    async with session.post(url + path, data={"token": SECRET}, headers=headers) as response:
                        assert (response.status, "Set-Cookie" in response.headers) == (403, False)
            async with session.get(url + "/login") as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'self'" in policy
                assert "unsafe" not in policy

    with_admin(tmp_path, Pipeline(), check)


def test_a_form_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Nobody fills the memory through the login."""

    async def check(url: str, _: FastAPI) -> None:
        form = b"token=" + b"x" * 5_000
        async with aiohttp.ClientSession() as session, session.post(url + "/login", data=form) as response:
            assert response.status == 413

    with_admin(tmp_path, Pipeline(), check)


def test_a_home_keeps_its_name_while_the_store_is_away(tmp_path: Path) -> None:
    """The page that is shown during an outage is that of the same home, by its own clock."""

    async def check(url: str, _: FastAPI) -> None:
        before = str((await got(url, "/"))[1])
        pipeline.away.add("store")
        during = str((await got(url, "/"))[1])
        assert "Willow Lane 8" in before
        assert "The store is down." in during
        assert "Willow Lane 8" in during
        assert " UTC;" not in during

    pipeline = Pipeline()
    with_admin(tmp_path, pipeline, check)


def test_no_secret_is_told(tmp_path: Path) -> None:
    """Neither pages nor API show the services' secret."""

    async def check(url: str, _: FastAPI) -> None:
        pipeline.answers["store"]["/api/v1/events"]["events"].append(event("light.hall", None))
        for path in ("/", "/health", "/api/v1/stats", "/api/v1/loss", "/metrics", "/openapi.json"):
            assert SECRET not in str((await got(url, path))[1]), path

    pipeline = Pipeline()
    with_admin(tmp_path, pipeline, check)

"""Claims about docs/api.md: it names every route, and its examples run."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from quotidian.settings import Settings
from quotidian.store.app import create_app

from .apps import SECRET, SERVICES, app_of, routes_of, served

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
SECTIONS = dict(re.findall(r"^## (?:the )?(\w+)$(.*?)(?=^## |\Z)", PAGE.lower(), re.M | re.S))
SHARED = {("GET", path) for path in ("/health", "/ready", "/metrics", "/openapi.json")}


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_documented(service: str, tmp_path: Path) -> None:
    """The section of each service names its routes, and no other."""
    environment = {"QUOTIDIAN_DATA": str(tmp_path), "HA_URL": "http://127.0.0.1:1", "HA_TOKEN": "x"}
    there = {(method, path.lower()) for method, path in routes_of(app_of(service, environment))} - SHARED
    told = {
        (method.upper(), path) for method, path in re.findall(r"`(get|post|put|delete) (/[^`]*)`", SECTIONS[service])
    }
    assert told == there


def test_the_store_s_examples_run(tmp_path: Path) -> None:
    """Every line with curl is answered with 200, as it is written there."""
    lines = [line for line in PAGE.splitlines() if line.startswith("curl") and "$STORE" in line]
    assert len(lines) > 8

    async def run() -> list[tuple[str, str]]:
        app = create_app(Settings({"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET}))
        token, found = app.state.access.give("docs"), []
        async with served(app) as url:
            environment = {**os.environ, "STORE": url, "TOKEN": token, "no_proxy": "127.0.0.1"}
            for line in lines:
                command = ["bash", "-c", line + " -o /dev/null -w '%{http_code}'"]
                ran = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True)
                found.append((line, ran.stdout))
        return found

    assert asyncio.run(run()) == [(line, "200") for line in lines]


def test_the_examples_of_enrich_and_admin_run(tmp_path: Path) -> None:
    """So is every line with curl that asks enrich or the admin service, before a real store."""
    lines = [line for line in PAGE.splitlines() if line.startswith("curl") and re.search(r"\$(ENRICH|ADMIN)", line)]
    assert len(lines) > 3

    async def run() -> list[str]:
        told = {"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET}
        async with served(app_of("store", told)) as store:
            told["DATA_STORAGE_URL"] = store
            enrich_app, admin_app = app_of("enrich", told), app_of("admin", told)
            async with served(enrich_app) as enrich, served(admin_app) as admin:
                token = enrich_app.state.access.give("docs")
                environment = {**os.environ, "ENRICH": enrich, "ADMIN": admin, "TOKEN": token, "no_proxy": "127.0.0.1"}
                return [await asyncio.to_thread(_status, line, environment) for line in lines]

    assert asyncio.run(run()) == ["200"] * len(lines)


def test_the_examples_of_learn_run(tmp_path: Path) -> None:
    """So is every line with curl that asks learn; what asks for a job is taken."""
    lines = [line for line in PAGE.splitlines() if line.startswith("curl") and "$LEARN" in line]
    assert len(lines) > 2

    async def run() -> list[str]:
        told = {"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET}
        async with served(app_of("store", told)) as store:
            learn_app = app_of("learn", told | {"DATA_STORAGE_URL": store})
            async with served(learn_app) as learn:
                environment = {**os.environ, "LEARN": learn, "no_proxy": "127.0.0.1"}
                environment["TOKEN"] = learn_app.state.access.give("docs")
                return [await asyncio.to_thread(_status, line, environment) for line in lines]

    assert asyncio.run(run()) == ["202" if "POST" in line else "200" for line in lines]


def _status(line: str, environment: dict[str, str]) -> str:
    command = ["bash", "-c", line + " -o /dev/null -w '%{http_code}'"]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True).stdout

"""Services that run apart, each with what compose.yaml gives it, are one pipeline."""

import http.client
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from ..pipeline import COMMAND, PORTS  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252

COMPOSE: Final = Path(__file__).parents[2] / "compose.yaml"
#: Each container's address; the ports are those of the containers, so no address may be one that others use.
ADDRESSES: Final = {
    "capture": "127.0.81.1",
    "enrich": "127.0.81.2",
    "admin": "127.0.81.3",
    "store": "127.0.81.4",
    "learn": "127.0.81.5",
}

#: Where each service that takes something with a token takes it; admin's page has a form.
CHANGING: Final = {
    "capture": "/api/v1/events/forward",
    "enrich": "/api/v1/events",
    "store": "/api/v1/events",
    "learn": "/api/v1/jobs/daily",
}


class Apart:
    """One process for each service of the compose file, with its volumes, secrets and settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._services: dict[str, dict[str, Any]] = YAML(typ="safe").load(COMPOSE.read_text("utf-8"))["services"]
        (folder / "quotidian_secret").write_text("canary-secret\n")
        (folder / "ha_token").write_text("canary-token\n")

    def environment(self, name: str) -> dict[str, str]:
        """Give what a container has: paths and addresses are those of this machine."""
        service = self._services[name]
        mounts = [volume.split(":")[:2] for volume in service["volumes"]]
        volumes = {place: str(self.folder / volume) for volume, place in mounts}
        settings = {key: self._here(str(value), volumes) for key, value in service["environment"].items()}
        paths = {"/data": "QUOTIDIAN_DATA", "/spool": "QUOTIDIAN_SPOOL"}
        mounted = {paths[place]: volume for place, volume in volumes.items() if place in paths}
        return {"PATH": os.environ["PATH"], "QUOTIDIAN_HOST": ADDRESSES[name]} | settings | mounted

    def _here(self, value: str, volumes: Mapping[str, str]) -> str:
        if value.startswith("/run/secrets/"):
            return str(self.folder / value.rpartition("/")[2])
        if value.startswith("${"):
            return ""
        for place, volume in volumes.items():
            if value.startswith(f"{place}/"):
                return volume + value.removeprefix(place)
        for other, address in ADDRESSES.items():
            value = value.replace(f"//{other}:", f"//{address}:")
        return value

    def address(self, name: str) -> str:
        """Give the address at which a service listens."""
        return f"http://{ADDRESSES[name]}:{8001 + PORTS[name]}"

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run one of them until its own health check is content, and stop it in the end."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, *self._services[name]["command"]],
                env=self.environment(name),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: self._answers(name))
            yield
        finally:
            process.terminate()
            assert process.wait(30) == 0, (self.folder / f"{name}.log").read_text("utf-8")

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        environment = self.environment(name)
        line = [*COMMAND, *words]
        return subprocess.run(line, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)

    def asked(self, name: str, host: str) -> int:
        """Ask a service for its figures under a host name; give the status."""
        return self._status(name, "GET", "/metrics", {"Host": host})

    def sent(self, name: str, path: str, token: str) -> int:
        """Send a service a body that it cannot use, with a token; give the status."""
        return self._status(name, "POST", path, {"Authorization": f"Bearer {token}"})

    def _status(self, name: str, method: str, path: str, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection(ADDRESSES[name], 8001 + PORTS[name], timeout=10)
        try:
            connection.request(method, path, "{" if method == "POST" else None, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _answers(self, name: str) -> bool:
        try:
            return self.asked(name, f"{name}:{8001 + PORTS[name]}") == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Run all of them, in the order of their dependencies."""
    containers = Apart(tmp_path_factory.mktemp("apart"))
    with ExitStack() as stack:
        for name in ("store", "enrich", "capture", "learn", "admin"):
            stack.enter_context(containers.running(name))
        yield containers


def test_an_event_goes_all_the_way(apart: Apart) -> None:
    """With the settings of a container, validate finds every service and the event in the store."""
    found = apart.run("admin", "validate")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", ["enrich", "capture", "learn", "admin"])
def test_commands_find_the_store_from_every_container(apart: Apart, name: str) -> None:
    """They ask the container that has it, and make no second one where they run."""
    found = apart.run(name, "events")
    assert found.returncode == 0, found.stderr
    assert not (apart.folder / "access" / "quotidian.sqlite").exists()


def test_a_container_answers_under_its_name_and_under_no_foreign_one(apart: Apart) -> None:
    """The names of the compose file are let in; one that somebody pointed here is not."""
    for name in PORTS:
        assert apart.asked(name, f"{name}:{8001 + PORTS[name]}") == 200
        assert apart.asked(name, "evil.example") >= 400


def test_a_token_that_was_made_in_one_container_is_known_in_the_others(apart: Apart) -> None:
    """They share the volume in which its hash is kept; the token itself is nowhere in it."""
    token = apart.run("admin", "token", "new", "laptop").stdout.strip()
    assert token.startswith("qt_")
    assert "laptop" in apart.run("capture", "token", "list").stdout
    assert token not in (apart.folder / "access" / "tokens.json").read_text("utf-8")
    for name, path in CHANGING.items():
        assert apart.sent(name, path, "qt_nobody") == 401, name
        assert apart.sent(name, path, token) == 400, name


@pytest.mark.parametrize("name", PORTS)
def test_doctor_finds_the_services_from_every_container(name: str, apart: Apart) -> None:
    """Each is found at its address; where Home Assistant is, only capture's container is asked to know."""
    found = {check["name"]: check for check in json.loads(apart.run(name, "doctor", "--json").stdout)}
    assert [found[other]["sentence"] for other in PORTS if "does not" in found[other]["sentence"]] == []
    assert {other for other in PORTS if found[other]["sentence"] == f"{other} runs at {apart.address(other)}."} >= {
        "admin",
        "store",
    }
    assert ("Only capture is told" in found["home assistant"]["sentence"]) == (name != "capture")
    assert apart.run(name, "status", "--json").returncode == 0


def test_no_secret_is_logged(apart: Apart) -> None:
    """Neither the shared secret nor the home's token stands in a log."""
    for name in PORTS:
        assert "canary" not in (apart.folder / f"{name}.log").read_text("utf-8")

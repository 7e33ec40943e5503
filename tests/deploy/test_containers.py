"""The image and its compose files are right, and give away no more rights than they must."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from quotidian.settings import PORTS, SETTINGS, URLS, known

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = (ROOT / "compose.yaml", ROOT / "compose.simple.yaml")
UNIT: Final = ROOT / "deploy" / "quotidian.service"

every_file = pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)


def tool(name: str) -> str:
    """Give the path of a tool that is installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def told(*words: object) -> str:
    """Run a tool; it must find nothing wrong."""
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def services(file: Path) -> dict[str, dict[str, Any]]:
    """Give the services of a compose file, with what they take from its anchors."""
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load(file)["services"]
    return found


def test_the_dockerfile_is_well_made() -> None:
    """Its linter finds nothing to complain of."""
    told(tool("hadolint"), ROOT / "Dockerfile")


@every_file
def test_the_compose_file_follows_the_specification(file: Path) -> None:
    """Its schema allows every line."""
    told(tool("check-jsonschema"), "--builtin-schema", "compose-spec", file)


@every_file
def test_a_container_has_as_few_rights_as_it_needs(file: Path) -> None:
    """None can write its root, has a capability, can gain one, or may take all the memory; each starts again."""
    for service in services(file).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["restart"] == "unless-stopped"
        assert service["mem_limit"]
        assert "privileged" not in service
        assert "cap_add" not in service


@every_file
def test_only_the_admin_port_can_be_reached_and_only_from_here(file: Path) -> None:
    """One port is published, on the machine's own address."""
    ports = [port for service in services(file).values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:8003:8003"]


@every_file
def test_settings_of_containers_exist_and_hold_no_secret(file: Path) -> None:
    """Each variable is a setting; what is secret comes from a file."""
    for service in services(file).values():
        assert [name for name in service["environment"] if not known(name)] == []
        assert {"HA_TOKEN", "INFLUXDB_TOKEN", "QUOTIDIAN_SECRET"}.isdisjoint(service["environment"])


@every_file
def test_what_a_person_sets_reaches_the_containers(file: Path) -> None:
    """Each setting in .env is passed on, but for those that the image and the files decide themselves."""
    passed = {
        name.removesuffix("_FILE")
        for service in services(file).values()
        for name, value in service["environment"].items()
        if value.startswith("${" + name + ":")
    }
    decided = {"HA_TOKEN", "QUOTIDIAN_DATA", "QUOTIDIAN_SPOOL", "QUOTIDIAN_HOST", "QUOTIDIAN_PORT", "QUOTIDIAN_SECRET"}
    decided |= {*URLS.values(), "QUOTIDIAN_TOKENS"}
    assert passed == {setting.name for setting in SETTINGS} - decided


def test_each_service_has_its_container_and_says_whether_it_answers() -> None:
    """All services are there; each runs, and is asked, under its own name."""
    found = services(ROOT / "compose.yaml")
    assert set(found) == set(PORTS)
    for name, service in found.items():
        assert service["command"] == ["serve", name]
        assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "quotidian.operate.alive", name]


def test_containers_find_each_other() -> None:
    """The addresses that they are given are those of the containers, at the ports at which these listen."""
    for service in services(ROOT / "compose.yaml").values():
        addresses = {value for name, value in service["environment"].items() if name in URLS.values()}
        assert addresses == {f"http://{name}:{8001 + PORTS[name]}" for name in PORTS}


def test_only_capture_has_the_token_and_only_the_store_its_data() -> None:
    """A container is given what it needs for its work, and no more."""
    found = services(ROOT / "compose.yaml")
    assert [name for name, service in found.items() if "ha_token" in service["secrets"]] == ["capture"]
    assert [name for name, service in found.items() if "store:/data" in service["volumes"]] == ["store"]
    assert "access:/access:ro" in found["store"]["volumes"]


def test_the_image_takes_in_nothing_but_the_program() -> None:
    """What is sent to the builder is the lock file and the sources; it installs by hashes and does not run as root."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert [line for line in ignored if not line.startswith("#")] == [
        "*",
        "!requirements.lock",
        "!src",
        "**/__pycache__",
        "**/*.pyc",
    ]
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "--require-hashes" in text
    assert "\nUSER 10001:10001\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_the_unit_is_one(tmp_path: Path) -> None:
    """Systemd finds nothing wrong in it, and its exposure is low; only the program itself is another."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/quotidian/bin/quotidian", "/bin/true"))
    assert told("systemd-analyze", "verify", unit) == ""
    exposure = told("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert "OK" in exposure

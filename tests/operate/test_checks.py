"""What doctor looks at, it judges rightly and mends with a sentence."""

import asyncio
import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from quotidian import clock
from quotidian.operate.checks import Check
from quotidian.operate.checks.home import (
    clock_check,
    home_checks,
    recorder_check,
    rights_check,
    token_checks,
)
from quotidian.operate.checks.machine import bits_check
from quotidian.operate.checks.place import card_checks, device_of, place_checks, space_check
from quotidian.operate.checks.services import service_checks
from quotidian.operate.checks.told import settings_checks
from quotidian.settings import Settings

from .conftest import ran
from .test_watching import WELL, answering

NOW = 1_795_000_000


def token(**claims: Any) -> str:
    """Make a token with claims, as Home Assistant's are."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl"


def states(checks: list[Check]) -> list[str]:
    """Give how they are."""
    return [check.state for check in checks]


def test_a_32_bit_system_is_a_problem() -> None:
    """It is told what to install; 64 bits are well."""
    assert bits_check(2**31 - 1).state == "problem"
    assert "64-bit" in bits_check(2**31 - 1).remedy
    assert bits_check(2**63 - 1).state == "ok"


@pytest.mark.parametrize(
    ("environment", "state", "told"),
    [
        ({}, "ok", "All settings have their defaults."),
        ({"HA_URL": "http://a"}, "ok", "Set: HA_URL (the environment)."),
        ({"QUOTIDIAN_PORT": "http"}, "problem", "QUOTIDIAN_PORT is 'http'."),
        ({"HA_VERIFY_TLS": "maybe"}, "problem", "HA_VERIFY_TLS is 'maybe'."),
        ({"QUOTIDIAN_RETENTION_RAW": "0"}, "problem", "QUOTIDIAN_RETENTION_RAW is '0'."),
        ({"QUOTIDIAN_RETENTION_RAW": "2"}, "problem", "QUOTIDIAN_RETENTION_RAW is '2', and learning needs 3 days."),
        ({"QUOTIDIAN_RETENTION_DAILY": "60"}, "warning", "QUOTIDIAN_RETENTION_DAILY is '60': the daily detectors"),
        ({"INFLUXDB_RETENTION_DAILY": "soon"}, "problem", "INFLUXDB_RETENTION_DAILY is 'soon'."),
        ({"QUOTIDIAN_COMMIT_INTERVAL": "-1"}, "problem", "QUOTIDIAN_COMMIT_INTERVAL is '-1'."),
        ({"ANALYSIS_SCHEDULE": "at three"}, "problem", "ANALYSIS_SCHEDULE is 'at three': five fields are needed."),
        ({"WEEKLY_ANALYSIS_SCHEDULE": "0 3 * * 8"}, "problem", "WEEKLY_ANALYSIS_SCHEDULE is '0 3 * * 8': '8' is not"),
        ({"QUOTIDIAN_LOG_LEVEL": "loud"}, "problem", "QUOTIDIAN_LOG_LEVEL is 'loud'."),
        ({"QUOTIDIAN_EXLUDE": "canary"}, "warning", "QUOTIDIAN_EXLUDE is set, but is no setting."),
        ({"HA_TOKN": "canary"}, "warning", "HA_TOKN is set, but is no setting."),
    ],
)
def test_settings_that_cannot_be_used_are_told(environment: dict[str, str], state: str, told: str) -> None:
    """Each is told by its name with what to do; a value of one that is none is never shown."""
    checks = settings_checks(Settings(environment))
    found = [check for check in checks if check.sentence.startswith(told)]
    assert states(found) == [state]
    assert all(check.remedy for check in checks if check.state != "ok")
    assert "canary" not in str(checks)


@pytest.mark.parametrize(("free", "state"), [(5_000, "ok"), (1_500, "warning"), (150, "problem")])
def test_little_space_is_told(free: float, state: str, tmp_path: Path) -> None:
    """What the spool may take and a year of events must fit."""
    assert space_check(tmp_path, free, quota=1_024).state == state


@pytest.mark.parametrize(
    ("device", "interval", "expected"), [("mmcblk0p2", "2", ["ok"]), ("mmcblk0p2", "0", ["warning"]), ("sda1", "0", [])]
)
def test_an_sd_card_is_spared(device: str, interval: str, expected: list[str]) -> None:
    """Only on a card is an interval too short."""
    assert states(card_checks(device, Settings({"QUOTIDIAN_COMMIT_INTERVAL": interval}))) == expected


def test_the_data_directory_is_looked_at(tmp_path: Path) -> None:
    """A place that can be written is judged by its space, one that cannot is a problem."""
    free = shutil.disk_usage(tmp_path).free / 1e6
    found = place_checks(Settings({"QUOTIDIAN_DATA": str(tmp_path)}))
    assert found[0] == space_check(tmp_path, free, 1024) or "MB are free" in found[0].sentence
    assert states(place_checks(Settings({"QUOTIDIAN_DATA": "/proc/quotidian"}))) == ["problem"]
    assert isinstance(device_of(tmp_path), str)


def test_services_that_do_not_run_are_told_with_their_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose port is free could start; one elsewhere that does not answer is a problem."""
    settings = Settings({"QUOTIDIAN_PORT": "64000", "DATA_STORAGE_URL": "http://127.0.0.1:1"})
    found = {check.name: check for check in service_checks(settings)}
    assert {name: check.state for name, check in found.items()} == {
        "store": "problem",
        "enrich": "warning",
        "capture": "warning",
        "learn": "warning",
        "admin": "warning",
    }
    assert "64001 is free" in found["enrich"].sentence


def test_home_assistant_is_only_looked_at_where_capture_is() -> None:
    """Beside a capture elsewhere nobody is asked for an address; without one, and where it is set, it is missed."""
    elsewhere = {"QUOTIDIAN_CAPTURE_URL": "http://capture:8001"}
    assert states(asyncio.run(home_checks(Settings(elsewhere)))) == ["ok"]
    assert states(asyncio.run(home_checks(Settings({})))) == ["problem"]
    assert states(asyncio.run(home_checks(Settings(elsewhere | {"HA_URL": "http://127.0.0.1:1"})))) == ["problem"]


def test_a_service_of_another_version_is_told() -> None:
    """All services are to be of one version."""
    with answering(WELL | {"service": "store"}) as port:
        found = service_checks(Settings({"QUOTIDIAN_PORT": "64000", "DATA_STORAGE_URL": f"http://127.0.0.1:{port}"}))
    assert found[0].state == "warning"
    assert "version 9.9" in found[0].sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token(exp=NOW + 300 * 86_400), []),
        (token(exp=NOW + 5 * 86_400), ["warning"]),
        (token(exp=NOW - 1), ["problem"]),
        (token(iss="x"), []),
        (token(exp="soon"), []),
        ("supervised", []),
        ("a.%%%.c", []),
        ("a.b.c", []),
    ],
)
def test_the_end_of_a_token_is_told_before_it_is_refused(text: str, expected: list[str]) -> None:
    """A token that tells its end is judged by it; one that does not is left to Home Assistant."""
    assert states(token_checks(text, NOW)) == expected


def test_an_expired_token_is_not_tried() -> None:
    """Each refusal raises a notification: nothing is asked of the address."""
    settings = Settings({"HA_URL": "http://192.0.2.1", "HA_TOKEN": token(exp=clock.now() / 1e6 - 60)})
    found = asyncio.run(home_checks(settings))
    assert states(found) == ["problem"]
    assert "expired on" in found[0].sentence


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "It is not set where Home Assistant is."),
        ("ftp://a", "cannot be read"),
        ("http://127.0.0.1:1", "Nobody answers at 127.0.0.1"),
        ("http://no-such-home.invalid", "There is no machine of the name no-such-home.invalid"),
    ],
)
def test_a_home_assistant_that_is_not_there_is_a_problem(url: str, told: str) -> None:
    """It is told what is wrong with the address, and what to do."""
    found = asyncio.run(home_checks(Settings({"HA_URL": url, "HA_TOKEN": "canary"})))
    assert states(found) == ["problem"]
    assert told in found[0].sentence
    assert found[0].remedy
    assert "canary" not in str(found)


def test_localhost_in_a_container_is_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy says so, where it does not answer."""
    monkeypatch.setattr("quotidian.operate.checks.home.in_container", lambda: True)
    found = asyncio.run(home_checks(Settings({"HA_URL": "http://localhost:1", "HA_TOKEN": "x"})))
    assert "the container itself" in found[0].remedy


def test_another_program_is_not_taken_for_home_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server at the address is told apart, also in a container, where something did answer."""
    monkeypatch.setattr("quotidian.operate.checks.home.in_container", lambda: True)
    with answering(b"hello", 404) as port:
        found = asyncio.run(home_checks(Settings({"HA_URL": f"http://127.0.0.1:{port}", "HA_TOKEN": "x"})))
    assert states(found) == ["problem"]
    assert "is not Home Assistant" in found[0].sentence
    assert "the port" in found[0].remedy


@pytest.mark.parametrize(("user", "state"), [({"is_admin": True}, "ok"), ({"is_owner": True}, "ok"), ({}, "warning")])
def test_what_is_lost_without_an_administrators_token_is_told(user: dict[str, Any], state: str) -> None:
    """Who did what cannot be told then."""
    check = rights_check(user)
    assert check.state == state
    assert state == "ok" or "automations and scripts" in check.sentence


@pytest.mark.parametrize(
    ("info", "state", "told"),
    [
        ({"recording": True, "backlog": 3}, "ok", "reaches back to 2026-11-18"),
        ({"recording": False}, "warning", "does not record"),
        ({"recording": True, "migration_in_progress": True}, "warning", "converts its database"),
        ({"recording": True, "backlog": 30_000}, "warning", "behind by 30,000"),
    ],
)
def test_a_recorder_that_cannot_fill_gaps_is_told(info: dict[str, Any], state: str, told: str) -> None:
    """It is judged by what it says of itself, and tells how far it reaches."""
    check = recorder_check(info, NOW * 1_000_000)
    assert check.state == state
    assert told in check.sentence


@pytest.mark.parametrize(
    ("there", "state", "told"),
    [
        ("Wed, 18 Nov 2026 11:06:50 GMT", "ok", "agree"),
        ("Wed, 18 Nov 2026 11:16:40 GMT", "warning", "600 s behind"),
        ("Wed, 18 Nov 2026 10:06:40 GMT", "warning", "3,600 s ahead of"),
        ("yesterday", "warning", "does not tell its time"),
    ],
)
def test_a_clock_that_is_off_is_told(there: str, state: str, told: str) -> None:
    """Half a minute does no harm; more is told with its direction."""
    check = clock_check(there, NOW * 1_000_000)
    assert (check.state, told in check.sentence) == (state, True)


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process's logs as they are."""
    monkeypatch.setattr("quotidian.operate.doctor.configure", lambda _: None)


@pytest.mark.usefixtures("unlogged")
def test_doctor_ends_with_a_failure_when_there_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check is a line, with its remedy beneath it; as data they are the same."""
    monkeypatch.setenv("QUOTIDIAN_PORT", "64000")
    monkeypatch.setenv("HA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HA_TOKEN", "canary")
    told, data = ran("doctor", "--data", tmp_path), ran("doctor", "--data", tmp_path, "--json")
    assert told.code == data.code == 1
    assert "✗ home assistant: Nobody answers at 127.0.0.1" in told.output
    assert "canary" not in told.output + data.output
    assert next(one for one in data.json if one["state"] == "problem")["remedy"] in told.output


def test_doctor_explains_settings_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of settings that is wrong is a finding, not a crash."""
    monkeypatch.setenv("HA_TOKEN_FILE", str(tmp_path / "nothing"))
    told = ran("doctor")
    assert told.code == 1
    assert "✗ settings: HA_TOKEN_FILE names" in told.output

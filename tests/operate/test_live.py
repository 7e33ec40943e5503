"""The whole pipeline beside a real Home Assistant, run and looked at by commands as a person types them."""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotidian.service.access import Access
from quotidian.settings import Settings

from ..pipeline import COMMAND, PORTS, Pipeline  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252

pytestmark = [pytest.mark.homeassistant, pytest.mark.skipif(not HASS.exists(), reason=MISSING)]

_CONFIGURATION = """
input_boolean:
  lamp:
    name: Lamp
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a Home Assistant."""
    with RealHomeAssistant(tmp_path_factory.mktemp("home"), _CONFIGURATION) as running:
        yield running


@pytest.fixture(scope="module")
def pipeline(home: RealHomeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Run the services beside it, connected."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "token").write_text(home.token + "\n")
    with Pipeline(folder, HA_URL=home.url, HA_TOKEN_FILE="token", QUOTIDIAN_SECRET="canary-secret") as running:
        until(lambda: running.asked("status")["state"] == "ok")
        yield running


def test_up_says_where_the_page_is(pipeline: Pipeline) -> None:
    """The address is on standard output, and no token anywhere without a terminal."""
    assert pipeline.url("admin") in pipeline.output
    assert "qt_" not in pipeline.output + pipeline.log
    assert not (pipeline.folder / "data" / "tokens.json").exists()


def test_validate_sends_an_event_all_the_way(pipeline: Pipeline) -> None:
    """Every step passes and tells the time that it took; to people it says that the pipeline works."""
    told = pipeline.asked("validate")
    assert told["passed"] is True
    assert {f"{service} is well" for service in PORTS} < {step["name"] for step in told["steps"]}
    assert all(step["trouble"] == "" and step["seconds"] >= 0 for step in told["steps"])
    plain = pipeline.run("validate")
    assert plain.returncode == 0
    assert "works from end to end" in plain.stdout


def test_validate_tells_what_is_lacking_although_events_arrive(tmp_path: Path) -> None:
    """Without a home to listen to, an event by hand arrives nevertheless; what capture lacks is a remark."""
    with Pipeline(tmp_path) as running:
        told = running.run("validate")
    assert told.returncode == 0
    assert re.search(r"! capture is well.*\n +homeassistant: .*HA_URL", told.stdout)


def test_status_is_well(pipeline: Pipeline) -> None:
    """The services are listed, and the exit code is 0."""
    told = pipeline.run("status")
    assert told.returncode == 0, told.stderr
    assert all(service in told.stdout for service in PORTS)


def test_doctor_finds_no_problem(pipeline: Pipeline, home: RealHomeAssistant) -> None:
    """Of a set-up that works nothing is a problem, and what is reserved is a warning."""
    checks = pipeline.asked("doctor")
    assert [check for check in checks if check["state"] == "problem"] == []
    found = {check["name"]: check["sentence"] for check in checks if check["state"] == "ok"}
    assert "lets us in" in found["home assistant"]
    assert found["token"] == "The token is an administrator's."
    assert "The recorder is on; it reaches back to" in found["recorder"]
    assert "agree" in found["clock"]
    assert {check["name"] for check in checks if check["state"] == "warning"} <= {"settings", "data", "token"}


def test_doctor_says_that_a_token_is_refused(pipeline: Pipeline) -> None:
    """A token of somebody else's Home Assistant is a problem with a remedy, and is not shown."""
    environment = pipeline.environment
    pipeline.environment = environment | {"HA_TOKEN": "canary-token"}
    try:
        told = pipeline.run("doctor")
    finally:
        pipeline.environment = environment
    assert told.returncode == 1
    assert re.search(r"✗ home assistant: Home Assistant at 127.0.0.1 refuses the token.\n +Make a new", told.stdout)
    assert "canary" not in told.stdout + told.stderr


def test_doctor_says_what_is_lost_without_an_administrators_token(pipeline: Pipeline, home: RealHomeAssistant) -> None:
    """With a guest's token everything is reached, and one warning says what cannot be told then."""
    environment = pipeline.environment
    pipeline.environment = environment | {"HA_TOKEN": home.guest_token}
    try:
        checks = pipeline.asked("doctor")
    finally:
        pipeline.environment = environment
    assert [check["state"] for check in checks if "not an administrator's" in check["sentence"]] == ["warning"]
    assert [check for check in checks if check["state"] == "problem"] == []


def test_loss_tells_of_today(pipeline: Pipeline, home: RealHomeAssistant) -> None:
    """What was heard is counted while the pipeline runs; nothing is missing, and the chain is whole."""
    before = _heard(pipeline)
    home.call("input_boolean.toggle", entity_id="input_boolean.lamp")
    until(lambda: _heard(pipeline) > before)
    told = pipeline.asked("loss")
    today = told["certificates"][-1]
    assert today["provisional"] is True
    assert today["missing"] == 0
    assert told["chain"].get("fault") is None
    assert "so far" in pipeline.run("loss").stdout


def test_other_commands_work_while_it_runs(pipeline: Pipeline, home: RealHomeAssistant) -> None:
    """What needs the store asks the process that holds it."""
    home.call("input_boolean.toggle", entity_id="input_boolean.lamp")
    until(lambda: bool(pipeline.asked("events", "--entity", "input_boolean.lamp")))
    assert pipeline.run("learn").returncode == 0


def test_it_does_not_start_twice(pipeline: Pipeline) -> None:
    """Another one is refused in a sentence, and the first is not disturbed."""
    again = pipeline.run("up")
    assert again.returncode == 1
    assert "runs here already" in again.stderr
    assert pipeline.run("status").returncode == 0


def test_no_secret_is_shown(pipeline: Pipeline, home: RealHomeAssistant) -> None:
    """Neither the home's token nor the services' secret stands in what was said or logged."""
    said = pipeline.output + pipeline.log
    assert home.token not in said
    assert "canary-secret" not in said


def test_the_first_token_is_shown_to_a_terminal(tmp_path: Path) -> None:
    """A person who starts it is given one token, of which the name is kept."""
    idle = Pipeline(tmp_path)
    assert len(re.findall(r"qt_[\w-]+", _on_a_terminal(idle))) == 1
    assert [token.name for token in Access(Settings(idle.environment)).tokens] == ["first"]


def test_a_stop_is_clean(home: RealHomeAssistant, tmp_path: Path) -> None:
    """SIGTERM ends it with code 0 and no complaint; validate then says what does not run."""
    with Pipeline(tmp_path, HA_URL=home.url, HA_TOKEN=home.token) as running:
        pass
    assert running.stop() == 0
    assert "Traceback" not in running.log
    told = running.run("validate", "--wait", 1)
    assert told.returncode == 1
    assert "✗ store is well" in told.stdout


def _heard(pipeline: Pipeline) -> int:
    """Give how many events were heard of the days that have certificates."""
    return sum(one["received"] for one in pipeline.asked("loss")["certificates"])


def _on_a_terminal(pipeline: Pipeline) -> str:
    """Run ``up`` on a terminal until it says how it is stopped, and stop it so; give what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "up"], env=pipeline.environment, cwd=pipeline.folder, stdout=theirs, stderr=subprocess.DEVNULL
    )
    try:
        until(pipeline.answers)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        return os.read(ours, 4096).decode()
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)

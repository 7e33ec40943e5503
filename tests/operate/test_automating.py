"""From a habit to an automation in a real Home Assistant, by commands as a person types them, and out again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from quotidian.model.automation import OURS

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..ports import free  # noqa: TID252
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252
from .conftest import Ran, following, learned, ran

live = pytest.mark.homeassistant
there = pytest.mark.skipif(not HASS.exists(), reason=MISSING)
HEATER, DESK = "switch.heater", "light.desk"
#: What the user wrote in Home Assistant's editor.
THEIRS = """\
- id: '1700000000001'
  alias: Bäder – {{ not a template }} [bold]
  description: ''
  triggers:
  - trigger: state
    entity_id:
    - input_boolean.away
    to: 'on'
  conditions: []
  actions:
  - action: light.turn_off
    metadata: {}
    data: {}
    target:
      entity_id: light.desk
  mode: single
"""
#: A light that cannot be switched.
BROKEN = """
light broken:
  - platform: template
    lights:
      broken:
        turn_on: {service: nowhere.none}
        turn_off: {service: nowhere.none}
"""
Command = Callable[..., Ran]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a furnished Home Assistant whose user has an automation in the editor's file."""
    folder = tmp_path_factory.mktemp("homeassistant")
    extra = "\nautomation theirs: !include automations.yaml\nsun:\nzone:\npersistent_notification:\n"
    home = RealHomeAssistant(folder, FURNISHED + BROKEN + extra)
    (folder / "automations.yaml").write_text(THEIRS)
    with home:
        home.press("desk_wall")  # it is unknown until then
        until(lambda: home.state("binary_sensor.desk_wall") == "off")
        yield home


@pytest.fixture
def file(home: RealHomeAssistant) -> Iterator[Path]:
    """Give the editor's file, which holds what the user wrote and nothing else, before a test and after it."""
    path = home.folder / "automations.yaml"
    assert path.read_text() == THEIRS
    yield path
    assert path.read_text() == THEIRS


@pytest.fixture
def command(home: RealHomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command beside Home Assistant; whatever it says, no token is in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HA_URL", home.url)
    monkeypatch.setenv("HA_TOKEN", home.token)

    def run(*words: object, given: bytes | None = None) -> Ran:
        told = ran(*words, given=given)
        assert home.token not in told.output + told.errors
        assert home.guest_token not in told.output + told.errors
        return told

    return run


def proposed(store: Path) -> str:
    """Give the id of the only proposal of a store."""
    (found,) = ran("suggest", "--data", store, "--json").json["automations"]
    return str(found["id"])


def in_the_file(path: Path) -> list[str]:
    """Give the ids that are in the editor's file."""
    return [one["id"] for one in yaml.safe_load(path.read_text())]


@live
@there
def test_a_habit_becomes_an_automation_that_acts(
    home: RealHomeAssistant, file: Path, command: Command, followed: Path
) -> None:
    """Learned, proposed and installed, it switches the lamp when the heater goes on; out, every byte is as before."""
    home.call("light.turn_off", entity_id=DESK)
    home.call("switch.turn_off", entity_id=HEATER)
    (proposal,) = command("suggest", "--data", followed, "--json").json["automations"]
    assert (proposal["tier"], proposal["score"]["precision"]) == ("offer", 1)
    done = command("install", proposal["id"], "--data", followed, "--yes", "--json").json
    assert (done["installed"], done["enabled"], done["hindrances"], done["trace"]) == (True, True, [], None)
    assert file.read_text().startswith(THEIRS)

    home.call("switch.turn_on", entity_id=HEATER)
    until(lambda: home.state(DESK) == "on")

    ours = command("automations", "--json").json[0]
    assert (ours["id"], ours["ours"], ours["entity_id"]) == (proposal["id"], True, done["entity_id"])
    assert ours["last_triggered"] is not None
    assert command("uninstall", proposal["id"], "--yes", "--json").json["removed"] is True
    assert file.read_text() == THEIRS
    home.call("light.turn_off", entity_id=DESK)
    home.call("switch.turn_off", entity_id=HEATER)
    home.call("switch.turn_on", entity_id=HEATER)
    assert home.state(DESK) == "off"


@live
@there
def test_it_is_shown_before_anybody_is_asked(file: Path, command: Command, followed: Path) -> None:
    """A dry run, and a person who says no, see the sentence, the days and the YAML; nothing is changed by either."""
    name = proposed(followed)
    for told in (
        command("install", name, "--data", followed, "--dry-run"),
        command("install", name.removeprefix(OURS)[:6], "--data", followed, given=b"n\n"),
    ):
        for part in ("When the heater switch goes on: the desk light goes on.", "30 of 30 moments", "●●●●", "target:"):
            assert part in told.output
        assert "Proposed by Quotidian: in 12 days you did it yourself" in told.output
        assert file.read_text() == THEIRS
    assert (told.code, "Install it" in told.output) == (1, True)
    told = command("install", name, "--data", followed, "--dry-run", "--json")
    assert (told.code, told.json["installed"], told.json["configuration"]["id"]) == (0, False, name)


@live
@there
def test_a_person_who_says_yes(home: RealHomeAssistant, file: Path, command: Command, followed: Path) -> None:
    """Asked and tried, it is installed once, the trial's steps are shown, and asked again it is taken out."""
    name = proposed(followed)
    home.call("light.turn_off", entity_id=DESK)
    told = command("install", name, "--data", followed, "--try", given=b"y\n")
    assert told.code == 0
    assert "it runs from now on" in told.output
    assert "Started once. It ran to its end. Passed: trigger, action/0" in told.output
    assert home.state(DESK) == "on"
    again = command("install", name, "--data", followed, "--yes")
    assert "It is installed already" in again.output
    assert in_the_file(file) == ["1700000000001", name]
    assert "nothing was changed" in command("uninstall", name, "--dry-run").output
    assert command("uninstall", name, given=b"n\n").code == 1
    assert in_the_file(file) == ["1700000000001", name]
    assert command("uninstall", name.removeprefix(OURS)[:4], given=b"y\n").code == 0


@live
@there
def test_a_trial_that_fails(file: Path, command: Command, tmp_path: Path) -> None:
    """It is told in Home Assistant's words, the code says so, and it is known how it is taken out again."""
    store = learned(tmp_path, following(30, HEATER, "light.broken"))
    name = proposed(store)
    told = command("install", name, "--data", store, "--yes", "--try")
    out = command("uninstall", name, "--yes")
    assert (told.code, out.code) == (1, 0)
    assert "It did not run to its end: " in told.output
    assert "nowhere.none" in told.output
    assert f"`quotidian uninstall {name}`" in told.errors


@live
@there
def test_all_are_listed(file: Path, command: Command, followed: Path) -> None:
    """Ours and others', each with what it does or why that is not known, whether it is on, and when it last ran."""
    name = proposed(followed)
    command("install", name, "--data", followed, "--yes")
    told, listed = command("automations").output, {one["id"]: one for one in command("automations", "--json").json}
    command("uninstall", name, "--yes")
    assert {one["id"] for one in listed.values() if one["ours"]} == {name}
    assert listed["1700000000001"]["sentence"] == "When the away goes on: the desk goes off"
    assert (listed["ticking"]["analysed"], listed["ticking"]["enabled"]) == (False, False)
    assert "time_pattern" in listed["ticking"]["reason"]
    assert "Bäder – {{ not a template }} [bold]  not ours · on · has not run yet" in told
    assert "Ticking  not ours · switched off" in told
    assert "not analysed, trigger: what starts by 'time_pattern'" in told
    assert told.index(name) < told.index("Bäder")


@live
@there
def test_those_installed_are_tried_on_past_days(
    home: RealHomeAssistant, file: Path, command: Command, followed: Path
) -> None:
    """Without a file the automations of Home Assistant are tried, at its address as well; ours was of use each time."""
    name = proposed(followed)
    command("install", name, "--data", followed, "--yes")
    told = command("backtest", "--data", followed, "--json").json
    assert command("backtest", home.url, "--data", followed, "--json").json == told
    assert "not analysed" in command("backtest", "--data", followed).output
    command("uninstall", name, "--yes")
    (ours,) = (one for one in told if one["id"] == name)
    assert ours["analysed"] is True
    assert ours["score"]["useful"] > 2 * len(ours["days"])
    assert ours["score"]["nuisance"] == 0
    assert len(told) == 5


@live
@there
def test_a_guest_is_given_what_to_copy(
    home: RealHomeAssistant, file: Path, command: Command, followed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an administrator's token all is shown, nothing is changed, and the YAML is there to be copied."""
    name = proposed(followed)
    command("install", name, "--data", followed, "--yes")
    monkeypatch.setenv("HA_TOKEN", home.guest_token)
    assert command("automations", "--json").json[0]["id"] == name
    out = command("uninstall", name, "--yes")
    assert (out.code, out.output) == (1, "")
    assert "only administrators remove automations" in out.errors
    monkeypatch.setenv("HA_TOKEN", home.token)
    command("uninstall", name, "--yes")

    monkeypatch.setenv("HA_TOKEN", home.guest_token)
    told = command("install", name, "--data", followed, "--yes")
    assert told.code == 1
    assert "copy the automation's YAML into Home Assistant" in told.errors
    shown = told.output[told.output.index("- id:") : told.output.index("\nAll entities")]
    data = command("install", name, "--data", followed, "--yes", "--json")
    assert (data.code, data.json["administrator"], data.json["installed"]) == (1, False, False)
    assert yaml.safe_load(shown) == [data.json["configuration"]]

    file.write_text(THEIRS + shown)
    home.call("automation.reload")
    assert [one["id"] for one in command("automations", "--json").json if one["ours"]] == [name]
    monkeypatch.setenv("HA_TOKEN", home.token)
    assert command("uninstall", name, "--yes").code == 0


@live
@there
def test_a_reminder_is_installed_for_who_asks(
    home: RealHomeAssistant, file: Path, command: Command, unlocked: Path
) -> None:
    """By its id it is installed and tells, through a service that must be there; the lock itself is never switched."""
    home.put("lock.front", "locked")
    (reminder,) = command("suggest", "--data", unlocked, "--json").json["reminders"]
    asked = ("install", reminder["id"], "--data", unlocked, "--yes")
    told = command(*asked, "--notify", "notify.phone")
    assert (told.code, "There is no service notify.phone." in told.errors) == (1, True)
    done = command(*asked, "--try", "--json")
    assert (done.code, done.json["trace"]["execution"], done.json["trace"]["error"]) == (0, "finished", "")
    assert home.state("lock.front") == "locked"
    home.remove("lock.front")
    assert command("uninstall", reminder["id"], "--yes").code == 0


@live
@there
def test_what_is_not_there_is_named(file: Path, command: Command, tmp_path: Path) -> None:
    """A lamp that Home Assistant does not have (any more) is named, and nothing is installed."""
    store = learned(tmp_path, following(30, HEATER, "light.gone"))
    for more in ((), ("--dry-run",)):
        told = command("install", proposed(store), "--data", store, "--yes", *more)
        assert told.code == 1
        assert "There is no entity light.gone." in told.errors
    told = command("install", proposed(store), "--data", store, "--yes", "--json")
    assert (told.code, told.json["hindrances"]) == (1, ["There is no entity light.gone."])


@live
@there
@pytest.mark.parametrize("name", ["1700000000001", "leaving", "", OURS, f"{OURS}/../leaving", "Quotidian_1"])
def test_what_is_not_ours_is_not_taken_out(file: Path, command: Command, name: str) -> None:
    """Nothing of somebody else's can be meant, whatever is typed."""
    told = command("uninstall", name, "--yes")
    assert (told.code, told.output) == (1, "")
    assert "automation of ours" in told.errors
    assert "leaving" in {one["id"] for one in command("automations", "--json").json}


@live
@there
def test_a_token_that_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to do about it, and the token is not shown."""
    monkeypatch.setenv("HA_TOKEN", "canary-4c1f")
    told = command("automations")
    assert (told.code, told.output) == (1, "")
    assert "refuses the token" in told.errors
    assert "canary" not in told.errors


# without a Home Assistant


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where nothing is set."""
    monkeypatch.chdir(tmp_path)
    for name in ("HA_URL", "HA_TOKEN", "HA_TOKEN_FILE", "SUPERVISOR_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("words", [("automations",), ("uninstall", "0a", "--yes"), ("backtest",), ("install", "{id}")])
def test_where_home_assistant_is_must_be_known(alone: None, followed: Path, words: tuple[str, ...]) -> None:
    """Without an address, a token, or anybody there, it is said what to set, and nothing is shown."""
    store = ("--data", followed) if words[0] in ("backtest", "install") else ()
    line = (*(word.format(id=proposed(followed)) for word in words), *store)
    assert "Set HA_URL" in ran(*line).errors
    nowhere = f"http://127.0.0.1:{free()}"
    at = (nowhere,) if words[0] == "backtest" else ("--url", nowhere)
    assert "set HA_TOKEN" in ran(*line, *at).errors
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HA_TOKEN", "canary-4c1f")
        told = ran(*line, *at)
        secret = ran("automations", "--url", "http://canary:canary@127.0.0.1:1")
    assert "Nobody answers at 127.0.0.1" in told.errors
    assert "holds a password" in secret.errors
    for one in (told, secret):
        assert (one.code, one.output) == (1, "")
        assert "canary" not in one.errors


@pytest.mark.parametrize("words", [("install", "0a"), ("uninstall", "0a")])
def test_data_and_a_question_do_not_mix(alone: None, followed: Path, words: tuple[str, ...]) -> None:
    """``--json`` changes nothing unless it is told to."""
    told = ran(*words, "--json")
    assert (told.code, told.output) == (1, "")
    assert "--yes" in told.errors


def test_only_a_proposal_is_installed(alone: None, followed: Path) -> None:
    """What no proposal is called is refused before Home Assistant is asked anything."""
    for name in ("0", "", "leaving"):
        told = ran("install", name, "--data", followed)
        assert (told.code, told.output) == (1, "")
        assert "quotidian suggest" in told.errors

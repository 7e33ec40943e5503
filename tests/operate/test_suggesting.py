"""Proposals, and automations tried on past days: what is printed, to people and as data, and what is refused."""

import json
from pathlib import Path

import msgspec
import pytest

from quotidian.homeassistant.configuration import configuration_of, understood
from quotidian.homeassistant.configuration.text import from_yaml
from quotidian.model import Area, Entity, Home
from quotidian.model.automation import OURS, Automation
from quotidian.store import connect

from .conftest import Ran, following, learned, ran

LAMP = """\
- id: mine
  alias: Mine [bold]
  triggers: [{trigger: state, entity_id: switch.heater, to: 'on'}]
  actions: [{action: light.turn_on, target: {entity_id: light.desk}}]
- id: told
  alias: Told
  triggers: [{trigger: time, at: '07:00:00'}]
  actions: [{action: notify.notify, data: {message: Good morning}}]
- alias: Chosen
  triggers: [{trigger: time, at: '07:00:00'}]
  actions: [{choose: []}]
"""


def refused(told: Ran, *words: str) -> None:
    """Check that nothing was told but an error with these words."""
    assert (told.code, told.output) == (1, "")
    assert told.errors.startswith("Error: ")
    for word in words:
        assert word in told.errors


@pytest.fixture(scope="module")
def proposal(followed: Path) -> str:
    """Give the id of the home's only proposal."""
    (found,) = ran("suggest", "--data", followed, "--json").json["automations"]
    return str(found["id"])


def test_a_proposal_is_told_with_its_days(followed: Path, proposal: str) -> None:
    """A sentence, what came of it, a calendar of the days that it was not learned from, and its id."""
    told = ran("suggest", "--data", followed)
    assert told.code == 0
    assert " 1. When the heater switch goes on: the desk light goes on.\n" in told.output
    assert "within 5 min at 30 of 30 moments; can be installed." in told.output
    assert f"acts a week · {proposal}" in told.output
    assert told.output.count("●") == 12 + 1  # the legend has one
    assert "Reminders" not in told.output


def test_proposals_as_data(followed: Path) -> None:
    """Each moment has its time and outcome, and the configuration is the automation's own."""
    told = ran("suggest", "--data", followed, "--json").json
    assert told == ran("suggest", "--data", followed, "--format", "json").json
    assert told["reminders"] == []
    (one,) = told["automations"]
    automation = msgspec.convert(one["automation"], Automation)
    assert one["configuration"] == {**configuration_of(automation), "description": one["configuration"]["description"]}
    assert (one["id"], one["sentence"], one["window_seconds"]) == (automation.id, automation.alias, 300)
    assert one["q_value"] <= 0.01
    assert {moment["outcome"] for moment in one["moments"]} == {"useful"}
    assert len(one["moments"]) == one["score"]["useful"] == 30
    assert len(one["days"]) == 12
    assert {moment["at"][:10] for moment in one["moments"]} <= set(one["days"])


def test_proposals_as_yaml_are_read_by_backtest(followed: Path, proposal: str, tmp_path: Path) -> None:
    """What is written for Home Assistant is understood again, and is of use on past days."""
    file = tmp_path / "proposals.yaml"
    file.write_text(ran("suggest", "--data", followed, "--format", "yaml").output)
    (written,) = from_yaml(file.read_text())
    assert written["id"] == proposal
    (tried,) = ran("backtest", file, "--data", followed, "--json").json
    assert (tried["id"], tried["analysed"], tried["score"]["nuisance"]) == (proposal, True, 0)


def test_any_automation_is_tried(followed: Path, tmp_path: Path) -> None:
    """Each of a file is told: what would have come of it, that it switches nothing, or why it is not analysed."""
    file = tmp_path / "automations.yaml"
    file.write_text(LAMP)
    told = ran("backtest", file, "--data", followed)
    assert told.code == 0
    assert "When the heater switch goes on: the desk light goes on.\n    of use at " in told.output
    assert "you are told “Good morning”: it switches nothing." in told.output
    assert "Chosen: not analysed, actions[0]: 'choose'" in told.output
    mine, spoken, chosen = ran("backtest", file, "--data", followed, "--json").json
    assert set(mine) == {"analysed", "id", "alias", "sentence", "score", "days", "moments"}
    assert set(spoken) == {"analysed", "id", "alias", "sentence"}
    assert (chosen["analysed"], chosen["place"]) == (False, "actions[0]")
    assert len(mine["days"]) == 36
    hasty = ran("backtest", file, "--data", followed, "--within", "5s", "--json").json[0]
    assert hasty["score"]["useful"] < mine["score"]["useful"]
    assert hasty["score"]["nuisance"] > 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", ("not YAML", "line 1")),
        (b"\xff\xfe\x00", ("no text",)),
        (b"", ("No automation is in this file",)),
        (b"just words", ("No automation is in this file",)),
        (b"light: {platform: demo}", ("No automation is in this file",)),
        (b"[]", ("No automation is in this file",)),
    ],
    ids=["not YAML", "no text", "empty", "words", "something else", "none"],
)
def test_files_without_automations(followed: Path, tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    """They are refused with the reason."""
    file = tmp_path / "given.yaml"
    file.write_bytes(content)
    refused(ran("backtest", file, "--data", followed), *words)


@pytest.mark.parametrize("content", ["- 1", "- null", "- [a]", "- {triggers: 3}", "- {triggers: [], actions: x}"])
def test_what_is_no_automation_is_not_analysed(followed: Path, tmp_path: Path, content: str) -> None:
    """In a list of automations it is told as one that cannot be read, as a sentence and as data."""
    file = tmp_path / "given.yaml"
    file.write_text(content)
    assert "not analysed" in ran("backtest", file, "--data", followed).output
    assert ran("backtest", file, "--data", followed, "--json").json[0]["analysed"] is False


def test_no_such_file(followed: Path, tmp_path: Path) -> None:
    """It is named."""
    refused(ran("backtest", tmp_path / "missing.yaml", "--data", followed), "missing.yaml", "No such file")
    refused(ran("backtest", tmp_path, "--data", followed), "Is a directory")


@pytest.mark.parametrize("within", ["", "soon", "5", "0m", "-5m", "1d", "999999s"])
def test_spans_that_are_none(followed: Path, tmp_path: Path, within: str) -> None:
    """A window that is none, or that nobody can act in, is refused."""
    file = tmp_path / "automations.yaml"
    file.write_text(LAMP)
    refused(ran("backtest", file, "--data", followed, "--within", within), "90s")


# what if


def test_a_change_is_told_beside_what_it_changes(followed: Path, proposal: str) -> None:
    """Before and after are tried on the same days; on weekdays alone it saves less."""
    told = ran("whatif", proposal, "--data", followed, "--weekdays", "--json").json
    before, after = told["before"], told["after"]
    assert before["days"] == after["days"]
    assert 0 < after["score"]["useful"] < before["score"]["useful"]
    assert after["automation"]["conditions"] == [{"kind": "weekday", "days": [0, 1, 2, 3, 4]}]
    assert after["sentence"] == "When the heater switch goes on, on weekdays: the desk light goes on"
    assert ran("whatif", proposal, "--data", followed, "--on", "mon,tue,wed,thu,fri", "--json").json == told
    shown = ran("whatif", proposal[len(OURS) :][:5], "--data", followed, "--weekdays").output
    assert shown.index(before["sentence"]) < shown.index(after["sentence"])


def test_a_later_start_saves_less(followed: Path, proposal: str) -> None:
    """Ten minutes after the heater went on, somebody has switched the lamp on already."""
    after = ran("whatif", proposal, "--data", followed, "--offset", "10m", "--json").json["after"]
    assert after["score"]["useful"] == 0
    assert "has been on for 10 min" in after["sentence"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("--offset", "-10m"), "cannot start before what starts it"),
        (("--offset", "soon"), "no length of time"),
        (("--on", "someday"), "no day of the week"),
        (("--on", ""), "no day of the week"),
        (("--between", "20:00"), "no span of hours"),
        (("--between", "25:00-26:00"), "no span of hours"),
        (("--between", "08:00-08:00"), "ends where it begins"),
    ],
)
def test_changes_that_cannot_be(followed: Path, proposal: str, change: tuple[str, str], word: str) -> None:
    """They are refused, and it is said how they are written."""
    refused(ran("whatif", proposal, "--data", followed, *change), word)


@pytest.mark.parametrize("name", ["", "0", OURS, "light.desk", "[bold]"])
def test_what_no_proposal_is_called(followed: Path, name: str) -> None:
    """It is refused, and it is said where the ids are."""
    refused(ran("whatif", name, "--data", followed), "proposal", "`quotidian suggest` lists them")


# homes with little, or nothing


def test_a_store_without_days(tmp_path: Path) -> None:
    """Where nothing was learned yet, that is said, and nothing can be tried."""
    store = tmp_path / "store"
    connect(store).close()
    assert "0 days are too few" in ran("suggest", "--data", store).output
    assert ran("suggest", "--data", store, "--json").json == {"automations": [], "reminders": []}
    assert from_yaml_or_none(ran("suggest", "--data", store, "--format", "yaml").output) == []
    file = tmp_path / "automations.yaml"
    file.write_text(LAMP)
    refused(ran("backtest", file, "--data", store), "`quotidian learn` comes first")
    refused(ran("whatif", "0a", "--data", store), "is no proposal")
    refused(ran("suggest", "--data", tmp_path / "nothing"), "There is no store")


def from_yaml_or_none(text: str) -> object:
    """Read YAML that may hold no automation."""
    return json.loads(text)  # an empty list is written alike in both


def test_too_few_days(tmp_path: Path) -> None:
    """A week proposes nothing and says from when on there will be something."""
    store = learned(tmp_path, following(7, "switch.heater", "light.desk"))
    told = ran("suggest", "--data", store)
    assert (told.code, told.output) == (
        0,
        "Nothing to propose yet: 7 days are too few. From 14 on there are some to try on.\n",
    )


def test_a_home_of_sensors(tmp_path: Path) -> None:
    """Where nothing can be switched, that is the reason that is given, however many days there are."""
    store = learned(tmp_path, following(20, "binary_sensor.door", "binary_sensor.stairs"))
    assert "nothing here can be switched, there are only sensors" in ran("suggest", "--data", store).output
    assert ran("suggest", "--data", store, "--json").json["automations"] == []


def test_reminders_say_that_they_are_not_installed_unasked(unlocked: Path) -> None:
    """A lock that is unlocked each day is only ever told of, with an id by which one may ask for it."""
    told = ran("suggest", "--data", unlocked).output
    (one,) = ran("suggest", "--data", unlocked, "--json").json["reminders"]
    assert "They are only installed where you ask for one." in told
    assert one["id"] in told
    assert one["configuration"]["description"].startswith("Proposed by Quotidian: the longest of ")
    assert "lock" not in json.dumps(ran("suggest", "--data", unlocked, "--json").json["automations"])


HOSTILE = "{{ states('x') }} [bold red]x[/] \u202e\x1b[31m'\"\n- id: evil"


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    """They stay on one line, do not colour it, do not break the YAML, and are no templates in it."""
    store = learned(tmp_path, following(30, "switch.heater", "light.desk"))
    with_names = connect(store)
    entities = {name: Entity(name, name=HOSTILE, area="a") for name in ("switch.heater", "light.desk")}
    areas = {"a": Area("a", HOSTILE)}
    with_names.set_home(msgspec.structs.replace(with_names.home, name=HOSTILE, entities=entities, areas=areas))
    with_names.close()
    told = ran("suggest", "--data", store).output
    assert "{{ states('x') }} [bold red]x[/]" in told
    assert not {"\x1b", "\u202e"} & set(told)
    assert not [line for line in told.splitlines() if line.startswith("- id")]
    text = ran("suggest", "--data", store, "--format", "yaml").output
    (written,) = from_yaml(text)
    (data,) = ran("suggest", "--data", store, "--json").json["automations"]
    again = understood(written, Home("h", "UTC"))
    assert isinstance(again, Automation)
    assert (again.id, again.alias) == (data["id"], data["sentence"])
    file = tmp_path / "proposals.yaml"
    file.write_text(text)
    assert "[bold red]x[/]" in ran("backtest", file, "--data", store).output
    assert "[bold red]x[/]" in ran("whatif", data["id"], "--data", store, "--weekdays").output

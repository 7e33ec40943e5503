"""Each command does what it says, to people and as data."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from quotidian import __version__
from quotidian.model import Pattern
from quotidian.operate.cli import PLACES

from .conftest import Ran, ran

Run = Callable[..., Ran]
COMMANDS = tuple(PLACES)


def test_version_and_no_command() -> None:
    """The version is printed; without a command there is help."""
    assert ran("--version").output.strip() == __version__
    assert "learn" in ran().output


def test_all_commands_are_there() -> None:
    """What the documentation names exists."""
    assert set(COMMANDS) == {
        "learn", "import", "simulate", "demo", "patterns", "history", "events", "days", "layers", "report", "forget",
        "mark", "retain", "up", "serve", "status", "doctor", "validate", "token", "loss",
        "daily", "weekly", "monthly", "backfill", "jobs", "backup", "restore", "store",
        "suggest", "backtest", "whatif", "install", "uninstall", "automations",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    """Every command shows how it is typed."""
    told = ran(command, "--help")
    assert told.code == 0
    assert re.search(r"Examples?:", told.output)
    assert f"quotidian {command}" in told.output.partition("Example")[2] or command == "learn"


def test_help_ends_its_lines_where_the_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of a docstring ends in the middle of one, and examples are indented whatever stands before them."""
    monkeypatch.setenv("COLUMNS", "80")
    told = [line.strip(" ") for line in ran("backup", "--help").output.splitlines()]
    assert "and settings are not. The file is a plain tar. With a passphrase it is" in told
    for command in ("daily", "backfill"):
        lines = ran(command, "--help").output.splitlines()
        begin = next(number for number, line in enumerate(lines) if line.strip() == "Examples:")
        assert all(line.startswith(f"   quotidian {command}") for line in lines[begin + 1 : begin + 3])


def test_learning_tells_habits_as_sentences(simulated: Path, quotidian: Run) -> None:
    """The home, its days, and habits with their evidence are said; once more says the same, and reads nothing twice."""
    source = simulated / "events.jsonl.gz"
    first = quotidian("learn", source, "--zone", "Europe/Amsterdam")
    assert first.code == 0
    assert "14 whole days learned (Europe/Amsterdam)" in first.output
    assert re.search(
        r"• Weekdays about 0\d:\d\d \(± \d+ min.*\) the .* goes on: \d+ of \d+ days time_of_day-", first.output
    )
    again = quotidian("learn", source, "--zone", "Europe/Amsterdam")
    assert "0 new" in again.output
    assert again.output.partition("\n")[2] == first.output.partition("\n")[2]
    assert quotidian("learn").output == first.output.partition("\n")[2]


def test_learning_as_data(simulated: Path, quotidian: Run) -> None:
    """``--json`` gives one document: what came in, what was folded, and each pattern as it is kept."""
    data = quotidian("learn", simulated / "events.jsonl.gz", "--json").json
    assert data["imported"]["new"] > 10_000
    assert (data["folded_days"], data["nights"], data["days"]) == (14, 14, 14)
    patterns = msgspec.convert(data["patterns"], list[Pattern])
    assert patterns
    assert all(one.finding.sentence for one in patterns)


def test_importing_twice_adds_nothing(simulated: Path, quotidian: Run) -> None:
    """The same file once more is not even read; under another name it is read, and nothing is new."""
    source = simulated / "events.jsonl.gz"
    first = quotidian("import", source, "--json").json
    assert (first["known"], first["rejected"], first["fault"]) == (0, 0, None)
    again = quotidian("import", source, "--json").json
    assert (again["read"], again["new"]) == (0, 0)
    other = source.with_name("copy.jsonl.gz")
    shutil.copy(source, other)
    copy = quotidian("import", other, "--json").json
    assert (copy["new"], copy["known"]) == (0, first["new"])
    assert "0 new" in quotidian("import", other).output
    assert all(day["due"] for day in quotidian("days", "--json").json)


def test_standard_input(simulated: Path, quotidian: Run) -> None:
    """A dash reads what is piped in, packed or not."""
    packed = (simulated / "events.jsonl.gz").read_bytes()
    assert quotidian("import", "-", "--json", given=packed).json["new"] > 10_000
    plain = b"entity_id,state,last_changed\nlight.a,on,2026-02-01T10:00:00Z\n"
    assert quotidian("import", "-", "--json", given=plain).json["new"] == 1


def test_patterns(lived: Path) -> None:
    """They are listed, most useful first, by detector and by entity; one is told with its evidence and history."""
    everything = ran("patterns", "--all", "--json", "--data", lived).json
    names = [one["id"] for one in everything]
    assert len(set(names)) == len(names) > 5
    told = ran("patterns", "--all", "--data", lived).output
    assert all(name in told for name in names)
    active = [one["id"] for one in everything if one["status"] == "active" and one["told_by"] is None]
    shown = re.findall(r"\S+-[0-9a-f]{10}$", ran("patterns", "--data", lived).output, re.MULTILINE)
    assert set(shown) == set(active[:20])
    for one in everything:
        assert one["tells"] == sorted(other["id"] for other in everything if other["told_by"] == one["id"])
    kind = ran("patterns", "--kind", "duration", "--json", "--data", lived).json
    assert {one["finding"]["detector"] for one in kind} == {"duration"}
    entity = everything[0]["finding"]["subject"][0].partition("=")[0]
    of = ran("patterns", "--entity", entity, "--all", "--json", "--data", lived).json
    assert {one["id"] for one in of} < set(names)
    assert all(entity in json.dumps([one["finding"]["subject"], one["finding"]["measures"]]) for one in of)
    one = next(one for one in everything if one["finding"]["detector"] == "time_of_day")
    history = ran("patterns", one["id"], "--data", lived)
    assert all(word in history.output for word in ("q-value", "interval", "night after", "active", one["id"]))
    assert [found["id"] for found in ran("patterns", one["id"], "--json", "--data", lived).json] == [one["id"]]
    missing = ran("patterns", "nothing-0", "--data", lived)
    assert (missing.code, missing.output) == (1, "")
    assert "There is no pattern 'nothing-0'" in missing.errors


def test_events(lived: Path) -> None:
    """The newest are listed, of one entity or one local day, each with the state before it."""
    newest = ran("events", "--limit", 7, "--json", "--data", lived).json
    times = [event["last_updated"] for event in newest]
    assert len(times) == 7
    assert times == sorted(times, reverse=True)
    entity = newest[0]["entity_id"]
    of = ran("events", "--entity", entity, "--limit", 5, "--json", "--data", lived).json
    assert {event["entity_id"] for event in of} == {entity}
    assert of[0]["old_state"] == of[1]["new_state"]
    day = ran("days", "--json", "--data", lived).json[3]
    assert (
        len(ran("events", "--date", day["date"], "--limit", 100_000, "--json", "--data", lived).json) == day["events"]
    )
    table = ran("events", "--limit", 3, "--data", lived).output
    assert len(table.strip().splitlines()) == 4
    assert entity in table
    for nothing in (("--entity", "light.none"), ("--date", "1999-01-01"), ("--date", "0001-01-01")):
        assert ran("events", *nothing, "--json", "--data", lived).json == []
        assert ran("events", *nothing, "--data", lived).code == 0


def test_days_and_layers(lived: Path) -> None:
    """The ledger lists each day as learned from; the four layers say what they hold."""
    days = ran("days", "--json", "--data", lived).json
    assert len(days) == 14
    assert not any(day["due"] for day in days)
    assert ran("days", "--data", lived).output.count("yes") == 14
    layers = ran("layers", "--json", "--data", lived).json
    assert {layer["layer"] for layer in layers} == {1, 2, 3, 4}
    assert sum(layer["rows"] for layer in layers if layer["layer"] == 1) == sum(day["events"] for day in days)
    assert "patterns" in ran("layers", "--data", lived).output


def test_report(lived: Path, tmp_path: Path) -> None:
    """One page is written where it is asked for, in a new directory too; where it cannot be, that is said."""
    page = tmp_path / "new" / "home.html"
    assert ran("report", page, "--data", lived).code == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    refused = ran("report", page / "below", "--data", lived)
    assert refused.code == 1
    assert "cannot be written" in refused.errors


def test_simulate(tmp_path: Path) -> None:
    """Events, home and truth are written, and named as data; an unknown home is refused with those that there are."""
    told = ran("simulate", tmp_path / "home", "--home", "small", "--days", 2, "--seed", 5, "--json").json
    assert told["habits"] > 0
    assert [Path(file).exists() for file in told["files"]] == [True] * 3
    wrong = ran("simulate", tmp_path / "home", "--home", "castle")
    assert wrong.code == 1
    assert "Choose one of demo" in wrong.errors
    assert "cannot be used" in ran("simulate", Path(told["files"][0]) / "below", "--days", 1).errors


def test_forget(lived: Path, tmp_path: Path, quotidian: Run) -> None:
    """An entity goes from every layer, after a question or with ``--yes``; the next run learns without it."""
    shutil.copytree(lived, tmp_path / "store")
    one = quotidian("patterns", "--kind", "time_of_day", "--json").json[0]["finding"]["subject"][0].partition("=")[0]
    refused = quotidian("forget", one, given=b"n\n")
    assert refused.code == 1
    assert quotidian("events", "--entity", one, "--json").json
    forgotten = quotidian("forget", one, "--json").json
    assert forgotten["events"] > 0
    assert forgotten["patterns"] > 0
    assert quotidian("events", "--entity", one, "--json").json == []
    learned = quotidian("learn", "--json")
    assert learned.json["folded_days"] == forgotten["days"]
    assert one not in learned.output
    assert "0 events" in quotidian("forget", one, "--yes").output


def test_mark(lived: Path, tmp_path: Path, quotidian: Run) -> None:
    """A marked day is shown as such and not learned from; without the mark all that is found is as it was."""
    shutil.copytree(lived, tmp_path / "store")
    before = quotidian("patterns", "--all", "--json").json
    date = quotidian("days", "--json").json[4]["date"]
    assert "marked “party”" in quotidian("mark", date, "party").output
    assert [day["mark"] for day in quotidian("days", "--json").json].count("party") == 1
    without = quotidian("learn", "--json").json["patterns"]
    assert max(one["finding"]["evidence"]["observed"] for one in without if one["status"] == "active") <= 14
    assert {one["id"]: one["finding"]["evidence"] for one in without} != {
        one["id"]: one["finding"]["evidence"] for one in before
    }
    assert quotidian("mark", date).code == 0
    quotidian("learn")
    after = {one["id"]: one["finding"] for one in quotidian("patterns", "--all", "--json").json}
    last = max(one["last_seen"] for one in before)
    found = [one for one in before if one["last_seen"] == last]
    assert found
    assert all(after[one["id"]] == one["finding"] for one in found)
    assert "is not a date" in quotidian("mark", "yesterday").errors
    assert quotidian("events", "--date", "9999-12-31").code == 1


def test_retain(lived: Path, tmp_path: Path, quotidian: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole days go when they are older than the settings say; a dry run says so and drops nothing."""
    shutil.copytree(lived, tmp_path / "store")
    monkeypatch.setenv("QUOTIDIAN_RETENTION_RAW", "5")
    for _ in range(2):
        assert quotidian("retain", "--dry-run", "--json").json["raw_days"] == 8
    assert "Would drop 8 days of events" in quotidian("retain", "--dry-run").output
    assert quotidian("retain", "--json").json["raw_days"] == 8
    assert quotidian("retain", "--json").json["raw_days"] == 0
    assert sum(day["events"] > 0 for day in quotidian("days", "--json").json) == 6
    monkeypatch.setenv("QUOTIDIAN_RETENTION_DAILY", "60")
    assert "look back on 90 days" in quotidian("retain").errors
    monkeypatch.setenv("QUOTIDIAN_RETENTION_RAW", "2")
    assert "QUOTIDIAN_RETENTION_RAW is '2', and learning needs 3 days" in quotidian("days").errors
    monkeypatch.setenv("QUOTIDIAN_RETENTION_RAW", "soon")
    refused = quotidian("retain")
    assert refused.code == 1
    assert "QUOTIDIAN_RETENTION_RAW is 'soon'" in refused.errors


def test_ten_days_show_emerging_habits(ten_days: tuple[Path, str]) -> None:
    """What Home Assistant keeps by default is enough for first signs, said to be so, and for what will come."""
    store, said = ten_days
    assert "10 whole days learned" in said
    emerging = said.partition("Emerging: first signs, not yet proven")[2].partition("With more days")[0]
    assert emerging.count("•") >= 5
    more = said.partition("With more days")[2]
    assert "from 14 days on: " in more
    assert "from 28 days on: " in more
    patterns = msgspec.convert(ran("patterns", "--json", "--data", store).json, list[Pattern])
    of = {one.finding.detector: one for one in patterns if one.finding.stage == "emerging"}
    assert {"time_of_day", "duration"} <= set(of)
    times = [one for one in patterns if one.finding.detector == "time_of_day"]
    assert len(times) >= 3
    assert all(one.finding.evidence.kept <= 10 for one in times)


def test_ten_days_tell_few_wrong_things(ten_days: tuple[Path, str]) -> None:
    """Nearly every time of day that is told is of an entity with a habit that was planted."""
    store, _ = ten_days
    truth = json.loads((store.parent / "truth.json").read_text())
    planted = {token.partition("=")[0] for habit in truth["habits"] for token in habit["tokens"]}
    planted |= {pair[side].partition("=")[0] for pair in truth["consequences"] for side in ("first", "then")}
    told = ran("patterns", "--kind", "time_of_day", "--all", "--json", "--data", store).json
    right = [one for one in told if one["finding"]["subject"][0].partition("=")[0] in planted]
    assert len(right) >= 0.8 * len(told)

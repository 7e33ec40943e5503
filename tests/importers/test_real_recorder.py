"""The database that a real Home Assistant writes, imported while it runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from quotidian.model import Area, CauseKind, Pattern
from quotidian.operate.cli import app

from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252 - tests are no package
from .recorded import RecordingStore, taken

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]

_CONFIGURATION = """
input_boolean:
  lamp:
  fan:
  away:
  clock:
input_button:
  bed:
template:
  - sensor:
      - name: Presence
        state: "{{ 'away' if is_state('input_boolean.away', 'on') else 'home' }}"
automation:
  - id: leaving
    alias: Leaving
    trigger: {platform: state, entity_id: input_boolean.away, to: "on"}
    action: {service: input_boolean.turn_on, entity_id: input_boolean.lamp}
  - id: goodnight
    alias: Goodnight
    trigger: {platform: state, entity_id: input_button.bed}
    action: {service: input_boolean.turn_on, entity_id: input_boolean.fan}
  - id: ticking
    alias: Ticking
    trigger: {platform: time_pattern, seconds: "/1"}
    action: {service: input_boolean.toggle, entity_id: input_boolean.clock}
script:
  evening:
    sequence:
      - {service: input_boolean.turn_off, entity_id: input_boolean.lamp}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a Home Assistant with a lamp in the kitchen, automations and a script."""
    folder: Path = tmp_path_factory.mktemp("homeassistant")
    home = RealHomeAssistant(folder, _CONFIGURATION)
    home.keep("core.area_registry", {"areas": [{"id": "kitchen", "name": "Kitchen"}]})
    lamp = {"entity_id": "input_boolean.lamp", "unique_id": "lamp", "platform": "input_boolean", "area_id": "kitchen"}
    empty = dict.fromkeys(("config_entry_id", "device_id", "disabled_by", "name", "icon"))
    home.keep("core.entity_registry", {"entities": [{**empty, **lamp}]})
    with home:
        yield home


def _rows(store: RecordingStore, entity_id: str) -> list[dict[str, Any]]:
    return [row for row in store.rows.values() if row["entity_id"] == entity_id]


def test_live_database(home: RealHomeAssistant) -> None:
    """States, times, areas and causes of a database that is being written come out as they happened; later only more.

    A person leaves (an automation turns the lamp on), runs a script (the lamp goes off) and presses a button
    (an automation turns the fan on) while an automation triggered by time keeps ticking.
    """
    home.call("input_boolean.turn_on", entity_id="input_boolean.away")
    until(lambda: home.state("input_boolean.lamp") == "on")
    home.call("script.evening")
    until(lambda: home.state("input_boolean.lamp") == "off")
    home.call("input_button.press", entity_id="input_button.bed")
    until(lambda: home.state("input_boolean.fan") == "on")
    store = RecordingStore()

    def come() -> bool:
        taken(home.database, store)
        return len(_rows(store, "input_boolean.fan")) == 2 and len(_rows(store, "input_boolean.clock")) >= 3

    until(come)
    assert home.database.with_name(home.database.name + "-wal").exists()

    lamp = [
        (row["state"], row["cause"], row["cause_entity"], row["user"]) for row in _rows(store, "input_boolean.lamp")
    ]
    assert lamp[1:] == [
        ("on", CauseKind.AUTOMATION, "automation.leaving", None),
        ("off", CauseKind.PERSON, "script.evening", home.user),
    ]
    away = _rows(store, "input_boolean.away")[-1]
    assert (away["state"], away["cause"], away["user"]) == ("on", CauseKind.PERSON, home.user)
    fan = _rows(store, "input_boolean.fan")[-1]
    assert (fan["state"], fan["cause"], fan["cause_entity"]) == ("on", CauseKind.REMOTE, "automation.goodnight")
    ticks = {(row["cause"], row["cause_entity"]) for row in _rows(store, "input_boolean.clock")[1:]}
    assert ticks == {(CauseKind.AUTOMATION, "automation.ticking")}
    assert store.home.zone == "Europe/Amsterdam"
    assert store.home.area_of("input_boolean.lamp") == Area("kitchen", "Kitchen")
    assert store.home.country == "NL"

    known = len(store.rows)
    home.call("input_boolean.turn_off", entity_id="input_boolean.away")
    new = 0

    def seen() -> bool:
        nonlocal new
        imported = taken(home.database, store)[1]
        assert imported.appended.known == 0
        new += imported.appended.new
        return _rows(store, "input_boolean.away")[-1]["state"] == "off"

    until(seen)
    assert new == len(store.rows) - known


def lived_before(live: Path, copy: Path, days: int) -> Path:
    """Copy a database as if what it holds had happened at the same time on each of so many days before, too."""
    with closing(sqlite3.connect(f"file:{live}?mode=ro", uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("UPDATE states SET old_state_id = NULL")
        for table, key, times in (
            ("states", "state_id", ("last_updated_ts", "last_changed_ts", "last_reported_ts")),
            ("events", "event_id", ("time_fired_ts",)),
        ):
            columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
            many = target.execute(f"SELECT max({key}) FROM {table}").fetchone()[0]
            last = many * days
            target.execute(f"UPDATE {table} SET {key} = {key} + {last}")
            for before in range(1, days + 1):
                moved = {key: f"{key} - {many * before}", **dict.fromkeys(times, f"{{}} - {86_400 * before}")}
                values = ", ".join(moved.get(name, "{}").format(name) for name in columns)
                target.execute(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {key} > {last}"
                )
        target.commit()
    return copy


def test_habits_are_learned_from_it(home: RealHomeAssistant, tmp_path: Path) -> None:
    """`quotidian learn` finds what a person does at the same time of twelve days, and nothing that automations did."""
    database = lived_before(home.database, tmp_path / "home-assistant_v2.db", days=12)
    learned = CliRunner().invoke(app, ["learn", str(database), "--data", str(tmp_path / "store"), "--json"])
    assert learned.exit_code == 0, learned.stderr
    told = msgspec.json.decode(learned.stdout)
    assert told["days"] == 12
    patterns = msgspec.convert(told["patterns"], list[Pattern])
    at_a_time = {one.finding.subject[0] for one in patterns if one.finding.detector == "time_of_day"}
    assert "input_boolean.away=on" in at_a_time
    tokens = {token for one in patterns for token in one.finding.subject}
    assert not tokens & {"input_boolean.lamp=on", "input_boolean.clock=on", "input_boolean.clock=off"}

"""The database that a real Home Assistant writes, imported while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quotidian.model import Area, CauseKind

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
    until(lambda: bool(taken(home.database, store)) and len(_rows(store, "input_boolean.fan")) == 2)
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

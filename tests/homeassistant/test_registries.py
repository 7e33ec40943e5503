"""A home as the registries describe it."""

import json
from pathlib import Path

import pytest

from quotidian.errors import CorruptSourceError
from quotidian.homeassistant.registries import read_registries
from quotidian.model import Area, Entity, Home

HOME = Home("h", "UTC")


def _store(folder: Path, name: str, data: object) -> None:
    (folder / ".storage").mkdir(exist_ok=True)
    (folder / ".storage" / name).write_text(json.dumps({"version": 1, "key": name, "data": data}))


def test_place(tmp_path: Path) -> None:
    """Zone, place, country and name stand in core.config."""
    _store(
        tmp_path,
        "core.config",
        {"time_zone": "Europe/Berlin", "latitude": 52.5, "longitude": 13, "country": "DE", "location_name": "Ours"},
    )
    found = read_registries(tmp_path)
    assert found.zone == "Europe/Berlin"
    assert found.home(HOME) == Home("h", "UTC", "Ours", 52.5, 13.0, "DE")


def test_configuration_wins_over_what_is_stored(tmp_path: Path) -> None:
    """What configuration.yaml says at the outermost level of homeassistant: is what Home Assistant uses."""
    _store(tmp_path, "core.config", {"time_zone": "Europe/Berlin", "country": "DE"})
    (tmp_path / "configuration.yaml").write_text(
        "# ours\nhomeassistant:\n  time_zone: 'America/New_York'  # here\n  name: Den\n  latitude: !secret lat\n"
        "  auth_providers:\n    - type: x\n      name: no\nsensor:\n  name: Other\n"
    )
    found = read_registries(tmp_path)
    assert (found.zone, found.home(HOME).name, found.home(HOME).country) == ("America/New_York", "Den", "DE")


def test_areas_and_entities(tmp_path: Path) -> None:
    """An entity's area is its own, else its device's, else the parent device's; names and units come along."""
    _store(tmp_path, "core.floor_registry", {"floors": [{"floor_id": "up", "name": "Upstairs"}]})
    _store(
        tmp_path,
        "core.area_registry",
        {"areas": [{"id": "bath", "name": "Bathroom", "floor_id": "up"}, {"area_id": "hall", "name": "Hall"}]},
    )
    devices = [
        {"id": "d1", "area_id": "bath", "name": "Fan unit", "name_by_user": None},
        {"id": "d2", "area_id": None, "name": "Plug", "parent_device_id": "d1"},
    ]
    _store(tmp_path, "core.device_registry", {"devices": devices})
    entities = [
        {"entity_id": "fan.a", "device_id": "d1", "area_id": "hall", "name": "Mine", "labels": ["z", "b"]},
        {"entity_id": "sensor.b", "device_id": "d1", "has_entity_name": True, "original_name": "Power"}
        | {"original_device_class": "power", "unit_of_measurement": "W"},
        {"entity_id": "switch.c", "device_id": "d2", "original_name": "Socket"},
        {"entity_id": "switch.off", "disabled_by": "user"},
    ]
    _store(tmp_path, "core.entity_registry", {"entities": entities})
    home = read_registries(tmp_path).home(HOME)
    assert home.areas == {"bath": Area("bath", "Bathroom", "Upstairs"), "hall": Area("hall", "Hall")}
    assert home.entities == {
        "fan.a": Entity("fan.a", "Mine", "hall", "d1", labels=("b", "z")),
        "sensor.b": Entity("sensor.b", "Fan unit Power", "bath", "d1", "power", "W"),
        "switch.c": Entity("switch.c", "Socket", "bath", "d2"),
    }


def test_service_accounts(tmp_path: Path) -> None:
    """Users that Home Assistant made for itself are machines."""
    users = [{"id": "a", "system_generated": True}, {"id": "b", "system_generated": False}]
    _store(tmp_path, "auth", {"users": users})
    assert read_registries(tmp_path).machines == {"a"}


def test_nothing_beside(tmp_path: Path) -> None:
    """Without registries, a home stays as it is."""
    assert read_registries(tmp_path).home(HOME) == HOME


@pytest.mark.parametrize("text", ["{", "[]", '{"key": 1}', "[" * 5000])
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    """A registry that is there and cannot be read is an error which names the file."""
    (tmp_path / ".storage").mkdir()
    (tmp_path / ".storage" / "core.area_registry").write_text(text)
    with pytest.raises(CorruptSourceError, match=r"core\.area_registry"):
        read_registries(tmp_path)

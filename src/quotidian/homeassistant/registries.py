"""A home as Home Assistant's registries describe it: areas, floors, devices, entities, place and zone."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from quotidian.errors import CorruptSourceError
from quotidian.model import Area, Entity, Home

#: The files of ``.storage`` that tell something of the home or its users.
STORED: Final = (
    "core.config",
    "core.area_registry",
    "core.floor_registry",
    "core.device_registry",
    "core.entity_registry",
    "auth",
)
CONFIGURATION: Final = "configuration.yaml"

Record = Mapping[str, Any]


class Registries(msgspec.Struct, frozen=True):
    """The registries' records, as the files under ``.storage`` (or the live API) give them."""

    config: Record = {}
    areas: tuple[Record, ...] = ()
    floors: tuple[Record, ...] = ()
    devices: tuple[Record, ...] = ()
    entities: tuple[Record, ...] = ()
    users: tuple[Record, ...] = ()

    @property
    def zone(self) -> str | None:
        """The name of the home's time zone, unchecked."""
        return _text(self.config.get("time_zone"))

    @property
    def machines(self) -> frozenset[str]:
        """Ids of the users that Home Assistant made for itself: no persons."""
        return frozenset(str(user["id"]) for user in self.users if user.get("system_generated"))

    def home(self, home: Home) -> Home:
        """Lay what the registries know over a home (its zone stays: whoever reads it checks it first)."""
        config = self.config
        return msgspec.structs.replace(
            home,
            name=_text(config.get("location_name")) or _text(config.get("name")) or home.name,
            latitude=_number(config.get("latitude"), home.latitude),
            longitude=_number(config.get("longitude"), home.longitude),
            country=_text(config.get("country")) or home.country,
            areas={**home.areas, **{area.id: area for area in self._areas()}},
            entities={**home.entities, **{entity.entity_id: entity for entity in self._entities()}},
        )

    def _areas(self) -> Iterator[Area]:
        floors = {floor.get("floor_id"): _text(floor.get("name")) for floor in self.floors}
        for area in self.areas:
            key = _text(area.get("id")) or _text(area.get("area_id"))
            if key is not None:
                yield Area(key, _text(area.get("name")) or key, floors.get(area.get("floor_id")))

    def _entities(self) -> Iterator[Entity]:
        devices = {device.get("id"): device for device in self.devices}
        for entity in self.entities:
            entity_id, device = _text(entity.get("entity_id")), devices.get(entity.get("device_id"), {})
            if entity_id is None or entity.get("disabled_by") is not None:
                continue
            yield Entity(
                entity_id,
                name=_name(entity, device),
                area=_text(entity.get("area_id")) or _device_area(device, devices),
                device=_text(entity.get("device_id")),
                device_class=_text(entity.get("device_class")) or _text(entity.get("original_device_class")),
                unit=_text(entity.get("unit_of_measurement")),
                labels=tuple(sorted(str(label) for label in entity.get("labels") or ())),
            )


def read_registries(folder: Path) -> Registries:
    """Read the registries of a configuration directory; what is not there is left empty.

    Raises
    ------
    CorruptSourceError
        When a file is there and cannot be read as what it should be.
    """
    stored = {name: _stored(folder / ".storage" / name) for name in STORED}
    return Registries(
        config={**stored["core.config"], **_configured(folder / CONFIGURATION)},
        areas=_records(stored["core.area_registry"], "areas"),
        floors=_records(stored["core.floor_registry"], "floors"),
        devices=_records(stored["core.device_registry"], "devices"),
        entities=_records(stored["core.entity_registry"], "entities"),
        users=_records(stored["auth"], "users"),
    )


def _stored(path: Path) -> Record:
    try:
        data = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])["data"]
    except FileNotFoundError:
        return {}
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise CorruptSourceError(f"{path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, KeyError, RecursionError) as error:
        raise CorruptSourceError(
            f"{path} is damaged: {error}.", "Mend it or move it away: without it the names and areas are unknown."
        ) from error
    return data if isinstance(data, dict) else {}


def _records(data: Record, key: str) -> tuple[Record, ...]:
    records = data.get(key)
    return tuple(r for r in records if isinstance(r, dict)) if isinstance(records, list) else ()


_SETTING: Final = re.compile(r"^([ \t]+)(\w+):[ \t]*['\"]?([^'\"#\n]*)", re.M)
_CONFIGURED: Final = {
    "name": "location_name",
    "time_zone": "time_zone",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
}


def _configured(path: Path) -> Record:
    """Read the plain settings of ``homeassistant:`` in configuration.yaml, which win over the stored ones."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    block = re.search(r"^homeassistant:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)", text + "\n", re.M)
    settings = _SETTING.findall(block[1]) if block else []
    outermost = min((len(indent) for indent, _, _ in settings), default=0)
    found: dict[str, Any] = {}
    for indent, key, value in settings:
        if len(indent) == outermost and key in _CONFIGURED and value.strip() and not value.startswith("!"):
            found[_CONFIGURED[key]] = _decimal(value) if key in ("latitude", "longitude") else value.strip()
    return found


def _decimal(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _name(entity: Record, device: Record) -> str | None:
    """Give an entity's name for people: its own, else its device's with what it is there."""
    own, original = _text(entity.get("name")), _text(entity.get("original_name"))
    if own is not None or not entity.get("has_entity_name"):
        return own or original
    named = _text(device.get("name_by_user")) or _text(device.get("name"))
    return " ".join(part for part in (named, original) if part) or None


def _device_area(device: Record, devices: Mapping[Any, Record]) -> str | None:
    """Give a device's area, else its parent's."""
    parent = devices.get(device.get("parent_device_id"), {})
    return _text(device.get("area_id")) or _text(parent.get("area_id"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object, otherwise: float | None) -> float | None:
    return float(value) if isinstance(value, int | float) else otherwise

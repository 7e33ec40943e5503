"""A home: where it stands, and the entities and areas in it."""

import re
from typing import Final

import msgspec


class Area(msgspec.Struct, frozen=True):
    """A room or other part of the home, as its owner named it."""

    id: str
    name: str
    floor: str | None = None


class Entity(msgspec.Struct, frozen=True):
    """What the registries say of one entity. ``area`` is an area's id: its own, else its device's."""

    entity_id: str
    name: str | None = None
    area: str | None = None
    device: str | None = None
    device_class: str | None = None
    unit: str | None = None
    labels: tuple[str, ...] = ()


class Home(msgspec.Struct, frozen=True):
    """A home. ``zone`` is an IANA name, latitude and longitude are degrees, ``country`` is ISO 3166 alpha-2."""

    id: str
    zone: str
    name: str = "Home"
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    areas: dict[str, Area] = {}
    entities: dict[str, Entity] = {}

    def entity(self, entity_id: str) -> Entity:
        """Give an entity; one that the registries do not know has only its id."""
        return self.entities.get(entity_id) or Entity(entity_id)

    def area_of(self, entity_id: str) -> Area | None:
        """Give the area in which an entity is, or ``None`` where nobody said so."""
        area = self.entity(entity_id).area
        return None if area is None else self.areas.get(area, Area(area, area))

    def name_of(self, entity_id: str) -> str:
        """Give an entity's name for people: the registry's, else its id in words."""
        return self.entity(entity_id).name or words_of(entity_id)


class Snapshot(msgspec.Struct, frozen=True):
    """A home as its registries described it from ``since`` (µs) on, until the next snapshot."""

    since: int
    home: Home


#: Domains whose object id alone does not tell what the thing is.
_TOLD: Final = frozenset({"light", "switch", "cover", "lock", "fan", "climate"})


def words_of(entity_id: str) -> str:
    """Read an entity id as words.

    >>> words_of("light.kitchen_ceiling"), words_of("light.desk_light"), words_of("person.anna")
    ('Kitchen ceiling light', 'Desk light', 'Anna')
    """
    domain, _, object_id = entity_id.partition(".")
    words = re.sub(r"[\s_]+", " ", object_id or domain).strip()
    if domain in _TOLD and domain not in words.lower():
        words = f"{words} {domain}"
    return words[:1].upper() + words[1:]


def domain_of(entity_id: str) -> str:
    """Give the part of an entity id before the dot."""
    return entity_id.partition(".")[0]

"""What the rows of a source say of areas and device classes."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from quotidian.model import Area, Entity, Home

_OTHER: Final = re.compile(r"[\W_]+")


class Told:
    """Areas and device classes by entity, as rows named them; the last one that is not empty counts."""

    def __init__(self) -> None:
        self.areas: dict[str, str] = {}  #: an area's name by entity id
        self.classes: dict[str, str] = {}

    def home(self, home: Home) -> Home:
        """Lay what was told over a home; an area of that name is used where there is one."""
        if not self.areas and not self.classes:
            return home
        by_name = {area.name: area for area in home.areas.values()}
        for name in dict.fromkeys(self.areas.values()):
            by_name.setdefault(name, Area(_free_id(name, home.areas), name))
        entities = dict(home.entities)
        for entity_id in dict.fromkeys([*self.areas, *self.classes]):
            before = entities.get(entity_id, Entity(entity_id))
            area = by_name[self.areas[entity_id]].id if entity_id in self.areas else before.area
            kind = self.classes.get(entity_id, before.device_class)
            entities[entity_id] = msgspec.structs.replace(before, area=area, device_class=kind)
        areas = {**home.areas, **{area.id: area for area in by_name.values()}}
        return msgspec.structs.replace(home, areas=areas, entities=entities)


def _free_id(name: str, taken: Mapping[str, Area]) -> str:
    """Make an area's id from its name, as Home Assistant would."""
    slug = _OTHER.sub("_", name.lower()).strip("_") or "area"
    return slug if slug not in taken else f"{slug}_named"

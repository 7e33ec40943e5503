"""Where a source's home stands: what is beside the source, what the user says, what is known, or the machine's zone."""

from typing import Final

import msgspec

from quotidian.homeassistant.registries import Registries
from quotidian.importers.zones import checked_zone, known_zone, machine_zone
from quotidian.model import Home

_FRESH_ZONE: Final = "UTC"


class Place:
    """Chooses a source's time zone, and lays the registries over a home.

    Parameters
    ----------
    option
        The zone that the user named, if any; used where nothing beside the source names one.
    registries
        Home Assistant's, from beside the source.
    described
        The home as Quotidian itself wrote it beside the source.

    Raises
    ------
    SourceError
        When the option is no time zone.
    """

    def __init__(self, option: str | None, registries: Registries | None = None, described: Home | None = None) -> None:
        self._option = None if option is None else checked_zone(option)
        self._registries = registries or Registries()
        self._described = described
        self.warnings: list[str] = []
        self._zone = self._beside() or self._option

    @property
    def zone(self) -> str:
        """The zone in which times that have none are read."""
        return self._zone or machine_zone()

    @property
    def machines(self) -> frozenset[str]:
        """Ids of the users that are no persons."""
        return self._registries.machines

    def home(self, home: Home) -> Home:
        """Lay zone, areas, devices and names over a home. What the store knows already stands above a guess."""
        if self._zone is None:
            self._zone = self._guessed(home)
        if self._described is not None:
            home = _laid(self._described, home)
        return msgspec.structs.replace(self._registries.home(home), zone=self._zone)

    def _beside(self) -> str | None:
        """Give the zone that is written beside the source."""
        zone = self._registries.zone or (None if self._described is None else self._described.zone)
        if zone is not None and not known_zone(zone):
            self.warnings.append(f"The home's configuration names a time zone that is not known here: {zone!r}.")
            return None
        if zone is not None and self._option is not None and zone != self._option:
            self.warnings.append(f"The home's own configuration says {zone}: {self._option} is not used.")
        return zone

    def _guessed(self, home: Home) -> str:
        # A new store's home is in UTC because nobody said otherwise.
        if home != Home(home.id, _FRESH_ZONE):
            return home.zone
        zone = machine_zone()
        self.warnings.append(
            f"The source does not say in which time zone the home is: {zone}, this machine's, is assumed. "
            "Name the home's own with --zone."
        )
        return zone


def _laid(described: Home, home: Home) -> Home:
    """Lay a home as it was described over what is known; the id stays."""
    areas, entities = {**home.areas, **described.areas}, {**home.entities, **described.entities}
    return msgspec.structs.replace(described, id=home.id, areas=areas, entities=entities)

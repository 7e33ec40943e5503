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
        The zone that the user named, if any; used where the registries name none.

    Raises
    ------
    SourceError
        When the option is no time zone.
    """

    def __init__(self, option: str | None, registries: Registries | None = None) -> None:
        self._option = None if option is None else checked_zone(option)
        self._registries = registries or Registries()
        self.warnings: list[str] = []
        self._told = self._from_registries() or self._option
        self._zone = self._told

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
        return msgspec.structs.replace(self._registries.home(home), zone=self._zone)

    def _from_registries(self) -> str | None:
        stored = self._registries.zone
        if stored is None or known_zone(stored):
            if stored is not None and self._option is not None and stored != self._option:
                self.warnings.append(f"Home Assistant's own configuration says {stored}: {self._option} is not used.")
            return stored
        self.warnings.append(f"Home Assistant's configuration names a time zone that is not known here: {stored!r}.")
        return None

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

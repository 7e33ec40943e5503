"""Time zones: named by the user, by the machine, and what times without one mean."""

import difflib
import os
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from quotidian.errors import SourceError
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import SECOND, moment

_LOCALTIME: Final = Path("/etc/localtime")
_CELL: Final = 900 * SECOND  #: clocks are put forward and back on whole quarters of an hour
_DISORDER: Final = 60 * SECOND  #: rows this little out of order do not mean that the clocks went back


def known_zone(name: str) -> bool:
    """Tell whether a name is a time zone's."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def checked_zone(name: str) -> str:
    """Give back a time zone's name.

    Raises
    ------
    SourceError
        When there is no such zone; it names the ones that look alike.
    """
    if known_zone(name):
        return name
    zones = {zone.lower(): zone for zone in available_timezones()}
    alike = difflib.get_close_matches(name.lower().replace(" ", "_"), zones, n=3, cutoff=0.6)
    cities = {zone.rpartition("/")[2].lower(): zone for zone in zones.values()}
    alike_cities = difflib.get_close_matches(name.lower().replace(" ", "_"), cities, n=2, cutoff=0.75)
    suggested = list(dict.fromkeys([cities[c] for c in alike_cities] + [zones[z] for z in alike]))[:3]
    remedy = f"Did you mean {' or '.join(suggested)}?" if suggested else "Name it like Europe/Berlin."
    raise SourceError(f"There is no time zone {name!r}.", remedy)


def machine_zone() -> str:
    """Give the zone of this machine: ``TZ``, else what /etc/localtime links to, else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    linked = str(_LOCALTIME.resolve()).rpartition("zoneinfo/")[2] if _LOCALTIME.is_symlink() else ""
    return next((zone for zone in (named, linked) if zone and known_zone(zone)), "UTC")


class WallClock:
    """Reads times without a zone, in the order of the rows, as a clock on the home's wall showed them.

    In the hour that the clocks go through twice, a time counts as the second one from where the rows step back.
    A time that the clocks skip is read with the offset before the change.
    """

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._offsets: dict[int, tuple[int, int]] = {}
        self._before: int | None = None
        self._second_time = False

    def utc(self, wall: Ints) -> Ints:
        """Give µs UTC for wall times (µs since 1970-01-01 00:00 on that wall)."""
        cells, position = np.unique(wall // _CELL, return_inverse=True)
        offsets = np.array([self._cell(int(cell)) for cell in cells], np.int64).reshape(-1, 2)[position]
        twice = offsets[:, 0] > offsets[:, 1]
        if twice.any():
            second = self._second(wall, twice, offsets[:, 0] - offsets[:, 1])
            return wall - np.where(second, offsets[:, 1], offsets[:, 0])
        if wall.size:
            self._before, self._second_time = int(wall[-1]), False
        return wall - offsets[:, 0]

    def _second(self, wall: Ints, twice: Bools, shift: Ints) -> Bools:
        second = np.zeros(wall.size, bool)
        for n, (time, ambiguous) in enumerate(zip(wall.tolist(), twice.tolist(), strict=True)):
            back = 0 if self._before is None else self._before - time
            if not ambiguous or back > shift[n]:
                self._second_time = False
            elif back > _DISORDER:
                self._second_time = True
            second[n] = ambiguous and self._second_time
            self._before = time
        return second

    def _cell(self, cell: int) -> tuple[int, int]:
        """Give the offsets (µs) of a quarter of an hour on the wall: when first shown, and when shown again."""
        found = self._offsets.get(cell)
        if found is None:
            wall = moment(cell * _CELL).replace(tzinfo=self._zone)
            offsets = [wall.replace(fold=fold).utcoffset() for fold in (0, 1)]
            first, again = (0 if o is None else round(o.total_seconds()) * SECOND for o in offsets)
            found = self._offsets[cell] = (first, again)
        return found

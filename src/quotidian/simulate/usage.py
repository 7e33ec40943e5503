"""Who uses which device from when to when; a device is used once at a time."""

import bisect
from typing import NamedTuple

from quotidian.model import CauseKind
from quotidian.model.day import SECOND

_PAUSE = 20 * SECOND


class Use(NamedTuple):
    """A device active from ``start`` to ``end`` (µs). ``entity`` is the automation that did it, ``user`` who did.

    ``ended_by`` is the automation that ends it, where it is not ended like it was begun.
    """

    device: str
    start: int
    end: int
    cause: CauseKind = CauseKind.PHYSICAL
    entity: str | None = None
    user: str | None = None
    ended_by: str | None = None


class Usage:
    """The uses of all devices on a day, and those that reach into it from the days before."""

    def __init__(self, earlier: list[Use]) -> None:
        self._by_device: dict[str, list[Use]] = {}
        self.new: list[Use] = []
        for use in earlier:
            self._by_device.setdefault(use.device, []).append(use)

    def free(self, device: str, start: int, end: int) -> bool:
        """Tell whether a device is at rest from shortly before to shortly after a time."""
        uses = self._by_device.get(device, ())
        return all(use.end + _PAUSE <= start or end + _PAUSE <= use.start for use in uses)

    def add(self, use: Use) -> bool:
        """Note a use; one that falls into another use of the device does not take place."""
        if use.end <= use.start or not self.free(use.device, use.start, use.end):
            return False
        bisect.insort(self._by_device.setdefault(use.device, []), use, key=lambda known: known.start)
        self.new.append(use)
        return True

    def of(self, device: str) -> list[Use]:
        """Give a device's uses by their start."""
        return self._by_device.get(device, [])

    def reaching(self, instant: int) -> list[Use]:
        """Give the uses that have not ended at an instant."""
        return [use for uses in self._by_device.values() for use in uses if use.end + _PAUSE > instant]

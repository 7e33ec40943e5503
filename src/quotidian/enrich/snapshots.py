"""What the registries said, and when: so that an event is described as things were when it happened."""

from bisect import bisect_right, insort
from collections.abc import Iterable

import msgspec

from quotidian.model import Home, Snapshot


class Snapshots:
    """Snapshots of the registries, in the order of the times from which they hold.

    Examples
    --------
    >>> known = Snapshots([Snapshot(20, Home("h", "UTC", "New")), Snapshot(10, Home("h", "UTC", "Old"))])
    >>> [known.at(instant).name for instant in (5, 10, 19, 20, 99)]
    ['Old', 'Old', 'Old', 'New', 'New']
    """

    def __init__(self, snapshots: Iterable[Snapshot] = ()) -> None:
        self._kept: list[Snapshot] = []
        for snapshot in snapshots:
            self.add(snapshot)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, snapshot: Snapshot) -> None:
        """Take one in; one that holds from the same instant on is replaced."""
        place = bisect_right(self._kept, snapshot.since, key=_since)
        if place and self._kept[place - 1].since == snapshot.since:
            del self._kept[place - 1]
        elif place:
            snapshot = _sharing(snapshot, self._kept[place - 1].home)
        insort(self._kept, snapshot, key=_since)

    def at(self, instant: int) -> Home | None:
        """Give the home as it was known at an instant (µs).

        What happened before anybody asked the registries is described by the first answer; ``None`` when nobody has.
        """
        if not self._kept:
            return None
        return self._kept[max(bisect_right(self._kept, instant, key=_since) - 1, 0)].home


def _since(snapshot: Snapshot) -> int:
    return snapshot.since


def _sharing(snapshot: Snapshot, before: Home) -> Snapshot:
    """Hold what did not change only once: a year of renamed entities would otherwise fill the memory."""
    entities = {
        name: before.entities[name] if before.entities.get(name) == entity else entity
        for name, entity in snapshot.home.entities.items()
    }
    return Snapshot(snapshot.since, msgspec.structs.replace(snapshot.home, entities=entities))

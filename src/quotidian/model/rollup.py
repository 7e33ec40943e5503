"""A day of one entity in figures that a person reads."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

#: Who keeps something of a day: the names of the detectors.
DETECTORS: Final = (
    *("time_of_day", "co_occurrence", "sequence", "room", "duration", "anomaly"),
    *("session", "day_type", "contextual", "seasonal"),
)

#: A number, a text, or a list of them; times of the day are minutes after midnight, spans are seconds.
Figure = int | float | str | Sequence[int | float | str]
#: Figures by name, as ``docs/detectors.md`` explains them.
Figures = dict[str, Figure]


class RollUp(msgspec.Struct, frozen=True):
    """What one detector kept of one entity on one day, in readable figures.

    ``entity_id`` is an entity's id, an area's where the detector speaks of areas, or ``home``. There is at most one
    roll-up for a date, a detector and an entity; what is said of a pair is said under both of its entities.
    ``figures`` go by the names that ``docs/detectors.md`` explains; no list has more than 48 members.
    """

    date: dt.date
    detector: str
    entity_id: str
    figures: Figures

    @property
    def place(self) -> tuple[dt.date, str, str]:
        """Where it stands among all: (date, entity id, detector)."""
        return self.date, self.entity_id, self.detector

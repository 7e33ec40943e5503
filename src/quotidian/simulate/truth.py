"""What is true of a simulated home: the answers against which learning is judged."""

import datetime as dt
from typing import Any

import msgspec


class Occasion(msgspec.Struct, frozen=True):
    """One time at which a habit was carried out.

    ``date`` is the day that it belongs to: people's days end when they sleep, so the events may lie after midnight.
    ``at`` holds, in the order of the habit's tokens, when each of them changed (µs); ``until`` when the
    last of them fell back, if that belongs to the habit.
    """

    date: dt.date
    at: tuple[int, ...]
    until: int | None = None


class HabitTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One habit that was planted.

    Parameters
    ----------
    id, kind, sentence
        Its name, the detector's kind it is meant for, and what it says.
    tokens
        The entities with their states, as ``light.kitchen_ceiling=on``, in order; areas for a room habit.
    parameters
        What it was made with: ``probability``, and by kind ``minute`` and ``spread`` (minutes after midnight by the
        clock), ``offset`` from ``reference`` (minutes), ``lag`` (median seconds), ``median`` (minutes), and so on.
    chances
        In how many cases it could have been carried out; each was with the probability.
    possible
        The days on which it could have been.
    kept
        The times at which it was.
    """

    id: str
    kind: str
    sentence: str
    tokens: tuple[str, ...]
    parameters: dict[str, Any]
    chances: int
    possible: tuple[dt.date, ...]
    kept: tuple[Occasion, ...]

    @property
    def kept_dates(self) -> tuple[dt.date, ...]:
        """The days on which it was carried out."""
        return tuple(sorted({occasion.date for occasion in self.kept}))


class Consequence(msgspec.Struct, frozen=True):
    """A pair of which the second follows the first for a reason that is no habit of its own, but no chance either."""

    first: str
    then: str
    reason: str


class AutomationTruth(msgspec.Struct, frozen=True):
    """An automation that acts in the home, and how often it did."""

    entity_id: str
    sentence: str
    tokens: tuple[str, ...]
    runs: int


class Span(msgspec.Struct, frozen=True):
    """A time (µs), of one entity or, without one, of the whole home."""

    start: int
    end: int
    entity_id: str | None = None


class Renaming(msgspec.Struct, frozen=True):
    """An entity that was removed at an instant (µs), and the one which took its place."""

    at: int
    entity_id: str
    successor: str


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is true of a simulated home.

    ``day_types`` has every day; ``absences`` the days on which nobody sleeps at home; ``restarts`` and ``outages`` are
    the times without Home Assistant, until the entities were back; ``dropouts`` those of single sensors.
    """

    habits: tuple[HabitTruth, ...]
    day_types: dict[dt.date, str]
    holidays: dict[dt.date, str]
    absences: tuple[dt.date, ...]
    restarts: tuple[Span, ...]
    outages: tuple[Span, ...]
    dropouts: tuple[Span, ...]
    automations: tuple[AutomationTruth, ...]
    consequences: tuple[Consequence, ...]
    renamings: tuple[Renaming, ...]

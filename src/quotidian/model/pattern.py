"""A habit: what a detector found, and what became of it night by night."""

import datetime as dt
from enum import StrEnum
from typing import Any

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for a finding, counted in days.

    ``kept`` of ``observed`` days showed it; ``low`` and ``high`` bound the share of days at 90 % confidence.
    ``q_value`` is the false discovery rate at which the finding is still accepted, ``None`` for a description that
    makes no claim against chance. ``lift`` is kept days over the days that chance would give.
    """

    kept: int
    observed: int
    low: float
    high: float
    q_value: float | None = None
    lift: float | None = None

    @property
    def share(self) -> float:
        """Kept days over observed days."""
        return self.kept / self.observed if self.observed else 0.0


class Stage(StrEnum):
    """How far a finding can be relied on."""

    EMERGING = "emerging"  #: seen often enough to tell, not long enough to trust
    ESTABLISHED = "established"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector says holds now.

    Parameters
    ----------
    detector
        The name of the detector.
    subject
        What it is about, exactly: tokens such as ``light.kitchen=on``, or areas, or ``home``.
    anchor
        The part of the identity that may drift from night to night, on a circle of 1,440 (minutes of the
        day); ``None`` when there is none.
    measures
        The detector's own figures by name: numbers and text, or lists of them, as its docstring gives them.
    confidence
        How probable it is that the next day on which it can hold will show it.
    sentence
        The finding in words, without its evidence.
    """

    detector: str
    subject: tuple[str, ...]
    anchor: int | None = None
    measures: dict[str, Any] = {}
    evidence: Evidence
    confidence: float
    stage: Stage = Stage.ESTABLISHED
    sentence: str


class Status(StrEnum):
    """Where a pattern is in its life."""

    ACTIVE = "active"
    FADING = "fading"  #: not found any more, but it may come back
    RETIRED = "retired"


class Revision(msgspec.Struct, frozen=True):
    """A night on which a pattern changed. ``date`` is the last day that was learned from."""

    date: dt.date
    status: Status
    anchor: int | None
    kept: int
    observed: int


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One habit, once, with its evidence and its history.

    ``id`` stays the same for as long as the habit lives. ``first_seen``, ``last_seen`` and ``updated`` are the last
    days learned from on the nights when it was first found, last found, and last changed.
    """

    id: str
    finding: Finding
    status: Status = Status.ACTIVE
    first_seen: dt.date
    last_seen: dt.date
    updated: dt.date
    history: tuple[Revision, ...] = ()

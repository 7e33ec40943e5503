"""A habit: what a detector found, and what became of it night by night."""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import msgspec

from quotidian.model.home import Home


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for a finding, counted in days.

    ``kept`` of ``observed`` days showed it; ``low`` and ``high`` bound the share of days at 95 % confidence.
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


_LIFE: Final = tuple(Status)


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
    days learned from on the nights when it was first found, last found, and last changed. ``told_by`` is the id of
    the pattern that tells the same habit better, so that a reader need not hear of it twice.
    """

    id: str
    finding: Finding
    status: Status = Status.ACTIVE
    first_seen: dt.date
    last_seen: dt.date
    updated: dt.date
    history: tuple[Revision, ...] = ()
    told_by: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Whom it is about: entities, areas or ``home``, also the entities that move together with its subject's."""
        measures = self.finding.measures
        tokens = (*self.finding.subject, *measures.get("members", ()), *measures.get("followers", ()))
        return frozenset(token.partition("=")[0] for token in tokens)


class Teller(Pattern, frozen=True, kw_only=True):
    """A pattern as it is shown; ``tells`` are the ids of those that it tells better."""

    tells: tuple[str, ...] = ()


def shown(pattern: Pattern, among: Iterable[Pattern]) -> Teller:
    """Show a pattern with those among others that it tells."""
    fields = {name: getattr(pattern, name) for name in pattern.__struct_fields__}
    return Teller(**fields, tells=tuple(sorted(one.id for one in among if one.told_by == pattern.id)))


def once(patterns: Iterable[Pattern]) -> list[Pattern]:
    """Leave out the patterns that another one of them tells better."""
    every = [*patterns]
    names = {one.id for one in every}
    return [one for one in every if one.told_by not in names]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which patterns somebody wants to see; ``kind`` is a detector, ``None`` means any.

    An area is meant where a pattern is about it, or about something that is in it now.
    """

    kind: str | None = None
    entity_id: str | None = None
    area: str | None = None
    status: Status | None = None
    min_confidence: float = 0.0

    def of(self, patterns: Iterable[Pattern], home: Home) -> list[Pattern]:
        """Choose: active ones first, then fading and retired ones; the most certain first."""
        chosen = [one for one in patterns if self._takes(one, home)]
        return sorted(chosen, key=lambda one: (_LIFE.index(one.status), -one.finding.confidence, one.id))

    def _takes(self, pattern: Pattern, home: Home) -> bool:
        names = pattern.names
        return (
            self.kind in (None, pattern.finding.detector)
            and (self.entity_id is None or self.entity_id in names)
            and (self.area is None or self.area in names or any(home.entity(one).area == self.area for one in names))
            and self.status in (None, pattern.status)
            and pattern.finding.confidence >= self.min_confidence
        )

"""Layer 4: one fold over the nights, which gives each habit an identity and a life."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.statistics import around
from quotidian.model import Finding, Pattern, Status
from quotidian.model.pattern import Revision

#: A time of day may move that far (minutes) from one night to the next and still be the same habit.
NEAR_MINUTES: Final = 90
#: A time that moved that far (minutes) since the last revision makes a new one.
MOVED_MINUTES: Final = 5
#: Nights without a trace after which a pattern is fading, and retired.
FADING_NIGHTS: Final = 3
RETIRED_NIGHTS: Final = 28
#: The detector of which each night may have other words for one habit.
_ROUTINES: Final = "sequence"


def reconcile(home_id: str, previous: Sequence[Pattern], found: Iterable[Finding], date: dt.date) -> list[Pattern]:
    """Carry patterns over one night.

    Each finding continues the nearest pattern of the same detector and subject, one to one, or begins a new one (of
    several that are equally near, that of the same class of days). A routine of which no pattern has exactly the acts
    continues one that is not retired and has the same acts, or some of them, or some more, in whatever order: it is the
    same habit in other words.
    Patterns that were not found fade, then retire, and come back under the same id when they are found again.

    Parameters
    ----------
    home_id
        The home's id, which goes into new ids.
    previous
        The patterns of the night before; those of the same night when it is reviewed once more.
    found
        What all detectors found.
    date
        The last day that was learned from.

    Returns
    -------
    list of Pattern
        All patterns, by id.
    """
    findings = sorted(found, key=lambda one: (one.detector, one.subject, one.anchor or 0))
    pairs = [
        (reworded, distance, _days(pattern.finding) != _days(finding), pattern.id, place)
        for reworded, apart in enumerate((_distance, _unlikeness))
        for place, finding in enumerate(findings)
        for pattern in previous
        if (distance := apart(pattern, finding)) is not None
    ]
    continued: dict[str, int] = {}
    for *_, pattern_id, place in sorted(pairs):
        if pattern_id not in continued and place not in continued.values():
            continued[pattern_id] = place
    patterns = [
        _found(pattern, findings[continued[pattern.id]], date) if pattern.id in continued else _missed(pattern, date)
        for pattern in previous
    ]
    taken = {pattern.id for pattern in previous}
    for place in sorted(set(range(len(findings))) - set(continued.values())):
        patterns.append(_begun(home_id, findings[place], date, taken))
        taken.add(patterns[-1].id)
    return sorted(patterns, key=lambda pattern: pattern.id)


def _distance(pattern: Pattern, other: Finding) -> float | None:
    """Give how far a finding is from a pattern, in minutes; ``None`` when they cannot be the same habit."""
    one = pattern.finding
    if (one.detector, one.subject) != (other.detector, other.subject):
        return None
    if one.anchor is None or other.anchor is None:
        return 0.0 if one.anchor == other.anchor else None
    apart = _apart(one.anchor, other.anchor)
    return apart if apart <= NEAR_MINUTES else None


def _unlikeness(pattern: Pattern, other: Finding) -> float | None:
    """Give what share of their acts two routines do not have in common; ``None`` when both have some of their own."""
    one = pattern.finding
    if not one.detector == other.detector == _ROUTINES or pattern.status is Status.RETIRED:
        return None
    acts, others = set(one.subject), set(other.subject)
    return 1 - len(acts & others) / len(acts | others) if acts <= others or others <= acts else None


def _days(finding: Finding) -> object:
    return finding.measures.get("days")


def _apart(one: int, other: int) -> float:
    """Give the distance of two minutes on the clock's circle."""
    return abs(float(around(np.array(one), other)))


def _begun(home_id: str, finding: Finding, date: dt.date, taken: Collection[str]) -> Pattern:
    return Pattern(
        id=_fresh_id(home_id, finding, date, taken),
        finding=finding,
        first_seen=date,
        last_seen=date,
        updated=date,
        history=(_revision(finding, Status.ACTIVE, date),),
    )


def _fresh_id(home_id: str, finding: Finding, date: dt.date, taken: Collection[str]) -> str:
    """Name a pattern that begins; two may begin at one time of day, such as that of Mondays and that of Wednesdays."""
    words = [home_id, finding.detector, *finding.subject, str(finding.anchor), date.isoformat()]
    while True:
        number = blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
        if (fresh := f"{finding.detector}-{number}") not in taken:
            return fresh
        words.append("another")


def _found(pattern: Pattern, finding: Finding, date: dt.date) -> Pattern:
    last = pattern.history[-1]
    moved = (
        finding.anchor is not None and last.anchor is not None and _apart(finding.anchor, last.anchor) >= MOVED_MINUTES
    )
    told = pattern.finding
    fresh = moved or (finding.subject, finding.stage) != (told.subject, told.stage) or last.status is not Status.ACTIVE
    pattern = msgspec.structs.replace(pattern, finding=finding, last_seen=date)
    return _revised(pattern, Status.ACTIVE, date) if fresh else pattern


def _missed(pattern: Pattern, date: dt.date) -> Pattern:
    nights = (date - pattern.last_seen).days
    if nights >= RETIRED_NIGHTS and pattern.status is not Status.ACTIVE:
        status = Status.RETIRED
    elif nights >= FADING_NIGHTS:
        status = Status.FADING
    else:
        return pattern
    return pattern if status is pattern.status else _revised(pattern, status, date)


def _revised(pattern: Pattern, status: Status, date: dt.date) -> Pattern:
    kept = tuple(revision for revision in pattern.history if revision.date < date)
    revision = _revision(pattern.finding, status, date)
    return msgspec.structs.replace(pattern, status=status, updated=date, history=(*kept, revision))


def _revision(finding: Finding, status: Status, date: dt.date) -> Revision:
    return Revision(date, status, finding.anchor, finding.evidence.kept, finding.evidence.observed)

"""Which habits to tell first: those that somebody could do something with."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.things import ACTUATORS, ENDS
from quotidian.model import Pattern, Stage, Status
from quotidian.model.home import domain_of

#: How much each kind of habit is worth, all else equal: what one could act upon before what only describes.
_WORTH: Final = {
    "time_of_day": 1.0,
    "co_occurrence": 0.95,
    "sequence": 1.0,
    "contextual": 0.9,
    "anomaly": 0.9,
    "seasonal": 0.9,
    "session": 0.7,
    "day_type": 0.7,
    "room": 0.4,
    "duration": 0.4,
}

_REPEATED: Final = 0.7  #: what is left of a habit's worth for each that told of the same entity


def useful_first(patterns: Iterable[Pattern]) -> list[Pattern]:
    """Order patterns for a reader: active ones first, then by how certain they are, weighted by what they are good for.

    What another pattern tells better comes after all that is told.
    A habit that ends in something which people operate counts more than one between sensors, a going on more than a
    going off, an established one more than an emerging one; and the more often an entity was told of before, the
    less one more habit of it is worth.
    """
    left = sorted(patterns, key=lambda pattern: pattern.id)
    told: Counter[str] = Counter()
    ordered = []
    while left:
        best = max(left, key=lambda pattern: (*_standing(pattern), _use(pattern) * _fresh(pattern, told)))
        left.remove(best)
        ordered.append(best)
        told.update(set(map(entity_of, best.finding.subject)))
    return ordered


def _standing(pattern: Pattern) -> tuple[bool, bool]:
    return pattern.status is Status.ACTIVE, pattern.told_by is None


def _fresh(pattern: Pattern, told: Counter[str]) -> float:
    times = [told[entity_of(token)] for token in pattern.finding.subject]
    return float(_REPEATED ** (sum(times) / max(len(times), 1)))


def _use(pattern: Pattern) -> float:
    finding = pattern.finding
    last = finding.subject[-1] if finding.subject else ""
    use = _WORTH.get(finding.detector, 0.5) * (0.2 + finding.evidence.low)
    use *= 1.0 if any(domain_of(entity_of(token)) in ACTUATORS for token in finding.subject) else 0.5
    use *= 0.8 if state_of(last) in ENDS else 1.0
    return use * (1.0 if finding.stage is Stage.ESTABLISHED else 0.7)

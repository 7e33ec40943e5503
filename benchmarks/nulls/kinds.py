"""Which null home each detector must keep silent on, what counts as showing something, and what a peer shows."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from scipy.special import bdtrc, pdtrik

from benchmarks.nulls import makers, peers
from benchmarks.nulls.days import Days
from quotidian.detect import Detector, History
from quotidian.model import Finding, Summary

#: The share of null homes on which a detector may show something.
LEVEL: Final = 0.05
#: How sure a count of homes must be before it speaks against that share: 10 of 100 do, 9 do not.
_SURE: Final = 0.03

Shown = Callable[[Detector, Days], list[Finding]]


class Kind(msgspec.Struct, frozen=True):
    """A detector, a null home for it, what it shows there, and a simple program beside it."""

    detector: str
    null: str
    maker: makers.Maker
    shown: Shown
    peer: peers.Peer


def claims(detector: Detector, days: Days) -> list[Finding]:
    """Give what is claimed against chance on the last night."""
    return [finding for finding in detector.detect(days.history()) if finding.evidence.q_value is not None]


def anything(detector: Detector, days: Days) -> list[Finding]:
    """Give all that is told on the last night, for a detector that describes and tests nothing."""
    return detector.detect(days.history())


def excess(detector: Detector, days: Days) -> list[Finding]:
    """Give the alarms of all nights, where they are more than a budget of one a week gives by chance; else none."""
    alarms, nights = alarmed(detector, days)
    return alarms if len(alarms) > most_alarms(nights / 7) else []


def alarmed(detector: Detector, days: Days) -> tuple[list[Finding], int]:
    """Give each alarm once, looking every night; and on how many nights there could have been one."""
    found: dict[tuple[str, ...], Finding] = {}
    for end in range(1, len(days.rows) + 1):
        until = days.rows[end - 1].ordinal
        kept = {
            name: Summary(one.detector, one.version, {day: own for day, own in one.days.items() if day <= until})
            for name, one in days.summaries.items()
            if name == detector.name
        }
        for finding in detector.detect(History(days.rows[:end], days.home, kept)):
            found.setdefault(finding.subject, finding)
    return list(found.values()), max(len(days.rows) - int(getattr(detector, "first_days", 0)), 0)


def most_alarms(mean: float) -> int:
    """Give how many alarms are still consistent with so many expected: the 95 % quantile of a Poisson count."""
    return int(np.ceil(pdtrik(1 - LEVEL, mean))) if mean > 0 else 0


def most_homes(homes: int) -> int:
    """Give on how many of some null homes a detector may show something: 9 of 100."""
    return next(count for count in range(homes + 1) if count == homes or bdtrc(count, homes, LEVEL) <= _SURE)


KINDS: Final = (
    Kind("time_of_day", "entity-days in a circle", makers.circled, claims, peers.k_means_hours),
    Kind("session", "entity-days in a circle", makers.circled, claims, peers.k_means_hours),
    Kind("room", "entity-days in a circle", makers.circled, anything, peers.busy_hours),
    Kind("co_occurrence", "entity-days ± 1, 2 h", makers.jittered, claims, peers.counted_pairs),
    Kind("co_occurrence", "days permuted by entity", makers.permuted, claims, peers.counted_pairs),
    Kind("sequence", "entity-days ± 1, 2 h", makers.jittered, claims, peers.counted_pairs),
    Kind("sequence", "days permuted by entity", makers.permuted, claims, peers.counted_pairs),
    Kind("contextual", "context days shifted", makers.context_shifted, claims, peers.split_contexts),
    Kind("day_type", "days permuted", makers.reordered, claims, peers.different_hours),
    Kind("seasonal", "days permuted", makers.reordered, claims, peers.fitted_lines),
    Kind("seasonal", "weeks permuted", makers.weeks_reordered, claims, peers.fitted_lines),
    Kind("anomaly", "days permuted", makers.reordered, excess, peers.scored_days),
)

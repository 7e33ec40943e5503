"""One habit is told once: of the patterns that tell the same thing, the strongest; the others become its evidence.

The detectors do not know of one another. A lamp that goes on a minute after the television is a pair, the time of day
of the lamp is that of the television, and a routine may hold both. What is told by another pattern is kept, with the
id of the pattern that tells it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.levels import PRESENCE
from quotidian.detect.statistics import around
from quotidian.detect.things import ACTUATORS, RESTING
from quotidian.model import Pattern, Status
from quotidian.model.arrays import Floats
from quotidian.model.home import domain_of

#: A pattern is only told by one that was there on that share of its days.
_SHARED: Final = 0.8
#: A link of a routine whose first act comes on so many more days than the routine's is more than a part of it.
_MORE: Final = 1.25
#: Two things that come so close to each other (minutes) on their days are seen at one moment.
_MOMENT: Final = 10
#: The end of a drift lies so near (minutes) to what the time that drifted still covers.
_NEAR: Final = 5
#: A session consists of a routine that has so large a part of its things, if it is not that much longer (minutes).
_MOST_OF: Final = 0.75
_LONGER: Final = 60
#: A length of time agrees with two times of day when it is off by that share of it, or that many minutes.
_AGREES: Final = (0.25, 10.0)
#: A length of time is one of these times of day when there are so few spans for each day.
_SPANS_A_DAY: Final = 1.5
#: So late (minutes) may the second of a pair come on the usual day beside the window of the pair.
_LATE: Final = 5

#: What tells of a moment better, the best first, where nobody operates anything: who, then by what it is seen.
_WHO: Final = ("person", "device_tracker")
_SENSOR: Final = len(_WHO) + 1
_SUN: Final = frozenset({"sunrise", "sunset"})

#: The measures that are read here, by detector; a pattern that lacks one neither tells nor is told.
_READ: Final = {
    "time_of_day": {"reference", "width", "times", "dates"},
    "co_occurrence": {"window"},
    "sequence": {"gaps", "start"},
    "duration": {"median", "spans"},
    "session": {"days", "minute", "length", "width", "members"},
    "room": {"days", "start", "end"},
    "day_type": {"dates"},
    "anomaly": {"check", "date"},
    "seasonal": set(),
    "contextual": {"context", "otherwise"},
}


class _Link(NamedTuple):
    """A pattern, one that tells it better, and a third without which it would not: the time that it follows."""

    told: Pattern
    teller: Pattern
    leader: Pattern | None = None

    @property
    def order(self) -> tuple[str, float, str, str]:
        """By what is told; the strongest teller first."""
        leader = "" if self.leader is None else self.leader.id
        return self.told.id, -self.teller.finding.evidence.low, self.teller.id, leader


class _Patterns:
    """The active patterns by detector, in the order of their ids."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._of: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            if not pattern.finding.subject or not _READ.get(pattern.finding.detector, set()) <= set(
                pattern.finding.measures
            ):
                continue
            self._of.setdefault(pattern.finding.detector, []).append(pattern)
        self._times: dict[str, list[Pattern]] = {}
        for pattern in self.of("time_of_day"):
            for token in {*pattern.finding.subject, *pattern.finding.measures.get("members", ())}:
                self._times.setdefault(token, []).append(pattern)

    def of(self, detector: str) -> list[Pattern]:
        return self._of.get(detector, [])

    def times(self, token: str) -> list[Pattern]:
        """Give the times of day of a token."""
        return self._times.get(token, [])


_Rule: TypeAlias = Callable[[_Patterns], Iterator["_Link"]]


def told_once(patterns: Iterable[Pattern]) -> list[Pattern]:
    """Mark the active patterns that another active one tells better.

    It follows from the patterns alone, whatever was marked before and in whatever order they come; what tells others
    is itself told by none.

    Returns
    -------
    list of Pattern
        All patterns, by id.
    """
    ordered = sorted(patterns, key=lambda pattern: pattern.id)
    active = _Patterns([pattern for pattern in ordered if pattern.status is Status.ACTIVE])
    tellers: dict[str, str] = {}
    leaders: dict[str, str] = {}
    for rule in _RULES:
        for told, teller, leader in sorted(rule(active), key=lambda link: link.order):
            fresh = told.id not in tellers and _first(teller.id, tellers) != told.id
            if fresh and (leader is None or _first(leader.id, leaders) != told.id):
                tellers[told.id] = teller.id
                leaders |= {} if leader is None else {told.id: leader.id}
    by = {name: _first(name, tellers) for name in tellers}
    return [
        pattern
        if pattern.told_by == by.get(pattern.id)
        else msgspec.structs.replace(pattern, told_by=by.get(pattern.id))
        for pattern in ordered
    ]


def _first(name: str, before: dict[str, str]) -> str:
    """Follow a chain to its beginning."""
    while name in before:
        name = before[name]
    return name


def _moved(active: _Patterns) -> Iterator[_Link]:
    """Let a drift tell the time that drifted: it knows where that was and where it is."""
    for teller in active.of("seasonal"):
        if teller.finding.subject[-1] == "drift":
            for told in active.times(teller.finding.subject[0]):
                if _apart(told, teller) <= told.finding.measures["width"] + _NEAR:
                    yield _Link(told, teller)


def _weathered(active: _Patterns) -> Iterator[_Link]:
    """Let what depends on weather or light tell the time that is kept only then; who is at home says little.

    What keeps to the sun explains by itself that it is light or dark then.
    """
    for teller in active.of("contextual"):
        acted, days = teller.finding.measures["otherwise"]
        kept_only_then = 2 * acted <= days * teller.finding.evidence.share
        if kept_only_then and teller.finding.measures["context"] != PRESENCE:
            for told in active.times(teller.finding.subject[0]):
                if told.finding.measures["reference"] in _SUN:
                    yield _Link(teller, told)
                elif _SHARED * _kept(told) <= _kept(teller):
                    yield _Link(told, teller)


def _links(active: _Patterns) -> Iterator[_Link]:
    """Let a routine tell the pairs that it is made of, unless a pair is one of many more days.

    A lamp of it that goes off just before its next step is no other habit.
    """
    for teller in active.of("sequence"):
        tokens = set(teller.finding.subject)
        entities = {entity_of(token) for token in tokens}
        for told in active.of("co_occurrence"):
            both = told.finding.subject
            within = entities.issuperset(map(entity_of, both)) and not tokens.isdisjoint(both)
            if within and _observed(told) <= _MORE * _observed(teller):
                yield _Link(told, teller)


def _variants(active: _Patterns) -> Iterator[_Link]:
    """Let a routine tell a weaker one that begins like it and has but one other step."""
    routines = sorted(active.of("sequence"), key=lambda one: (one.finding.evidence.low, one.id))
    for place, told in enumerate(routines):
        first, *later = told.finding.subject
        for teller in routines[place + 1 :]:
            begins, *others = teller.finding.subject
            if begins == first and len(set(later) - set(others)) <= 1 < len(later):
                yield _Link(told, teller)


def _former(active: _Patterns) -> Iterator[_Link]:
    """Let what was found since tell a routine or a pair that no longer is, and of which it has most things.

    Each night the best of those that overlap is told; that of the night before is no other habit.
    """
    for detector in ("sequence", "co_occurrence"):
        for told in active.of(detector):
            things = set(map(entity_of, told.finding.subject))
            for teller in active.of(detector):
                common = things.intersection(map(entity_of, teller.finding.subject))
                if teller.last_seen > told.last_seen and 2 * len(common) > len(things):
                    yield _Link(told, teller)


def _sightings(active: _Patterns) -> Iterator[_Link]:
    """Let who came or went tell of the door that opened, and what was operated of the sensor that saw it.

    Of sensors that saw something at one moment the surest tells: they are things that are used together.
    """
    times = [pattern for pattern in active.of("time_of_day") if domain_of(_entity(pattern)) not in ACTUATORS]
    for told in times:
        for teller in active.of("time_of_day"):
            if _better(teller, told) and _one_moment(told, teller):
                yield _Link(told, teller)


def _sighted(active: _Patterns) -> Iterator[_Link]:
    """Let the time at which somebody comes home tell that a door opens then."""
    for told in active.of("co_occurrence"):
        first, second = told.finding.subject[:2]
        for one in active.times(first):
            for other in active.times(second):
                teller, seen = sorted((one, other), key=_rank)
                if domain_of(_entity(teller)) in _WHO and _rank(teller) < _rank(seen) and _one_moment(seen, teller):
                    yield _Link(told, teller)


def _seconds(active: _Patterns) -> Iterator[_Link]:
    """Let a pair tell the time of day of its second act, where that of its first is told and it keeps to that."""
    for teller in active.of("co_occurrence"):
        first, second = teller.finding.subject[:2]
        reach = teller.finding.measures["window"] / 60 + _LATE
        for told in active.times(second):
            for leader in active.times(first):
                if _follows(told, leader, reach):
                    yield _Link(told, teller, leader)


def _steps(active: _Patterns) -> Iterator[_Link]:
    """Let a routine tell the times of day of its later steps, where that of its first is told and they keep to it."""
    for teller in active.of("sequence"):
        first, *later = teller.finding.subject
        reach = sum(teller.finding.measures["gaps"]) / 60 * 2 + _LATE
        for token in later:
            for told in active.times(token):
                for leader in active.times(first):
                    if _follows(told, leader, reach):
                        yield _Link(told, teller, leader)


def _ends(active: _Patterns) -> Iterator[_Link]:
    """Of a going on, a going off and what lies between, two tell the third: the end is told by what it keeps to.

    Of people the times are told: nobody can be switched off after so many hours.
    """
    for length in active.of("duration"):
        entity = entity_of(length.finding.subject[0])
        for begin in active.times(length.finding.subject[0]):
            for end in active.of("time_of_day"):
                if _entity(end) != entity or state_of(end.finding.subject[0]) not in RESTING:
                    continue
                between = _between(end, begin)
                if between.size == 0 or not _agrees(length, between):
                    continue
                if _spread(between) <= _spread(_times(end)) and domain_of(entity) not in _WHO:
                    yield _Link(end, length, begin)
                elif length.finding.measures["spans"] <= _SPANS_A_DAY * _kept(end):
                    yield _Link(length, end, begin)


def _stretches(active: _Patterns) -> Iterator[_Link]:
    """Let a routine tell the session that consists of it, begins with it, and is over soon after it."""
    for told in active.of("session"):
        members = {entity_of(token) for token in told.finding.measures["members"]}
        for teller in active.of("sequence"):
            steps = {entity_of(token) for token in teller.finding.subject}
            apart = abs(around(np.array(teller.finding.measures["start"]), told.finding.measures["minute"]))
            if told.finding.measures["length"] > sum(teller.finding.measures["gaps"]) / 60 + _LONGER:
                continue
            if (
                len(members & steps) >= max(_MOST_OF * len(members), 1)
                and apart <= told.finding.measures["width"] + _LATE
            ):
                yield _Link(told, teller)


def _rooms(active: _Patterns) -> Iterator[_Link]:
    """Let a session of a room tell that the room is in use."""
    for told in active.of("room"):
        span = told.finding.measures
        if len(told.finding.subject) != 1:
            continue
        for teller in active.of("session"):
            used = teller.finding.measures
            if teller.finding.subject == told.finding.subject and used["days"] in ("all", span["days"]):
                begin, end = 60 * span["start"], 60 * span["end"]
                end += 1440 if end <= begin else 0
                both = min(end, used["minute"] + used["length"]) - max(begin, used["minute"])
                if 2 * both >= end - begin:
                    yield _Link(told, teller)


def _days(active: _Patterns) -> Iterator[_Link]:
    """Let a day away tell what was missing on it, and a busy or late day what there was too much of."""
    explained = {"away": ("absent", "few"), "busy": ("many", "hour"), "late": ("hour",)}
    for teller in active.of("day_type"):
        checks = explained.get(teller.finding.subject[-1], ())
        for told in active.of("anomaly"):
            measures = told.finding.measures
            if measures["check"] in checks and measures["date"] in teller.finding.measures.get("dates", ()):
                yield _Link(told, teller)


#: The strongest tellers come first; of several rules that apply to a pattern the first one counts.
_RULES: Final[tuple[_Rule, ...]] = (
    _moved,
    _weathered,
    _links,
    _former,
    _variants,
    _sightings,
    _sighted,
    _steps,
    _seconds,
    _ends,
    _stretches,
    _rooms,
    _days,
)


def _entity(pattern: Pattern) -> str:
    return entity_of(pattern.finding.subject[0])


def _kept(pattern: Pattern) -> int:
    return pattern.finding.evidence.kept


def _observed(pattern: Pattern) -> int:
    return pattern.finding.evidence.observed


def _rank(pattern: Pattern) -> int:
    """Tell how well a thing tells of a moment; smaller is better."""
    domain = domain_of(_entity(pattern))
    return _WHO.index(domain) if domain in _WHO else _SENSOR - (domain in ACTUATORS)


def _better(teller: Pattern, told: Pattern) -> bool:
    """Tell whether one time of day says more of a moment than another; two people, or two lamps, say two things."""
    if _rank(teller) != _rank(told):
        return _rank(teller) < _rank(told)
    one, other = ((-pattern.finding.evidence.low, pattern.finding.subject, pattern.id) for pattern in (teller, told))
    return _rank(teller) == _SENSOR and one < other


def _apart(one: Pattern, other: Pattern) -> float:
    return abs(float(around(np.array(one.finding.anchor or 0), other.finding.anchor or 0)))


def _times(pattern: Pattern) -> Floats:
    return np.array(pattern.finding.measures["times"], np.float64)


def _at(minutes: Floats, share: float) -> float:
    """Give the smallest value that so large a share does not exceed."""
    return float(np.sort(minutes)[int(share * (minutes.size - 1))])


def _spread(minutes: Floats) -> float:
    return _at(np.abs(minutes - _at(minutes, 0.5)), _SHARED)


def _between(second: Pattern, first: Pattern) -> Floats:
    """Give the minutes from one time of day to another on the days of both; none where the days are others."""
    one, other = first.finding.measures, second.finding.measures
    if one["reference"] != other["reference"] and not _SUN.isdisjoint((one["reference"], other["reference"])):
        return np.empty(0)
    of = dict(zip(one["dates"], one["times"], strict=True))
    apart = [time - of[date] for date, time in zip(other["dates"], other["times"], strict=True) if date in of]
    if len(apart) < _SHARED * len(other["dates"]):
        return np.empty(0)
    return np.array(apart, np.float64) % 1440


def _one_moment(told: Pattern, teller: Pattern) -> bool:
    apart = np.abs(around(_between(told, teller), 0))
    return apart.size > 0 and _at(apart, _SHARED) <= _MOMENT


def _follows(told: Pattern, leader: Pattern, reach: float) -> bool:
    """Tell whether a time of day keeps closer to that of another act, before it, than to the clock."""
    if told.id == leader.id:
        return False
    apart = around(_between(told, leader), 0)
    if apart.size == 0 or not 0 <= _at(apart, 0.5) <= reach:
        return False
    return _spread(apart) <= _spread(_times(told))


def _agrees(length: Pattern, between: Floats) -> bool:
    usual, minutes = length.finding.measures["median"] / 60, _at(between, 0.5)
    return bool(abs(usual - minutes) <= max(_AGREES[0] * minutes, _AGREES[1]))

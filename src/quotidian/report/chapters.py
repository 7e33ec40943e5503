"""Which patterns are told where: each exactly once."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from quotidian.detect import History
from quotidian.detect.dayrow import entity_of
from quotidian.detect.ranking import useful_first
from quotidian.detect.words import plain
from quotidian.model import Pattern, Status
from quotidian.model.pattern import once
from quotidian.report.dials import Dial, dial
from quotidian.report.flows import Length, Lengths, Pair, Routine, lengths, pair, routine

_T = TypeVar("_T")

MOST_DIALS: Final = 24
MOST_PAIRS: Final = 12
MOST_ROUTINES: Final = 8
MOST_LENGTHS: Final = 14
MOST_OTHERS: Final = 10

#: What the detectors without pictures of their own tell of.
_TITLES: Final = {
    "room": ("From room to room", "How people move through the house."),
    "anomaly": ("Out of the ordinary", "Days and hours unlike those before them."),
    "session": ("Sessions", "Stretches of time in which the same things are used together."),
    "day_type": ("Kinds of days", "Which days are alike, and which are not."),
    "contextual": ("When it depends", "Habits that follow the weather, the light or who is at home."),
    "seasonal": ("Through the year", "Habits that move with the seasons."),
    "time_of_day": ("More times of day", ""),
    "co_occurrence": ("More of what goes together", ""),
    "sequence": ("More routines", ""),
    "duration": ("More lengths of time", ""),
}


#: What happened once, or is no habit of single days.
_ONCE: Final = frozenset({"anomaly", "day_type", "seasonal"})

#: The kinds of habits that a stranger understands at once, the plainest first.
_TELLING: Final = ("time_of_day", "sequence", "contextual", "co_occurrence", "session", "room", "seasonal", "duration")


class Chapter(msgspec.Struct, frozen=True):
    """Habits of one detector that are told in words; ``more`` is folded away.

    ``again`` tells whether it makes sense to say how likely the next time is.
    """

    title: str
    lede: str
    patterns: tuple[Pattern, ...]
    more: tuple[Pattern, ...]
    again: bool


class Chapters(msgspec.Struct, frozen=True):
    """All patterns, told apart: what is drawn, what is folded away under it, the rest, and the old ones.

    ``also`` are those that tell in other words what one of the others tells better.
    """

    dials: tuple[Dial, ...]
    more_dials: tuple[Pattern, ...]
    pairs: tuple[Pair, ...]
    more_pairs: tuple[Pattern, ...]
    routines: tuple[Routine, ...]
    more_routines: tuple[Pattern, ...]
    lengths: Lengths | None
    more_lengths: tuple[Pattern, ...]
    others: tuple[Chapter, ...]
    also: tuple[Pattern, ...]
    old: tuple[Pattern, ...]


def foremost(patterns: Iterable[Pattern], most: int = 3) -> list[Pattern]:
    """Choose the few habits that stand for the home: of different kinds and things, the most useful of each."""
    active = [one for one in once(useful_first(patterns)) if one.status is Status.ACTIVE]
    held = [one for one in active if one.finding.detector in _TELLING]
    held.sort(key=lambda one: _TELLING.index(one.finding.detector))
    chosen: list[Pattern] = []
    for alike in (_kind_or_thing, _thing):  # of one kind only when there are no others
        for pattern in held:
            if len(chosen) < most and not any(alike(pattern) & alike(other) for other in chosen):
                chosen.append(pattern)
    return chosen


def _thing(pattern: Pattern) -> set[str]:
    return {entity_of(token) for token in pattern.finding.subject}


def _kind_or_thing(pattern: Pattern) -> set[str]:
    return {*_thing(pattern), pattern.finding.detector}


def chapters(history: History, patterns: tuple[Pattern, ...]) -> Chapters:
    """Tell the patterns apart."""
    active = [one for one in useful_first(patterns) if one.status is Status.ACTIVE]
    held = once(active)
    names = {one.id for one in held}
    of: dict[str, list[Pattern]] = {}
    for pattern in held:
        of.setdefault(pattern.finding.detector, []).append(pattern)
    dials = _drawn(dial, history, of.get("time_of_day", []))
    pairs = _drawn(pair, history, of.get("co_occurrence", []))
    routines = _drawn(routine, history, of.get("sequence", []))
    durations = of.get("duration", [])
    spans, folded = lengths(history, durations[:MOST_LENGTHS]), tuple(durations[MOST_LENGTHS:])
    pictures: list[Dial | Pair | Routine | Length] = [*dials, *pairs, *routines, *(spans.rows if spans else ())]
    told = {picture.pattern.id for picture in pictures} | {pattern.id for pattern in folded}
    return Chapters(
        dials=tuple(sorted(dials[:MOST_DIALS], key=lambda one: (one.order, one.pattern.id))),
        more_dials=tuple(one.pattern for one in dials[MOST_DIALS:]),
        pairs=tuple(pairs[:MOST_PAIRS]),
        more_pairs=tuple(one.pattern for one in pairs[MOST_PAIRS:]),
        routines=tuple(routines[:MOST_ROUTINES]),
        more_routines=tuple(one.pattern for one in routines[MOST_ROUTINES:]),
        lengths=spans,
        more_lengths=folded,
        others=_others({name: [one for one in found if one.id not in told] for name, found in of.items()}),
        also=tuple(one for one in active if one.id not in names),
        old=tuple(sorted((one for one in patterns if one.status is not Status.ACTIVE), key=_latest)),
    )


def _drawn(draw: Callable[[History, Pattern], _T | None], history: History, patterns: list[Pattern]) -> list[_T]:
    """Draw what can be drawn."""
    pictures = (draw(history, pattern) for pattern in patterns)
    return [picture for picture in pictures if picture is not None]


def _others(left: dict[str, list[Pattern]]) -> tuple[Chapter, ...]:
    """Make a chapter of each detector's patterns, the known detectors first."""
    known = list(_TITLES)
    order = sorted(left, key=lambda name: (known.index(name) if name in known else len(known), name))
    return tuple(_chapter(name, left[name]) for name in order if left[name])


def _chapter(name: str, patterns: list[Pattern]) -> Chapter:
    title, lede = _TITLES.get(name, (plain(name.replace("_", " ").capitalize()), ""))
    return Chapter(title, lede, tuple(patterns[:MOST_OTHERS]), tuple(patterns[MOST_OTHERS:]), name not in _ONCE)


def _latest(pattern: Pattern) -> tuple[int, str]:
    return -pattern.last_seen.toordinal(), pattern.id

"""What follows what: pairs and routines, and how long things last."""

import math
from collections.abc import Callable
from typing import Final

import msgspec

from quotidian.detect import History
from quotidian.detect.words import acts, clock, span, staying
from quotidian.model import Pattern
from quotidian.report.dials import short
from quotidian.report.wording import capital

#: The marks on the axis of lengths of time, in seconds.
_MARKS: Final = tuple(
    (seconds, span(seconds))
    for seconds in (1, 5, 30, 120, 600, 1_800, 7_200, 28_800, 86_400, 3 * 86_400, 10 * 86_400, 40 * 86_400)
)
_LAGS: Final = (1, 900)  #: the axis of lags, in seconds


class Pair(msgspec.Struct, frozen=True):
    """One act and what follows it; ``place`` is the lag in percent along a logarithmic axis of 1 s to 15 min."""

    pattern: Pattern
    first: str
    second: str
    lag: str
    place: str


class Step(msgspec.Struct, frozen=True):
    """One act of a routine, and how long after the act before it."""

    what: str
    after: str


class Routine(msgspec.Struct, frozen=True):
    """Several acts, one after another; ``start`` is when it usually begins, if that is known."""

    pattern: Pattern
    start: str
    steps: tuple[Step, ...]


class Mark(msgspec.Struct, frozen=True):
    """A mark of an axis: percent along it, and its words."""

    place: str
    words: str


class Length(msgspec.Struct, frozen=True):
    """How long one thing lasts: places in percent along the axis of all, and words."""

    pattern: Pattern
    what: str
    usual: str
    lower: str
    width: str
    median: str
    longest: str
    summary: str


class Lengths(msgspec.Struct, frozen=True):
    """Lengths of time on one logarithmic axis."""

    marks: tuple[Mark, ...]
    rows: tuple[Length, ...]


def pair(history: History, pattern: Pattern) -> Pair | None:
    """Draw a pair; ``None`` when its measures do not tell a lag."""
    finding = pattern.finding
    lag = finding.measures.get("lag")
    if len(finding.subject) < 2 or not isinstance(lag, int | float):
        return None
    first, second = (
        acts(history.home, tuple(finding.measures.get(name) or (token,)))
        for name, token in zip(("members", "followers"), finding.subject, strict=False)
    )
    low, high = (math.log(second) for second in _LAGS)
    place = (math.log(min(max(lag, _LAGS[0]), _LAGS[1])) - low) / (high - low)
    return Pair(pattern, capital(first), second, span(lag), short(5 + 90 * place))


def routine(history: History, pattern: Pattern) -> Routine | None:
    """Draw a routine; ``None`` when its measures do not tell the gaps between its acts."""
    finding = pattern.finding
    tokens, gaps = finding.measures.get("tokens", []), finding.measures.get("gaps", [])
    if len(tokens) < 2 or len(gaps) != len(tokens) - 1:
        return None
    what = [acts(history.home, history.members.get(token, (token,))) for token in tokens]
    steps = tuple(Step(words, after) for words, after in zip(what, ["", *map(span, gaps)], strict=True))
    start = finding.measures.get("start")
    return Routine(pattern, clock(start) if isinstance(start, int | float) else "", steps)


def lengths(history: History, patterns: list[Pattern]) -> Lengths | None:
    """Draw durations on a common axis, the shortest first; ``None`` when there are none that tell their quartiles."""
    told = [pattern for pattern in patterns if _quartiles(pattern)]
    if not told:
        return None
    told.sort(key=lambda pattern: (_quartiles(pattern), pattern.id))
    seconds = [second for pattern in told for second in _quartiles(pattern)]
    low, high = math.log(min(seconds)) - 0.3, math.log(max(seconds)) + 0.3

    def place(second: float) -> float:
        return 100 * (math.log(second) - low) / (high - low)

    marks = tuple(Mark(short(place(mark)), words) for mark, words in _MARKS if 2 < place(mark) < 97)
    return Lengths(marks, tuple(_length(history, pattern, place) for pattern in told))


def _quartiles(pattern: Pattern) -> tuple[float, ...]:
    """Give median, lower, upper and longest in seconds, at least 1; nothing when one of them is missing."""
    values = [pattern.finding.measures.get(name) for name in ("median", "lower", "upper", "longest")]
    numbers = tuple(max(float(value), 1.0) for value in values if isinstance(value, int | float))
    return numbers if len(numbers) == len(values) else ()


def _length(history: History, pattern: Pattern, place: Callable[[float], float]) -> Length:
    median, lower, upper, longest = _quartiles(pattern)
    spans = pattern.finding.measures.get("spans")
    often = f" of {spans:,} times" if isinstance(spans, int) else ""
    return Length(
        pattern=pattern,
        what=capital(staying(history.home, pattern.finding.subject[0])),
        usual=span(median),
        lower=short(place(lower)),
        width=short(max(place(upper) - place(lower), 0.6)),
        median=short(place(median)),
        longest=short(place(longest)),
        summary=f"half{often} {span(lower)} to {span(upper)}, longest {span(longest)}",
    )

"""How long things stay on, open, occupied."""

import math
from itertools import pairwise
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of, token_of
from quotidian.detect.dayview import PRESSED_DOMAINS, Changes, DayView
from quotidian.detect.history import History
from quotidian.detect.rollup import by_entity
from quotidian.detect.statistics import life_table, share_interval
from quotidian.detect.things import ACTIVE_STATES, ACTUATORS, OPENINGS, RESTING, RUNNING
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Floats, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

_RARELY: Final = 30  #: of so many days one may be anything
_HALF_DAY: Final = 43_200  #: seconds

#: Lower edges of the age bins in seconds: whole parts of 2^(k/8), each twice as long as the eighth before it.
EDGES: Final[Ints] = np.unique([math.isqrt(math.isqrt(math.isqrt(1 << k))) for k in range(8 * 22)]).astype(np.int64)


class _Spans(msgspec.Struct, frozen=True):
    """What is known of one token: spans by day and age bin that ended and that were lost sight of, each day's longest.

    Shape (days, bins) and (days,), of the days on which one ended or was lost sight of.
    """

    ended: Ints
    censored: Ints
    longest: tuple[int, ...]

    def age(self, share: float) -> float | None:
        """Give the age in seconds that so large a share of the spans outlives, if that was seen."""
        return _age(life_table(self.ended.sum(axis=0), self.censored.sum(axis=0)), share)

    def halves(self) -> "tuple[_Spans, _Spans]":
        """Part the days in two."""
        middle = len(self.ended) // 2
        one, other = (
            _Spans(self.ended[part], self.censored[part], ()) for part in (slice(middle), slice(middle, None))
        )
        return one, other


class Duration(Detector):
    """How long things stay on, open, occupied.

    A life table of each state's spans by age, in eight bins an octave. A span that something other than people ended,
    or that was lost sight of (the entity became unavailable), tells only that it lasted so long. The counts of
    days add up, so the table of any set of days is exact; between the edges of a bin the logarithm of the age is
    interpolated.

    A duration is told of what people operate, of what they open, and of machines that run, when it is usual: the
    middle half of the spans must lie within a factor of ``spread``, and the medians of the first and of the second half
    of the days must not differ by more than three standard errors. What lasts for half a day or more is how the thing
    rests. The limit is never rarer than the data can say: of thirty days the largest span is left out, of fewer none.
    It is an order statistic, rounded up: whatever the distribution of the spans, the share of days below it is at least
    as large as a beta variable, whose 5 % quantile is the lower end of the interval.

    Parameters
    ----------
    least_spans
        Spans that ended, at least.
    least_days
        Days on which one ended, at least.
    least_seconds
        The shortest usual duration that is worth telling.
    spread
        The largest ratio of the upper to the lower quartile that still is a habit, above 1.

    Notes
    -----
    Kept per day: ``token`` (number of the word), ``bin``, ``ended``, ``censored``; and for each token with a span
    that ended ``longest_token``, ``longest`` (seconds).

    Rolled up, of each entity: ``states`` with ``spans`` (that ended that day) and ``longest`` (seconds) of each;
    ``unended``, the spans that people did not end, or that were lost sight of; ``on_seconds``, how long that day it
    was on, open, unlocked or playing. What it was before the first change is known where it only ever has two states;
    of an entity without a change nothing is said.

    Subject: the token. Measures, in seconds: ``median``, ``lower`` and ``upper`` (quartiles), ``usual`` (nothing
    outlasted it but on one day in thirty; rounded up), ``longest``; ``spans`` (number). Evidence: days on which none
    outlasted ``usual``, of those on which one ended. Confidence: kept / (observed + 1), the mean of that beta variable.

    References
    ----------
    .. [1] D. R. Cox, D. Oakes, Analysis of Survival Data, 1984 (the life table).

    Examples
    --------
    >>> Duration(spread=1)
    Traceback (most recent call last):
    ValueError: least_spans and least_days are at least 1, spread is above 1
    """

    name: ClassVar[str] = "duration"
    keeps: ClassVar[bool] = True

    def __init__(
        self, *, least_spans: int = 10, least_days: int = 8, least_seconds: int = 30, spread: float = 2.5
    ) -> None:
        if least_spans < 1 or least_days < 1 or spread <= 1:
            raise ValueError("least_spans and least_days are at least 1, spread is above 1")
        self.least_spans = least_spans
        self.least_days = least_days
        self.least_seconds = least_seconds
        self.spread = spread

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Count the day's spans by token and age; since when a state holds is handed on by the view itself."""
        del carry
        spans = [*_spans(day, day.changes, told=True), *_spans(day, day.lost, told=False)]
        names = tuple(sorted({token for token, *_ in spans}))
        number = {token: place for place, token in enumerate(names)}
        counts = np.zeros((len(names), EDGES.size, 2), np.int64)
        longest = np.full(len(names), -1, np.int64)
        for token, seconds, told in spans:
            place, age = number[token], int(np.searchsorted(EDGES, seconds, "right")) - 1
            counts[place, age] += (told, not told)
            if told:
                longest[place] = max(longest[place], seconds)
        places, ages = np.nonzero(counts.sum(axis=2))
        seen = np.flatnonzero(longest >= 0)
        columns = {
            "token": places,
            "bin": ages,
            "ended": counts[places, ages, 0],
            "censored": counts[places, ages, 1],
            "longest_token": seen,
            "longest": longest[seen],
        }
        return Integers(names, columns), Carry()

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say which spans ended, and for how long that day things were on."""
        known: dict[str, set[str]] = {}
        for token in (*row.tokens, *own.words):
            known.setdefault(entity_of(token), set()).add(state_of(token))
        figures = {name: _ended(own, places) for name, places in _places(own).items()}
        for name, places in by_entity(row).items():
            states = known.get(name, set())  # none where a name holds the sign that parts it from its state
            if states & ACTIVE_STATES:
                figures.setdefault(name, {})["on_seconds"] = _on_seconds(row, name, places, states)
        return figures

    def detect(self, history: History) -> list[Finding]:
        """Give the usual durations, those of most days first."""
        findings = []
        for token, spans in sorted(self._collected(history).items()):
            if _matters(history.home, token) and self._is_known(spans):
                finding = self._finding(history, token, spans)
                findings += [finding] if finding else []
        return sorted(findings, key=lambda finding: (-finding.evidence.observed, finding.subject))

    def _is_known(self, spans: _Spans) -> bool:
        return int(spans.ended.sum()) >= self.least_spans and len(spans.longest) >= self.least_days

    def _collected(self, history: History) -> dict[str, _Spans]:
        """Put the spans of each token side by side."""
        summary = self.summary(history).days
        spans: dict[str, tuple[list[Ints], list[int]]] = {}
        for day in (summary[row.ordinal] for row in history.rows if row.ordinal in summary):
            counts = np.zeros((len(day.words), EDGES.size, 2), np.int64)
            counts[day["token"], day["bin"]] = np.stack([day["ended"], day["censored"]], axis=1)
            for place, token in enumerate(day.words):
                spans.setdefault(token, ([], []))[0].append(counts[place])
            for place, seconds in zip(day["longest_token"].tolist(), day["longest"].tolist(), strict=True):
                spans[day.words[place]][1].append(seconds)
        tables = {token: (np.stack(counts), tuple(longest)) for token, (counts, longest) in spans.items()}
        return {token: _Spans(table[:, :, 0], table[:, :, 1], longest) for token, (table, longest) in tables.items()}

    def _finding(self, history: History, token: str, spans: _Spans) -> Finding | None:
        lower, median, upper = (spans.age(share) for share in (0.75, 0.5, 0.25))
        if lower is None or median is None or upper is None:
            return None
        if upper > self.spread * lower or not self.least_seconds <= median < _HALF_DAY:
            return None
        if not _stable(*spans.halves()):
            return None
        days, count = len(spans.longest), int(spans.ended.sum())
        usual = _rounded_up(sorted(spans.longest)[days - days // _RARELY - 1])
        kept = sum(seconds <= usual for seconds in spans.longest)
        low, _ = share_interval(kept, days)
        figures = {"median": median, "lower": lower, "upper": upper, "usual": usual, "longest": max(spans.longest)}
        measures = {name: round(seconds) for name, seconds in figures.items()} | {"spans": count}
        return Finding(
            detector=self.name,
            subject=(token,),
            measures=measures,
            evidence=Evidence(kept=kept, observed=days, low=low, high=1.0),
            confidence=kept / (days + 1),
            stage=Stage.ESTABLISHED if days >= 10 else Stage.EMERGING,
            sentence=_sentence(words.staying(history.home, token), measures),
        )


def _stable(one: _Spans, other: _Spans) -> bool:
    """Tell whether the medians of two parts differ by a tenth at most, or by three standard errors."""
    middles, errors = [], []
    for part in (one, other):
        lower, median, upper = (part.age(share) for share in (0.75, 0.5, 0.25))
        if lower is None or median is None or upper is None:
            return False
        middles.append(math.log(median))
        # Of a normal logarithm the quartiles are 1.35, the error of the median 1.25 standard deviations wide.
        errors.append(1.25 * math.log(upper / lower) / (1.35 * math.sqrt(int(part.ended.sum()))))
    return abs(middles[0] - middles[1]) <= max(math.log(1.1), 3 * math.hypot(*errors))


def _rounded_up(seconds: int) -> int:
    """Give a limit as people set it: in steps of ten seconds, of a minute, of five or of fifteen minutes."""
    step = next(step for most, step in ((120, 10), (1_800, 60), (10_800, 300), (1 << 40, 900)) if seconds <= most)
    return -(-seconds // step) * step


def _matters(home: Home, token: str) -> bool:
    """Tell whether its lengths are of use: those of what is operated, opened or runs, not of what sees people."""
    entity_id = entity_of(token)
    return domain_of(entity_id) in ACTUATORS or home.entity(entity_id).device_class in OPENINGS | RUNNING


def _sentence(what: str, seconds: dict[str, int]) -> str:
    half = f"half of the times {words.span(seconds['lower'])} to {words.span(seconds['upper'])}"
    limit = f", seldom over {words.span(seconds['usual'])}" if seconds["usual"] < seconds["longest"] else ""
    longest = f"the longest of {seconds['spans']} times was {words.span(seconds['longest'])}"
    return f"{what[:1].upper()}{what[1:]} for about {words.span(seconds['median'])} ({half}){limit}; {longest}"


def _places(own: Integers) -> dict[str, list[int]]:
    """Give the numbers of the tokens of each entity."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(own.words):
        places.setdefault(entity_of(token), []).append(place)
    return places


def _ended(own: Integers, tokens: list[int]) -> Figures:
    """Say of some tokens how many spans ended, and how long the longest of each was."""
    longest = dict(zip(own["longest_token"].tolist(), own["longest"].tolist(), strict=True))
    chosen = [own["token"] == token for token in tokens]
    return {
        "states": [state_of(own.words[token]) for token in tokens],
        "spans": [int(own["ended"][rows].sum()) for rows in chosen],
        "longest": [longest.get(token, 0) for token in tokens],
        "unended": int(own["censored"][np.any(chosen, axis=0)].sum()),
    }


def _on_seconds(row: DayRow, entity_id: str, places: Ints, known: set[str]) -> int:
    """Add up the seconds that an entity spent in active states, given the places of its changes and its states."""
    changes = [
        (second, state_of(row.tokens[token]))
        for second, token in zip(row.second[places].tolist(), row.token[places].tolist(), strict=True)
    ]
    edges = [0, *(edge for gap in row.gaps.get(entity_id, []) for edge in gap), row.seconds]
    total = 0
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        inside = [change for change in changes if start <= change[0] < end]
        if inside:
            others = known - {inside[0][1]}
            before = others.pop() if len(others) == 1 else ""
            steps = [(start, before), *inside, (end, "")]
            total += sum(until - since for (since, state), (until, _) in pairwise(steps) if state in ACTIVE_STATES)
    return total


def _spans(day: DayView, changes: Changes, *, told: bool) -> list[tuple[str, int, bool]]:
    """Give (token, seconds, whether it ended by people's doing) of each span that people may have begun."""
    rows = np.flatnonzero(changes.began)
    columns = (column[rows].tolist() for column in (changes.entity, changes.before, changes.since, changes.second))
    return [
        (token_of(day.entities[entity], day.states[state]), max(end - since, 1), told and learned)
        for entity, state, since, end, learned in zip(*columns, changes.learned[rows].tolist(), strict=True)
        if day.states[state] not in RESTING and domain_of(day.entities[entity]) not in PRESSED_DOMAINS
    ]


def _age(outlived: Floats, share: float) -> float | None:
    """Give the age in seconds by which all but a share have ended, if that was seen, interpolated within its bin."""
    reached = np.flatnonzero(outlived <= share)
    if not reached.size:
        return None
    place = int(reached[0])
    before = float(outlived[place - 1]) if place else 1.0
    part = (before - share) / (before - float(outlived[place]))
    low, high = float(EDGES[place]), float(EDGES[min(place + 1, EDGES.size - 1)])
    return float(low * (high / low) ** part)

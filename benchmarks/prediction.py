"""What happens next in real homes, foretold from what was learned before: ``python -m benchmarks.prediction``.

The protocol is that of K. Rasch, An Unsupervised Recommender System for Smart Homes, 2014, and of the program that goes
with it: at the instant of each change of a sensor or a switch it is asked what changes; only changes that are possible
then count as answers (what is open can only close); recall at 1 is the share of changes whose first answer is right.
There ten folds of neighbouring changes are foretold from the nine others. Here one change after another is foretold as
well, from nothing but what came before it, which is harder.
"""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Final, Protocol

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.nulls import sources
from benchmarks.nulls.days import Days
from quotidian.detect import ActionSequence, CoOccurrence, Detector, TimeOfDay
from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.pairs import WINDOWS
from quotidian.detect.statistics import around, next_time
from quotidian.detect.things import is_act
from quotidian.model import Finding
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES

#: A cistern that has run empty closes by itself: no change that anybody could foretell an action from.
_NOT_ASKED: Final = re.compile(r"flush.*=off$")
_FOLDS: Final = 10
_BEFORE: Final = 20  #: so many changes before are looked at
_SEED: Final = 3
_DRAWS: Final = 2_000


class Moment(msgspec.Struct, frozen=True):
    """The instant at which something changes: day, seconds, wall second, the changes just before, what was possible."""

    day: int
    instant: int
    wall: int
    before: tuple[tuple[str, int], ...]
    possible: tuple[str, ...]


class Case(msgspec.Struct, frozen=True):
    """A moment, and what changed at it."""

    moment: Moment
    token: str


class Predictor(Protocol):
    """Foretells what changes at a moment, and learns what did."""

    def predict(self, moment: Moment) -> str | None:
        """Give one of what is possible, ``None`` for no answer."""

    def learn(self, case: Case) -> None:
        """Learn what changed."""


# the predictors


class MostFrequent:
    """What changed most often before."""

    def __init__(self) -> None:
        self._every = Counter[str]()

    def tables(self, moment: Moment) -> list[Counter[str]]:
        """Give how often each change came, from the least special count to the most."""
        del moment
        return [self._every]

    def shares(self, moment: Moment) -> dict[str, float]:
        """Give how probable each change that is possible is; each count counts for one case of the next one."""
        shares = dict.fromkeys(moment.possible, 1 / max(len(moment.possible), 1))
        for counts in self.tables(moment):
            total = sum(counts[token] for token in shares)
            shares = {token: (counts[token] + share) / (total + 1) for token, share in shares.items()}
        return shares

    def predict(self, moment: Moment) -> str | None:
        """Give the most probable one."""
        return _likeliest(self.shares(moment))

    def learn(self, case: Case) -> None:
        """Count it."""
        for counts in self.tables(case.moment):
            counts[case.token] += 1


class Chain(MostFrequent):
    """A Markov chain of order 1: what most often came after the last change, and of equals what changed most often."""

    def __init__(self) -> None:
        super().__init__()
        self._after = defaultdict[str, Counter[str]](Counter)

    def tables(self, moment: Moment) -> list[Counter[str]]:
        """Count what came after the last change, too."""
        return [*super().tables(moment), self._after[moment.before[-1][0]]]


class Pairs(Chain):
    """All pairs of changes with their lags, before any test: a semi-Markov chain [1]_.

    After each change any other may come next, as competing hazards: named is the one that came most often that long
    after it, by the windows in which co-occurrence looks for pairs.

    References
    ----------
    .. [1] R. Pyke, Markov Renewal Processes: Definitions and Preliminary Properties, 1961.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lagged = defaultdict[tuple[str, int], Counter[str]](Counter)

    def tables(self, moment: Moment) -> list[Counter[str]]:
        """Count what came so long after the last change, too."""
        last, instant = moment.before[-1]
        window = int(np.searchsorted(WINDOWS, moment.instant - instant))
        return [*super().tables(moment), self._lagged[last, window]]


def _likeliest(shares: Mapping[str, float]) -> str | None:
    return max(shares, key=lambda token: shares[token], default=None)


class Patterns:
    """The patterns alone: what was found on the days before and is going on at this moment.

    Each says that its act comes within its window with its share, and the act that so comes at the highest rate is
    named, as of competing hazards [1]_. Where no pattern is going on there is no answer.

    References
    ----------
    .. [1] D. R. Cox, D. Oakes, Analysis of Survival Data, 1984.
    """

    def __init__(self, days: Days, detectors: Sequence[Detector]) -> None:
        self._history, self._detectors = days.history(), detectors
        self._found: dict[int, list[Finding]] = {}

    def predict(self, moment: Moment) -> str | None:
        """Give what comes at the highest rate."""
        rates = {(rate, token) for (*_, token), rate in self.going_on(moment).items()}
        return max(rates)[1] if rates else None

    def going_on(self, moment: Moment) -> dict[tuple[str, tuple[str, ...], str], float]:
        """Give the rate (a second) of each pattern that is going on: by detector, subject and the act to come."""
        if moment.day not in self._found:
            before = self._history.without(np.arange(len(self._history.rows)) >= moment.day)
            self._found[moment.day] = [one for detector in self._detectors for one in detector.detect(before)]
        return {
            (finding.detector, finding.subject, token): rate
            for finding in self._found[moment.day]
            for token, rate in _EXPECTED[finding.detector](finding, moment)
            if token in moment.possible
        }

    def learn(self, case: Case) -> None:
        """Learn nothing but by the night."""


#: The detectors as they tell people, and with all floors let down so far that half of what they find may be chance.
TOLD: Final[tuple[Detector, ...]] = (TimeOfDay(), CoOccurrence(), ActionSequence())
LOOSE: Final[tuple[Detector, ...]] = (
    TimeOfDay(false_discovery=0.5, least_share=0.05, least_lift=1.01, surely=0.0),
    CoOccurrence(false_discovery=0.5, least_days=3, least_share=0.05, least_lift=1.01),
    ActionSequence(false_discovery=0.5, least_days=3, least_share=0.05),
)

_Expected = Iterator[tuple[str, float]]


def _timed(finding: Finding, moment: Moment) -> _Expected:
    """Expect the act of a time of day when it is that time."""
    apart = around(np.array([moment.wall / 60]), float(finding.anchor or 0), DAY_MINUTES)
    width = max(float(finding.measures["width"]), 5.0)
    if abs(float(apart[0])) <= width:
        yield finding.subject[0], finding.confidence / (120 * width)


def _followed(finding: Finding, moment: Moment) -> _Expected:
    """Expect the second of a pair after the first."""
    measures, (first, second) = finding.measures, finding.subject
    if _awaited(moment, first, second, measures["window"]):
        yield second, next_time(measures["followed"], measures["times"]) / measures["window"]


def _continued(finding: Finding, moment: Moment) -> _Expected:
    """Expect the next of a sequence after each of it that came."""
    for (first, second), limit in zip(pairwise(finding.subject), finding.measures["limits"], strict=True):
        if _awaited(moment, first, second, limit):
            yield second, finding.confidence / limit


def _awaited(moment: Moment, first: str, second: str, within: int) -> bool:
    """Tell whether the first was so many seconds ago at most, and the second did not come since."""
    recent = [token for token, instant in moment.before if moment.instant - instant <= within]
    return first in recent and second not in recent[len(recent) - recent[::-1].index(first) :]


_EXPECTED: Final[dict[str, Callable[[Finding, Moment], _Expected]]] = {
    TimeOfDay.name: _timed,
    CoOccurrence.name: _followed,
    ActionSequence.name: _continued,
}


class Trusted:
    """The chain, and the patterns that are going on, each as far as its act came next before: the largest share."""

    def __init__(self, patterns: Patterns) -> None:
        self._chain, self._patterns = Chain(), patterns
        self._right, self._tried = Counter[object](), Counter[object]()

    def predict(self, moment: Moment) -> str | None:
        """Give the most probable change; what the chain says counts for one time that a pattern was going on."""
        chain = self._chain.shares(moment)
        shares = dict(chain)
        for pattern in self._patterns.going_on(moment):
            token = pattern[-1]
            shares[token] = max(shares[token], (self._right[pattern] + chain[token]) / (self._tried[pattern] + 1))
        return _likeliest(shares)

    def learn(self, case: Case) -> None:
        """Learn what changed, and which patterns were right."""
        for pattern in self._patterns.going_on(case.moment):
            self._tried[pattern] += 1
            self._right[pattern] += pattern[-1] == case.token
        self._chain.learn(case)


# the protocol


def cases(days: Days, asked: Callable[[str], bool]) -> list[Case]:
    """Give each change that is asked for, with what was known at its instant."""
    states: dict[str, str] = {}
    seen: dict[str, None] = {}
    before: tuple[tuple[str, int], ...] = ()
    found = []
    for day, row in enumerate(days.rows):
        walls = row.wall.tolist()
        for second, wall, number in zip(row.second.tolist(), walls, row.token.tolist(), strict=True):
            token, instant = row.tokens[number], row.start + second
            if asked(token):
                possible = tuple(one for one in seen if states[entity_of(one)] != state_of(one))
                if before:
                    found.append(Case(Moment(day, instant, wall, before, possible), token))
                seen[token] = None
            states[entity_of(token)] = state_of(token)
            before = (*before, (token, instant))[-_BEFORE:]
    return found


def prequential(predictor: Predictor, asked: Sequence[Case]) -> tuple[Bools, Bools]:
    """Foretell each case, and then learn it: give for each whether there was an answer, and whether it was right."""
    answers = []
    for case in asked:
        answers.append(predictor.predict(case.moment))
        predictor.learn(case)
    answered = np.array([answer is not None for answer in answers], bool)
    return answered, np.array([answer == case.token for answer, case in zip(answers, asked, strict=True)], bool)


def lead(right: Bools, other: Bools, days: Ints) -> tuple[float, float, float]:
    """Give by how much more often one predictor is right than another, and 90 % limits, by a bootstrap over days."""
    numbers, place = np.unique(days, return_inverse=True)
    more = np.bincount(place, right.astype(np.int64) - other.astype(np.int64))
    asked = np.bincount(place)
    drawn = np.random.default_rng(_SEED).integers(numbers.size, size=(_DRAWS, numbers.size))
    leads = more[drawn].sum(axis=1) / asked[drawn].sum(axis=1)
    low, high = np.quantile(leads, (0.05, 0.95))
    return float(more.sum() / asked.sum()), float(low), float(high)


def folded(make: Callable[[], Predictor], asked: Sequence[Case]) -> float:
    """Give mean recall at 1 of ten folds of neighbouring cases, each foretold from the nine others."""
    recalls = []
    for fold in np.array_split(np.arange(len(asked)), _FOLDS):
        predictor = make()
        for place in np.setdiff1d(np.arange(len(asked)), fold).tolist():
            predictor.learn(asked[place])
        right = sum(predictor.predict(asked[place].moment) == asked[place].token for place in fold.tolist())
        recalls.append(right / max(fold.size, 1))
    return float(np.mean(recalls))


class Score(msgspec.Struct, frozen=True):
    """Recall at 1; one by one also the share of changes with an answer, and the lead over the chain with its limits."""

    recall: float
    answered: float | None = None
    lead: tuple[float, float, float] | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How well the changes of one log were foretold, by predictor.

    ``again`` is the share of changes of the very thing that changed last.
    """

    log: str
    task: str
    asked: int
    again: float
    scores: dict[str, Score]


_SIMPLE: Final[dict[str, Callable[[], Predictor]]] = {
    "most frequent": MostFrequent,
    "order-1 chain": Chain,
    "pairs with lags": Pairs,
}


def outcomes(days: Days) -> Iterator[Outcome]:
    """Foretell a log: all changes as the protocol has them, one after another, and of these only what people do."""
    every = cases(days, lambda token: not _NOT_ASKED.search(token))
    acts = cases(days, lambda token: is_act(days.home, token) and not _NOT_ASKED.search(token))
    if not acts:
        return
    told, loose = Patterns(days, TOLD), Patterns(days, LOOSE)
    scores = {name: Score(folded(make, every)) for name, make in _SIMPLE.items()}
    yield Outcome(days.source, "changes, ten folds", len(every), _again(every), scores)
    yield Outcome(days.source, "changes", len(every), _again(every), _one_by_one(every, told, loose))
    yield Outcome(days.source, "actions", len(acts), _again(acts), _one_by_one(acts, told, loose))


def _again(asked: Sequence[Case]) -> float:
    return sum(entity_of(case.token) == entity_of(case.moment.before[-1][0]) for case in asked) / len(asked)


def _one_by_one(asked: Sequence[Case], told: Patterns, loose: Patterns) -> dict[str, Score]:
    predictors: dict[str, Predictor] = {name: make() for name, make in _SIMPLE.items()}
    predictors |= {
        "patterns as told": told,
        "loose patterns": loose,
        "loose patterns and chain": Trusted(loose),
    }
    found = {name: prequential(predictor, asked) for name, predictor in predictors.items()}
    chain = found["order-1 chain"][1]
    answered, right = found["loose patterns"]
    found["loose patterns, else chain"] = np.ones(len(asked), bool), np.where(answered, right, chain)
    number = np.array([case.moment.day for case in asked], np.int64)
    return {
        name: Score(float(right.mean()), float(answered.mean()), lead(right, chain, number))
        for name, (answered, right) in found.items()
    }


def main(*, json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False) -> None:
    """Foretell what happens next in each log of the folder that the environment names."""
    if not sources.logs():
        Console(stderr=True).print(f"real logs: {sources.SKIPPED}")
    told = [one for log in sources.logs() for one in outcomes(sources.logged(log, TOLD))]
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(_table(told))


def _table(told: Sequence[Outcome]) -> Table:
    table = Table("log", "asked for", "predictor", "recall", "answered", "right of these", "lead over the chain (90 %)")
    for one in told:
        heads = iter([(one.log, f"{one.asked:,} {one.task}"), ("", f"{one.again:.0%} of the last thing")])
        for name, score in one.scores.items():
            table.add_row(*next(heads, ("", "")), name, *_row(score))
        table.add_section()
    return table


def _row(score: Score) -> Iterator[str]:
    yield f"{score.recall:.3f}"
    if score.answered and score.lead is not None:
        yield f"{score.answered:.3f}"
        yield f"{score.recall / score.answered:.3f}"
        yield "{:+.3f} ({:+.3f} to {:+.3f})".format(*score.lead)


if __name__ == "__main__":
    typer.run(main)

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
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, Protocol

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.nulls import sources
from benchmarks.nulls.days import Days
from quotidian.detect import ActionSequence, CoOccurrence, Detector, History, TimeOfDay
from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.statistics import around
from quotidian.detect.things import is_act
from quotidian.model import Finding, Summary
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES

#: What the work reports for house A of van Kasteren et al. with its own method.
PUBLISHED: Final = {"kasteren_A": 0.61}
#: A cistern that has run empty closes by itself: no change that anybody could foretell an action from.
_NOT_ASKED: Final = re.compile(r"flush.*=off$")
_FOLDS: Final = 10
_BEFORE: Final = 20  #: so many changes before are looked at
_GAPS: Final = (0, 10, 60, 300, 900, 3_600)  #: how long ago the last change was, in classes of seconds
_PART: Final = 7_200  #: seconds of a part of the day
_PRIOR: Final = 3.0  #: changes that the less special evidence counts for
_SEED: Final = 3
_DRAWS: Final = 2_000
_SOON: Final = 900  #: seconds after which a sequence is given up where its finding does not say


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
        self.counts = Counter[str]()

    def predict(self, moment: Moment) -> str | None:
        """Give the most frequent one."""
        return max(moment.possible, key=lambda token: self.counts[token], default=None)

    def learn(self, case: Case) -> None:
        """Count it."""
        self.counts[case.token] += 1


class Chain(MostFrequent):
    """A Markov chain of order 1: what most often came after the last change, and of equals what changed most often."""

    def __init__(self) -> None:
        super().__init__()
        self.after = defaultdict[str, Counter[str]](Counter)

    def predict(self, moment: Moment) -> str | None:
        """Give what most often came next."""
        after = self.after[moment.before[-1][0]]
        return max(moment.possible, key=lambda token: (after[token], self.counts[token]), default=None)

    def learn(self, case: Case) -> None:
        """Count it, and what it came after."""
        super().learn(case)
        self.after[case.moment.before[-1][0]][case.token] += 1


class Evidence:
    """The evidence that patterns are made of, from the least special to the most.

    How often each change came at all, in that part of the day, after the last change, so long after it, and so long
    after the last two. Each of them counts for ``_PRIOR`` cases of the next one.
    """

    def __init__(self) -> None:
        self.counts = defaultdict[tuple[object, ...], Counter[str]](Counter)

    def predict(self, moment: Moment) -> str | None:
        """Give the most probable change."""
        shares = self.shares(moment)
        return max(shares, key=lambda token: shares[token], default=None)

    def shares(self, moment: Moment) -> dict[str, float]:
        """Give how probable each change that is possible is."""
        shares = dict.fromkeys(moment.possible, 1.0 / max(len(moment.possible), 1))
        for place in _places(moment):
            counts = self.counts.get(place, {})
            total = sum(counts.get(token, 0) for token in shares)
            shares = {
                token: (counts.get(token, 0) + _PRIOR * share) / (total + _PRIOR) for token, share in shares.items()
            }
        return shares

    def learn(self, case: Case) -> None:
        """Count it in each way."""
        for place in _places(case.moment):
            self.counts[place][case.token] += 1


def _places(moment: Moment) -> list[tuple[object, ...]]:
    last, instant = moment.before[-1]
    gap = int(np.searchsorted(_GAPS, moment.instant - instant, "right"))
    two = tuple(token for token, _ in moment.before[-2:])
    return [("ever",), ("part", moment.wall // _PART), ("after", last), ("soon", last, gap), ("two", two, gap)]


class Patterns:
    """The patterns alone: what was found on the days before and applies; the surest where there are several."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.found: dict[int, list[Finding]] = {}

    def predict(self, moment: Moment) -> str | None:
        """Give what the surest pattern says."""
        found = [(finding.confidence, token) for finding, token in self.applying(moment)]
        return max(found)[1] if found else None

    def applying(self, moment: Moment) -> Iterator[tuple[Finding, str]]:
        """Give each pattern that is going on, with what it says comes now."""
        if moment.day not in self.found:
            self.found = {moment.day: _found(self.days, moment.day)}
        for finding in self.found[moment.day]:
            token = _EXPECTED[finding.detector](finding, moment)
            if token in moment.possible:
                yield finding, token

    def learn(self, case: Case) -> None:
        """Learn nothing but by the night."""


_DETECTORS: Final[tuple[Detector, ...]] = (TimeOfDay(), CoOccurrence(), ActionSequence())


def _found(days: Days, day: int) -> list[Finding]:
    """Give what is found on the days before one."""
    if not day:
        return []
    until = days.rows[day].ordinal
    kept = {
        name: Summary(one.detector, one.version, {date: own for date, own in one.days.items() if date < until})
        for name, one in days.summaries.items()
    }
    history = History(days.rows[:day], days.home, kept)
    return [finding for detector in _DETECTORS for finding in detector.detect(history)]


def _timed(finding: Finding, moment: Moment) -> str | None:
    """Give the token of a time of day when it is that time."""
    minutes = np.array([moment.wall / 60])
    near = abs(float(around(minutes, float(finding.anchor or 0), DAY_MINUTES)[0]))
    return finding.subject[0] if near <= max(float(finding.measures["width"]), 5.0) else None


def _followed(finding: Finding, moment: Moment) -> str | None:
    """Give the second of a pair when the first was just before, and the second was not since."""
    first, second = finding.subject[:2]
    return _next(moment, first, second, int(finding.measures["window"]))


def _continued(finding: Finding, moment: Moment) -> str | None:
    """Give the next of a sequence after the last of it that came."""
    tokens = list(finding.measures["tokens"])
    limits = finding.measures.get("limits", [_SOON] * len(tokens))
    for place in range(len(tokens) - 1, 0, -1):
        token = _next(moment, tokens[place - 1], tokens[place], int(limits[place - 1]))
        if token is not None:
            return token
    return None


def _next(moment: Moment, first: str, second: str, within: int) -> str | None:
    for token, instant in reversed(moment.before):
        if token == second or moment.instant - instant > within:
            return None
        if token == first:
            return second
    return None


_EXPECTED: Final[dict[str, Callable[[Finding, Moment], str | None]]] = {
    TimeOfDay.name: _timed,
    CoOccurrence.name: _followed,
    ActionSequence.name: _continued,
}


class Trusted:
    """The evidence, and the patterns that apply, as far as each kind of them was right before."""

    def __init__(self, days: Days) -> None:
        self.evidence, self.patterns = Evidence(), Patterns(days)
        self.right, self.tried = Counter[str](), Counter[str]()

    def predict(self, moment: Moment) -> str | None:
        """Give the most probable change."""
        shares = self.evidence.shares(moment)
        for finding, token in self.patterns.applying(moment):
            kind = finding.detector
            shares[token] = max(shares[token], (self.right[kind] + 1) / (self.tried[kind] + 2) * finding.confidence)
        return max(shares, key=lambda token: shares[token], default=None)

    def learn(self, case: Case) -> None:
        """Learn what changed, and which kinds of patterns were right."""
        self.evidence.learn(case)
        for finding, token in self.patterns.applying(case.moment):
            self.tried[finding.detector] += 1
            self.right[finding.detector] += token == case.token


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


class Outcome(msgspec.Struct, frozen=True):
    """Recall at 1 by predictor, of so many changes of one log.

    ``lead`` of the evidence over the chain, with 90 % limits; ``precision`` of the patterns alone where one applied;
    ``published`` where there is a figure to beat.
    """

    log: str
    task: str
    asked: int
    recalls: dict[str, float]
    lead: tuple[float, float, float] | None = None
    precision: float | None = None
    published: float | None = None


_SIMPLE: Final[dict[str, Callable[[], Predictor]]] = {
    "most frequent": MostFrequent,
    "order-1 chain": Chain,
    "evidence": Evidence,
}


def outcomes(days: Days) -> Iterator[Outcome]:
    """Foretell a log: all changes as the protocol has them, one after another, and of these only what people do."""
    every = cases(days, lambda token: not _NOT_ASKED.search(token))
    acts = cases(days, lambda token: is_act(days.home, token) and not _NOT_ASKED.search(token))
    published = PUBLISHED.get(days.source)
    if every:
        recalls = {name: folded(make, every) for name, make in _SIMPLE.items()}
        yield Outcome(days.source, "all changes, ten folds", len(every), recalls, published=published)
        yield _one_by_one(days, "all changes, one by one", every, published)
    if acts:
        yield _one_by_one(days, "actions, one by one", acts, None)


def _one_by_one(days: Days, task: str, asked: Sequence[Case], published: float | None) -> Outcome:
    predictors: dict[str, Predictor] = {name: make() for name, make in _SIMPLE.items()}
    predictors |= {"patterns alone": Patterns(days), "evidence and patterns": Trusted(days)}
    found = {name: prequential(predictor, asked) for name, predictor in predictors.items()}
    answered, right = found["patterns alone"]
    number = np.array([case.moment.day for case in asked], np.int64)
    return Outcome(
        days.source,
        task,
        len(asked),
        {name: float(right.mean()) for name, (_, right) in found.items()},
        lead(found["evidence"][1], found["order-1 chain"][1], number),
        float(right[answered].mean()) if answered.any() else None,
        published,
    )


def main(*, json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False) -> None:
    """Foretell what happens next in each log of the folder that the environment names."""
    if not sources.logs():
        Console(stderr=True).print(f"real logs: {sources.SKIPPED}")
    told = [one for log in sources.logs() for one in outcomes(sources.logged(log, _DETECTORS))]
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(_table(told))


def _table(told: Sequence[Outcome]) -> Table:
    names = list(dict.fromkeys(name for one in told for name in one.recalls))
    table = Table("log", "task", "changes", *names, "lead over the chain", "right where a pattern applied", "published")
    for one in told:
        table.add_row(
            one.log,
            one.task,
            f"{one.asked:,}",
            *(_spelled(one.recalls.get(name)) for name in names),
            "–" if one.lead is None else f"{one.lead[0]:+.3f} ({one.lead[1]:+.3f} to {one.lead[2]:+.3f})",
            _spelled(one.precision),
            _spelled(one.published),
        )
    return table


def _spelled(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


if __name__ == "__main__":
    typer.run(main)

"""Which conditions make a trigger right often enough: chosen by how they would have done on the days that followed."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.automation import Condition
from quotidian.suggest.backtest import Outcome, Target, alone
from quotidian.suggest.conditions import vocabulary
from quotidian.suggest.replay import fires, holds
from quotidian.suggest.tape import Tape
from quotidian.suggest.triggers import Candidate

#: A day on which an automation is a nuisance costs as much as so many on which it is of use.
ANNOYANCE: Final = 4.0
#: Each condition must bring as much as so many good days.
_COMPLEXITY: Final = 2.0
MOST_CONDITIONS: Final = 2
#: Of single conditions so many, the most promising, are tried together with every other one.
_BEAM: Final = 8


class Rule(msgspec.Struct, frozen=True):
    """A candidate with the conditions that were chosen; ``worth`` is how it did on days after those chosen from."""

    candidate: Candidate
    conditions: tuple[Condition, ...]
    worth: float


class _Table(msgspec.Struct, frozen=True):
    """A candidate's firings that are of use or a nuisance, each judged alone, and what holds at them.

    ``day`` is a position in the tape, ascending; ``useful`` tells one from the other; ``holding`` has shape
    (conditions, firings).
    """

    conditions: tuple[Condition, ...]
    day: Ints
    useful: Bools
    holding: Bools

    def together(self, choices: Sequence[tuple[int, ...]]) -> Bools:
        """Tell where all conditions of each choice (places) hold, shape (choices, firings)."""
        return np.stack([self.holding[list(places)].all(axis=0) for places in choices])

    def worth(self, holding: Bools, days: Bools) -> Floats:
        """Give the worth of starting at some firings, shape (rules, firings), on some days, shape (days,)."""
        bad = self._on_days(holding, ~self.useful, days)
        good = self._on_days(holding, self.useful, days) & ~bad
        return np.asarray(good.sum(axis=1) - ANNOYANCE * bad.sum(axis=1), np.float64)

    def promise(self, holding: Bools, days: Bools) -> Floats:
        """Give how much better than all firings each of some conditions tells useful days from bad ones.

        A condition that needs a second one has no worth by itself, and this nevertheless. It is the weighted relative
        accuracy of N. Lavrač, P. Flach, B. Zupan, Rule Evaluation Measures, 1999, but for a constant factor.
        """
        good, bad = (self._on_days(holding, which, days).sum(axis=1) for which in (self.useful, ~self.useful))
        every = np.ones((1, self.day.size), bool)
        all_good, all_bad = (self._on_days(every, which, days).sum() for which in (self.useful, ~self.useful))
        return np.asarray(good * all_bad - bad * all_good, np.float64)

    def _on_days(self, holding: Bools, which: Bools, days: Bools) -> Bools:
        """Tell on which days there is one of some firings: shape (rules, days)."""
        chosen = which & days[self.day]
        found = np.zeros((len(holding), days.size), bool)
        first = np.flatnonzero(np.diff(self.day[chosen], prepend=-1))
        if first.size:
            found[:, self.day[chosen][first]] = np.logical_or.reduceat(holding[:, chosen], first, axis=1)
        return found


def chosen(candidate: Candidate, tape: Tape, cuts: Sequence[int]) -> Rule | None:
    """Choose at most two conditions for a candidate, or give nothing where no choice would have been worth it.

    For each number of conditions the best are found on the days up to a cut, and tried on the days up to the next
    one; the number with the best result on the days that followed is taken [1]_, and its conditions are then found on
    all days up to the last cut.

    Parameters
    ----------
    candidate
        A trigger and an action.
    tape
        The days that may be looked at.
    cuts
        Positions of days, ascending, the last one behind the last day.

    References
    ----------
    .. [1] L. J. Tashman, Out-of-Sample Tests of Forecasting Accuracy: an Analysis and Review, 2000 (rolling origin).
    """
    table = _table(candidate, tape)
    if table is None:
        return None
    worth = np.zeros(MOST_CONDITIONS + 1)
    for first, last in pairwise(cuts):
        best = _best(table, _span(tape, 0, first))
        worth += table.worth(table.together(best), _span(tape, first, last))
    number = int((worth - _COMPLEXITY * np.arange(worth.size)).argmax())
    if worth[number] <= 0:
        return None
    places = _best(table, _span(tape, 0, cuts[-1]))[number]
    return Rule(candidate, tuple(table.conditions[place] for place in places), float(worth[number]))


def _table(candidate: Candidate, tape: Tape) -> _Table | None:
    """Judge each firing alone, and look which conditions hold at it."""
    moments = alone(fires(candidate.trigger, tape), Target(candidate.action, tape), tape, candidate.window)
    useful = moments.instant[moments.outcome == Outcome.USEFUL]
    if not useful.size:
        return None
    apart = (*candidate.action.entities, getattr(candidate.trigger, "entity_id", ""))
    conditions = vocabulary(tape, moments.instant, useful, apart)
    told = moments.of(Outcome.USEFUL, Outcome.NUISANCE)
    holding = np.stack([holds(one, tape, told.instant) for one in conditions])
    return _Table(tuple(conditions), told.day, told.outcome == Outcome.USEFUL, holding)


def _best(table: _Table, days: Bools) -> list[tuple[int, ...]]:
    """Find the best choice of no, one and two conditions (places in the vocabulary) on some days."""
    single = table.worth(table.holding, days)
    first = np.argsort(-table.promise(table.holding, days), kind="stable")[:_BEAM]
    pairs = [(one, other) for one in sorted(first.tolist()) for other in range(single.size) if other != one]
    double = table.worth(table.together(pairs), days)
    return [(), (int(single.argmax()),), pairs[int(double.argmax())]]


def _span(tape: Tape, first: int, last: int) -> Bools:
    place = np.arange(tape.size)
    return np.asarray((first <= place) & (place < last))

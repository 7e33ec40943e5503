"""Automations judged on the weeks after those that they were proposed from."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import numpy as np

from benchmarks.accuracy.lived import Lived
from quotidian.detect.statistics import any_within
from quotidian.detect.things import ACTUATORS
from quotidian.model.arrays import Ints
from quotidian.model.automation import Automation, is_guarded
from quotidian.model.day import SECOND
from quotidian.model.home import domain_of
from quotidian.simulate.truth import HabitTruth
from quotidian.suggest.backtest import TOGETHER, Moments, Outcome, backtest
from quotidian.suggest.tape import Tape

#: A time of the clock or the sun can be automated when two thirds of its times lie within so many minutes of it.
_NARROW: Final = 5
#: What follows something less often than that cannot be right nine times of ten.
_OFTEN: Final = 0.85


class Counted(msgspec.Struct, frozen=True):
    """Moments at which automations would have started, and the acts that they would have saved.

    ``planted`` are acts of planted habits that could be automated, ``saved`` those of them that would have been.
    """

    automations: int
    useful: int
    nuisance: int
    planted: int
    saved: int


def counted(automations: Iterable[tuple[Automation, int]], lived: Lived, tape: Tape, since: int) -> Counted:
    """Count what automations, each with its window (seconds), would have done from a position of the days on."""
    after = np.arange(tape.size) >= since
    moments = [backtest(automation, tape, window).among(after) for automation, window in automations]
    acts = np.sort(np.concatenate([np.empty(0, np.int64), *(one.of(Outcome.USEFUL).act for one in moments)]))
    planted = _automatable(lived, int(tape.start[since]))
    return Counted(
        automations=len(moments),
        useful=_count(moments, Outcome.USEFUL),
        nuisance=_count(moments, Outcome.NUISANCE),
        planted=planted.size,
        saved=int(any_within(acts, planted - TOGETHER, planted + TOGETHER).sum()),
    )


def _count(moments: Iterable[Moments], outcome: Outcome) -> int:
    return sum(int((one.outcome == outcome).sum()) for one in moments)


def _automatable(lived: Lived, since: int) -> Ints:
    """Give the instants (seconds) of the acts that an automation could have done for people, as they meant them."""
    instants = {at // SECOND for habit in lived.truth.habits for at in _acts(habit, lived) if at // SECOND >= since}
    return np.array(sorted(instants), np.int64)


def _acts(habit: HabitTruth, lived: Lived) -> Iterator[int]:
    """Give a habit's acts that follow another act closely, or keep close to the clock or the sun.

    The later steps of a routine follow its first whenever there is one; the second of a pair, and what keeps to a time,
    come with the habit's own probability.
    """
    if habit.kind in ("duration", "room", "anomaly", "day_type"):
        return
    often = habit.parameters.get("probability", 0) >= _OFTEN
    timely = often and "moment" not in habit.parameters and habit.parameters.get("spread", _NARROW + 1) <= _NARROW
    follows = often or habit.kind in ("sequence", "session")
    for place, token in enumerate(habit.tokens):
        entity = lived.home.entity(token.partition("=")[0])
        switched = domain_of(entity.entity_id) in ACTUATORS and not is_guarded(entity)
        if switched and (follows if place else timely):
            yield from (occasion.at[place] for occasion in habit.kept)

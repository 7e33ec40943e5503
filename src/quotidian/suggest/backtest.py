"""What an automation would have done: useful, a nuisance, or nothing, moment by moment."""

from enum import IntEnum
from functools import cached_property, reduce
from typing import Final, Self

import msgspec
import numpy as np
from scipy.special import betaincinv

from quotidian.model.arrays import Bools, Ints
from quotidian.model.automation import Automation, SetAction
from quotidian.suggest.replay import starts
from quotidian.suggest.tape import Tape

#: Seconds: what people do so close together is one act, as the lamps of a scene.
TOGETHER: Final = 10
#: Seconds within which a person takes back what an automation did.
UNDO: Final = 600
#: Seconds after which an automation that starts has acted.
_PROMPT: Final = 10
_NEVER: Final = np.iinfo(np.int64).max
_NO_INSTANTS: Final[Ints] = np.empty(0, np.int64)
_WEEK: Final = 7


class Outcome(IntEnum):
    """What came of a moment at which an automation would have started."""

    NO_EFFECT = 0  #: all was so already, or another automation did it, or it had just acted
    USEFUL = 1  #: a person did it soon after
    KEPT = 2  #: it ran, and nobody took it back
    NUISANCE = 3  #: nobody did it, or somebody took it back


class Moments(msgspec.Struct, frozen=True):
    """The moments at which an automation would have started, in columns by time.

    ``instant`` is seconds since 1970-01-01 UTC, ``day`` a position in the tape, ``outcome`` an ``Outcome``, ``act``
    when a person did the same (the end of time where nobody did).
    """

    instant: Ints
    day: Ints
    outcome: Ints
    act: Ints

    def among(self, days: Bools) -> Self:
        """Give those on some days, shape (days of the tape,)."""
        return self.where(days[self.day])

    def of(self, *outcomes: Outcome) -> Self:
        """Give those of which one of some outcomes came."""
        return self.where(np.isin(self.outcome, outcomes))

    def where(self, chosen: Bools) -> Self:
        """Give some of them, shape (moments,)."""
        columns = (self.instant, self.day, self.outcome, self.act)
        return type(self)(*(column[chosen] for column in columns))


class Score(msgspec.Struct, frozen=True):
    """Moments counted. A day is good when the automation was of use on it and no nuisance, bad when it was one."""

    days: int
    useful: int
    nuisance: int
    kept: int
    no_effect: int
    good_days: int
    bad_days: int

    @property
    def precision(self) -> float:
        """The share of moments with an effect that were welcome."""
        welcome = self.useful + self.kept
        return welcome / max(welcome + self.nuisance, 1)

    @property
    def saved_a_week(self) -> float:
        """How many acts a week it takes off people's hands."""
        return _WEEK * self.useful / max(self.days, 1)

    def at_least(self, level: float) -> float:
        """Give the lower bound of the share of good days, at a one-sided level.

        C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits, 1934.

        >>> score = Score(days=20, useful=7, nuisance=0, kept=0, no_effect=0, good_days=7, bad_days=0)
        >>> round(score.at_least(0.9), 2)
        0.72
        """
        if not self.good_days:
            return 0.0
        return float(betaincinv(self.good_days, self.bad_days + 1, 1 - level))


class Target:
    """What an action is about: when people, and when automations, brought it about, and when it was so already.

    Parameters
    ----------
    action
        The action. A group of entities is brought about when half of them are, within ten seconds.
    tape
        The home's days.
    """

    def __init__(self, action: SetAction, tape: Tape) -> None:
        self.action: Final = action
        self._tracks: Final = [tape.track(name) for name in action.entities]

    @cached_property
    def acts(self) -> Ints:
        """The instants at which people brought it about, ascending."""
        return self._moments(by_people=True)

    @cached_property
    def automated(self) -> Ints:
        """The instants at which something else brought it about, ascending."""
        return self._moments(by_people=False)

    @cached_property
    def undone(self) -> Ints:
        """The instants at which people ended it, ascending."""
        rows = [track.leaving(self.action.state) for track in self._tracks]
        parts = [t.instant[row[t.by_people[row]]] for t, row in zip(self._tracks, rows, strict=True)]
        return np.sort(np.concatenate([_NO_INSTANTS, *parts]))

    @cached_property
    def patience(self) -> int:
        """For how long (seconds) an act may be waited for: half of the time for which it usually was otherwise.

        What is only on for some minutes is switched off within a quarter of an hour, whatever comes before.
        """
        rows = [(track, track.entering(self.action.state)) for track in self._tracks]
        rows = [(track, row[track.by_people[row] & (row > 0)]) for track, row in rows]
        lengths = np.concatenate([_NO_INSTANTS, *(track.instant[row] - track.instant[row - 1] for track, row in rows)])
        return int(np.median(lengths)) // 2 if lengths.size else 0

    def already(self, instants: Ints) -> Bools:
        """Tell at which instants it was so already."""
        so = [track.within((self.action.state,), instants) for track in self._tracks]
        return reduce(np.logical_and, so, np.ones(instants.size, bool))

    def known(self, instants: Ints) -> Bools:
        """Tell at which instants it was known of every entity whether it was so."""
        known = [track.known(instants) for track in self._tracks]
        return reduce(np.logical_and, known, np.ones(instants.size, bool))

    def _moments(self, *, by_people: bool) -> Ints:
        rows = [track.entering(self.action.state) for track in self._tracks]
        rows = [row[track.by_people[row] == by_people] for track, row in zip(self._tracks, rows, strict=True)]
        parts = [track.instant[row] for track, row in zip(self._tracks, rows, strict=True)]
        instants = np.concatenate([_NO_INSTANTS, *parts])
        member = np.repeat(np.arange(len(rows)), [row.size for row in rows])
        order = np.argsort(instants, kind="stable")
        instants, member = instants[order], member[order]
        moment = np.cumsum(np.diff(instants, prepend=-(1 << 60)) > TOGETHER) - 1
        together = np.unique(np.stack([moment, member]), axis=1)[0]
        enough = 2 * np.bincount(together) >= len(rows)
        first = instants[np.searchsorted(moment, np.arange(enough.size))]
        return first[enough]


def backtest(automation: Automation, tape: Tape, window: int, *, quiet: bool = True) -> Moments:
    """Give what would have come of an automation's first action that switches something.

    Parameters
    ----------
    automation
        The automation; it must switch something.
    tape
        The days to replay it on.
    window
        Seconds within which a person must have done the same for it to have been of use.
    quiet
        Whether it does nothing more on a day on which it was a nuisance.
    """
    return judged(starts(automation, tape), Target(automation.sets[0], tape), tape, window, quiet=quiet)


def judged(instants: Ints, target: Target, tape: Tape, window: int, *, quiet: bool = True) -> Moments:
    """Judge the instants (ascending) at which something would have brought a target about."""
    moments = alone(instants, target, tape, window)
    outcome = np.where(_credited(moments) | _repeated(moments, window), Outcome.NO_EFFECT, moments.outcome)
    moments = msgspec.structs.replace(moments, outcome=outcome)
    return _quieted(moments) if quiet else moments


def alone(instants: Ints, target: Target, tape: Tape, window: int) -> Moments:
    """Judge each instant as if there were no other; those at which the target was not known are left out."""
    instants = instants[target.known(instants)]
    act, automated = _next(target.acts, instants), _next(target.automated, instants)
    ran = automated - instants <= _PROMPT
    taken_back = _next(target.undone, instants) - instants <= UNDO
    wanted, done = act - instants <= window, automated - instants <= window
    outcome = np.select(
        [target.already(instants), ran & taken_back, ran, wanted, done],
        [Outcome.NO_EFFECT, Outcome.NUISANCE, Outcome.KEPT, Outcome.USEFUL, Outcome.NO_EFFECT],
        Outcome.NUISANCE,
    )
    return Moments(instants, tape.day(instants), outcome, np.where(outcome == Outcome.USEFUL, act, _NEVER))


def scored(moments: Moments, days: Bools) -> Score:
    """Count what came of an automation on some days, shape (days of the tape,)."""
    chosen = moments.among(days)
    counts = np.bincount(chosen.outcome, minlength=len(Outcome))
    bad = np.unique(chosen.day[chosen.outcome == Outcome.NUISANCE])
    welcome = np.unique(chosen.day[np.isin(chosen.outcome, (Outcome.USEFUL, Outcome.KEPT))])
    return Score(
        days=int(days.sum()),
        useful=int(counts[Outcome.USEFUL]),
        nuisance=int(counts[Outcome.NUISANCE]),
        kept=int(counts[Outcome.KEPT]),
        no_effect=int(counts[Outcome.NO_EFFECT]),
        good_days=int(np.setdiff1d(welcome, bad).size),
        bad_days=int(bad.size),
    )


def _next(events: Ints, instants: Ints) -> Ints:
    """Give the next of some events (ascending) after each instant, or at it; the end of time where there is none."""
    return np.append(events, _NEVER)[np.searchsorted(events, instants, "left")]


def _credited(moments: Moments) -> Bools:
    """Tell which moments would have saved an act that an earlier one had saved already."""
    again, useful = np.zeros(moments.instant.size, bool), np.flatnonzero(moments.outcome == Outcome.USEFUL)
    again[useful] = np.diff(moments.act[useful], prepend=-1) == 0
    return again


def _repeated(moments: Moments, window: int) -> Bools:
    """Tell which nuisances start again within the window of the last one: they are the same moment."""
    again, last = np.zeros(moments.instant.size, bool), -_NEVER // 2
    for place in np.flatnonzero(moments.outcome == Outcome.NUISANCE).tolist():
        again[place] = moments.instant[place] - last <= window
        last = last if again[place] else int(moments.instant[place])
    return again


def _quieted(moments: Moments) -> Moments:
    """Leave out what would have come after the first nuisance of a day."""
    bad = moments.outcome == Outcome.NUISANCE
    before = np.append(0, np.cumsum(bad))
    first = np.searchsorted(moments.day, moments.day)  # the day's first moment
    return moments.where(before[:-1] == before[first])

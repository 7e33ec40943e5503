"""From a home's days to at most ten automations, each tried on days that it was not learned from."""

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from quotidian.detect import History
from quotidian.model.automation import Automation
from quotidian.suggest.backtest import Moments, Score, backtest, scored
from quotidian.suggest.named import named
from quotidian.suggest.reminders import Reminder, reminders
from quotidian.suggest.search import ANNOYANCE, Rule, chosen
from quotidian.suggest.tape import Tape
from quotidian.suggest.triggers import candidates

#: Where the days are cut: triggers are looked for up to the second, conditions chosen up to the last.
_CUTS: Final = (1 / 3, 1 / 2, 2 / 3)
_LEVEL: Final = 0.01
MOST: Final = 10
MOST_REMINDERS: Final = 3
#: With fewer days nothing is proposed.
LEAST_DAYS: Final = 14
#: How sure it must be (level) that an automation is right on so many of the days on which it starts.
_TRIAL: Final = (0.8, 0.5)
_OFFER: Final = (0.9, 0.7)


class Tier(StrEnum):
    """How far an automation may go."""

    TRIAL = "trial"  #: it may fire silently and be scored
    OFFER = "offer"  #: it may be installed


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An automation, and what it would have done on days that it was not learned from.

    ``days`` are the ordinals of the days that it was tried on, ``dates`` those of its moments' days, and ``window`` the
    seconds within which a person must have done the same.
    """

    automation: Automation
    window: int
    q_value: float
    days: tuple[int, ...]
    dates: tuple[int, ...]
    moments: Moments
    score: Score
    tier: Tier

    @property
    def worth(self) -> float:
        """Good days less what bad days cost, a week."""
        return 7 * (self.score.good_days - ANNOYANCE * self.score.bad_days) / max(len(self.days), 1)


def propose(tape: Tape) -> list[Proposal]:
    """Give the automations that are worth proposing, the most useful first.

    Triggers are looked for in the first half of the days, conditions chosen on the first two thirds, and what was
    chosen is tried once on the last third. Of what does the same, the one is tried that was worth most until then.
    """
    if tape.size < LEAST_DAYS:
        return []
    cuts = [round(share * tape.size) for share in _CUTS]
    learned, known = tape.part(0, cuts[1]), tape.part(0, cuts[-1])
    rules: dict[tuple[str, ...], Rule] = {}
    for candidate in candidates(learned, History(learned.rows, tape.home), _LEVEL):
        rule = chosen(candidate, known, cuts)
        best = rules.get(candidate.action.tokens)
        if rule is not None and (best is None or rule.worth > best.worth):
            rules[candidate.action.tokens] = rule
    found = [_tried(rule, tape, cuts[-1]) for rule in rules.values()]
    return sorted((one for one in found if one is not None), key=lambda one: (-one.worth, one.automation.id))[:MOST]


def remind(tape: Tape) -> list[Reminder]:
    """Give at most three reminders, with limits from the first two thirds of the days, tried on the last third."""
    return reminders(tape, round(_CUTS[-1] * tape.size))[:MOST_REMINDERS] if tape.size >= LEAST_DAYS else []


def _tried(rule: Rule, tape: Tape, since: int) -> Proposal | None:
    """Try a rule on the days from a position on."""
    candidate = rule.candidate
    automation = named((candidate.trigger,), rule.conditions, (candidate.action,), tape.home)
    tried = np.arange(tape.size) >= since
    moments = backtest(automation, tape, candidate.window).among(tried)
    score = scored(moments, tried)
    tier = _tier(score)
    if tier is None:
        return None
    return Proposal(
        automation=automation,
        window=candidate.window,
        q_value=candidate.q_value,
        days=tuple(tape.ordinals[tried].tolist()),
        dates=tuple(tape.ordinals[moments.day].tolist()),
        moments=moments,
        score=score,
        tier=tier,
    )


def _tier(score: Score) -> Tier | None:
    for tier, (level, share) in ((Tier.OFFER, _OFFER), (Tier.TRIAL, _TRIAL)):
        if score.at_least(level) >= share:
            return tier
    return None

"""What might start an automation: what people's acts follow more closely, by days, than chance would have it."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from quotidian.detect import History, TimeOfDay
from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.kernel import jittered
from quotidian.detect.statistics import at_least, q_values
from quotidian.detect.things import ACTUATORS, RESTING
from quotidian.model.arrays import Ints
from quotidian.model.automation import SetAction, StateTrigger, SunTrigger, TimeTrigger, Trigger, is_guarded
from quotidian.model.home import domain_of
from quotidian.model.service import calls
from quotidian.suggest.backtest import Target
from quotidian.suggest.replay import fires
from quotidian.suggest.tape import Tape

#: Windows (seconds) in which an act may follow a trigger, and by each how long to wait for the act: a habit that is
#: told from chance most clearly by its usual lag has longer lags, too.
PATIENCE: Final = {60: 300, 300: 900, 900: 900}
WINDOWS: Final = tuple(PATIENCE)
#: Seconds for which something may have to last, where it is the lasting that tells: nobody moves, somebody is away.
LASTING: Final = (120, 300, 600, 1_800)
#: Days on which a trigger, and what follows it, must have occurred.
LEAST_DAYS: Final = 5
#: Of the days on which people act, a trigger must foretell so many: else they do it for some other reason.
LEAST_SHARE: Final = 0.5
#: What occurs more often than that on an ordinary day starts nothing.
MOST_A_DAY: Final = 40
#: Where among a habit's times an automation may act: most came before the last of these, and need nothing more.
_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75)
_GRID: Final = 300  #: seconds to which times are rounded
_MOST_OF_ONE: Final = 6  #: triggers that are looked at for one action


class Candidate(msgspec.Struct, frozen=True):
    """A trigger that an act follows, and the rate of false discoveries that admits it.

    An automation is of use where a person would have acted within ``window`` seconds.
    """

    trigger: Trigger
    action: SetAction
    window: int
    q_value: float


def candidates(tape: Tape, history: History, level: float) -> list[Candidate]:
    """Give the triggers that pass kernel J, those of each action together, the most certain first.

    Parameters
    ----------
    tape, history
        The same days, none of those on which an automation will be judged.
    level
        The rate of false discoveries, over all pairs of a trigger and an action.
    """
    wanted = [Target(action, tape) for action in targets(history)]
    found = [*_after(tape, history, wanted, level), *_at_times(history, wanted, level)]
    found.sort(key=lambda one: (one.action.tokens, one.q_value, msgspec.json.encode(one.trigger)))
    return found


def targets(history: History) -> list[SetAction]:
    """Give what people do that an automation could do for them, what moves together as one."""
    actions = []
    for token in history.tokens:
        entities = tuple(entity_of(member) for member in history.members[token])
        guarded = any(is_guarded(history.home.entity(name)) for name in entities)
        days = np.unique(history.timeline.day[history.occurrences[token]]).size
        action = SetAction(entities=entities, state=state_of(token))
        if domain_of(token) in ACTUATORS and not guarded and days >= LEAST_DAYS and calls(action):
            actions.append(action)
    return actions


def _after(tape: Tape, history: History, wanted: Sequence[Target], level: float) -> Iterator[Candidate]:
    """Give what follows a change of some entity, by kernel J with the window that tells most."""
    known = [(trigger, instants) for trigger in _changes(tape) if _often((instants := fires(trigger, tape)), tape)]
    if not known or not wanted:
        return
    instants = np.concatenate([part for _, part in known])
    group = np.repeat(np.arange(len(known)), [part.size for _, part in known])
    cell = group * tape.size + tape.day(instants)
    p, window = np.ones((len(wanted), len(known))), np.zeros((len(wanted), len(known)), np.int64)
    for place, target in enumerate(wanted):
        acted = np.unique(tape.day(target.acts)).size
        observed = np.logical_and.reduce([history.present(name) for name in target.action.entities]) & history.lived
        for seconds in WINDOWS:
            parts = jittered(instants, cell, target.acts, seconds, np.tile(observed, len(known)))
            kept, days, expected = (part.reshape(len(known), tape.size).sum(axis=1) for part in parts)
            enough = (kept >= LEAST_DAYS) & (kept >= LEAST_SHARE * acted)
            tail = np.where(enough, at_least(kept, days, expected) * len(WINDOWS), 1.0)
            better = tail < p[place]
            p[place, better], window[place, better] = tail[better], seconds
    others = np.array([[_apart(trigger, target.action) for trigger, _ in known] for target in wanted])
    p[~others] = 1.0
    q = q_values(p[others], int(others.sum()))
    table = np.ones(p.shape)
    table[others] = q
    for place, target in enumerate(wanted):
        best = [at for at in np.argsort(table[place], kind="stable").tolist() if table[place, at] <= level]
        for at in best[:_MOST_OF_ONE]:
            patience = min(PATIENCE[int(window[place, at])], target.patience)
            if patience >= WINDOWS[0]:
                yield Candidate(known[at][0], target.action, patience, float(table[place, at]))


def _changes(tape: Tape) -> Iterator[StateTrigger]:
    """Give every change that may start something, and where coming to rest tells by lasting, that too."""
    for entity_id in tape.entities:
        for state in tape.track(entity_id).states:
            yield StateTrigger(entity_id=entity_id, state=state)
            if state in RESTING or state == "not_home":
                yield from (StateTrigger(entity_id=entity_id, state=state, seconds=seconds) for seconds in LASTING)


def _often(instants: Ints, tape: Tape) -> bool:
    return np.unique(tape.day(instants)).size >= LEAST_DAYS and instants.size <= MOST_A_DAY * tape.size


def _apart(trigger: StateTrigger, action: SetAction) -> bool:
    """Tell whether a trigger is about something else than the action."""
    return trigger.entity_id not in action.entities


def _at_times(history: History, wanted: Sequence[Target], level: float) -> Iterator[Candidate]:
    """Give the times of the clock or of the sun at which people act, each a little earlier and later."""
    by_token = {target.action.tokens[0]: target for target in wanted}
    for finding in TimeOfDay(false_discovery=level, surely=0.0, least_share=0.3, kinds=False).detect(history):
        target, reference = by_token.get(finding.subject[0]), finding.measures["reference"]
        if target is None:
            continue
        patience = min(WINDOWS[-1], target.patience)
        if patience < WINDOWS[0]:
            continue
        times = np.array(finding.measures["times"], np.float64) * 60
        sun = reference in ("sunrise", "sunset")
        seconds = np.unique(np.quantile(times, _QUANTILES, method="lower") // _GRID * _GRID).astype(np.int64)
        for second in seconds.tolist():
            trigger = SunTrigger(event=reference, offset=second) if sun else TimeTrigger(second=second % 86_400)
            yield Candidate(trigger, target.action, patience, finding.evidence.q_value or 0.0)

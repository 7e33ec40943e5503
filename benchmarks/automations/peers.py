"""What simple programs would propose: fixed times of the day, and rules of what followed what most often."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from quotidian.detect import History
from quotidian.detect.statistics import any_within
from quotidian.model.automation import Automation, SetAction, StateTrigger, TimeTrigger, Trigger
from quotidian.suggest.backtest import Target
from quotidian.suggest.propose import MOST
from quotidian.suggest.tape import Tape
from quotidian.suggest.triggers import targets

#: Seconds in which a rule counts what followed.
WINDOW: Final = 900
_LEAST_TIMES: Final = 5

Peer = Callable[[Tape, float], list[Automation]]


def mined(tape: Tape, confidence: float) -> list[Automation]:
    """Give the rules "when this changes, that follows within a quarter of an hour" of at least some confidence.

    Confidence is counted over all moments of the change; of each action the most confident rule is taken.
    """
    found = []
    for action in targets(History(tape.rows, tape.home)):
        acts, best = Target(action, tape).acts, (0.0, 0, None)
        for entity_id in sorted(set(tape.entities) - set(action.entities)):
            track = tape.track(entity_id)
            for state in track.states:
                instants = track.instant[track.entering(state)]
                followed = any_within(acts, instants, instants + WINDOW)
                if instants.size >= _LEAST_TIMES:
                    trigger = StateTrigger(entity_id=entity_id, state=state)
                    best = max(best, (float(followed.mean()), instants.size, trigger), key=lambda one: one[:2])
        if best[0] >= confidence and best[2] is not None:
            found.append((best[0] * best[1], _automation(best[2], action)))
    return _most(found)


def timed(tape: Tape, share: float) -> list[Automation]:
    """Give each action's usual minute, where on so large a share of days it comes within a quarter of an hour of it."""
    found = []
    for action in targets(History(tape.rows, tape.home)):
        acts = Target(action, tape).acts
        wall, day = tape.wall(acts), tape.day(acts)
        near = [np.unique(day[(wall >= second) & (wall <= second + WINDOW)]).size for second in range(0, 86_400, 300)]
        best = int(np.argmax(near))
        if near[best] >= share * tape.size:
            found.append((float(near[best]), _automation(TimeTrigger(second=300 * best), action)))
    return _most(found)


PEERS: Final[dict[str, Peer]] = {"order-1 rules": mined, "fixed daily times": timed}


def _automation(trigger: Trigger, action: SetAction) -> Automation:
    return Automation(id="peer", alias="", triggers=(trigger,), actions=(action,))


def _most(found: Sequence[tuple[float, Automation]]) -> list[Automation]:
    order = sorted(range(len(found)), key=lambda place: (-found[place][0], place))
    return [found[place][1] for place in order[:MOST]]

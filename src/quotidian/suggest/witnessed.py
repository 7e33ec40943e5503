"""What scenes, scripts and groups switch is not written in an automation, but can be seen on the tape."""

from collections.abc import Iterable
from typing import Final

import msgspec

from quotidian.detect.statistics import any_within
from quotidian.model.automation import Automation, SetAction
from quotidian.model.home import domain_of
from quotidian.suggest.backtest import TOGETHER
from quotidian.suggest.replay import starts
from quotidian.suggest.tape import Tape

#: Domains of what switches others that it does not name.
_HIDING: Final = frozenset({"group", "scene", "script"})
#: What it put others into: so many times, and more often than not where they were not so already.
_LEAST: Final = 3


def witnessed(automation: Automation, about: Iterable[str], tape: Tape) -> Automation:
    """Add to an automation what its scenes, scripts and groups were seen to do, without people, to some entities."""
    if all(domain_of(name) not in _HIDING for act in automation.sets for name in act.entities):
        return automation
    named = {name for act in automation.sets for name in act.entities}
    hidden = sorted(name for name in about if name not in named)
    seen = [
        SetAction(entities=(name,), state=state)
        for name in hidden
        for state in tape.track(name).states
        if _enters(automation, name, state, tape)
    ]
    return msgspec.structs.replace(automation, actions=(*automation.actions, *seen))


def _enters(automation: Automation, entity_id: str, state: str, tape: Tape) -> bool:
    """Tell whether something entered a state right after most starts at which it was in another one."""
    track, instants = tape.track(entity_id), starts(automation, tape)
    before = instants - 1
    instants = instants[track.known(before) & ~track.within((state,), before)]
    rows = track.entering(state)
    entered = track.instant[rows[~track.by_people[rows]]]
    soon = any_within(entered, instants, instants + TOGETHER)
    return bool(soon.sum() >= _LEAST and 2 * soon.sum() > soon.size)

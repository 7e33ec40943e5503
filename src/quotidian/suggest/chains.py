"""Automations that set one another off."""

import heapq
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from quotidian.model.automation import Automation, Condition, StateCondition, StateTrigger, Trigger
from quotidian.suggest.normal import Effect, compatible, effects

_FOREVER: Final = 1 << 62


def set_off(nodes: Sequence[Automation], first: int) -> dict[int, int]:
    """Give the places of those that one sets off, also through others, with the seconds after which at the earliest.

    E. W. Dijkstra, A Note on Two Problems in Connexion with Graphs, 1959.
    """
    after: dict[int, int] = {}
    queue = [(0, first)]
    while queue:
        seconds, place = heapq.heappop(queue)
        for other, automation in enumerate(nodes):
            delay = _delay(nodes[place], automation) if other != place else None
            if delay is not None and seconds + delay < after.get(other, _FOREVER):
                after[other] = seconds + delay
                heapq.heappush(queue, (after[other], other))
    return after


def of_its_own(other: Automation, one: Automation) -> Automation:
    """Leave out of another automation what starts it because of the first, or where the cause of the first ends.

    The former makes a chain; the latter is the other half of the same rule: on with the door, off when it is closed.
    """
    does, causes = (
        effects(one),
        {(part.entity_id, part.state) for part in one.triggers if isinstance(part, StateTrigger)},
    )
    about = {entity_id for entity_id, _ in causes}

    def own(trigger: Trigger) -> bool:
        if not isinstance(trigger, StateTrigger):
            return True
        ends = trigger.entity_id in about and (trigger.entity_id, trigger.state) not in causes
        return not ends and not _enters(does, trigger)

    return msgspec.structs.replace(other, triggers=tuple(filter(own, other.triggers)))


def apart(one: Automation, setting: Automation) -> list[Condition]:
    """Give the conditions of one automation that are not about what another one sets."""
    does = effects(setting)
    return [part for part in one.conditions if not (isinstance(part, StateCondition) and part.entity_id in does)]


def _delay(one: Automation, other: Automation) -> int | None:
    """Give after how many seconds what one does starts the other, if it can."""
    does = effects(one)
    started = [part for part in other.triggers if isinstance(part, StateTrigger) and _enters(does, part)]
    if not started:
        return None
    seconds = max(min(part.seconds for part in started), 0)
    after = [StateCondition(entity_id=name, states=(effect.state,)) for name, effect in does.items()]
    now = apart(one, one) if seconds == 0 else []
    return seconds if compatible([*after, *now], other.conditions) else None


def _enters(does: Mapping[str, Effect], trigger: StateTrigger) -> bool:
    """Tell whether some effects fire a trigger."""
    entered = trigger.entity_id in does and does[trigger.entity_id].state == trigger.state
    return entered and trigger.origin != trigger.state

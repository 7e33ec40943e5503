"""Automations in normal form: what they do, what they have in common, and whether they can start together."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from quotidian.model.automation import (
    And,
    Automation,
    Condition,
    Not,
    NotifyAction,
    NumericCondition,
    NumericTrigger,
    Or,
    PresenceCondition,
    StateCondition,
    SunCondition,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.model.day import DAY_SECONDS

_WEEK: Final = frozenset(range(7))


class Effect(NamedTuple):
    """Into what an entity is put."""

    state: str
    settings: dict[str, Any]

    def contradicts(self, other: "Effect") -> bool:
        """Tell whether both cannot be so at once; another brightness is another state."""
        both = self.settings.keys() & other.settings.keys()
        return self.state != other.state or any(self.settings[key] != other.settings[key] for key in both)


def effects(automation: Automation) -> dict[str, Effect]:
    """Give into what an automation puts each entity in the end."""
    acts = ((name, act) for act in automation.sets for name in act.entities)
    return {name: Effect(act.state, dict(act.settings)) for name, act in acts}


def opposed(one: Automation, other: Automation) -> list[str]:
    """Give the entities that two automations put into different states."""
    mine, theirs = effects(one), effects(other)
    return sorted(name for name in mine.keys() & theirs.keys() if mine[name].contradicts(theirs[name]))


def shared(one: Automation, other: Automation) -> list[str]:
    """Give the entities that two automations put into the same state."""
    both = effects(one).keys() & effects(other).keys()
    return sorted(both.difference(opposed(one, other)))


def normal(automation: Automation) -> bytes:
    """Give what an automation does, the same for all that say it in other words."""
    starts = _sorted(map(_trigger, automation.triggers))
    steps = [(name, act.state, act.settings) for act in automation.sets for name in act.entities]
    told = [act.message for act in automation.actions if isinstance(act, NotifyAction)]
    # What different entities do has no order; what one does after the other has.
    does = sorted(steps, key=lambda step: step[0])
    return _encoded((starts, _condition(And(of=automation.conditions)), does, told))


def alike(some: Iterable[Trigger], others: Iterable[Trigger]) -> bool:
    """Tell whether some triggers and some others have one in common."""
    return not {_encoded(_trigger(one)) for one in some}.isdisjoint(_encoded(_trigger(one)) for one in others)


def compatible(one: Iterable[Condition], other: Iterable[Condition]) -> bool:
    """Tell whether some conditions may all hold together with some others, as far as that can be told by reading."""
    return not any(_exclude(mine, theirs) for mine in _all_of(one) for theirs in _all_of(other))


def _trigger(trigger: Trigger) -> Trigger:
    match trigger:
        case TimeTrigger():
            return TimeTrigger(second=trigger.second % DAY_SECONDS)
        case NumericTrigger(above=above, below=below):
            return msgspec.structs.replace(trigger, above=_number(above), below=_number(below))
        case _:
            return trigger


def _condition(condition: Condition, holds: bool = True) -> Condition:
    """Give a condition, or its contrary, with negations inside and the parts of each conjunction in one order."""
    match condition:
        case Not():
            return _condition(Or(of=condition.of), not holds)
        case And() | Or():
            kind = And if isinstance(condition, And) == holds else Or
            parts = [_condition(part, holds) for part in condition.of]
            flat = _sorted(own for part in parts for own in (part.of if isinstance(part, kind) else (part,)))
            return flat[0] if len(flat) == 1 else kind(of=flat)
        case _:
            return _single(condition) if holds else _contrary(_single(condition))


def _single(condition: Condition) -> Condition:
    match condition:
        case WeekdayCondition():
            return WeekdayCondition(days=tuple(sorted(set(condition.days))))
        case StateCondition():
            return msgspec.structs.replace(condition, states=tuple(sorted(set(condition.states))))
        case NumericCondition(above=above, below=below):
            return msgspec.structs.replace(condition, above=_number(above), below=_number(below))
        case _:
            return condition


def _contrary(condition: Condition) -> Condition:
    """Give what holds where a condition does not; of what may be unknown nothing holds, so that stays negated."""
    match condition:
        case WeekdayCondition():
            return WeekdayCondition(days=tuple(sorted(_WEEK - set(condition.days))))
        case SunCondition():
            return SunCondition(up=not condition.up)
        case TimeCondition() if condition.after != condition.before:
            return TimeCondition(after=condition.before, before=condition.after)
        case _:
            return Not(of=(condition,))


def _all_of(conditions: Iterable[Condition]) -> Sequence[Condition]:
    whole = _condition(And(of=tuple(conditions)))
    return whole.of if isinstance(whole, And) else (whole,)


def _exclude(one: Condition, other: Condition) -> bool:
    match one, other:
        case WeekdayCondition(), WeekdayCondition():
            return set(one.days).isdisjoint(other.days)
        case TimeCondition(), TimeCondition():
            return not (_within(one.after, other) or _within(other.after, one))
        case (SunCondition(), SunCondition()) | (PresenceCondition(), PresenceCondition()):
            return one != other
        case StateCondition(), StateCondition() if one.entity_id == other.entity_id:
            return set(one.states).isdisjoint(other.states)
        case NumericCondition(), NumericCondition() if one.entity_id == other.entity_id:
            above = [part.above for part in (one, other) if part.above is not None]
            below = [part.below for part in (one, other) if part.below is not None]
            return bool(above and below) and max(above) >= min(below)
        case (Not(of=(inner,)), whole) | (whole, Not(of=(inner,))):
            return inner == whole
        case _:
            return False


def _within(second: int, span: TimeCondition) -> bool:
    late, early = second >= span.after, second < span.before
    return late and early if span.after < span.before else late or early


def _sorted(parts: Iterable[Any]) -> tuple[Any, ...]:
    """Put parts into an order of their own, each once."""
    by_words = {_encoded(part): part for part in parts}
    return tuple(by_words[words] for words in sorted(by_words))


def _encoded(part: Any) -> bytes:
    return msgspec.json.encode(part, enc_hook=repr, order="deterministic")


def _number(bound: float | None) -> float | None:
    return None if bound is None else float(bound)

"""When an automation would have started, on a tape of the home's days."""

from functools import reduce

import numpy as np

from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.automation import (
    And,
    Automation,
    Condition,
    Not,
    NumericCondition,
    NumericTrigger,
    Or,
    PresenceCondition,
    StateCondition,
    StateTrigger,
    SunCondition,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.suggest.tape import UNKNOWN, Tape


def starts(automation: Automation, tape: Tape) -> Ints:
    """Give the instants (seconds since 1970-01-01 UTC) at which a trigger fired and all conditions held, ascending."""
    instants = np.unique(np.concatenate([fires(trigger, tape) for trigger in automation.triggers]))
    return instants[holds(And(of=automation.conditions), tape, instants)]


def fires(trigger: Trigger, tape: Tape) -> Ints:
    """Give the instants in the tape's days at which a trigger fires, ascending."""
    match trigger:
        case StateTrigger():
            instants = _enters(trigger, tape)
        case NumericTrigger():
            instants = _crosses(trigger, tape)
        case TimeTrigger():
            instants = tape.clock(trigger.second)
        case SunTrigger():
            instants = tape.sun(trigger.event, trigger.offset)
    return instants[tape.day(instants) >= 0]


def holds(condition: Condition, tape: Tape, instants: Ints) -> Bools:
    """Tell at which instants, that lie in days of the tape, a condition holds; what is not known does not hold."""
    match condition:
        case And():
            parts = (holds(part, tape, instants) for part in condition.of)
            return reduce(np.logical_and, parts, np.ones(instants.size, bool))
        case Or():
            parts = (holds(part, tape, instants) for part in condition.of)
            return reduce(np.logical_or, parts, np.zeros(instants.size, bool))
        case Not():
            return ~holds(Or(of=condition.of), tape, instants)
        case WeekdayCondition():
            return np.asarray(np.isin(tape.weekday(instants), condition.days))
        case TimeCondition():
            return _between(tape.wall(instants), condition.after, condition.before)
        case SunCondition():
            return np.asarray(tape.daylight(instants) == condition.up)
        case PresenceCondition():
            persons = tape.persons_at_home(instants)
            return persons > 0 if condition.somebody else persons == 0
        case StateCondition():
            return tape.track(condition.entity_id).within(condition.states, instants)
        case NumericCondition():
            return _inside(tape.number(condition.entity_id).at(instants), condition.above, condition.below)


def _enters(trigger: StateTrigger, tape: Tape) -> Ints:
    track = tape.track(trigger.entity_id)
    rows = track.entering(trigger.state)
    if trigger.origin is not None:
        rows = rows[track.before[rows] == track.number(trigger.origin)]
    return _lasting(track.instant[rows], _left(track.instant, track.state, rows), trigger.seconds)


def _left(instant: Ints, state: Ints, rows: Ints) -> Ints:
    """Give when the state that was entered at each row was left, the end of time where it never was."""
    fresh = np.flatnonzero(np.diff(state, prepend=UNKNOWN - 1) != 0)
    following = np.searchsorted(fresh, rows, "right")
    return np.append(instant[fresh], np.iinfo(np.int64).max)[following]


def _crosses(trigger: NumericTrigger, tape: Tape) -> Ints:
    readings = tape.number(trigger.entity_id)
    inside = _inside(readings.value, trigger.above, trigger.below)
    known = ~np.isnan(readings.value)
    rows = np.flatnonzero(inside[1:] & ~inside[:-1] & known[:-1]) + 1
    return _lasting(readings.instant[rows], _left(readings.instant, inside.astype(np.int64), rows), trigger.seconds)


def _lasting(instants: Ints, left: Ints, seconds: int) -> Ints:
    """Give the instants at which something had lasted for some seconds, from when it began and ended."""
    return instants[left - instants > seconds] + seconds


def _between(wall: Ints, after: int, before: int) -> Bools:
    late, early = wall >= after, wall < before
    return np.asarray(late & early if after < before else late | early)


def _inside(values: Floats, above: float | None, below: float | None) -> Bools:
    """Tell which values lie above and below; an unknown one does not."""
    known = ~np.isnan(values)
    high = np.greater(values, -np.inf if above is None else above, where=known, out=np.zeros(values.size, bool))
    low = np.less(values, np.inf if below is None else below, where=known, out=np.zeros(values.size, bool))
    return np.asarray(high & low)

"""Reminders of what was left open or on for longer than ever before, where acting would be rude."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.things import ACTIVE_STATES, OPENINGS
from quotidian.model import Home
from quotidian.model.arrays import Ints
from quotidian.model.automation import Automation, NotifyAction, StateTrigger, is_guarded
from quotidian.suggest.named import named
from quotidian.suggest.replay import starts
from quotidian.suggest.tape import Tape
from quotidian.suggest.words import lasting

#: So many spans on so many days show how long is usual.
LEAST_SPANS: Final = 20
LEAST_DAYS: Final = 8
#: What lasts longer (seconds) is how the thing rests.
_LONGEST: Final = 6 * 3_600
#: Nobody is told of less (seconds).
_SHORTEST: Final = 300
#: Limits are multiples of these: of the largest that is not more than a quarter of the limit (seconds).
_STEPS: Final = (60, 300, 900, 1_800)
#: A reminder that comes more often than that is noise.
_MOST_A_WEEK: Final = 1.0


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder: of ``spans`` known ones none was longer than ``longest`` seconds.

    ``days`` are the ordinals of the days that it was tried on, ``instants`` (seconds since 1970-01-01 UTC) when it
    would have come.
    """

    automation: Automation
    spans: int
    longest: int
    days: tuple[int, ...]
    instants: tuple[int, ...]


def reminders(tape: Tape, cut: int) -> list[Reminder]:
    """Give the reminders that would have come seldom enough, of what is used most first.

    Parameters
    ----------
    tape
        The home's days.
    cut
        The position of the first day that they are tried on; the limits are those of the days before.
    """
    known, tried = tape.part(0, cut), tape.part(cut, tape.size)
    found = []
    for entity_id, state in _left(known):
        lengths, days = _spans(known, entity_id, state)
        if lengths.size < LEAST_SPANS or days < LEAST_DAYS or lengths.max() > _LONGEST:
            continue
        automation = _automation(tape.home, entity_id, state, _limit(int(lengths.max())))
        instants = starts(automation, tried)
        if 7 * instants.size <= _MOST_A_WEEK * tried.size:
            found.append(
                Reminder(
                    automation=automation,
                    spans=lengths.size,
                    longest=int(lengths.max()),
                    days=tuple(tried.ordinals.tolist()),
                    instants=tuple(instants.tolist()),
                )
            )
    return sorted(found, key=lambda one: (-one.spans, one.automation.id))


def _left(tape: Tape) -> Iterator[tuple[str, str]]:
    """Give what may be left open, unlocked or on, and is not switched by itself."""
    for entity_id in tape.entities:
        entity = tape.home.entity(entity_id)
        if is_guarded(entity) or entity.device_class in OPENINGS:
            yield from ((entity_id, state) for state in tape.track(entity_id).states if state in ACTIVE_STATES)


def _spans(tape: Tape, entity_id: str, state: str) -> tuple[Ints, int]:
    """Give how long (seconds) something stayed in a state whenever it left it, and on how many days that was."""
    track = tape.track(entity_id)
    ended = track.leaving(state)
    ended = ended[ended > 0]
    began = track.instant[ended - 1]
    return track.instant[ended] - began, np.unique(tape.day(track.instant[ended])).size


def _limit(seconds: int) -> int:
    """Round a length up as people would."""
    step = max((one for one in _STEPS if 4 * one <= seconds), default=_STEPS[0])
    return max(-(-seconds // step) * step, _SHORTEST)


def _automation(home: Home, entity_id: str, state: str, limit: int) -> Automation:
    told = lasting(home, entity_id, state, limit)
    message = f"{told[:1].upper()}{told[1:]}, longer than ever before."
    trigger = StateTrigger(entity_id=entity_id, state=state, seconds=limit)
    return named((trigger,), (), (NotifyAction(message=message),), home)

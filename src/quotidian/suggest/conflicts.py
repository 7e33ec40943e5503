"""What a proposed automation would come into conflict with: what is automated already, and what people take back."""

from collections.abc import Iterator, Sequence
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.dayrow import token_of
from quotidian.detect.statistics import any_within, merged_spans, share_interval
from quotidian.model.arrays import Bools, Ints
from quotidian.model.automation import And, Automation, SetAction
from quotidian.suggest.backtest import TOGETHER, UNDO, Moments, Outcome, Target, judged
from quotidian.suggest.chains import apart, of_its_own, set_off
from quotidian.suggest.normal import alike, compatible, effects, normal, opposed, shared
from quotidian.suggest.replay import holds, starts
from quotidian.suggest.tape import Tape
from quotidian.suggest.witnessed import witnessed

#: Of so many moments (share) a conflict is told, and of more than so many, at least ``_LEAST``, it rules.
_SOME: Final = 0.2
_MOST: Final = 0.5
_LEAST: Final = 3
#: So many moments in common are no chance.
_ENOUGH: Final = 5
#: What is set back sooner (seconds) never served anybody; a timer that ends it later may be wanted.
_AT_ONCE: Final = 60
#: The level of the bounds within which people's habits are compared.
_LEVEL: Final = 0.9


class Kind(StrEnum):
    """What a conflict is about."""

    AUTOMATED = "already automated"
    DUPLICATE = "duplicate"
    LOOP = "loop"
    FIGHT = "fight"
    UNDONE = "usually undone"
    UNREAD = "not analysed"


class Verdict(IntEnum):
    """What becomes of a proposal; the gravest conflict decides."""

    FREE = 0  #: it may be proposed
    TELL = 1  #: it may be proposed with what is to be known
    REFUSE = 2  #: it is not proposed


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """An automation that the home has.

    ``automation`` is what it does, ``None`` where that was not analysed; then ``reason`` says why, and ``entities`` are
    those that it names openly.
    """

    id: str
    alias: str = ""
    enabled: bool = True
    automation: Automation | None = None
    reason: str = ""
    entities: frozenset[str] = frozenset()


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict at ``count`` of ``moments``; ``other`` is the id of the other automation, where there is one."""

    kind: Kind
    other: str | None
    count: int
    moments: int
    sentence: str
    verdict: Verdict


class _Read(msgspec.Struct, frozen=True):
    """An automation that runs and was analysed, under the name that people know."""

    id: str
    name: str
    does: Automation


class _Replay:
    """What the tape tells of an automation that switches something."""

    def __init__(self, automation: Automation, fired: Ints, window: int, tape: Tape) -> None:
        self.automation: Final = automation
        self.fired: Final = fired
        self.window: Final = window
        self.tape: Final = tape
        self.target: Final = Target(automation.sets[0], tape)

    @cached_property
    def effective(self) -> Moments:
        """The moments at which it would have had an effect."""
        return self._judged.of(Outcome.USEFUL, Outcome.KEPT, Outcome.NUISANCE)

    @cached_property
    def saved(self) -> Ints:
        """The acts that it would have saved."""
        return self._judged.of(Outcome.USEFUL).act

    @cached_property
    def automated(self) -> Ints:
        """When something else than a person brought it about, close to where it would have started."""
        done = self.target.automated
        return done[any_within(self.fired, done - self.window, done + self.window)]

    def part(self, other: Automation) -> int:
        """Count the entities that another automation puts into the same state."""
        return len(set(self.target.action.entities).intersection(shared(self.automation, other)))

    def done_by(self, other: Automation, wanted: Ints) -> Bools:
        """Tell what (instants) another automation would have done, all of it or some, before it was done."""
        if not self.part(other):
            return np.zeros(wanted.size, bool)
        return any_within(starts(other, self.tape), wanted - self.window, wanted)

    @cached_property
    def _judged(self) -> Moments:
        return judged(self.fired, self.target, self.tape, self.window, quiet=False)


def conflicts(proposed: Automation, window: int, installed: Sequence[Existing], tape: Tape) -> list[Conflict]:
    """Give what stands against an automation, the gravest first, whatever the order of those installed.

    Parameters
    ----------
    proposed
        The automation. Of its actions the first that switches something is replayed, as in ``backtest``.
    window
        Seconds within which a person must have done the same for it to have been of use.
    installed
        The automations that the home has; without ``proposed``, should it be installed already.
    tape
        The home's days.
    """
    fired = starts(proposed, tape)
    same = {place: _duplicate(proposed, fired, one, tape) for place, one in enumerate(installed)}
    found = [one for one in same.values() if one is not None]
    if proposed.sets and verdict(found) is not Verdict.REFUSE:
        running = [one for place, one in enumerate(installed) if one.enabled and same[place] is None]
        about = msgspec.structs.replace(proposed, conditions=()).entities
        read = [
            _Read(one.id, _name(one), witnessed(one.automation, about, tape))
            for one in running
            if one.automation is not None
        ]
        stopped = [one.automation for one in installed if not one.enabled and one.automation is not None]
        replay = _Replay(proposed, fired, window, tape)
        found += [
            *_automated(replay, read, stopped),
            *_loops(replay, read),
            *_fights(replay, read),
            *_ended_soon(replay),
            *_just_ended(replay),
            *_unread(replay, running, about),
        ]
    return sorted(found, key=lambda one: (-one.verdict, list(Kind).index(one.kind), one.other or "", one.sentence))


def verdict(found: Sequence[Conflict]) -> Verdict:
    """Give what becomes of a proposal with some conflicts."""
    return max((one.verdict for one in found), default=Verdict.FREE)


def _duplicate(proposed: Automation, fired: Ints, one: Existing, tape: Tape) -> Conflict | None:
    if one.automation is None:
        return None
    theirs = starts(one.automation, tape) if effects(one.automation) == effects(proposed) != {} else fired[:0]
    if normal(one.automation) == normal(proposed):
        said = "is the same automation"
    elif min(fired.size, theirs.size) >= _ENOUGH and _close(fired, theirs).all() and _close(theirs, fired).all():
        said = "starts at the same moments and does the same"
    else:
        return None
    off = "" if one.enabled else ", but it is switched off"
    return Conflict(
        kind=Kind.DUPLICATE,
        other=one.id,
        count=fired.size,
        moments=fired.size,
        sentence=f"“{_name(one)}” {said}{off}.",
        verdict=Verdict.REFUSE if one.enabled else Verdict.TELL,
    )


def _automated(replay: _Replay, read: Sequence[_Read], stopped: Sequence[Automation]) -> Iterator[Conflict]:
    """Tell who does already what people do where it would start, or what is done there without them.

    What those did that are switched off by now is done no more.
    """
    wanted = np.unique(np.concatenate([replay.saved, replay.automated]))
    unexplained = np.isin(wanted, replay.automated)
    for gone in stopped:
        unexplained &= ~replay.done_by(gone, wanted)
    covered, size = unexplained, len(replay.target.action.entities)
    told: list[tuple[str | None, Bools, str, bool]] = []
    for one in read:
        part, does = replay.part(one.does), replay.done_by(one.does, wanted)
        if _graded(does) is Verdict.FREE:
            continue
        unexplained = unexplained & ~does
        # As for people's acts, what half of a group does counts for all of it.
        whole = 2 * part >= size
        covered = covered | does if whole else covered
        what = "this" if part == size else f"{part} of these {size} things"
        sentence = f"“{one.name}” does {what} already, at {_share(does)}."
        told.append((one.id, does, sentence, whole))
    if _graded(unexplained) is not Verdict.FREE:
        sentence = f"Something else than a person does this already, at {_share(unexplained)}."
        told.append((None, unexplained, sentence, True))
    for other, does, sentence, whole in told:
        ruling = _graded(covered) if whole else Verdict.TELL
        yield _conflict(Kind.AUTOMATED, other, does, sentence, ruling)


def _loops(replay: _Replay, read: Sequence[_Read]) -> Iterator[Conflict]:
    """Tell who is set off by what it does, and sets it off again or puts things back."""
    nodes = [replay.automation, *(one.does for one in read)]
    after = set_off(nodes, 0)
    ring = {0} | {place for place in after if 0 in set_off(nodes, place)}
    restless = any(opposed(nodes[one], nodes[other]) for one in ring for other in ring)
    for place in sorted(after.keys() - {0}):
        one, back = read[place - 1], opposed(replay.automation, nodes[place])
        held = _held(replay, one.does)
        begins = f"What this does sets off “{one.name}”, which"
        if place in ring and restless:
            sentence = f"{begins} sets this off again: they would never come to rest."
            yield _conflict(Kind.LOOP, one.id, held, sentence, Verdict.REFUSE)
        elif back and after[place] < UNDO:
            when = "at once" if after[place] < _AT_ONCE else f"after {words.span(after[place])}"
            sentence = f"{begins} puts it back {when}: {_said(one.does, back, replay.tape)}."
            ruling = _graded(held) if after[place] < _AT_ONCE else Verdict.TELL
            yield _conflict(Kind.LOOP, one.id, held, sentence, max(ruling, Verdict.TELL))
        elif place in ring:
            sentence = f"{begins} sets this off again; it ends there, as all is so already."
            yield _conflict(Kind.LOOP, one.id, held, sentence, Verdict.TELL)


def _fights(replay: _Replay, read: Sequence[_Read]) -> Iterator[Conflict]:
    """Tell who puts the same into another state, shortly before or after."""
    instants = replay.effective.instant
    for one in read:
        clash, own = opposed(replay.automation, one.does), of_its_own(one.does, replay.automation)
        if not clash or not own.triggers:
            continue
        near = any_within(_unwanted(own, clash, replay), instants - UNDO, instants + UNDO)
        ruling = max(_graded(near), Verdict.TELL if _together(own, replay.automation) else Verdict.FREE)
        if ruling is not Verdict.FREE:
            when = (
                f"within {words.span(UNDO)}, at {_share(near)}"
                if near.any()
                else "whenever both start, which they have not yet"
            )
            sentence = f"“{one.name}” does otherwise: {_said(one.does, clash, replay.tape)} {when}."
            yield _conflict(Kind.FIGHT, one.id, near, sentence, ruling)


def _unwanted(other: Automation, clash: Sequence[str], replay: _Replay) -> Ints:
    """Give when another one starts, but for where people did the same soon after: then both do what people do."""
    instants, state = starts(other, replay.tape), effects(other)[clash[0]].state
    if state == effects(replay.automation)[clash[0]].state:  # only settings differ, and nobody knows of people's
        return instants
    names = tuple(name for name in clash if effects(other)[name].state == state)
    acts = Target(SetAction(entities=names, state=state), replay.tape).acts
    return instants[~any_within(acts, instants, instants + replay.window)]


def _together(one: Automation, other: Automation) -> bool:
    """Tell whether both can start at the same moment."""
    return alike(one.triggers, other.triggers) and compatible(one.conditions, other.conditions)


def _ended_soon(replay: _Replay) -> Iterator[Conflict]:
    """Tell where people end it soon, more often than at other times."""
    target = replay.target
    begins = np.union1d(target.acts, target.automated)
    ours = any_within(replay.fired, begins - replay.window, begins)
    soon = any_within(target.undone, begins, begins + UNDO)
    day = replay.tape.day(begins)
    least, _ = share_interval(*_days(soon[ours], day[ours]), _LEVEL)
    _, most = share_interval(*_days(soon[~ours], day[~ours]), _LEVEL)
    if least > most:
        within, others = words.span(UNDO), _share(soon[~ours], "time")
        sentence = f"People end this within {within} after {_share(soon[ours], 'such act')}, else after {others}."
        yield _conflict(Kind.UNDONE, None, soon[ours], sentence, Verdict.TELL)


def _just_ended(replay: _Replay) -> Iterator[Conflict]:
    """Tell where people had just ended it and did not begin it anew, more often than by chance.

    Where each moment has a chance, most of a day's have at most twice that (Markov's inequality).
    """
    instants, undone = replay.effective.instant, replay.target.undone
    begins, ends = merged_spans(undone, undone + UNDO)
    chance = int((ends - begins).sum()) / max(int((replay.tape.end - replay.tape.start).sum()), 1)
    just = any_within(undone, instants - UNDO, instants - 1) & (replay.effective.outcome != Outcome.USEFUL)
    least, _ = share_interval(*_days(just, replay.effective.day), _LEVEL)
    if least > 2 * chance and _graded(just) is not Verdict.FREE:
        sentence = f"People had ended this within {words.span(UNDO)} before, at {_share(just)}, and left it so."
        yield _conflict(Kind.UNDONE, None, just, sentence, _graded(just))


def _unread(replay: _Replay, running: Sequence[Existing], about: frozenset[str]) -> Iterator[Conflict]:
    """Tell which ones may do anything: those not analysed that name what this is about, or nothing openly."""
    for one in running:
        if one.automation is None and (not one.entities or one.entities & about):
            why = f" ({words.plain_sentence(one.reason)})" if one.reason else ""
            sentence = f"“{_name(one)}” was not analysed{why}: it may do the same, or the opposite."
            yield _conflict(Kind.UNREAD, one.id, np.zeros(replay.fired.size, bool), sentence, Verdict.TELL)


def _held(replay: _Replay, other: Automation) -> Bools:
    """Tell at which moments another one's conditions held, but for what the first itself would have changed."""
    return holds(And(of=tuple(apart(other, replay.automation))), replay.tape, replay.effective.instant)


def _graded(found: Bools) -> Verdict:
    """Tell how much a conflict at some of the moments weighs, shape (moments,)."""
    count = int(found.sum())
    if count >= _LEAST and count > _MOST * found.size:
        return Verdict.REFUSE
    return Verdict.TELL if count and count >= _SOME * found.size else Verdict.FREE


def _conflict(kind: Kind, other: str | None, found: Bools, sentence: str, ruling: Verdict) -> Conflict:
    return Conflict(
        kind=kind, other=other, count=int(found.sum()), moments=found.size, sentence=sentence, verdict=ruling
    )


def _name(one: Existing) -> str:
    return words.plain(one.alias or one.id)


def _said(automation: Automation, names: Sequence[str], tape: Tape) -> str:
    """Say what an automation does to some entities: to those that enter the same state as the first."""
    states = {name: effects(automation)[name].state for name in names}
    tokens = tuple(token_of(name, state) for name, state in states.items() if state == states[names[0]])
    return words.acts(tape.home, tokens)


def _share(found: Bools, what: str = "moment") -> str:
    return f"{int(found.sum())} of {found.size} {what}{'s' * (found.size != 1)}"


def _days(found: Bools, day: Ints) -> tuple[int, int]:
    """Count the days on which most of the moments were so, and the days; those of one day are no evidence apart."""
    days, place, counts = np.unique(day, return_inverse=True, return_counts=True)
    return int((2 * np.bincount(place[found], minlength=days.size) > counts).sum()), days.size


def _close(instants: Ints, others: Ints) -> Bools:
    """Tell at which instants one of some others is, but for a few seconds."""
    return any_within(others, instants - TOGETHER, instants + TOGETHER)

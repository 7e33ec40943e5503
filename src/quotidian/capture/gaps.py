"""Spans in which we did not listen: found, kept until they are filled, and told to the store.

Everything here is by Home Assistant's own clock (the ``last_updated`` of its states), so that neither a wrong clock of
ours nor one that jumps hides a change. A gap reaches from the last change that was heard to the newest state that
Home Assistant has when we listen again: whatever lies behind that is heard. Where our clock is later it reaches up to
that, for what was removed has no state.
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from quotidian import clock
from quotidian.capture.kept import keep, kept
from quotidian.capture.states import updated
from quotidian.errors import DiskFullError
from quotidian.homeassistant.moments import iso
from quotidian.model import Gap
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.spool import Damage, Kind, Spool

MARGIN: Final = 60 * SECOND  #: by how much a span in our clock may be wrong in Home Assistant's, once it is translated
_ALIKE: Final = SECOND  #: a difference of the clocks that changed by less is not written down again
_BEYOND: Final = DAY_SECONDS * SECOND  #: by how much a gap, at most, ends after the newest state
_FILE: Final = "gaps.json"
_log: Final = structlog.get_logger(service="capture")


class Last(NamedTuple):
    """The last change that was heard: its number in the spool, when it happened, and when it arrived by our clock (µs).

    Of one that was not heard here it is not known when it arrived.
    """

    seq: int
    fired: int
    arrived: int | None = None


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A gap that is being filled: up to ``done`` it is.

    ``reach`` is from where on the history tells of it, as soon as that is known; ``first`` is all that was before we
    ever listened. ``ahead`` reaches beyond Home Assistant's present, because its clock went back. By ``margin`` it is
    wider at either end than what is missing.
    """

    gap: Gap
    done: int
    reach: int | None = None
    first: bool = False
    ahead: bool = False
    margin: int = 0


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives the process.

    We listened from ``since`` on, when the spool's number was ``number``, until ``lost`` (null while we listen). By
    ``offset`` our clock is ahead of Home Assistant's. ``whole`` is what is open once the store was asked as well.
    """

    since: int | None = None
    number: int = 0
    lost: int | None = None
    offset: int = 0
    holes: tuple[Hole, ...] = ()
    damages: tuple[str, ...] = ()
    whole: bool = False


class Gaps:
    """The gaps of one spool, kept in its directory.

    Parameters
    ----------
    directory
        The spool's.
    spool
        Takes the notes for the store.
    history
        How far back the first one reaches (µs).
    """

    def __init__(self, directory: Path, spool: Spool, history: int) -> None:
        self._directory, self._spool, self._history = directory, spool, history
        self._kept = kept(directory / _FILE, _Kept) or _Kept()
        self._news = asyncio.Event()
        self.unfilled = 0  #: µs that were found unrecoverable since the start

    @property
    def open(self) -> tuple[Hole, ...]:
        """The gaps that are not closed yet, the newest first: people wait for what just happened."""
        return tuple(sorted(self._kept.holes, key=_newest_first))

    @property
    def new(self) -> bool:
        """Whether we never listened before."""
        return self._kept.since is None and self._kept.lost is None

    @property
    def since(self) -> int | None:
        """The newest state when we last began to listen: an instant that Home Assistant's clock has passed."""
        return self._kept.since

    @property
    def whole(self) -> bool:
        """Whether no gap can be open that is not known here: this record was not lost since the store was asked."""
        return self._kept.whole

    def adopt(self, gaps: Sequence[Gap]) -> None:
        """Take over those that the store shows as open and that are not known here any more."""
        known = {hole.gap.id for hole in self._kept.holes}
        found = [gap for gap in gaps if gap.state == "open" and gap.id not in known]
        self._news.set()
        self._keep(holes=(*self._kept.holes, *(Hole(gap=gap, done=gap.start) for gap in found)), whole=True)
        if found:
            _log.warning("gaps that were forgotten here are to be filled", gaps=len(found))

    async def next(self) -> Hole:
        """Wait for an open gap."""
        while not self._kept.holes:
            self._news.clear()
            await self._news.wait()
        return self.open[0]

    def lost(self, last: Last | None) -> None:
        """Note that we do not listen, before we do again: should we be killed meanwhile, the gap starts here.

        ``last`` is the last change that was heard and is durable, or was until the process stopped.
        """
        self.heard(last)
        state = self._kept
        start = last.fired if last is not None and last.seq > state.number else state.since
        if start is not None and (state.lost is None or start < state.lost):
            self._keep(lost=start)

    def heard(self, last: Last | None) -> None:
        """Learn from the last change that was heard by how much our clock is ahead, if it came since we listen."""
        state = self._kept
        if last is None or last.arrived is None or last.seq <= state.number:
            return
        offset = last.arrived - last.fired
        if abs(offset - state.offset) > _ALIKE:
            with suppress(DiskFullError):  # it is known all the same, and written with what is next
                self._keep(offset=offset)

    def listening(self, states: Sequence[dict[str, Any]], now: int = 0) -> Hole | None:
        """Note that we listen, given the states that Home Assistant has now; give the gap that there was, if any.

        What was removed meanwhile has no state any more: up to ``now``, by our clock, the history is read all the same.
        """
        times = [updated(state) for state in states] or [clock.now()]
        end, number = max(times), self._spool.appended
        offset = min(self._kept.offset, now - end) if now else self._kept.offset  # no state is of a time to come
        first, start = self._kept.lost is None, self._kept.lost
        if start is None:
            start = end - self._history
        until, ahead = max(end, min(now, end + _BEYOND)), end < start
        if ahead:
            start, until = self._either_side(end, start)
        if until <= start:
            self._keep(since=end, number=number, lost=None, offset=offset)
            return None
        gap = Gap(id=uuid.uuid4().hex, start=start, end=until)
        hole = Hole(gap=gap, done=start, first=first, ahead=ahead, reach=start if ahead else None)
        keep(self._present(hole), [s for s in states if first or updated(s) > start])
        self._open(hole, since=end, number=number, lost=None, offset=offset)
        return hole

    def _either_side(self, now: int, last: int) -> tuple[int, int]:
        """Give the gap when Home Assistant's clock went back: what it said meanwhile lies on both sides of the jump.

        How long we were away only our own clock can tell.
        """
        away = max(0, clock.now() - (self._spool.last_arrived or clock.now()))
        return now - away - MARGIN, last + away + MARGIN

    def missing(self, start: int, end: int, reason: str) -> None:
        """Note that what arrived in a span (µs, by our clock) is not there any more, unless that is known.

        The gap is that span by Home Assistant's clock.
        """
        first = start <= 0  # nobody knows since when: from as far back as the history reaches
        offset = self._kept.offset
        start, end = 0 if first else start - offset - MARGIN, end - offset + MARGIN
        gap = Gap(id=uuid.uuid4().hex, start=start, end=end, reason=reason)
        if not any(
            one.gap.end >= end and (one.gap.start <= start or (first and one.first)) for one in self._kept.holes
        ):
            try:
                self._open(Hole(gap=gap, done=start, first=first, margin=MARGIN))
            except DiskFullError as error:
                _log.error("a gap is not written down yet", reason=str(error))

    def damaged(self, damages: Sequence[Damage]) -> None:
        """Note what the spool found damaged, once."""
        for damage in damages:
            key = f"{damage.file.name}:{damage.first}:{damage.last}"
            if key not in self._kept.damages:
                self.missing(damage.since, damage.until, "a file of the spool was damaged")
                self._keep(damages=(*self._kept.damages, key)[-100:])

    def present(self, hole: Hole) -> list[dict[str, Any]]:
        """Give the states that Home Assistant had at a gap's end and that came about within it."""
        return kept(self._present(hole), list[dict[str, Any]]) or []

    def progress(self, further: Hole) -> Hole:
        """Note how far a gap is filled; what was spooled up to there must be durable."""
        self._keep(holes=tuple(further if one.gap.id == further.gap.id else one for one in self._kept.holes))
        return further

    async def close(self, hole: Hole, *parts: Gap) -> None:
        """Tell what became of a gap, in one part or several, and forget it."""
        for part in parts:
            self._tell(part)
            if part.state == "unrecoverable":
                self.unfilled += part.end - part.start
        await self._spool.commit()
        self._keep(holes=tuple(one for one in self._kept.holes if one.gap.id != hole.gap.id))
        self._present(hole).unlink(missing_ok=True)

    def _open(self, hole: Hole, **changes: Any) -> None:
        if not hole.first:  # how far back that one reaches is not known yet
            self._tell(hole.gap)
        self._news.set()
        self._keep(holes=(*self._kept.holes, hole), **changes)
        _log.info("a gap is to be filled", gap=hole.gap.id, start=iso(hole.gap.start), end=iso(hole.gap.end))

    def _tell(self, gap: Gap) -> None:
        self._spool.append(Kind.GAP, msgspec.json.encode(gap), clock.now())

    def _keep(self, **changes: Any) -> None:
        # Where the disk is full it is known at least while the process runs, and written with the next change.
        self._kept = msgspec.structs.replace(self._kept, **changes)
        keep(self._directory / _FILE, self._kept)

    def _present(self, hole: Hole) -> Path:
        return self._directory / f"gap-{hole.gap.id}.json"


def _newest_first(hole: Hole) -> tuple[bool, int]:
    return hole.first, -hole.gap.end

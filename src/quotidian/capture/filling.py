"""Gaps, filled from Home Assistant's history in the background: window by window, so that it hurts nobody."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Final

import msgspec
import structlog

from quotidian import clock
from quotidian.capture.forwarder import SINK
from quotidian.capture.gaps import Gaps, Hole
from quotidian.capture.link import Link
from quotidian.capture.pause import pause
from quotidian.capture.states import FilledEvent, cause_of, change_of, event_of, updated
from quotidian.errors import PermanentError, QuotidianError, RequestError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.history import HOUR, Window, oldest, windows
from quotidian.homeassistant.session import Session
from quotidian.model import Gap
from quotidian.spool import Kind, Spool

DEPTH: Final = 20_000  #: records that wait for delivery, above which filling waits
LOOK: Final = 0.5  #: seconds
_TOO_OLD: Final = "Home Assistant's history does not reach back so far"
_OFF: Final = "Home Assistant's recorder is off"
State = dict[str, Any]
_log: Final = structlog.get_logger(service="capture")


class Filler:
    """Fills one gap after the other, as long as Home Assistant is heard.

    Parameters
    ----------
    address
        Gives the address and the token that are set now.
    spool
        Takes what the history tells.
    gaps
        Says what is to be filled, and keeps how far it is.
    link
        Tells whether Home Assistant is heard.
    machines
        Gives the ids of the users that are no persons.
    """

    def __init__(
        self,
        address: Callable[[], Address],
        spool: Spool,
        gaps: Gaps,
        link: Link,
        machines: Callable[[], frozenset[str]],
    ) -> None:
        self._address, self._spool, self._gaps, self._link = address, spool, gaps, link
        self._machines = machines
        self.error: QuotidianError | None = None

    async def run(self) -> None:
        """Fill gaps, for ever."""
        failures = 0
        while True:
            hole = await self._gaps.next()
            await self._link.up.wait()
            try:
                async with Session.open(self._address()) as session:
                    await self._fill(session, hole)
                failures, self.error = 0, None
            except QuotidianError as error:
                failures, self.error = failures + 1, error
                _log.warning("a gap is not filled yet", gap=hole.gap.id, reason=str(error))
                await asyncio.sleep(pause(failures, error))

    async def _fill(self, session: Session, hole: Hole) -> None:
        present = self._gaps.present(hole)
        try:
            await _recording(session)
            hole = await self._begun(session, hole)
            start, end = hole.done + 1, hole.gap.end + 1
            length = end - start if hole.ahead else HOUR
            told = windows(session, start, end, machines=self._machines(), length=length)
            async with aclosing(told):
                async for window in told:
                    hole = await self._taken(hole, window, present)
                    await self._room()
                    if self._gaps.open[0].gap.id != hole.gap.id:
                        return  # one that people wait for came up; this one goes on after it
        except PermanentError as error:
            await self._give_up(hole, error.what, present)
            return
        await self._close(hole)

    async def _begun(self, session: Session, hole: Hole) -> Hole:
        """Begin the first gap of all where the history does, unless that was done."""
        if not hole.first or hole.reach is not None:
            return hole
        reach = await oldest(session, self._gaps.since)
        start = hole.gap.end if reach is None else max(hole.gap.start, min(reach, hole.gap.end))
        gap = msgspec.structs.replace(hole.gap, start=start)
        return self._gaps.progress(msgspec.structs.replace(hole, gap=gap, done=start, reach=start))

    async def _taken(self, hole: Hole, window: Window, present: Sequence[State]) -> Hole:
        """Spool what a window told; it is durable before the next one is asked for."""
        end, arrived = min(window.end - 1, hole.gap.end), clock.now()
        for change in window.changes:
            self._spool.append(Kind.FILLED, msgspec.json.encode(FilledEvent(change.cause, event_of(change))), arrived)
        told = {(change.entity_id, change.last_updated) for change in window.changes}
        left = self._unrecorded(hole, end, told, present)
        await self._spool.commit()
        reach = hole.reach
        if reach is None and (window.reached or window.changes):
            reach = hole.done if window.reached else window.changes[0].last_updated
        return self._gaps.progress(_further(hole, len(window.changes), left, done=end, reach=reach))

    def _unrecorded(self, hole: Hole, end: int, told: set[tuple[str, int]], present: Sequence[State]) -> int:
        """Spool the states that came about in a window and that the history does not have: they are not recorded."""
        after = 0 if hole.done == hole.gap.start else hole.done
        arrived, left = clock.now(), 0
        for state in present:
            time = updated(state)
            if after < time <= end and (state.get("entity_id"), time) not in told:
                event = FilledEvent(cause_of(state, self._machines()), change_of(state))
                self._spool.append(Kind.FILLED, msgspec.json.encode(event), arrived)
                left += 1
        return left

    async def _close(self, hole: Hole) -> None:
        gap = hole.gap
        if hole.first or hole.reach is not None:
            reach = gap.start if hole.reach is None else hole.reach
            parts = [msgspec.structs.replace(gap, start=reach, state="filled", reason="")]
            parts += _lost(hole, gap.start, reach, _TOO_OLD)
        else:
            parts = [_unrecoverable(hole, _TOO_OLD)]
        await self._gaps.close(hole, *parts)
        _log.info("a gap is closed", gap=gap.id, changes=gap.filled, unverifiable=gap.unverifiable)

    async def _give_up(self, hole: Hole, why: str, present: Sequence[State]) -> None:
        """Note that the rest of a gap stays empty; the states at its end are kept all the same."""
        left = self._unrecorded(hole, hole.gap.end, set(), present)
        hole = self._gaps.progress(_further(hole, 0, left))
        gap = hole.gap
        if hole.first and hole.reach is None:  # how much there was before, nobody knows
            parts = [msgspec.structs.replace(gap, start=gap.end, state="unrecoverable", reason=why)]
        elif hole.done == gap.start:
            parts = [_unrecoverable(hole, why)]
        else:
            filled = msgspec.structs.replace(gap, end=hole.done, state="filled")
            parts = [filled, *_lost(hole, hole.done, gap.end, why)]
        await self._gaps.close(hole, *parts)
        _log.warning("a gap cannot be filled", gap=gap.id, reason=why)

    async def _room(self) -> None:
        """Wait until what was read is delivered, so that what is heard now does not wait behind it."""
        while self._spool.depth(SINK) > DEPTH or self._spool.full:
            await asyncio.sleep(LOOK)


async def _recording(session: Session) -> None:
    """Make sure that there is a recorder, and that it records.

    Raises
    ------
    RequestError
        When it does not.
    """
    try:
        recorder = await session.command("recorder/info")
    except RequestError as error:
        raise RequestError(_OFF) from error
    if not recorder.get("recording", True):
        raise RequestError(_OFF)


def _further(hole: Hole, filled: int, unverifiable: int, **changes: int | None) -> Hole:
    gap = msgspec.structs.replace(
        hole.gap,
        filled=hole.gap.filled + filled + unverifiable,
        unverifiable=hole.gap.unverifiable + unverifiable,
    )
    return msgspec.structs.replace(hole, gap=gap, **changes)


def _unrecoverable(hole: Hole, why: str) -> Gap:
    """Say of a whole gap that it stays empty: of what is missing, without the margins."""
    gap, margin = hole.gap, hole.margin
    return msgspec.structs.replace(
        gap, start=gap.start + margin, end=gap.end - margin, state="unrecoverable", reason=why
    )


def _lost(hole: Hole, start: int, end: int, why: str) -> list[Gap]:
    """Make a part of a gap that stays empty a gap of its own; a part within the margins is no loss."""
    gap, margin = hole.gap, hole.margin
    start, end = max(start, gap.start + margin), min(end, gap.end - margin)
    if start >= end:
        return []
    return [Gap(id=f"{gap.id}-{start}", start=start, end=end, state="unrecoverable", reason=why)]

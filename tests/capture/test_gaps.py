"""Spans in which we did not listen: found, kept, told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quotidian.capture.gaps import MARGIN, Gaps, Last
from quotidian.model import Gap
from quotidian.model.day import SECOND
from quotidian.spool import Damage, Kind, Spool

from .said import START, state

_HISTORY = 3600 * SECOND


def _run(directory: Path, test: Callable[[Gaps, Spool], Awaitable[None]]) -> None:
    async def running() -> None:
        spool = Spool(directory, quota=10_000_000)
        try:
            await test(Gaps(directory, spool, _HISTORY), spool)
        finally:
            spool.close()

    asyncio.run(running())


def _states(*times: int) -> list[dict[str, Any]]:
    return [state(f"light.l{number}", "on", time) for number, time in enumerate(times)]


async def _notes(spool: Spool) -> list[Gap]:
    await spool.commit()
    return [msgspec.json.decode(r.payload, type=Gap) for r in spool.replay(0) if r.kind == Kind.GAP]


def test_first_gap_is_the_history(tmp_path: Path) -> None:
    """Who never listened before has a gap from as far back as asked, untold until the history's reach is known."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(None)
        hole = gaps.listening(_states(START - 5, START))
        assert hole is not None
        assert (hole.gap.start, hole.gap.end, hole.first) == (START - _HISTORY, START, True)
        assert len(gaps.present(hole)) == 2
        assert await _notes(spool) == []

    _run(tmp_path, test)


def test_gap_reaches_from_the_last_change_to_the_newest_state(tmp_path: Path) -> None:
    """What changed since the last change that was heard is a gap; its states are remembered."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        hole = gaps.listening(_states(START - 5, START, START + 7, START + 9))
        assert hole is not None
        assert (hole.gap.start, hole.gap.end, hole.first) == (START, START + 9, False)
        assert [one["entity_id"] for one in gaps.present(hole)] == ["light.l2", "light.l3"]

    _run(tmp_path, test)


def test_nothing_changed_is_no_gap(tmp_path: Path) -> None:
    """Where Home Assistant has no newer state than the last one that was heard, nothing was missed."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        assert gaps.listening(_states(START - 5, START)) is None
        assert gaps.open == ()

    _run(tmp_path, test)


def test_removed_entities_have_no_state(tmp_path: Path) -> None:
    """Up to our own clock a gap is read, for what was removed in it; the next one begins at the newest state."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        hole = gaps.listening(_states(START - 5, START), START + 30)
        assert hole is not None
        assert (hole.gap.start, hole.gap.end) == (START, START + 30)
        assert gaps.present(hole) == []
        gaps.lost(Last(1, START))
        hole = gaps.listening(_states(START - 5, START), START + 365 * 24 * 3600 * SECOND)
        assert hole is not None
        assert (hole.gap.start, hole.gap.end) == (START, START + 24 * 3600 * SECOND)

    _run(tmp_path, test)


def test_gap_begins_where_it_began_whatever_happens(tmp_path: Path) -> None:
    """A start that was noted is kept through a kill, and through a connection that broke before it was of use."""

    async def first(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        gaps.lost(Last(9, START + 100))

    async def second(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(9, START + 100))
        hole = gaps.listening(_states(START + 200))
        assert hole is not None
        assert hole.gap.start == START

    _run(tmp_path, first)
    _run(tmp_path, second)


def test_less_was_durable_than_was_heard(tmp_path: Path) -> None:
    """After a kill the gap begins at the last durable change, though a later one had been heard."""

    async def first(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(9, START + 100))

    async def second(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(3, START))
        hole = gaps.listening(_states(START + 200))
        assert hole is not None
        assert hole.gap.start == START

    _run(tmp_path, first)
    _run(tmp_path, second)


def test_nothing_heard_since_the_last_connection(tmp_path: Path) -> None:
    """Where nothing was heard since, the next gap begins where the last one ended, not at a change before that."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        for _ in range(5):
            spool.append(Kind.LIVE, b"{}", 1)
        gaps.lost(Last(5, START))
        gaps.listening(_states(START + 10))
        gaps.lost(Last(5, START))
        hole = gaps.listening(_states(START + 10, START + 20))
        assert hole is not None
        assert (hole.gap.start, hole.gap.end) == (START + 10, START + 20)

    _run(tmp_path, test)


def test_clock_of_home_assistant_went_back(tmp_path: Path) -> None:
    """When Home Assistant's clock went back, the gap lies on both sides of the jump, and is read in one go."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        hole = gaps.listening(_states(START - 50, START - 40))
        assert hole is not None
        assert hole.gap.start <= START - 50
        assert hole.gap.end > START
        assert hole.ahead

    _run(tmp_path, test)


def test_progress_outlives_a_kill(tmp_path: Path) -> None:
    """How far a gap is filled is known to the next process; a closed one is gone, and told in its parts."""

    async def first(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        hole = gaps.listening(_states(START + 100))
        assert hole is not None
        gaps.progress(msgspec.structs.replace(hole, done=START + 50))

    async def second(gaps: Gaps, spool: Spool) -> None:
        [hole] = gaps.open
        assert (await gaps.next()).done == START + 50
        lost = Gap(id="part", start=START, end=START + 9, state="unrecoverable", reason="why")
        await gaps.close(hole, msgspec.structs.replace(hole.gap, state="filled"), lost)
        assert gaps.open == ()
        assert gaps.unfilled == 9
        assert [gap.state for gap in await _notes(spool)][-2:] == ["filled", "unrecoverable"]
        assert not list(tmp_path.glob("gap-*"))

    _run(tmp_path, first)
    _run(tmp_path, second)


def test_damage_and_missing_numbers_are_gaps_once(tmp_path: Path) -> None:
    """What the spool or the store lost is a gap, wide enough for clocks that differ; it is noted once."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        damage = Damage(Path("one.log"), 1, 9, START, START + 50)
        gaps.damaged([damage])
        gaps.missing(START + 5, START + 6, "the store never saw it")
        [hole] = gaps.open
        assert (hole.gap.start, hole.gap.end) == (START - MARGIN, START + 50 + MARGIN)
        await gaps.close(hole, hole.gap)
        gaps.damaged([damage])
        assert gaps.open == ()

    _run(tmp_path, test)


def test_missing_by_a_clock_that_is_behind(tmp_path: Path) -> None:
    """What is missing by our clock is a gap in Home Assistant's time, though ours is hours behind."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        ours = START - 7200 * SECOND
        gaps.lost(Last(1, START))
        gaps.listening(_states(START), ours)
        gaps.missing(ours + 5 * SECOND, ours + 6 * SECOND, "the store never saw it")
        found = next(hole.gap for hole in gaps.open if hole.gap.reason)
        assert found.start < START + 5 * SECOND < START + 6 * SECOND < found.end

    _run(tmp_path, test)


@pytest.mark.parametrize("ahead", [7200, -7200])
def test_missing_by_a_clock_that_differs(tmp_path: Path, ahead: int) -> None:
    """Once a change was heard, what is missing by our clock is exactly that by Home Assistant's, also after a restart.

    That the home was quiet for hours when we began to listen says nothing of the clocks.
    """

    async def heard(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(Last(1, START))
        gaps.listening(_states(START), START + (ahead + 9000) * SECOND)
        gaps.heard(Last(2, START + 9000 * SECOND, START + (ahead + 9000) * SECOND))

    async def missed(gaps: Gaps, spool: Spool) -> None:
        gaps.missing(START + (ahead + 5) * SECOND, START + (ahead + 6) * SECOND, "the store never saw it")
        found = next(hole.gap for hole in gaps.open if hole.gap.reason)
        assert (found.start, found.end) == (START + 5 * SECOND - MARGIN, START + 6 * SECOND + MARGIN)

    _run(tmp_path, heard)
    _run(tmp_path, missed)


def test_change_from_before_says_nothing_of_clocks(tmp_path: Path) -> None:
    """A change that was heard before the clocks were seen to differ does not tell how they stand now."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        for _ in range(3):
            spool.append(Kind.LIVE, b"{}", 1)
        before = Last(3, START, START)
        gaps.lost(before)
        gaps.listening(_states(START + 7200 * SECOND), START)
        gaps.heard(before)
        gaps.missing(START, START, "the store never saw it")
        assert any(hole.gap.end == START + 7200 * SECOND + MARGIN for hole in gaps.open if hole.gap.reason)

    _run(tmp_path, test)


def test_missing_since_nobody_knows_when(tmp_path: Path) -> None:
    """Where nothing is known of what came before, a gap reaches back to where the history begins, and is one."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.missing(0, START, "the store is an older one")
        gaps.missing(0, START, "the store is an older one")
        gaps.missing(START - 9, START, "the store is an older one")
        [hole] = gaps.open
        assert (hole.gap.start, hole.gap.end, hole.first) == (0, START + MARGIN, True)
        assert await _notes(spool) == []

    _run(tmp_path, test)


def test_forgotten_gaps_are_taken_over(tmp_path: Path) -> None:
    """A gap that the store shows as open and that is not known here is filled; others are left as they are."""

    async def first(gaps: Gaps, spool: Spool) -> None:
        assert not gaps.whole
        gaps.lost(Last(1, START))
        known = gaps.listening(_states(START + 100))
        assert known is not None
        gaps.progress(msgspec.structs.replace(known, done=START + 50))
        gaps.adopt([known.gap, Gap(id="lost", start=1, end=9), Gap(id="over", start=1, end=9, state="filled")])

    async def second(gaps: Gaps, spool: Spool) -> None:
        assert gaps.whole
        assert [hole.done for hole in gaps.open] == [START + 50, 1]

    _run(tmp_path, first)
    _run(tmp_path, second)


def test_damaged_record_is_set_aside(tmp_path: Path) -> None:
    """A record of the gaps that cannot be read is set aside; then everything is read anew."""
    (tmp_path / "gaps.json").write_bytes(b"{torn")

    async def test(gaps: Gaps, spool: Spool) -> None:
        assert gaps.new
        assert (tmp_path / "gaps.json.damaged").read_bytes() == b"{torn"

    _run(tmp_path, test)


def test_newest_gap_comes_first(tmp_path: Path) -> None:
    """What just happened is filled before the history of years."""

    async def test(gaps: Gaps, spool: Spool) -> None:
        gaps.lost(None)
        gaps.listening(_states(START))
        gaps.lost(None)
        gaps.listening(_states(START + 10))
        assert [hole.first for hole in gaps.open] == [False, True]
        assert (await gaps.next()).gap.end == START + 10

    _run(tmp_path, test)

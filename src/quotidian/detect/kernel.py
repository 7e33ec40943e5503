"""Kernel J for "B soon after A", on the timeline: days are counted, and chance is what jittered hits would give."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History
from quotidian.detect.statistics import ONE, any_within, covered, merged_spans
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_SECONDS

#: How far each first act is moved both ways to see what chance does, in seconds.
JITTER: Final = 1_800

#: So many other days are asked what the clock alone would do.
OTHER_DAYS: Final = 14


def link(history: History, a: str, b: str, window: int) -> tuple[int, int, int]:
    """Count on how many days some A was followed by B within the window, and what chance would give.

    Parameters
    ----------
    a, b
        Tokens of the history.
    window
        Seconds within which B follows A, 0 and the end included.

    Returns
    -------
    tuple
        Days kept; lived days on which A occurred and B's entity was observed; and the sum of these days' chances in
        16-bit fixed point, ready for ``statistics.at_least``.
    """
    kept, days, expected = links(history, [a], b, window)
    return int(kept[0]), int(days[0]), int(expected[0])


def links(history: History, firsts: Sequence[str], b: str, window: int) -> tuple[Ints, Ints, Ints]:
    """Do what ``link`` does for several first tokens at once: three arrays of shape (firsts,)."""
    timeline, size = history.timeline, len(history.rows)
    rows = [history.occurrences[a] for a in firsts]
    group = np.repeat(np.arange(len(firsts)) * size, [part.size for part in rows])
    row = np.concatenate(rows) if rows else np.empty(0, np.int64)
    counts = np.tile(history.present(entity_of(b)) & history.lived, len(firsts))
    follows = timeline.instant[history.occurrences[b]]
    parts = jittered(timeline.instant[row], group + timeline.day[row], follows, window, counts)
    kept, days, expected = (part.reshape(len(firsts), size).sum(axis=1) for part in parts)
    return kept, days, expected


def jittered(instants: Ints, cell: Ints, follows: Ints, window: int, counts: Bools) -> tuple[Ints, Ints, Ints]:
    """Do what ``link`` does for instants of any kind, each in a cell (a day of one first), those of a cell together.

    Parameters
    ----------
    instants, cell
        The seconds at which a first occurred, and where each counts.
    follows
        The seconds at which the second occurred, ascending.
    window
        Seconds within which it follows, 0 and the end included.
    counts
        Which cells count, shape (cells,).

    Returns
    -------
    tuple
        By cell: 1 where a first was followed, 1 where one occurred, and the chance in 16-bit fixed point.
    """
    starts, ends = merged_spans(follows - window, follows + 1)
    followed = covered(starts, ends, instants + 1) - covered(starts, ends, instants) > 0
    hit = _any(cell[followed], counts.size) & counts
    cover = covered(starts, ends, instants + JITTER) - covered(starts, ends, instants - JITTER)
    chance = ONE - _missed(cell, 2 * JITTER - cover, counts.size)
    occurred = _any(cell, counts.size) & counts
    return hit.astype(np.int64), occurred.astype(np.int64), np.where(counts, chance, 0)


def against_other_days(history: History, a: str, b: str, low: int, high: int) -> tuple[int, int, int]:
    """Count the days on which B followed A after ``low`` to ``high`` seconds, and what B of other days would give.

    Two acts that each keep to the clock seem to follow one another, even when they have nothing to do with each
    other; then another day's B follows as well. The chance is the mean over the next ``OTHER_DAYS`` lived days on
    which B was observed, which are taken in a circle. The result is as that of ``link``.
    """
    timeline = history.timeline
    counts = history.present(entity_of(b)) & history.lived
    turn, size = np.cumsum(counts) - 1, int(counts.sum())  # the days that count, one after another
    one, other = (rows[counts[timeline.day[rows]]] for rows in (history.occurrences[a], history.occurrences[b]))
    day, wall = turn[timeline.day[one]], timeline.wall[one]
    follows = turn[timeline.day[other]] * 2 * DAY_SECONDS + timeline.wall[other]
    # What comes after midnight follows the evening before as well.
    evening = counts & np.append(np.diff(history.ordinals) == 1, False)
    small = other[(timeline.wall[other] < DAY_SECONDS // 2) & np.roll(evening, 1)[timeline.day[other]]]
    over = turn[timeline.day[small] - 1] * 2 * DAY_SECONDS + DAY_SECONDS + timeline.wall[small]
    follows = np.sort(np.concatenate([follows, over]))

    shifts = np.arange(max(min(OTHER_DAYS, size - 1), 0) + 1)  # the first is no shift
    origin = (day + shifts[:, None]) % max(size, 1) * 2 * DAY_SECONDS + wall
    found = any_within(follows, origin + low, origin + high)
    cell = day + shifts[:, None] * size
    kept = _any(cell[found], shifts.size * size).reshape(shifts.size, -1).sum(axis=1)
    expected = int(kept[1:].sum()) * ONE // max(shifts.size - 1, 1)
    return int(kept[0]), int(_any(day, size).sum()), expected


def _any(cell: Ints, size: int) -> Bools:
    """Tell which cells occur."""
    found = np.zeros(size, bool)
    found[cell] = True
    return found


def _missed(cell: Ints, left: Ints, size: int) -> Ints:
    """Multiply each cell's shares ``left / 2H`` in 16 bits, floored at each step; rows of a cell are adjacent."""
    product = np.full(size, ONE, np.int64)
    first = np.flatnonzero(np.diff(cell, prepend=-1) != 0)
    count = np.diff(np.append(first, cell.size))
    for step in range(int(count.max(initial=0))):
        more = first[count > step] + step
        product[cell[more]] = product[cell[more]] * left[more] // (2 * JITTER)
    return product

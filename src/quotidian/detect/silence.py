"""Times in which nothing at all was heard of a home that otherwise never falls silent: nobody listened.

When Home Assistant or Quotidian is down, no event says so. But most homes speak all day by themselves: some sensor
reports every few minutes, whether anybody is there or not. There, a silence of hours is an outage.
"""

from typing import Final

import numpy as np

from quotidian.model import Carry, Day
from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND

_SHORT: Final = 3600  #: seconds: shorter silences are no outage, and who is usually silent for longer may just sleep
_LONGER: Final = 10  #: how many times the usual longest silence of a day an outage lasts
_DAYS: Final = 14  #: so many days say what is usual
_LEAST_DAYS: Final = 7


def silences(day: Day, heard: Ints, carry: Carry) -> tuple[list[tuple[int, int]], Carry]:
    """Give the spans of a day (elapsed seconds) in which nobody listened; and what is handed on to the next day.

    An outage is a silence of an hour and of ten times what is usual: the median of the longest silences of the 14 days
    before, of at least seven of them. Where it is usual that nothing is heard for an hour, no silence is an outage. As
    a median, what is usual does not move with an outage of some days, and follows when a home falls silent for good.

    Parameters
    ----------
    day
        The day.
    heard
        When something was heard on the day (µs), in any order.
    carry
        What the day before handed on: when something was last ``heard`` (µs), and the longest ``silences`` (seconds) of
        the days before. Those too short or too long to make a difference are handed on as one length each, so that a
        late event rarely changes what later days are judged by.
    """
    none = np.empty(0, np.int64)
    before, usual = (carry.columns.get(name, none) for name in ("heard", "silences"))
    edges = np.concatenate([before if before.size else [day.start], np.sort(heard), [day.end]]) - day.start
    lengths = np.diff(edges) // SECOND
    out = np.zeros(lengths.size, bool)
    if usual.size >= _LEAST_DAYS and np.median(usual) <= _SHORT:
        out = lengths > max(_SHORT, _LONGER * float(np.median(usual)))
    starts, ends = (np.maximum(side[out] // SECOND, 0).tolist() for side in (edges[:-1], edges[1:]))
    spans = [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
    longest = np.append(usual, np.clip(lengths.max(), _SHORT // _LONGER, _SHORT + 1))
    return spans, Carry((), {"heard": np.sort(np.append(before, heard))[-1:], "silences": longest[-_DAYS:]})


def united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Unite spans that overlap or touch."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found

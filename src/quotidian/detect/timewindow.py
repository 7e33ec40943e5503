"""The window around a time of day that is told, and which days fall into it without having drawn it."""

from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES

#: The share of the times that a window holds.
HELD: Final = 0.9
_LEAST_SPANS: Final = 5
_BRIEF: Final = 180  #: minutes up to which it rather has a length than an end of its own
_NEAR: Final = 60  #: minutes from the usual beginning; what began at another time is another story
_SPAN_MINUTES: Final = 1_080  #: what was longer ago did not begin what ends now


class Window(msgspec.Struct, frozen=True, eq=False):
    """A time in minutes, ``width`` minutes either side, the times that drew it, and which of them count.

    ``kept`` are those times that fall into the window which all other times draw.
    """

    minute: int
    width: int
    times: Floats
    kept: Bools


def window_of(times: Floats) -> Window:
    """Draw the window around the middle that holds nine of ten times.

    A window that is drawn where the times are holds more of them than it will of days to come. So each time is
    counted only if it falls into the window that the others draw [1]_.

    Parameters
    ----------
    times
        Minutes on any line, at least one.

    References
    ----------
    .. [1] M. Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, 1974.

    Examples
    --------
    >>> window = window_of(np.array([400.0, 404, 405, 405, 406, 410]))
    >>> window.minute, window.width, int(window.kept.sum())
    (405, 5, 4)
    """
    centre, width = _drawn(times[None])
    if times.size == 1:
        return Window(round(float(centre[0])), 1, times, np.ones(1, bool))
    place = np.arange(times.size)
    others = np.sort(times)[place[:-1] + (place[:-1] >= place[:, None])]
    rank = np.argsort(np.argsort(times, kind="stable"), kind="stable")
    centres, widths = _drawn(others)
    kept = np.abs(times - np.round(centres[rank])) <= widths[rank]
    return Window(round(float(centre[0])), int(width[0]), times, kept)


def _drawn(times: Floats) -> tuple[Floats, Floats]:
    """Give the middle of each row of times, and the whole minutes either side that hold nine of ten.

    The middle is the mean without the outer tenths: nearly as exact as the mean, and not moved by a stray time.
    """
    cut = times.shape[1] // 10
    centre = np.sort(times, axis=1)[:, cut : times.shape[1] - cut].mean(axis=1)
    apart = np.abs(times - np.round(centre)[:, None])
    return centre, np.maximum(np.ceil(np.quantile(apart, HELD, axis=1, method="higher")), 1.0)


def only_ends(history: History, token: str, places: Ints, times: Floats) -> bool:
    """Tell whether a coming to rest only follows from when its thing was used, and for how long.

    Then its times move with the beginnings of what they end; a habit of its own keeps its time whenever the thing was
    put on. The slope of the times over the beginnings decides: one half lies between the two. Where that leaves it
    open, within an error, what lasted for up to three hours has a length rather than an end of its own; what lasted
    longer has an end of its own, unless two errors speak against it.

    Parameters
    ----------
    token
        The coming to rest.
    places, times
        Days (positions in the history) and minutes of the day at which it came, which may lie beyond midnight.
    """
    lengths = _lengths(history, token, places, times)
    whole = np.isfinite(lengths)
    first = times - lengths
    whole &= np.abs(first - np.median(first[whole])) <= _NEAR if whole.any() else whole
    first, then = first[whole], times[whole]
    if first.size < _LEAST_SPANS:
        return False
    first, then = first - first.mean(), then - then.mean()
    square = float((first**2).sum())
    if square == 0:
        return True
    slope = float((first * then).sum()) / square
    error = np.sqrt(float(((then - slope * first) ** 2).sum()) / (first.size - 2) / square)
    brief = float(np.median(lengths[whole])) <= _BRIEF
    return bool(slope + error > 0.5 if brief else slope - 2 * error > 0.5)


def _lengths(history: History, token: str, places: Ints, times: Floats) -> Floats:
    """Give for how many minutes the thing had been in the state that ended; ``nan`` where nobody knows."""
    timeline, entity = history.timeline, entity_of(token)
    of_day = history.ordinals * DAY_MINUTES
    ends = history.occurrences[token]
    end = ends[np.argsort(of_day[timeline.day[ends]] + timeline.wall[ends] // 60, kind="stable")]
    line = of_day[timeline.day[end]] + timeline.wall[end] // 60
    place = np.minimum(np.searchsorted(line, of_day[places] + np.round(times).astype(np.int64)), line.size - 1)
    instant = timeline.instant[end[place]]
    others = [
        rows
        for other, rows in history.occurrences.items()
        if other != token and any(entity_of(member) == entity for member in history.members[other])
    ]
    starts = np.sort(timeline.instant[np.concatenate(others)]) if others else np.empty(0, np.int64)
    before = np.searchsorted(starts, instant) - 1
    minutes = (instant - starts[np.maximum(before, 0)]) / 60 if starts.size else np.full(instant.size, np.nan)
    return np.where((before >= 0) & (minutes <= _SPAN_MINUTES), minutes, np.nan)

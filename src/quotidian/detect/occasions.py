"""How often one thing follows another at all its moments: what a reader takes a pair to say."""

from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History
from quotidian.detect.statistics import usual_reach
from quotidian.model.arrays import Bools, Ints

#: What follows later than that is no pair, in seconds.
LONGEST: Final = 900
#: Windows in which something is said to follow, in seconds: such as people would name.
NAMED_WINDOWS: Final = (5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 720, LONGEST)
#: The share of lags on either side that the interval of the typical lag leaves out.
_OUTSIDE: Final = 0.1


class Occasions(msgspec.Struct, frozen=True):
    """All occurrences of a first token on days that count, in order.

    ``day`` is their day, ``lag`` the seconds until the second token came, -1 where it did not come in ``LONGEST``.
    """

    day: Ints
    instant: Ints
    lag: Ints

    def followed(self, window: int) -> Bools:
        """Tell which were followed within a window (seconds)."""
        return np.asarray((self.lag >= 0) & (self.lag <= window))

    def days(self, window: int) -> tuple[int, int]:
        """Count the days on which some were followed within a window, and all days."""
        return int(np.unique(self.day[self.followed(window)]).size), int(np.unique(self.day).size)

    def window(self) -> int:
        """Give the shortest window with a name that covers nearly all lags, were their logarithms normal.

        It follows from the middle of the lags alone and not from what makes the pair look best, so that the share
        that it gives is no better than that of days to come.
        """
        lags = self.lag[self.lag >= 0]
        if not lags.size:
            return LONGEST
        reach = usual_reach(lags)
        return next((window for window in NAMED_WINDOWS if window >= reach), LONGEST)

    def lags(self, window: int) -> tuple[int, int, int]:
        """Give the lag that a tenth of those within a window do not reach, the median, and the one of nine tenths."""
        lags = self.lag[self.followed(window)]
        if not lags.size:
            return 0, 0, 0
        low, middle, high = np.quantile(lags, (_OUTSIDE, 0.5, 1 - _OUTSIDE), method="nearest").tolist()
        return int(low), int(middle), int(high)


def occasions(history: History, first: str, second: str) -> Occasions:
    """Put side by side what followed each occurrence of a first token, on lived days that saw the second's entity."""
    timeline = history.timeline
    counts = history.present(entity_of(second)) & history.lived
    rows = history.occurrences[first]
    rows = rows[counts[timeline.day[rows]]]
    before, after = timeline.instant[rows], timeline.instant[history.occurrences[second]]
    place = np.searchsorted(after, before)
    lag = np.append(after, np.iinfo(np.int64).max)[place] - before
    return Occasions(timeline.day[rows], before, np.where(lag <= LONGEST, lag, -1))

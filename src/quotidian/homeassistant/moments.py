"""Times as Home Assistant's database and its API write them."""

import datetime as dt
import math

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(seconds: float) -> int:
    """Give µs for seconds since 1970, rounded as Home Assistant rounds its own, so that a copy has the same time.

    Examples
    --------
    >>> micros(1795361812.5041509)
    1795361812504151
    """
    fraction, whole = math.modf(seconds)
    return round(fraction * 1e6) + int(whole) * 1_000_000


def iso(instant: int) -> str:
    """Write an instant (µs) as ISO 8601.

    Examples
    --------
    >>> iso(1795361812504151)
    '2026-11-22T15:36:52.504151+00:00'
    """
    return (_EPOCH + dt.timedelta(microseconds=instant)).isoformat(timespec="microseconds")

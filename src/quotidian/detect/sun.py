"""The sun over a home, on one day."""

import datetime as dt
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import elevation, sunrise, sunset

from quotidian.model import Day, Home
from quotidian.model.day import SECOND, instant, moment

_HORIZON: Final = -0.833  #: degrees at which the sun rises and sets: refraction and its own radius


def sun_of(day: Day, home: Home) -> tuple[int, int]:
    """Give sunrise and sunset in elapsed seconds, -1 where there is none or nobody knows where the home is."""
    observer = _observer(home)
    if observer is None:
        return -1, -1

    def second(event: Callable[..., dt.datetime]) -> int:
        try:
            return (instant(event(observer, day.date, tzinfo=ZoneInfo(day.zone))) - day.start) // SECOND
        except ValueError:  # the sun does not cross the horizon that day
            return -1

    return second(sunrise), second(sunset)


def is_up(home: Home, time: int) -> bool | None:
    """Tell whether the sun is above the horizon at an instant (µs); ``None`` where nobody knows the place."""
    observer = _observer(home)
    return None if observer is None else bool(elevation(observer, moment(time), with_refraction=False) > _HORIZON)


def _observer(home: Home) -> Observer | None:
    if home.latitude is None or home.longitude is None:
        return None
    return Observer(home.latitude, home.longitude)

"""What a query asks for: instants, dates and cursors as people and programs write them."""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from zoneinfo import ZoneInfo

from quotidian import clock
from quotidian.errors import NotFoundError, RequestError
from quotidian.model import CauseKind, Day
from quotidian.model.day import SECOND, instant, moment
from quotidian.model.rollup import DETECTORS

_AGO: Final = re.compile(r"(\d{1,9})\s*([smhdw])(?:\s+ago)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
#: A plus sign that nobody escaped reaches us as a blank.
_PLUS: Final = re.compile(r"(T.*\d) (\d\d:\d\d)$")
_LAST: Final = 1 << 62


def moment_of(name: str, text: str | None, zone: str) -> int | None:
    """Read an instant (µs): ISO 8601 (without an offset: the home's time), µs since 1970, ``now`` or ``5m ago``.

    Raises
    ------
    RequestError
        When it is none of these.
    """
    if text is None:
        return None
    told = text.strip()
    if told.lower() == "now":
        return clock.now()
    if found := _AGO.fullmatch(told.lower()):
        return clock.now() - int(found[1]) * _SECONDS[found[2]] * SECOND
    if re.fullmatch(r"-?\d{9,18}", told):
        return int(told)
    try:
        when = dt.datetime.fromisoformat(_PLUS.sub(r"\1+\2", told))
        return instant(when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone)))
    except (ValueError, OverflowError) as error:
        raise RequestError(
            f"{name} is {text[:40]!r}, which is no time.",
            "Write it as 2026-11-21T07:30:00+01:00, as µs since 1970, or as 5m ago (s, m, h, d, w).",
        ) from error


def days_of(start: str | None, end: str | None, zone: str) -> tuple[dt.date, dt.date]:
    """Read the first and the last day of a query: the home's days in which two instants lie; open where none is given.

    Raises
    ------
    RequestError
        When one of them is no time, or the end lies before the start.
    """
    first, last = (
        None if instant is None else moment(instant, zone).date()
        for instant in (moment_of("start", start, zone), moment_of("end", end, zone))
    )
    if first is not None and last is not None and last < first:
        raise RequestError("end lies before start.", "Exchange them.")
    return first or dt.date.min, last or dt.date.max


def detector_of(text: str) -> str:
    """Read the name of a detector.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    """
    if text not in DETECTORS:
        raise NotFoundError(f"There is no detector {text[:40]!r}.", f"There are {', '.join(DETECTORS)}.")
    return text


def date_of(name: str, text: str | None) -> dt.date | None:
    """Read a date.

    Raises
    ------
    RequestError
        When it is none.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise RequestError(f"{name} is {text[:40]!r}, which is no date.", "Write it as 2026-11-21.") from error


def day_of(text: str, zone: str) -> Day:
    """Read a date as a local day.

    Raises
    ------
    RequestError
        When it is none.
    """
    date = date_of("The day", text)
    assert date is not None
    try:
        return Day.of(date, zone)
    except OverflowError as error:
        raise RequestError(f"{text} lies outside the calendar.", "Write it as 2026-11-21.") from error


def cause_of(text: str | None) -> CauseKind | None:
    """Read a cause.

    Raises
    ------
    RequestError
        When there is no such cause.
    """
    if text is None:
        return None
    try:
        return CauseKind(text)
    except ValueError as error:
        raise RequestError(f"cause is {text[:40]!r}.", f"It is one of {', '.join(CauseKind)}.") from error


def cursor_for(updated: int, entity_id: str) -> str:
    """Write the cursor behind an event.

    >>> place_of(cursor_for(7, "light.ü"))
    (7, 'light.ü')
    """
    return _cursor(f"{updated}:{entity_id}")


def place_of(cursor: str | None) -> tuple[int, str] | None:
    """Read a cursor.

    Raises
    ------
    RequestError
        When it is none of ours.
    """
    if cursor is None:
        return None
    with _ours():
        updated, _, entity_id = _told(cursor).partition(":")
        return min(max(int(updated), -_LAST), _LAST), entity_id


def rollup_cursor_for(place: tuple[dt.date, str, str]) -> str:
    """Write the cursor behind a roll-up.

    >>> rollup_place_of(rollup_cursor_for((dt.date(2026, 11, 21), "light.a:b", "room")))
    (datetime.date(2026, 11, 21), 'light.a:b', 'room')
    """
    date, entity_id, detector = place
    return _cursor(f"{date}:{detector}:{entity_id}")


def rollup_place_of(cursor: str | None) -> tuple[dt.date, str, str] | None:
    """Read a cursor: date, entity id and detector.

    Raises
    ------
    RequestError
        When it is none of ours.
    """
    if cursor is None:
        return None
    with _ours():
        date, detector, entity_id = _told(cursor).split(":", 2)
        return dt.date.fromisoformat(date), entity_id, detector


def _cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _told(cursor: str) -> str:
    return base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode()


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except (ValueError, binascii.Error) as error:
        raise RequestError("The cursor is none of this store.", "Give back the one of the page before.") from error


def arrival_of(after: str) -> int | None:
    """Read an arrival cursor; empty is "from now on".

    Raises
    ------
    RequestError
        When it is none.
    """
    if not after:
        return None
    if not re.fullmatch(r"\d{1,18}", after):
        raise RequestError(f"after is {after[:40]!r}.", "Give back the cursor of the answer before, or nothing.")
    return int(after)

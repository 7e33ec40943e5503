"""What Home Assistant writes, in our units: times in µs, contexts as records, entity ids that name something."""

import datetime as dt
from typing import Any, Final

from quotidian.enrich.unusable import Reason, Unusable
from quotidian.model import Context
from quotidian.model.day import DAY_SECONDS, SECOND, instant

LONGEST: Final = 255  #: characters of a state or an entity id: Home Assistant's own limit
_HORIZON: Final = DAY_SECONDS * SECOND
#: Whole numbers from here on are µs (since 1973), smaller ones seconds.
_MICROSECONDS: Final = 100_000_000_000_000


def instant_of(told: object) -> int | None:
    """Read a time as µs since 1970-01-01 UTC; ``None`` when it is none.

    Text is ISO 8601, read exactly; without an offset it is UTC. Numbers are seconds, or µs where they are whole and
    so large that they would otherwise lie beyond the calendar.

    >>> instant_of("2026-03-02T07:00:00.000001+01:00"), instant_of("1970-01-01T00:00:01Z"), instant_of("soon")
    (1772431200000001, 1000000, None)
    """
    if isinstance(told, str):
        try:
            moment = dt.datetime.fromisoformat(told)
        except ValueError:
            return None
        return instant(moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC))
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    if isinstance(told, int) and abs(told) >= _MICROSECONDS:
        return told
    return round(told * SECOND) if abs(told) < _MICROSECONDS else None


def checked_instant(told: object, arrived: int | None) -> int:
    """Read the time of something that was heard at an instant; ``None`` where only the teller's clock counts.

    Raises
    ------
    Unusable
        When it is no time, or more than a day behind the instant.
    """
    found = instant_of(told)
    if found is None:
        raise Unusable(Reason.NOT_A_TIME)
    if found < 0:
        raise Unusable(Reason.BEFORE_1970)
    if arrived is not None and found > arrived + _HORIZON:
        raise Unusable(Reason.IN_THE_FUTURE)
    return found


def checked_entity_id(told: object) -> str:
    """Read an entity id: a domain, a dot and a name, whatever characters these have.

    Raises
    ------
    Unusable
        When it is none.
    """
    if told is None or told == "":
        raise Unusable(Reason.NO_ENTITY_ID)
    if not isinstance(told, str) or len(told) > LONGEST:
        raise Unusable(Reason.MALFORMED_ENTITY_ID)
    domain, _, name = told.partition(".")
    if not (domain and name):
        raise Unusable(Reason.MALFORMED_ENTITY_ID)
    return told


def checked_state(told: object) -> str:
    """Read a state.

    Raises
    ------
    Unusable
        When it is not a text of a length that Home Assistant allows.
    """
    if not isinstance(told, str):
        raise Unusable(Reason.STATE_NOT_TEXT)
    if len(told) > LONGEST:
        raise Unusable(Reason.STATE_TOO_LONG)
    return told


def context_of(told: Any) -> Context | None:
    """Read a context; ``None`` where there is none that could be followed."""
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        return None
    return Context(told["id"], text_of(told.get("parent_id")), text_of(told.get("user_id")))


def text_of(told: object) -> str | None:
    """Give a text that says something, ``None`` for all else."""
    return told if isinstance(told, str) and told else None

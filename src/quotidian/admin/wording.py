"""Times and numbers as the page says them."""

from typing import Final

from quotidian.model import CauseKind, Event
from quotidian.model.day import SECOND

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))

#: Who did it, for people.
BY: Final = {
    CauseKind.UNKNOWN: "not known",
    CauseKind.PHYSICAL: "the thing itself",
    CauseKind.PERSON: "a person",
    CauseKind.BRIDGE: "a voice or phone bridge",
    CauseKind.REMOTE: "a button or remote",
    CauseKind.SCRIPT: "a script",
    CauseKind.AUTOMATION: "an automation",
    CauseKind.INTEGRATION: "an integration",
    CauseKind.RESTORED: "came back",
    CauseKind.MANUAL: "a test by hand",
}


def span(seconds: float) -> str:
    """Give a time span in its largest unit.

    >>> span(0.004), span(12.3), span(150), span(7200), span(200_000)
    ('4 ms', '12 s', '2 min', '2 h', '2 d')
    """
    if seconds < 1:
        return f"{1000 * max(seconds, 0):.0f} ms"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(then: int | None, now: int) -> str:
    """Say how long ago an instant (µs) was.

    >>> ago(None, 0), ago(5, 6), ago(0, 90 * 1_000_000)
    ('never', 'now', '1 min ago')
    """
    if then is None:
        return "never"
    seconds = (now - then) / SECOND
    return "now" if seconds < 2 else f"{span(seconds)} ago"


def count(number: int, one: str) -> str:
    """Count things.

    >>> count(1, "event"), count(12_345, "event")
    ('1 event', '12,345 events')
    """
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def by(event: Event) -> str:
    """Say who caused an event."""
    return BY[event.cause.kind]

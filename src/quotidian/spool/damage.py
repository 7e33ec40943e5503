"""Damage to the log: what is lost, and its remains set aside."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from quotidian import clock
from quotidian.spool.place import replace
from quotidian.spool.segment import Found, Loss, Segment, survey


class Damage(msgspec.Struct, frozen=True):
    """Records that can no longer be read: their numbers, and the span of time (µs) in which they arrived.

    ``file`` is where their remains are. ``since`` is when the last good record before them arrived, 0 if there is
    none; ``until`` when the first one after them did, or when the damage was found.
    """

    file: Path
    first: int
    last: int
    since: int
    until: int


def set_aside(segments: Sequence[Segment], damaged: Segment, losses: Iterable[Loss]) -> list[Damage]:
    """Copy the remains of lost records into ``quarantine``, and tell what is lost.

    Parameters
    ----------
    segments
        The whole log: neighbours tell the time when the damaged segment itself does not.
    """
    told = []
    for loss in losses:
        since = _before(segments, damaged) if loss.since is None else loss.since
        until = _after(segments, damaged) if loss.until is None else loss.until
        # A clock that was set back between them makes the earlier one the later one.
        told.append(Damage(_remains(damaged, loss), loss.first, loss.last, min(since, until), max(since, until)))
    return told


def _remains(damaged: Segment, loss: Loss) -> Path:
    content = b"".join(damaged.load(span.start, span.end - span.start) for span in loss.spans)
    path = damaged.path.parent / "quarantine" / f"{loss.first}-{loss.last}"
    # A disk that is full or dying must not stop the good records; the remains then stay where they are.
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        if content and not path.exists():
            replace(path, content, durable=True)
        if content:
            return path
    return damaged.path


def _before(segments: Sequence[Segment], damaged: Segment) -> int:
    earlier = (segment for segment in reversed(segments) if segment.first < damaged.first)
    return next((found[-1] for found in map(_arrivals, earlier) if found), 0)


def _after(segments: Sequence[Segment], damaged: Segment) -> int:
    later = (segment for segment in segments if segment.first > damaged.first)
    return next((found[0] for found in map(_arrivals, later) if found), clock.now())


def _arrivals(segment: Segment) -> list[int]:
    return [found.record.arrived for found in survey(segment) if isinstance(found, Found)]

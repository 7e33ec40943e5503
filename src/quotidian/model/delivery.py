"""What the services hand to each other: deliveries of messages with contiguous sequence numbers.

Capture numbers everything that it hears (a *stream*: one spool's numbers, from 1 on). A delivery covers the numbers
from ``first`` to ``last`` without a hole, so whoever receives it can prove that nothing is missing between two of them.
Numbers of which a delivery has no message carried nothing to keep: events that only tell causes.
"""

from typing import Final, Literal

import msgspec

from quotidian.model.event import Cause, Event, Source
from quotidian.model.home import Snapshot

GapState = Literal["open", "filled", "unrecoverable"]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A span (µs) in which we did not listen, and what became of it.

    ``filled`` counts the changes that Home Assistant's history gave back, ``unverifiable`` the entities that changed
    within the span and that Home Assistant does not record. A later note with the same id replaces an earlier one.
    """

    id: str
    start: int
    end: int
    state: GapState = "open"
    reason: str = ""
    filled: int = 0
    unverifiable: int = 0


#: Characters of a message that cannot be used: what is longer is cut.
LONGEST_TEXT: Final = 64_000


class Heard(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """One event as Home Assistant told it (``event``: its JSON), with its cause as far as contexts tell it.

    ``text`` holds what was not JSON at all; then ``event`` is null. ``arrived`` is when we heard it (µs).
    """

    seq: int
    arrived: int
    source: Source
    cause: Cause = Cause()
    event: msgspec.Raw = msgspec.Raw(b"null")
    text: str | None = None


class RegistryNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="registries"):
    """What the registries say from now on."""

    seq: int
    arrived: int
    snapshot: Snapshot


class GapNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="gap"):
    """What is known of a gap by now."""

    seq: int
    arrived: int
    gap: Gap


Message = Heard | RegistryNote | GapNote


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """From capture to enrich: what was heard, in the order of its numbers.

    ``follows`` is the number up to which its sender was told that everything is durable; 0 does not say.
    """

    stream: str
    first: int
    last: int
    follows: int = 0
    messages: list[Message]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An event, its number in the stream, and when it arrived (µs)."""

    seq: int
    arrived: int
    event: Event


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that cannot be used: why, and what it was (shortened where it is long)."""

    seq: int
    arrived: int
    reason: str
    text: str


class Enriched(msgspec.Struct, frozen=True, kw_only=True):
    """From enrich to store: the same numbers, each message an event, a dead letter or a note."""

    stream: str
    first: int
    last: int
    follows: int = 0
    events: list[Arrival] = []
    letters: list[DeadLetter] = []
    snapshots: list[Snapshot] = []
    gaps: list[Gap] = []


class Refusal(msgspec.Struct, frozen=True):
    """Why one message of a delivery became a dead letter."""

    seq: int
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the store made durable: everything of the stream up to ``last``.

    ``new`` events had not been known, of ``known`` ones the store had a copy, ``left_out`` are not to be kept by the
    settings. ``missing`` is the span (µs) in which numbers arrived that the store never saw, if there are any: it is
    to be filled from Home Assistant's history. It begins at 0 where nothing is known of what came before.
    """

    stream: str
    last: int
    new: int = 0
    known: int = 0
    left_out: int = 0
    dead: int = 0
    refusals: list[Refusal] = []
    missing: tuple[int, int] | None = None

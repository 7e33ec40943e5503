"""How many records go into one delivery, and how a delivery that is refused is divided."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from quotidian.capture.cause import text_of
from quotidian.model import Delivery, Heard, Message, Source
from quotidian.model.delivery import LONGEST_TEXT
from quotidian.spool import Record

SMALLEST: Final = 16  #: records
LARGEST: Final = 4096
_START: Final = 256
_BYTES: Final = 1000  #: of a record, about: bounds a batch of large ones
QUICK: Final = 0.25  #: seconds for a delivery after which more may be sent at once
SLOW: Final = 2.0  #: … and after which less should be


class BatchSize:
    """The size of a batch: it doubles while full ones go quickly, and is halved when one is slow or too large."""

    def __init__(self) -> None:
        self.limit = _START

    @property
    def size(self) -> int:
        """The bytes that a batch may have."""
        return self.limit * _BYTES

    def went(self, records: int, seconds: float) -> None:
        """Learn from a batch that was taken."""
        if seconds > SLOW:
            self.halve()
        elif seconds < QUICK and records >= self.limit // 2:
            self.limit = min(2 * self.limit, LARGEST)

    def halve(self) -> None:
        """Send half as much at once."""
        self.limit = max(self.limit // 2, SMALLEST)


def runs(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Part records where numbers are missing: a delivery has no hole."""
    start = 0
    for n in range(1, len(records)):
        if records[n].seq != records[n - 1].seq + 1:
            yield records[start:n]
            start = n
    if records:
        yield records[start:]


def halves(delivery: Delivery) -> tuple[Delivery, Delivery]:
    """Divide a delivery of two messages or more; both parts together cover its numbers, one following the other."""
    middle = len(delivery.messages) // 2
    border = delivery.messages[middle].seq
    return (
        msgspec.structs.replace(delivery, last=border - 1, messages=delivery.messages[:middle]),
        msgspec.structs.replace(delivery, first=border, follows=border - 1, messages=delivery.messages[middle:]),
    )


def is_text(delivery: Delivery) -> bool:
    """Tell whether a delivery has nothing but text that enrich takes as it is."""
    return all(isinstance(m, Heard) and m.text is not None and len(m.text) <= LONGEST_TEXT for m in delivery.messages)


def as_text(delivery: Delivery) -> Delivery:
    """Make the only message of a delivery text, so that it ends among the dead letters and not in the way."""
    message = delivery.messages[0]
    source = message.source if isinstance(message, Heard) else Source.LIVE
    text = Heard(seq=message.seq, arrived=message.arrived, source=source, text=_text(message)[:LONGEST_TEXT])
    return msgspec.structs.replace(delivery, messages=[text])


def _text(message: Message) -> str:
    if not isinstance(message, Heard):
        return text_of(msgspec.json.encode(message))
    return text_of(bytes(message.event)) if message.text is None else message.text

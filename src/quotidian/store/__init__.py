"""The four layers of what is known of a home: events, daily summaries, weekly and monthly ones, patterns."""

from quotidian.model.certificate import Certificate, Hole, Range, Verification
from quotidian.store.connect import connect
from quotidian.store.protocols import (
    Appended,
    Arrivals,
    By,
    Checkpoint,
    DayRecord,
    DeadLetters,
    Forgotten,
    LayerSize,
    Look,
    Nights,
    Retained,
    Store,
    StoredLetter,
)

__all__ = [
    "Appended",
    "Arrivals",
    "By",
    "Certificate",
    "Checkpoint",
    "DayRecord",
    "DeadLetters",
    "Forgotten",
    "Hole",
    "LayerSize",
    "Look",
    "Nights",
    "Range",
    "Retained",
    "Store",
    "StoredLetter",
    "Verification",
    "connect",
]

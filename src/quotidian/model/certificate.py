"""Loss certificates: what each day's events came from, and what is known to be missing."""

import datetime as dt

import msgspec

from quotidian.model.delivery import Gap


class Range(msgspec.Struct, frozen=True):
    """Numbers of a stream that arrived on one day, without a hole, and what they carried.

    ``received``, ``filled`` and ``manual`` were new events: heard live, read from Home Assistant's history, posted by
    hand. ``duplicate`` were copies of known events, ``left_out`` are not to be kept by the settings, ``dead``
    could not be used, ``notes`` told of registries and gaps, ``telling`` only told causes.
    """

    stream: str
    first: int
    last: int
    received: int = 0
    filled: int = 0
    manual: int = 0
    duplicate: int = 0
    left_out: int = 0
    dead: int = 0
    notes: int = 0
    telling: int = 0

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return self.last - self.first + 1

    @property
    def balanced(self) -> bool:
        """Whether every number is accounted for."""
        events = self.received + self.filled + self.manual + self.duplicate + self.left_out
        return self.numbers == events + self.dead + self.notes + self.telling


class Hole(msgspec.Struct, frozen=True):
    """Numbers of a stream that were never received; they arrived at capture within a span (µs)."""

    stream: str
    first: int
    last: int
    since: int
    until: int

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return self.last - self.first + 1


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What one local day's events came from.

    ``received``, ``filled``, ``manual`` and ``imported`` are new events of that day, whenever they came; ``duplicate``
    and ``left_out`` are those that came by a stream. ``removed`` were taken out again (forgotten, or in a file that
    was damaged), ``moved`` came from other days (negative: went to them) when the time zone changed. ``dead`` letters
    and ``ranges`` are those that arrived on the day. ``missing`` numbers are those of ``holes``; ``unrecoverable`` are
    the parts (µs) of the day in which nothing is known.

    ``number`` is the place in the chain, ``hash`` hexadecimal; both are empty while the day is not over
    (``provisional``). A day whose account changed later has a certificate of a higher ``revision``.
    """

    date: dt.date
    zone: str
    revision: int
    received: int = 0
    filled: int = 0
    manual: int = 0
    imported: int = 0
    removed: int = 0
    moved: int = 0
    duplicate: int = 0
    left_out: int = 0
    dead: int = 0
    missing: int = 0
    unverifiable: int = 0
    unrecoverable: list[tuple[int, int]] = []
    gaps: list[Gap] = []
    holes: list[Hole] = []
    ranges: list[Range] = []
    number: int = 0
    hash: str = ""
    provisional: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing of the day is known to be missing."""
        return not self.missing and not self.unrecoverable

    @property
    def events(self) -> int:
        """How many events the day has by this account: as many as the ledger counts, until retention drops them."""
        return self.received + self.filled + self.manual + self.imported + self.moved - self.removed


class Verification(msgspec.Struct, frozen=True):
    """Whether the chain of certificates is whole: how many are good from the first on, and the last hash of these.

    Where it breaks, ``fault`` says how, at which ``number`` and of which ``date``, as far as that can be told.
    """

    certificates: int
    head: str
    fault: str | None = None
    number: int | None = None
    date: dt.date | None = None

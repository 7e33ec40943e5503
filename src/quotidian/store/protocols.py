"""What every store can do, whatever lies beneath it."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec
import pyarrow as pa

from quotidian.model import (
    Carry,
    CauseKind,
    Day,
    Enriched,
    Gap,
    Home,
    Integers,
    Job,
    JobKind,
    Pattern,
    Receipt,
    RollUp,
    Snapshot,
    Summary,
)
from quotidian.model.certificate import Certificate, Verification
from quotidian.store.backup.archive import Manifest

Period = Literal["weekly", "monthly"]
#: What whoever imports a history holds meanwhile.
IMPORT: Final = "import"
#: Whose detectors looked.
Look = Literal["daily", "weekly", "monthly"]
#: What events can be counted by.
By = Literal["entity", "cause", "day"]


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a source has been read: made durable together with the events that were read up to there."""

    source: str
    position: str


class Appended(msgspec.Struct, frozen=True):
    """What became of a batch: new rows, rows of which the store had a copy, and rows that the settings leave out."""

    new: int
    known: int
    left_out: int = 0

    def __add__(self, other: "Appended") -> "Appended":
        return Appended(self.new + other.new, self.known + other.known, self.left_out + other.left_out)


class Arrivals(msgspec.Struct, frozen=True):
    """Events in the order in which they were received: a table of ``FOUND_SCHEMA``.

    ``cursor`` is the number of the last of them, from which to go on. ``lost`` says that some which came in between
    are not listed by arrival any more (their days are sealed): they are to be read by time.
    """

    events: pa.Table
    cursor: int
    lost: bool


class StoredLetter(msgspec.Struct, frozen=True):
    """A dead letter as the store keeps it; ``number`` grows with each."""

    number: int
    stream: str
    seq: int
    arrived: int
    reason: str
    text: str


class DeadLetters(msgspec.Struct, frozen=True):
    """Dead letters, newest first; ``kept`` counts all that are there, ``dropped`` those that are not any more."""

    letters: list[StoredLetter]
    kept: int
    dropped: int


class DayRecord(msgspec.Struct, frozen=True):
    """A line of the day ledger.

    ``sealed_bytes`` is the size of the day's file, 0 while it has none. ``revision`` grows with every change of
    the day's events; the day is due for folding while it differs from ``folded``. Of an ``expired`` day the events were
    dropped for their age: what comes later is not the whole day, and its summaries stay as they are.
    """

    date: dt.date
    events: int
    sealed_bytes: int
    revision: int
    folded: int | None
    expired: bool = False

    @property
    def due(self) -> bool:
        """Whether the day has events that its summaries do not know."""
        return self.revision != self.folded


class LayerSize(msgspec.Struct, frozen=True):
    """What one layer holds: rows (events, summaries, patterns), bytes on disk, and the days they span."""

    layer: int
    name: str
    rows: int
    bytes: int
    first: dt.date | None
    last: dt.date | None


class Nights(msgspec.Struct, frozen=True):
    """The last day that each cadence's detectors looked at; ``revision`` grows with each change of the patterns."""

    daily: dt.date | None = None
    weekly: dt.date | None = None
    monthly: dt.date | None = None
    revision: int = 0


class Retained(msgspec.Struct, frozen=True):
    """What retention dropped (or, in a dry run, would drop), by layer: whole days or weeks, and bytes.

    ``more`` says that there is more to drop.
    """

    raw_days: int
    daily_days: int
    weeks: int
    bytes: int
    more: bool = False

    def __add__(self, other: "Retained") -> "Retained":
        return Retained(
            self.raw_days + other.raw_days,
            self.daily_days + other.daily_days,
            self.weeks + other.weeks,
            self.bytes + other.bytes,
            other.more,
        )


class Astray(msgspec.Struct, frozen=True):
    """What does not lie where the settings want it: finished days with their events, and summaries; and its bytes."""

    days: int
    events: int
    summaries: int
    bytes: int


class Checked(msgspec.Struct, frozen=True):
    """What was read: days with their events, and summaries; ``faults`` says what is wrong, and how to mend it."""

    days: int = 0
    events: int = 0
    summaries: int = 0
    faults: tuple[str, ...] = ()

    def __add__(self, other: "Checked") -> "Checked":
        return Checked(
            self.days + other.days,
            self.events + other.events,
            self.summaries + other.summaries,
            self.faults + other.faults,
        )


class Forgotten(msgspec.Struct, frozen=True):
    """What ``forget`` took out: events, days that are due for folding again, and patterns."""

    events: int
    days: int
    patterns: int


class Backup(Protocol):
    """What a store held at a moment, for any thread; ``close`` gives back the space that it takes.

    ``damaged`` is the day whose file turned out not to be what was written.
    """

    damaged: dt.date | None

    @property
    def manifest(self) -> Manifest:
        """What the archive holds.

        Raises
        ------
        CorruptStoreError
            When a day's file is damaged; reading that day sets it aside.
        """

    def chunks(self) -> Iterator[bytes]:
        """Give the archive, a plain tar, in pieces: ``manifest.size`` bytes in all."""

    def close(self) -> None:
        """Give the space back."""


class Store(Protocol):
    """The four layers of one home. Every method that changes something is durable when it returns."""

    # the home

    @property
    def home(self) -> Home:
        """The home as last set; a new store has one with a fresh id, in the zone ``UTC``."""

    def set_home(self, home: Home) -> None:
        """Replace what is known of the home (its id stays)."""

    # layer 1: events

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        """Add events (a table of ``EVENT_SCHEMA``, any order, any days); a copy of a known event adds no row.

        Copies merge field by field by the rank of their source. The filters and the attribute allow-list of the
        settings apply. The checkpoint, if given, becomes durable in the same transaction as the last row.
        New rows count as imported in the days' certificates.
        """

    def receive(self, delivery: Enriched) -> Receipt:
        """Make a delivery durable, all of it in one transaction, and tell what became of it.

        Numbers of the stream that were received before count nowhere twice: of a delivery that reaches beyond them
        only the rest is taken, and one that does not changes nothing; the stream's last delivery is then answered as
        it was. Numbers that were skipped are recorded, and the span of time in which they arrived is told as
        ``missing``. An event that cannot be kept (its time lies outside the calendar) becomes a dead letter.
        The newest snapshot becomes the home; one like the snapshot before is not kept.

        Raises
        ------
        RequestError
            When the numbers contradict each other.
        BehindError
            When it ``follows`` a number of the stream beyond the last that was received; nothing is changed then.
        """

    def received(self, stream: str) -> int:
        """Give the last number received of a stream, 0 when there is none."""

    def arrivals(self, after: int | None = None, limit: int = 100) -> Arrivals:
        """Give new events that were received after a cursor, in the order of their arrival.

        Without a cursor there are no events, only the cursor from which to follow what is to come. Imported events
        are not among them.
        """

    def snapshots(self, after: int | None = None, limit: int | None = None) -> list[Snapshot]:
        """Give what the registries said, oldest first: all, or the first ``limit`` behind an instant (µs)."""

    def dead_letters(self, limit: int = 100, before: int | None = None) -> DeadLetters:
        """Give the newest dead letters, or the newest of those with a number less than ``before``."""

    def gaps(self, first: int, last: int) -> list[Gap]:
        """Give the gaps that overlap a span (µs, both ends included), by start."""

    def certificates(self, first: dt.date, last: dt.date) -> list[Certificate]:
        """Give the newest loss certificate of each day from first to last (both included) of which there is one.

        Days that are over are appended to the chain of certificates as soon as somebody asks, and again
        whenever something of theirs changed; today's certificate is provisional.
        """

    def verify(self) -> Verification:
        """Compute the chain of certificates anew, and tell whether it is whole."""

    def checkpoint(self, source: str) -> str | None:
        """Give the position last recorded for a source."""

    def seal(self, before: dt.date) -> list[dt.date]:
        """Move the events of days before a date into one sorted file a day; give the days that were (re)sealed."""

    def day_events(self, day: Day) -> pa.Table:
        """Give a day's events, sorted by (entity id, last updated)."""

    def events(
        self,
        *,
        start: int | None = None,
        end: int | None = None,
        entity_id: str | None = None,
        area: str | None = None,
        cause: CauseKind | None = None,
        before: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> pa.Table:
        """Give the newest ``limit`` events with start <= last updated < end (µs): a table of ``FOUND_SCHEMA``.

        Newest first; at one instant, by entity id. ``before`` is (last updated, entity id) of the last row of the page
        before. ``area`` is the id of an area: the one that the registries told of at the event's time, or the home's
        present one where nobody told. ``old_state`` is the state of the entity's event before, whether that is
        in the result or not; null where there was none within the day's file, or, on a day without a file, none among
        the thousands of events before.
        """

    def latest(self) -> int | None:
        """Give the newest event's last updated (µs), or ``None`` when there is no event."""

    def counts(self, start: int, end: int, by: By) -> dict[str, int]:
        """Count the events with start <= last updated < end (µs) by entity id, cause, or date (as in 2026-11-21)."""

    def days(self) -> list[DayRecord]:
        """Give the day ledger, oldest first: every local day on which there is an event or a summary."""

    # layer 2: daily summaries

    def put_day(
        self,
        date: dt.date,
        summaries: Mapping[str, tuple[int, Integers]],
        carries: Mapping[str, Carry],
        revision: int,
        rollups: Sequence[RollUp] = (),
    ) -> None:
        """Store what was folded from a day's events at a revision: by detector its version and integers, and its carry.

        ``rollups`` are the same integers in readable figures, by entity, all of that date. It replaces what was there,
        wholly or not at all, and marks the day as folded at that revision. When another carry is handed on than before,
        the day after it is due again. Its week and its month are stale.

        Raises
        ------
        ConflictError
            When an entity of that day was forgotten since that revision.
        """

    def set_editions(self, editions: Mapping[str, int]) -> int:
        """Say by which version of each detector days are folded from now on; give how many days are due because of it.

        When a detector is among them that was not, or not with that version, every day with events is due again.
        """

    def summary(self, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give a detector's daily summaries of the days from first to last, both included."""

    def summarised(self, detector: str, version: int) -> frozenset[dt.date]:
        """Give the days of which a detector's daily summary is there."""

    def summaries(
        self,
        first: dt.date,
        last: dt.date,
        *,
        detector: str | None = None,
        entity_id: str | None = None,
        area: str | None = None,
        before: tuple[dt.date, str, str] | None = None,
        limit: int = 100,
    ) -> list[RollUp]:
        """Give the newest ``limit`` roll-ups of the days from first to last, both included.

        Newest day first; of one day by entity id, then by detector. ``before`` is (date, entity id, detector) of the
        last one of the page before. ``area`` is the id of an area: what is said of it, and of the entities that are
        in it now.
        """

    def carries(self, date: dt.date) -> dict[str, Carry]:
        """Give what a day handed on, by detector; empty when the day has not been folded."""

    # layer 3: weekly and monthly summaries

    def stale(self, period: Period) -> dict[dt.date, int]:
        """Give the starts of weeks or months of which a day was folded since they were united; and how often."""

    def put_period(self, period: Period, start: dt.date, summary: Summary, folds: int | None = None) -> None:
        """Store one detector's summary of the week or month that starts on a date, replacing what was there.

        ``folds`` is how often its days had been folded, as ``stale`` says, before the summary was made from them.

        Raises
        ------
        ConflictError
            When one of its days was folded meanwhile, or an entity was forgotten.
        """

    def united(self, period: Period, start: dt.date, folds: int) -> None:
        """Say that all summaries of a week or month are those of its days: it is stale no more.

        Unless one of its days was folded since ``stale`` gave that number.
        """

    def period_summary(self, period: Period, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give the union of a detector's weekly or monthly summaries that start from first to last, both included."""

    # layer 4: patterns

    def put_patterns(self, look: Look, date: dt.date, patterns: Sequence[Pattern], after: int) -> int:
        """Replace all patterns with those after the detectors of a cadence looked on the night after a date.

        ``after`` is the revision of the patterns that these were made from; the new revision is given.

        Raises
        ------
        ConflictError
            When the patterns have changed since: somebody else has looked, or an entity was forgotten.
        """

    def patterns(self) -> list[Pattern]:
        """Give all patterns, by id."""

    @property
    def nights(self) -> Nights:
        """How far each cadence has looked."""

    # the learning's own books

    def put_job(self, job: Job) -> None:
        """Keep what is known of a job by now; the oldest of many hundred go."""

    def jobs(self, limit: int = 100, kind: JobKind | None = None) -> list[Job]:
        """Give the jobs that were asked for last, newest first."""

    def hold(self, name: str, owner: str, seconds: float) -> bool:
        """Take a name for so many seconds, or keep it for longer; ``False`` while somebody else has it.

        Of several who want to do one thing, one does it. A hold ends by itself, and with the store's process.
        """

    def release(self, name: str, owner: str) -> None:
        """Give a name back before its time, if it is the owner's."""

    # days that the user marked

    def mark(self, date: dt.date, label: str | None) -> None:
        """Mark a day ("party", "away"), so that it is not learned from; ``None`` takes the mark away."""

    def marks(self) -> dict[dt.date, str]:
        """Give the marked days."""

    # housekeeping

    def retain(self, today: dt.date, *, dry_run: bool = False, once: bool = False) -> Retained:
        """Drop whole days and weeks that are older than the settings say; never a day that is due, never a month.

        Daily summaries go only when their week and their month hold them. With ``once`` it drops no more than a few
        days, so that others who use the store need not wait, and says whether there is more. While somebody holds
        ``IMPORT`` no events go: the rest of a day may still come.
        """

    def forget(self, entity_id: str, progress: Callable[[int, int], None] | None = None) -> Forgotten:
        """Take an entity out of every layer; days that held it are due for folding again."""

    def settle(self) -> int:
        """Move one finished day, or one day's summaries, to where the settings want them; give 0 when all lie there.

        What lies in our own files is moved to InfluxDB where that is the store, and back before InfluxDB drops it.

        Raises
        ------
        UnreachableError
            When InfluxDB does not answer; nothing is lost, and a later call goes on.
        """

    def astray(self) -> Astray:
        """Tell what ``settle`` has left to do."""

    def check(self, first: dt.date, last: dt.date) -> Checked:
        """Read all that is kept of days from first to last (both included), and of weeks and months that start then.

        What is damaged is treated as whenever it is read: a day is set aside, and a summary is made again by the next
        run.

        Raises
        ------
        UnreachableError
            When something lies in InfluxDB, which does not answer.
        """

    def warnings(self) -> list[str]:
        """Say, a sentence each, what somebody should do before something is lost."""

    def mirror(self, limit: int = 1_000) -> int:
        """Show the next events of today where finished days lie, without waiting for it; give how many are on the way.

        Raises
        ------
        QuotidianError
            When those of the call before could not be shown; they are sent again.
        """

    def layers(self) -> list[LayerSize]:
        """Tell what each layer holds."""

    def backup(self) -> Backup:
        """Take all that the store holds now, to be written somewhere while it goes on.

        Raises
        ------
        DiskFullError
            When there is no space for a copy of the database.
        """

    def close(self) -> None:
        """Give the store back; nothing may be called afterwards."""

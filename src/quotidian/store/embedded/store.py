"""The default store of one home: everything in one directory, in this process."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
import pyarrow as pa

from quotidian.errors import ConflictError, SettingError, StoreRefusedError
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
from quotidian.settings import Settings
from quotidian.store.backup.local import LocalBackup
from quotidian.store.embedded.account import Accounts
from quotidian.store.embedded.backing import Backing, Files
from quotidian.store.embedded.contents import LostSummariesError
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.due import Due, made_again
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.home import KeptHome
from quotidian.store.embedded.intake import Intake
from quotidian.store.embedded.jobs import Jobs
from quotidian.store.embedded.layers import Layers
from quotidian.store.embedded.ledger import Ledger
from quotidian.store.embedded.mention import Mention
from quotidian.store.embedded.notes import without
from quotidian.store.embedded.old import Old, expiring
from quotidian.store.embedded.place import Lock
from quotidian.store.embedded.receive import refuse_contradictions
from quotidian.store.embedded.rollups import WantedRollUps
from quotidian.store.embedded.sealed import SealedDays
from quotidian.store.embedded.search import Search, Wanted
from quotidian.store.embedded.sizes import sizes
from quotidian.store.holds import Holds
from quotidian.store.protocols import (
    IMPORT,
    Appended,
    Arrivals,
    Astray,
    By,
    Checked,
    Checkpoint,
    DayRecord,
    DeadLetters,
    Forgotten,
    LayerSize,
    Look,
    Nights,
    Period,
    Retained,
)
from quotidian.store.retention import Cutoffs

#: So many free pages of the database go back to the disk at once.
_PAGES: Final = 4_096


class EmbeddedStore:
    """A store in a directory; see ``quotidian.store.protocols.Store`` for what its methods do."""

    def __init__(self, directory: Path, settings: Settings, lock: Lock, backing: Backing | None = None) -> None:
        self._settings = settings
        self._lock = lock
        self._backing = backing or Files()
        self._database = Database(directory)
        try:
            self._home = KeptHome(self._database, str(uuid4()))
            self._ledger = Ledger(self._database)
            files = SealedDays(directory, self.home.id)
            self._files = self._backing.archive(files, self._database, self.home.id)
            self._layers = Layers(self._database, self._backing.contents(self._database, self.home.id))
            self._files.sweep({(day.date, day.file) for day in self._ledger.days() if day.file is not None})
        except BaseException:
            self._database.close()
            raise
        self._due = Due(self._database)
        self._jobs, self._holds = Jobs(self._database), Holds()
        self._forgot: dict[int, int] = {}  # by ordinal: what was folded from an older revision may name the entity
        intake = Intake(settings)
        self._events = Events(self._database, self._files, intake, self.home.zone)
        self._search = Search(self._database, self._events)
        self._accounts = Accounts(self._database, self._events, self._ledger, intake)

    @property
    def home(self) -> Home:
        """The home as last set."""
        return self._home.now

    def set_home(self, home: Home) -> None:
        """Replace what is known of the home; its id stays.

        In another zone the days are other days: the events are parted anew, and every day is due.

        Raises
        ------
        SettingError
            When there is no such zone.
        """
        home = self._home.own(home)
        with self._changing():
            self._change_home(home)
        self._settle(home)

    def _change_home(self, home: Home) -> None:
        if home.zone != self.home.zone:
            self._events.rezone(home.zone)
            self._layers.clear()
            self._due.clear()
        self._home.keep(home)

    def _settle(self, home: Home) -> None:
        self._home.now = home
        self._events.zone = home.zone

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with (
            self._mending(),
            self._events.setting_aside(),
            self._files.switching(),
            self._database.transaction(),
        ):
            yield

    @contextmanager
    def _mending(self) -> Iterator[None]:
        """Have days folded again when it turns out within that their summaries are not there any more."""
        try:
            yield
        except LostSummariesError as error:
            with self._database.transaction():
                self._layers.drop(error.rows)
                made_again(self._database, error.rows)
            raise

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        """Add events."""
        with self._events.setting_aside():
            return self._events.append(events, checkpoint)

    def receive(self, delivery: Enriched) -> Receipt:
        """Make a delivery durable, and tell what became of it."""
        refuse_contradictions(delivery)
        with self._changing():
            receipt, home = self._accounts.receive(delivery, self._home)
            if home != self.home:
                self._change_home(home)
        self._settle(home)
        return receipt

    def received(self, stream: str) -> int:
        """Give the last number received of a stream."""
        return self._accounts.received(stream)

    def snapshots(self, after: int | None = None, limit: int | None = None) -> list[Snapshot]:
        """Give what the registries said, oldest first."""
        return list(self._accounts.snapshots.all(after, limit))

    def dead_letters(self, limit: int = 100, before: int | None = None) -> DeadLetters:
        """Give the newest dead letters."""
        return self._accounts.letters.newest(limit, before)

    def gaps(self, first: int, last: int) -> list[Gap]:
        """Give the gaps that overlap a span."""
        return self._accounts.gaps.overlapping(first, last)

    def certificates(self, first: dt.date, last: dt.date) -> list[Certificate]:
        """Give the newest loss certificate of each day."""
        return self._accounts.certificates(first.toordinal(), last.toordinal())

    def verify(self) -> Verification:
        """Compute the chain of certificates anew."""
        return self._accounts.verify()

    def checkpoint(self, source: str) -> str | None:
        """Give the position last recorded for a source."""
        position: str | None = self._database.value("SELECT position FROM checkpoint WHERE source = ?", (source,))
        return position

    def seal(self, before: dt.date) -> list[dt.date]:
        """Move the events of days before a date into one sorted file a day."""
        sealed = self._events.seal(before)
        self._accounts.certify()
        return sealed

    def day_events(self, day: Day) -> pa.Table:
        """Give a day's events, sorted by (entity id, last updated)."""
        with self._events.setting_aside():
            return self._events.day_events(day)

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
        """Give the newest events, newest first."""
        wanted = Wanted.of(self.home, start=start, end=end, entity_id=entity_id, area=area, cause=cause, before=before)
        with self._events.setting_aside():
            return self._search.newest(wanted, limit)

    def arrivals(self, after: int | None = None, limit: int = 100) -> Arrivals:
        """Give new events in the order of their arrival."""
        return self._search.arrivals(after, limit)

    def latest(self) -> int | None:
        """Give the newest event's last updated."""
        with self._events.setting_aside():
            return self._search.latest()

    def counts(self, start: int, end: int, by: By) -> dict[str, int]:
        """Count events by something."""
        with self._events.setting_aside():
            return self._search.counts(start, end, by)

    def days(self) -> list[DayRecord]:
        """Give the day ledger, oldest first."""
        return [day.record() for day in self._ledger.days()]

    def put_day(
        self,
        date: dt.date,
        summaries: Mapping[str, tuple[int, Integers]],
        carries: Mapping[str, Carry],
        revision: int,
        rollups: Sequence[RollUp] = (),
    ) -> None:
        """Store what was folded from a day's events at a revision."""
        ordinal = date.toordinal()
        if revision < self._forgot.get(ordinal, 0):
            raise ConflictError(f"An entity of {date} was forgotten while the day was folded.", "Fold it again.")
        with self._database.transaction():
            self._due.folded(ordinal, handed_on=self._layers.carries(ordinal) != carries)
            self._layers.put_day(ordinal, summaries, carries, rollups)
            self._ledger.put(self._ledger.day(ordinal).as_folded(revision))

    def set_editions(self, editions: Mapping[str, int]) -> int:
        """Say by which version of each detector days are folded from now on."""
        with self._database.transaction():
            return self._due.set_editions(editions)

    def summary(self, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give a detector's daily summaries."""
        with self._mending():
            return self._layers.summary(detector, version, first.toordinal(), last.toordinal())

    def summarised(self, detector: str, version: int) -> frozenset[dt.date]:
        """Give the days of which a detector's daily summary is there."""
        return frozenset(map(dt.date.fromordinal, self._layers.summarised(detector, version)))

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
        """Give the newest roll-ups of some days."""
        wanted = WantedRollUps.of(
            self.home, first=first, last=last, detector=detector, entity_id=entity_id, area=area, before=before
        )
        return self._layers.rollups.newest(wanted, limit)

    def carries(self, date: dt.date) -> dict[str, Carry]:
        """Give what a day handed on, by detector."""
        return self._layers.carries(date.toordinal())

    def stale(self, period: Period) -> dict[dt.date, int]:
        """Give the weeks or months of which a day was folded since they were united."""
        return self._due.stale(period)

    def put_period(self, period: Period, start: dt.date, summary: Summary, folds: int | None = None) -> None:
        """Store one detector's summary of a week or month."""
        with self._database.transaction():
            if folds is not None:
                self._due.check(period, start.toordinal(), folds)
            self._layers.put_period(period, start.toordinal(), summary)

    def united(self, period: Period, start: dt.date, folds: int) -> None:
        """Say that all summaries of a week or month are those of its days."""
        self._due.united(period, start.toordinal(), folds)

    def period_summary(self, period: Period, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give the union of a detector's weekly or monthly summaries."""
        with self._mending():
            return self._layers.period_summary(period, detector, version, first.toordinal(), last.toordinal())

    def put_patterns(self, look: Look, date: dt.date, patterns: Sequence[Pattern], after: int) -> int:
        """Replace all patterns with those after the detectors of a cadence looked on the night after a date."""
        with self._database.transaction():
            return self._layers.put_patterns(look, date.toordinal(), patterns, after)

    def patterns(self) -> list[Pattern]:
        """Give all patterns, by id."""
        return self._layers.patterns()

    @property
    def nights(self) -> Nights:
        """How far each cadence has looked."""
        return self._layers.nights()

    def put_job(self, job: Job) -> None:
        """Keep what is known of a job by now."""
        with self._database.transaction():
            self._jobs.put(job)

    def jobs(self, limit: int = 100, kind: JobKind | None = None) -> list[Job]:
        """Give the jobs that were asked for last, newest first."""
        return self._jobs.newest(limit, kind)

    def hold(self, name: str, owner: str, seconds: float) -> bool:
        """Take a name for so many seconds, or keep it for longer."""
        return self._holds.hold(name, owner, seconds)

    def release(self, name: str, owner: str) -> None:
        """Give a name back before its time."""
        self._holds.release(name, owner)

    def mark(self, date: dt.date, label: str | None) -> None:
        """Mark a day, or take its mark away."""
        self._layers.mark(date.toordinal(), label)

    def marks(self) -> dict[dt.date, str]:
        """Give the marked days."""
        return self._layers.marks()

    def retain(self, today: dt.date, *, dry_run: bool = False, once: bool = False) -> Retained:
        """Drop whole days and weeks that are older than the settings say."""
        cutoffs = Cutoffs.of(today, self._settings)
        old = self._old(cutoffs)
        if dry_run:
            return old.told()
        retained = self._drop(old, old.step())
        while retained.more and not once:
            old = self._old(cutoffs)
            retained += self._drop(old, old.step())
        return retained

    def _old(self, cutoffs: Cutoffs) -> Old:
        old = Old.of(cutoffs, self._ledger, self._layers, self._due, self._files)
        return old._replace(raw=[]) if self._holds.held(IMPORT) else old

    def _drop(self, old: Old, step: Old) -> Retained:
        self._accounts.certify()
        with self._changing():
            step.drop(self._events, self._layers, self._ledger)
            kept = [day.ordinal for day in self._ledger.days() if day.events]
            self._accounts.drop(old.cutoffs.raw)
            self._accounts.settle(old.cutoffs.accounts, min(kept, default=None))
        self._files.discard_quarantine(old.cutoffs.raw)
        more = self._database.shrink(_PAGES)
        return msgspec.structs.replace(step.told(), more=more or step != old)

    def forget(self, entity_id: str, progress: Callable[[int, int], None] | None = None) -> Forgotten:
        """Take an entity out of every layer, and its name out of the store's files."""
        mention = Mention(entity_id)
        home = without(self.home, entity_id)
        with self._changing():
            events, days = self._events.forget(entity_id, progress or _no_progress)
            # Days whose events are no longer kept cannot be folded again.
            named = self._layers.forget_days(mention)
            days |= {ordinal for ordinal in named if self._ledger.day(ordinal).events}
            self._layers.forget_periods(mention)
            patterns = self._layers.forget_patterns(mention)
            self._ledger.touch(days)
            self._due.unite_all_again()
            self._ledger.prune(named - days)
            self._accounts.forget(entity_id, mention)
            self._files.forget(entity_id)
            self._home.keep(home)
        self._home.now = home
        self._forgot |= {ordinal: self._ledger.day(ordinal).revision for ordinal in days}
        # What was set aside cannot be searched.
        self._files.discard_quarantine()
        try:
            # Where InfluxDB does not answer, that is told; it is forgotten there as soon as it does.
            self._backing.tidy()
        finally:
            # Also what was noted to be deleted there has the name in it.
            self._database.scrub()
        return Forgotten(events, len(days), patterns)

    def settle(self) -> int:
        """Move a finished day, or summaries of one, to where they are to lie."""
        with self._events.setting_aside(), self._mending():
            self._backing.tidy()
            try:
                if self._events.settle() is not None:
                    return 1
            except (SettingError, StoreRefusedError):
                # What is wrong with one bucket, or with one day, keeps nothing else where it will be dropped.
                if self._settle_layers():
                    return 1
                raise
            return self._settle_layers()

    def _settle_layers(self) -> int:
        with self._database.transaction():
            return min(1, self._layers.settle())

    def astray(self) -> Astray:
        """Tell what ``settle`` has left to do."""
        days, rows = self._events.astray(), self._layers.astray()
        size = sum(day.size for day in days) + sum(map(len, rows.values()))
        return Astray(len(days), sum(day.events for day in days), len(rows), size)

    def check(self, first: dt.date, last: dt.date) -> Checked:
        """Read all that is kept of some days, and say what is wrong."""
        days = [day for day in self._ledger.days() if first <= day.date <= last and day.events]
        faults = [fault for fault in map(self._events.check, days) if fault]
        try:
            with self._mending():
                summaries, wrong = self._layers.check(first.toordinal(), last.toordinal())
        except LostSummariesError as error:
            summaries, wrong = 0, [str(error)]
        return Checked(len(days), sum(day.events for day in days), summaries, (*faults, *wrong))

    def warnings(self) -> list[str]:
        """Say what somebody should do before something is lost."""
        return expiring(self._ledger.days(), self._files, self._settings, self.home.zone)

    def mirror(self, limit: int = 1_000) -> int:
        """Show new events where finished days lie."""
        return self._backing.mirror(self._events, limit)

    def layers(self) -> list[LayerSize]:
        """Tell what each layer holds."""
        return sizes(self._database, self._ledger, self._layers)

    def backup(self) -> LocalBackup:
        """Take all that the store holds now."""
        return LocalBackup.taken(self._database, self.home.id, self._ledger.days(), self._backing)

    def close(self) -> None:
        """Give the store back."""
        self._backing.close()
        self._database.close()
        self._lock.release()


def _no_progress(done: int, total: int) -> None:
    pass

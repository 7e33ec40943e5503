"""The default store of one home: everything in one directory, in this process."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from quotidian.errors import StoreRefusedError
from quotidian.model import Carry, Day, Home, Integers, Pattern, Summary
from quotidian.settings import Settings
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.intake import Intake
from quotidian.store.embedded.layers import Layers
from quotidian.store.embedded.ledger import Ledger
from quotidian.store.embedded.place import Lock
from quotidian.store.embedded.sealed import SealedDays
from quotidian.store.protocols import Appended, Checkpoint, DayRecord, Forgotten, LayerSize, Period, Retained


class EmbeddedStore:
    """A store in a directory; see ``quotidian.store.protocols.Store`` for what its methods do."""

    def __init__(self, directory: Path, settings: Settings, lock: Lock) -> None:
        self._settings = settings
        self._lock = lock
        self._database = Database(directory)
        try:
            self._home = self._kept_home()
            self._ledger = Ledger(self._database)
            self._files = SealedDays(directory, self._home.id)
            self._files.sweep({(day.date, day.file) for day in self._ledger.days() if day.file is not None})
        except BaseException:
            self._database.close()
            raise
        self._layers = Layers(self._database)
        self._events = Events(self._database, self._files, Intake(settings), self._home.zone)

    def _kept_home(self) -> Home:
        packed = self._database.value("SELECT packed FROM home")
        if packed is None:
            home = Home(str(uuid4()), "UTC")
            self._keep_home(home)
            return home
        return msgspec.json.decode(packed, type=Home)

    def _keep_home(self, home: Home) -> None:
        self._database.execute("INSERT OR REPLACE INTO home VALUES (1, ?)", (msgspec.json.encode(home),))

    @property
    def home(self) -> Home:
        """The home as last set."""
        return self._home

    def set_home(self, home: Home) -> None:
        """Replace what is known of the home; its id stays."""
        ZoneInfo(home.zone)
        if home.zone != self._home.zone and self._ledger.days():
            raise StoreRefusedError(
                f"The days of this store are those of the zone {self._home.zone}; they cannot become those of "
                f"{home.zone}.",
                "Import the sources into a new directory.",
            )
        home = msgspec.structs.replace(home, id=self._home.id)
        self._keep_home(home)
        self._home = home
        self._events.zone = home.zone

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        """Add events."""
        with self._events.setting_aside():
            return self._events.append(events, checkpoint)

    def checkpoint(self, source: str) -> str | None:
        """Give the position last recorded for a source."""
        position: str | None = self._database.value("SELECT position FROM checkpoint WHERE source = ?", (source,))
        return position

    def seal(self, before: dt.date) -> list[dt.date]:
        """Move the events of days before a date into one sorted file a day."""
        return self._events.seal(before)

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
        limit: int = 100,
    ) -> pa.Table:
        """Give the newest events, newest first."""
        with self._events.setting_aside():
            return self._events.newest(start, end, entity_id, limit)

    def days(self) -> list[DayRecord]:
        """Give the day ledger, oldest first."""
        return [day.record() for day in self._ledger.days()]

    def put_day(
        self, date: dt.date, summaries: Mapping[str, tuple[int, Integers]], carries: Mapping[str, Carry], revision: int
    ) -> None:
        """Store what was folded from a day's events at a revision."""
        ordinal = date.toordinal()
        with self._database.transaction():
            self._layers.put_day(ordinal, summaries, carries)
            self._ledger.put(self._ledger.day(ordinal)._replace(folded=revision))

    def summary(self, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give a detector's daily summaries."""
        return self._layers.summary(detector, version, first.toordinal(), last.toordinal())

    def carries(self, date: dt.date) -> dict[str, Carry]:
        """Give what a day handed on, by detector."""
        return self._layers.carries(date.toordinal())

    def put_period(self, period: Period, start: dt.date, summary: Summary) -> None:
        """Store one detector's summary of a week or month."""
        self._layers.put_period(period, start.toordinal(), summary)

    def period_summary(self, period: Period, detector: str, version: int, first: dt.date, last: dt.date) -> Summary:
        """Give the union of a detector's weekly or monthly summaries."""
        return self._layers.period_summary(period, detector, version, first.toordinal(), last.toordinal())

    def put_patterns(self, date: dt.date, patterns: Sequence[Pattern]) -> None:
        """Replace all patterns with those of the night after a date."""
        with self._database.transaction():
            self._layers.put_patterns(date.toordinal(), patterns)

    def patterns(self) -> list[Pattern]:
        """Give all patterns, by id."""
        return self._layers.patterns()

    @property
    def reviewed(self) -> dt.date | None:
        """The last day learned from by the last ``put_patterns``."""
        ordinal = self._layers.reviewed()
        return None if ordinal is None else dt.date.fromordinal(ordinal)

    def mark(self, date: dt.date, label: str | None) -> None:
        """Mark a day, or take its mark away."""
        self._layers.mark(date.toordinal(), label)

    def marks(self) -> dict[dt.date, str]:
        """Give the marked days."""
        return self._layers.marks()

    def retain(self, today: dt.date, *, dry_run: bool = False) -> Retained:
        """Drop whole days, weeks and months that are older than the settings say."""
        raise NotImplementedError

    def forget(self, entity_id: str, progress: Callable[[int, int], None] | None = None) -> Forgotten:
        """Take an entity out of every layer."""
        raise NotImplementedError

    def layers(self) -> list[LayerSize]:
        """Tell what each layer holds."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the store back."""
        self._database.close()
        self._lock.release()

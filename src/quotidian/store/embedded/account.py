"""The account of a home's deliveries: streams, tallies, certificates, and what came beside events."""

import datetime as dt

import msgspec

from quotidian import clock
from quotidian.model import Day, Enriched, Home, Receipt, Snapshot
from quotidian.model.certificate import Certificate, Verification
from quotidian.store.embedded.certificates import Certificates
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.home import KeptHome
from quotidian.store.embedded.intake import Intake
from quotidian.store.embedded.ledger import Ledger
from quotidian.store.embedded.letters import Letters
from quotidian.store.embedded.mention import Mention
from quotidian.store.embedded.notes import Gaps, Snapshots
from quotidian.store.embedded.receive import Books, Receiver
from quotidian.store.embedded.straight import Straight
from quotidian.store.embedded.streams import Streams
from quotidian.store.embedded.tally import Tally


class Accounts:
    """What a store knows of where its events came from."""

    def __init__(self, database: Database, events: Events, ledger: Ledger, intake: Intake) -> None:
        self._events = events
        self._streams = Streams(database)
        self.letters, self.snapshots, self.gaps = Letters(database), Snapshots(database), Gaps(database)
        self._intake = intake
        self._tally = tally = Tally(database)
        books = Books(self._streams, tally, self.letters, self.gaps)
        self._receiver = Receiver(events, intake, Straight(events, ledger), books)
        self._certificates = Certificates(database, tally, self._streams, self.gaps)

    def receive(self, delivery: Enriched, kept: KeptHome) -> tuple[Receipt, Home]:
        """Store what is new of a delivery, within a transaction; give the home as the newest snapshot describes it."""
        known = delivery.last <= self.received(delivery.stream)
        receipt, home = self._receiver.receive(delivery), kept.now
        for snapshot in () if known else delivery.snapshots:
            told = self._wanted(kept.told(snapshot.home))
            if self.snapshots.add(Snapshot(snapshot.since, told)):
                home = told
        return receipt, home

    def _wanted(self, home: Home) -> Home:
        entities = {name: entity for name, entity in home.entities.items() if self._intake.wants(name)}
        return msgspec.structs.replace(home, entities=entities)

    def received(self, stream: str) -> int:
        """Give the last number received of a stream, 0 when there is none."""
        found = self._streams.find(stream)
        return 0 if found is None else found.high

    def _today(self) -> int:
        return Day.containing(clock.now(), self._events.zone).ordinal

    def certify(self) -> None:
        """Append the certificates that are due."""
        self._certificates.certify(self._today(), self._events.zone)

    def certificates(self, first: int, last: int) -> list[Certificate]:
        """Give the newest certificate of each day from one ordinal to another, both included."""
        self.certify()
        return self._certificates.between(first, last, self._today(), self._events.zone)

    def verify(self) -> Verification:
        """Compute the chain of certificates anew."""
        return self._certificates.verify()

    def drop(self, before: dt.date) -> None:
        """Drop dead letters and snapshots that are older than a day."""
        start = Day.of(before, self._events.zone).start
        self.letters.drop(start)
        self.snapshots.drop(start)

    def settle(self, before: dt.date, kept: int | None) -> None:
        """Drop the accounts of days before one, as far as their certificates say the same.

        Of days from ``kept`` on there are still events, so that their accounts may change.
        """
        firsts = (before.toordinal(), kept, self._tally.oldest_changed())
        first = min(one for one in firsts if one is not None)
        start = Day.from_ordinal(first, self._events.zone).start
        self._tally.drop(first)
        self._streams.drop(first, start)
        self.gaps.drop(start)

    def forget(self, entity_id: str, mention: Mention) -> None:
        """Take an entity's name out."""
        self.letters.forget(mention)
        self.gaps.forget(mention)
        self.snapshots.forget(entity_id)
        self._streams.forget(mention)

"""The account of a home's deliveries: streams, tallies, certificates, and what came beside events."""

from quotidian import clock
from quotidian.model import Day, Enriched, Receipt
from quotidian.store.certificate import Certificate, Verification
from quotidian.store.embedded.certificates import Certificates
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
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
        self.wants = intake.wants
        tally = Tally(database)
        books = Books(self._streams, tally, self.letters, self.gaps)
        self._receiver = Receiver(events, intake, Straight(events, ledger), books)
        self._certificates = Certificates(database, tally, self._streams, self.gaps)

    def receive(self, delivery: Enriched) -> Receipt:
        """Store what is new of a delivery but its snapshots, within a transaction."""
        return self._receiver.receive(delivery)

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

    def drop(self, before: int) -> None:
        """Drop what is older than an instant; certificates stay, and what they tell of."""
        self.letters.drop(before)
        self.snapshots.drop(before)

    def forget(self, entity_id: str, mention: Mention) -> None:
        """Take an entity's name out."""
        self.letters.forget(mention)
        self.gaps.forget(mention)
        self.snapshots.forget(entity_id)
        self._streams.forget(mention)

"""What deliveries carry beside events: what the registries said, and what is known of gaps."""

import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from quotidian.errors import CorruptStoreError
from quotidian.model import Gap, Home, Snapshot
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.mention import Mention

_COLUMNS: Final = "id, since, until, state, reason, filled, unverifiable"
_FIELDS: Final = ("id", "start", "end", "state", "reason", "filled", "unverifiable")


class Snapshots:
    """The table ``snapshot``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, snapshot: Snapshot) -> bool:
        """Keep a snapshot unless it says what the one before says; tell whether it is the newest."""
        row = self._database.row(
            "SELECT since, packed FROM snapshot WHERE since <= ? ORDER BY since DESC LIMIT 1", (snapshot.since,)
        )
        if row is None or _unpacked(*row).home != snapshot.home:
            self._put(snapshot)
        newest: int | None = self._database.value("SELECT max(since) FROM snapshot")
        return newest is None or newest <= snapshot.since

    def _put(self, snapshot: Snapshot) -> None:
        packed = zlib.compress(msgspec.json.encode(snapshot.home))
        self._database.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", (snapshot.since, packed))

    def all(self, after: int | None = None, limit: int | None = None) -> Iterator[Snapshot]:
        """Give snapshots, oldest first: all, or so many behind an instant. Each may describe thousands of entities."""
        query = "SELECT since, packed FROM snapshot WHERE ? IS NULL OR since > ? ORDER BY since LIMIT ?"
        for row in self._database.rows(query, (after, after, -1 if limit is None else limit)):
            yield _unpacked(*row)

    def drop(self, before: int) -> None:
        """Drop those that said nothing of any instant from one on."""
        self._database.execute(
            "DELETE FROM snapshot WHERE since < (SELECT max(since) FROM snapshot WHERE since <= ?)", (before,)
        )

    def forget(self, entity_id: str) -> None:
        """Take an entity out of all snapshots."""
        for snapshot in self.all():
            if entity_id in snapshot.home.entities:
                self._put(msgspec.structs.replace(snapshot, home=without(snapshot.home, entity_id)))


def without(home: Home, entity_id: str) -> Home:
    """Give a home without an entity."""
    entities = {name: entity for name, entity in home.entities.items() if name != entity_id}
    return msgspec.structs.replace(home, entities=entities)


def _unpacked(since: int, packed: bytes) -> Snapshot:
    try:
        return Snapshot(since, msgspec.json.decode(zlib.decompress(packed), type=Home))
    except (zlib.error, msgspec.DecodeError) as error:
        raise CorruptStoreError(f"What the registries said from the instant {since} on is damaged.") from error


class Gaps:
    """The table ``gap``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, gap: Gap) -> list[tuple[int, int]]:
        """Replace what is known of a gap; give the spans of which that changes something."""
        before = self._rows("WHERE id = ?", gap.id)
        if before == [gap]:
            return []
        self._database.execute(
            f"INSERT OR REPLACE INTO gap ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (gap.id, gap.start, gap.end, gap.state, gap.reason, gap.filled, gap.unverifiable),
        )
        return [(one.start, one.end) for one in (*before, gap)]

    def overlapping(self, first: int, last: int) -> list[Gap]:
        """Give the gaps that overlap a span, both ends included, by start."""
        return self._rows("WHERE since <= ? AND until >= ? ORDER BY since, id", last, first)

    def reason(self, name: str) -> str:
        """Give the reason of a gap, empty when it is not known any more."""
        return self._database.value("SELECT reason FROM gap WHERE id = ?", (name,)) or ""

    def drop(self, before: int) -> None:
        """Drop gaps that ended before an instant, and with which nothing remains to be done."""
        self._database.execute("DELETE FROM gap WHERE until < ? AND state <> 'open'", (before,))

    def forget(self, mention: Mention) -> None:
        """Blank the reasons that name an entity."""
        named = [(gap.id,) for gap in self._rows("") if mention(gap.reason)]
        self._database.executemany("UPDATE gap SET reason = '' WHERE id = ?", named)

    def _rows(self, condition: str, *parameters: object) -> list[Gap]:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM gap {condition}", parameters)  # noqa: S608
        return [Gap(**dict(zip(_FIELDS, row, strict=True))) for row in rows]

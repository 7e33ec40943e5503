"""Home Assistant's recorder database: every state that it kept, with who caused it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.errors import CorruptSourceError, QuotidianError
from quotidian.homeassistant.cause import Causes
from quotidian.importers.backup import Unpacked
from quotidian.importers.batch import Attributes, Batch, Reached, batches
from quotidian.importers.database import Database, refusal
from quotidian.importers.place import Place
from quotidian.importers.recorder_causes import RecorderCauses
from quotidian.importers.recorder_page import Pages, StateRow, microseconds
from quotidian.importers.recorder_schema import RecorderSchema
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import absolute
from quotidian.model import Home
from quotidian.model.day import moment

_PAGE: Final = 5_000  #: states read in one short transaction, so that the writer's checkpoints do not wait
_BEFORE_ALL: Final = -(1 << 63)
_INLINE_PAGE: Final = 1_000  #: the same where each state brings its attributes as text


class Position(Reached, frozen=True):
    """The last state handed out, and when (µs) it was updated: another database has another row there."""

    state_id: int
    updated: int


class RecorderDatabase:
    """A recorder database, of any version, read while Home Assistant may go on writing to it.

    Raises
    ------
    SourceError
        When it is no such database.
    CorruptSourceError
        When nothing in it can be read.
    """

    def __init__(
        self,
        path: Path,
        place: Place,
        rejects: Rejects,
        attributes: Attributes,
        *,
        unpacked: Unpacked | None = None,
    ) -> None:
        self._path, self._place, self._attributes = path, place, attributes
        self._unpacked = unpacked  # as long as this is held, its directory exists
        self._name = unpacked.name if unpacked else str(path)
        self.key = f"recorder:{absolute(unpacked.where if unpacked else str(path))}"
        self.rejects = rejects
        self.warnings = place.warnings
        database = Database(self._path)
        try:
            self._schema = RecorderSchema.of(database, self._name)
            self.total = _about(database)
        except sqlite3.DatabaseError as error:
            raise refusal(path, error) from error
        finally:
            database.close()
        version = self._schema.version
        packed = "" if unpacked is None else f" in a {unpacked.kind}"
        self.kind = f"Home Assistant recorder{packed}" + (f" (schema {version})" if version else "")
        self._page_rows = _INLINE_PAGE if self._schema.inline else _PAGE
        self._members: dict[str, tuple[str, ...]] = {}
        self._last: Position | None = None

    def home(self, home: Home) -> Home:
        """Lay what the registries beside the database know over a home."""
        home = self._place.home(home)
        members: dict[str, list[str]] = {}
        for entity in home.entities.values():
            if entity.area is not None:
                members.setdefault(entity.area, []).append(entity.entity_id)
        self._members = {area: tuple(entity_ids) for area, entity_ids in members.items()}
        return home

    def read(self, position: str | None) -> Iterator[Batch]:
        """Hand out the states behind a position; all where the database there is not the one it was.

        Raises
        ------
        CorruptSourceError
            After the last state that could be read of a damaged database.
        """
        database = Database(self._path)
        try:
            self._last = self._start(database, Position.of(position))
            tables = self._tables(database, self._last)
            yield from batches(tables, lambda: msgspec.json.encode(self._last).decode())
        finally:
            database.close()

    def _start(self, database: Database, position: Position | None) -> Position | None:
        if position is None:
            return None
        try:
            row = database.execute(self._schema.updated, (position.state_id,)).fetchone()
        except sqlite3.DatabaseError as error:
            raise refusal(self._path, error) from error
        same = row is not None and Position(position.state_id, _micros(row[0])) == position
        return position if same else None

    def _tables(self, database: Database, last: Position | None) -> Iterator[pa.Table]:
        causes = RecorderCauses(database, self._schema, Causes(self._place.machines, self._members), self.warnings)
        pages = Pages(database, causes, self._attributes, self.rejects, self.warnings)
        for rows, damage in self._pages(database, last):
            if rows:
                try:
                    table = pages.table(rows)
                except sqlite3.DatabaseError as error:
                    raise self._fault(error, last) from error
                last = self._last = Position(rows[-1][0], _micros(rows[-1][3]))
                yield table
            if damage is not None:
                raise self._fault(damage, last)

    def _pages(
        self, database: Database, position: Position | None
    ) -> Iterator[tuple[list[StateRow], sqlite3.DatabaseError | None]]:
        """Give pages of states, the last one empty; with the damage that ended one early."""
        after, lenient = (_BEFORE_ALL if position is None else position.state_id), False
        while True:
            rows: list[StateRow] = []
            damage: sqlite3.DatabaseError | None = None
            try:
                cursor = database.execute(self._schema.page, (after, self._page_rows))
                while some := cursor.fetchmany(500):
                    rows += some
            except sqlite3.DatabaseError as error:
                if not lenient and "decode" in str(error):
                    # Text that is not UTF-8: read with replacements, which costs time, so only from here on.
                    lenient = True
                    database.read_any_text()
                    continue
                damage = error
            yield rows, damage
            if not rows or damage is not None:
                return
            after = rows[-1][0]

    def _fault(self, damage: sqlite3.DatabaseError, last: Position | None) -> QuotidianError:
        refused = refusal(self._path, damage)
        if last is None or not isinstance(refused, CorruptSourceError):
            return refused
        return CorruptSourceError(
            f"{self._name} is damaged behind state {last.state_id} of {_shown(last.updated)}: {damage}.",
            "Everything before it was used; a backup of Home Assistant may have the rest.",
        )


def _about(database: Database) -> int | None:
    """Give about how many states there are, from the first and the last number; counting would read them all."""
    ends = "SELECT (SELECT max(state_id) FROM states) - (SELECT min(state_id) FROM states) + 1"
    try:
        return database.execute(ends).fetchone()[0] or 0
    except sqlite3.DatabaseError:
        return None  # damaged: reading will say so, after what can be read


def _micros(seconds: float | None) -> int:
    return 0 if seconds is None else int(microseconds(np.array([seconds]))[0])


def _shown(instant: int) -> str:
    return moment(instant).strftime("%Y-%m-%d %H:%M UTC")

"""What lies elsewhere than in the books: finished days, and the contents of summaries."""

from typing import Protocol

from quotidian.errors import StoreRefusedError
from quotidian.store.embedded.archive import ELSEWHERE, Archive
from quotidian.store.embedded.contents import Contents, Within
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.sealed import SealedDays


class Backing(Protocol):
    """Where a store keeps what is finished."""

    def archive(self, files: SealedDays, database: Database, home: str) -> Archive:
        """Give the place of finished days, of which some may be files."""

    def contents(self, database: Database, home: str) -> Contents:
        """Give the place of the contents of summaries."""

    def mirror(self, events: Events, limit: int) -> int:
        """Show events as they come, the next ``limit`` of them; give how many."""

    def tidy(self) -> None:
        """Delete what is still to be deleted there."""

    def apart(self) -> "Backing":
        """Give another one of the same place, for another thread, to read with; it is closed by itself."""

    def close(self) -> None:
        """Give back what is held."""


class Files:
    """Finished days in files, the contents of summaries in the books.

    Raises
    ------
    StoreRefusedError
        When the books name something that lies in InfluxDB.
    """

    def archive(self, files: SealedDays, database: Database, home: str) -> Archive:  # noqa: ARG002 - one home a place
        """Give the files."""
        days = database.value("SELECT count(*) FROM day WHERE file LIKE ?", (f"{ELSEWHERE}%",))
        if days:
            raise StoreRefusedError(
                f"This store keeps {days} days in InfluxDB, and QUOTIDIAN_STORE is embedded.",
                "Set QUOTIDIAN_STORE=influx, or run `quotidian store copy --from influx --to embedded`.",
            )
        return files

    def contents(self, database: Database, home: str) -> Contents:  # noqa: ARG002 - one home a place
        """Give the books."""
        stubs = database.value(
            "SELECT (SELECT count(*) FROM summary WHERE substr(packed, 1, 7) = CAST(? AS BLOB)) "
            "+ (SELECT count(*) FROM period WHERE substr(packed, 1, 7) = CAST(? AS BLOB))",
            (ELSEWHERE, ELSEWHERE),
        )
        if stubs:
            raise StoreRefusedError(
                f"This store keeps {stubs} summaries in InfluxDB, and QUOTIDIAN_STORE is embedded.",
                "Set QUOTIDIAN_STORE=influx, or run `quotidian store copy --from influx --to embedded`.",
            )
        return Within()

    def mirror(self, events: Events, limit: int) -> int:  # noqa: ARG002 - nothing is shown elsewhere
        """Do nothing: events are seen where they are."""
        return 0

    def tidy(self) -> None:
        """Do nothing: what is deleted is gone at once."""

    def apart(self) -> "Files":
        """Give this one: it holds nothing."""
        return self

    def close(self) -> None:
        """Do nothing: nothing is held."""

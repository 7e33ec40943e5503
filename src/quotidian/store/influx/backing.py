"""Finished days and the contents of summaries in InfluxDB, beside the books in a directory."""

from pathlib import Path

from quotidian.settings import Settings
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.sealed import SealedDays
from quotidian.store.influx.days import InfluxDays
from quotidian.store.influx.mirror import Mirror
from quotidian.store.influx.place import Place, buckets
from quotidian.store.influx.server import Server
from quotidian.store.influx.summaries import InfluxContents


class InfluxBacking:
    """Where a store keeps what is finished when ``QUOTIDIAN_STORE`` is influx.

    Parameters
    ----------
    directory
        The store's.
    settings
        Those of InfluxDB count.
    here
        Whether what lies in InfluxDB is to be brought back into the directory.

    Raises
    ------
    SettingError
        When a setting is missing or cannot be used, or InfluxDB's client is not installed.
    """

    def __init__(self, directory: Path, settings: Settings, *, here: bool = False) -> None:
        buckets(settings)
        self._directory, self._settings, self._here = directory, settings, here
        self._server = Server(settings)
        self._mirror: Mirror | None = None
        self._days: InfluxDays | None = None
        self._place: Place | None = None

    def archive(self, files: SealedDays, database: Database, home: str) -> InfluxDays:
        """Give the place of finished days."""
        place = self._at(database, home)
        self._mirror = Mirror(place, database)
        self._days = InfluxDays(files, place, database, self._directory, self._mirror, here=self._here)
        return self._days

    def contents(self, database: Database, home: str) -> InfluxContents:
        """Give the place of the contents of summaries."""
        return InfluxContents(self._at(database, home), here=self._here)

    def _at(self, database: Database, home: str) -> Place:
        self._place = self._place or Place(self._settings, self._server, database, home)
        return self._place

    def mirror(self, events: Events, limit: int) -> int:
        """Show events as they come, the next ``limit`` of them; give how many."""
        return 0 if self._mirror is None or self._here else self._mirror.step(events, limit)

    def tidy(self) -> None:
        """Delete what is still to be deleted, here and in InfluxDB."""
        if self._days is not None:
            self._days.tidy()
        if self._place is not None:
            self._place.tidy()

    def apart(self) -> "InfluxBacking":
        """Give another one of the same place, for another thread, to read with; it is closed by itself."""
        return InfluxBacking(self._directory, self._settings, here=True)

    def close(self) -> None:
        """Give the connections back."""
        if self._mirror is not None:
            self._mirror.close()
        self._server.close()

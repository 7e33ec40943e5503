"""Today's events in InfluxDB as they come, so that what is shown there is current. The books are what counts."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from quotidian import clock
from quotidian.errors import QuotidianError
from quotidian.model import Day
from quotidian.store.embedded.arrow import chosen
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.intake import between
from quotidian.store.influx import lines
from quotidian.store.influx.place import Place
from quotidian.store.influx.server import Refused

#: The name of the checkpoint: the number of the last arrival that is in InfluxDB.
CURSOR: Final = "influxdb:mirror"
_EVER: Final = 1 << 62


class Mirror:
    """Sends events in a thread of its own, one batch at a time, so that nothing in the store waits for it.

    Events of other days than today are left out: these are moved as a whole.
    """

    def __init__(self, place: Place, database: Database) -> None:
        self._place, self._database = place, database
        self._pool = ThreadPoolExecutor(1, "mirror")
        self._flight: Future[list[Refused]] | None = None
        self._trouble: QuotidianError | None = None
        self._until = 0

    def step(self, events: Events, limit: int) -> int:
        """Send the next events, if those before have arrived; give how many.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            As long as those before have not arrived; they are sent again.
        """
        sent = 0
        if self._flight is None or self._flight.done():
            self._land()
            sent = self._send(events, limit)
        if self._trouble is not None:
            raise self._trouble
        return sent

    def _send(self, events: Events, limit: int) -> int:
        if self._place.untidy("RAW"):
            # What is shown now might be deleted with it.
            return 0
        cursor = int(self._database.value("SELECT position FROM checkpoint WHERE source = ?", (CURSOR,)) or 0)
        rows, self._until, _ = events.arrived.after(cursor, limit)
        table = events.hot.table(rows)
        today = Day.containing(clock.now(), events.zone)
        table = chosen(table, between(table, today.start, _EVER)) if table.num_rows else table
        if table.num_rows:
            written = lines.events(self._place.home, table, lines.records(table))
            self._flight = self._pool.submit(self._place.server.write, self._place.bucket("RAW"), written)
        elif self._until != cursor:
            self._keep()
        return int(table.num_rows)

    def _land(self) -> None:
        flight, self._flight = self._flight, None
        if flight is None:
            return
        try:
            flight.result()
        except QuotidianError as error:
            self._trouble = error
        else:
            self._keep()

    def _keep(self) -> None:
        self._trouble = None
        self._database.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (CURSOR, str(self._until)))

    def wait(self) -> None:
        """Wait for what is on its way, whatever becomes of it."""
        if self._flight is not None:
            self._flight.exception()

    def again(self) -> None:
        """Send everything of today once more, within a transaction."""
        self.wait()
        self._flight = None
        self._database.execute("DELETE FROM checkpoint WHERE source = ?", (CURSOR,))

    def close(self) -> None:
        """Wait for what is on its way, and end."""
        self._pool.shutdown()

"""Where in InfluxDB this home's points lie, for how long, and what is still to be deleted there."""

from typing import Final, Literal, NamedTuple

from quotidian import clock
from quotidian.errors import SettingError
from quotidian.settings import Settings
from quotidian.store.embedded.database import Database
from quotidian.store.influx.server import MissingError, Server

#: What a bucket is for, as the settings name it.
Bucket = Literal["RAW", "DAILY", "WEEKLY"]
BUCKETS: Final[tuple[Bucket, ...]] = ("RAW", "DAILY", "WEEKLY")
_DAY: Final = 86_400_000_000  # µs


class Kept(NamedTuple):
    """A bucket's name, and the days for which it keeps things."""

    name: str
    days: int

    @property
    def start(self) -> int:
        """The first instant (µs) of what it keeps for long enough: it drops nothing of that within the next day."""
        return clock.now() - self.days * _DAY + min(_DAY, self.days * _DAY // 2)


class Place:
    """The buckets of one home.

    Parameters
    ----------
    settings
        ``INFLUXDB_BUCKET_…`` and ``INFLUXDB_RETENTION_…`` count.
    server
        Where they are.
    database
        The books, which also say what is still to be deleted.
    home
        The home's id.

    Raises
    ------
    SettingError
        When a setting is no number of days, or two buckets have one name.
    """

    def __init__(self, settings: Settings, server: Server, database: Database, home: str) -> None:
        self.server, self.home = server, home
        self._database = database
        self._kept = buckets(settings)
        #: Whether events are to be kept for longer than InfluxDB keeps them.
        self.outlived: Final = settings.days("QUOTIDIAN_RETENTION_RAW") > self._kept["RAW"].days

    def bucket(self, bucket: Bucket) -> str:
        """Give a bucket's name."""
        return self._kept[bucket].name

    def lasting(self, bucket: Bucket, instant: int) -> bool:
        """Tell whether a bucket keeps what has an instant (µs) for long enough."""
        return instant >= self._kept[bucket].start

    def dropped(self, bucket: Bucket, instant: int) -> bool:
        """Tell whether what has an instant (µs) is too old for a bucket."""
        return instant < clock.now() - self._kept[bucket].days * _DAY

    def leave(self, bucket: Bucket, predicate: str, start: int, last: int) -> int:
        """Note what is to be deleted, from start to last, both included (µs); give the note's number."""
        row = (bucket, predicate, start, last)
        return (
            self._database.execute(
                "INSERT INTO leftover (bucket, predicate, start, last) VALUES (?, ?, ?, ?)", row
            ).lastrowid
            or 0
        )

    def spare(self, number: int) -> None:
        """Take such a note back."""
        self._database.execute("DELETE FROM leftover WHERE n = ?", (number,))

    def tidy(self) -> None:
        """Delete what is to be deleted; it comes before anything is written, so that nothing new is deleted with it.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            As ``Server.delete`` does; the rest is deleted later.
        """
        rows = self._database.rows("SELECT n, bucket, predicate, start, last FROM leftover ORDER BY n")
        for number, bucket, predicate, start, last in rows:
            try:
                self.server.delete(self.bucket(bucket), predicate, start, last)
            except MissingError as error:
                if error.organisation:
                    raise
            self.spare(number)

    def untidy(self, bucket: Bucket) -> bool:
        """Tell whether something is still to be deleted in a bucket."""
        return self._database.value("SELECT 1 FROM leftover WHERE bucket = ?", (bucket,)) is not None

    def refuse(self, name: str, reason: str) -> None:
        """Note what InfluxDB does not take, and why."""
        self._database.execute("INSERT OR REPLACE INTO refusal VALUES (?, ?)", (name, reason))

    def refused(self, name: str) -> bool:
        """Tell whether InfluxDB did not take something before."""
        return self._database.value("SELECT 1 FROM refusal WHERE name = ?", (name,)) is not None

    def pardon(self, name: str) -> None:
        """Take such a note back: what it was about is not there any more."""
        self._database.execute("DELETE FROM refusal WHERE name = ?", (name,))


def buckets(settings: Settings) -> dict[Bucket, Kept]:
    """Read the settings.

    Raises
    ------
    SettingError
        When a retention is no number of days, or two buckets have one name.
    """
    found = {
        bucket: Kept(settings.text(f"INFLUXDB_BUCKET_{bucket}"), settings.days(f"INFLUXDB_RETENTION_{bucket}"))
        for bucket in BUCKETS
    }
    if len({kept.name for kept in found.values()}) < len(found):
        raise SettingError("Two of InfluxDB's buckets have one name.", "Set INFLUXDB_BUCKET_… to three names.")
    return found

"""What is known of the home."""

from zoneinfo import ZoneInfo

import msgspec

from quotidian.errors import CorruptStoreError, SettingError
from quotidian.model import Home
from quotidian.store.embedded.database import Database


class KeptHome:
    """The table ``home``, and the home that is in force: what was kept by the last transaction that happened."""

    def __init__(self, database: Database, fresh: str) -> None:
        self._database = database
        packed = database.value("SELECT packed FROM home")
        if packed is None:
            self.now = Home(fresh, "UTC")
            self.keep(self.now)
            return
        try:
            self.now = msgspec.json.decode(packed, type=Home)
        except msgspec.DecodeError as error:
            raise CorruptStoreError(f"What {database.path} knows of the home is damaged.") from error

    def keep(self, home: Home) -> None:
        """Write a home down; it is to come into force when the transaction has happened."""
        self._database.execute("INSERT OR REPLACE INTO home VALUES (1, ?)", (msgspec.json.encode(home),))

    def own(self, home: Home) -> Home:
        """Give a home our id.

        Raises
        ------
        SettingError
            When there is no such zone.
        """
        if not _known(home.zone):
            raise SettingError(f"There is no time zone {home.zone!r}.", "Use a name such as Europe/Berlin.")
        return msgspec.structs.replace(home, id=self.now.id)

    def told(self, home: Home) -> Home:
        """Give a home our id, and the zone in force where it names one that we do not know."""
        zone = home.zone if _known(home.zone) else self.now.zone
        return msgspec.structs.replace(home, id=self.now.id, zone=zone)


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True

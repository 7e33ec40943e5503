"""A store whose finished days and summaries lie in an InfluxDB: ours in memory, or the one that the environment names.

``QUOTIDIAN_TEST_INFLUX_URL``, ``…_TOKEN`` and ``…_ORG`` name another one (``make test-influx``).
"""

import datetime as dt
import os
from functools import cache
from pathlib import Path
from typing import cast

import pyarrow as pa

from quotidian import clock
from quotidian.model import Enriched, Home, Receipt
from quotidian.settings import Settings
from quotidian.store import Appended, Checkpoint, Store
from quotidian.store.embedded.place import Lock
from quotidian.store.embedded.store import EmbeddedStore
from quotidian.store.influx.backing import InfluxBacking
from quotidian.store.influx.buckets import init
from quotidian.store.influx.place import buckets
from quotidian.store.influx.server import Server

from ..influx.server import Influx  # noqa: TID252 - tests are no package

_NAMES = ("URL", "TOKEN", "ORG")
#: Buckets of their own, which nobody keeps anything in: these tests empty them.
_BUCKETS = {f"INFLUXDB_BUCKET_{layer}": f"quotidian_test_{layer.lower()}" for layer in ("RAW", "DAILY", "WEEKLY")}
_RETENTIONS = ("INFLUXDB_RETENTION_RAW", "INFLUXDB_RETENTION_DAILY", "INFLUXDB_RETENTION_WEEKLY")


class SettledStore(EmbeddedStore):
    """A store that moves all that is finished to InfluxDB at once."""

    def _settled(self) -> None:
        while self.settle():
            pass

    def append(self, events: pa.Table, checkpoint: Checkpoint | None = None) -> Appended:
        """Add events."""
        appended = super().append(events, checkpoint)
        self._settled()
        return appended

    def receive(self, delivery: Enriched) -> Receipt:
        """Make a delivery durable."""
        receipt = super().receive(delivery)
        self._settled()
        return receipt

    def seal(self, before: dt.date) -> list[dt.date]:
        """Seal days."""
        sealed = super().seal(before)
        self._settled()
        return sealed

    def set_home(self, home: Home) -> None:
        """Replace what is known of the home."""
        super().set_home(home)
        self._settled()


@cache
def server() -> Influx:
    """Give the server of all tests."""
    influx = Influx(now=lambda: clock.now())  # noqa: PLW0108 - tests change the clock
    influx.start()
    return influx


def address() -> dict[str, str]:
    """Give the settings of the server that is to be used."""
    named = {f"INFLUXDB_{name}": os.environ.get(f"QUOTIDIAN_TEST_INFLUX_{name}", "") for name in _NAMES}
    if named["INFLUXDB_URL"]:
        return named
    influx = server()
    return {"INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token, "INFLUXDB_ORG": influx.org}


def in_influx(directory: Path, settings: Settings) -> Store:
    """Open a store; a new one in buckets that are empty.

    InfluxDB keeps things for longer than the store does, so that it is the store which drops them.
    """
    values: dict[str, str | None] = {**address(), **_BUCKETS, **dict.fromkeys(_RETENTIONS, "3650d")}
    there = settings.replaced(**values)
    if not directory.exists():
        directory.mkdir()
        _emptied(there)
    return cast("Store", SettledStore(directory, there, Lock(directory), InfluxBacking(directory, there)))


def _emptied(settings: Settings) -> None:
    init(settings)
    influx = Server(settings)
    for bucket, _ in buckets(settings).values():
        influx.delete(bucket, "", 0, 4_000_000_000_000_000)
    influx.close()

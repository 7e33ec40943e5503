"""Stores to be backed up, in few words."""

import datetime as dt
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from quotidian.model import Evidence, Finding, Integers, Job, JobKind, Pattern, Summary
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.backup import restoring

from .delivered import DAYS, MONDAY, delivery

OLDER = 4  #: deliveries that the older of two stores has
_DAY = dt.timedelta(days=1)


def nobody() -> str:
    """Be asked for a passphrase by nobody."""
    raise AssertionError("nothing is encrypted")


def unseen(done: int, total: int) -> None:
    """Watch no progress."""
    assert 0 <= done <= total


def filled(directory: Path, deliveries: int) -> None:
    """Make a store with something in every layer, and what lies beside a store."""
    store = connect(directory, Settings({}))
    for number in range(deliveries):
        store.receive(delivery(number))
    store.seal(MONDAY + (DAYS - 1) * _DAY)
    learned(store)
    store.close()
    (directory / "secret").write_text("kept")


def learned(store: Store) -> None:
    """Put something into the layers above the events."""
    row = Integers(("light.0=on",))
    store.put_day(MONDAY, {"a": (1, row)}, {"a": row}, store.days()[0].revision)
    store.put_period("weekly", MONDAY, Summary("a", 1, {MONDAY.toordinal(): row}))
    evidence = Evidence(kept=8, observed=9, low=0.5, high=1.0, q_value=0.01, lift=2.0)
    sentence = "The light goes on."
    finding = Finding(detector="a", subject=("light.0=on",), evidence=evidence, confidence=0.9, sentence=sentence)
    pattern = Pattern(id="p", finding=finding, first_seen=MONDAY, last_seen=MONDAY, updated=MONDAY)
    store.put_patterns("daily", MONDAY, [pattern], store.nights.revision)
    store.mark(MONDAY + _DAY, "party")
    store.put_job(Job(id="j", kind=JobKind.DAILY, by="test", asked=1))


def archive_of(store: Store) -> bytes:
    """Back a store up into memory."""
    with closing(store.backup()) as backup:
        packed = b"".join(backup.chunks())
        assert len(packed) == backup.manifest.size
    return packed


def restored(packed: bytes, directory: Path, **more: Any) -> restoring.Restored:
    """Restore a backup from memory."""
    return restoring.restore(io.BytesIO(packed), directory, more.pop("passphrase", nobody), unseen, **more)


def content(directory: Path) -> tuple[list[str], dict[str, bytes]]:
    """Give all that a closed store holds: its tables, and its files of days."""
    with closing(sqlite3.connect(directory / "quotidian.sqlite")) as database:
        tables = [*database.iterdump()]
    files = {path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.glob("events/*/*/*")}
    return tables, files

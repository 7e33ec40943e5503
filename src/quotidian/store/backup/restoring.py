"""Putting a backup in a store's place, so that whoever opens it finds the old one or the new one, whole.

The archive is unpacked and checked in ``restoring`` below the store's directory. Renaming that to ``restored`` decides:
from then on whoever takes the directory's lock brings it to its end, first moving what was there aside, then what is
new in. The directory itself stays, as it may be a volume, with the tokens, the secret and the spool in it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from quotidian import clock
from quotidian.errors import CorruptSourceError, CorruptStoreError, StoreRefusedError
from quotidian.model.day import moment
from quotidian.store.backup.archive import Contents, Member, Progress, Read, opened
from quotidian.store.backup.file import full_disk, refuse_little_space
from quotidian.store.backup.local import PLACE
from quotidian.store.backup.tar import Readable
from quotidian.store.embedded.database import FILE, Database, schemas
from quotidian.store.embedded.home import KeptHome
from quotidian.store.embedded.ledger import Ledger, LedgerDay
from quotidian.store.embedded.place import PRIVATE, PRIVATE_FILE, Lock, disk_errors, refuse_network

_STAGING: Final = "restoring"
_DECIDED: Final = "restored"
_NEW, _OLD = "new", "old"  # what is to come in, and what has been moved out
_DATABASE: Final = (FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal")
_OWN: Final = (*_DATABASE, "events", "unfinished", "quarantine")  # what belongs to a store, and goes with it
_AGAIN: Final = "Take another backup."


class Restored(msgspec.Struct, frozen=True):
    """What a backup holds: the home's id, when it was made, days that have a file, and events.

    ``place`` is where it is now (``None`` when it was only looked at), ``aside`` where what was there before is.
    """

    home: str
    made: str
    version: str
    days: int
    events: int
    bytes: int
    place: str | None = None
    aside: str | None = None


def verify(stream: Readable, passphrase: Callable[[], str], progress: Progress) -> Restored:
    """Read a backup, and check everything that restoring it would.

    Raises
    ------
    SourceError
        When it is no backup that can be used here.
    CorruptSourceError
        When it is damaged.
    """
    with opened(stream, passphrase) as contents, tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        contents.manifest.check(len(schemas()))
        found = contents.members(lambda one: (place / FILE).open("wb") if one.name == FILE else None, progress)
        return _told(contents, _checked(contents, place, found))


def restore(
    stream: Readable, directory: Path, passphrase: Callable[[], str], progress: Progress, *, replace: bool = False
) -> Restored:
    """Put a backup into a directory; what it holds of a store is moved aside, if it may be replaced.

    Raises
    ------
    SourceError, CorruptSourceError
        As ``verify`` does; the directory is then as it was.
    StoreRefusedError
        When there is a store that is not to be replaced, or the directory cannot hold one.
    StoreBusyError
        When somebody uses the store that is there.
    DiskFullError
        When there is no space.
    """
    directory = directory.expanduser()
    with opened(stream, passphrase) as contents:
        contents.manifest.check(len(schemas()))
        with _locked(directory), full_disk(directory):
            settle(directory)
            if not replace:
                _refuse_store(directory)
            refuse_little_space(directory, contents.manifest.content)
            try:
                days = _staged(contents, directory / _STAGING, progress)
                (directory / _STAGING).rename(directory / _DECIDED)
            except BaseException:
                shutil.rmtree(directory / _STAGING, ignore_errors=True)
                raise
            _sync(directory)
            aside = settle(directory)
        told = _told(contents, days)
        return msgspec.structs.replace(told, place=str(directory), aside=None if aside is None else str(aside))


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    refuse_network(directory)
    with disk_errors(directory):
        directory.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        lock = Lock(directory)
        try:
            yield
        finally:
            lock.release()


def _refuse_store(directory: Path) -> None:
    events = directory / "events"
    if (directory / FILE).exists() or (events.exists() and any(events.rglob("*.parquet"))):
        raise StoreRefusedError(
            f"There is a store in {directory} already.",
            "Name another directory with --data, or move this one aside with --replace.",
        )


def _staged(contents: Contents, staging: Path, progress: Progress) -> list[LedgerDay]:
    """Unpack beside the store, and check what is then on the disk."""
    new = staging / _NEW

    def into(member: Member) -> BinaryIO:
        path = new / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=PRIVATE_FILE, exist_ok=False)
        return path.open("wb")

    for place in (staging, staging / _OLD, new, new / "events"):
        place.mkdir(mode=PRIVATE)
    contents.members(into, progress)
    files = [path for path in new.rglob("*") if path.is_file()]
    days = _checked(contents, new, {path.relative_to(new).as_posix(): _read(path) for path in files})
    # Everything has to be on the disk before the decision is.
    for path in (*new.rglob("*"), new, staging):
        _sync(path)
    return days


def _read(path: Path) -> Read:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
        return Read(file.tell(), digest)


def _checked(contents: Contents, place: Path, found: Mapping[str, Read]) -> list[LedgerDay]:
    """Check the database of a backup, and the files of days against its ledger; give that."""
    try:
        database = Database(place)
        try:
            fault = database.value("PRAGMA integrity_check(1)")
            home, days = KeptHome(database, contents.manifest.home).now.id, Ledger(database).days()
        finally:
            database.close()
    except CorruptStoreError as error:
        raise CorruptSourceError(f"{FILE} in the backup is damaged.", _AGAIN) from error
    if fault != "ok":
        raise CorruptSourceError(f"{FILE} in the backup is damaged: {fault}.", _AGAIN)
    if home != contents.manifest.home:
        raise CorruptSourceError(f"{FILE} in the backup is that of another home than its manifest.json says.", _AGAIN)
    _compare(home, days, found)
    return days


def _compare(home: str, days: list[LedgerDay], found: Mapping[str, Read]) -> None:
    sealed = {f"events/home={home}/date={day.date}/{day.file}": day for day in days if day.sealed is not None}
    for name, day in sealed.items():
        if found.get(name) != (day.size, day.digest):
            raise CorruptSourceError(f"{name} in the backup is not what its {FILE} says of that day.", _AGAIN)
    strange = sorted(set(found) - set(sealed) - {FILE})
    if strange:
        raise CorruptSourceError(f"{strange[0]} in the backup is a day that its {FILE} does not know.", _AGAIN)


def _told(contents: Contents, days: list[LedgerDay]) -> Restored:
    manifest = contents.manifest
    events = sum(day.events for day in days)
    return Restored(manifest.home, manifest.made, manifest.version, manifest.days, events, manifest.content)


def settle(directory: Path) -> Path | None:
    """Bring to its end what a killed process was doing with backups in a directory, of which the lock is held.

    Gives where a store that was replaced is now, if one was.
    """
    with disk_errors(directory):
        for name in (PLACE, _STAGING):
            shutil.rmtree(directory / name, ignore_errors=True)
        decided = directory / _DECIDED
        if not decided.exists():
            return None
        # As long as there is a place for what is old, nothing new has been moved in.
        aside = _moved_out(directory, decided / _OLD) if (decided / _OLD).exists() else None
        for path in [*(decided / _NEW).iterdir()] if (decided / _NEW).exists() else []:
            path.rename(directory / path.name)
        _sync(directory)
        shutil.rmtree(decided)
        return aside


def _moved_out(directory: Path, old: Path) -> Path | None:
    for name in _OWN:
        if (directory / name).exists():
            (directory / name).rename(old / name)
    _sync(old)
    _sync(directory)
    aside = None
    if any(old.iterdir()):
        aside = _free(directory / f"replaced-{moment(clock.now(), 'UTC'):%Y-%m-%dT%H-%M-%S}")
        old.rename(aside)
    else:
        old.rmdir()
    _sync(directory)
    return aside


def _free(path: Path) -> Path:
    number, found = 1, path
    while found.exists():
        number, found = number + 1, path.with_name(f"{path.name}-{number + 1}")
    return found


def has_store(directory: Path) -> bool:
    """Tell whether there is a store in a directory, or one that is just being put there."""
    return (directory / FILE).exists() or (directory / _DECIDED / _NEW / FILE).exists()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

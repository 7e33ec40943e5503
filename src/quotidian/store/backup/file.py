"""The file that a backup is written to: it has its name when all of it is on the disk, and not before."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from quotidian.errors import DiskFullError, SettingError, StoreBusyError


@contextmanager
def written(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Give what is to be written to; at the end it gets its name, and when something fails it goes.

    What a killed process left of it is written over.

    Raises
    ------
    SettingError
        When there is such a file and it is not to be replaced, or no such directory.
    StoreBusyError
        When another process writes it.
    DiskFullError
        When there is no space.
    """
    path = path.expanduser()
    if not path.parent.is_dir():
        raise SettingError(f"There is no directory {path.parent}.", "Make it, or name another place.")
    _refuse_there(path, replace=replace)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with full_disk(path.parent), _private(unfinished) as file:
        _take(file, path)
        try:
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
            _refuse_there(path, replace=replace)
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    _sync(path.parent)


def _private(path: Path) -> BinaryIO:
    """Open a file that only its owner may read; what is in it stays for now, as somebody may be writing it."""
    # A link that somebody laid in a directory for all leads nowhere.
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "r+b")


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Say in our words that the space has ended.

    Raises
    ------
    DiskFullError
        When it has.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder) from error
        raise


def refuse_little_space(folder: Path, needed: int) -> None:
    """Refuse to begin what there is no space for.

    Raises
    ------
    DiskFullError
        When fewer bytes than needed are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _full(folder, f": {needed / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB are free")


def _full(folder: Path, figures: str = "") -> DiskFullError:
    return DiskFullError(
        f"No space is left for the backup in {folder.resolve()}{figures}.", "Free some, or name another place."
    )


def _refuse_there(path: Path, *, replace: bool) -> None:
    if path.is_dir():
        raise SettingError(f"{path} is a directory.", "Name a file in it, such as quotidian.tar.")
    if path.exists() and not replace:
        raise SettingError(f"There is a file {path} already.", "Name another one, or write over it with --replace.")


def _take(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreBusyError(f"Another process writes {path}.", "Wait until it has ended.") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

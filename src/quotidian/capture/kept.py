"""Small records that outlive the process: written whole or not at all."""

import errno
import os
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog

from quotidian.errors import CorruptError, DiskFullError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_log: Final = structlog.get_logger(service="capture")

T = TypeVar("T")


def keep(path: Path, data: Any) -> None:
    """Replace a file by a record as JSON; it is on disk when this returns.

    Raises
    ------
    DiskFullError
        When there is no room; the file is then as it was.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.touch(mode=0o600)  # what happens in a home is nobody else's business
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(data))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync(path.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"No space is left to write {path}.", "Free some: it goes on by itself.") from error
        raise CorruptError(f"{path} cannot be written: {error.strerror}.", "Check the disk and the rights.") from error


def kept(path: Path, kind: type[T]) -> T | None:
    """Read a record back; ``None`` when there is none. A damaged one is set aside: what it told is found anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeError) as error:
        aside = path.with_name(path.name + ".damaged")
        path.replace(aside)
        _log.warning("a damaged record was set aside", file=str(aside), reason=str(error))
        return None


def sync(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The directory of a spool: who holds it, and the name of the stream in it."""

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from quotidian.errors import DiskFullError, QuotidianError, StoreBusyError, StoreRefusedError

#: What the system says of a file whose bytes are lost; anything else (too many open files) may pass.
LOST: Final = frozenset({errno.EIO, errno.EBADMSG, errno.EUCLEAN, errno.ENOENT})


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system says about a spool's directory into an error of ours."""
    try:
        yield
    except OSError as error:
        raise _named(place, error) from error


def _named(place: Path, error: OSError) -> QuotidianError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"No space is left for the spool in {place}.",
            "Free some space; what waits in memory is written as soon as there is some.",
        )
    return StoreRefusedError(
        f"The spool in {place} cannot be used ({error.strerror}).",
        "Give Quotidian a directory on a sound disk that it may write, by QUOTIDIAN_SPOOL.",
    )


def lock(directory: Path) -> int:
    """Take the exclusive right to a directory; it ends when the descriptor is closed.

    Raises
    ------
    StoreBusyError
        When another process, or another spool in this one, holds it.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # On a full disk the lock holds without a name, so that a spool can still be drained there.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
        os.close(descriptor)
        raise StoreBusyError(
            f"The spool in {directory} is in use by process {holder}.",
            "Wait until that process ends, or stop it, then run this again.",
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def stream_in(directory: Path, *, begun: bool) -> str:
    """Give the name of the stream: the one that is written there, or a new one.

    A log that is not ``begun`` starts with number 1 again, so it gets a new name even where an old one is left.
    """
    path = directory / "stream"
    if begun:
        with suppress(ValueError):
            return str(uuid.UUID(content_of(path).decode("ascii")))
    return fresh_stream_in(directory)


def fresh_stream_in(directory: Path) -> str:
    """Give the stream a new name."""
    stream = str(uuid.uuid4())
    replace(directory / "stream", stream.encode(), durable=True)
    return stream


def content_of(path: Path) -> bytes:
    """Give the content of a small file; nothing where that is lost."""
    try:
        return path.read_bytes()
    except OSError as error:
        if error.errno in LOST:
            return b""
        raise


def replace(path: Path, content: bytes, *, durable: bool) -> None:
    """Put a small file in the place of another, wholly or not at all; its name becomes durable with the next commit."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

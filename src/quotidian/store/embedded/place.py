"""The directory of a store: who may use it, and whether it can hold one."""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from quotidian.errors import DiskFullError, StoreBusyError, StoreRefusedError

#: What happens in a home is nobody else's business: the mode of a store's directories, and of its database.
PRIVATE: Final = 0o700
PRIVATE_FILE: Final = 0o600
#: Filesystems on which locks or the order of writes cannot be relied on.
NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "ncpfs", "lustre"}
)
_NETWORK_FUSE: Final = re.compile(r"fuse\.(sshfs|s3fs|rclone|glusterfs|ceph|gcsfuse|goofys|davfs|smbnetfs|curlftpfs)")
_MOUNTS: Final = Path("/proc/mounts")


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system says about a place into an error of ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(place) from error
        raise StoreRefusedError(
            f"The store in {place} cannot be written ({error.strerror}).",
            "Give Quotidian a directory that it may write, by QUOTIDIAN_DATA.",
        ) from error


def disk_full(place: Path) -> DiskFullError:
    """Say that no space is left at a place."""
    return DiskFullError(f"No space is left for the store in {place}.", "Free some space, then run this again.")


class Lock:
    """The exclusive right to a directory, held from construction until ``release`` or the end of the process.

    Raises
    ------
    StoreBusyError
        When another process holds it.
    """

    def __init__(self, directory: Path) -> None:
        with disk_errors(directory):
            self._descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take(directory)
            except BaseException:
                os.close(self._descriptor)
                raise

    def _take(self, directory: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = (os.pread(self._descriptor, 32, 0).decode().split() or ["unknown"])[0]
            raise StoreBusyError(
                f"The store in {directory} is in use by process {holder}.",
                "Wait until that process ends, or stop it, then run this again.",
            ) from None
        self._record(str(os.getpid()))

    def _record(self, holder: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, holder.encode(), 0)

    def announce(self, address: str) -> None:
        """Record the address (host:port) at which the holder serves the store."""
        self._record(f"{os.getpid()} {address}")

    @staticmethod
    def address(directory: Path) -> str | None:
        """Give the address that the holder of a directory recorded, or ``None``."""
        try:
            told = (directory / "lock").read_text().split()
        except (OSError, UnicodeDecodeError):
            return None
        return told[1] if len(told) > 1 else None

    def release(self) -> None:
        """Give the right back."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def refuse_network(directory: Path, mounts: str | None = None) -> None:
    """Refuse a directory on a network filesystem.

    Parameters
    ----------
    directory
        Where the store is to live; it need not exist yet.
    mounts
        The table of mounts in the format of ``/proc/mounts``; by default the system's.

    Raises
    ------
    StoreRefusedError
        When it lies on one.
    """
    if mounts is None:
        mounts = _MOUNTS.read_text() if _MOUNTS.exists() else ""
    kind = _filesystem(directory.resolve(), mounts)
    if kind in NETWORK or _NETWORK_FUSE.fullmatch(kind):
        raise StoreRefusedError(
            f"The directory {directory} lies on a network filesystem ({kind}), where a store can be damaged.",
            "Choose a directory on a local disk, by QUOTIDIAN_DATA.",
        )


def _filesystem(path: Path, mounts: str) -> str:
    found, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, point, filesystem, *_ = line.split(" ")
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point))
        if path.is_relative_to(mounted) and mounted.is_relative_to(found):
            found, kind = mounted, filesystem
    return kind

"""What must hold before services can start."""

import errno
import socket
from enum import StrEnum
from pathlib import Path
from typing import Final

from quotidian.errors import SettingError

_PROBE: Final = ".writable"


class Service(StrEnum):
    """The services, in the order in which they start; they stop in the opposite one."""

    STORE = "store"
    ENRICH = "enrich"
    CAPTURE = "capture"
    ADMIN = "admin"


def refuse_small_system(largest: int) -> None:
    """Refuse a 32-bit Python, for which the libraries have no packages.

    Raises
    ------
    SettingError
        When its largest index (``sys.maxsize``) is one of 32 bits.
    """
    if largest < 2**32:
        raise SettingError(
            "This is a 32-bit Python, which the libraries do not support.",
            "Install a 64-bit system; a Raspberry Pi 3 or newer can run one.",
        )


def refuse_taken_port(host: str, port: int, service: str) -> None:
    """Refuse an address at which something listens already, or none can.

    Raises
    ------
    SettingError
        When it cannot be listened at.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingError(
                f"Port {port}, which {service} needs, is in use.",
                "`quotidian status` tells whether Quotidian runs already; else choose others with --port.",
            ) from error
        raise SettingError(
            f"{service} cannot listen at {host} port {port} ({error.strerror}).",
            "Set QUOTIDIAN_HOST to an address of this machine, and choose ports above 1023.",
        ) from error


def refuse_unwritable(directory: Path) -> None:
    """Refuse a data directory in which nothing can be written; it is made when it is not there.

    Raises
    ------
    SettingError
        When it cannot be made or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / _PROBE).touch()
        (directory / _PROBE).unlink()
    except OSError as error:
        raise SettingError(
            f"The data directory {directory} cannot be written ({error.strerror}).",
            "Choose another with --data or QUOTIDIAN_DATA, or give it to the user who runs this.",
        ) from error

"""What must hold before services can start."""

import errno
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Final

from quotidian.errors import SettingError, UnreachableError
from quotidian.operate.asking import health_of
from quotidian.service.run import listening
from quotidian.settings import Settings

#: Where a service that listens everywhere is asked.
_OWN: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - looked up, not listened at


class Service(StrEnum):
    """The services, in the order in which they start; they stop in the opposite one."""

    STORE = "store"
    ENRICH = "enrich"
    CAPTURE = "capture"
    LEARN = "learn"
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


def refuse_taken_port(settings: Settings, service: Service) -> None:
    """Refuse a port at which something listens already, or none can.

    Raises
    ------
    SettingError
        When the service cannot listen there.
    """
    host, port = settings.text("QUOTIDIAN_HOST"), settings.port(service)
    try:
        with listening(host, port):
            pass
    except SettingError as error:
        if _is_taken(error) and _runs(service, host, port):
            raise SettingError(
                f"Quotidian's {service} runs here already, at port {port}.",
                "`quotidian status` tells how it is. Stop it first, or give this one another --port.",
            ) from error
        raise


def _is_taken(error: SettingError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE


def _runs(service: str, host: str, port: int) -> bool:
    place = _OWN.get(host, f"[{host}]" if ":" in host else host)
    try:
        health_of(service, f"http://{place}:{port}", patience=1)
    except UnreachableError:
        return False
    return True


def refuse_unwritable(directory: Path) -> None:
    """Refuse a data directory in which nothing can be written; it is made when it is not there.

    Raises
    ------
    SettingError
        When it cannot be made or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file without a name: several services may look at the same time.
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise SettingError(
            f"The data directory {directory} cannot be written ({error.strerror}).",
            "Choose another with --data or QUOTIDIAN_DATA, or give it to the user who runs this.",
        ) from error

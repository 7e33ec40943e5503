"""The machine: its Python, and whether this is a container."""

import platform
import sys
from pathlib import Path

from quotidian import __version__
from quotidian.errors import SettingError
from quotidian.operate.checks.check import Check
from quotidian.operate.conditions import refuse_small_system

_OLDEST, _NEWEST = (3, 11), (3, 13)
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


def machine_checks() -> list[Check]:
    """Tell the versions, and whether the libraries support this machine."""
    return [_versions(), bits_check(sys.maxsize)]


def in_container() -> bool:
    """Tell whether this is a container of Docker or Podman."""
    return any(mark.exists() for mark in _CONTAINERS)


def bits_check(largest: int) -> Check:
    """Tell by its largest index (``sys.maxsize``) whether a Python is one of 64 bits."""
    try:
        refuse_small_system(largest)
    except SettingError as error:
        return Check.of("machine", error)
    where = ", in a container" if in_container() else ""
    return Check("machine", "ok", f"{platform.machine()}, 64 bits{where}.")


def _versions() -> Check:
    told = f"Quotidian {__version__} on Python {platform.python_version()}."
    if not _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return Check("version", "warning", told, "It is tested with Python 3.11, 3.12 and 3.13; use one of these.")
    return Check("version", "ok", told)

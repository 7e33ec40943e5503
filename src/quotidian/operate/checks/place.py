"""The data directory: whether it can be written, how much fits, and what lies beneath."""

import os
import shutil
from pathlib import Path

from quotidian.errors import QuotidianError
from quotidian.operate.checks.check import Check
from quotidian.operate.conditions import refuse_unwritable
from quotidian.settings import Settings
from quotidian.store.connect import refuse_network

_MEGABYTE = 1_000_000
_LEAST = 200  #: megabytes, below which nothing works for long
_COMFORT = 1_000  #: megabytes beyond the spool's quota: about a year of a large home's events
_CARDS = ("mmcblk", "mtdblock")


def place_checks(settings: Settings) -> list[Check]:
    """Look at the directory in which everything is kept."""
    directory = Path(settings.text("QUOTIDIAN_DATA")).expanduser()
    try:
        refuse_unwritable(directory)
        refuse_network(directory)
        quota = settings.number("QUOTIDIAN_SPOOL_QUOTA")
    except QuotidianError as error:
        return [Check.of("data", error)]
    free = shutil.disk_usage(directory).free / _MEGABYTE
    return [space_check(directory, free, quota), *card_checks(device_of(directory), settings)]


def space_check(directory: Path, free: float, quota: float) -> Check:
    """Judge the free space (megabytes) by what the spool may take."""
    told = f"{directory} can be written; {free:,.0f} MB are free."
    if free < _LEAST:
        return Check("data", "problem", told, "Free some space: below 200 MB events cannot be kept for long.")
    if free < quota + _COMFORT:
        remedy = f"Free some space, or lower QUOTIDIAN_SPOOL_QUOTA ({quota:,.0f} MB may wait there during an outage)."
        return Check("data", "warning", told, remedy)
    return Check("data", "ok", told)


def card_checks(device: str, settings: Settings) -> list[Check]:
    """Say how to spare an SD card, where the directory lies on one."""
    if not device.startswith(_CARDS):
        return []
    interval = settings.number("QUOTIDIAN_COMMIT_INTERVAL")
    told = f"The data lies on an SD card ({device}), which wears out by being written."
    if interval < 1:
        remedy = f"Set QUOTIDIAN_COMMIT_INTERVAL to 2 or more (now {interval:g}), or use an SSD."
        return [Check("data", "warning", told, remedy)]
    return [
        Check("data", "ok", f"{told} Events are written every {interval:g} s, which spares it; an SSD lasts longer.")
    ]


def device_of(directory: Path) -> str:
    """Give the name of the block device beneath a directory, empty where the system does not tell."""
    number = directory.stat().st_dev
    link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return link.resolve().name if link.exists() else ""

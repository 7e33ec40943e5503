"""The settings: whether each can be used, where it was found, and which do nothing."""

from collections.abc import Callable
from functools import partial
from typing import Final

from quotidian.errors import SettingError
from quotidian.learn.schedule import SCHEDULED, cron
from quotidian.operate.checks.check import Check
from quotidian.settings import SETTINGS, Settings, nearest
from quotidian.store.retention import losses, refuse_short

_DAYS: Final = (
    "QUOTIDIAN_HISTORY_DAYS",
    "QUOTIDIAN_RETENTION_RAW",
    "QUOTIDIAN_RETENTION_DAILY",
    "QUOTIDIAN_RETENTION_WEEKLY",
    "INFLUXDB_RETENTION_RAW",
    "INFLUXDB_RETENTION_DAILY",
    "INFLUXDB_RETENTION_WEEKLY",
)
_NUMBERS: Final = ("QUOTIDIAN_COMMIT_INTERVAL", "QUOTIDIAN_SPOOL_QUOTA")
_FLAGS: Final = ("HA_VERIFY_TLS", "QUOTIDIAN_OPEN_READING")
_LEVELS: Final = ("debug", "info", "warning", "error")


def settings_checks(settings: Settings) -> list[Check]:
    """Look at every setting."""
    unusable = _unusable(settings)
    return [*unusable, *([] if unusable else _short(settings)), *_misspelt(settings), _found(settings)]


def _unusable(settings: Settings) -> list[Check]:
    readings: list[tuple[Callable[[str], object], str]] = [
        *((settings.days, name) for name in _DAYS),
        *((settings.number, name) for name in _NUMBERS),
        *((settings.flag, name) for name in _FLAGS),
        *((partial(cron, settings), name) for name in SCHEDULED.values()),
        (settings.port, "capture"),
    ]
    found = []
    for read, name in readings:
        try:
            read(name)
        except SettingError as error:
            found.append(Check.of("settings", error))
    level = settings.text("QUOTIDIAN_LOG_LEVEL")
    if level.lower() not in _LEVELS:
        remedy = f"Set it to one of {', '.join(_LEVELS)}."
        found.append(Check("settings", "problem", f"QUOTIDIAN_LOG_LEVEL is {level!r}.", remedy))
    return found


def _short(settings: Settings) -> list[Check]:
    """Tell where things are kept for less than learning needs, or than it could use."""
    try:
        refuse_short(settings)
    except SettingError as error:
        return [Check.of("settings", error)]
    return [
        Check("settings", "warning", sentence, "Keep them for longer, or leave it: nothing else is lost.")
        for sentence in losses(settings)
    ]


def _misspelt(settings: Settings) -> list[Check]:
    """Tell names that look like ours and are none; only their names, never their values."""
    return [
        Check("settings", "warning", f"{name} is set, but is no setting.", _meant(name))
        for name in settings.strangers
        if name.startswith("QUOTIDIAN_") or nearest(name)  # other programs have names with HA_, too
    ]


def _meant(name: str) -> str:
    close = nearest(name)
    return f"Did you mean {close}?" if close else "docs/settings.md lists them."


def _found(settings: Settings) -> Check:
    told = [f"{one.name} ({settings.origin(one.name)})" for one in SETTINGS if settings.origin(one.name)]
    return Check("settings", "ok", f"Set: {', '.join(told)}." if told else "All settings have their defaults.")

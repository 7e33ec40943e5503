"""Every setting, in one table: its name, its default, and what it is for."""

import os
from collections.abc import Mapping
from typing import Final

import msgspec

from quotidian.errors import SettingError


class Setting(msgspec.Struct, frozen=True):
    """One setting. ``name`` is the environment variable, ``secret`` keeps its value out of every output."""

    name: str
    default: str
    help: str
    secret: bool = False


SETTINGS: Final = (
    Setting("HA_URL", "", "Home Assistant's address, such as http://homeassistant.local:8123; its app needs none."),
    Setting("HA_TOKEN", "", "A long-lived access token of Home Assistant, best of an administrator.", secret=True),
    Setting("HA_VERIFY_TLS", "true", "Whether Home Assistant's certificate must be one that others trust."),
    Setting("QUOTIDIAN_DATA", "~/.local/share/quotidian", "The directory in which the store lives."),
    Setting("QUOTIDIAN_INCLUDE", "", "Entities to keep, as patterns with * parted by commas; empty keeps all."),
    Setting("QUOTIDIAN_EXCLUDE", "", "Entities to leave out, as patterns with * parted by commas."),
    Setting(
        "QUOTIDIAN_ATTRIBUTES",
        "brightness,color_temp_kelvin,current_position,current_temperature,temperature,hvac_action,preset_mode,"
        "percentage,volume_level,source,media_content_type,event_type,humidity,wind_speed",
        "The only attributes that are kept, parted by commas.",
    ),
    Setting("QUOTIDIAN_MACHINES", "", "Ids of Home Assistant's users that are programs, parted by commas."),
    Setting("QUOTIDIAN_HISTORY_DAYS", "3650", "Days of history to fetch from Home Assistant at first."),
    Setting("QUOTIDIAN_COMMIT_INTERVAL", "2", "Seconds for which events are gathered before they are written to disk."),
    Setting(
        "QUOTIDIAN_SPOOL",
        "",
        "Where events wait until they are stored; empty is spool within QUOTIDIAN_DATA.",
    ),
    Setting("QUOTIDIAN_SPOOL_QUOTA", "1024", "Megabytes that it may hold; beyond that the gap is filled later."),
    Setting("QUOTIDIAN_HOST", "127.0.0.1", "The address at which the services listen."),
    Setting("QUOTIDIAN_PORT", "8001", "Capture's port; enrich, admin and store take the three that follow."),
    Setting("QUOTIDIAN_OPEN_READING", "false", "Whether reading needs no token where others can reach the services."),
    Setting("QUOTIDIAN_SECRET", "", "The services' shared secret; empty makes one in QUOTIDIAN_DATA.", secret=True),
    Setting("QUOTIDIAN_CAPTURE_URL", "", "Where capture is; empty is this machine."),
    Setting("ENRICHMENT_PIPELINE_URL", "", "Where enrich is; empty is this machine."),
    Setting("DATA_STORAGE_URL", "", "Where the store is; empty is this machine."),
    Setting("QUOTIDIAN_LOG_LEVEL", "info", "How much is logged: debug, info, warning or error."),
    Setting("QUOTIDIAN_RETENTION_RAW", "365", "Days for which raw events are kept."),
    Setting("QUOTIDIAN_RETENTION_DAILY", "90", "Days for which daily summaries are kept."),
    Setting("QUOTIDIAN_RETENTION_WEEKLY", "364", "Days for which weekly summaries are kept; monthly ones stay."),
)

#: Each service's port, counted from ``QUOTIDIAN_PORT``.
PORTS: Final = {"capture": 0, "enrich": 1, "admin": 2, "store": 3}

_URLS: Final = {
    "capture": "QUOTIDIAN_CAPTURE_URL",
    "enrich": "ENRICHMENT_PIPELINE_URL",
    "store": "DATA_STORAGE_URL",
}
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The settings in force: the environment's where it has them, else the defaults."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._values = {s.name: environment.get(s.name) or s.default for s in SETTINGS}

    def text(self, name: str) -> str:
        """Give a setting as text."""
        return self._values[name]

    def words(self, name: str) -> tuple[str, ...]:
        """Give a setting as words parted by commas."""
        return tuple(word.strip() for word in self._values[name].split(",") if word.strip())

    def days(self, name: str) -> int:
        """Give a setting as a number of days, at least 1.

        Raises
        ------
        SettingError
            When it is not such a number.
        """
        value = self._values[name]
        if not value.isdecimal() or int(value) < 1:
            raise SettingError(f"{name} is {value!r}.", f"Set it to a whole number of days ({_BY_NAME[name].default}).")
        return int(value)

    def number(self, name: str) -> float:
        """Give a setting as a number, at least 0.

        Raises
        ------
        SettingError
            When it is not such a number.
        """
        try:
            value = float(self._values[name])
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise SettingError(f"{name} is {self._values[name]!r}.", f"Set it to a number ({_BY_NAME[name].default}).")
        return value

    def flag(self, name: str) -> bool:
        """Give a setting as yes or no.

        Raises
        ------
        SettingError
            When it is neither.
        """
        value = self._values[name].strip().lower()
        if value not in _YES | _NO:
            raise SettingError(f"{name} is {self._values[name]!r}.", "Set it to true or false.")
        return value in _YES

    def port(self, service: str) -> int:
        """Give the port of a service (see ``PORTS``).

        Raises
        ------
        SettingError
            When the setting is no port.
        """
        base = self.number("QUOTIDIAN_PORT")
        if base != int(base) or not 1 <= base <= 65_000:
            raise SettingError(f"QUOTIDIAN_PORT is {self._values['QUOTIDIAN_PORT']!r}.", "Set it to a port (8001).")
        return int(base) + PORTS[service]

    def url(self, service: str) -> str:
        """Give the address of a service: the one that is set, else that of this machine."""
        told = self._values[_URLS[service]] if service in _URLS else ""
        return told.rstrip("/") or f"http://127.0.0.1:{self.port(service)}"

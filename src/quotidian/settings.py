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
    Setting("QUOTIDIAN_DATA", "~/.local/share/quotidian", "The directory in which the store lives."),
    Setting("QUOTIDIAN_INCLUDE", "", "Entities to keep, as patterns with * parted by commas; empty keeps all."),
    Setting("QUOTIDIAN_EXCLUDE", "", "Entities to leave out, as patterns with * parted by commas."),
    Setting(
        "QUOTIDIAN_ATTRIBUTES",
        "brightness,color_temp_kelvin,current_position,current_temperature,temperature,hvac_action,preset_mode,"
        "percentage,volume_level,source,media_content_type,event_type,humidity,wind_speed",
        "The only attributes that are kept, parted by commas.",
    ),
    Setting("QUOTIDIAN_RETENTION_RAW", "365", "Days for which raw events are kept."),
    Setting("QUOTIDIAN_RETENTION_DAILY", "90", "Days for which daily summaries are kept."),
    Setting("QUOTIDIAN_RETENTION_WEEKLY", "364", "Days for which weekly summaries are kept; monthly ones stay."),
)

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

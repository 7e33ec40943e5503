"""Every setting, in one table: its name, its default, and what it is for; and where its value comes from.

A value is looked for in the environment, then in ``.env`` in the working directory, then in ``quotidian.toml`` there or
in ``~/.config/quotidian``; the first that has one counts. Each of them may name a file instead, as ``NAME_FILE``, which
is how secrets come into containers.
"""

import difflib
import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import msgspec
from dotenv.parser import parse_stream

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
    Setting("QUOTIDIAN_NAMES", "", "Other names under which browsers may reach the services, parted by commas."),
    Setting("QUOTIDIAN_PORT", "8001", "Capture's port; enrich, admin, store and learn take those that follow."),
    Setting("QUOTIDIAN_OPEN_READING", "false", "Whether reading needs no token where others can reach the services."),
    Setting("QUOTIDIAN_SECRET", "", "The services' shared secret; empty makes one in QUOTIDIAN_DATA.", secret=True),
    Setting("QUOTIDIAN_TOKENS", "", "The file of tokens' hashes; empty is tokens.json in QUOTIDIAN_DATA."),
    Setting("QUOTIDIAN_CAPTURE_URL", "", "Where capture is; empty is this machine."),
    Setting("ENRICHMENT_PIPELINE_URL", "", "Where enrich is; empty is this machine."),
    Setting("QUOTIDIAN_ADMIN_URL", "", "Where admin is; empty is this machine."),
    Setting("DATA_STORAGE_URL", "", "Where the store is; empty is this machine."),
    Setting("QUOTIDIAN_LOG_LEVEL", "info", "How much is logged: debug, info, warning or error."),
    Setting("QUOTIDIAN_LEARN_URL", "", "Where learn is; empty is this machine."),
    Setting(
        "ANALYSIS_SCHEDULE", "0 3 * * *", "When the day before is learned from, as cron writes it, in the home's zone."
    ),
    Setting("WEEKLY_ANALYSIS_SCHEDULE", "0 3 * * 0", "When the week before is learned from; 0 and 7 are Sunday."),
    Setting("MONTHLY_ANALYSIS_SCHEDULE", "0 3 1 * *", "When the month before is learned from."),
    Setting("QUOTIDIAN_STORE", "embedded", "Where finished days and summaries lie: embedded (files) or influx."),
    Setting("QUOTIDIAN_RETENTION_RAW", "365", "Days for which raw events are kept."),
    Setting("QUOTIDIAN_RETENTION_DAILY", "90", "Days for which daily summaries are kept."),
    Setting("QUOTIDIAN_RETENTION_WEEKLY", "364", "Days for which weekly summaries are kept; monthly ones stay."),
    Setting("INFLUXDB_URL", "http://127.0.0.1:8086", "The address of the InfluxDB 2 server."),
    Setting("INFLUXDB_TOKEN", "", "The token for InfluxDB.", secret=True),
    Setting("INFLUXDB_ORG", "", "The organisation in InfluxDB."),
    Setting("INFLUXDB_BUCKET_RAW", "home_assistant_events", "The bucket of raw events."),
    Setting("INFLUXDB_BUCKET_DAILY", "pattern_aggregates_daily", "The bucket of daily summaries."),
    Setting("INFLUXDB_BUCKET_WEEKLY", "pattern_aggregates_weekly", "The bucket of weekly and monthly summaries."),
    Setting("INFLUXDB_RETENTION_RAW", "7d", "How long InfluxDB keeps raw events: days (7d) or weeks (52w)."),
    Setting("INFLUXDB_RETENTION_DAILY", "90d", "How long InfluxDB keeps daily summaries."),
    Setting("INFLUXDB_RETENTION_WEEKLY", "52w", "How long InfluxDB keeps weekly summaries."),
)

#: Each service's port, counted from ``QUOTIDIAN_PORT``.
PORTS: Final = {"capture": 0, "enrich": 1, "admin": 2, "store": 3, "learn": 4}

#: The setting with each service's address.
URLS: Final = {
    "capture": "QUOTIDIAN_CAPTURE_URL",
    "enrich": "ENRICHMENT_PIPELINE_URL",
    "admin": "QUOTIDIAN_ADMIN_URL",
    "store": "DATA_STORAGE_URL",
    "learn": "QUOTIDIAN_LEARN_URL",
}
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_FILE: Final = "_FILE"
_OURS: Final = ("QUOTIDIAN_", "HA_")
_HIDDEN: Final = "(hidden)"
_MOST_DAYS: Final = 3_650_000


class Origin(NamedTuple):
    """A value, and where it was found."""

    value: str
    place: str


class Settings:
    """The settings in force.

    Examples
    --------
    >>> settings = Settings({"HA_TOKEN": "canary", "QUOTIDIAN_PORT": "9001"})
    >>> settings
    Settings(HA_TOKEN=(hidden), QUOTIDIAN_PORT='9001')
    >>> settings.url("enrich"), settings.replaced(QUOTIDIAN_PORT="7001").port("capture")
    ('http://127.0.0.1:9002', 7001)

    Parameters
    ----------
    environment
        Names and values; by default those of the process, and then the files of ``directory`` count too.
    directory
        Where ``.env`` and ``quotidian.toml`` are looked for; by default the working directory, or nowhere when an
        environment is given.

    Raises
    ------
    SettingError
        When a file that is named cannot be read, or ``quotidian.toml`` says something that is no setting.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, *, directory: Path | None = None) -> None:
        if environment is None:
            environment, directory = os.environ, directory or Path()
        self._environment, self._directory = environment, directory
        self._given: dict[str, Origin] = {}
        self._origins = self._found()
        self._supervised = environment.get("SUPERVISOR_TOKEN", "")

    def __repr__(self) -> str:
        """Show what is set, without secrets."""
        told = {name: one.value for name, one in self._origins.items() if one.place}
        shown = (f"{name}={_HIDDEN if _BY_NAME[name].secret else repr(value)}" for name, value in told.items())
        return f"Settings({', '.join(shown)})"

    def replaced(self, **values: str | None) -> Self:
        """Give these settings with other values, those of a command's options; ``None`` keeps what there is."""
        given = {name: Origin(value, "the command") for name, value in values.items() if value is not None}
        return self._other(self._given | given, self._origins | given)

    def again(self) -> Self:
        """Give these settings as they are now: the files may say something else than when they were read.

        Raises
        ------
        SettingError
            As when they were read first.
        """
        return self._other(self._given, self._found() | self._given)

    def _other(self, given: dict[str, Origin], origins: dict[str, Origin]) -> Self:
        other = object.__new__(type(self))
        other._environment, other._directory, other._supervised = self._environment, self._directory, self._supervised
        other._given, other._origins = given, origins
        return other

    def _found(self) -> dict[str, Origin]:
        files = [] if self._directory is None else _files(self._directory)
        sources = [(self._environment, "the environment"), *files]
        return {name: _origin(setting, sources) for name, setting in _BY_NAME.items()}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no output may show: also the token that Home Assistant's supervisor gives its apps."""
        own = [one.value for name, one in self._origins.items() if _BY_NAME[name].secret]
        return tuple(value for value in (*own, self._supervised) if value)

    @property
    def strangers(self) -> tuple[str, ...]:
        """Names in the environment and in ``.env`` that begin like ours and are none."""
        files = [] if self._directory is None else _files(self._directory)
        names = {name for values in (self._environment, *(values for values, _ in files)) for name in values}
        return tuple(sorted(name for name in names if name.startswith(_OURS) and not known(name)))

    def origin(self, name: str) -> str:
        """Tell where a setting's value was found; empty for the default."""
        return self._origins[name].place

    def text(self, name: str) -> str:
        """Give a setting as text."""
        return self._origins[name].value

    def words(self, name: str) -> tuple[str, ...]:
        """Give a setting as words parted by commas."""
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def days(self, name: str) -> int:
        """Give a setting as a number of days, at least 1; it may be written as weeks (``52w``).

        Raises
        ------
        SettingError
            When it is not such a number.
        """
        found = re.fullmatch(r"([0-9]{1,7})([dw]?)", self.text(name).strip())
        days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
        if not 1 <= days <= _MOST_DAYS:
            raise SettingError(
                f"{name} is {self.text(name)!r}.", f"Set it to a whole number of days ({_BY_NAME[name].default})."
            )
        return days

    def number(self, name: str) -> float:
        """Give a setting as a number, at least 0.

        Raises
        ------
        SettingError
            When it is not such a number.
        """
        try:
            value = float(self.text(name))
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise SettingError(f"{name} is {self.text(name)!r}.", f"Set it to a number ({_BY_NAME[name].default}).")
        return value

    def flag(self, name: str) -> bool:
        """Give a setting as yes or no.

        Raises
        ------
        SettingError
            When it is neither.
        """
        value = self.text(name).strip().lower()
        if value not in _YES | _NO:
            raise SettingError(f"{name} is {self.text(name)!r}.", "Set it to true or false.")
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
            raise SettingError(f"QUOTIDIAN_PORT is {self.text('QUOTIDIAN_PORT')!r}.", "Set it to a port (8001).")
        return int(base) + PORTS[service]

    def url(self, service: str) -> str:
        """Give the address of a service: the one that is set, else that of this machine."""
        return self.text(URLS[service]).rstrip("/") or f"http://127.0.0.1:{self.port(service)}"


def nearest(name: str) -> str | None:
    """Give the name of a setting that is spelled most like another one.

    >>> nearest("QUOTIDIAN_EXLUDE"), nearest("HA_TOKN_FILE")
    ('QUOTIDIAN_EXCLUDE', 'HA_TOKEN_FILE')
    """
    files = [setting + _FILE for setting in _BY_NAME] if name.upper().endswith(_FILE) else []
    found = difflib.get_close_matches(name.upper(), [*_BY_NAME, *files], n=1)
    return found[0] if found else None


def known(name: str) -> bool:
    """Tell whether a name is one of a setting, or of a setting's file."""
    return name in _BY_NAME or name.removesuffix(_FILE) in _BY_NAME


def _origin(setting: Setting, sources: list[tuple[Mapping[str, str], str]]) -> Origin:
    for values, place in sources:
        if value := values.get(setting.name):
            return Origin(value, place)
        if file := values.get(setting.name + _FILE):
            return Origin(_content(setting.name + _FILE, Path(file).expanduser()), f"{setting.name}{_FILE} of {place}")
    return Origin(setting.default, "")


def _content(name: str, path: Path) -> str:
    return _text(path, f"{name} names {path}, which cannot be read").rstrip("\r\n")


def _text(path: Path, trouble: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(f"{trouble}: {error.strerror}.", "Name a file that Quotidian may read.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{trouble}: it is not UTF-8 text.", "Write it as plain text.") from error


def _files(directory: Path) -> Iterator[tuple[Mapping[str, str], str]]:
    """Give the values of the files, the first to count first."""
    dotenv = directory / ".env"
    if dotenv.is_file():
        yield _dotenv(dotenv), str(dotenv)
    for place in (directory, Path("~/.config/quotidian").expanduser()):
        path = place / "quotidian.toml"
        if path.is_file():
            yield _toml(path), str(path)
            return


def _dotenv(path: Path) -> dict[str, str]:
    """Read settings from lines of ``NAME=value``, as they are written: a password may hold a ``$``."""
    lines = [*parse_stream(io.StringIO(_text(path, f"{path} cannot be read")))]
    for line in lines:
        if line.error:
            told = line.original.string
            number = line.original.line + told[: len(told) - len(told.lstrip())].count("\n")
            raise SettingError(
                f"Line {number} of {path} cannot be read.",
                "Write one NAME=value a line, such as HA_URL=http://192.168.1.10:8123.",
            )
    return {line.key: line.value or "" for line in lines if line.key}


def _toml(path: Path) -> dict[str, str]:
    """Read settings from a file of TOML, whose keys are their names in lower case."""
    try:
        table = tomllib.loads(_text(path, f"{path} cannot be read"))
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not TOML: {error}.", 'Write lines such as ha_url = "http://…".') from error
    return {key.upper(): _plain(path, key, value) for key, value in table.items()}


def _plain(path: Path, key: str, value: Any) -> str:
    if isinstance(value, dict) and not known(key.upper()):
        raise SettingError(f"{path} has a section [{key}].", "Write the settings without sections.")
    if key != key.lower() or not known(key.upper()):
        close = nearest(key)
        raise SettingError(
            f"{path} has {key!r}, which is no setting.",
            f"Did you mean {close.lower()}?" if close else "docs/settings.md lists them.",
        )
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise SettingError(f"{path} has a {type(value).__name__} for {key}.", "Give it text, a number, or a list of texts.")

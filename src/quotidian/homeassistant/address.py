"""Where Home Assistant is, and what opens it."""

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from quotidian.errors import SettingError
from quotidian.settings import Settings

SUPERVISOR: Final = "ws://supervisor/core/websocket"  #: what an app reaches Home Assistant by
_SUPERVISOR_TOKEN: Final = "SUPERVISOR_TOKEN"  # noqa: S105 - the variable's name
_SOCKET: Final = "/api/websocket"
_SOCKETS: Final = (_SOCKET, "/core/websocket")
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
#: How the address of a running Home Assistant begins.
RUNNING: Final = tuple(f"{scheme}://" for scheme in _SCHEMES)
_EXAMPLE: Final = "Write it like http://192.168.1.10:8123."


class Address(msgspec.Struct, frozen=True):
    """The address of a WebSocket API, and the token that it wants. Its text never shows the token."""

    url: str
    token: str
    verify_tls: bool = True

    @property
    def host(self) -> str:
        """The name or number of the machine."""
        return urlsplit(self.url).hostname or self.url

    @property
    def place(self) -> str:
        """The machine with its port, also where none is written."""
        parts = urlsplit(self.url)
        return f"{self.host}:{parts.port or (443 if parts.scheme == 'wss' else 80)}"

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, verify_tls={self.verify_tls})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url), ("verify_tls", self.verify_tls)]


def address_of(settings: Settings, environment: Mapping[str, str] | None = None) -> Address:
    """Give the address that is set; without one, the supervisor's, where we run as its app.

    Raises
    ------
    SettingError
        When neither is there, or the address or the token is none.
    """
    environment = os.environ if environment is None else environment
    url, token = settings.text("HA_URL"), settings.text("HA_TOKEN")
    supervised = environment.get(_SUPERVISOR_TOKEN, "")
    if not url and supervised:
        return Address(SUPERVISOR, supervised)
    if not url:
        raise SettingError("It is not set where Home Assistant is.", f"Set HA_URL. {_EXAMPLE}")
    if not token:
        raise SettingError(
            "There is no token for Home Assistant.",
            "Make a long-lived access token on your profile page, under Security, and set HA_TOKEN to it.",
        )
    return Address(socket_url(url), _token(token.strip()), settings.flag("HA_VERIFY_TLS"))


def _token(written: str) -> str:
    """Refuse what cannot be a token before Home Assistant does: there each refusal raises a notification."""
    if any(letter.isspace() or letter in "\"'" for letter in written):
        raise SettingError(
            "HA_TOKEN is no token: it holds a blank or a quotation mark.",
            "Set it to the token alone, as Home Assistant showed it: one long word with nothing around it.",
        )
    return written


def socket_url(url: str) -> str:
    """Give the WebSocket's address of an address as people write it.

    Raises
    ------
    SettingError
        When it is none, or holds a secret.

    Examples
    --------
    >>> socket_url("http://homeassistant.local:8123/"), socket_url("wss://home.example/api/websocket")
    ('ws://homeassistant.local:8123/api/websocket', 'wss://home.example/api/websocket')
    """
    parts = _parts(url)
    if parts.username is not None or parts.password is not None or "token" in parts.query.lower():
        raise SettingError(
            "The address of Home Assistant holds a password or token, where others can read it.",
            "Take it out of the address and out of the shell's history; set HA_TOKEN instead.",
        )
    path = parts.path.rstrip("/")
    path = path if path.endswith(_SOCKETS) else path.removesuffix("/api") + _SOCKET
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, "", ""))


def _parts(url: str) -> SplitResult:
    url = url.strip()
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError("The address of Home Assistant cannot be read.", _EXAMPLE)
    return parts

"""Where Home Assistant is, as people write it."""

import pytest

from quotidian.errors import SettingError
from quotidian.homeassistant.address import Address, address_of, socket_url
from quotidian.settings import Settings

CANARY = "canary-3f9c"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://home.example/", "wss://home.example/api/websocket"),
        ("192.168.1.10:8123", "ws://192.168.1.10:8123/api/websocket"),
        (" http://[fd00::1]:8123 ", "ws://[fd00::1]:8123/api/websocket"),
        ("http://ha:8123/api", "ws://ha:8123/api/websocket"),
        ("ws://ha:8123/api/websocket", "ws://ha:8123/api/websocket"),
        ("ws://supervisor/core/websocket", "ws://supervisor/core/websocket"),
        ("https://proxy.example/home", "wss://proxy.example/home/api/websocket"),
        ("http://ha:8123/?redirect=1", "ws://ha:8123/api/websocket"),
    ],
)
def test_addresses_as_people_write_them(written: str, read: str) -> None:
    """Each way to write an address leads to the WebSocket."""
    assert socket_url(written) == read


@pytest.mark.parametrize("written", ["", "http://", "ftp://ha", "http://ha:99999", "http://[", "mqtt:1883:1"])
def test_what_is_no_address(written: str) -> None:
    """What cannot be an address is refused with an example of one."""
    with pytest.raises(SettingError, match=r"http://192\.168\.1\.10:8123"):
        socket_url(written)


@pytest.mark.parametrize("written", [f"http://anna:{CANARY}@ha:8123", f"http://ha:8123/?access_token={CANARY}"])
def test_secrets_in_an_address_are_refused(written: str) -> None:
    """An address with a secret in it is refused, and the secret is not said."""
    with pytest.raises(SettingError) as refused:
        socket_url(written)
    assert CANARY not in str(refused.value)
    assert "HA_TOKEN" in str(refused.value)


def test_settings_come_before_the_supervisor() -> None:
    """An address that is set is used also in an app; without one the supervisor's is."""
    supervised = {"SUPERVISOR_TOKEN": "given"}
    both = Settings({"HA_URL": "https://ha.example", "HA_TOKEN": " mine\n", "HA_VERIFY_TLS": "no"})
    assert address_of(both, supervised) == Address("wss://ha.example/api/websocket", "mine", verify_tls=False)
    assert address_of(Settings({}), supervised) == Address("ws://supervisor/core/websocket", "given")


@pytest.mark.parametrize(("settings", "named"), [({}, "HA_URL"), ({"HA_URL": "http://ha:8123"}, "HA_TOKEN")])
def test_what_is_not_set_is_named(settings: dict[str, str], named: str) -> None:
    """Without an address or a token the setting is named that is missing."""
    with pytest.raises(SettingError, match=f"Set {named}|set {named}"):
        address_of(Settings(settings), {})


@pytest.mark.parametrize("written", [f"Bearer {CANARY}", f'"{CANARY}"', f"{CANARY}\n{CANARY}"])
def test_what_is_no_token_is_refused_here(written: str) -> None:
    """A token with something around it is refused before Home Assistant sees it, and is not said."""
    with pytest.raises(SettingError, match="HA_TOKEN is no token") as refused:
        address_of(Settings({"HA_URL": "http://ha:8123", "HA_TOKEN": written}), {})
    assert CANARY not in str(refused.value)


def test_token_is_not_shown() -> None:
    """No text that is made of an address holds its token."""
    address = Address("ws://ha:8123/api/websocket", CANARY)
    assert CANARY not in f"{address} {address!r} {address.__rich_repr__()}"

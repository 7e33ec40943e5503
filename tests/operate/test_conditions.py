"""Services start only where they can, and otherwise say what to change."""

import io
import os
import socket
import sys
from pathlib import Path

import pytest
from rich.console import Console

from quotidian.errors import SettingError
from quotidian.operate import running
from quotidian.operate.conditions import Service, refuse_small_system, refuse_taken_port, refuse_unwritable
from quotidian.settings import Settings

from .conftest import ran


def test_a_32_bit_python_is_refused() -> None:
    """Its largest index tells; this one is not refused."""
    with pytest.raises(SettingError, match=r"32-bit Python.*64-bit system"):
        refuse_small_system(2**31 - 1)
    refuse_small_system(sys.maxsize)


def test_a_taken_port_is_refused() -> None:
    """A port at which another program listens is named, and one that is free is not taken away."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = Settings({"QUOTIDIAN_PORT": str(other.getsockname()[1])})
        with pytest.raises(SettingError, match=f"Port {settings.port('capture')} is in use"):
            refuse_taken_port(settings, Service.CAPTURE)
    for _ in range(2):
        refuse_taken_port(settings, Service.CAPTURE)


def test_an_address_of_another_machine_is_refused() -> None:
    """Nobody can listen at an address that is not this machine's."""
    with pytest.raises(SettingError, match="no address of this machine"):
        refuse_taken_port(Settings({"QUOTIDIAN_HOST": "192.0.2.1"}), Service.STORE)


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/version").exists(), reason="root may write everywhere here")
@pytest.mark.parametrize("place", ["/proc/quotidian", "/dev/null/quotidian"])
def test_a_place_that_cannot_be_written_is_refused(place: str) -> None:
    """The directory is named, with what else to do."""
    with pytest.raises(SettingError, match=rf"{place} cannot be written .*--data"):
        refuse_unwritable(Path(place))


def test_a_place_that_can_be_written_is_made_for_us_alone(tmp_path: Path) -> None:
    """It is made with its parents, others may not look into it, and nothing is left behind."""
    place = tmp_path / "some" / "where"
    refuse_unwritable(place)
    assert place.stat().st_mode & 0o777 == 0o700
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("command", [["up"], ["serve", "store"]])
def test_starting_where_it_cannot_work_is_an_error_in_a_sentence(command: list[str]) -> None:
    """Nothing is started, and the exit code is 1."""
    told = ran(*command, "--data", "/proc/quotidian", "--port", 64_000)
    assert told.code == 1
    assert "The data directory /proc/quotidian cannot be written" in told.errors


def test_the_first_token_is_shown_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a token already is shown none; without a terminal none is made."""
    settings, shown = Settings({"QUOTIDIAN_DATA": str(tmp_path)}), io.StringIO()
    for terminal in (False, True, True):
        screen = Console(file=shown, force_terminal=True, soft_wrap=True)
        monkeypatch.setattr(shown, "isatty", lambda terminal=terminal: terminal, raising=False)
        monkeypatch.setattr(running, "answers", screen)
        monkeypatch.setattr(running, "say", screen.print)
        running.greet(settings)
    assert shown.getvalue().count("http://127.0.0.1:8003") == 3
    assert shown.getvalue().count("qt_") == 1


def test_an_unknown_service_is_refused() -> None:
    """The services that there are are named."""
    told = ran("serve", "everything")
    assert told.code == 2
    assert all(service in told.errors for service in Service)

"""Every setting is documented, and refuses what it cannot use."""

from pathlib import Path

import pytest

from quotidian.errors import SettingError
from quotidian.settings import SETTINGS, Setting, Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: Setting) -> None:
    """Its name, its default (a dash where it is empty) and its help stand in one row of the page."""
    default = "–" if not setting.default else f"`{setting.default}`"
    row = f"| `{setting.name}` | {default} | {setting.help} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_nothing_else_is_documented() -> None:
    """The page names no setting that does not exist."""
    named = [line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert named == [setting.name for setting in SETTINGS]


def test_names_are_unique_environment_variables() -> None:
    """Each begins with the program's name, and is there once."""
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("QUOTIDIAN_") and name.isupper() for name in names)


def test_the_environment_counts_else_the_default() -> None:
    """What is set is used; an empty value is as none."""
    settings = Settings({"QUOTIDIAN_DATA": "/somewhere", "QUOTIDIAN_RETENTION_RAW": "", "OTHER": "x"})
    assert settings.text("QUOTIDIAN_DATA") == "/somewhere"
    assert settings.days("QUOTIDIAN_RETENTION_RAW") == 365
    assert [Settings({}).text(setting.name) for setting in SETTINGS] == [setting.default for setting in SETTINGS]


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping, the process's own environment is read."""
    monkeypatch.setenv("QUOTIDIAN_EXCLUDE", "sensor.*, ,light.a ")
    assert Settings().words("QUOTIDIAN_EXCLUDE") == ("sensor.*", "light.a")


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "soon", "1e3", "²"])
def test_days_are_whole_and_positive(value: str) -> None:
    """Any other value is refused with the setting's name, the value, and what it should be."""
    with pytest.raises(SettingError, match=r"QUOTIDIAN_RETENTION_DAILY is .*whole number of days \(90\)"):
        Settings({"QUOTIDIAN_RETENTION_DAILY": value}).days("QUOTIDIAN_RETENTION_DAILY")

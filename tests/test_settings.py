"""Every setting is documented, is found where it may stand, and refuses what it cannot use."""

import os
from pathlib import Path

import pytest

from quotidian.errors import SettingError
from quotidian.settings import SETTINGS, Setting, Settings, known, nearest

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working directory without settings, for a person without settings at home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if known(name)]:
        monkeypatch.delenv(name)
    return tmp_path


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
    """Each is there once, and none is another's file."""
    names = [setting.name for setting in SETTINGS]
    assert len({*names, *(f"{name}_FILE" for name in names)}) == 2 * len(names)
    assert all(name.isupper() for name in names)


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


@pytest.mark.parametrize(("value", "days"), [("3", 3), ("7d", 7), (" 52w ", 364), ("3650000", 3_650_000)])
def test_days_may_be_weeks(value: str, days: int) -> None:
    """A number is one of days; a letter behind it says what it counts."""
    assert Settings({"INFLUXDB_RETENTION_RAW": value}).days("INFLUXDB_RETENTION_RAW") == days


@pytest.mark.parametrize(
    "value", ["0", "-3", "1.5", "soon", "1e3", "²", "w", "7dw", "7wd", "7 d", "0w", "4000000", "9m"]
)
def test_days_are_whole_and_positive(value: str) -> None:
    """Any other value is refused with the setting's name, the value, and what it should be."""
    with pytest.raises(SettingError, match=r"QUOTIDIAN_RETENTION_DAILY is .*whole number of days \(90\)"):
        Settings({"QUOTIDIAN_RETENTION_DAILY": value}).days("QUOTIDIAN_RETENTION_DAILY")


def test_the_sources_count_in_their_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment beats .env, .env beats quotidian.toml; each tells where its value was found."""
    (folder / "quotidian.toml").write_text('ha_url = "http://toml"\nquotidian_port = 9001\nquotidian_host = "::1"\n')
    (folder / ".env").write_text("# a remark\nexport HA_URL='http://dotenv'\nQUOTIDIAN_HOST=0.0.0.0\nOTHER=x\n")
    monkeypatch.setenv("HA_URL", "http://environment")
    settings = Settings()
    told = {name: (settings.text(name), settings.origin(name)) for name in ("HA_URL", "QUOTIDIAN_HOST")}
    assert told == {"HA_URL": ("http://environment", "the environment"), "QUOTIDIAN_HOST": ("0.0.0.0", ".env")}
    assert (settings.port("store"), settings.origin("QUOTIDIAN_PORT")) == (9004, "quotidian.toml")
    assert settings.origin("HA_TOKEN") == ""


def test_dotenv_does_not_change_the_environment(folder: Path) -> None:
    """What stands in .env is for us alone, and a dollar sign in it is a dollar sign."""
    (folder / ".env").write_text("HA_TOKEN=a${HOME}b\n")
    assert Settings().text("HA_TOKEN") == "a${HOME}b"
    assert "HA_TOKEN" not in os.environ


def test_the_toml_of_the_person_counts_where_there_is_none_here(folder: Path) -> None:
    """~/.config/quotidian/quotidian.toml is read when the working directory has none, and only then."""
    home = folder / "home" / ".config" / "quotidian"
    home.mkdir(parents=True)
    (home / "quotidian.toml").write_text('quotidian_exclude = ["sensor.*", "light.a"]\nquotidian_open_reading = true\n')
    assert Settings().words("QUOTIDIAN_EXCLUDE") == ("sensor.*", "light.a")
    assert Settings().flag("QUOTIDIAN_OPEN_READING")
    (folder / "quotidian.toml").touch()
    assert Settings().words("QUOTIDIAN_EXCLUDE") == ()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_may_stand_in_a_file(setting: Setting, tmp_path: Path) -> None:
    """NAME_FILE names a file with the value, whose last line's end does not count; NAME itself counts more."""
    file = tmp_path / "value"
    file.write_text(" 12 \n")
    assert Settings({f"{setting.name}_FILE": str(file)}).text(setting.name) == " 12 "
    assert Settings({f"{setting.name}_FILE": str(file), setting.name: "13"}).text(setting.name) == "13"


def test_files_may_be_named_in_every_source(folder: Path) -> None:
    """A file's name may stand in .env and in quotidian.toml as well."""
    (folder / "token").write_text("secret\n")
    (folder / "quotidian.toml").write_text('ha_token_file = "token"\n')
    assert Settings().text("HA_TOKEN") == "secret"
    assert Settings().origin("HA_TOKEN") == "HA_TOKEN_FILE of quotidian.toml"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and one that is not text are refused by name."""
    with pytest.raises(SettingError, match=r"HA_TOKEN_FILE names .*nothing.*No such file"):
        Settings({"HA_TOKEN_FILE": str(tmp_path / "nothing")})
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(SettingError, match=r"HA_TOKEN_FILE names .*bytes.*not UTF-8"):
        Settings({"HA_TOKEN_FILE": str(tmp_path / "bytes")})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('ha_urll = "x"', r"'ha_urll', which is no setting. Did you mean ha_url\?"),
        ('HA_URL = "x"', r"'HA_URL', which is no setting. Did you mean ha_url\?"),
        ("weather = 1", r"'weather', which is no setting. docs/settings.md"),
        ("ha_url = {a = 1}", "has a dict for ha_url"),
        ("[quotidian]", r"has a section \[quotidian\]. Write the settings without"),
        ('ha_tokn_file = "x"', r"Did you mean ha_token_file\?"),
        ("quotidian_exclude = [1]", "has a list for quotidian_exclude"),
        ("ha_url", "is not TOML"),
    ],
)
def test_toml_that_says_something_else_is_refused(text: str, told: str, tmp_path: Path) -> None:
    """A key that is no setting is refused with the one that is closest; a value of another kind by its kind."""
    (tmp_path / "quotidian.toml").write_text(text)
    with pytest.raises(SettingError, match=told):
        Settings({}, directory=tmp_path)


def test_dotenv_that_says_something_else_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A line that is no NAME=value is told by its number; what stands in it is not, for it may be a secret."""
    (folder / ".env").write_text("HA_URL=http://a\n\nHA_TOKEN canary\n")
    with pytest.raises(SettingError, match=r"Line 3 of \.env cannot be read") as refused:
        Settings()
    assert "canary" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_names_like_ours_are_told_wherever_they_stand(folder: Path) -> None:
    """In .env a name that is spelled wrong is a stranger too; names of other programs are none of our business."""
    (folder / ".env").write_text("QUOTIDIAN_EXLUDE=a\nOTHER=b\n")
    assert "QUOTIDIAN_EXLUDE" in Settings().strangers
    assert Settings({"HA_TOKN": "x", "HOME": "/"}).strangers == ("HA_TOKN",)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """The text of the settings has no secret, wherever it came from, and its list has all of them."""
    (tmp_path / "file").write_text("canary-file\n")
    settings = Settings(
        {
            "HA_TOKEN": "canary-token",
            "QUOTIDIAN_SECRET_FILE": str(tmp_path / "file"),
            "SUPERVISOR_TOKEN": "canary-supervisor",
            "INFLUXDB_TOKEN": "canary-influx",
            "HA_URL": "http://a",
        }
    )
    assert "canary" not in repr(settings.replaced(HA_URL="http://b"))
    assert "http://a" in repr(settings)
    assert {*settings.secrets} == {"canary-token", "canary-file", "canary-supervisor", "canary-influx"}
    assert Settings({}).secrets == ()


def test_a_command_may_say_it_otherwise() -> None:
    """An option's value counts before all; none keeps what there is, and the first settings stay as they were."""
    settings = Settings({"QUOTIDIAN_PORT": "9001"})
    other = settings.replaced(QUOTIDIAN_PORT="7001", QUOTIDIAN_DATA=None)
    assert [one.port("capture") for one in (settings, other)] == [9001, 7001]
    assert other.text("QUOTIDIAN_DATA") == settings.text("QUOTIDIAN_DATA")
    assert other.origin("QUOTIDIAN_PORT") == "the command"


@pytest.mark.parametrize("value", ["0", "66000", "1.5", "http"])
def test_a_port_is_a_port(value: str) -> None:
    """What cannot be one is refused."""
    with pytest.raises(SettingError, match="QUOTIDIAN_PORT is"):
        Settings({"QUOTIDIAN_PORT": value}).port("capture")


def test_names_that_are_spelled_wrong_are_recognised() -> None:
    """A name that is like no other has no neighbour."""
    assert nearest("quotidian_exlude") == "QUOTIDIAN_EXCLUDE"
    assert nearest("WEATHER") is None
    assert known("HA_TOKEN_FILE")
    assert not known("HA_TOKENS")


def test_files_are_read_again(tmp_path: Path) -> None:
    """A token that was put into its file later is found, and what a command said stays."""
    token = tmp_path / "token"
    token.write_text("old")
    settings = Settings({"HA_TOKEN_FILE": str(token)}).replaced(QUOTIDIAN_PORT="7001")
    token.write_text("new")
    assert (settings.text("HA_TOKEN"), settings.again().text("HA_TOKEN")) == ("old", "new")
    assert settings.again().port("capture") == 7001

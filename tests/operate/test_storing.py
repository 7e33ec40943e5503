"""The commands for the place where finished days and summaries lie."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.settings import Settings
from quotidian.store import connect

from ..contracts.served import served  # noqa: TID252 - tests are no package
from ..influx.server import Influx  # noqa: TID252
from ..store.copied import DAYS, MONDAY, NOON, content, fill  # noqa: TID252
from .conftest import Ran, ran


@pytest.fixture
def influx(monkeypatch: pytest.MonkeyPatch) -> Iterator[Influx]:
    """Run an InfluxDB without buckets, to which the environment leads; it is noon, five days after the last."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with Influx(now=lambda: NOON) as influx:
        for name, value in (("URL", influx.url), ("TOKEN", influx.token), ("ORG", influx.org)):
            monkeypatch.setenv(f"INFLUXDB_{name}", value)
        yield influx


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Make a store of a few days."""
    place = tmp_path / "store"
    opened = connect(place, Settings({}))
    fill(opened)
    opened.seal(MONDAY.replace(day=30))
    opened.close()
    return place


def test_init_makes_the_buckets(influx: Influx, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what it did; once more changes nothing; without InfluxDB there is nothing to be made."""
    assert "Nothing is to be made" in ran("store", "init").output
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    assert "home_assistant_events was made, and keeps 7 days." in ran("store", "init").output
    assert {bucket.name for bucket in influx.buckets.values()} >= {"home_assistant_events", "pattern_aggregates_weekly"}
    again = ran("store", "init", "--json").json["done"]
    assert [sentence.partition(",")[2] for sentence in again] == [" as before."] * 3
    monkeypatch.setenv("INFLUXDB_TOKEN", "canary")
    refused = ran("store", "init")
    assert refused.code == 1
    assert "INFLUXDB_TOKEN" in refused.errors
    assert "canary" not in refused.errors


def test_extend_lets_influxdb_keep_events_for_longer(influx: Influx, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the setting that has to be changed so that it stays; it never shortens, and is not for files."""
    assert "QUOTIDIAN_RETENTION_RAW" in ran("store", "extend").errors
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    ran("store", "init")
    told = ran("store", "extend", "--days", 20).output
    assert "home_assistant_events keeps 20 days; before, it kept 7 days." in told
    assert "Set INFLUXDB_RETENTION_RAW=20d" in told
    assert "home_assistant_events keeps 14 days" in ran("store", "extend", "--json").json["done"][0]
    assert ran("store", "extend", "--days", 7).code == 1


def test_copy_there_and_back(
    influx: Influx, store: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a dry run foresees is moved, and told with the next step; where there is no bucket, that is told."""
    there, back = ("--from", "embedded", "--to", "influx"), ("--from", "influx", "--to", "embedded")
    monkeypatch.setenv("INFLUXDB_RETENTION_RAW", "30d")
    refused = quotidian("store", "copy", *there)
    assert refused.code == 1
    assert "`quotidian store init`" in refused.errors
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    ran("store", "init")
    monkeypatch.delenv("QUOTIDIAN_STORE")
    foreseen = quotidian("store", "copy", *there, "--dry-run", "--json").json
    assert (foreseen["days"], foreseen["events"], foreseen["older_days"]) == (DAYS, DAYS * 60, 0)
    assert "Would move 5 days with 300 events" in quotidian("store", "copy", *there, "--dry-run").output
    told = quotidian("store", "copy", *there)
    assert told.code == 0, told.errors
    assert "Moved 5 days with 300 events" in told.output
    assert "all of it is what was written" in told.output
    assert "set QUOTIDIAN_STORE=influx" in told.output
    assert "--from influx --to embedded" in quotidian("store", "check").errors
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    assert quotidian("store", "check", "--json").json == {"days": 5, "events": 300, "summaries": 7, "faults": []}
    assert quotidian("store", "copy", *back, "--json").json["days"] == DAYS
    monkeypatch.delenv("QUOTIDIAN_STORE")
    assert quotidian("store", "check").code == 0


def test_copy_says_what_stays_in_files(
    influx: Influx, store: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that InfluxDB would not keep are counted, stay, and are not dropped for its shorter retention."""
    monkeypatch.setenv("INFLUXDB_RETENTION_RAW", "8d")
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    ran("store", "init")
    copy = ("store", "copy", "--from", "embedded", "--to", "influx")
    foreseen, done = quotidian(*copy, "--dry-run", "--json").json, quotidian(*copy)
    assert 0 < foreseen["older_days"] == DAYS - foreseen["days"]
    assert f"{foreseen['older_days']} days that are older than INFLUXDB_RETENTION_RAW" in " ".join(done.output.split())
    assert quotidian("retain", "--json").json["raw_days"] == 0
    assert sum(one["events"] > 0 for one in quotidian("days", "--json").json) == DAYS


def test_init_drops_nothing(
    influx: Influx, store: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """InfluxDB keeps no less than before until what lies there alone was brought back."""
    monkeypatch.setenv("QUOTIDIAN_STORE", "influx")
    copy = ("store", "copy", "--from", "embedded", "--to", "influx")
    for layer in ("RAW", "DAILY", "WEEKLY"):
        monkeypatch.setenv(f"INFLUXDB_RETENTION_{layer}", "400d")
    assert quotidian("store", "init").code == 0
    assert quotidian(*copy, "--json").json["days"] == DAYS
    monkeypatch.setenv("INFLUXDB_RETENTION_RAW", "7d")
    refused = quotidian("store", "init")
    assert refused.code == 1
    assert "`quotidian store copy --from embedded --to influx`" in " ".join(refused.errors.split())
    assert quotidian(*copy).code == 0
    told = quotidian("store", "init").output
    assert "home_assistant_events keeps 7 days; before, it kept 400 days." in told
    assert quotidian("store", "check", "--json").json == {"days": 5, "events": 300, "summaries": 7, "faults": []}


def test_copy_to_another_directory(
    store: Path, tmp_path: Path, quotidian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of everything is made while somebody uses the store."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    kinds = ("--from", "embedded", "--to", "embedded", "--to-data", tmp_path / "new")
    foreseen = quotidian("store", "copy", *kinds, "--dry-run", "--json").json
    assert (foreseen["days"], foreseen["events"], foreseen["summaries"]) == (DAYS, DAYS * 60, 7)
    assert not (tmp_path / "new").exists()
    told = quotidian("store", "copy", *kinds)
    assert told.code == 0, told.errors
    assert f"QUOTIDIAN_DATA={tmp_path / 'new'}" in told.output
    stores = [connect(place, Settings({})) for place in (store, tmp_path / "new")]
    assert content(stores[0]) == content(stores[1])
    for one in stores:
        one.close()


def test_a_service_is_copied_from_and_not_moved(
    influx: Influx, store: Path, tmp_path: Path, quotidian: Callable[..., Ran]
) -> None:
    """While a service has the store, moving it is refused; copying and checking it go through the service."""
    service = served(store, Settings({}))
    refused = quotidian("store", "copy", "--from", "embedded", "--to", "influx")
    assert refused.code == 1
    assert "in use by process" in refused.errors
    assert "Read 5 days with 300 events" in quotidian("store", "check").output
    kinds = ("--from", "embedded", "--to", "embedded", "--to-data", tmp_path / "new")
    assert "Copied 5 days with 300 events, and 7 summaries" in quotidian("store", "copy", *kinds).output
    copied = connect(tmp_path / "new", Settings({}))
    assert content(copied) == content(service)
    copied.close()
    service.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "embedded", "--to", "embedded"), "both embedded"),
        (("--from", "embedded", "--to", "cloud"), "no kind of store"),
        (("--from", "influx", "--to", "influx", "--to-data", "elsewhere"), "same home in the same buckets"),
        (("--from", "influx", "--to", "embedded"), "INFLUXDB_TOKEN"),
    ],
)
def test_copies_that_cannot_be(words: tuple[str, ...], told: str, store: Path, quotidian: Callable[..., Ran]) -> None:
    """Each is refused with a sentence."""
    refused = quotidian("store", "copy", *words)
    assert refused.code == 1
    assert told in refused.errors


def test_check_names_what_is_damaged(store: Path, quotidian: Callable[..., Ran]) -> None:
    """A damaged day is named with what to do, and ends the command with 1; the rest was read."""
    assert quotidian("store", "check").code == 0
    path = next((store / "events").rglob(f"date={MONDAY}/*"))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    checked = quotidian("store", "check")
    assert checked.code == 1
    assert f"The events of {MONDAY} are damaged" in checked.errors
    assert "import the sources of that day again" in checked.errors.replace("\n", " ")
    assert "1 of them are not as they should be" in checked.output
    assert quotidian("store", "check", "--json").json["days"] == DAYS - 1

"""What retention drops from the embedded store: by the bytes that are gone."""

import datetime as dt
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quotidian import clock
from quotidian.detect import ROW, ROW_VERSION, Detector, Seasonal
from quotidian.errors import DiskFullError, SettingError
from quotidian.learn import learn
from quotidian.model import Day, Integers
from quotidian.model.day import SECOND
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.connect import prepare
from quotidian.store.retention import losses, refuse_short

from .. import disks  # noqa: TID252 - tests are no package
from ..influx.server import Influx  # noqa: TID252
from ..killing import command  # noqa: TID252

MONDAY = dt.date(2026, 9, 7)
DAY = dt.timedelta(days=1)
#: What it keeps of each day is kept for ever.
DETECTORS: tuple[Detector, ...] = (Seasonal(),)


def day(date: dt.date, rows: int = 24) -> pa.Table:
    """Make a day of presses, and of readings whose words take space."""
    start, random = Day.of(date, "UTC").start, np.random.default_rng(date.toordinal())
    updated = start + np.arange(1, rows + 1) * (86_399_000_000 // rows)
    names = ["light.a" if number % 2 else "sensor.b" for number in range(rows)]
    states = ["on" if number % 4 == 1 else f"{random.random():.9f}" for number in range(rows)]
    columns = {"entity_id": names, "last_updated": updated, "state": states}
    return table_of(columns | {"cause": ["physical"] * rows, "source": ["recorder"] * rows})


def on_disk(directory: Path) -> tuple[int, int]:
    """Give the bytes of the files of days, and those of the database with its log."""
    files = sum(path.stat().st_size for path in directory.rglob("*.parquet"))
    return files, sum(path.stat().st_size for path in directory.glob("quotidian.sqlite*"))


def test_a_history_longer_than_the_retention_is_learned_from_and_let_go(tmp_path: Path) -> None:
    """Of 400 days with 30 days of retention all are folded; 30 days of events are left, and the space is given back."""
    store = connect(tmp_path, Settings({"QUOTIDIAN_RETENTION_RAW": "30"}))
    last = MONDAY + 399 * DAY
    store.append(pa.concat_tables([day(MONDAY + number * DAY) for number in range(400)]))
    store.seal(last + DAY)
    full = sum(on_disk(tmp_path))
    learned = learn(store, DETECTORS, Day.of(last, "UTC").end)
    assert (len(learned.folded.days), learned.retained.raw_days) == (400, 400 - 31)
    assert [one.date for one in store.days() if one.events] == [last - number * DAY for number in range(30, -1, -1)]
    kept = store.period_summary("monthly", "seasonal", Seasonal.version, MONDAY - 40 * DAY, last).days
    months_over = last.replace(day=1)
    assert len(kept) == (months_over - MONDAY).days
    assert len(store.summary(ROW, ROW_VERSION, MONDAY, last).days) == 91
    assert sum(on_disk(tmp_path)) < full / 2
    assert len([*tmp_path.rglob("*.parquet")]) == 31
    assert learn(store, DETECTORS, Day.of(last, "UTC").end).folded.days == ()
    assert not pages_free(tmp_path, store), "free pages are left in the database"


def test_in_influxdb_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days that InfluxDB would not keep are learned from in files of ours, and go; younger ones lie in InfluxDB."""
    last = MONDAY + 59 * DAY
    now = Day.of(last + DAY, "UTC").start + 3 * 3_600 * SECOND
    monkeypatch.setattr(clock, "now", lambda: now)
    with Influx(now=lambda: now) as influx:
        named = {"INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token, "INFLUXDB_ORG": influx.org}
        settings = Settings({"QUOTIDIAN_STORE": "influx", "QUOTIDIAN_RETENTION_RAW": "7", **named})
        prepare(settings)
        store = connect(tmp_path, settings)
        store.append(pa.concat_tables([day(MONDAY + number * DAY) for number in range(60)]))
        learned = learn(store, DETECTORS, now)
        assert (len(learned.folded.days), learned.retained.raw_days) == (60, 60 - 8)
        while store.settle():
            pass
        assert [one.date for one in store.days() if one.events] == [last - number * DAY for number in range(7, -1, -1)]
        assert store.check(MONDAY, last).faults == ()
        monthly = store.period_summary("monthly", "seasonal", Seasonal.version, MONDAY - 40 * DAY, last)
        assert len(monthly.days) == (last.replace(day=1) - MONDAY).days
        bodies = [one.body for one in influx.written if one.bucket == "home_assistant_events"]
        instants = [int(line.rsplit(b" ", 1)[1]) for body in bodies for line in body.splitlines()]
        assert len(instants) == 5 * 24, "what InfluxDB drops within a day is not moved there"
        assert min(instants) > now - 7 * 86_400 * SECOND
        store.close()


def pages_free(directory: Path, store: Store) -> int:
    """Tell how many bytes of the database are not in use."""
    store.close()
    header = (directory / "quotidian.sqlite").read_bytes()[:40]
    return int.from_bytes(header[36:40], "big")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {"QUOTIDIAN_RETENTION_RAW": "2"},
            "QUOTIDIAN_RETENTION_RAW is '2', and learning needs 3 days. A day is folded",
        ),
        ({"QUOTIDIAN_RETENTION_DAILY": "34"}, "QUOTIDIAN_RETENTION_DAILY is '34', and learning needs 35 days. A month"),
        ({"QUOTIDIAN_RETENTION_WEEKLY": "4w"}, "QUOTIDIAN_RETENTION_WEEKLY is '4w', and learning needs 35 days."),
        (
            {"QUOTIDIAN_RETENTION_WEEKLY": "80"},
            "QUOTIDIAN_RETENTION_WEEKLY is '80', less than QUOTIDIAN_RETENTION_DAILY",
        ),
    ],
)
def test_less_than_learning_needs_is_refused(environment: dict[str, str], told: str, tmp_path: Path) -> None:
    """Opening the store says which setting it is, why, and what would do; what InfluxDB keeps does not count."""
    with pytest.raises(SettingError) as refused:
        connect(tmp_path, Settings(environment))
    assert str(refused.value).startswith(told)
    assert "or more" in refused.value.remedy
    refuse_short(Settings({"INFLUXDB_RETENTION_RAW": "1d"}))


def test_less_than_detectors_look_back_on_is_told() -> None:
    """Between what learning needs and what detectors could use, the setting holds, and its price is said."""
    assert losses(Settings({})) == losses(Settings({"QUOTIDIAN_STORE": "influx"})) == []
    told = losses(Settings({"QUOTIDIAN_RETENTION_DAILY": "60", "QUOTIDIAN_RETENTION_WEEKLY": "26w"}))
    assert [sentence.partition(":")[0] for sentence in told] == [
        "QUOTIDIAN_RETENTION_DAILY is '60'",
        "QUOTIDIAN_RETENTION_WEEKLY is '26w'",
    ]


def test_what_was_set_aside_goes_with_its_day(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Damaged files are kept for as long as their events would be."""
    store = opened()
    aside = tmp_path / "store" / "quarantine"
    aside.mkdir()
    for date in (MONDAY, MONDAY + DAY):
        (aside / f"{date}-0.parquet").write_bytes(b"damaged")
    store.retain(MONDAY + 366 * DAY)
    assert [path.name for path in aside.iterdir()] == [f"{MONDAY + DAY}-0.parquet"]


def test_killed_at_any_point_a_day_is_there_or_not(tmp_path: Path) -> None:
    """After every kill -9 the days that are kept are whole, and nothing is left of those that are not."""
    killed = subprocess.run(
        command("store.retained", tmp_path / "store", 3, 25), capture_output=True, text=True, check=False
    )
    assert killed.returncode == 0, killed.stderr
    assert int(killed.stdout) > 5


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """Retention that finds no space drops a day wholly or not at all, and goes on when there is some."""
    store = connect(small_disk / "store", Settings({}))
    for number in range(20):
        store.append(day(MONDAY + number * DAY, 2_000))
        store.put_day(MONDAY + number * DAY, {"a": (1, Integers())}, {}, 1)
    ballast = disks.filled(small_disk)
    today = MONDAY + 500 * DAY
    try:
        store.retain(today)
    except DiskFullError:
        for record in store.days():
            assert store.day_events(Day.of(record.date, "UTC")).num_rows == record.events
    ballast.unlink()
    store.retain(today)
    assert not any(record.events for record in store.days())
    store.close()

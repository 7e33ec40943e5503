"""Moving a store to InfluxDB and back: everything is there before, after, and whenever it breaks off."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.errors import DiskFullError, SettingError, StoreBusyError, StoreRefusedError, UnreachableError
from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store import connect, copying
from quotidian.store.app.housekeeping import Housekeeping
from quotidian.store.app.thread import StoreThread
from quotidian.store.connect import open_here, prepare

from .. import disks  # noqa: TID252 - tests are no package
from ..influx.server import Influx  # noqa: TID252
from ..killing import command  # noqa: TID252
from .copied import DAYS, KINDS, MONDAY, NOON, content, fill, moved, quiet


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be noon, five days after the last."""
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture(scope="module")
def running() -> Iterator[Influx]:
    """Run an InfluxDB for all tests."""
    with Influx(now=lambda: NOON) as influx:
        yield influx


@pytest.fixture
def influx(running: Influx) -> Influx:
    """Give an InfluxDB that is empty."""
    running.reset()
    prepare(there(running).replaced(QUOTIDIAN_STORE="influx"))
    return running


def there(influx: Influx, **more: str) -> Settings:
    """Give the settings that lead to an InfluxDB, in which everything is kept for long."""
    kept = {f"INFLUXDB_RETENTION_{layer}": "400d" for layer in ("RAW", "DAILY", "WEEKLY")}
    named = {"INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token, "INFLUXDB_ORG": influx.org}
    return Settings(kept | named | more)


def filled(directory: Path) -> list[object]:
    """Make an embedded store with a few days in it; give what is in it."""
    store = connect(directory, Settings({}))
    fill(store)
    store.seal(MONDAY.replace(day=30))
    found = content(store)
    store.close()
    return found


def found_in(directory: Path, settings: Settings) -> list[object]:
    """Give what is in a store."""
    store = connect(directory, settings)
    try:
        return content(store)
    finally:
        store.close()


def files(directory: Path) -> int:
    """Count the files of days."""
    return len([*(directory / "events").rglob("*.parquet")])


def test_there_and_back(tmp_path: Path, influx: Influx) -> None:
    """Everything is the same in InfluxDB as it was in files, and again in files; no file is left in between."""
    before = filled(tmp_path)
    settings = there(influx)
    copied = moved(tmp_path, settings, "influx")
    assert (copied.moved.days, copied.moved.events, copied.moved.summaries) == (DAYS, DAYS * 60, DAYS + 1)
    assert (copied.checked.days, copied.checked.events, copied.checked.faults) == (DAYS, DAYS * 60, ())
    assert files(tmp_path) == 0
    assert found_in(tmp_path, settings.replaced(QUOTIDIAN_STORE="influx")) == before
    with pytest.raises(StoreRefusedError, match="store copy --from influx --to embedded"):
        connect(tmp_path, Settings({}))
    assert moved(tmp_path, settings, "influx").moved.days == 0
    assert moved(tmp_path, settings, "embedded").moved.days == DAYS
    assert files(tmp_path) == DAYS
    assert found_in(tmp_path, Settings({})) == before


def test_what_there_is_to_do_is_told_before(tmp_path: Path, influx: Influx) -> None:
    """What would be moved is counted, without what InfluxDB would not keep; telling it changes nothing."""
    filled(tmp_path)
    settings = there(influx, INFLUXDB_RETENTION_RAW="8d")
    store = copying.opened(tmp_path, settings, "influx")
    assert (store.astray().days, store.astray().events) == (2, 120)
    store.close()
    assert files(tmp_path) == DAYS
    assert not influx.written


def test_whoever_is_away_is_waited_for(tmp_path: Path, influx: Influx) -> None:
    """InfluxDB gone in the middle is an error that says so; the same call goes on from there."""
    before = filled(tmp_path)
    settings = there(influx)

    def gone(stage: str, done: int, total: int | None) -> None:
        if done == 2:
            influx.fail(503, times=1_000)

    for to in KINDS:
        store = copying.opened(tmp_path, settings, to)
        with pytest.raises(UnreachableError, match="InfluxDB"):
            copying.move(store, gone)
        influx.faults.clear()
        assert store.astray().days == DAYS - 2
        store.close()
        assert found_in(tmp_path, settings.replaced(QUOTIDIAN_STORE="influx")) == before
        assert moved(tmp_path, settings, to).moved.days == DAYS - 2
    assert found_in(tmp_path, Settings({})) == before


def test_killed_at_any_point_nothing_is_lost_or_there_twice(
    tmp_path: Path, influx: Influx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every kill -9 all events and summaries are there once, and the next copy goes on."""
    (tmp_path / "expected").write_text(repr(filled(tmp_path / "store")))
    for name in ("URL", "TOKEN", "ORG"):
        monkeypatch.setenv(f"INFLUXDB_{name}", there(influx).text(f"INFLUXDB_{name}"))
    for layer in ("RAW", "DAILY", "WEEKLY"):
        monkeypatch.setenv(f"INFLUXDB_RETENTION_{layer}", "400d")
    killed = subprocess.run(
        command("store.copied", tmp_path / "store", 1, 10), capture_output=True, text=True, check=False
    )
    assert killed.returncode == 0, killed.stderr
    assert int(killed.stdout) > 0, "no copy was ever complete"


def test_a_damaged_day_is_set_aside_and_the_rest_goes_on(tmp_path: Path, influx: Influx) -> None:
    """It is named with the remedy; all other days are moved."""
    filled(tmp_path)
    path = next((tmp_path / "events").rglob(f"date={MONDAY}/*"))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    copied = moved(tmp_path, there(influx), "influx")
    assert len(copied.faults) == 1
    assert f"The events of {MONDAY} are damaged" in copied.faults[0]
    assert (copied.checked.days, copied.checked.faults) == (DAYS - 1, ())
    assert [one.name[:10] for one in (tmp_path / "quarantine").iterdir()] == [str(MONDAY)]


def test_a_bucket_that_was_deleted_by_hand(tmp_path: Path, influx: Influx) -> None:
    """The error names it with the remedy; what was in it is then named day by day, and the rest goes on."""
    filled(tmp_path)
    settings = there(influx)
    moved(tmp_path, settings, "influx")
    del influx.buckets["home_assistant_events"]
    with pytest.raises(SettingError, match="store init"):
        moved(tmp_path, settings, "embedded")
    prepare(settings.replaced(QUOTIDIAN_STORE="influx"))
    store = copying.opened(tmp_path, settings, "embedded")
    checked = copying.check(store, quiet)
    assert len(checked.faults) == DAYS
    assert all("are damaged" in fault for fault in checked.faults)
    assert checked.summaries == DAYS + 2
    store.close()
    assert moved(tmp_path, settings, "embedded").faults == ()
    assert len(found_in(tmp_path, Settings({}))[2][0]) == DAYS  # type: ignore[index, arg-type]


def test_a_full_disk_loses_nothing(small_disk: Path, influx: Influx) -> None:
    """Bringing days back where there is no space ends with an error; with some space it goes on."""
    before = filled(small_disk / "store")
    settings = there(influx)
    moved(small_disk / "store", settings, "influx")
    ballast = disks.filled(small_disk)
    with pytest.raises(DiskFullError):
        moved(small_disk / "store", settings, "embedded")
    ballast.unlink()
    assert moved(small_disk / "store", settings, "embedded").faults == ()
    assert found_in(small_disk / "store", Settings({})) == before


def test_another_directory(tmp_path: Path, influx: Influx) -> None:
    """A copy elsewhere has everything, in the kind that was asked for; the source, in use, stays as it was."""
    before = filled(tmp_path / "store")
    source = connect(tmp_path / "store", Settings({}))
    for to, place in (("embedded", "a"), ("influx", "b")):
        copied = copying.copy(source, tmp_path / place, there(influx), to, quiet)
        assert (copied.faults, copied.checked.faults) == ((), ())
        assert found_in(tmp_path / place, there(influx, QUOTIDIAN_STORE=to)) == before
        assert files(tmp_path / place) == (DAYS if to == "embedded" else 0)
    with pytest.raises(StoreRefusedError, match="There is a store"):
        copying.copy(source, tmp_path / "a", there(influx), "embedded", quiet)
    assert content(source) == before
    source.close()


def test_another_directory_is_gone_on_with(tmp_path: Path, influx: Influx) -> None:
    """A copy that broke off on its way to InfluxDB is completed by the same call, from its own source only."""
    before = filled(tmp_path / "store")
    source = connect(tmp_path / "store", Settings({}))
    influx.fail(503, times=1_000, on="/api/v2/write")
    with pytest.raises(UnreachableError):
        copying.copy(source, tmp_path / "copy", there(influx), "influx", quiet)
    influx.faults.clear()
    other = connect(tmp_path / "other", Settings({}))
    with pytest.raises(StoreRefusedError, match="another home"):
        copying.copy(other, tmp_path / "copy", there(influx), "influx", quiet)
    other.close()
    copying.copy(source, tmp_path / "copy", there(influx), "influx", quiet)
    assert not (tmp_path / "copy" / copying.MARK).exists()
    assert found_in(tmp_path / "copy", there(influx, QUOTIDIAN_STORE="influx")) == before
    source.close()


def test_a_store_in_use_is_not_moved(tmp_path: Path, influx: Influx) -> None:
    """While somebody has it open, the answer is who, and what to do."""
    filled(tmp_path)
    store = connect(tmp_path, Settings({}))
    with pytest.raises(StoreBusyError, match="in use by process"):
        moved(tmp_path, there(influx), "influx")
    store.close()


def test_somebody_is_told_before_influxdb_drops_what_was_not_learned_from(tmp_path: Path, influx: Influx) -> None:
    """Two days before, and only of days that are due; what offers more time is named."""
    filled(tmp_path)
    moved(tmp_path, there(influx), "influx")
    settings = there(influx, QUOTIDIAN_STORE="influx", INFLUXDB_RETENTION_RAW="10d")
    store = connect(tmp_path, settings)
    assert store.warnings() == []
    store.set_editions({"a": 2})
    told = store.warnings()
    assert [sentence[: sentence.index(" in ")] for sentence in told] == [
        f"InfluxDB drops the events of {MONDAY}",
        f"InfluxDB drops the events of {MONDAY.replace(day=8)}",
    ]
    assert "12 hours" in told[0]
    assert "`quotidian store extend`" in told[0]
    store.close()


def test_the_service_tells_it_and_logs_it_once_a_day(
    tmp_path: Path, influx: Influx, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also while InfluxDB is away, by its health; not once it is learned from."""
    filled(tmp_path)
    moved(tmp_path, there(influx), "influx")
    settings = there(influx, QUOTIDIAN_STORE="influx", INFLUXDB_RETENTION_RAW="10d")

    async def run() -> None:
        thread = StoreThread(lambda: open_here(tmp_path, settings))
        await thread.open()
        await thread.call(lambda store: store.set_editions({"a": 2}))
        keeping = Housekeeping(thread)
        influx.fail(503, times=1_000)
        for _ in range(2):
            with suppress(UnreachableError):
                await keeping.round()
            assert f"InfluxDB drops the events of {MONDAY}" in keeping.warning
        influx.faults.clear()
        for day in await thread.call(lambda store: store.days()):
            await thread.call(lambda store, day=day: store.put_day(day.date, {}, {}, day.revision))  # type: ignore[misc]
        await keeping.round()
        assert keeping.warning == ""
        await thread.close()

    asyncio.run(run())
    assert capsys.readouterr().out.count("something is about to be lost") == 1


def test_the_ledger_promises_nothing_that_influxdb_has_dropped(
    tmp_path: Path, influx: Influx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that were learned from and are too old for InfluxDB by the clock go from the books, without being read."""
    filled(tmp_path)
    moved(tmp_path, there(influx), "influx")
    later = MONDAY.replace(day=20)
    monkeypatch.setattr(clock, "now", lambda: Day.of(later, "UTC").start + 1)
    store = connect(tmp_path, there(influx, QUOTIDIAN_STORE="influx", INFLUXDB_RETENTION_RAW="10d"))
    influx.queries.clear()
    # The newest day in the store is the 11th, but InfluxDB goes by the clock: it is the 20th.
    assert store.retain(MONDAY.replace(day=11)).raw_days == 3
    assert not influx.queries
    assert [day.date.day for day in store.days() if day.events] == [10, 11]
    store.close()

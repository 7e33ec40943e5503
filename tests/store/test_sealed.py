"""The files of days that are over."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from quotidian import clock
from quotidian.errors import CorruptStoreError
from quotidian.model import Arrival, Day, DeadLetter, Enriched, Entity, Gap, Home, Snapshot
from quotidian.model.event import events_of, table_of
from quotidian.settings import Settings
from quotidian.store import Checkpoint, Store
from quotidian.store.embedded.store import EmbeddedStore

from ..contracts.served import served  # noqa: TID252 - tests are no package

MONDAY = dt.date(2026, 9, 7)
TUESDAY = MONDAY + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: Day.of(dt.date(2026, 10, 1), "UTC").start)


def filled(store: Store, rows: int = 2500, dates: tuple[dt.date, ...] = (MONDAY, TUESDAY)) -> None:
    """Give a store a sealed file for each date."""
    for date in dates:
        updated = Day.of(date, "UTC").start + np.arange(rows) * 1000
        names = [f"sensor.s{number % 50}" for number in range(rows)]
        columns = {"entity_id": names, "last_updated": updated, "state": [str(n % 90) for n in range(rows)]}
        store.append(table_of(columns | {"cause": ["physical"] * rows, "source": ["live"] * rows}))


def test_any_tool_reads_the_dataset(opened: Callable[..., Store], tmp_path: Path) -> None:
    """DuckDB finds home and date in the path and counts what the ledger counts."""
    store = opened()
    filled(store)
    glob = f"{tmp_path}/store/events/*/*/*.parquet"
    query = "SELECT home, date::VARCHAR, count(*), count(DISTINCT entity_id), sum((state = '7')::INT) FROM "
    rows = duckdb.sql(f"{query} read_parquet('{glob}', hive_partitioning = true) GROUP BY 1, 2 ORDER BY 2").fetchall()
    assert rows == [(store.home.id, str(date), 2500, 50, 28) for date in (MONDAY, TUESDAY)]


def test_a_service_seals_a_day_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has many days sealed over HTTP keeps deliveries waiting for no more than one of them."""
    seal, steps = EmbeddedStore.seal, list[list[dt.date]]()

    def recorded(store: EmbeddedStore, before: dt.date) -> list[dt.date]:
        steps.append(seal(store, before))
        return steps[-1]

    monkeypatch.setattr(EmbeddedStore, "seal", recorded)
    store = served(tmp_path / "store", Settings({}))
    try:
        dates = tuple(MONDAY + dt.timedelta(days=place) for place in range(4))
        filled(store, 5, dates)
        assert store.seal(dates[3]) == [*dates[:3]]
        assert [step for step in steps if step] == [[date] for date in dates[:3]]
    finally:
        store.close()


def test_a_day_is_one_file_with_one_row_group(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Times are delta-encoded, words are in dictionaries, and last_changed is the null that it mostly is."""
    filled(opened(), dates=(MONDAY,))
    (path,) = (tmp_path / "store" / "events").rglob("*.parquet")
    metadata = pq.ParquetFile(path).metadata
    group = metadata.row_group(0)
    encodings = {group.column(n).path_in_schema: group.column(n).encodings for n in range(group.num_columns)}
    assert metadata.num_row_groups == 1
    assert "DELTA_BINARY_PACKED" in encodings["last_updated"]
    assert all("RLE_DICTIONARY" in encodings[name] for name in ("entity_id", "state", "cause", "source"))
    assert pq.read_table(path)["last_changed"].null_count == 2500


def damage(directory: Path, date: dt.date) -> Path:
    """Flip a bit in the middle of a day's file."""
    (path,) = (directory / "events").rglob(f"date={date}/*.parquet")
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed)
    return path


@pytest.mark.parametrize("use", ["day_events", "events", "append", "seal"])
def test_a_damaged_day_is_set_aside_and_others_go_on(opened: Callable[..., Store], tmp_path: Path, use: str) -> None:
    """One flipped bit is noticed by whoever reads it first, named, and seen in the marks; then all goes on."""
    store = opened()
    filled(store)
    late = table_of(
        {
            "entity_id": ["light.late"],
            "last_updated": [Day.of(MONDAY, "UTC").start],
            "cause": ["person"],
            "source": ["live"],
        }
    )
    if use == "seal":
        store.append(late)
    store.append(late.slice(0, 0), Checkpoint("a source", "its end"))
    path = damage(tmp_path / "store", MONDAY)
    calls = {
        "day_events": lambda: store.day_events(Day.of(MONDAY, "UTC")),
        "events": lambda: store.events(limit=10_000),
        "append": lambda: store.append(late),
        "seal": lambda: store.seal(TUESDAY),
    }
    with pytest.raises(CorruptStoreError, match=str(MONDAY)):
        calls[use]()
    assert not path.exists()
    assert len(list((tmp_path / "store" / "quarantine").iterdir())) == 1
    store = opened()
    assert store.marks() == {MONDAY: "damaged"}
    assert store.checkpoint("a source") is None  # it is read once more, and brings the day back
    assert store.day_events(Day.of(MONDAY, "UTC")).num_rows == (use == "seal")
    assert store.day_events(Day.of(TUESDAY, "UTC")).num_rows == 2500
    filled(store)
    assert store.day_events(Day.of(MONDAY, "UTC")).num_rows == 2500 + (use == "seal")


def test_what_a_killed_process_left_is_swept(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Files that the ledger does not name go at the next opening; files that it names stay."""
    filled(opened())
    opened(tmp_path / "other")
    named = set((tmp_path / "store" / "events").rglob("*.parquet"))
    stale = [path.parent / "stale.parquet" for path in named]
    stale.append(tmp_path / "store" / "unfinished" / "half.parquet")
    for path in stale:
        path.write_bytes(b"half")
    opened()
    assert set((tmp_path / "store").rglob("*.parquet")) == named


def test_retention_removes_the_files(opened: Callable[..., Store], tmp_path: Path) -> None:
    """A dropped day's file and directory are gone; the next day's are not."""
    store = opened()
    filled(store)
    for record in store.days():
        store.put_day(record.date, {}, {}, record.revision)
    size = store.days()[0].sealed_bytes
    assert store.retain(MONDAY + dt.timedelta(days=366)).bytes == size
    assert [path.parent.name for path in (tmp_path / "store").rglob("*.parquet")] == [f"date={TUESDAY}"]
    assert [day.date for day in store.days()] == [TUESDAY]


def test_forgetting_removes_what_was_set_aside(opened: Callable[..., Store], tmp_path: Path) -> None:
    """A damaged file cannot be searched, so it goes."""
    store = opened()
    filled(store)
    damage(tmp_path / "store", MONDAY)
    with pytest.raises(CorruptStoreError):
        store.forget("sensor.s1")
    assert store.forget("sensor.s1").events == 50
    assert not (tmp_path / "store" / "quarantine").exists()


def test_forgetting_leaves_no_byte(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Neither the database nor a file holds the name afterwards, compressed or not."""
    store = opened()
    filled(store)
    start = Day.of(MONDAY, "UTC").start
    name = "light.very_private"
    for moment in (start, Day.of(dt.date(2026, 10, 1), "UTC").start):
        columns = {"entity_id": [name], "last_updated": [moment], "state": ["on"], "cause": ["person"]}
        store.append(table_of(columns | {"source": ["live"]}))
    letters = [DeadLetter(seq=seq, arrived=start, reason=f"not {name}", text=f'["{name}"]') for seq in (2, 3)]
    home = Home("", "UTC", entities={name: Entity(name), "light.other": Entity("light.other")})
    gap = Gap(id="gap", start=start, end=start, reason=f"{name} was away")
    arrival = Arrival(seq=1, arrived=start, event=next(events_of(table_of(columns | {"source": ["live"]}), "")))
    sent = Enriched(stream="s", first=1, last=9, events=[arrival], letters=letters, gaps=[gap])
    store.receive(msgspec.structs.replace(sent, snapshots=[Snapshot(1, home)]))
    store.certificates(MONDAY, MONDAY)
    store.seal(TUESDAY)
    assert any(name.encode() in words(path) for path in (tmp_path / "store").rglob("*") if path.is_file())
    store.forget(name)
    assert [list(one.home.entities) for one in store.snapshots()] == [["light.other"]] == [list(store.home.entities)]
    assert [(one.reason, one.text) for one in store.dead_letters().letters] == [("", "")] * 2
    assert store.receive(sent).dead == 2
    assert store.verify().fault is None
    for path in (tmp_path / "store").rglob("*"):
        assert not path.is_file() or name.encode() not in words(path), path


def words(path: Path) -> bytes:
    """Give the bytes of a file; of a Parquet file also every word in its dictionaries."""
    plain = path.read_bytes()
    if path.suffix != ".parquet":
        return plain
    columns = pq.read_table(path).columns
    texts = [
        "\n".join(filter(None, chunk.dictionary.to_pylist()))
        for column in columns
        for chunk in column.chunks
        if hasattr(chunk, "dictionary")
    ]
    return plain + "\n".join(texts).encode()

"""CSV as Home Assistant's history page downloads it."""

import csv
import datetime as dt
import gzip
import io
import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.errors import CorruptSourceError, SourceError
from quotidian.importers import open_source
from quotidian.model import Area, CauseKind, Entity, Home

from .recorded import RecordingStore, taken

HEADER = "entity_id,state,last_changed\n"
AT = 1_760_000_000_000_000  # 2025-10-09T08:53:20Z


def _write(folder: Path, text: str | bytes, name: str = "history.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _times(store: RecordingStore) -> list[int]:
    return [row["last_updated"] for row in store.rows.values()]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2025-10-09T08:53:20.123Z", 123_000),
        ("2025-10-09T08:53:20Z", 0),
        ("2025-10-09 08:53:20.123456+00:00", 123_456),
        ("2025-10-09T10:53:20.5+02:00", 500_000),
        ("2025-10-09T10:53:20.5", 500_000),
        (" 2025-10-09 10:53:20 +02:00", 0),
    ],
)
def test_times(tmp_path: Path, text: str, after: int) -> None:
    """Times may have Z, an offset or no zone, T or a space, and up to six digits of a second."""
    store, _ = taken(_write(tmp_path, HEADER + f"light.a,on,{text}\n"))
    assert _times(store) == [AT + after]


def test_times_without_a_zone_are_the_homes_and_said_once(tmp_path: Path) -> None:
    """Times without a zone are read as the home's, and one warning says so."""
    rows = "".join(f"light.a,on,2025-10-09T08:53:2{n}\n" for n in range(5))
    store, imported = taken(_write(tmp_path, HEADER + rows), zone="UTC")
    assert _times(store)[0] == AT
    assert imported.warnings == ("Times that name no zone were read as UTC.",)


def test_hour_that_comes_twice(tmp_path: Path) -> None:
    """In the hour that the clocks show twice, rows that step back are of the second time, entity by entity."""
    times = ["01:50", "02:20", "02:50", "02:10", "02:40", "03:10"]
    rows = "".join(f"light.{e},{t},2025-10-26T{t}:00\n" for e in "ab" for t in times)
    store, _ = taken(_write(tmp_path, HEADER + rows))
    utc = [dt.datetime.fromtimestamp(t / 1e6, dt.UTC).strftime("%H:%M") for t in _times(store)]
    assert utc == ["23:50", "00:20", "00:50", "01:10", "01:40", "02:10"] * 2


def test_columns_in_any_order_and_more(tmp_path: Path) -> None:
    """Columns may stand in any order, parted by semicolons, after a BOM, with CRLF and unknown ones between."""
    text = (
        "﻿state;Last_Changed;x;entity_id;area;device_class;cause;attributes\r\non;2025-10-09T08:53:20Z;;light.a;Kitchen"
        ';;person;"{""brightness"": 7, ""other"": 1}"\r\noff;2025-10-09T08:53:21Z;;light.a\r\n'
    )
    store, imported = taken(_write(tmp_path, text))
    first, second = store.rows.values()
    assert (first["cause"], first["attributes"], first["source"]) == ("person", '{"brightness":7}', "csv")
    assert (second["cause"], second["attributes"], imported.rejected) == (CauseKind.UNKNOWN, None, 0)
    assert store.home.areas == {"kitchen": Area("kitchen", "Kitchen")}
    assert store.home.entities == {"light.a": Entity("light.a", area="kitchen")}


def test_areas_of_that_name_are_used(tmp_path: Path) -> None:
    """An area that the home has already is used by its name; one that only shares its id is kept apart."""
    home = Home("h", "UTC", areas={"k1": Area("k1", "Kitchen"), "hall": Area("hall", "Lobby")})
    text = "entity_id,state,last_changed,area\nlight.a,on,2025-10-09T08:53:20Z,Kitchen\n"
    store, _ = taken(_write(tmp_path, text + "light.b,on,2025-10-09T08:53:20Z,Hall\n"), RecordingStore(home))
    assert store.home.area_of("light.a") == Area("k1", "Kitchen")
    assert store.home.area_of("light.b") == Area("hall_named", "Hall")
    assert store.home.areas["hall"] == Area("hall", "Lobby")


def test_rows_that_cannot_be_used(tmp_path: Path) -> None:
    """Rows that cannot be used are counted by reason and written down with their lines; the rest is used."""
    text = (
        b"entity_id,state,last_changed,min,max\n"
        b",on,2025-10-09T08:53:20Z\n"
        b"nodot,on,2025-10-09T08:53:20Z\n"
        b"sensor.a,,2025-10-09T08:53:20Z,1,2\n"
        b"light.a,on,yesterday\n"
        b"light.a,on\n"
        b"light.a,on,2999-01-01T00:00:00Z\n"
        b"light.\xff,on,2025-10-09T08:53:20Z\n"
        b"light.a,on,2025-10-09T08:53:20Z\n"
        b"\n"
        b"light.a,off,2025-10-09T08:53:10Z\n"
    )
    store = RecordingStore()
    source = open_source(str(_write(tmp_path, text)), zone="UTC", rejects=tmp_path / "rejects.csv")
    imported = store.take(source)
    assert source.rejects.counts == {
        "not UTF-8": 1,
        "no entity id": 1,
        "entity id without a dot": 1,
        "an empty state": 1,
        "not a time": 1,
        "too few columns": 1,
        "a time in the future": 1,
    }
    assert (imported.read, imported.rejected) == (2, 7)
    with (tmp_path / "rejects.csv").open(newline="") as file:
        written = list(csv.reader(file))
    assert ["line 5", "not a time", "light.a,on,yesterday"] in written
    assert len(written) == 8


def test_quote_without_an_end(tmp_path: Path) -> None:
    """A quote that never ends costs its own line only, not the rest of the file."""
    rows = [f"light.a,{n},2025-10-09T08:{n // 60:02}:{n % 60:02}Z\n" for n in range(300)]
    rows[50] = '"light.a,50,2025-10-09T08:00:50Z\n'
    store = RecordingStore()
    source = open_source(str(_write(tmp_path, HEADER + "".join(rows))), zone="UTC")
    store.take(source)
    assert len(store.rows) == 299
    assert source.rejects.examples == {"a quote without an end": ['line 52: "light.a,50,2025-10-09T08:00:50Z']}


def test_over_long_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is far too long is rejected; what follows is used."""
    monkeypatch.setattr("quotidian.importers.stream.LONGEST_LINE", 1000)
    text = HEADER + "light.a," + "x" * 5000 + ",2025-10-09T08:53:20Z\nlight.a,on,2025-10-09T08:53:20Z\n,,\n"
    store = RecordingStore()
    source = open_source(str(_write(tmp_path, text)), zone="UTC")
    store.take(source)
    assert len(store.rows) == 1
    assert source.rejects.examples["no entity id"] == ["line 4: ,,"]


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=20))
def test_hostile_names_survive(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    """Entity ids and states with quotes, newlines, emoji or separators come out exactly as they went in."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["entity_id", "state", "last_changed"])
    for n, (name, state) in enumerate(rows):
        writer.writerow([f"light.{name}", state, dt.datetime.fromtimestamp(n, dt.UTC).isoformat()])
    path = _write(tmp_path_factory.mktemp("csv"), text.getvalue())
    store, _ = taken(path)
    assert [(row["entity_id"], row["state"]) for row in store.rows.values()] == [(f"light.{n}", s) for n, s in rows]


def test_grown_file_goes_on(tmp_path: Path) -> None:
    """Of a file that grew, only the new rows are read; of one that changed before, all."""
    path = _write(tmp_path, HEADER + "light.a,on,2025-10-09T08:53:20Z\n")
    store, _ = taken(path)
    assert taken(path, store)[1].read == 0
    path.write_text(path.read_text() + "light.a,off,2025-10-09T08:53:21Z\n")
    assert taken(path, store)[1].read == 1
    path.write_text(HEADER + "light.b,on,2025-10-09T08:53:20Z\n" + path.read_text().removeprefix(HEADER))
    assert taken(path, store)[1].appended.new == 1


def test_another_zone_reads_again(tmp_path: Path) -> None:
    """Times without a zone mean something else in another zone, so the file is read again from its beginning."""
    path = _write(tmp_path, HEADER + "light.a,on,2025-10-09T08:53:20\n")
    store, _ = taken(path)
    assert taken(path, store, zone="Asia/Tokyo")[1].appended.new == 1


def _zstd(text: bytes) -> bytes:
    return pa.Codec("zstd").compress(text, asbytes=True)


@pytest.mark.parametrize("pack", [gzip.compress, _zstd])
def test_packed(tmp_path: Path, pack: object) -> None:
    """Packed files are known by their content, whatever their name."""
    assert callable(pack)
    path = _write(tmp_path, pack((HEADER + "light.a,on,2025-10-09T08:53:20Z\n").encode()), "history.txt")
    assert len(taken(path)[0].rows) == 1


@pytest.mark.parametrize("pack", [gzip.compress, _zstd])
def test_packed_file_that_lost_its_end(tmp_path: Path, pack: object) -> None:
    """What stands before the damage is used, then the fault is told."""
    assert callable(pack)
    rows = "".join(f"light.a,{n * 7919 % 100_003},{dt.datetime.fromtimestamp(n, dt.UTC)}\n" for n in range(40_000))
    packed = pack((HEADER + rows).encode())
    store, imported = taken(_write(tmp_path, packed[: len(packed) // 2]))
    assert 0 < len(store.rows) < 40_000
    assert isinstance(imported.fault, CorruptSourceError)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash is standard input, packed or not."""
    for text in ((HEADER + "light.a,on,2025-10-09T08:53:20Z\n").encode(),):
        for piped in (text, gzip.compress(text)):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped)))
            assert len(taken("-")[0].rows) == 1


def test_pipe(tmp_path: Path) -> None:
    """A named pipe is read once, from its beginning to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = HEADER + "".join(f"light.a,{n},2025-10-09T08:53:{n:02}Z\n" for n in range(40))
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    store, _ = taken(pipe)
    writer.join()
    assert len(store.rows) == 40


def test_wrong_header_names_the_columns(tmp_path: Path) -> None:
    """A header without the needed columns is refused with those found and those wanted."""
    with pytest.raises(SourceError, match="found when, what; wanted entity_id, state, last_changed"):
        open_source(str(_write(tmp_path, "when,what\n1,2\n")))

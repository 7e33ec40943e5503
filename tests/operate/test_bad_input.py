"""Whatever is given, the command ends in a sentence, loses nothing, and the next run goes on."""

import csv
import datetime as dt
import io
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotidian import clock
from quotidian.model.day import moment

from .. import disks  # noqa: TID252 - tests are no package
from .conftest import Ran, ran

Run = Callable[..., Ran]
HEADER = "entity_id,state,last_changed\n"


def history(days: int = 5, *, entity: str = "light.a") -> str:
    """Give a CSV download of a lamp that goes on at seven and off at eleven at night."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("entity_id", "state", "last_changed"))
    for day in range(1, days + 1):
        rows.writerow((entity, "on", f"2026-02-{day:02d}T07:00:00Z"))
        rows.writerow((entity, "off", f"2026-02-{day:02d}T23:00:00Z"))
    return written.getvalue()


def refused(told: Ran, *words: str) -> None:
    """Check that nothing was done, and that the error is one clear sentence or two with these words."""
    assert told.code == 1
    assert told.output == ""
    assert told.errors.startswith("Error: ")
    assert "Traceback" not in told.errors
    assert told.errors.rstrip().endswith((".", "?", ")"))
    for word in words:
        assert word in told.errors


# sources that cannot be used


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02 nothing at all", "binary"),
        (b"name,value\na,b\n", "entity_id"),
        (b"SQLite format 3\x00 but not really", "database"),
        ("entity_id,state\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04zip", "zip"),
    ],
    ids=["empty", "binary", "wrong header", "no database", "UTF-16", "zip"],
)
def test_a_file_that_is_no_history(quotidian: Run, tmp_path: Path, content: bytes, word: str) -> None:
    """Such a file is refused with its name and what is wrong with it; no store is made for nothing."""
    source = tmp_path / "given.bin"
    source.write_bytes(content)
    for command in ("learn", "import"):
        refused(quotidian(command, source), word, "given.bin")
    assert not (tmp_path / "store").exists()


def test_a_file_that_does_not_exist(quotidian: Run, tmp_path: Path) -> None:
    """It is named, and no store is made."""
    refused(quotidian("learn", tmp_path / "missing.db"), "missing.db")
    assert not (tmp_path / "store").exists()


def test_a_foreign_database(quotidian: Run, tmp_path: Path) -> None:
    """A database that no recorder wrote is told from one that is damaged."""
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE songs (title)")
    database.close()
    refused(quotidian("learn", tmp_path / "other.db"), "other.db")


def test_a_truncated_file_gives_what_it_has(simulated: Path, quotidian: Run, tmp_path: Path) -> None:
    """What stands before the damage is learned from, the damage is said, and the whole file goes on from there."""
    whole = (simulated / "events.jsonl.gz").read_bytes()
    source = tmp_path / "events.jsonl.gz"
    source.write_bytes(whole[: len(whole) // 2])
    told = quotidian("import", source, "--zone", "Europe/Amsterdam")
    assert told.code == 0
    assert "events.jsonl.gz" in told.errors
    some = sum(day["events"] for day in quotidian("days", "--json").json)
    assert 1_000 < some < 13_000
    source.write_bytes(whole)
    again = quotidian("import", source, "--zone", "Europe/Amsterdam", "--json").json
    assert again["fault"] is None
    assert some + again["new"] == sum(day["events"] for day in quotidian("days", "--json").json) > 13_000


# times


def test_times_without_a_zone_are_the_homes(quotidian: Run, tmp_path: Path) -> None:
    """They are read on the home's clock, which is said."""
    source = tmp_path / "history.csv"
    source.write_text(HEADER + "light.a,on,2026-02-01T07:00:00\n")
    told = quotidian("import", source, "--zone", "Asia/Tokyo", "--json").json
    assert "Asia/Tokyo" in " ".join(told["warnings"])
    (event,) = quotidian("events", "--json").json
    assert moment(event["last_updated"]).isoformat() == "2026-01-31T22:00:00+00:00"


def test_times_in_the_future_are_rejected(quotidian: Run, tmp_path: Path) -> None:
    """They are counted, written to the reject file with their lines, and the rest is used."""
    source, rejects = tmp_path / "history.csv", tmp_path / "rejects.txt"
    soon = moment(clock.now()) + dt.timedelta(days=400)
    source.write_text(f"{history(2)}light.a,on,{soon.isoformat()}\n")
    told = quotidian("import", source, "--zone", "UTC", "--rejects", rejects)
    assert told.code == 0
    assert "1 rows could not be used" in told.errors
    assert "future" in told.errors
    assert "6" in rejects.read_text()
    assert sum(day["events"] for day in quotidian("days", "--json").json) == 4


def test_times_in_disorder_are_put_in_order(tmp_path: Path) -> None:
    """A file in any order says what the same file in order says."""
    lines = history(6).splitlines()
    learned = []
    for name, rows in (("ordered", lines[1:]), ("mixed", lines[2::2] + lines[1::2])):
        source = tmp_path / f"{name}.csv"
        source.write_text("\n".join([lines[0], *rows]) + "\n")
        told = ran("learn", source, "--zone", "UTC", "--json", "--data", tmp_path / name).json
        learned.append([one["finding"] for one in told["patterns"]])
        assert told["imported"]["new"] == 12
    assert sorted(map(json.dumps, learned[0])) == sorted(map(json.dumps, learned[1]))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe/berlin "])
def test_an_unknown_zone(quotidian: Run, tmp_path: Path, zone: str) -> None:
    """It is refused by name before anything is read."""
    source = tmp_path / "history.csv"
    source.write_text(history())
    refused(quotidian("learn", source, "--zone", zone), "zone")
    assert not (tmp_path / "store").exists()


# names


@pytest.mark.parametrize(
    "entity", ["light.o'brien\"; DROP TABLE hot; --", "light.line\nbreak", "light.🦉", "light.[bold red]", "light.a=b"]
)
def test_hostile_entity_ids(quotidian: Run, tmp_path: Path, entity: str) -> None:
    """They come in, are learned from, listed on one line without their markup taking effect, and can be forgotten."""
    source = tmp_path / "history.csv"
    source.write_text(history(12, entity=entity), newline="")
    told = quotidian("learn", source, "--zone", "UTC")
    assert told.code == 0
    assert "24 states read, 24 new" in told.output
    events = quotidian("events", "--entity", entity, "--limit", 100, "--json").json
    assert {event["entity_id"] for event in events} == {entity}
    assert len(events) == 24
    assert len(quotidian("events", "--limit", 3).output.strip().splitlines()) == 4
    if "[" in entity:
        assert "[bold red]" in quotidian("events", "--limit", 3).output
        assert "[bold red]" in told.output
    assert quotidian("forget", entity, "--json").json["events"] == 24
    assert quotidian("events", "--json").json == []


# stores


@pytest.mark.parametrize("command", ["learn", "patterns", "events", "days", "layers", "report", "retain"])
def test_there_is_no_store(command: str, tmp_path: Path) -> None:
    """Looking where nothing was ever imported says so, and makes nothing."""
    refused(ran(command, "--data", tmp_path / "nothing"), "There is no store")
    assert not (tmp_path / "nothing").exists()


def test_a_store_that_is_no_directory(tmp_path: Path) -> None:
    """A file where the store is to be is refused."""
    (tmp_path / "file").write_text("x")
    source = tmp_path / "history.csv"
    source.write_text(history())
    refused(ran("learn", source, "--zone", "UTC", "--data", tmp_path / "file"), "file")


def test_a_damaged_store(quotidian: Run, tmp_path: Path) -> None:
    """Bytes that are no database any more are said to be damaged."""
    source = tmp_path / "history.csv"
    source.write_text(history())
    quotidian("learn", source, "--zone", "UTC")
    database = next(
        file for file in (tmp_path / "store").glob("*") if file.is_file() and file.read_bytes()[:6] == b"SQLite"
    )
    database.write_bytes(b"x" * 5_000)
    refused(quotidian("patterns"), "damaged")


def test_a_damaged_day(quotidian: Run, tmp_path: Path) -> None:
    """A day whose file is damaged is named, and all others are learned from; afterwards there is nothing to say."""
    source = tmp_path / "history.csv"
    source.write_text(history(6))
    quotidian("learn", source, "--zone", "UTC")
    file = next((tmp_path / "store").rglob("date=2026-02-03/*.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    learned = quotidian("learn", "--refold")
    assert learned.code == 0
    assert "2026-02-03 are damaged" in learned.errors
    again = quotidian("learn", "--json", "--refold")
    assert (again.json["damaged"], again.json["folded_days"]) == ([], 5)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 16 MB."""
    with disks.small_disk(tmp_path, "16m") as place:
        yield place


def test_a_full_disk(small_disk: Path, simulated: Path) -> None:
    """When the space ends, that is said; with space, the same command goes on and misses nothing."""
    source, store = simulated / "events.jsonl.gz", small_disk / "store"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(16_300_000))
    refused(ran("learn", source, "--zone", "Europe/Amsterdam", "--data", store), "No space is left")
    ballast.unlink()
    told = ran("learn", source, "--zone", "Europe/Amsterdam", "--data", store)
    assert told.code == 0, told.errors
    assert "14 whole days learned" in told.output


def test_a_read_only_store(small_disk: Path, tmp_path: Path) -> None:
    """A store that cannot be written is refused with its place; afterwards it is as it was."""
    source = tmp_path / "history.csv"
    source.write_text(history())
    store = small_disk / "store"
    assert ran("import", source, "--zone", "UTC", "--data", store).code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused(ran("learn", source, "--zone", "UTC", "--data", store), "cannot be written", str(store))
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert "0 new" in ran("learn", source, "--zone", "UTC", "--data", store).output


# Ctrl-C


@pytest.mark.parametrize(("method", "calls"), [("append", 1), ("put_patterns", 3)])
def test_ctrl_c_in_the_middle(tmp_path: Path, method: str, calls: int) -> None:
    """It ends in a sentence and exit code 130; the next run goes on, and ends in what an undisturbed one ends in."""
    source = tmp_path / "history.csv"
    source.write_text(history(12))
    script = str(Path(__file__).with_name("interrupted.py"))
    words = ["learn", str(source), "--zone", "UTC", "--data"]
    command = [sys.executable, script, method, str(calls), *words, str(tmp_path / "store")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 130
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith("Stopped. What was done up to here is kept")
    assert "Traceback" not in ended.stderr
    told, expected = ran(*words, tmp_path / "store"), ran(*words, tmp_path / "other")
    assert told.code == 0
    # Another home has other ids; and what was read before the interruption is not read again.
    texts = [re.sub(r"-[0-9a-f]{10}\b", "", one.output.partition("\n")[2]) for one in (told, expected)]
    assert "12 whole days learned" in texts[0]
    assert "about 07:00" in texts[0]
    assert sorted(texts[0].splitlines()) == sorted(texts[1].splitlines())


def test_a_reader_that_has_seen_enough(lived: Path) -> None:
    """``quotidian … | head -1`` ends without a complaint."""
    command = [sys.executable, "-c", "from quotidian.operate.cli import main; main()"]
    words = ["patterns", "--all", "--json", "--data", str(lived)]
    with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0

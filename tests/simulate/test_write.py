"""What is written can be read again, byte by byte the same each time."""

import csv
import gzip
from pathlib import Path

import msgspec

from quotidian.simulate import (
    example,
    read_home,
    read_truth,
    simulate,
    write_csv,
    write_home,
    write_jsonl,
    write_truth,
)

HOME = simulate(msgspec.structs.replace(example("ten-days"), days=3, entities=24, events_per_day=1_000))


def rows() -> list[dict[str, object]]:
    """Give all events as rows."""
    return [row for _, table in HOME.days() for row in table.to_pylist()]


def test_home_round_trips(tmp_path: Path) -> None:
    """The written home is read as the same home."""
    write_home(HOME.home, tmp_path / "home.json")
    assert read_home(tmp_path / "home.json") == HOME.home


def test_truth_round_trips(tmp_path: Path) -> None:
    """The written truth is read as the same truth."""
    write_truth(HOME.truth, tmp_path / "truth.json")
    assert read_truth(tmp_path / "truth.json") == HOME.truth


def test_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    """Two files of one plan are equal to the byte, also when packed under other names."""
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_jsonl(HOME, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_json_lines_are_home_assistants(tmp_path: Path) -> None:
    """Every event is a line whose old state is the entity's state before."""
    written = write_jsonl(HOME, tmp_path / "events.jsonl.gz")
    packed = (tmp_path / "events.jsonl.gz").read_bytes()
    lines = [msgspec.json.decode(line) for line in gzip.decompress(packed).splitlines()]
    assert len(lines) == written
    changes = [line["data"] for line in lines if line["event_type"] == "state_changed"]
    assert len(changes) == len(rows())
    last: dict[str, str] = {}
    for change in changes:
        old, new = change["old_state"], change["new_state"]
        assert (old and old["state"]) == last.get(change["entity_id"])
        last[change["entity_id"]] = new["state"]


def test_automations_are_announced(tmp_path: Path) -> None:
    """Before each change by an automation stands an automation_triggered with the same context."""
    write_jsonl(HOME, tmp_path / "events.jsonl")
    lines = [msgspec.json.decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    runs = {line["context"]["id"] for line in lines if line["event_type"] == "automation_triggered"}
    changed = {line["context"]["id"] for line in lines if line["event_type"] == "state_changed"}
    by_automation = sum(row["cause"] in {"automation", "remote"} for row in rows())
    assert len(runs) == by_automation > 0
    assert runs <= changed


def test_csv_has_every_change_of_state(tmp_path: Path) -> None:
    """The CSV has the rows whose state changed, with times to the millisecond in UTC."""
    written = write_csv(HOME, tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    expected = [row for row in rows() if row["last_changed"] is None]
    assert written == len(read) == len(expected)
    assert [(row["entity_id"], row["state"]) for row in read] == [(r["entity_id"], r["state"]) for r in expected]
    assert all(row["last_changed"].endswith("Z") and len(row["last_changed"]) == 24 for row in read)

"""Write a simulated home to files, as Home Assistant would have told it."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.model import CauseKind, Day, Home
from quotidian.model.arrays import Ints
from quotidian.model.day import moment
from quotidian.simulate.automations import AUTOMATIONS
from quotidian.simulate.simulated import SimulatedHome
from quotidian.simulate.truth import Truth

Progress = Callable[[Day], None]

_RUNS: Final = frozenset({CauseKind.AUTOMATION, CauseKind.REMOTE})


def write_home(home: Home, path: Path) -> None:
    """Write what the registries know of a home as JSON; ``read_home`` gives it back."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(home), indent=1) + b"\n")


def read_home(path: Path) -> Home:
    """Read what ``write_home`` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Home)


def write_truth(truth: Truth, path: Path) -> None:
    """Write what is true of a home as JSON; ``read_truth`` gives it back."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")


def read_truth(path: Path) -> Truth:
    """Read what ``write_truth`` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Truth)


def write_jsonl(home: SimulatedHome, path: Path, progress: Progress | None = None) -> int:
    """Write all events as JSON lines, packed where the path ends in ``.gz``; give the number of lines.

    Each line is an event as Home Assistant's WebSocket sends it: ``state_changed``, and before those that an
    automation or a bridge caused, ``automation_triggered`` or ``homekit_state_change`` with the same context.
    """
    written, states = 0, _States()
    with _opened(path) as file:
        for day, table in home.days():
            times = _iso(table["last_updated"].to_numpy())
            rows = zip(_rows(table), times, strict=True)
            lines = [line for row, time in rows for line in states.lines(home.home.id, row, time)]
            file.write(b"".join(lines))
            written += len(lines)
            if progress:
                progress(day)
    return written


def write_csv(home: SimulatedHome, path: Path, progress: Progress | None = None) -> int:
    """Write all changes of state as CSV, as the history page downloads it with some columns more; give the rows.

    Changes of attributes alone and removals have no place in such a file.
    """
    written = 0
    with _opened(path) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        out = csv.writer(text, lineterminator="\n")
        out.writerow(("entity_id", "state", "last_changed", "area", "device_class", "cause", "attributes"))
        for day, table in home.days():
            rows = [row for row in _rows(table) if row["last_changed"] is None and row["state"] is not None]
            out.writerows(_fields(home.home, row) for row in rows)
            written += len(rows)
            if progress:
                progress(day)
    return written


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Give a day's events one by one. Arrow's own way takes much longer for columns of words."""
    names = table.column_names
    columns = [_values(table[name].combine_chunks()) for name in names]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _values(column: "pa.Array[Any]") -> list[Any]:
    if not isinstance(column, pa.DictionaryArray):
        return column.to_pylist()
    words = [*column.dictionary.to_pylist(), None]
    return [words[code] for code in column.indices.fill_null(-1).to_numpy().tolist()]


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be written; a packed one holds neither its name nor the present time."""
    with path.open("wb") as plain:
        if path.suffix != ".gz":
            yield plain
            return
        with gzip.GzipFile("", "wb", 4, plain, mtime=0) as packed:
            yield cast("BinaryIO", packed)


def _fields(home: Home, row: dict[str, Any]) -> tuple[str, ...]:
    entity_id, area = row["entity_id"], home.area_of(row["entity_id"])
    time = moment(row["last_updated"]).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    device_class = home.entity(entity_id).device_class or ""
    return (
        entity_id,
        row["state"],
        time,
        area.name if area else "",
        device_class,
        row["cause"],
        row["attributes"] or "",
    )


class _States:
    """The last state of every entity, to tell the old one with each change."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Any]] = {}

    def lines(self, home: str, row: dict[str, Any], time: str) -> Iterator[bytes]:
        """Give the events of one change at a time."""
        entity_id = row["entity_id"]
        context = {"id": _context(home, row), "parent_id": None, "user_id": row["user"]}
        announced = _announced(row)
        if announced:
            yield _line(*announced, time, context)
        old, new = self._last.get(entity_id), _state(row, time, context)
        if new is None:
            self._last.pop(entity_id, None)
        else:
            self._last[entity_id] = new
        yield _line("state_changed", {"entity_id": entity_id, "old_state": old, "new_state": new}, time, context)


def _announced(row: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Give the event that tells the cause of a change, where there is one."""
    if row["cause"] in _RUNS:
        name = row["cause_entity"].partition(".")[2].replace("_", " ").capitalize()
        data = {"name": name, "entity_id": row["cause_entity"], "source": AUTOMATIONS[row["cause_entity"]][2]}
        return "automation_triggered", data
    if row["cause"] == CauseKind.BRIDGE:
        return "homekit_state_change", {"entity_id": row["entity_id"], "service": "turn_on"}
    return None


def _state(row: dict[str, Any], time: str, context: dict[str, Any]) -> dict[str, Any] | None:
    if row["state"] is None:
        return None
    return {
        "entity_id": row["entity_id"],
        "state": row["state"],
        "attributes": msgspec.Raw(row["attributes"].encode()) if row["attributes"] else {},
        "last_changed": time if row["last_changed"] is None else _iso(np.array([row["last_changed"]]))[0],
        "last_reported": time,
        "last_updated": time,
        "context": context,
    }


def _line(event_type: str, data: dict[str, Any], time: str, context: dict[str, Any]) -> bytes:
    event = {"event_type": event_type, "data": data, "origin": "LOCAL", "time_fired": time, "context": context}
    return msgspec.json.encode(event) + b"\n"


def _context(home: str, row: dict[str, Any]) -> str:
    return blake2b(f"{home} {row['entity_id']} {row['last_updated']}".encode(), digest_size=16).hexdigest()


def _iso(times: Ints) -> list[str]:
    """Write instants (µs) as Home Assistant does."""
    return [f"{text}+00:00" for text in np.datetime_as_string(times.astype("datetime64[us]"), "us").tolist()]

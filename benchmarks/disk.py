"""What events and summaries take on disk, beside Home Assistant's recorder."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import MEGABYTE, copied
from benchmarks.recorder import count, recorder
from quotidian.detect import ROW, ROW_VERSION, detectors
from quotidian.store import Store, connect

_CORE: Final = ("entity_id", "last_updated", "last_changed", "state", "cause", "cause_entity", "user")
_KEPT_DAYS: Final = 90
_YEAR: Final = 365 * 100_000
#: States of the recorder database that stands beside; any number will do for a figure a state.
_STATES: Final = 2_000_000


def figures() -> list[Figure]:
    """Measure the large home's sealed days and summaries, and a recorder database of the same home."""
    with copied(homes.folded("large")) as place:
        store = connect(Path(place))
        summaries = _summaries(store)
        store.close()
        events = _events(Path(place))
    path = recorder(_STATES)
    theirs = path.stat().st_size / count(path)
    what = "a state in Home Assistant's recorder, with its indices"
    return [*events, _figure(what, theirs, "bytes", note="freshly indexed, so at its smallest"), *summaries]


def _events(store: Path) -> list[Figure]:
    files = sorted(store.glob("events/home=*/date=*/*.parquet"))
    columns, rows, total = Counter[str](), 0, sum(file.stat().st_size for file in files)
    for file in files:
        metadata = pq.ParquetFile(file).metadata
        rows += metadata.num_rows
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(column)
                columns[chunk.path_in_schema] += chunk.total_compressed_size
    core = sum(columns[name] for name in _CORE)
    frame = total - sum(columns.values())
    times, words = columns["last_updated"] + columns["last_changed"], columns["entity_id"] + columns["state"]
    parts = f"times {times / rows:.2f}, entity and state {words / rows:.2f}, footer {frame / rows:.2f}"
    return [
        _figure("a sealed event, core (entity, times, state, cause)", (core + frame) / rows, "bytes", 6, parts),
        _figure("its attributes, on top", columns["attributes"] / rows, "bytes"),
        _figure("what the registries said, on top", columns["registry"] / rows, "bytes"),
        _figure("its sources, on top", (columns["source"] + columns["origins"]) / rows, "bytes"),
        _figure(
            "a year of 100,000 events a day, attributes included",
            total / rows * _YEAR / MEGABYTE,
            "MB",
            250,
            f"extrapolated from {len(files)} days with {rows:,} events",
        ),
    ]


def _summaries(store: Store) -> list[Figure]:
    records = store.days()
    first, last = records[0].date, records[-1].date
    days = sum(record.folded is not None for record in records)
    found = []
    for layer in store.layers()[1:]:
        limit = 15_000 / _KEPT_DAYS if layer.layer == 2 else None
        value = layer.bytes / days / 1000
        note = f"{layer.bytes / 1000:,.0f} kB for {days} days"
        if layer.layer == 2:
            note = f"by detector: {_by_detector(store, first, last, days)}; with what days hand on"
        found.append(_figure(f"layer {layer.layer}, {layer.name}: a day", value, "kB", limit, note))
    return found


def _by_detector(store: Store, first: dt.date, last: dt.date, days: int) -> str:
    kept = [(ROW, ROW_VERSION), *((one.name, one.version) for one in detectors())]
    sizes = {
        name: sum(len(row.encode()) for row in store.summary(name, version, first, last).days.values())
        for name, version in kept
    }
    return ", ".join(f"{name} {size / days / 1000:.1f}" for name, size in sizes.items())


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="disk", what=what, value=value, unit=unit, limit=limit, note=note)

"""What each layer holds, on disk and in days."""

import datetime as dt
from collections.abc import Iterable

from quotidian.store.embedded.database import Database
from quotidian.store.embedded.layers import Layers
from quotidian.store.embedded.ledger import Ledger
from quotidian.store.protocols import LayerSize
from quotidian.store.retention import period_end


def sizes(database: Database, ledger: Ledger, layers: Layers) -> list[LayerSize]:
    """Measure the four layers; what the database needs beside the packed rows counts to the events."""
    upper = [_daily(database), _periods(database, layers), _patterns(database, layers)]
    return [_events(database, ledger, sum(layer.bytes for layer in upper)), *upper]


def _events(database: Database, ledger: Ledger, others: int) -> LayerSize:
    days = [day for day in ledger.days() if day.events]
    file = database.value("PRAGMA page_count") * database.value("PRAGMA page_size")
    size = sum(day.size for day in days) + max(0, file - others)
    return LayerSize(1, "events", sum(day.events for day in days), size, *_span(day.date for day in days))


def _daily(database: Database) -> LayerSize:
    rows, size, first, last = database.rows(
        "SELECT count(*), coalesce(sum(length(packed)), 0), min(ordinal), max(ordinal) FROM summary"
    )[0]
    size += database.value("SELECT coalesce(sum(length(packed)), 0) FROM carry")
    size += database.value("SELECT coalesce(sum(length(packed)), 0) FROM rollup")
    ordinals = [] if first is None else [first, last]
    return LayerSize(2, "daily summaries", rows, size, *_span(map(dt.date.fromordinal, ordinals)))


def _periods(database: Database, layers: Layers) -> LayerSize:
    rows = database.value("SELECT count(*) FROM period")
    periods = [(period, dt.date.fromordinal(start)) for period, start, _ in layers.periods()]
    size = sum(size for _, _, size in layers.periods())
    starts = [start for _, start in periods]
    ends = [period_end(period, start) - dt.timedelta(days=1) for period, start in periods]
    return LayerSize(3, "weekly and monthly summaries", rows, size, *_span([*starts, *ends]))


def _patterns(database: Database, layers: Layers) -> LayerSize:
    patterns = layers.patterns()
    size = database.value("SELECT coalesce(sum(length(packed)), 0) FROM pattern")
    dates = [date for pattern in patterns for date in (pattern.first_seen, pattern.last_seen)]
    return LayerSize(4, "patterns", len(patterns), size, *_span(dates))


def _span(dates: Iterable[dt.date]) -> tuple[dt.date | None, dt.date | None]:
    ordered = sorted(dates)
    return (ordered[0], ordered[-1]) if ordered else (None, None)

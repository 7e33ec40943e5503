"""The laws by which copies of an event are united."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian.model import Day
from quotidian.model.event import EVENT_SCHEMA, RANK, table_of
from quotidian.store import Store
from quotidian.store.embedded import events
from quotidian.store.embedded.copies import STORED_SCHEMA, difference, stored, united

words = st.sampled_from([None, "a", "b", "é"])


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Draw copies of two events of each of two entities; no two exact rows share a millisecond and a state."""
    rows = draw(st.lists(st.integers(0, 7), max_size=8))
    columns: dict[str, list[Any]] = {name: [] for name in EVENT_SCHEMA.names}
    for number in rows:
        entity, slot, coarse = number % 2, number // 2 % 2, number // 4
        updated = 10_000 * slot + (0 if coarse else 7)
        columns["entity_id"].append(f"light.{entity}")
        columns["last_updated"].append(updated)
        columns["last_changed"].append(draw(st.sampled_from([None, updated - 5, updated - 9])))
        columns["state"].append("on" if slot else draw(words) if not coarse else "on")
        columns["cause"].append(draw(st.sampled_from(["unknown", "person", "script"])))
        columns["cause_entity"].append(draw(words))
        columns["user"].append(draw(words))
        columns["source"].append("csv" if coarse else draw(st.sampled_from(sorted(set(RANK) - {"csv"}))))
        columns["attributes"].append(draw(st.sampled_from([None, '{"brightness":1}', '{"brightness":2}'])))
        columns["registry"].append(draw(st.sampled_from([None, '{"area":"den"}', '{"area":"hall"}'])))
    if not any(columns["last_updated"]):
        return STORED_SCHEMA.empty_table()
    return stored(table_of(columns))


def exact(table: pa.Table) -> pa.Table:
    """Leave out what only a download says, where its state might be that of one copy and not of another."""
    keep = [not (row["source"] == "csv" and row["last_updated"] < 10_000) for row in table.to_pylist()]
    return table.filter(pa.array(keep, pa.bool_()))


@settings(deadline=None, max_examples=30)
@given(tables(), tables())
def test_uniting_is_commutative(a: pa.Table, b: pa.Table) -> None:
    """The order of two batches does not matter."""
    assert united([a, b]).to_pylist() == united([b, a]).to_pylist()


@settings(deadline=None, max_examples=30)
@given(tables().map(exact), tables().map(exact), tables().map(exact))
def test_uniting_is_associative(a: pa.Table, b: pa.Table, c: pa.Table) -> None:
    """The grouping of batches does not matter."""
    assert united([united([a, b]), c]).to_pylist() == united([a, united([b, c])]).to_pylist()


@settings(deadline=None, max_examples=30)
@given(tables(), tables())
def test_uniting_again_changes_nothing(a: pa.Table, b: pa.Table) -> None:
    """A batch that was united already adds nothing."""
    once = united([a, b])
    again = united([once, b, a])
    gone, changed = difference(once, again)
    assert not gone.any()
    assert not changed.any()
    assert again.to_pylist() == once.to_pylist()


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(tables(), max_size=3), bulk=st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_two_ways_into_a_day_agree(
    opened: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, batches: list[pa.Table], bulk: list[bool]
) -> None:
    """Batches that are written straight into the day's file give what batches beside it give, in any mixture."""
    results = []
    for ways in ([False] * 3, bulk):
        store = opened(tmp_path_factory.mktemp("store"))
        counts = []
        for batch, way in zip(batches, ways, strict=False):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(events, "BULK_ROWS", 1 if way else 1000)
                counts.append(store.append(batch.select(EVENT_SCHEMA.names)))
        ledger = [(day.date, day.events, day.revision) for day in store.days()]
        results.append((counts, ledger, store.day_events(Day.of(dt.date(1970, 1, 1), "UTC")).to_pylist()))
    assert results[0] == results[1]


def test_rows_are_sorted_by_entity_and_time() -> None:
    """Entities stand in the order of their code points, and times grow within each."""
    names = ["b", "é", "a", "Z", "b"]
    table = table_of(
        {"entity_id": names, "last_updated": [5, 4, 3, 2, 1], "cause": ["unknown"] * 5, "source": ["live"] * 5}
    )
    found = united([stored(table)])
    rows = list(zip(found["entity_id"].to_pylist(), found["last_updated"].to_pylist(), strict=True))
    assert rows == sorted(rows)


def test_words_that_are_not_used_are_dropped() -> None:
    """A slice of a large batch does not carry the words of the rest."""
    names = [f"light.{number}" for number in range(100)]
    table = table_of(
        {"entity_id": names, "last_updated": [*range(100)], "cause": ["unknown"] * 100, "source": ["live"] * 100}
    )
    column = united([stored(table).slice(3, 2)])["entity_id"].combine_chunks()
    assert column.dictionary.to_pylist() == ["light.3", "light.4"]

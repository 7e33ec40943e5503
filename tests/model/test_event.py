"""Events: their names, and their way into columns and back."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model import Cause, CauseKind, Event, Source
from quotidian.model.event import (
    BINARY_VALUES,
    EVENT_SCHEMA,
    LEARNABLE,
    RANK,
    event_id,
    events_of,
    table_from,
    table_of,
    value_of,
)

_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_times = st.integers(0, 2**53)


@given(st.tuples(_text, _text, _times), st.tuples(_text, _text, _times))
def test_an_id_names_home_entity_and_time(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    """The same change has the same id wherever it was read; another home, entity or time has another."""
    if "\0" not in "".join([*one[:2], *other[:2]]):
        assert (event_id(*one) == event_id(*other)) == (one == other)
    assert len(event_id(*one)) == 32
    assert int(event_id(*one), 16) < 2**128


def test_ids_stay_what_they_are() -> None:
    """An id is written into other systems: it may never be computed otherwise."""
    assert event_id("home", "light.kitchen", 1_700_000_000_000_000) == "5e78968cabb78cfee0181a248d4fba65"


_events = st.lists(
    st.builds(
        dict,
        entity_id=_text,
        last_updated=_times,
        last_changed=st.none() | _times,
        state=st.none() | _text,
        cause=st.sampled_from([kind.value for kind in CauseKind]),
        cause_entity=st.none() | _text,
        user=st.none() | _text,
        source=st.sampled_from([source.value for source in Source]),
        attributes=st.none() | st.just('{"brightness":5}'),
        registry=st.none() | st.just('{"area":"den","floor":"Attic","labels":["x"],"unit":"W"}'),
    ),
    max_size=6,
)


@given(_events)
def test_columns_and_events_say_the_same(rows: list[dict[str, object]]) -> None:
    """A table of events gives them back field by field, each with the state before it."""
    table = table_of({name: [row[name] for row in rows] for name in EVENT_SCHEMA.names})
    assert table.schema == EVENT_SCHEMA
    assert table.to_pylist() == rows
    before: dict[object, object] = {}
    for row, event in zip(rows, events_of(table, "home"), strict=True):
        assert event == Event(
            event_id=event_id("home", event.entity_id, event.last_updated),
            home="home",
            entity_id=str(row["entity_id"]),
            old_state=before.get(row["entity_id"]),  # type: ignore[arg-type]
            new_state=row["state"],  # type: ignore[arg-type]
            attributes={"brightness": 5} if row["attributes"] else {},
            last_changed=row["last_updated"] if row["last_changed"] is None else row["last_changed"],  # type: ignore[arg-type]
            last_updated=row["last_updated"],  # type: ignore[arg-type]
            cause=Cause(CauseKind(row["cause"]), row["cause_entity"], row["user"]),  # type: ignore[arg-type]
            source=Source(row["source"]),
            area="den" if row["registry"] else None,
            floor="Attic" if row["registry"] else None,
            labels=("x",) if row["registry"] else (),
            unit="W" if row["registry"] else None,
            value=value_of(row["state"]),  # type: ignore[arg-type]
        )
        before[row["entity_id"]] = row["state"]


@given(_events)
def test_events_and_columns_say_the_same(rows: list[dict[str, object]]) -> None:
    """Events of a table make the same table again, but for a last change that is the last update."""
    table = table_of({name: [row[name] for row in rows] for name in EVENT_SCHEMA.names})
    again = table_from(events_of(table, "home"))
    assert again.schema == EVENT_SCHEMA
    for row in rows:
        if row["last_changed"] == row["last_updated"]:
            row["last_changed"] = None
    assert again.to_pylist() == rows


@pytest.mark.parametrize("state", ["nan", "inf", "-Infinity", "1e999", "1_000", "١٢", "", "heat", None])
def test_what_is_no_number_has_no_value(state: str | None) -> None:
    """Neither words nor what a database could not store are values."""
    assert value_of(state) is None


def test_numbers_and_binary_states_have_a_value() -> None:
    """A reading is its number; the two states of a binary thing are 1 and 0."""
    assert [value_of(state) for state in ("21.5", "-3", "1e3", "0")] == [21.5, -3, 1000, 0]
    assert set(BINARY_VALUES.values()) == {0, 1}
    assert (value_of("on"), value_of("closed"), value_of("not_home"), value_of("locked")) == (1, 0, 0, 1)


def test_missing_columns_are_null_and_arrow_columns_are_taken() -> None:
    """A table can be made of what a source has; plain Arrow columns are fitted to the schema."""
    names = pa.array(["light.a"])
    table = table_of(
        {"entity_id": names, "last_updated": pa.array([5]), "cause": ["person"], "source": names.dictionary_encode()}
    )
    assert table.schema == EVENT_SCHEMA
    (row,) = table.to_pylist()
    assert (row["entity_id"], row["state"], row["attributes"], row["source"]) == ("light.a", None, None, "light.a")


def test_automations_are_not_learned_from() -> None:
    """What people did, or what cannot be told from it, is learned; what machines did is not."""
    kept = {kind for kind in CauseKind if Cause(kind).learnable}
    assert kept == LEARNABLE
    assert {CauseKind.AUTOMATION, CauseKind.SCRIPT, CauseKind.INTEGRATION, CauseKind.MANUAL}.isdisjoint(kept)


def test_every_source_has_a_rank_of_its_own() -> None:
    """Two copies of one event always say which one counts: the live one above the recorder's above a CSV row's."""
    assert set(RANK) == set(Source)
    assert len(set(RANK.values())) == len(RANK)
    assert RANK[Source.LIVE] > RANK[Source.RECORDER] > RANK[Source.HISTORY] > RANK[Source.CSV]


def test_events_cannot_be_changed() -> None:
    """An event is a fact."""
    event = Event(event_id="0", home="h", entity_id="light.a", new_state="on", last_changed=1, last_updated=1)
    with pytest.raises(AttributeError):
        event.new_state = "off"  # type: ignore[misc]

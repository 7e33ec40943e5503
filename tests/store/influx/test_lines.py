"""What is written to InfluxDB and asked of it, whatever stands in it."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from quotidian.model.event import table_of
from quotidian.store.embedded.contents import Row
from quotidian.store.embedded.copies import stored
from quotidian.store.influx import flux, lines
from quotidian.store.influx.flux import Query

from ...influx import flux as understood  # noqa: TID252 - tests are no package
from ...influx import lines as parsed  # noqa: TID252

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(TEXT, st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT))
def test_an_event_comes_back_from_its_record(name: str, state: str | None, user: str | None) -> None:
    """Byte for byte, whatever it is called and whatever it says, from a line that is read as one point."""
    columns = {"entity_id": [name], "last_updated": [7], "state": [state], "user": [user], "attributes": ['{"x":"é"}']}
    event = stored(table_of(columns | {"cause": ["physical"], "source": ["live"]}))
    (record,) = lines.records(event)
    assert record.isascii()
    assert record.isprintable() or "\x7f" in record
    (point,) = parsed.points(b"\n".join(lines.events("home", event, [record])), "us")
    assert lines.recorded([str(point.fields["record"])]).to_pylist() == event.to_pylist()
    assert lines.untag(dict(point.tags)["entity_id"]) == name


@given(TEXT, TEXT)
def test_no_two_names_have_one_tag(one: str, other: str) -> None:
    """Encoding can be undone, and leaves nothing that a tag cannot hold."""
    assert lines.untag(lines.tag(one)) == one
    assert (lines.tag(one) == lines.tag(other)) == (one == other)
    assert lines.tag(one).isprintable() or not one.isprintable()
    assert not {*lines.tag(one)} & {*'\n\r\t"\\'}
    assert lines.tag(one)


@given(TEXT, TEXT)
def test_a_text_in_a_query_stays_a_text(bucket: str, value: str) -> None:
    """Nothing in it is read as Flux."""
    query = understood.parse(Query(bucket, 0, 10).where("entity_id", value, bucket).keep("_value").limit(3).text)
    assert query.bucket == bucket
    assert (query.start, query.stop, len(query.steps)) == (0, 10_000, 3)


@given(st.binary(max_size=200_000))
def test_a_summary_comes_back_from_its_fields(content: bytes) -> None:
    """In as many fields as are said, each no longer than InfluxDB takes."""
    day = dt.date(2026, 9, 7).toordinal()
    (point,) = parsed.points(lines.summary("home", Row("daily", "time_of_day", 3, day), content), "us")
    packed = {name: str(value) for name, value in point.fields.items() if name != "version"}
    assert len(packed) == lines.chunks(content)
    assert max(map(len, packed.values())) <= lines.LONGEST
    assert lines.unpacked(packed, lines.chunks(content)) == content


def test_spans_beyond_the_time_of_influxdb_are_cut() -> None:
    """The first and the last instant that we know lie beyond those that InfluxDB knows."""
    query = understood.parse(Query("raw", -(1 << 62), 1 << 62).text)
    assert query.start < 0 < query.stop
    assert flux.until(1) == "1970-01-01T00:00:00.000001001Z"

"""What every store must do, run on each backend that there is."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian.errors import ConflictError, SettingError, SourceError
from quotidian.model import Day, Entity, Evidence, Finding, Home, Integers, Job, JobKind, Pattern, Status, Summary
from quotidian.model.day import instant
from quotidian.model.event import EVENT_SCHEMA, FOUND_SCHEMA, RANK, table_of
from quotidian.store import Appended, Checkpoint, Nights, Store
from quotidian.store.protocols import IMPORT, Astray, Checked

from .deliveries import arrival, delivery
from .rows import DAY, MONDAY, ZONE, at, kept, row, table

HOSTILE = [
    "light.kitchen",
    "light.kitchen_ceiling",
    "sensor.o'brien\"; DROP TABLE hot; --",
    "sensor.line\nbreak\ttab",
    "light.🦉",
    "sensor.nul\0byte",
    "sensor.percent%_",
    "",
]


def many(date: dt.date, rows: int, *, source: str = "recorder", seed: int = 1) -> pa.Table:
    """Make a day of sensor readings."""
    random = np.random.default_rng(seed)
    updated = at(date) + np.unique(random.integers(0, 86_000_000_000, rows))
    names = [f"sensor.s{number}" for number in random.integers(0, 20, updated.size)]
    states = [str(number) for number in random.integers(0, 100, updated.size)]
    size = updated.size
    columns = {"entity_id": names, "last_updated": updated, "state": states}
    return table_of(columns | {"cause": ["physical"] * size, "source": [source] * size})


def pattern(name: str, *subject: str, **more: Any) -> Pattern:
    """Make a pattern."""
    finding = Finding(
        detector="time_of_day",
        subject=subject,
        anchor=405,
        measures={"spread": 6, "tokens": list(subject)},
        evidence=Evidence(kept=38, observed=40, low=0.85, high=0.98, q_value=0.001, lift=12.0),
        confidence=0.9,
        sentence="About 06:45 the light goes on.",
        **more,
    )
    return Pattern(id=name, finding=finding, first_seen=MONDAY, last_seen=MONDAY, updated=MONDAY)


class TestHome:
    def test_a_new_store_has_a_home_with_a_fresh_id_in_utc(self, opened: Callable[..., Store], tmp_path: Path) -> None:
        """Two stores never share an id, and the id is a UUID."""
        one = opened().home
        other = opened(directory=tmp_path / "other").home
        assert (one.zone, UUID(one.id).version) == ("UTC", 4)
        assert one.id != other.id

    def test_the_home_is_kept_but_not_its_id(self, opened: Callable[..., Store]) -> None:
        """What is set is there after opening again; the id stays the store's own."""
        store = opened()
        name = store.home.id
        home = Home("foreign", ZONE, "House", 52.5, 13.4, "DE", entities={"light.🦉": Entity("light.🦉", "Owl")})
        store.set_home(home)
        assert store.home == opened().home == msgspec.structs.replace(home, id=name)

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "Europe/Ber\0lin"])
    def test_an_unknown_zone_is_refused(self, store: Store, zone: str) -> None:
        """Nothing of the home changes."""
        before = store.home
        with pytest.raises(SettingError, match="no time zone"):
            store.set_home(msgspec.structs.replace(store.home, zone=zone))
        assert store.home == before

    def test_another_zone_parts_the_events_anew(self, store: Store) -> None:
        """After a change of zone each event lies in its new local day, and every day is due."""
        store.append(many(MONDAY, 3000))
        store.append(table(row("light.late", at(MONDAY, 60)), row("light.new", at(MONDAY + 3 * DAY, 60))))
        store.put_day(MONDAY, {"a": (1, Integers(("x",)))}, {"a": Integers()}, store.days()[0].revision)
        before = {(line["entity_id"], line["last_updated"]) for line in kept(store)}
        store.set_home(msgspec.structs.replace(store.home, zone="America/New_York"))
        assert {(line["entity_id"], line["last_updated"]) for line in kept(store)} == before
        for record in store.days():
            day = Day.of(record.date, "America/New_York")
            updated = store.day_events(day)["last_updated"].to_pylist()
            assert record.due
            assert record.events == len(updated)
            assert all(day.start <= moment < day.end for moment in updated)
        assert not store.carries(MONDAY)
        assert not store.summary("a", 1, MONDAY, MONDAY).days

    def test_who_was_overtaken_by_another_zone_leaves_the_day_due(self, store: Store) -> None:
        """A day of the old zone that is stored after the change does not pass for that of the new one."""
        store.append(table(row("light.a", at(MONDAY, 12 * 3600))))
        revision = store.days()[0].revision
        store.set_home(msgspec.structs.replace(store.home, zone="America/New_York"))
        store.put_day(MONDAY, {"a": (1, Integers(("x",)))}, {}, revision)
        assert [day.date for day in store.days() if day.due] == [MONDAY]


class TestAppend:
    def test_events_come_back_as_they_were(self, store: Store, opened: Callable[..., Store]) -> None:
        """Every field of every event round-trips, whatever the entity is called, also after opening again."""
        rows = [
            row(
                name,
                at(MONDAY, 3600) + number,
                None if number % 3 == 0 else f"state {name}",
                last_changed=at(MONDAY, 1800) if number % 2 else None,
                cause="automation",
                cause_entity=f"automation.{name}",
                user="ab'c\"",
                attributes=json.dumps({"brightness": number}, separators=(",", ":")),
            )
            for number, name in enumerate(HOSTILE)
        ]
        assert store.append(table(*rows)) == Appended(len(rows), 0)
        expected = table(*sorted(rows, key=lambda line: line["entity_id"]))
        assert store.day_events(Day.of(MONDAY, ZONE)).schema.equals(EVENT_SCHEMA)
        assert kept(store) == kept(opened()) == expected.to_pylist()
        opened().seal(MONDAY + DAY)
        assert kept(opened()) == expected.to_pylist()

    @pytest.mark.parametrize("rows", [5, 5000])
    def test_the_same_batch_twice_adds_nothing(self, store: Store, rows: int) -> None:
        """A copy is counted as known, and its day does not become due."""
        batch = many(MONDAY, rows)
        assert store.append(batch) == Appended(batch.num_rows, 0)
        before = store.days(), kept(store)
        assert store.append(batch) == Appended(0, batch.num_rows)
        assert (store.days(), kept(store)) == before

    @pytest.mark.parametrize("rows", [5, 5000])
    def test_a_batch_may_hold_its_own_copies(self, store: Store, rows: int) -> None:
        """Of copies in one batch one is new."""
        batch = many(MONDAY, rows)
        assert store.append(pa.concat_tables([batch, batch])) == Appended(batch.num_rows, batch.num_rows)

    def test_an_empty_batch_moves_the_checkpoint(self, store: Store) -> None:
        """A source without news can say how far it was read."""
        assert store.append(EVENT_SCHEMA.empty_table(), Checkpoint("file", "7")) == Appended(0, 0)
        assert (store.checkpoint("file"), store.checkpoint("other"), store.days()) == ("7", None, [])

    def test_checkpoints_are_kept_by_source(self, store: Store, opened: Callable[..., Store]) -> None:
        """The last position of each source is there after opening again."""
        for source, position in [("a", "1"), ("b", "2"), ("a", "3")]:
            store.append(table(row("light.a", at(MONDAY))), Checkpoint(source, position))
        again = opened()
        assert (again.checkpoint("a"), again.checkpoint("b")) == ("3", "2")

    def test_filters_and_the_allow_list_apply(self, opened: Callable[..., Store]) -> None:
        """Entities that are left out and attributes that are not allowed never reach the disk."""
        store = opened(
            {
                "QUOTIDIAN_INCLUDE": "light.*,switch.*",
                "QUOTIDIAN_EXCLUDE": "*.secret*",
                "QUOTIDIAN_ATTRIBUTES": "brightness",
            }
        )
        text = '{"token": "hush", "brightness": 3}'
        batch = table(
            row("light.a", at(MONDAY), attributes=text),
            row("light.secret_b", at(MONDAY), attributes=text),
            row("sensor.c", at(MONDAY)),
            row("switch.d", at(MONDAY), attributes='{"token": "hush"}'),
        )
        assert store.append(batch) == Appended(2, 0, 2)
        found = [(line["entity_id"], line["attributes"]) for line in kept(store)]
        assert found == [("light.a", '{"brightness":3}'), ("switch.d", None)]

    def test_a_time_outside_the_calendar_is_refused(self, store: Store) -> None:
        """The batch is refused as a whole, and its checkpoint with it."""
        batch = table(row("light.a", at(MONDAY)), row("light.a", 10**18))
        with pytest.raises(SourceError, match="calendar"):
            store.append(batch, Checkpoint("file", "1"))
        assert (store.days(), store.checkpoint("file")) == ([], None)

    def test_attributes_have_one_spelling(self, store: Store) -> None:
        """Blanks, order and escapes make no difference between two copies."""
        for text in ('{"source": "\\u00e9", "brightness": 3.0}', '{"brightness":3.0,"source":"é"}'):
            store.append(table(row("light.a", at(MONDAY), attributes=text)))
        assert [line["attributes"] for line in kept(store)] == ['{"brightness":3.0,"source":"é"}']
        assert store.days()[0].revision == 1

    def test_attributes_that_are_no_object_are_refused(self, store: Store) -> None:
        """What cannot be filtered is not stored."""
        with pytest.raises(SourceError, match="not a JSON object"):
            store.append(table(row("light.a", at(MONDAY), attributes="[1]")))

    def test_what_the_registries_said_has_one_spelling(self, store: Store) -> None:
        """Nothing is null, what we do not know is left out, and what is not theirs is refused."""
        for entity_id, text in (
            ("light.a", '{"x": 1, "unit": "\\u00e9", "area": "den"}'),
            ("light.b", '{"area": null}'),
        ):
            store.append(table(row(entity_id, at(MONDAY), registry=text)))
        assert [line["registry"] for line in kept(store)] == ['{"area":"den","unit":"é"}', None]
        with pytest.raises(SourceError, match="not understood"):
            store.append(table(row("light.c", at(MONDAY), registry='{"area": 7}')))

    def test_a_table_of_another_shape_is_refused(self, store: Store) -> None:
        """A programming mistake is not stored."""
        with pytest.raises(ValueError, match="not a table of events"):
            store.append(pa.table({"entity_id": ["light.a"]}))


class TestCopies:
    def test_each_field_comes_from_the_highest_rank_that_has_it(self, store: Store) -> None:
        """A live copy without a user takes it from the recorder, but keeps its own state."""
        moment = at(MONDAY, 60)
        store.append(table(row("light.a", moment, "on", cause="person", source="live")))
        recorder = {"cause": "automation", "user": "anna", "attributes": '{"brightness":3}', "source": "recorder"}
        assert store.append(table(row("light.a", moment, "off", **recorder))) == Appended(0, 1)
        (found,) = kept(store)
        assert (found["state"], found["cause"], found["source"]) == ("on", "person", "live")
        assert (found["user"], found["attributes"]) == ("anna", '{"brightness":3}')

    def test_a_field_that_was_lent_yields_to_a_higher_rank(self, store: Store) -> None:
        """What came from the history gives way to the recorder, though the row as a whole is live."""
        moment = at(MONDAY, 60)
        for source, user in [("live", None), ("history", "low"), ("recorder", "high"), ("history", "low")]:
            store.append(table(row("light.a", moment, source=source, user=user)))
        assert [(line["user"], line["source"]) for line in kept(store)] == [("high", "live")]

    def test_a_removal_of_higher_rank_stays_a_removal(self, store: Store) -> None:
        """A null state says something."""
        for source, state in [("live", None), ("history", "on")]:
            store.append(table(row("light.a", at(MONDAY, 60), state, source=source)))
        assert [line["state"] for line in kept(store)] == [None]

    @pytest.mark.parametrize("exact_first", [True, False])
    @pytest.mark.parametrize("sealed", [True, False])
    def test_a_csv_row_meets_the_exact_row(self, store: Store, exact_first: bool, sealed: bool) -> None:
        """Milliseconds and state are enough to know a row again, in both directions."""
        exact = table(row("light.a", at(MONDAY, 60) + 123_456, source="recorder"))
        coarse = table(row("light.a", at(MONDAY, 60) + 123_000, source="csv", user="anna"))
        first, second = (exact, coarse) if exact_first else (coarse, exact)
        store.append(first)
        if sealed:
            store.seal(MONDAY + DAY)
        assert store.append(second) == Appended(0, 1)
        (found,) = kept(store)
        assert (found["last_updated"], found["source"]) == (at(MONDAY, 60) + 123_456, "recorder")
        assert found["user"] == "anna"
        assert [day.events for day in store.days()] == [1]

    def test_a_csv_row_of_another_state_is_another_event(self, store: Store) -> None:
        """Within one millisecond the state tells events apart."""
        store.append(table(row("light.a", at(MONDAY, 60) + 456, "on", source="live")))
        assert store.append(table(row("light.a", at(MONDAY, 60), "off", source="csv"))) == Appended(1, 0)

    def test_a_better_copy_makes_the_day_due(self, store: Store) -> None:
        """The revision grows when the content changes, and only then."""
        moment = at(MONDAY, 60)
        revisions = []
        for cause in ("unknown", "unknown", "person", "unknown"):
            store.append(table(row("light.a", moment, cause=cause)))
            revisions.append(store.days()[0].revision)
        assert revisions == [1, 1, 2, 2]


SLOTS = 8


@st.composite
def copies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a copy of one of few events on both sides of a midnight.

    Even slots are also downloaded as CSV, which says the same state.
    """
    slot = draw(st.integers(0, SLOTS - 1))
    coarse = slot % 2 == 0 and draw(st.booleans())
    moment = at(MONDAY + DAY) + (slot - SLOTS // 2) * 1_000_000
    return row(
        draw(st.sampled_from(["light.a", "light.b"])),
        moment if coarse else moment + 7,
        f"s{slot}" if slot % 2 == 0 else draw(st.sampled_from(["x", "y", None])),
        cause=draw(st.sampled_from(["unknown", "person", "automation"])),
        user=draw(st.sampled_from([None, "anna", "ben"])),
        source="csv" if coarse else draw(st.sampled_from(sorted(set(RANK) - {"csv"}))),
        last_changed=draw(st.sampled_from([None, moment - 5])),
        attributes=draw(st.sampled_from([None, '{"brightness":1}', '{"brightness":2}'])),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=st.lists(copies(), min_size=1, max_size=14))
def test_order_batches_and_duplicates_change_nothing(
    opened: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, rows: list[Any]
) -> None:
    """Shuffled, duplicated, cut into batches, sealed in between: the same events and the same ledger."""
    results = []
    for shuffled in (rows, data.draw(st.permutations(rows + rows[: len(rows) // 2]))):
        store = opened(directory=tmp_path_factory.mktemp("store"))
        store.set_home(Home("", ZONE))
        cut = data.draw(st.integers(0, len(shuffled)))
        counts = Appended(0, 0)
        for batch in (shuffled[:cut], shuffled[cut:]):
            if batch:
                counts += store.append(table(*batch))
                store.seal(data.draw(st.sampled_from([MONDAY, MONDAY + DAY, MONDAY + 2 * DAY])))
        ledger = [(day.date, day.events) for day in store.days()]
        assert counts.new == sum(events for _, events in ledger)
        results.append((kept(store), ledger))
    assert results[0] == results[1]


class TestDays:
    def test_the_ledger_counts_and_tells_what_is_due(self, store: Store) -> None:
        """A day is due until its summaries are of its last revision."""
        store.append(table(row("light.a", at(MONDAY, 5)), row("light.a", at(MONDAY + DAY, 5))))
        assert [(day.date, day.events, day.due) for day in store.days()] == [(MONDAY, 1, True), (MONDAY + DAY, 1, True)]
        store.put_day(MONDAY, {}, {}, store.days()[0].revision)
        assert [day.due for day in store.days()] == [False, True]
        store.append(table(row("light.b", at(MONDAY, 5))))
        assert [day.due for day in store.days()] == [True, True]

    def test_a_stale_fold_leaves_the_day_due(self, store: Store) -> None:
        """What was folded before a late event does not hide it."""
        store.append(table(row("light.a", at(MONDAY, 5))))
        revision = store.days()[0].revision
        store.append(table(row("light.b", at(MONDAY, 5))))
        store.put_day(MONDAY, {}, {}, revision)
        assert store.days()[0].due

    def test_a_quiet_day_can_be_folded(self, store: Store) -> None:
        """A day without events stands in the ledger once it has summaries."""
        store.put_day(MONDAY, {"a": (1, Integers())}, {}, 0)
        assert [(day.date, day.events, day.due) for day in store.days()] == [(MONDAY, 0, False)]
        assert store.day_events(Day.of(MONDAY, ZONE)).num_rows == 0

    @pytest.mark.parametrize(
        ("zone", "date"),
        [
            (ZONE, dt.date(2026, 3, 29)),
            (ZONE, dt.date(2025, 10, 26)),
            ("Australia/Lord_Howe", dt.date(2026, 4, 5)),
            ("Australia/Lord_Howe", dt.date(2025, 10, 5)),
            ("America/Santiago", dt.date(2025, 9, 7)),
            ("Pacific/Apia", dt.date(2011, 12, 31)),
        ],
    )
    @pytest.mark.parametrize("rows", [1, 2500])
    def test_each_side_of_a_midnight_is_another_day(self, store: Store, zone: str, date: dt.date, rows: int) -> None:
        """The last microsecond of a day and the first of the next part, where the clocks change too."""
        store.set_home(Home("", zone))
        day = Day.of(date, zone)
        more = [row(f"sensor.s{number}", day.start + number) for number in range(1, rows)]
        store.append(table(*more, *(row("light.a", edge) for edge in (day.start - 1, day.start, day.end - 1, day.end))))
        found = store.day_events(day).filter(pa.compute.equal(store.day_events(day)["entity_id"], "light.a"))
        assert found["last_updated"].to_pylist() == [day.start, day.end - 1]
        assert {record.date: record.events for record in store.days()}[date] == rows + 1

    def test_the_newest_come_first(self, store: Store) -> None:
        """Limit, span and entity hold over sealed and open days alike."""
        store.append(many(MONDAY, 2500))
        store.append(table(*(row("light.a", at(MONDAY + 14 * DAY, second)) for second in range(5))))
        newest = store.events(limit=7)
        updated = newest["last_updated"].to_pylist()
        assert newest.schema.equals(FOUND_SCHEMA)
        assert updated == sorted((line["last_updated"] for line in kept(store)), reverse=True)[:7]
        assert store.events(entity_id="light.a", limit=3)["last_updated"].to_pylist() == updated[:3]
        span = {"start": updated[6], "end": updated[3]}
        assert store.events(**span)["last_updated"].to_pylist() == updated[4:7]
        assert store.events(entity_id="light.none").num_rows == store.events(limit=0).num_rows == 0


class TestSealing:
    def test_sealing_keeps_everything(self, store: Store) -> None:
        """Sealed or not, the same events, and no day becomes due."""
        rows = [row(name, at(MONDAY + (number % 3) * DAY, number)) for number, name in enumerate(HOSTILE * 3)]
        store.append(table(*rows))
        before, ledger = kept(store), [(day.date, day.events, day.revision) for day in store.days()]
        assert store.seal(MONDAY + 2 * DAY) == [MONDAY, MONDAY + DAY]
        assert kept(store) == before
        assert [(day.date, day.events, day.revision) for day in store.days()] == ledger
        assert [bool(day.sealed_bytes) for day in store.days()] == [True, True, False]
        assert store.seal(MONDAY + 2 * DAY) == []

    def test_a_late_row_is_merged_and_resealed(self, store: Store, opened: Callable[..., Store]) -> None:
        """It is read at once, makes its day due, and is in the day's file after the next sealing."""
        store.append(many(MONDAY, 2500))
        store.seal(MONDAY + DAY)
        events = store.days()[0].events
        assert store.append(table(row("light.late", at(MONDAY, 5)))) == Appended(1, 0)
        assert store.days()[0].events == events + 1
        assert opened().seal(MONDAY + DAY) == [MONDAY]
        assert [line["entity_id"] for line in kept(opened())].count("light.late") == 1


class TestSummaries:
    def test_summaries_and_carries_round_trip(self, store: Store, opened: Callable[..., Store]) -> None:
        """What was put is given, by detector, version and day."""
        first, second = Integers(("light.🦉",), {"n": [1, -(2**40)]}), Integers((), {"n": []})
        store.put_day(MONDAY, {"a": (1, first), "b": (2, second)}, {"a": second}, 0)
        store.put_day(MONDAY + DAY, {"a": (1, second)}, {"a": first, "b": second}, 0)
        store = opened()
        assert store.summary("a", 1, MONDAY, MONDAY + DAY) == Summary(
            "a", 1, {MONDAY.toordinal(): first, MONDAY.toordinal() + 1: second}
        )
        assert store.summary("a", 2, MONDAY, MONDAY + DAY) == Summary("a", 2)
        assert store.summary("b", 2, MONDAY + DAY, MONDAY + DAY) == Summary("b", 2)
        assert store.carries(MONDAY + DAY) == {"a": first, "b": second}
        assert store.carries(MONDAY - DAY) == {}

    def test_folding_again_replaces_wholly(self, store: Store) -> None:
        """Nothing of the former fold of a day stays."""
        store.put_day(MONDAY, {"a": (1, Integers()), "b": (1, Integers())}, {"b": Integers()}, 0)
        store.put_day(MONDAY, {"a": (2, Integers(("x",)))}, {}, 0)
        assert not store.summary("a", 1, MONDAY, MONDAY).days
        assert not store.summary("b", 1, MONDAY, MONDAY).days
        assert store.carries(MONDAY) == {}
        assert store.summary("a", 2, MONDAY, MONDAY).days[MONDAY.toordinal()] == Integers(("x",))

    def test_periods_unite(self, store: Store, opened: Callable[..., Store]) -> None:
        """Weeks are given as the union of their days; weeks and months stand apart."""
        start, row = MONDAY.toordinal(), Integers(("x",), {"n": [1]})
        weeks = [Summary("a", 1, {start + 7 * week + day: row for day in range(7)}) for week in range(2)]
        for week, summary in enumerate(weeks):
            store.put_period("weekly", MONDAY + week * 7 * DAY, Summary("a", 1))
            store.put_period("weekly", MONDAY + week * 7 * DAY, summary)
        store = opened()
        assert store.period_summary("weekly", "a", 1, MONDAY, MONDAY + 7 * DAY) == weeks[0].merged(weeks[1])
        assert store.period_summary("weekly", "a", 1, MONDAY + DAY, MONDAY + 7 * DAY) == weeks[1]
        assert store.period_summary("monthly", "a", 1, MONDAY, MONDAY + 7 * DAY) == Summary("a", 1)


class TestJobs:
    def test_the_newest_jobs_are_given(self, store: Store, opened: Callable[..., Store]) -> None:
        """What is known of a job replaces what was known of it; the newest come first, of one kind if that is asked."""
        first, second, third = (
            Job(id=name, kind=kind, by="test", asked=asked)
            for name, kind, asked in (("c", JobKind.DAILY, 1), ("b", JobKind.WEEKLY, 2), ("a", JobKind.DAILY, 3))
        )
        for job in (second, third, first):
            store.put_job(job)
        again = msgspec.structs.replace(first, days=3, first=MONDAY, tidings=("folded 🦉",))
        store.put_job(again)
        store = opened()
        assert store.jobs() == [third, second, again]
        assert store.jobs(limit=1) == [third]
        assert store.jobs(kind=JobKind.DAILY) == [third, again]

    def test_one_holds_a_name(self, store: Store) -> None:
        """A name is held by one at a time, until it gives it back or its time is over."""
        assert store.hold("learn", "one", 60)
        assert store.hold("learn", "one", 60)
        assert not store.hold("learn", "two", 60)
        assert store.hold("other", "two", 60)
        store.release("learn", "two")
        assert not store.hold("learn", "two", 60)
        store.release("learn", "one")
        assert store.hold("learn", "two", 0)
        assert store.hold("learn", "one", 60)


class TestPatterns:
    def test_each_night_replaces_the_patterns(self, store: Store, opened: Callable[..., Store]) -> None:
        """Patterns come back by id as they were, and only those of the last night."""
        assert (store.patterns(), store.nights) == ([], Nights())
        first = store.put_patterns("daily", MONDAY, [pattern("c", "x=on"), pattern("b", "light.🦉=on")], 0)
        second = store.put_patterns("weekly", MONDAY, [pattern("b", "light.🦉=on")], first)
        fading = msgspec.structs.replace(pattern("b", "light.🦉=on"), status=Status.FADING)
        assert store.put_patterns("daily", MONDAY + DAY, [fading, pattern("a", "y=on")], second) == 3
        store = opened()
        assert store.patterns() == [pattern("a", "y=on"), fading]
        assert store.nights == Nights(MONDAY + DAY, MONDAY, revision=3)

    def test_patterns_that_somebody_else_changed_stay(self, store: Store) -> None:
        """Patterns that were made from others than those that are there are refused, and change nothing."""
        store.put_patterns("daily", MONDAY, [pattern("a", "light.one=on")], 0)
        for stale in (0, 2):
            with pytest.raises(ConflictError):
                store.put_patterns("daily", MONDAY + DAY, [], stale)
        assert (store.patterns(), store.nights) == ([pattern("a", "light.one=on")], Nights(MONDAY, revision=1))
        store.forget("light.one")
        with pytest.raises(ConflictError):
            store.put_patterns("daily", MONDAY + DAY, [pattern("a", "light.one=on")], 1)

    def test_marks_are_set_and_taken_away(self, store: Store, opened: Callable[..., Store]) -> None:
        """A mark stays until it is taken away."""
        store.mark(MONDAY + DAY, "party")
        store.mark(MONDAY, "away")
        store.mark(MONDAY, "guests")
        assert opened().marks() == {MONDAY: "guests", MONDAY + DAY: "party"}
        store = opened()
        store.mark(MONDAY, None)
        assert store.marks() == {MONDAY + DAY: "party"}


class TestRetention:
    def filled(self, store: Store) -> None:
        """Fill five days, fold the first four, and unite their week and month."""
        for number in range(5):
            date = MONDAY + number * DAY
            store.append(many(date, 2500, seed=number))
            if number < 4:
                store.put_day(date, {"a": (1, Integers(("x",)))}, {"a": Integers()}, store.days()[-1].revision)
        self.unite(store)

    def unite(self, store: Store) -> None:
        """Say that all weeks and months are united."""
        for period in ("weekly", "monthly"):
            for start, folds in store.stale(period).items():  # type: ignore[arg-type]
                store.united(period, start, folds)  # type: ignore[arg-type]

    def test_old_days_are_gone_to_the_byte(self, opened: Callable[..., Store], tmp_path: Path) -> None:
        """Raw days and daily summaries drop at their own age; files are gone; younger days stay."""
        store = opened({"QUOTIDIAN_RETENTION_RAW": "35", "QUOTIDIAN_RETENTION_DAILY": "36"})
        store.set_home(Home("", ZONE))
        self.filled(store)
        sizes = {day.date: day.sealed_bytes for day in store.days()}
        foreseen = store.retain(MONDAY + 37 * DAY, dry_run=True)
        assert len(store.days()) == 5
        before = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
        assert store.retain(MONDAY + 37 * DAY) == foreseen
        assert (foreseen.raw_days, foreseen.daily_days) == (2, 1)
        gone = before - sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
        assert gone in (0, sizes[MONDAY] + sizes[MONDAY + DAY])
        assert [(day.date - MONDAY).days for day in store.days()] == [1, 2, 3, 4]
        assert [bool(day.events) for day in store.days()] == [False, True, True, True]
        assert not store.summary("a", 1, MONDAY, MONDAY).days
        assert not store.carries(MONDAY)
        assert store.events(end=at(MONDAY + 2 * DAY)).num_rows == 0
        assert store.retain(MONDAY + 37 * DAY).raw_days == 0

    def test_a_day_that_is_not_united_is_never_dropped(self, opened: Callable[..., Store]) -> None:
        """Daily summaries stay until both their week and their month were united since."""
        store = opened()
        store.set_home(Home("", ZONE))
        self.filled(store)
        next_week = MONDAY + 7 * DAY
        store.append(table(row("light.a", at(next_week, 5))))
        for date, weekly, monthly in ((MONDAY, True, False), (next_week, False, True)):
            store.put_day(date, {"a": (1, Integers(("x",)))}, {"a": Integers()}, 1)
            for period, done in (("weekly", weekly), ("monthly", monthly)):
                for start, folds in store.stale(period).items() if done else ():  # type: ignore[arg-type]
                    store.united(period, start, folds)  # type: ignore[arg-type]
            days = store.summary("a", 1, MONDAY, next_week).days
            assert store.retain(MONDAY + 200 * DAY).daily_days == (0 if date == MONDAY else 4)
            assert store.retain(MONDAY + 200 * DAY).daily_days == 0
            assert date.toordinal() in days
        self.unite(store)
        assert store.retain(MONDAY + 200 * DAY).daily_days == 1

    def test_what_comes_after_its_day_was_dropped_changes_no_summary(self, opened: Callable[..., Store]) -> None:
        """A part of a day that is no longer kept is not the day: it is not due, and goes with the next night."""
        store = opened()
        store.set_home(Home("", ZONE))
        self.filled(store)
        store.retain(MONDAY + 370 * DAY)
        for date, rows in ((MONDAY, 2500), (MONDAY + DAY, 1)):
            store.append(many(date, rows, seed=9))
            store.append(table(row("light.late", at(date, 5))))
        store.receive(delivery(1, 1, arrival(1, "light.live", at(MONDAY + 2 * DAY, 7))))
        assert [(day.date, day.expired, day.due) for day in store.days()] == [
            *((MONDAY + number * DAY, True, False) for number in range(3)),
            (MONDAY + 4 * DAY, False, True),
        ]
        assert store.retain(MONDAY + 370 * DAY).raw_days == 3
        assert [day.date for day in store.days()] == [MONDAY + 4 * DAY]

    def test_no_day_goes_while_its_rest_may_still_come(self, opened: Callable[..., Store]) -> None:
        """Who imports a history holds retention off: else half of a day would be learned from, and the rest not."""
        store = opened()
        store.set_home(Home("", ZONE))
        self.filled(store)
        assert store.hold(IMPORT, "somebody", 60)
        assert store.retain(MONDAY + 500 * DAY).raw_days == 0
        store.release(IMPORT, "somebody")
        assert store.retain(MONDAY + 500 * DAY).raw_days == 4

    def test_in_steps_or_at_once(self, opened: Callable[..., Store]) -> None:
        """One step drops a few days and says that there are more; all steps together drop what a dry run foresees."""
        store = opened()
        store.set_home(Home("", ZONE))
        for number in range(20):
            store.append(table(row("light.a", at(MONDAY + number * DAY, 5))))
        for day in store.days():
            store.put_day(day.date, {}, {}, day.revision)
        today = MONDAY + 500 * DAY
        foreseen = store.retain(today, dry_run=True)
        first = store.retain(today, once=True)
        assert 0 < first.raw_days < foreseen.raw_days == 20
        assert first.more
        rest = store.retain(today)
        assert msgspec.structs.replace(first + rest, more=False) == foreseen
        assert not rest.more

    def test_a_day_that_is_due_is_never_dropped(self, opened: Callable[..., Store]) -> None:
        """What was not learned from stays, however old."""
        store = opened({"QUOTIDIAN_RETENTION_RAW": "35", "QUOTIDIAN_RETENTION_DAILY": "35"})
        store.set_home(Home("", ZONE))
        self.filled(store)
        store.append(table(row("light.late", at(MONDAY, 5))))
        before = store.day_events(Day.of(MONDAY, ZONE)).num_rows
        dropped = store.retain(MONDAY + 100 * DAY)
        assert (dropped.raw_days, dropped.daily_days) == (3, 3)
        assert [day.date for day in store.days()] == [MONDAY, MONDAY + 4 * DAY]
        assert store.day_events(Day.of(MONDAY, ZONE)).num_rows == before
        assert store.summary("a", 1, MONDAY, MONDAY).days

    def test_a_week_drops_when_all_of_it_is_old_and_a_month_never(self, opened: Callable[..., Store]) -> None:
        """A week that reaches over the cut stays; months stay for ever, for the shape of the year."""
        store = opened({"QUOTIDIAN_RETENTION_WEEKLY": "37", "QUOTIDIAN_RETENTION_DAILY": "37"})
        today = dt.date(2026, 11, 7)
        weeks, months = (dt.date(2026, 9, 24), dt.date(2026, 9, 25)), (dt.date(2020, 9, 1), dt.date(2026, 10, 1))
        for start in weeks:
            store.put_period("weekly", start, Summary("a", 1, {start.toordinal(): Integers(("x",))}))
        for start in months:
            store.put_period("monthly", start, Summary("a", 1, {start.toordinal(): Integers(("x",))}))
        assert store.retain(today).weeks == 1
        left = [set(store.period_summary(kind, "a", 1, dt.date.min, today).days) for kind in ("weekly", "monthly")]
        assert left == [{weeks[1].toordinal()}, {start.toordinal() for start in months}]


class TestCheck:
    def test_everything_is_read(self, store: Store) -> None:
        """What is there is counted, of the days that were asked for; where all is well there is nothing to say."""
        for number in range(3):
            store.append(many(MONDAY + number * DAY, 2500, seed=number))
            store.put_day(MONDAY + number * DAY, {"a": (1, Integers(("x",)))}, {}, 1)
        store.put_period("weekly", MONDAY - DAY, Summary("a", 1, {MONDAY.toordinal(): Integers(("x",))}))
        events = {day.date: day.events for day in store.days()}
        assert store.check(MONDAY, MONDAY) == Checked(1, events[MONDAY], 1)
        assert store.check(MONDAY - DAY, MONDAY + 9 * DAY) == Checked(3, sum(events.values()), 4)
        assert store.check(MONDAY + 3 * DAY, MONDAY + 9 * DAY) == Checked()
        assert store.warnings() == []
        while store.settle():
            pass
        assert store.astray() == Astray(0, 0, 0, 0)


class TestForget:
    NAME = "light.forget'me🦉"

    def filled(self, store: Store) -> None:
        """Name the entity wherever a name can stand."""
        name, other = self.NAME, self.NAME + "_not"
        store.set_home(msgspec.structs.replace(store.home, entities={name: Entity(name), other: Entity(other)}))
        store.append(many(MONDAY, 2500))
        for date in (MONDAY, MONDAY + 14 * DAY):
            store.append(
                table(
                    row(name, at(date, 5), cause_entity=other),
                    row(other, at(date, 5), cause="automation", cause_entity=name),
                    row("media_player.a", at(date, 5), attributes=json.dumps({"source": name})),
                )
            )
        store.seal(MONDAY + DAY)
        plain, named = Integers((other,)), Integers((f"{name}=on", other))
        revision = {day.date: day.revision for day in store.days()}
        store.put_day(MONDAY, {"a": (1, named), "b": (1, plain)}, {"a": named}, revision[MONDAY])
        store.put_day(MONDAY - DAY, {"a": (1, named), "b": (1, plain)}, {}, 0)
        store.put_day(MONDAY - 2 * DAY, {"b": (1, plain)}, {}, 0)
        days = {MONDAY.toordinal(): named, MONDAY.toordinal() + 1: plain}
        store.put_period("weekly", MONDAY, Summary("a", 1, days))
        store.put_patterns("daily", MONDAY, [pattern("p", f"{name}=on"), pattern("q", f"{other}=on")], 0)

    def test_it_is_gone_from_every_layer(self, store: Store) -> None:
        """Its rows, names, summaries and patterns go; those of an entity with a longer name stay."""
        self.filled(store)
        seen: list[tuple[int, int]] = []
        forgotten = store.forget(self.NAME, lambda done, total: seen.append((done, total)))
        assert (forgotten.events, forgotten.days, forgotten.patterns) == (2, 2, 1)
        assert seen[-1] == (2, 2)
        assert self.NAME not in {line["entity_id"] for line in kept(store)}
        assert [line["cause_entity"] for line in kept(store) if line["entity_id"] == self.NAME + "_not"] == [None] * 2
        assert [line["attributes"] for line in kept(store) if line["entity_id"] == "media_player.a"] == [None] * 2
        assert {day.date for day in store.days() if day.due} == {MONDAY, MONDAY + 14 * DAY}
        assert not store.summary("a", 1, MONDAY - DAY, MONDAY).days
        assert len(store.summary("b", 1, MONDAY - 2 * DAY, MONDAY).days) == 3
        assert store.carries(MONDAY) == {}
        assert list(store.period_summary("weekly", "a", 1, MONDAY, MONDAY).days) == [MONDAY.toordinal() + 1]
        assert [found.id for found in store.patterns()] == ["q"]
        assert list(store.home.entities) == [self.NAME + "_not"]

    def test_who_was_at_work_does_not_bring_it_back(self, store: Store) -> None:
        """What was folded, united or found before is refused; afterwards it goes on."""
        self.filled(store)
        named = Integers((f"{self.NAME}=on",))
        revision, after = store.days()[-1].revision, store.nights.revision
        ((start, folds),) = [*store.stale("monthly").items()][-1:]
        late = store.days()[-1].date
        store.forget(self.NAME)
        with pytest.raises(ConflictError, match="forgotten"):
            store.put_day(late, {"a": (1, named)}, {}, revision)
        with pytest.raises(ConflictError):
            store.put_period("monthly", start, Summary("a", 1, {start.toordinal(): named}), folds)
        with pytest.raises(ConflictError):
            store.put_patterns("daily", late, [pattern("p", f"{self.NAME}=on")], after)
        store.put_day(late, {"a": (1, Integers(("x",)))}, {}, store.days()[-1].revision)
        assert not store.days()[-1].due

    def test_an_unknown_entity_changes_nothing(self, store: Store) -> None:
        """Forgetting what was never there makes no day due."""
        self.filled(store)
        before = store.days(), kept(store)
        assert store.forget("light.never").days == 0
        assert (store.days(), kept(store)) == before


def test_the_layers_tell_their_sizes(store: Store) -> None:
    """Rows, bytes and span of each layer follow what was put into it."""
    assert [(layer.layer, layer.rows, layer.first) for layer in store.layers()] == [(n, 0, None) for n in (1, 2, 3, 4)]
    store.append(many(MONDAY, 2500))
    store.put_day(MONDAY, {"a": (1, Integers(("x",)))}, {"a": Integers()}, 1)
    store.put_period("weekly", MONDAY, Summary("a", 1, {MONDAY.toordinal(): Integers(("x",))}))
    store.put_patterns("daily", MONDAY, [pattern("p", "x=on")], 0)
    layers = store.layers()
    assert [layer.rows for layer in layers] == [store.days()[0].events, 1, 1, 1]
    assert all(layer.bytes > 0 for layer in layers)
    assert [layer.last for layer in layers] == [MONDAY, MONDAY, MONDAY + 6 * DAY, MONDAY]


def test_instants_before_the_epoch_have_a_day(store: Store) -> None:
    """A clock that was wrong does not lose the event."""
    moment = instant(dt.datetime(1969, 12, 31, 12, tzinfo=dt.UTC))
    store.append(table(row("light.a", moment)))
    assert [day.date for day in store.days()] == [dt.date(1969, 12, 31)]

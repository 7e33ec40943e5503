"""Days that are over, in InfluxDB."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from quotidian.errors import CorruptStoreError, SettingError, StoreRefusedError, UnreachableError
from quotidian.model import Integers
from quotidian.settings import Settings
from quotidian.store import Checkpoint, Store
from quotidian.store.connect import prepare
from quotidian.store.influx.flux import Query
from quotidian.store.influx.server import Server

from ...influx.server import Influx  # noqa: TID252 - tests are no package
from .days import DAY, MONDAY, NOON, away, events, many, one, settled

RAW = "home_assistant_events"


def files(directory: Path) -> int:
    """Count the files of days."""
    return len([*directory.rglob("*.parquet")])


def points(influx: Influx, field: str = "record") -> int:
    """Count the points in InfluxDB that have a field."""
    return sum(name == field for _, _, name, _, _ in influx.buckets[RAW].points())


def test_a_sealed_day_lies_in_influxdb_only(store: Store, influx: Influx, tmp_path: Path) -> None:
    """After settling there is no file of it; it is read from InfluxDB as it was."""
    store.append(many(MONDAY))
    before = events(store)
    settled(store)
    assert (files(tmp_path), points(influx)) == (0, len(before))
    asked = len(influx.queries)
    assert events(store) == before
    assert len(influx.queries) > asked
    assert [day.events for day in store.days()] == [len(before)]


def test_no_point_is_lost_when_a_number_becomes_a_text(store: Store, influx: Influx) -> None:
    """A state that is a number now and unavailable then is there both times, and the number also as a number."""
    store.append(one("sensor.a", MONDAY, 1, "21.5"))
    store.append(one("sensor.a", MONDAY, 2, "unavailable"))
    settled(store)
    found = [(name, value) for _, _, name, _, value in influx.buckets[RAW].points() if name in ("state", "value")]
    assert found == [("state", "21.5"), ("state", "unavailable"), ("value", 21.5)]


def test_only_what_is_named_is_a_tag(store: Store, influx: Influx) -> None:
    """Tags are home, domain and entity_id; the time is that of the last update."""
    store.append(one("light.a", MONDAY))
    settled(store)
    (found,) = {(measurement, tags, time) for measurement, tags, _, time, _ in influx.buckets[RAW].points()}
    assert found[0] == RAW
    assert dict(found[1]) == {"home": store.home.id, "domain": "light", "entity_id": "light.a"}
    assert found[2] == events(store)[0]["last_updated"] * 1000


def test_a_late_event_is_in_the_day_and_what_it_replaces_is_not(store: Store, influx: Influx) -> None:
    """Of an exact copy of a coarse event the coarse one goes, also in InfluxDB, and nothing else."""
    store.append(many(MONDAY))
    store.append(one("light.a", MONDAY, 60, source="csv"))
    settled(store)
    before = points(influx)
    store.append(one("light.a", MONDAY, 60.000_5, source="recorder"))
    settled(store)
    assert points(influx) == before
    (found,) = [line for line in events(store) if line["entity_id"] == "light.a"]
    assert found["last_updated"] % 1000 == 500
    times = {time // 1000 for _, tags, _, time, _ in influx.buckets[RAW].points() if ("entity_id", "light.a") in tags}
    assert times == {found["last_updated"]}


@pytest.mark.parametrize("moment", ["before", "while writing", "answer lost", "while reading back"])
def test_influxdb_goes_while_a_day_is_moved(
    store: Store, influx: Influx, tmp_path: Path, opened: Callable[..., Store], moment: str
) -> None:
    """It is said, the day stays where it was, can be read, and is moved when InfluxDB is back."""
    store.append(many(MONDAY, 12_000))
    before = events(store)
    store.seal(MONDAY + DAY)
    if moment == "while writing":
        influx.cut(done=False, on="/api/v2/write")
    elif moment == "answer lost":
        influx.cut(done=True, on="/api/v2/write")
    elif moment == "while reading back":
        influx.cut(done=False, on="/api/v2/query")
    if moment == "before":
        with away(influx), pytest.raises(UnreachableError, match="does not answer"):
            store.settle()
    else:
        with pytest.raises(UnreachableError, match="does not answer"):
            store.settle()
    assert files(tmp_path) == 1
    assert events(store) == before
    store = opened()
    settled(store)
    assert (files(tmp_path), points(influx)) == (0, len(before))
    assert events(store) == before


def test_influxdb_is_away_while_events_come_and_days_end(store: Store, influx: Influx) -> None:
    """Events are taken, days sealed, today read; only what lies in InfluxDB cannot be read, and nothing is lost."""
    store.append(many(MONDAY))
    settled(store)
    kept = events(store)
    with away(influx):
        store.append(many(MONDAY + DAY))
        store.append(one("light.today", MONDAY + 4 * DAY))
        assert store.seal(MONDAY + 4 * DAY) == [MONDAY + DAY]
        assert len(events(store, MONDAY + DAY)) > 200
        assert len(events(store, MONDAY + 4 * DAY)) == 1
        with pytest.raises(UnreachableError, match="does not answer"):
            events(store)
    assert not store.marks()
    assert events(store) == kept


def test_a_late_event_and_the_night_do_not_wait_for_influxdb(
    store: Store, influx: Influx, opened: Callable[..., Store], tmp_path: Path, time: Callable[[int], None]
) -> None:
    """The file of a day stays for as long as late events of it are likely, also over a restart; then it goes."""
    date = MONDAY + 3 * DAY
    store.append(many(date))
    settled(store)
    before = events(store, date)
    assert (points(influx), files(tmp_path)) == (len(before), 1)
    with away(influx):
        store = opened()
        assert events(store, date) == before
        store.append(one("light.late", date))
        assert store.seal(MONDAY + 4 * DAY) == [date]
        assert len(events(store, date)) == len(before) + 1
    settled(store)
    assert (points(influx), files(tmp_path)) == (len(before) + 1, 1)
    time(NOON + 4 * 86_400_000_000)
    settled(store)
    assert files(tmp_path) == 0
    assert len(events(store, date)) == len(before) + 1
    # In the books it lay in InfluxDB all the time, so that forgetting reaches both.
    store.forget("light.late")
    assert events(store, date) == before


def test_a_damaged_day_is_set_aside(store: Store, influx: Influx, tmp_path: Path) -> None:
    """Points that somebody deleted are noticed; what is left is kept aside, the day marked, its sources read again."""
    store.append(many(MONDAY), Checkpoint("a source", "its end"))
    store.append(many(MONDAY + DAY))
    settled(store)
    lost = events(store)[0]
    influx.buckets[RAW].delete(lost["last_updated"] * 1000, lost["last_updated"] * 1000, "")
    left = points(influx)
    with pytest.raises(CorruptStoreError, match=f"{MONDAY}.*InfluxDB"):
        events(store)
    assert store.marks() == {MONDAY: "damaged"}
    assert store.checkpoint("a source") is None
    (aside,) = (tmp_path / "store" / "quarantine").iterdir()
    assert len(aside.read_text().splitlines()) + len(events(store, MONDAY + DAY)) == left
    assert events(store) == []
    store.append(many(MONDAY))
    settled(store)
    assert lost in events(store)


def test_a_bucket_that_was_deleted_by_hand(store: Store, influx: Influx, settings: Settings) -> None:
    """It is said what makes it again, and no day is marked before it is there and empty."""
    store.append(many(MONDAY))
    settled(store)
    del influx.buckets[RAW]
    with pytest.raises(SettingError, match="quotidian store init"):
        events(store)
    assert not store.marks()
    assert [line for line in prepare(settings) if "was made" in line] == [f"{RAW} was made, and keeps 7 days."]
    with pytest.raises(CorruptStoreError, match=str(MONDAY)):
        events(store)
    assert store.marks() == {MONDAY: "damaged"}


@pytest.mark.parametrize("status", [400, 422])
def test_a_point_that_is_refused_keeps_its_day_in_a_file(
    store: Store, influx: Influx, opened: Callable[..., Store], tmp_path: Path, status: int
) -> None:
    """It becomes a dead letter with the reason, once; nothing is lost, and other days are moved."""
    store.append(many(MONDAY))
    store.append(one("light.bad", MONDAY))
    store.append(many(MONDAY - DAY))
    before = events(store)
    influx.refuse("light.bad", status)
    settled(store)
    assert files(tmp_path) == 1
    settled(opened())
    store = opened()
    (letter,) = store.dead_letters().letters
    assert (letter.stream, "light.bad" in letter.text, "not wanted here" in letter.reason) == ("influxdb", True, True)
    assert events(store) == before
    assert len(events(store, MONDAY - DAY)) > 200
    # Changed, it is tried again.
    influx.unwanted.clear()
    store.append(one("light.more", MONDAY))
    settled(store)
    assert files(tmp_path) == 0
    assert len(events(store)) == len(before) + 1


def test_an_event_that_is_too_long_stays_here(store: Store, influx: Influx, tmp_path: Path) -> None:
    """InfluxDB takes no text of such a length, so its day stays in a file."""
    store.append(one("light.a", MONDAY, attributes='{"source":"' + "x" * 70_000 + '"}'))
    before = events(store)
    settled(store)
    assert (files(tmp_path), points(influx), len(store.dead_letters().letters)) == (1, 0, 1)
    assert events(store) == before


def test_days_come_back_before_influxdb_drops_them(
    store: Store, influx: Influx, tmp_path: Path, time: Callable[[int], None]
) -> None:
    """A day that was not learned from yet outlives its bucket's retention, in a file."""
    store.append(many(MONDAY))
    settled(store)
    before = events(store)
    time(NOON + 2 * 86_400_000_000)
    settled(store)
    assert files(tmp_path) == 1
    time(NOON + 20 * 86_400_000_000)
    influx.buckets[RAW].expire(influx.now() * 1000)
    settled(store)
    assert (files(tmp_path), points(influx)) == (1, 0)
    assert events(store) == before


def test_old_days_never_go_to_influxdb(store: Store, influx: Influx, tmp_path: Path) -> None:
    """What InfluxDB would drop at once stays in a file."""
    store.append(many(MONDAY - 30 * DAY))
    settled(store)
    assert (files(tmp_path), points(influx)) == (1, 0)


def test_a_bucket_that_keeps_less_than_the_settings_say(store: Store, influx: Influx) -> None:
    """It is said, with what to do; the day stays in its file."""
    store.append(many(MONDAY))
    influx.buckets[RAW].every = 3_600
    with pytest.raises((SettingError, StoreRefusedError), match=re.escape(RAW)):
        settled(store)
    assert len(events(store)) > 200


def test_what_is_forgotten_is_gone_from_influxdb(store: Store, influx: Influx) -> None:
    """Its points, and its name in those of others, of days that are over and of today."""
    store.append(many(MONDAY))
    store.append(one("light.mine", MONDAY))
    store.append(one("light.other", MONDAY, cause_entity="light.mine"))
    settled(store)
    assert points(influx) == len(events(store))
    store.forget("light.mine")
    settled(store)
    assert b"light.mine" not in repr([*influx.buckets[RAW].points()]).encode()
    assert points(influx) == len(events(store))


def test_what_is_forgotten_while_influxdb_is_away_goes_when_it_is_back(
    store: Store, influx: Influx, opened: Callable[..., Store]
) -> None:
    """It is said that it is still there; nobody has to ask again."""
    store.append(one("light.mine", MONDAY))
    store.append(one("light.other", MONDAY + DAY))
    settled(store)
    influx.fail(503, times=3, on="/api/v2/delete")
    with pytest.raises(UnreachableError):
        store.forget("light.mine")
    influx.faults.clear()
    settled(opened())
    assert b"light.mine" not in repr([*influx.buckets[RAW].points()]).encode()
    assert points(influx) == 1


def test_a_store_in_influxdb_is_not_taken_for_a_damaged_one(opened: Callable[..., Store], influx: Influx) -> None:
    """Without QUOTIDIAN_STORE=influx it is refused, with what to do; nothing is marked or set aside."""
    store = opened()
    store.append(many(MONDAY))
    settled(store)
    with pytest.raises(StoreRefusedError, match="QUOTIDIAN_STORE=influx"):
        opened(QUOTIDIAN_STORE="embedded")
    store = opened()
    assert not store.marks()
    assert len(events(store)) == points(influx)


def test_everything_comes_back_into_the_directory(opened: Callable[..., Store], influx: Influx, tmp_path: Path) -> None:
    """Opened so that all lies here, days are moved back, and leave InfluxDB."""
    store = opened()
    store.append(many(MONDAY))
    settled(store)
    before = events(store)
    store = opened(here=True)
    settled(store)
    assert (files(tmp_path), points(influx)) == (1, 0)
    store = opened(QUOTIDIAN_STORE="embedded")
    assert events(store) == before


def test_another_kind_of_store_is_refused(opened: Callable[..., Store]) -> None:
    """A word that names no store is no reason to take the default."""
    with pytest.raises(SettingError, match="QUOTIDIAN_STORE is 'mysql'"):
        opened(QUOTIDIAN_STORE="mysql")


def test_one_answer_that_is_not_whole_costs_no_day(
    store: Store, influx: Influx, time: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day is asked for twice before it is given up."""
    store.append(many(MONDAY))
    settled(store)
    before = events(store)
    time(NOON + 86_400_000_000)
    settled(store)
    answers = [2, 1]
    whole = Server.query

    def half(server: Server, query: Query, bucket: str) -> dict[str, list[str]]:
        found = whole(server, query, bucket)
        return {name: values[:: answers.pop(0) if answers else 1] for name, values in found.items()}

    monkeypatch.setattr(Server, "query", half)
    assert events(store) == before
    assert not store.marks()
    assert not answers


def test_a_day_that_was_learned_from_is_not_damaged_by_age(
    store: Store, influx: Influx, time: Callable[[int], None]
) -> None:
    """Where nobody was there to move it back, it goes like any old one; one that was not learned from is named."""
    learned, due = MONDAY - DAY, MONDAY
    for date in (learned, due):
        store.append(many(date), Checkpoint("a source", "its end"))
    settled(store)
    store.put_day(learned, {"a": (1, Integers(("x",)))}, {}, 1)
    time(NOON + 30 * 86_400_000_000)
    influx.buckets[RAW].expire(influx.now() * 1000)
    with pytest.raises(CorruptStoreError, match=f"{due}.*dropped"):
        settled(store)
    settled(store)
    assert store.marks() == {due: "damaged"}
    assert [(day.date, day.events, day.expired, day.due) for day in store.days()] == [
        (learned, 0, True, False),
        (due, 0, False, True),
    ]
    assert [*store.summary("a", 1, learned, due).days] == [learned.toordinal()]


def test_a_name_is_gone_also_from_days_that_stay_in_files(
    store: Store, influx: Influx, tmp_path: Path, time: Callable[[int], None]
) -> None:
    """InfluxDB may keep them for longer than the settings say; no file of the store has the name afterwards."""
    store.append(one("light.mine", MONDAY))
    store.append(one("light.other", MONDAY, cause_entity="light.mine"))
    settled(store)
    influx.buckets[RAW].every = 0
    time(NOON + 2 * 86_400_000_000 + 43_200_000_000)
    store.forget("light.mine")
    settled(store)
    assert (files(tmp_path), points(influx)) == (1, 0)
    assert b"light.mine" not in repr([*influx.buckets[RAW].points()]).encode()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"light.mine" in path.read_bytes()]


def test_a_day_that_cannot_be_moved_keeps_nothing_else_from_coming_back(
    opened: Callable[..., Store], influx: Influx, tmp_path: Path, time: Callable[[int], None]
) -> None:
    """Neither a day that InfluxDB would drop soon, nor a summary."""
    old = MONDAY - 29 * DAY
    store = opened(INFLUXDB_RETENTION_DAILY="35d")
    store.append(many(MONDAY))
    store.put_day(old, {"a": (1, Integers(("x",)))}, {}, 0)
    settled(store)
    store.append(many(MONDAY + 3 * DAY))
    store.seal(MONDAY + 4 * DAY)
    time(NOON + 2 * 86_400_000_000)
    influx.fail(404, times=1_000, on="/api/v2/write")
    with pytest.raises(SettingError, match=RAW):
        settled(store)
    influx.buckets.clear()
    assert {path.parent.name for path in tmp_path.rglob("*.parquet")} == {f"date={MONDAY}", f"date={MONDAY + 3 * DAY}"}
    assert len(events(store)) > 200
    assert store.summary("a", 1, old, old).days


def test_a_day_that_influxdb_loses_soon_is_not_lost(
    store: Store, influx: Influx, settings: Settings, tmp_path: Path, time: Callable[[int], None]
) -> None:
    """Its file goes only when InfluxDB still holds it; else it counts again, and the day is moved once more."""
    dates = [MONDAY + 2 * DAY, MONDAY + 3 * DAY]
    for date in dates:
        store.append(many(date))
    settled(store)
    before = [events(store, date) for date in dates]
    assert files(tmp_path) == 2
    del influx.buckets[RAW]
    prepare(settings)
    time(NOON + 2 * 86_400_000_000)
    settled(store)
    assert (files(tmp_path), points(influx)) == (1, len(before[0]))
    time(NOON + 3 * 86_400_000_000)
    settled(store)
    assert (files(tmp_path), points(influx)) == (0, len(before[0]) + len(before[1]))
    assert [events(store, date) for date in dates] == before
    assert (store.marks(), store.check(*dates).faults) == ({}, ())


def test_what_influxdb_drops_sooner_is_not_lost(
    opened: Callable[..., Store], influx: Influx, time: Callable[[int], None]
) -> None:
    """Where events are to be kept for longer than InfluxDB keeps them, nobody who is away for a month loses a day."""
    kept = {"QUOTIDIAN_RETENTION_RAW": "365", "INFLUXDB_RETENTION_RAW": "7d"}
    store = opened(**kept)
    store.append(many(MONDAY))
    settled(store)
    before = events(store)
    assert points(influx) == len(before)
    for day in store.days():
        store.put_day(day.date, {}, {}, day.revision)
    time(NOON + 30 * 86_400_000_000)
    store = opened(**kept)
    assert store.warnings() == []
    assert store.retain(MONDAY).raw_days == 0
    assert events(store) == before
    while store.settle():
        pass
    assert events(opened(**kept, QUOTIDIAN_STORE="embedded")) == before

"""The contents of summaries, in InfluxDB."""

import datetime as dt
import json
from collections.abc import Callable

import numpy as np
import pytest

from quotidian.errors import CorruptStoreError, SettingError, UnreachableError
from quotidian.model import Integers, RollUp, Summary
from quotidian.settings import Settings
from quotidian.store import Store
from quotidian.store.connect import prepare

from ...influx.server import Influx  # noqa: TID252 - tests are no package
from .days import DAY, MONDAY, NOON, away, many, settled

DAILY, WEEKLY = "pattern_aggregates_daily", "pattern_aggregates_weekly"
ROW = Integers(("light.a", "light.🦉"), {"n": [1, 2**40]})


def rollup(entity_id: str, date: dt.date = MONDAY, detector: str = "time_of_day") -> RollUp:
    """Make a roll-up as the original documents name it."""
    figures = {
        "hourly_distribution": [0, 3, 1],
        "peak_hours": [1],
        "frequency": 4,
        "confidence": 0.75,
        "occurrences": 4,
    }
    return RollUp(date, detector, entity_id, figures)


def put(store: Store, date: dt.date = MONDAY, row: Integers = ROW, *rollups: RollUp) -> None:
    """Fold a day."""
    revision = {day.date: day.revision for day in store.days()}
    store.put_day(
        date, {"time_of_day": (3, row), "row": (1, row)}, {"time_of_day": row}, revision.get(date, 0), rollups
    )


def fields(influx: Influx, bucket: str, measurement: str, entity_id: str | None = None) -> dict[str, object]:
    """Give the fields of a measurement's points: of an entity, or those without one."""
    return {
        name: value
        for found, tags, name, _, value in influx.buckets[bucket].points()
        if found == measurement and dict(tags).get("entity_id") == entity_id
    }


def test_a_day_lies_in_influxdb_and_the_books_know_its_digest(store: Store, influx: Influx) -> None:
    """Its measurements are named as the documents name them, its time is midnight in UTC, and it comes back exactly."""
    put(store)
    found = {(name, time) for name, _, _, time, _ in influx.buckets[DAILY].points()}
    midnight = int(dt.datetime(2026, 9, 7, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
    assert found == {("time_based_daily", midnight), ("day_row_daily", midnight)}
    assert set(fields(influx, DAILY, "time_based_daily")) == {"version", "packed"}
    asked = len(influx.queries)
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days == {MONDAY.toordinal(): ROW}
    assert len(influx.queries) == asked + 1
    assert store.summarised("time_of_day", 3) == {MONDAY}


def test_what_is_told_of_an_entity_can_be_read_there(store: Store, influx: Influx) -> None:
    """Numbers are numbers of one type, lists are JSON; the tags are home, domain and entity_id."""
    put(store, MONDAY, ROW, rollup("light.🦉"))
    found = fields(influx, DAILY, "time_based_daily", "light.🦉")
    assert found == {
        "hourly_distribution": "[0,3,1]",
        "peak_hours": "[1]",
        "frequency": 4.0,
        "confidence": 0.75,
        "occurrences": 4.0,
    }
    assert json.loads(str(found["hourly_distribution"])) == [0, 3, 1]
    assert store.summaries(MONDAY, MONDAY) == [rollup("light.🦉")]


def test_folding_again_leaves_nothing_of_before(store: Store, influx: Influx) -> None:
    """Entities and figures that are not told of any more are gone from InfluxDB, too."""
    put(store, MONDAY, ROW, rollup("light.a"), rollup("light.b"))
    store.put_day(
        MONDAY, {"time_of_day": (4, Integers(("x",)))}, {}, 0, [RollUp(MONDAY, "time_of_day", "light.b", {"n": 1})]
    )
    assert fields(influx, DAILY, "time_based_daily", "light.a") == {}
    assert fields(influx, DAILY, "time_based_daily", "light.b") == {"n": 1.0}
    assert fields(influx, DAILY, "day_row_daily") == {}
    assert store.summary("time_of_day", 4, MONDAY, MONDAY).days[MONDAY.toordinal()] == Integers(("x",))


def test_a_long_summary_is_split(store: Store, influx: Influx) -> None:
    """No field is longer than InfluxDB takes; together they are what was put."""
    random = np.random.default_rng(1)
    large = Integers(("x",), {"n": random.integers(0, 2**60, 20_000)})
    put(store, MONDAY, large)
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): large}))
    lengths = [len(value) for _, _, _, _, value in influx.buckets[DAILY].points() if isinstance(value, str)]
    assert (len(lengths), max(lengths)) == (8, 60_000)
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == large
    assert store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY).days[MONDAY.toordinal()] == large
    # What replaces it is shorter, and nothing of it stays.
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    assert set(fields(influx, WEEKLY, "time_based_weekly")) == {"version", "packed"}


def test_months_are_shown_but_do_not_depend_on_influxdb(store: Store, influx: Influx) -> None:
    """A month's summary outlives what InfluxDB keeps."""
    first = MONDAY.replace(day=1)
    month = Summary("seasonal", 1, {MONDAY.toordinal(): ROW})
    store.put_period("monthly", first, month)
    assert set(fields(influx, WEEKLY, "seasonal_monthly")) == {"version", "packed"}
    influx.reset()
    assert store.period_summary("monthly", "seasonal", 1, first, first) == month


@pytest.mark.parametrize("done", [False, True])
def test_influxdb_goes_while_a_day_is_put(store: Store, influx: Influx, done: bool) -> None:
    """It is said; the books do not change, and putting it again puts it once."""
    store.append(many(MONDAY))
    influx.cut(done=done, on="/api/v2/write")
    with pytest.raises(UnreachableError, match="does not answer"):
        put(store, MONDAY, ROW, rollup("light.a"))
    assert [day.due for day in store.days()] == [True]
    assert (store.summarised("time_of_day", 3), store.carries(MONDAY), store.summaries(MONDAY, MONDAY)) == (
        set(),
        {},
        [],
    )
    put(store, MONDAY, ROW, rollup("light.a"))
    assert [day.due for day in store.days()] == [False]
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW


def test_influxdb_is_away_while_summaries_are_read(store: Store, influx: Influx) -> None:
    """It is said; no summary is taken for lost."""
    put(store)
    with away(influx), pytest.raises(UnreachableError):
        store.summary("time_of_day", 3, MONDAY, MONDAY)
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days


def test_a_bucket_that_was_deleted_by_hand(store: Store, influx: Influx, settings: Settings) -> None:
    """Its days are named, and due again; what lay elsewhere is not touched."""
    for date in (MONDAY, MONDAY + DAY):
        store.append(many(date))
        put(store, date)
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    del influx.buckets[DAILY]
    with pytest.raises(SettingError, match="quotidian store init"):
        store.summary("time_of_day", 3, MONDAY, MONDAY)
    prepare(settings)
    with pytest.raises(CorruptStoreError, match=f"{MONDAY}, {MONDAY + DAY} are gone.*next run folds"):
        store.summary("time_of_day", 3, MONDAY, MONDAY + DAY)
    assert [day.due for day in store.days()] == [True, True]
    assert store.summary("time_of_day", 3, MONDAY, MONDAY + DAY).days == {}
    assert store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY).days
    put(store)
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW


def test_a_lost_week_makes_its_days_due(store: Store, influx: Influx, settings: Settings) -> None:
    """A week is made from its days: from their summaries, too, where their events are not there any more."""
    store.append(many(MONDAY))
    put(store)
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    del influx.buckets[WEEKLY]
    prepare(settings)
    with pytest.raises(CorruptStoreError, match=str(MONDAY - DAY)):
        store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY)
    assert [day.due for day in store.days()] == [True]
    assert not store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY).days
    put(store)
    store.retain(MONDAY + 30 * DAY)
    assert [day.expired for day in store.days()] == [True]
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    store.united("weekly", MONDAY - DAY, store.stale("weekly")[MONDAY - DAY])
    del influx.buckets[WEEKLY]
    prepare(settings)
    with pytest.raises(CorruptStoreError, match=str(MONDAY - DAY)):
        store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY)
    assert MONDAY - DAY in store.stale("weekly")


def test_what_influxdb_has_dropped_is_in_nobodys_way(
    store: Store, influx: Influx, opened: Callable[..., Store], time: Callable[[int], None]
) -> None:
    """Summaries that are too old for it go from the books: others are moved, and the store can go back into files."""
    put(store)
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    time(NOON + 30 * 86_400_000_000)
    put(store, MONDAY + 30 * DAY)
    store = opened(INFLUXDB_RETENTION_DAILY="36d", INFLUXDB_RETENTION_WEEKLY="36d")
    settled(store)
    time(NOON + 38 * 86_400_000_000)
    for bucket in (DAILY, WEEKLY):
        influx.buckets[bucket].every = 36 * 86_400
        influx.buckets[bucket].expire(influx.now() * 1000)
    store = opened(here=True, INFLUXDB_RETENTION_DAILY="36d", INFLUXDB_RETENTION_WEEKLY="36d")
    settled(store)
    assert store.astray().summaries == 0
    store = opened(QUOTIDIAN_STORE="embedded")
    found = store.summary("time_of_day", 3, MONDAY, MONDAY + 30 * DAY).days
    assert [*found] == [(MONDAY + 30 * DAY).toordinal()]


def test_old_summaries_stay_in_the_books(store: Store, influx: Influx) -> None:
    """What InfluxDB would drop at once is not written there."""
    old = MONDAY - 100 * DAY
    put(store, old)
    assert [*influx.buckets[DAILY].points()] == []
    assert store.summary("time_of_day", 3, old, old).days


def test_summaries_come_back_before_influxdb_drops_them(
    store: Store, influx: Influx, time: Callable[[int], None]
) -> None:
    """Those of a day that is not united with its week yet outlive their bucket's retention."""
    put(store)
    time(NOON + 86 * 86_400_000_000)
    settled(store)
    time(NOON + 120 * 86_400_000_000)
    influx.buckets[DAILY].expire(influx.now() * 1000)
    assert [*influx.buckets[DAILY].points()] == []
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW


def test_a_summary_that_is_refused_stays_in_the_books(store: Store, influx: Influx) -> None:
    """And so does nobody else's."""
    influx.refuse("time_based_daily,home")
    put(store, MONDAY, ROW, rollup("light.a"))
    settled(store)
    assert fields(influx, DAILY, "time_based_daily") == {}
    assert fields(influx, DAILY, "day_row_daily")
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW


def test_what_is_forgotten_is_gone(store: Store, influx: Influx) -> None:
    """From summaries and from what is told of entities; those of others stay."""
    put(store, MONDAY, ROW, rollup("light.a"), rollup("light.b"))
    store.put_day(MONDAY + DAY, {"time_of_day": (3, Integers(("light.b",)))}, {}, 0, [rollup("light.b", MONDAY + DAY)])
    store.put_period("weekly", MONDAY - DAY, Summary("time_of_day", 3, {MONDAY.toordinal(): ROW}))
    store.forget("light.a")
    days = {time for _, _, _, time, _ in influx.buckets[DAILY].points()}
    assert {dt.datetime.fromtimestamp(time / 1e9, dt.UTC).date() for time in days} == {MONDAY + DAY}
    assert fields(influx, DAILY, "time_based_daily", "light.b")
    assert store.period_summary("weekly", "time_of_day", 3, MONDAY - DAY, MONDAY).days == {}


def test_summaries_go_into_the_books_and_back(opened: Callable[..., Store], influx: Influx) -> None:
    """Either kind of store takes what the other had, with what is told of entities."""
    store = opened()
    put(store, MONDAY, ROW, rollup("light.a"))
    settled(opened(here=True))
    assert [*influx.buckets[DAILY].points()] == []
    store = opened(QUOTIDIAN_STORE="embedded")
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW
    store = opened()
    settled(store)
    assert fields(influx, DAILY, "time_based_daily", "light.a")["occurrences"] == 4.0
    assert store.summary("time_of_day", 3, MONDAY, MONDAY).days[MONDAY.toordinal()] == ROW

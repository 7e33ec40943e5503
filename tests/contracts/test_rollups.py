"""What every store must do with roll-ups, run on each backend that there is."""

import datetime as dt
from collections.abc import Callable
from typing import get_args

import msgspec

from quotidian.model import Area, Entity, Integers, RollUp
from quotidian.model.rollup import Figure, Figures
from quotidian.store import Store
from quotidian.store.protocols import Period

from .rows import DAY, MONDAY, at, row, table

HALL, KITCHEN, AWKWARD = "light.hall", "light.kitchen", "sensor.o'brien\"; DROP TABLE rollup; -- 🦉"
TUESDAY = MONDAY + DAY


def rolled(date: dt.date, entity_id: str, detector: str = "time_of_day", **figures: Figure) -> RollUp:
    """Make a roll-up."""
    plain: Figures = {
        "occurrences": 3,
        "hourly_distribution": [0] * 23 + [3],
        "frequency": 0.125,
        "states": ["off", "on"],
    }
    return RollUp(date, detector, entity_id, plain | figures)


def put(store: Store, date: dt.date, *rollups: RollUp, revision: int = 0) -> None:
    """Store a day with roll-ups."""
    store.put_day(date, {"row": (1, Integers())}, {}, revision, rollups)


def unite(store: Store) -> None:
    """Say that all weeks and months are united, so that their days may go."""
    for period in get_args(Period):
        for start, folds in store.stale(period).items():
            store.united(period, start, folds)


def month(store: Store) -> list[RollUp]:
    """Store 30 days of three entities and two detectors; give the roll-ups as they are to come back."""
    days = [MONDAY + number * DAY for number in range(30)]
    for date in days:
        # The order in which they are given does not matter.
        put(store, date, *[rolled(date, name, kind) for kind in ("b", "a") for name in (KITCHEN, AWKWARD, HALL)])
    names = sorted((KITCHEN, AWKWARD, HALL))
    return [rolled(date, name, kind) for date in reversed(days) for name in names for kind in ("a", "b")]


class TestSummaries:
    def test_they_come_back_as_they_were_put(self, store: Store, opened: Callable[..., Store]) -> None:
        """Every figure round-trips, whatever the entity is called, also after opening again."""
        figures: Figures = {
            "seconds": 1 << 40,
            "share": 0.1,
            "none": [],
            "lags": [-3, 5],
            "times": [0.5, 2.0],
            "state": "ön\0",
        }
        one = RollUp(MONDAY, "duration", AWKWARD, figures)
        put(store, MONDAY, one)
        assert store.summaries(MONDAY, MONDAY) == opened().summaries(MONDAY, MONDAY) == [one]

    def test_the_newest_come_first(self, store: Store) -> None:
        """Newest day first; of one day by entity id, then by detector; never more than the limit."""
        every = month(store)
        assert store.summaries(dt.date.min, dt.date.max, limit=1000) == every
        assert store.summaries(dt.date.min, dt.date.max, limit=7) == every[:7]
        assert len(store.summaries(dt.date.min, dt.date.max)) == 100

    def test_they_are_filtered(self, store: Store) -> None:
        """By entity, detector and days, and by all of them at once."""
        every = month(store)
        first, last = MONDAY + 3 * DAY, MONDAY + 9 * DAY
        assert store.summaries(dt.date.min, dt.date.max, entity_id=HALL) == [
            one for one in every if one.entity_id == HALL
        ]
        assert store.summaries(dt.date.min, dt.date.max, detector="a") == [one for one in every if one.detector == "a"]
        chosen = [one for one in every if one.place[1:] == (AWKWARD, "b") and first <= one.date <= last]
        assert len(chosen) == 7
        assert store.summaries(first, last, entity_id=AWKWARD, detector="b") == chosen
        assert store.summaries(first, last, entity_id="light.nobody") == []
        assert store.summaries(last, first) == []

    def test_pages_join(self, store: Store) -> None:
        """Going on behind the last one of each page gives every roll-up once, with filters too."""
        every = month(store)
        for detector in (None, "b"):
            paged: list[RollUp] = []
            while page := store.summaries(
                MONDAY, dt.date.max, detector=detector, before=paged[-1].place if paged else None, limit=11
            ):
                paged += page
            assert paged == [one for one in every if detector in (None, one.detector)]

    def test_an_area_is_itself_and_what_is_in_it(self, store: Store) -> None:
        """What a detector says of the area counts, and what it says of the entities that are in it now."""
        areas = {"hall": Area("hall", "Hall"), "attic": Area("attic", "Attic")}
        entities = {HALL: Entity(HALL, area="hall"), KITCHEN: Entity(KITCHEN, area="attic")}
        store.set_home(msgspec.structs.replace(store.home, areas=areas, entities=entities))
        here = [rolled(MONDAY, "hall", "room"), rolled(MONDAY, HALL)]
        put(store, MONDAY, *here, rolled(MONDAY, "attic", "room"), rolled(MONDAY, KITCHEN), rolled(MONDAY, AWKWARD))
        assert store.summaries(MONDAY, MONDAY, area="hall") == here
        assert store.summaries(MONDAY, MONDAY, area="hall", entity_id=HALL) == here[1:]
        assert store.summaries(MONDAY, MONDAY, area="hall", entity_id=KITCHEN) == []
        assert store.summaries(MONDAY, MONDAY, area="cellar") == []


class TestKeeping:
    def test_a_refold_replaces_them_wholly(self, store: Store) -> None:
        """Entities and detectors that the day does not name any more are gone; other days stay."""
        put(store, MONDAY, rolled(MONDAY, HALL), rolled(MONDAY, KITCHEN), rolled(MONDAY, HALL, "duration"))
        put(store, TUESDAY, rolled(TUESDAY, KITCHEN))
        put(store, MONDAY, rolled(MONDAY, HALL, occurrences=4))
        assert store.summaries(MONDAY, TUESDAY) == [rolled(TUESDAY, KITCHEN), rolled(MONDAY, HALL, occurrences=4)]
        put(store, MONDAY)
        assert store.summaries(MONDAY, TUESDAY) == [rolled(TUESDAY, KITCHEN)]

    def test_an_entity_is_forgotten_also_as_a_partner(self, store: Store) -> None:
        """No roll-up names it any more, and the day is due when it has events; others stay as they were."""
        store.append(table(row(HALL, at(MONDAY)), row(KITCHEN, at(MONDAY, 1)), row("light.other", at(MONDAY, 2))))
        other = rolled(MONDAY, "light.hall_ceiling")
        pair = rolled(MONDAY, KITCHEN, "co_occurrence", others=["light.stairs", HALL])
        put(store, MONDAY, rolled(MONDAY, HALL), pair, other, revision=store.days()[0].revision)
        assert not store.days()[0].due
        store.forget(HALL)
        assert store.summaries(MONDAY, MONDAY) == [other]
        assert store.days()[0].due

    def test_they_are_kept_as_long_as_the_daily_summaries(self, store: Store) -> None:
        """Retention (90 days unless set) drops a day's roll-ups with its integers, and counts their bytes."""
        old, young = MONDAY - 91 * DAY, MONDAY - 89 * DAY
        put(store, old)
        unite(store)
        bare = store.retain(MONDAY, dry_run=True).bytes
        put(store, old, rolled(old, HALL))
        put(store, young, rolled(young, HALL))
        unite(store)
        assert store.retain(MONDAY, dry_run=True).bytes > bare
        assert store.retain(MONDAY).daily_days == 1
        assert store.summaries(dt.date.min, dt.date.max) == [rolled(young, HALL)]

    def test_another_zone_clears_them(self, store: Store) -> None:
        """In another zone the days are other days."""
        store.append(table(row(HALL, at(MONDAY))))
        put(store, MONDAY, rolled(MONDAY, HALL))
        store.set_home(msgspec.structs.replace(store.home, zone="America/New_York"))
        assert store.summaries(dt.date.min, dt.date.max) == []

    def test_they_count_to_layer_two(self, store: Store) -> None:
        """The bytes of the daily summaries include what they say in figures."""
        put(store, MONDAY)
        bare = store.layers()[1].bytes
        put(store, MONDAY, rolled(MONDAY, HALL))
        assert store.layers()[1].bytes > bare

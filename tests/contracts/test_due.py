"""What is due stands in the books: every backend writes it there together with what makes it due."""

import datetime as dt
from collections.abc import Mapping

import pytest

from quotidian.errors import ConflictError
from quotidian.model import Carry, Integers, Summary
from quotidian.store import Store

from .rows import DAY, MONDAY, at, row, table

SUNDAY = MONDAY - DAY
FIRST = MONDAY.replace(day=1)


def folded(store: Store, date: dt.date, carries: Mapping[str, Carry] | None = None) -> None:
    """Store a day's summaries as of its last revision."""
    revision = next((day.revision for day in store.days() if day.date == date), 0)
    store.put_day(date, {"a": (1, Integers(("x",)))}, carries or {}, revision)


def lived(store: Store, days: int) -> None:
    """Let something happen on some days from the Monday on, and fold them."""
    for place in range(days):
        store.append(table(row("light.a", at(MONDAY + place * DAY, 5))))
        folded(store, MONDAY + place * DAY)


def due(store: Store) -> list[dt.date]:
    """Give the days that are due."""
    return [day.date for day in store.days() if day.due]


class TestCarry:
    def test_another_carry_makes_the_next_day_due(self, store: Store) -> None:
        """The day after, and no other; the same carry makes none."""
        lived(store, 3)
        folded(store, MONDAY, {"a": Carry(("on",))})
        assert due(store) == [MONDAY + DAY]
        folded(store, MONDAY + DAY)
        assert due(store) == []
        folded(store, MONDAY, {"a": Carry(("on",))})
        assert due(store) == []

    def test_a_day_without_events_stays_as_it_is(self, store: Store) -> None:
        """What cannot be folded again is not due for it."""
        lived(store, 1)
        store.put_day(MONDAY + DAY, {"a": (1, Integers(("x",)))}, {}, 0)
        folded(store, MONDAY, {"a": Carry(("on",))})
        assert due(store) == []

    def test_who_was_overtaken_leaves_the_day_due(self, store: Store) -> None:
        """Folded from an older carry, but stored after a new one was handed on: it is due still."""
        lived(store, 2)
        old = store.days()[1].revision
        folded(store, MONDAY, {"a": Carry(("on",))})
        store.put_day(MONDAY + DAY, {"a": (1, Integers(("x",)))}, {}, old)
        assert due(store) == [MONDAY + DAY]


class TestEditions:
    def test_another_edition_makes_all_days_due(self, store: Store) -> None:
        """A version that is new, or a detector that is; nothing else, and once."""
        assert store.set_editions({"a": 1, "b": 1}) == 0
        lived(store, 3)
        assert store.set_editions({"a": 1, "b": 1}) == 0
        assert store.set_editions({"a": 1}) == 0
        assert due(store) == []
        assert store.set_editions({"a": 1, "b": 1}) == 3
        assert store.set_editions({"a": 1, "b": 1}) == 0
        assert due(store) == [MONDAY, MONDAY + DAY, MONDAY + 2 * DAY]
        for date in due(store):
            folded(store, date)
        assert store.set_editions({"a": 2, "b": 1}) == 3

    def test_editions_of_any_size(self, store: Store) -> None:
        """A detector with parameters of its own has a large number."""
        edition = (2**32 - 1) << 16 | 7
        store.set_editions({"a": edition})
        store.put_day(MONDAY, {"a": (edition, Integers(("x",)))}, {}, 0)
        assert list(store.summary("a", edition, MONDAY, MONDAY).days) == [MONDAY.toordinal()]
        assert store.set_editions({"a": edition}) == 0


class TestStale:
    def test_a_folded_day_makes_its_week_and_month_stale(self, store: Store) -> None:
        """Until they are united, and again when one of their days is folded again."""
        assert (store.stale("weekly"), store.stale("monthly")) == ({}, {})
        lived(store, 7)
        assert store.stale("weekly") == {SUNDAY: 6, SUNDAY + 7 * DAY: 1}
        assert store.stale("monthly") == {FIRST: 7}
        store.united("weekly", SUNDAY, 6)
        assert store.stale("weekly") == {SUNDAY + 7 * DAY: 1}
        folded(store, MONDAY)
        assert store.stale("weekly") == {SUNDAY: 1, SUNDAY + 7 * DAY: 1}

    def test_who_was_overtaken_does_not_unite(self, store: Store) -> None:
        """A week that was made before one of its days was folded again is refused, and stays stale."""
        lived(store, 2)
        seen = store.stale("weekly")[SUNDAY]
        folded(store, MONDAY)
        with pytest.raises(ConflictError):
            store.put_period("weekly", SUNDAY, Summary("a", 1), seen)
        store.united("weekly", SUNDAY, seen)
        assert store.stale("weekly") == {SUNDAY: 3}
        days = {MONDAY.toordinal(): Integers(("x",))}
        store.put_period("weekly", SUNDAY, Summary("a", 1, days), 3)
        assert list(store.period_summary("weekly", "a", 1, SUNDAY, SUNDAY).days) == list(days)
        store.united("weekly", SUNDAY, 3)
        with pytest.raises(ConflictError):
            store.put_period("weekly", SUNDAY, Summary("a", 1), 3)

    def test_another_zone_makes_nothing_stale(self, store: Store) -> None:
        """Where all summaries are gone, none waits to be united."""
        lived(store, 2)
        store.set_home(store.home.__class__(store.home.id, "Asia/Tokyo"))
        assert (store.stale("weekly"), store.stale("monthly")) == ({}, {})
        assert len(due(store)) == 2

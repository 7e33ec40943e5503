"""Another version or other parameters of a detector: days are folded again as far as events reach, habits go on."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from quotidian.detect import Detector, Room, detectors, observe
from quotidian.learn import learn
from quotidian.learn.periods import week_of
from quotidian.model import Carry, Integers
from quotidian.store import Store
from quotidian.store.embedded.database import Database, schemas

from ..detect.building import Diary, household  # noqa: TID252 - tests are no package
from .conftest import Stores
from .living import days_of, patterns, settle, summaries
from .nights import DAYS, Killed, hear, killed_at, month
from .tally import MonthlyTally, Tally, WeeklyTally
from .test_nights import SPRING, end_of

every_detector = pytest.mark.parametrize("detector", detectors(), ids=lambda detector: detector.name)


def who(weight: int = 1, least: int = 0) -> tuple[Detector, ...]:
    """Give detectors of each cadence with a parameter that ``fold`` reads and one that it does not."""
    return tuple(kind(weight=weight, least=least) for kind in (Tally, WeeklyTally, MonthlyTally))


@pytest.fixture
def learned(opened: Stores) -> tuple[Store, Diary]:
    """Give a store that has learned a month, and has kept the events of its last days."""
    diary = month(*SPRING)
    store = settle(opened(QUOTIDIAN_RETENTION_RAW="12"), diary)
    hear(store, diary, end_of(diary))
    learn(store, who(), end_of(diary))
    return store, diary


def ids(store: Store) -> set[str]:
    """Give the ids of all patterns."""
    return {pattern.id for pattern in store.patterns()}


@every_detector
def test_the_defaults_are_the_version(detector: Detector) -> None:
    """A detector as it comes has its version for an edition, and so have those with other thresholds of ``detect``."""
    assert detector.edition == detector.version


@every_detector
def test_what_fold_reads_is_in_the_edition(detector: Detector) -> None:
    """No parameter of the constructor but those that count is read while a day is folded."""
    parameters, read = set(vars(detector)), set[str]()

    class Watched(type(detector)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            if name in parameters:
                read.add(name)
            return super().__getattribute__(name)

    watched, diary = Watched(), household(days=2)
    carry, seen = Carry(), Carry()
    for day, events in days_of(diary):
        view, seen = observe(day, events, diary.home, seen)
        _, carry = watched.fold(view, carry)
    assert read == set(detector.folds_by)


def test_an_edition_is_a_number_for_ever() -> None:
    """It follows from the parameters' values alone, in every process and on every machine, and fits all stores."""
    assert len({Room(cap=20).edition, Room(cap=21).edition, Room().edition}) == 3
    assert Room(cap=20).edition == 71763446792192 + Room.version
    assert Room(least_seconds=60).edition == Room.version
    assert all(
        0 < Room(cap=cap).edition < 2**48 and Room(cap=cap).edition % 2**16 == Room.version for cap in range(1, 100)
    )


def test_another_parameter_folds_what_can_be_folded(learned: tuple[Store, Diary]) -> None:
    """Every day whose events are there has the new edition, older ones keep theirs, and habits keep their ids."""
    store, diary = learned
    before, kept = ids(store), [record.date for record in store.days() if record.events]
    assert 0 < len(kept) < DAYS - 10
    first, last = diary.date(0), diary.date(DAYS - 1)
    told = learn(store, who(weight=3), end_of(diary))
    assert list(told.folded.days) == kept
    for one, other in zip(who(weight=3), who(), strict=True):
        assert store.summarised(one.name, one.edition) == set(kept)
        assert sorted(store.summarised(other.name, other.edition)) == [
            record.date for record in store.days() if record.date not in kept
        ]
        counts = store.summary(one.name, one.edition, first, last).days
        assert all(int(day["count"][0]) % 3 == 0 for day in counts.values())
    assert ids(store) == before
    assert learn(store, who(weight=3), end_of(diary)).folded.days == ()
    old, new = (
        {*store.period_summary("weekly", "weekly_tally", one[1].edition, first, last).days}
        for one in (who(), who(weight=3))
    )
    assert new == {date.toordinal() for date in kept if week_of(date)[1] <= last}
    untouched = {date for date in map(diary.date, range(DAYS)) if week_of(date)[1] < kept[0]}
    assert {date.toordinal() for date in untouched} <= old


def test_a_parameter_of_detect_folds_nothing(learned: tuple[Store, Diary]) -> None:
    """What ``fold`` does not read changes no summary."""
    store, diary = learned
    assert learn(store, who(least=1), end_of(diary)).folded.days == ()


def test_back_to_what_it_was(learned: tuple[Store, Diary]) -> None:
    """A parameter that is taken back gives to the bit what was there before."""
    store, diary = learned
    before = summaries(store, who()), patterns(store)
    for weight in (2, 1):
        learn(store, who(weight=weight), end_of(diary))
    assert (summaries(store, who()), patterns(store)) == before


def test_an_older_store_is_not_folded_for_nothing(opened: Stores, tmp_path: Path) -> None:
    """What all days of an older store were folded by is known; weeks and months are looked through once."""
    (tmp_path / "store").mkdir()
    older = Database(tmp_path / "store", schemas()[:2])
    dates = (dt.date(2026, 2, 28), dt.date(2026, 3, 1))  # a Saturday and a Sunday
    for date in dates:
        older.execute("INSERT INTO day VALUES (?, 1, NULL, 0, NULL, 1, 1)", (date.toordinal(),))
        for name, version in (("tally", 1), ("mixed", date.month)):
            row = (name, version, date.toordinal(), Integers().encode())
            older.execute("INSERT INTO summary VALUES (?, ?, ?, ?)", row)
    older.close()
    store = opened()
    assert store.stale("weekly") == {dt.date(2026, 2, 22): 1, dt.date(2026, 3, 1): 1}
    assert store.stale("monthly") == {dt.date(2026, 2, 1): 1, dt.date(2026, 3, 1): 1}
    assert store.set_editions({"tally": 1}) == 0
    assert store.set_editions({"tally": 1, "mixed": 3}) == 2


@pytest.mark.parametrize("folds", [1, 5, 11])
def test_killed_while_folding_again(learned: tuple[Store, Diary], monkeypatch: pytest.MonkeyPatch, folds: int) -> None:
    """Stopped on the way to another edition, the next run goes on with what is left."""
    store, diary = learned
    kept = [record.date for record in store.days() if record.events]
    with monkeypatch.context() as patched:
        killed_at(patched, store, folds + 1, ["put_day"])
        with pytest.raises(Killed):
            learn(store, who(weight=3), end_of(diary))
    assert len(learn(store, who(weight=3), end_of(diary)).folded.days) == len(kept) - folds
    assert all(store.summarised(one.name, one.edition) == set(kept) for one in who(weight=3))

"""What cannot be read does not keep the rest from being learned, and no run does more than there is to do."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from quotidian.errors import ConflictError, CorruptStoreError
from quotidian.learn import daily, learn, monthly, weekly
from quotidian.settings import Settings
from quotidian.store import Store, connect

from ..contracts.served import served  # noqa: TID252 - tests are no package
from ..detect.building import Diary  # noqa: TID252 - tests are no package
from .conftest import Stores
from .living import settle
from .nights import DAYS, WHO, hear, month
from .test_nights import SPRING, end_of


@pytest.fixture
def heard(opened: Stores) -> tuple[Store, Diary]:
    """Give a store that has heard a month."""
    diary = month(*SPRING)
    store = settle(opened(), diary)
    hear(store, diary, end_of(diary))
    return store, diary


def damage(directory: Path, date: dt.date) -> None:
    """Spoil the file of a day."""
    (file,) = (directory / "events").rglob(f"date={date}/*.parquet")
    packed = bytearray(file.read_bytes())
    packed[len(packed) // 2] ^= 1
    file.write_bytes(packed)


@pytest.mark.parametrize("kind", [connect, served])
def test_a_damaged_day_is_named_and_the_rest_goes_on(tmp_path: Path, kind: Any) -> None:
    """Its file is set aside, its name is told; all other days are folded and looked at, on the store and over HTTP."""
    diary, now = month(*SPRING), end_of(month(*SPRING))
    store = kind(tmp_path / "store", Settings({}))
    try:
        hear(settle(store, diary), diary, now)
        store.seal(diary.date(DAYS))
        damage(tmp_path / "store", diary.date(9))
        learned = learn(store, WHO, now)
        assert [str(diary.date(9)) in sentence for sentence in learned.folded.damaged] == [True]
        assert set(learned.folded.days) == {diary.date(place) for place in range(DAYS)} - {diary.date(9)}
        assert learned.nights[-1] == diary.date(DAYS - 1)
        assert store.marks() == {diary.date(9): "damaged"}
        assert learn(store, WHO, now).folded.damaged == ()
        assert not [record for record in store.days() if record.due]
    finally:
        store.close()


def test_summaries_that_are_lost_are_made_again(heard: tuple[Store, Diary], monkeypatch: pytest.MonkeyPatch) -> None:
    """When it turns out on the way that a day is due again, the night begins anew."""
    store, diary = heard
    learn(store, WHO, end_of(diary, 20))
    lost, read = [diary.date(12)], store.summary

    def summary(*arguments: Any) -> Any:
        if lost:
            store.set_editions({})
            raise CorruptStoreError(f"The summaries of {lost.pop()} are gone.")
        return read(*arguments)

    monkeypatch.setattr(store, "summary", summary)
    learned = learn(store, WHO, end_of(diary, 20))
    assert len(learned.folded.days) == 21
    assert learned.nights == (diary.date(20),)


def test_patterns_that_change_again_and_again(heard: tuple[Store, Diary], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who never gets a turn gives up after some tries; what it folded is kept."""
    store, diary = heard
    tries = 0

    def put_patterns(*_: Any) -> int:
        nonlocal tries
        tries += 1
        raise ConflictError("They have changed.")

    monkeypatch.setattr(store, "put_patterns", put_patterns)
    with pytest.raises(ConflictError):
        daily(store, WHO, end_of(diary))
    assert 2 < tries < 10
    assert all(record.folded is not None for record in store.days())


def test_an_entity_that_is_forgotten_meanwhile_does_not_come_back(heard: tuple[Store, Diary]) -> None:
    """Forgotten between two nights of a run, it is in no pattern at its end."""
    store, diary = heard
    done: list[int] = []

    def between(stage: str, place: int, total: int) -> None:
        if stage == "review" and place == 20 and not done:
            assert any("light.kitchen" in str(one.finding) for one in store.patterns())
            done.append(store.forget("light.kitchen").patterns)

    learned = learn(store, WHO, end_of(diary), between)
    assert done[0] > 0
    assert not [one for one in learned.patterns if "light.kitchen" in str(one.finding)]
    assert any("light.hall" in str(one.finding) for one in learned.patterns)


# no more work than there is


def counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is asked of a store, and the days that are read in ``summary``."""
    asked: Counter[str] = Counter()

    def count(name: str) -> None:
        function = getattr(store, name)

        def call(*arguments: Any, **options: Any) -> Any:
            asked[name] += 1
            if name == "summary":
                asked["days"] += (arguments[3] - arguments[2]).days + 1
            return function(*arguments, **options)

        monkeypatch.setattr(store, name, call)

    for name in ("day_events", "put_day", "summary", "period_summary", "put_period", "put_patterns"):
        count(name)
    return asked


def test_a_new_day_is_the_work_of_a_day(heard: tuple[Store, Diary], monkeypatch: pytest.MonkeyPatch) -> None:
    """One day's events are read, and each summary once, of the days that tonight's detectors look back on."""
    store, diary = heard
    assert diary.date(DAYS - 2).isoweekday() != 6
    learn(store, WHO, end_of(diary, DAYS - 2))
    asked = counted(store, monkeypatch)
    learn(store, WHO, end_of(diary))
    assert (asked["day_events"], asked["put_day"], asked["put_patterns"], asked["put_period"]) == (1, 1, 1, 0)
    # The shared rows and what the one daily detector keeps; the first days of this home are looked for in its weeks.
    assert (asked["summary"], asked["days"], asked["period_summary"]) == (2, 2 * 90, 1)


def test_jobs_that_have_nothing_to_do(heard: tuple[Store, Diary], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run once more, a week or a month reads no summary; a day looks once more, and writes no other pattern."""
    store, diary = heard
    learn(store, WHO, end_of(diary))
    asked = counted(store, monkeypatch)
    for job in (weekly, monthly):
        job(store, WHO, end_of(diary))
    assert not asked
    before = store.patterns()
    daily(store, WHO, end_of(diary))
    assert (asked["day_events"], asked["put_day"], asked["put_period"]) == (0, 0, 0)
    assert store.patterns() == before

"""Nights in series: whatever happens to those who learn, they end in what one full recompute ends in."""

import datetime as dt
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quotidian.learn import Learned, backfill, daily, learn, monthly, weekly
from quotidian.learn.fold import fold
from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store import Store, connect

from ..contracts.served import served  # noqa: TID252 - tests are no package
from ..detect.building import Diary  # noqa: TID252 - tests are no package
from ..killing import ROOT, command  # noqa: TID252 - tests are no package
from .conftest import Stores
from .living import patterns, settle, summaries
from .nights import DAYS, WHO, Killed, hear, killed_at, month, night_after, since, told, until

SPRING, AUTUMN = ("Europe/Berlin", dt.date(2026, 3, 8)), ("Europe/Berlin", dt.date(2026, 10, 4))
HALF_HOUR = ("Australia/Lord_Howe", dt.date(2026, 3, 20))
HALF_HOUR_BACK = ("Australia/Lord_Howe", dt.date(2026, 9, 18))


def end_of(diary: Diary, place: int = DAYS - 1) -> int:
    """Give the instant at which one learns on the night after a day."""
    return night_after(Day.of(diary.date(place), diary.home.zone))


def everything(store: Store) -> tuple[Any, ...]:
    """Give all that was learned, to the bit, and how far each cadence has looked."""
    nights = store.nights
    return summaries(store, WHO), patterns(store), (nights.daily, nights.weekly, nights.monthly)


class Alone:
    """An empty store of a home, to be copied so that ids are the same, and all that is learned of its month at once."""

    def __init__(self, path: Path, diary: Diary) -> None:
        self._path, self._diary = path, diary
        settle(connect(path / "empty", Settings({})), diary).close()
        store = self.another(path / "whole")
        hear(store, diary, end_of(diary))
        learned = learn(store, WHO, end_of(diary))
        self.everything = everything(store)
        store.close()
        found = {one.finding.detector for one in learned.patterns}
        assert found >= {"time_of_day", "tally", "weekly_tally", "monthly_tally"}

    def another(self, path: Path) -> Store:
        """Make a store of the same home that has heard nothing yet."""
        shutil.copytree(self._path / "empty", path)
        return connect(path, Settings({}))


Homes = Callable[[str, dt.date], Alone]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """Give homes by their zones and first days, each lived once."""
    return cache(lambda zone, first: Alone(tmp_path_factory.mktemp("alone"), month(zone, first)))


@pytest.fixture
def spring(alone: Homes, tmp_path: Path) -> Iterator[tuple[Store, Diary, Any]]:
    """Give a store that has heard all of a month, the month, and what is to come of it."""
    home, diary = alone(*SPRING), month(*SPRING)
    store = home.another(tmp_path / "store")
    hear(store, diary, end_of(diary))
    yield store, diary, home.everything
    store.close()


# a month with restarts


@pytest.mark.parametrize(("zone", "first", "seed"), [(*SPRING, 1), (*AUTUMN, 2), (*HALF_HOUR, 3), (*HALF_HOUR_BACK, 4)])
def test_a_month_of_nights_with_restarts(alone: Homes, tmp_path: Path, zone: str, first: dt.date, seed: int) -> None:
    """Killed at seeded steps and absent for nights, it folds each day once, and ends to the bit as all at once."""
    home, diary = alone(zone, first), month(zone, first)
    assert {Day.of(diary.date(place), zone).seconds for place in range(DAYS)} != {86_400}
    home.another(tmp_path / "store").close()
    lived = command("learn.nights", tmp_path / "store", zone, first, seed)
    ended = subprocess.run(lived, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > DAYS // 2
    folds = Counter((tmp_path / "store" / "folded").read_text().split())
    assert folds == Counter(str(diary.date(place)) for place in range(DAYS))
    store = connect(tmp_path / "store", Settings({}))
    assert everything(store) == home.everything
    store.close()


def test_the_series_is_the_sum_of_its_parts(spring: tuple[Store, Diary, Any]) -> None:
    """Day, week and month as jobs of their own, each on its own night, end in what ``learn`` ends in."""
    store, diary, expected = spring
    looked: dict[str, list[dt.date]] = {"nights": [], "weeks": [], "months": []}
    for place in range(DAYS):
        date, now = diary.date(place), end_of(diary, place)
        jobs: list[Callable[..., Learned]] = [daily]
        jobs += [weekly] if date.isoweekday() == 6 else []
        jobs += [monthly] if (date + dt.timedelta(days=1)).day == 1 else []
        for job in jobs:
            learned = job(store, WHO, now)
            for name, dates in looked.items():
                dates.extend(getattr(learned, name))
    assert everything(store) == expected
    dates = [diary.date(place) for place in range(DAYS)]
    assert looked == {
        "nights": dates,
        "weeks": [date for date in dates if date.isoweekday() == 6],
        "months": [dt.date(2026, 3, 31)],
    }


def test_the_order_of_cadences_does_not_matter(spring: tuple[Store, Diary, Any]) -> None:
    """Weeks before days, months before weeks, once the days are folded: the same patterns."""
    store, diary, expected = spring
    fold(store, WHO, end_of(diary))
    for job in (monthly, weekly, daily):
        job(store, WHO, end_of(diary))
    assert everything(store) == expected


def test_a_date_is_as_if_that_night_were_tonight(spring: tuple[Store, Diary, Any]) -> None:
    """Until a date: later days stay due, later nights unseen; going back changes nothing."""
    store, diary, expected = spring
    now, middle = end_of(diary), diary.date(20)
    learned = daily(store, WHO, now, until=middle)
    assert learned.folded.days[-1] == learned.nights[-1] == store.nights.daily == middle
    before = everything(store)
    assert daily(store, WHO, now, until=diary.date(9)).nights == ()
    assert everything(store) == before
    for job in (daily, weekly, monthly):
        job(store, WHO, now)
    assert everything(store) == expected


# backfill


def test_backfill_then_nightly_is_one_recompute(spring: tuple[Store, Diary, Any]) -> None:
    """Thirty days backfilled, and then a night at a time, end in what one full recompute ends in."""
    store, diary, expected = spring
    learned = backfill(store, WHO, end_of(diary, 29), days=30)
    assert len(learned.folded.days) == len(learned.nights) == 30
    for place in range(30, DAYS):
        assert daily(store, WHO, end_of(diary, place)).folded.days == (diary.date(place),)
        weekly(store, WHO, end_of(diary, place))
        monthly(store, WHO, end_of(diary, place))
    assert everything(store) == expected


def test_backfill_leaves_older_days_to_the_night(spring: tuple[Store, Diary, Any]) -> None:
    """Of a longer history it takes the last days; the night folds the others, and all summaries are as at once."""
    store, diary, expected = spring
    assert backfill(store, WHO, end_of(diary), days=10).folded.days[0] == diary.date(DAYS - 10)
    assert next(record.date for record in store.days() if record.due) == diary.date(0)
    learned = learn(store, WHO, end_of(diary))
    # The ten are folded once more: how long silences usually are is handed on to them now, from a fortnight before.
    assert len(learned.folded.days) == DAYS
    assert summaries(store, WHO) == expected[0]
    assert learned.nights == (diary.date(DAYS - 1),)


def test_backfill_misses_no_night_of_a_home_that_is_learned(spring: tuple[Store, Diary, Any]) -> None:
    """Where nights are behind, a backfill of fewer days looks at none of them out of turn."""
    store, diary, expected = spring
    daily(store, WHO, end_of(diary, 10))
    assert backfill(store, WHO, end_of(diary), days=5).nights == (diary.date(10),)
    learn(store, WHO, end_of(diary))
    assert everything(store) == expected


# not alone


@pytest.mark.parametrize("place", [20, 40, 69])
def test_a_second_run_in_the_middle_of_the_first(spring: tuple[Store, Diary, Any], place: int) -> None:
    """Whoever learns all while another is at it: nothing is folded twice by both to another end, no night goes back."""
    store, diary, expected = spring
    steps, reached = 0, list[dt.date]()

    def between(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == place:
            learn(store, WHO, end_of(diary))
        if store.nights.daily is not None:
            reached.append(store.nights.daily)

    learn(store, WHO, end_of(diary), between)
    assert steps >= place
    assert reached == sorted(reached)
    assert everything(store) == expected


def test_two_at_once(alone: Homes, tmp_path: Path) -> None:
    """Two who learn from one store over HTTP, each in a thread of its own, end where one alone ends."""
    home, diary = alone(*SPRING), month(*SPRING)
    home.another(tmp_path / "store").close()
    one, other = served(tmp_path / "store", Settings({})), connect(tmp_path / "store", Settings({}))
    try:
        hear(one, diary, end_of(diary))
        with ThreadPoolExecutor(2) as threads:
            done = [threads.submit(learn, store, WHO, end_of(diary)) for store in (one, other)]
        learned = [one.result() for one in done]
        assert everything(one) == home.everything
        assert sum(len(told.nights) for told in learned) >= DAYS
    finally:
        other.close()
        one.close()


# the clock


def test_a_clock_that_was_set_back_over_midnight(spring: tuple[Store, Diary, Any]) -> None:
    """What was folded stays folded, once; nights stay seen; the day after goes on as if nothing had been."""
    store, diary, expected = spring
    learn(store, WHO, end_of(diary, 20))
    before = everything(store)
    for back in (4, 30, 24 * 6):
        learned = learn(store, WHO, end_of(diary, 20) - back * 3_600_000_000)
        assert (learned.folded.days, learned.periods) == ((), 0)
        assert everything(store) == before
    assert learn(store, WHO, end_of(diary)).folded.days == tuple(diary.date(place) for place in range(21, DAYS))
    assert everything(store) == expected


def test_a_silent_saturday_does_not_keep_its_week(opened: Stores) -> None:
    """A week or month whose last day has no event is looked at all the same, as soon as a later day is folded."""
    diary = month(*SPRING)
    store, now = settle(opened(), diary), end_of(diary)
    silent = (dt.date(2026, 3, 14), dt.date(2026, 3, 31))
    events = told(diary)
    for date in silent:
        day = Day.of(date, diary.home.zone)
        events = pa.concat_tables([until(events, day.start), since(events, day.end)])
    store.append(until(events, Day.of(silent[0], diary.home.zone).start))
    assert learn(store, WHO, now).weeks == ()
    store.append(events)
    learned = learn(store, WHO, now)
    assert learned.weeks[0] == silent[0]
    assert learned.months == silent[1:]


# anything


@pytest.mark.parametrize("seed", range(2))
def test_summaries_follow_from_events_alone(alone: Homes, tmp_path: Path, seed: int) -> None:
    """Batches in any order, learned from by any job up to any day, killed anywhere: layers 2 and 3 are the same."""
    home, diary, rng = alone(*AUTUMN), month(*AUTUMN), random.Random(seed)
    store = home.another(tmp_path / "store")
    events = told(diary)
    parts = [
        events.take(sorted(rows)) for rows in np.array_split(rng.sample(range(events.num_rows), events.num_rows), 8)
    ]
    reached: list[dt.date] = []
    for part in parts:
        store.append(part)
        with pytest.MonkeyPatch.context() as patched, suppress(Killed):
            killed_at(patched, store, rng.randrange(2, 90))
            now = end_of(diary, rng.randrange(DAYS))
            job = rng.choice((learn, daily, weekly, monthly, partial(backfill, days=rng.randrange(1, DAYS))))
            job(store, tuple(rng.sample(WHO, rng.choice((2, len(WHO), len(WHO))))), now)
        reached += [store.nights.daily] if store.nights.daily else []
    learn(store, WHO, end_of(diary))
    assert reached == sorted(reached)
    assert summaries(store, WHO) == home.everything[0]
    store.close()

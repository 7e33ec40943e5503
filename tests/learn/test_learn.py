"""Learning night by night: exact, resumable, and no more work than there is."""

import datetime as dt
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest

from quotidian.detect import (
    ROW,
    ROW_VERSION,
    Cadence,
    DayRow,
    Detector,
    Duration,
    History,
    Seasonal,
    TimeOfDay,
    detectors,
)
from quotidian.learn import learn
from quotidian.learn.periods import month_of, week_of
from quotidian.learn.window import Window
from quotidian.model import Day, Integers, Stage, Status, Summary
from quotidian.store import Store

from ..detect.building import Diary, household, table_of_events  # noqa: TID252 - tests are no package
from ..killing import ROOT, command  # noqa: TID252 - tests are no package
from .conftest import Stores
from .living import NIGHTLY, days_of, patterns, settle, summaries, tell_all
from .nights import Killed, killed_at


@cache
def life(days: int = 15) -> Diary:
    """Give a household, with an automation beside the people and a sensor that drops out."""
    diary = household(3, days)
    for day in range(days):
        diary.pulse(day, 19, "light.porch", 90, cause="automation")
        diary.add(day, 12, "binary_sensor.kitchen_motion", "unavailable")
        diary.add(day, 12.5, "binary_sensor.kitchen_motion", "off")
        diary.pulse(day, 23.9, "light.hall", 20)
    return diary


def copied(opened: Stores, tmp_path: Path, diary: Diary, *names: str) -> None:
    """Make stores of one home, so that what is learned in them has the same ids."""
    settle(opened("first"), diary)
    opened.close("first")
    for name in names:
        shutil.copytree(tmp_path / "first", tmp_path / name)


#: The quickest two.
FEW: tuple[Detector, ...] = (TimeOfDay(), Duration())


# the same, however it came in


def test_at_once_is_day_by_day(opened: Stores, tmp_path: Path) -> None:
    """A history learned at once ends, to the bit, in what the same history brought in a day a night ends in."""
    diary = life()
    copied(opened, tmp_path, diary, "once", "nightly")
    once, nightly = opened("once"), opened("nightly")
    now = tell_all(once, diary)
    learn(once, detectors(), now)
    for day, table in days_of(diary):
        nightly.append(table)
        learned = learn(nightly, detectors(), day.end)
        assert learned.folded.days == (day.date,)
        assert learned.nights == (day.date,)
    assert summaries(nightly, detectors()) == summaries(once, detectors())
    assert patterns(nightly) == patterns(once)
    assert any(one.finding.detector == "time_of_day" for one in once.patterns())
    assert once.nights.daily == nightly.nights.daily == diary.date(14)


def test_some_days_at_a_time_in_disorder(opened: Stores, tmp_path: Path) -> None:
    """Events that come in any order, and twice, before they are learned from end in the same."""
    diary = life(9)
    copied(opened, tmp_path, diary, "once", "mixed")
    once, mixed = opened("once"), opened("mixed")
    now = tell_all(once, diary)
    for day, table in [*days_of(diary)[::-2], *days_of(diary)[::-1]]:
        mixed.append(table)
        del day
    for store in (once, mixed):
        learn(store, FEW, now)
    assert summaries(mixed, FEW) == summaries(once, FEW)
    assert patterns(mixed) == patterns(once)


def test_killed_anywhere_and_run_again(opened: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before any change of the store, a run that follows ends in what an undisturbed one ends in."""
    diary = life(9)
    copied(opened, tmp_path, diary, "whole", "killed")
    whole, now = opened("whole"), 0
    for name in ("whole", "killed"):
        now = tell_all(opened(name), diary)
    whole = opened("whole")
    learn(whole, FEW, now)
    for step in (1, 2, 5, 3, 2, 4, 1, 2, 3):
        store = opened("killed")
        with monkeypatch.context() as patched:
            killed_at(patched, store, step)
            with pytest.raises(Killed):
                learn(store, FEW, now)
    store = opened("killed")
    learn(store, FEW, now)
    assert summaries(store, FEW) == summaries(whole, FEW)
    assert patterns(store) == patterns(whole)


def test_sigkill_and_run_again(opened: Stores, tmp_path: Path) -> None:
    """The same with a process that is killed for good, at seeded steps."""
    diary = life(9)
    copied(opened, tmp_path, diary, "whole", "killed")
    whole, store = opened("whole"), opened("killed")
    now = tell_all(whole, diary)
    tell_all(store, diary)
    opened.close("killed")
    learn(whole, NIGHTLY, now)
    killed = command("learn.killed", tmp_path / "killed", now, 4)
    ended = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 2
    store = opened("killed")
    assert summaries(store, NIGHTLY) == summaries(whole, NIGHTLY)
    assert patterns(store) == patterns(whole)


# no more work than there is


def late(store: Store, diary: Diary, when: tuple[int, float], entity: str, state: str) -> None:
    """Let an event of a day and hour come late."""
    day, hour = when
    start = Day.of(diary.date(day), diary.home.zone).start
    store.append(table_of_events([(start + round(hour * 3.6e9), entity, state, "person")]))


def test_a_late_event_refolds_until_nothing_changes(opened: Stores) -> None:
    """Its day is folded again, and the days after it until what they hand on is as it was."""
    diary = life(9)
    store, other = opened(), opened("other")
    now = tell_all(store, diary)
    tell_all(other, diary)
    learn(store, FEW, now)
    late(store, diary, (3, 12.25), "light.kitchen", "on")  # it stays on until the next morning's on and off
    assert learn(store, FEW, now).folded.days == (diary.date(3), diary.date(4))
    late(other, diary, (3, 12.25), "light.kitchen", "on")
    learn(other, FEW, now)
    assert summaries(store, FEW) == summaries(other, FEW)
    assert learn(store, FEW, now).folded.days == ()


def test_a_late_event_that_hands_nothing_on(opened: Stores) -> None:
    """What is over before midnight refolds one day."""
    diary = life(9)
    store = opened()
    now = tell_all(store, diary)
    learn(store, FEW, now)
    for hour, state in ((3.0, "on"), (3.1, "off")):
        late(store, diary, (2, hour), "light.kitchen", state)
    assert learn(store, FEW, now).folded.days == (diary.date(2),)


@pytest.mark.parametrize("step", [3, 4, 6])
def test_killed_while_a_late_event_is_worked_in(opened: Stores, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Stopped between the days that a late event touches, its weeks and its night, the next run makes all good."""
    diary = life(6)
    told = []
    for name in ("whole", "killed"):
        store = opened(name)
        now = tell_all(store, diary)
        # An entity that stays silent afterwards hands its state on through every later day.
        late(store, diary, (0, 8), "switch.pump", "off")
        learn(store, FEW, now)
        late(store, diary, (3, 8), "switch.pump", "on")
        if name == "killed":
            with monkeypatch.context() as patched:
                killed_at(patched, store, step)
                with pytest.raises(Killed):
                    learn(store, FEW, now)
            store = opened(name)
        learn(store, FEW, now)
        told.append((summaries(store, FEW), [one.finding for one in store.patterns()]))
    assert told[0][0] == told[1][0]
    assert sorted(map(str, told[0][1])) == sorted(map(str, told[1][1]))


def test_nothing_new_changes_nothing(opened: Stores) -> None:
    """Learning again folds nothing, writes no period, and leaves every pattern as it is."""
    diary = life(9)
    store = opened()
    now = tell_all(store, diary)
    learn(store, detectors(), now)
    before = summaries(store, detectors()), patterns(store)
    again = learn(store, detectors(), now)
    assert (again.folded.days, again.folded.events, again.periods) == ((), 0, 0)
    assert (summaries(store, detectors()), patterns(store)) == before


def test_an_empty_store_learns_nothing(opened: Stores) -> None:
    """No events, no nights, no error."""
    learned = learn(opened(), detectors(), 0)
    assert (learned.folded.days, learned.nights, learned.patterns) == ((), (), ())


class Newer(Duration):
    """The same detector, of the next version."""

    version: ClassVar[int] = 2


def test_a_new_version_of_a_detector_folds_again(opened: Stores) -> None:
    """Days whose integers another version made are folded once more, all of them, once."""
    diary = life(9)
    store = opened()
    now = tell_all(store, diary)
    learn(store, (TimeOfDay(), Duration()), now)
    newer: tuple[Detector, ...] = (TimeOfDay(), Newer())
    assert len(learn(store, newer, now).folded.days) == 9
    assert learn(store, newer, now).folded.days == ()
    assert len(store.summary("duration", 2, diary.date(0), diary.date(8)).days) == 9


def test_folding_all_again_changes_nothing(opened: Stores) -> None:
    """``refold`` folds every day, to the same integers and patterns."""
    diary = life(9)
    store = opened()
    now = tell_all(store, diary)
    learn(store, FEW, now)
    before = summaries(store, FEW), patterns(store)
    assert len(learn(store, FEW, now, refold=True).folded.days) == 9
    assert (summaries(store, FEW), patterns(store)) == before


def test_a_last_day_that_was_cut_short_waits(opened: Stores) -> None:
    """An export that ends at four in the afternoon says nothing of that evening; with the rest the day counts."""
    diary = life(6)
    store = settle(opened(), diary)
    days = days_of(diary)
    for _, table in days[:-1]:
        store.append(table)
    last, table = days[-1]
    times = table["last_updated"].to_numpy()
    store.append(table.filter(times < last.start + 16 * 3_600_000_000))
    later = last.end + 30 * 86_400_000_000
    assert learn(store, FEW, later).nights[-1] == days[-2][0].date
    store.append(table)
    assert learn(store, FEW, later).folded.days == (last.date,)


def test_a_day_that_is_not_over_waits(opened: Stores) -> None:
    """Today is not learned from, however much has happened."""
    diary = life(6)
    store = opened()
    now = tell_all(store, diary)
    assert len(learn(store, FEW, now - 1).folded.days) == 5
    assert learn(store, FEW, now).folded.days == (diary.date(5),)


def test_a_day_without_any_event_hands_nothing_on(opened: Stores) -> None:
    """After a day of silence nobody knows how things stand: the next day begins anew, and nothing fails."""
    diary = life(8)
    store = settle(opened(), diary)
    for day, table in days_of(diary):
        if day.date != diary.date(4):
            store.append(table)
    learned = learn(store, FEW, days_of(diary)[-1][0].end)
    assert diary.date(4) not in learned.folded.days
    rows = store.summary(ROW, ROW_VERSION, diary.date(5), diary.date(5)).days
    assert DayRow(0, rows[diary.date(5).toordinal()]).gaps


# marks


def test_a_marked_day_is_subtracted_exactly(opened: Stores) -> None:
    """What is found is what the other days alone show; without the mark all is as before."""
    diary = life(15)
    store = opened()
    now = tell_all(store, diary)
    learn(store, NIGHTLY, now)
    before = {one.id: one.finding for one in store.patterns() if one.last_seen == diary.date(14)}
    store.mark(diary.date(7), "party")
    learn(store, NIGHTLY, now)
    first, last = diary.date(0), diary.date(14)
    rows = store.summary(ROW, ROW_VERSION, first, last).without(frozenset({diary.date(7).toordinal()}))
    alone = [
        detector.detect(
            History(
                [DayRow(ordinal, day) for ordinal, day in rows.days.items()],
                store.home,
                {
                    detector.name: store.summary(detector.name, 1, first, last).without(
                        frozenset({diary.date(7).toordinal()})
                    )
                },
            )
        )
        for detector in NIGHTLY
    ]
    current = [one.finding for one in store.patterns() if one.status is Status.ACTIVE]
    for finding in [finding for found in alone for finding in found]:
        assert finding in current
    assert max(finding.evidence.observed for finding in current) <= 14 + 1
    store.mark(diary.date(7), None)
    learn(store, NIGHTLY, now)
    after = {one.id: one.finding for one in store.patterns()}
    assert all(after[name] == finding for name, finding in before.items())


# weeks, months, retention


def test_weeks_and_months_are_the_union_of_their_days(opened: Stores) -> None:
    """Every week (Sunday to Saturday) that is over holds its days to the bit; one that is not is not there."""
    diary = life(35)  # 2 March to 5 April
    store = opened()
    now = tell_all(store, diary)
    learn(store, (Duration(),), now)
    daily = store.summary(ROW, ROW_VERSION, diary.date(0), diary.date(34)).days
    sunday = dt.date(2026, 3, 1)
    for week in range(5):
        start = sunday + dt.timedelta(days=7 * week)
        kept = store.period_summary("weekly", ROW, ROW_VERSION, start, start).days
        assert kept == {o: d for o, d in daily.items() if start.toordinal() <= o < start.toordinal() + 7}
        assert len(kept) == (6 if week == 0 else 7)
    assert not store.period_summary("weekly", ROW, ROW_VERSION, dt.date(2026, 4, 5), dt.date(2026, 4, 5)).days


def test_weeks_begin_on_sunday_and_months_on_the_first() -> None:
    """The spans of any date of a year contain it, and have their lengths."""
    for number in range(366):
        date = dt.date(2028, 1, 1) + dt.timedelta(days=number)
        start, end = week_of(date)
        assert (start.isoweekday(), (end - start).days, start <= date <= end) == (7, 6, True)
        start, end = month_of(date)
        assert (start.day, (end + dt.timedelta(days=1)).day, start.month, end.month) == (1, 1, date.month, date.month)


def test_monthly_detectors_see_what_they_kept_years_ago(opened: Stores) -> None:
    """What monthly detectors keep reaches back for ever, so that two years can make the shape of one."""
    store, old = opened(), dt.date(2020, 5, 1)
    kept = {old.toordinal(): Integers(("light.garden=on",), {"count": [1]})}
    store.put_period("monthly", old, Summary("seasonal", Seasonal.version, kept))
    window = Window(store, detectors(), Cadence.MONTHLY, dt.date(2026, 3, 31))
    history = window.history(dt.date(2026, 3, 31))
    assert history.summaries["seasonal"].days == kept


def test_a_late_event_in_an_old_week_leaves_its_other_days(opened: Stores) -> None:
    """When daily summaries are gone, a late event changes its own day of the week, and none of the others."""
    diary = Diary(days=75)
    for day in range(75):
        diary.pulse(day, 3.5, "light.kitchen", 10)
        diary.pulse(day, 23, "light.kitchen", 10)
    store = opened("store", QUOTIDIAN_RETENTION_DAILY="35")
    now = tell_all(store, diary)
    learn(store, (Duration(),), now)
    first = diary.date(0)
    assert min(store.summary(ROW, ROW_VERSION, first, diary.date(74)).days) == diary.date(39).toordinal()
    start = week_of(diary.date(9))[0]
    before = store.period_summary("weekly", ROW, ROW_VERSION, start, start).days
    late(store, diary, (9, 3), "light.kitchen", "on")
    assert learn(store, (Duration(),), now).periods == 1
    after = store.period_summary("weekly", ROW, ROW_VERSION, start, start).days
    assert len(before) == len(after) == 7
    changed = {dt.date.fromordinal(ordinal) for ordinal in before if before[ordinal] != after[ordinal]}
    assert changed == {diary.date(9)}


def test_retention_keeps_ninety_days(opened: Stores) -> None:
    """Daily summaries older than ninety days go with the night; weeks stay, and so do the events."""
    diary = Diary(days=96)
    for day in range(96):
        diary.pulse(day, 22.5, "light.a", 30)
    store = opened()
    learn(store, (Duration(),), tell_all(store, diary))
    kept = store.summary(ROW, ROW_VERSION, diary.date(0), diary.date(95)).days
    assert sorted(kept) == [diary.date(day).toordinal() for day in range(5, 96)]
    assert len(store.period_summary("weekly", ROW, ROW_VERSION, diary.date(-6), diary.date(95)).days) >= 90
    assert len(store.days()) == 96


# what is found


def test_a_household_is_learned(opened: Stores) -> None:
    """The routine that was planted is found with its times and its pairs; a night's progress is told as it goes on."""
    diary = life()
    store = opened()
    told: list[tuple[str, int, int]] = []
    learned = learn(store, NIGHTLY, tell_all(store, diary), lambda *step: told.append(step))
    subjects = {one.finding.detector: set() for one in learned.patterns}  # type: dict[str, set[tuple[str, ...]]]
    for one in learned.patterns:
        subjects[one.finding.detector].add(one.finding.subject)
    assert ("light.floor_lamp=on",) in subjects["time_of_day"]
    assert subjects["co_occurrence"]
    assert ("media_player.tv=on",) in subjects["duration"]
    assert {one.finding.stage for one in learned.patterns} <= {Stage.ESTABLISHED, Stage.EMERGING}
    assert all("light.porch" not in str(one.finding.subject) for one in learned.patterns)
    assert [step for step in told if step[0] == "review"][-1] == ("review", 15, 15)
    assert [step for step in told if step[0] == "fold"][-1] == ("fold", 15, 15)

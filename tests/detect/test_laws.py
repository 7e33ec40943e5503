"""The battery of laws: what holds for every detector, whoever wrote it."""

import datetime as dt
import importlib
import inspect
import pickle
import pkgutil
from collections import Counter
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian import detect
from quotidian.detect import Detector, History, detectors, observe
from quotidian.detect.dayrow import OCCUPANCY_BITS, DayRow
from quotidian.detect.dayview import MOST_CHANGES
from quotidian.model import Carry, Day, Home, Summary

from .building import Diary, fold, history_of, household
from .sampled import every_detector, folded, sample, some_examples

#: What no habit may be found in, by detector: the acts of each entity and day shifted in a circle, or by
#: hours; each entity's days in another order; the home's days in another order.
NULL_HOMES: dict[str, tuple[Callable[[Diary, int], Diary], ...]] = {
    "time_of_day": (Diary.circled,),
    "session": (Diary.circled,),
    "room": (Diary.circled,),
    "co_occurrence": (Diary.circled, Diary.permuted, Diary.jittered),
    "sequence": (Diary.circled, Diary.permuted, Diary.jittered),
    "day_type": (Diary.circled, Diary.reordered),
    "seasonal": (Diary.circled, Diary.reordered),
}


@cache
def null_home(null: Callable[[Diary, int], Diary], seed: int) -> History:
    """Give a home without habits, folded for every detector."""
    return null(household(seed, 32), seed).history(*detectors())


@cache
def around_a_change(zone: str, change: dt.date) -> tuple[History, History]:
    """Give three weeks around a change of the clocks, and the same weeks where clocks never change."""
    diary = household(5, 21, zone=zone)
    diary.first = change - dt.timedelta(days=change.weekday() + 7)  # a Monday
    plain = Diary(msgspec.structs.replace(diary.home, zone="UTC"), diary.first, diary.days, diary.acts)
    return diary.history(*detectors()), plain.history(*detectors())


# names


def test_names_and_versions_are_set() -> None:
    """Names are unique, for summaries and findings are kept under them; versions count from 1."""
    names = [detector.name for detector in detectors()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and detector.version >= 1 for name, detector in zip(names, detectors(), strict=True))


def test_every_detector_is_registered() -> None:
    """Each detector that is written in the room is given by ``detectors``, or it would never run."""
    modules = [
        importlib.import_module(f"quotidian.detect.{found.name}") for found in pkgutil.iter_modules(detect.__path__)
    ]
    written = {
        value.name
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Detector) and not inspect.isabstract(value)
    }
    assert written == {detector.name for detector in detectors()}


# incremental is exact


@every_detector
@some_examples
@given(data=st.data())
def test_merging_in_any_order_and_grouping_is_exact(detector: Detector, data: st.DataObject) -> None:
    """Days merged in any grouping and order give the summary of one pass; the empty summary changes nothing."""
    _, whole = folded(detector.name)
    parts = [Summary(whole.detector, whole.version, {ordinal: day}) for ordinal, day in whole.days.items()]
    parts = [*data.draw(st.permutations(parts)), Summary(whole.detector, whole.version)]
    while len(parts) > 1:
        place = data.draw(st.integers(0, len(parts) - 2))
        parts[place : place + 2] = [detector.merge(parts[place], parts[place + 1])]
    assert parts[0] == whole
    assert list(parts[0].days) == sorted(whole.days)
    assert [day.encode() for day in parts[0].days.values()] == [day.encode() for day in whole.days.values()]


@every_detector
def test_a_day_can_be_taken_out_exactly(detector: Detector) -> None:
    """A day that is subtracted leaves what would stand if it had never been merged."""
    _, whole = folded(detector.name)
    one = next(iter(whole.days), 0)
    others = Summary(whole.detector, whole.version)
    for ordinal, day in whole.days.items():
        if ordinal != one:
            others = detector.merge(others, Summary(whole.detector, whole.version, {ordinal: day}))
    assert whole.without(frozenset({one})) == others


# shuffled, duplicated and late events


@every_detector
@some_examples
@given(seed=st.integers(0, 2**32))
def test_order_and_copies_of_events_do_not_matter(detector: Detector, seed: int) -> None:
    """Events in any order, some of them twice, fold to the same integers."""
    home, tables = sample()
    rng = np.random.default_rng(seed)
    mixed = {}
    for ordinal, table in list(tables.items())[:4]:
        again = rng.choice(table.num_rows, rng.integers(0, 9)) if table.num_rows else []
        mixed[ordinal] = table.take(pa.array(rng.permutation([*range(table.num_rows), *again]), pa.int64()))
    rows, summaries = fold(home, mixed, [detector])
    whole_rows, whole = folded(detector.name)
    assert all(day == whole_rows.days[ordinal] for ordinal, day in rows.days.items())
    if detector.keeps:
        assert all(day == whole.days[ordinal] for ordinal, day in summaries[detector.name].days.items())


# memory


@cache
def noisy_day(changes: int) -> tuple[Day, Home, pa.Table]:
    """Give a household's day with a sensor that changes so often."""
    diary = household(2, 1)
    rng = np.random.default_rng(3)
    seconds = np.sort(rng.uniform(0, 86_000, changes))
    for place, second in enumerate(seconds.tolist()):
        diary.add(0, second / 3600, "binary_sensor.hall_motion", "on" if place % 2 else "off")
    return Day.of(diary.first, diary.home.zone), diary.home, next(iter(diary.tables().values()))


@every_detector
def test_memory_is_bounded(detector: Detector) -> None:
    """A sensor that fires 5,000 times a day costs no more than its counts and its occupancy."""
    sizes = {}
    for changes in (0, 5_000):
        day, home, table = noisy_day(changes)
        view, seen = observe(day, table, home, Carry())
        integers, carry = detector.fold(view, Carry())
        sizes[changes] = [len(part.encode()) for part in (view.row.integers, seen, integers, carry)]
    assert np.subtract(sizes[5_000], sizes[0]).max() < 600
    assert set(view.row.chatter) == {"binary_sensor.hall_motion"}
    assert MOST_CHANGES < view.row.chatter["binary_sensor.hall_motion"] <= 5_000
    occupied = sum(int(view.row.integers[f"chatter_{place}"][0]).bit_count() for place in range(3))
    assert 0.9 * OCCUPANCY_BITS < occupied <= OCCUPANCY_BITS


@every_detector
def test_integers_are_exact(detector: Detector) -> None:
    """Whatever is folded is an integer that a double holds exactly."""
    _, whole = folded(detector.name)
    assert bool(whole.days) == detector.keeps
    for day in whole.days.values():
        for values in day.columns.values():
            assert values.dtype == np.int64
            assert np.abs(values).max(initial=0) < 2**53


# changes of the clocks


@every_detector
@pytest.mark.parametrize(
    ("zone", "change", "hours"),
    [
        ("Europe/Amsterdam", dt.date(2026, 3, 29), 23),
        ("Europe/Amsterdam", dt.date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), 23.5),
    ],
)
def test_the_day_on_which_the_clocks_change_is_one_day(
    detector: Detector, zone: str, change: dt.date, hours: float
) -> None:
    """Such a day is folded once, and habits by the wall clock are the same habits as where clocks never change."""
    history, plain = around_a_change(zone, change)
    row = next(row for row in history.rows if row.ordinal == change.toordinal())
    assert row.seconds == hours * 3600
    assert history.ordinals.tolist() == list(range(history.ordinals[0], history.ordinals[0] + 21))
    here, there = (habits(detector, one) for one in (history, plain))
    assert here == there


def habits(detector: Detector, history: History) -> Counter[object]:
    """Count what is told of each subject, at which time of the day, on how many days."""
    return Counter((finding.subject, finding.anchor, finding.evidence.kept) for finding in detector.detect(history))


# no habit in noise


@every_detector
def test_no_habit_in_noise(detector: Detector) -> None:
    """Of a handful of homes without habits, at most one makes the detector claim something."""
    claims = 0
    for seed in range(3):
        for null in NULL_HOMES.get(detector.name, (Diary.circled,)):
            findings = detector.detect(null_home(null, seed))
            claims += any(finding.evidence.q_value is not None for finding in findings)
    assert claims <= 1


# purity


@every_detector
def test_detecting_is_pure(detector: Detector) -> None:
    """Detecting twice, and with a copy of the detector, gives the same, and leaves the history as it was."""
    rows, summary = folded(detector.name)
    home = sample()[0]
    history = history_of(rows, home, {detector.name: summary})
    before = [row.integers.encode() for row in history.rows], {o: day.encode() for o, day in summary.days.items()}
    first = detector.detect(history)
    assert detector.detect(history) == first
    assert pickle.loads(pickle.dumps(detector)).detect(history) == first
    assert ([row.integers.encode() for row in history.rows], {o: d.encode() for o, d in summary.days.items()}) == before


@every_detector
def test_findings_are_well_formed(detector: Detector) -> None:
    """A finding names its detector and subject once, counts days, and can be written down as JSON."""
    history = household(6, 40).history(detector)
    findings = detector.detect(history)
    assert len({(finding.subject, finding.anchor) for finding in findings}) == len(findings)
    for finding in findings:
        evidence = finding.evidence
        assert finding.detector == detector.name
        assert finding.subject
        assert all(isinstance(part, str) for part in finding.subject)
        assert finding.anchor is None or 0 <= finding.anchor < 1440
        assert 0 <= evidence.kept <= evidence.observed <= len(history.rows)
        assert 0 <= evidence.low <= evidence.high <= 1
        assert 0 <= finding.confidence <= 1
        assert finding.sentence.isprintable()
        assert msgspec.json.decode(msgspec.json.encode(finding))


# little and bad input


def at_one_instant() -> Diary:
    """Make a home in which everything happens at the same instant of each day."""
    diary = Diary(days=12)
    for day in range(12):
        for place in range(12):
            diary.add(day, 12, f"light.{place}", "on" if day % 2 else "off")
    return diary


def three_entities() -> Diary:
    """Make a small home."""
    diary = Diary(days=10)
    for day in range(10):
        diary.pulse(day, 7 + day % 3 / 10, "light.kitchen", 30)
        diary.pulse(day, 22, "light.hall", 5)
        diary.add(day, 7.5, "person.anna", "not_home")
        diary.add(day, 17.5, "person.anna", "home")
    return diary


@every_detector
@pytest.mark.parametrize(
    "diary",
    [Diary(days=3), household(0, 1), at_one_instant(), three_entities()],
    ids=["nothing", "one day", "one instant", "three entities"],
)
def test_little_and_odd_input_is_no_trouble(detector: Detector, diary: Diary) -> None:
    """Whatever the days hold, there is no error and no flood."""
    assert len(detector.detect(diary.history(detector))) <= 12


@every_detector
def test_no_days_have_no_habits(detector: Detector) -> None:
    """An empty history has no findings."""
    assert detector.detect(History([], Home("h", "UTC"))) == []


@every_detector
def test_days_without_this_detectors_integers_are_no_trouble(detector: Detector) -> None:
    """Rows that were kept before a detector existed are left out, not stumbled over."""
    rows, _ = folded(detector.name)
    history = History([DayRow(ordinal, day) for ordinal, day in rows.days.items()], sample()[0])
    assert isinstance(detector.detect(history), list)

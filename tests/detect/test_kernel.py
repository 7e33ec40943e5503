"""Kernel J on the timeline."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.detect.kernel import JITTER, against_other_days, link, links
from quotidian.detect.statistics import ONE
from quotidian.model import Day

from .building import Diary

A, B, C = "switch.a", "fan.b", "light.c"
_times = st.lists(st.integers(1, 86_398), max_size=4)


def _by_hand(diary: Diary, window: int) -> tuple[int, int, int]:
    """Say the definition again, second by second."""
    instants = {name: [e[0] // 10**6 for e in diary.events() if e[1:3] == (name, "on")] for name in (A, B)}
    start = Day.of(diary.first, diary.home.zone).start // 10**6
    hits = {second for b in instants[B] for second in range(b - window, b + 1)}
    kept = days = expected = 0
    for day in range(diary.days):
        firsts = sorted(i for i in instants[A] if 0 <= i - start - day * 86_400 < 86_400)
        missed = ONE
        for first in firsts:
            cover = sum(first - JITTER <= second < first + JITTER for second in hits)
            missed = missed * (2 * JITTER - cover) // (2 * JITTER)
        kept += any(first in hits for first in firsts)
        days += bool(firsts)
        expected += ONE - missed
    return kept, days, expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(_times, _times), min_size=1, max_size=3), st.sampled_from((60, 900)))
def test_a_link_counts_what_its_definition_says(days: list[tuple[list[int], list[int]]], window: int) -> None:
    """Days kept, days counted and their chances are those of the definition, also across midnight."""
    diary = Diary(days=len(days))
    diary.pulse(0, 3, B, 0.001)
    diary.pulse(0, 3.1, A, 0.001)
    for day, (firsts, seconds) in enumerate(days):
        for name, times in ((A, firsts), (B, seconds)):
            for second in sorted(set(times)):
                diary.add(day, second / 3600, name, "on")
                diary.add(day, (second + 0.5) / 3600, name, "off")
    history = diary.history()
    assert link(history, f"{A}=on", f"{B}=on", window) == _by_hand(diary, window)


def test_several_firsts_at_once_are_as_one_by_one() -> None:
    """Asking for several first tokens gives what asking for each does."""
    rng = np.random.default_rng(3)
    diary = Diary(days=9)
    for day in range(9):
        for name in (A, B, C):
            for hour in rng.uniform(0, 24, 3):
                diary.pulse(day, float(hour), name, 1)
    history = diary.history()
    together = links(history, [f"{A}=on", f"{C}=off"], f"{B}=on", 900)
    alone = [link(history, first, f"{B}=on", 900) for first in (f"{A}=on", f"{C}=off")]
    assert np.array_equal(np.stack(together, axis=1), alone)


def test_two_habits_that_keep_to_the_clock_expect_one_another() -> None:
    """What follows only because both keep to the clock follows on other days as well; what waits for it does not."""
    rng = np.random.default_rng(5)
    diary = Diary(days=40)
    for day in range(40):
        start = 7 + rng.normal(0, 0.1)
        diary.pulse(day, start, A)
        diary.pulse(day, start + 4 / 60 + rng.normal(0, 0.005), B)
        diary.pulse(day, 7 + 6 / 60 + rng.normal(0, 0.1), C)
    history = diary.history()
    kept, days, expected = against_other_days(history, f"{A}=on", f"{B}=on", 200, 280)
    assert (days, kept >= 36, expected / ONE < 15) == (40, True, True)
    kept, days, expected = against_other_days(history, f"{A}=on", f"{C}=on", 0, 600)
    assert abs(kept - expected / ONE) < 8


def test_another_day_is_asked_across_midnight_too() -> None:
    """What comes after midnight follows the evening before, on its own day and on others."""
    diary = Diary(days=20)
    rng = np.random.default_rng(6)
    for day in range(19):
        start = 23.98 + rng.uniform(-0.01, 0.01)
        diary.pulse(day, start, A, 0.1)
        diary.pulse(day, start + 120 / 3600, B, 0.1)
    kept, days, expected = against_other_days(diary.history(), f"{A}=on", f"{B}=on", 0, 600)
    assert (kept, days) == (19, 19)
    assert expected / ONE > 15


def test_days_of_absence_do_not_count() -> None:
    """A day on which almost nothing happened is neither kept nor missed, and is no other day to be asked."""
    rng = np.random.default_rng(7)
    diary = Diary(days=20)
    for day in range(20):
        away = day in (7, 8)
        diary.pulse(day, 12, A)
        for hour in () if away else rng.uniform(0, 23, 40):
            diary.pulse(day, float(hour), C, 1)
        if not away:
            diary.pulse(day, 12.01, B)
    history = diary.history()
    assert link(history, f"{A}=on", f"{B}=on", 60)[:2] == (18, 18)
    assert against_other_days(history, f"{A}=on", f"{B}=on", 0, 60)[:2] == (18, 18)

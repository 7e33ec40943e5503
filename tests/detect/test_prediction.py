"""Foretelling what happens next: nobody is asked for what cannot be known, and nothing is told before its time."""

import msgspec
import numpy as np
import pytest
from benchmarks.folding import observed
from benchmarks.nulls.days import Days, folded
from benchmarks.prediction import (
    LOOSE,
    TOLD,
    Case,
    Chain,
    Moment,
    MostFrequent,
    Pairs,
    Patterns,
    Trusted,
    cases,
    lead,
    prequential,
)

from quotidian.detect import detectors
from quotidian.model import Day

from .building import Diary, household


def days_of(diary: Diary) -> Days:
    """Fold a diary's days for every detector."""
    tables = ((Day.from_ordinal(ordinal, diary.home.zone), table) for ordinal, table in diary.tables().items())
    return folded("diary", diary.home, observed(diary.home, tables), detectors())


def kettle_and_toaster(days: int) -> Diary:
    """Make a home in which the toaster follows the kettle, and the radio comes whenever it likes."""
    diary, rng = Diary(days=days), np.random.default_rng(4)
    for day in range(days):
        for hour in sorted(rng.uniform(6, 22, 3)):
            diary.pulse(day, hour, "switch.kettle", 2)
            diary.pulse(day, hour + 4 / 60, "switch.toaster", 3)
        diary.pulse(day, rng.uniform(6, 22), "switch.radio", 20)
    return diary


def moment(*before: tuple[str, int], now: int = 100, possible: tuple[str, ...] = ("a=on", "b=on", "c=on")) -> Moment:
    """Give a moment after some changes."""
    return Moment(0, now, now, before, possible)


def test_only_what_is_possible_is_an_answer() -> None:
    """What is on can only go off: each case's own token was possible, unless it was never seen before."""
    asked = cases(days_of(kettle_and_toaster(4)), lambda _: True)
    unseen = sum(case.token not in case.moment.possible for case in asked)
    assert unseen <= 6
    for case in asked:
        assert len(case.moment.possible) <= 3
        assert case.moment.instant >= case.moment.before[-1][1]


def test_the_chain_knows_what_follows() -> None:
    """The chain answers by the last change; what is merely frequent answers the same always."""
    asked = cases(days_of(kettle_and_toaster(12)), lambda token: token.endswith("=on"))
    recalls = [prequential(predictor, asked)[1].mean() for predictor in (MostFrequent(), Chain(), Pairs())]
    assert recalls[0] < 0.5 < recalls[1] <= recalls[2] + 0.05


def test_pairs_go_by_how_long_ago_the_last_change_was() -> None:
    """When b comes soon after a and c long after it, the lag tells which it is; to the chain both are one."""
    pairs, chain = Pairs(), Chain()
    for case in (Case(moment(("a=on", 95)), "b=on"), Case(moment(("a=on", -5_000)), "c=on")) * 8:
        pairs.learn(case)
        chain.learn(case)
    soon, late = moment(("a=on", 94)), moment(("a=on", -4_000))
    assert (pairs.predict(soon), pairs.predict(late)) == ("b=on", "c=on")
    assert chain.shares(soon) == chain.shares(late)
    assert sum(pairs.shares(soon).values()) == pytest.approx(1)


@pytest.fixture(scope="module")
def lived_in() -> Days:
    """Three weeks of a home with habits."""
    return days_of(household(3, 21))


@pytest.fixture(scope="module")
def asked(lived_in: Days) -> list[Case]:
    """Every going on in these weeks."""
    return cases(lived_in, lambda token: token.endswith("=on"))


def test_patterns_know_only_the_days_before(lived_in: Days, asked: list[Case]) -> None:
    """On the first day nothing is known, and a day's patterns are those of its evening before, whatever comes."""
    patterns = Patterns(lived_in, TOLD)
    answered, right = prequential(patterns, asked)
    assert not answered[[case.moment.day == 0 for case in asked]].any()
    assert right[answered].mean() > 0.4
    until = msgspec.structs.replace(lived_in, rows=lived_in.rows[:15])
    for case in asked:
        if case.moment.day == 14:
            assert Patterns(until, TOLD).going_on(case.moment) == patterns.going_on(case.moment)
            break


def test_with_lower_floors_patterns_answer_more(lived_in: Days, asked: list[Case]) -> None:
    """What may be chance is more than what is told, and knows of more moments."""
    told, loose = (prequential(Patterns(lived_in, detectors), asked) for detectors in (TOLD, LOOSE))
    assert loose[0].sum() > told[0].sum()


def test_what_is_never_right_is_not_trusted(lived_in: Days, asked: list[Case]) -> None:
    """Patterns beside the chain cost next to nothing, though most of them are no step that comes next."""
    patterns = Patterns(lived_in, LOOSE)
    alone, both, chain = (prequential(one, asked)[1].mean() for one in (patterns, Trusted(patterns), Chain()))
    assert alone < chain
    assert both > chain - 0.02


def test_the_lead_is_over_days() -> None:
    """A lead that one day alone brings has limits that include none; one that every day brings has not."""
    days = np.repeat(np.arange(10), 10)
    never = np.zeros(100, bool)
    once, always = days == 3, np.tile(np.arange(10) < 5, 10)
    assert lead(once, never, days)[1] == 0
    assert lead(always, never, days) == (0.5, 0.5, 0.5)

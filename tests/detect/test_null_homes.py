"""Null homes keep what they promise: what is made chance is moved, and all else is left as it was."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from benchmarks.folding import observed
from benchmarks.nulls.days import Days, folded, put_together, taken_apart
from benchmarks.nulls.kinds import KINDS, alarmed, most_alarms, most_homes
from benchmarks.nulls.makers import Maker, circled, context_shifted, jittered, permuted, reordered, weeks_reordered

from quotidian.detect import DayRow, History, detectors
from quotidian.detect.anomaly import Anomaly
from quotidian.detect.dayrow import entity_of
from quotidian.model import Day, Evidence, Finding, Stage

from .sampled import sample

BY_ENTITY = (circled, jittered, permuted)
MAKERS = (*BY_ENTITY, reordered, weeks_reordered, context_shifted)

every_maker = pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
by_entity = pytest.mark.parametrize("maker", BY_ENTITY, ids=lambda maker: maker.__name__)


@cache
def fortnight() -> Days:
    """Give the sample, with a sensor that drops out at noon, folded for every detector."""
    home, tables = sample()
    days = ((Day.from_ordinal(ordinal, home.zone), table) for ordinal, table in tables.items())
    return folded("sample", home, observed(home, days), detectors())


@cache
def made(maker: Maker, seed: int = 1) -> Days:
    """Make a null home of it."""
    return maker(fortnight(), np.random.default_rng(seed), detectors())


def counted(row: DayRow) -> Counter[tuple[str, bool]]:
    """Count a day's changes by token and whether people may have caused them."""
    return Counter(zip((row.tokens[token] for token in row.token.tolist()), row.learned.tolist(), strict=True))


def missing(row: DayRow) -> Counter[str]:
    """Give for how many seconds each entity was not observed on a day on which it was."""
    return Counter({name: sum(end - start for start, end in gaps) for name, gaps in row.gaps.items()})


# taking apart and putting together


def test_a_row_put_together_again_is_the_row() -> None:
    """Taken apart by entity and put together, every day is to the bit what it was."""
    for row in fortnight().rows:
        assert put_together(row, taken_apart(row)).integers == row.integers


@every_maker
def test_rows_of_null_homes_are_rows(maker: Maker) -> None:
    """Changes are sorted and within their day, gaps lie in order within it, and each date has its own day."""
    days = made(maker)
    assert [row.ordinal for row in days.rows] == [row.ordinal for row in fortnight().rows]
    for row, before in zip(days.rows, fortnight().rows, strict=True):
        assert np.array_equal(row.integers["header"], before.integers["header"])
        assert (np.diff(row.second) >= 0).all()
        assert row.second.size == 0 or 0 <= row.second[0] <= row.second[-1] < row.seconds
        assert {entity_of(token) for token in row.tokens} <= row.present
        for gaps in row.gaps.values():
            edges = [edge for gap in gaps for edge in gap]
            assert edges == sorted(edges)
            assert 0 <= edges[0] <= edges[-1] <= row.seconds


@every_maker
def test_the_same_seed_makes_the_same_null_home(maker: Maker) -> None:
    """A null home follows from its seed; another seed makes another one, where there is more than one to make."""
    again, one = maker(fortnight(), np.random.default_rng(1), detectors()), made(maker)
    assert [row.integers for row in again.rows] == [row.integers for row in one.rows]
    assert dict(again.summaries) == dict(one.summaries)
    if maker in (*BY_ENTITY, reordered):
        assert [row.integers for row in made(maker, 2).rows] != [row.integers for row in one.rows]


# what is kept, and what is not


@pytest.mark.parametrize("maker", [circled, jittered], ids=lambda maker: maker.__name__)
def test_shifted_days_keep_what_each_entity_did(maker: Maker) -> None:
    """Each entity-day has the same changes and is observed for as long, at other times."""
    for row, before in zip(made(maker).rows, fortnight().rows, strict=True):
        assert counted(row) == counted(before)
        assert missing(row) == missing(before)
        assert row.present == before.present
        assert not np.array_equal(row.second, before.second)


def test_an_entity_day_is_shifted_as_a_whole() -> None:
    """On the circle of the day the distances between an entity's changes stay what they were."""
    for shifted, before in zip(made(circled).apart, fortnight().apart, strict=True):
        for name, part in shifted.items():
            gaps = [np.diff(one.second, append=one.second[:1] + 86_400) for one in (part, before[name])]
            assert sorted(gaps[0].tolist()) == sorted(gaps[1].tolist())


def test_jittered_days_are_moved_by_one_or_two_hours() -> None:
    """Nothing else than one or two hours, either way, is between an entity-day and what it was."""
    for shifted, before in zip(made(jittered).apart, fortnight().apart, strict=True):
        for name, part in shifted.items():
            found = {int(second - part.second[0]) % 86_400 for second in before[name].second}
            assert not found or found & {3_600, 7_200, 79_200, 82_800}


def test_permuted_days_keep_each_entitys_days() -> None:
    """Each entity has the same days in another order, each at its own times of the day, and no two the same order."""
    for name in sorted(fortnight().rows[0].present):
        days = [
            [(day[name].second.tolist(), day[name].state) for day in home.apart]
            for home in (fortnight(), made(permuted))
        ]
        assert sorted(days[0]) == sorted(days[1])
    before = [counted(row) for row in fortnight().rows]
    assert sum(counted(row) in before for row in made(permuted).rows) < 7


def test_reordered_days_are_whole_days() -> None:
    """Each day of the home is another one as a whole, with what every detector keeps of it."""
    days = [sorted(tuple(sorted(counted(row).items())) for row in home.rows) for home in (fortnight(), made(reordered))]
    assert days[0] == days[1]
    origin = {row.integers["second"].tobytes(): row.ordinal for row in fortnight().rows}
    assert len(origin) == 14
    for row in made(reordered).rows:
        came_from = origin[row.integers["second"].tobytes()]
        for name, summary in made(reordered).summaries.items():
            assert summary.days[row.ordinal] == fortnight().summaries[name].days[came_from]


def test_reordered_weeks_keep_their_weekdays() -> None:
    """With whole weeks in another order each weekday stays that weekday."""
    origin = {row.integers["second"].tobytes(): row.ordinal for row in fortnight().rows}
    for seed in range(4):
        moves = {row.ordinal - origin[row.integers["second"].tobytes()] for row in made(weeks_reordered, seed).rows}
        assert moves in ({0}, {-7, 7})


def test_shifted_contexts_leave_the_actions_alone() -> None:
    """Only what is kept of the context is moved, by a week or more; the rows are the home's own."""
    days = made(context_shifted)
    assert days.rows is fortnight().rows
    kept = fortnight().summaries["contextual"].days
    ordinals = sorted(kept)
    assert [days.summaries["contextual"].days[one] for one in ordinals] == [
        kept[ordinals[(place + 7) % 14]] for place in range(14)
    ]


# counting


def test_nine_of_a_hundred_homes_may_show_something() -> None:
    """What is consistent with one in twenty: nine of a hundred, and none of a single home beyond one."""
    assert (most_homes(100), most_homes(20), most_homes(5)) == (9, 3, 1)


def test_alarms_within_the_budget_are_no_excess() -> None:
    """Seven weeks with an alarm a week expected may bring eleven or twelve, not twenty."""
    assert most_alarms(0) == 0
    assert 11 <= most_alarms(7) <= 12


def test_every_detector_that_claims_something_has_a_null_home() -> None:
    """Nine of the ten are tried; durations make no claim against chance and nothing shuffles them."""
    assert {kind.detector for kind in KINDS} == {one.name for one in detectors()} - {"duration"}


class EveryNight(Anomaly):
    """Alarms every night, for the first day and for the last one."""

    def detect(self, history: History) -> list[Finding]:
        ends = (history.ordinals[0], history.ordinals[-1])
        evidence = Evidence(kept=1, observed=1, low=0.0, high=1.0)
        return [
            Finding(
                detector=self.name,
                subject=("many", "home", str(end)),
                evidence=evidence,
                confidence=0.5,
                stage=Stage.EMERGING,
                sentence="",
            )
            for end in ends
        ]


def test_alarms_are_counted_once_over_the_nights() -> None:
    """An alarm that is told on several nights is one alarm, and no night sees what comes after it."""
    alarms, _ = alarmed(EveryNight(), fortnight())
    assert len(alarms) == len(fortnight().rows)

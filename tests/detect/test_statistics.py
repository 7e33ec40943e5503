"""The few statistics of our own, against the large libraries' and against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quotidian.detect.statistics import (
    LEVEL,
    ONE,
    around,
    at_least,
    covered,
    life_table,
    merged_spans,
    nearest,
    next_time,
    q_values,
    rounded,
    share_interval,
)

_p = st.floats(0, 1, allow_subnormal=False)


@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, ONE))
def test_tail_is_the_binomial_one(kept: int, days: int, chance: int) -> None:
    """Below its number of days it is scipy's upper tail of a binomial; more than all days cannot be kept."""
    found = float(at_least(np.array([kept]), np.array([days]), np.array([chance * days]))[0])
    expected = stats.binom.sf(kept - 1, days, chance / ONE) if kept <= days else 1.0
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-280)


@given(st.lists(st.integers(0, ONE), min_size=1, max_size=12))
def test_tail_bounds_that_of_unequal_chances(chances: list[int]) -> None:
    """Above its mean, the tail with the mean chance is never below the true one of the days' own chances."""
    exact = np.array([1.0])
    for chance in chances:
        exact = np.convolve(exact, [1 - chance / ONE, chance / ONE])
    tails = exact[::-1].cumsum()[::-1]
    for kept in range(int(np.ceil(sum(chances) / ONE)) + 1, len(chances) + 1):
        bound = at_least(np.array([kept]), np.array([len(chances)]), np.array([sum(chances)]))[0]
        assert bound >= tails[kept] * (1 - 1e-8) - 1e-12


def test_nothing_observed_says_nothing() -> None:
    """No days give the p-value 1, not an error."""
    assert at_least(np.array([0, 1]), np.array([0, 0]), np.array([0, 0])).tolist() == [1.0, 1.0]


@given(st.lists(_p, min_size=1, max_size=30), st.integers(0, 50))
def test_q_values_are_benjamini_hochbergs(p: list[float], more: int) -> None:
    """They are scipy's adjusted p-values; tests of which no p-value is given count as 1."""
    ours = q_values(np.array(p), tests=len(p) + more)
    theirs = stats.false_discovery_control([*p, *[1.0] * more], method="bh")
    assert ours == pytest.approx(theirs[: len(p)], rel=1e-9, abs=1e-300)


def test_no_p_values_have_no_q_values() -> None:
    """An empty list of tests stays empty."""
    assert q_values(np.array([]), tests=0).size == 0


@given(st.integers(1, 400), st.data())
def test_interval_is_clopper_pearsons(days: int, data: st.DataObject) -> None:
    """The interval of a share of days is scipy's exact one, its ends at 0 and 1 included."""
    kept = data.draw(st.integers(0, days))
    theirs = stats.binomtest(kept, days).proportion_ci(LEVEL, method="exact")
    assert share_interval(kept, days) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(0, 200), st.integers(0, 200))
def test_confidence_lies_inside(kept: int, missed: int) -> None:
    """Laplace's rule never says never, nor always."""
    assert 0 < next_time(kept, kept + missed) < 1
    assert next_time(0, 0) == 0.5


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_life_table_is_kaplan_meiers(bins: list[tuple[int, int]]) -> None:
    """The table equals a product-limit estimate span by span, ended ones before those lost sight of."""
    ended, censored = np.array(bins, np.int64).reshape(-1, 2).T
    spans = [(age, told) for age, (e, c) in enumerate(bins) for told in [True] * e + [False] * c]
    outlived, share, expected = len(spans), 1.0, []
    for age in range(len(bins)):
        for told in [told for span, told in spans if span == age]:
            share *= 1 - 1 / outlived if told else 1.0
            outlived -= 1
        expected.append(share)
    assert life_table(ended, censored) == pytest.approx(expected)


_spans = st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 20)), max_size=8)


@given(_spans, st.integers(1, 20), st.lists(st.integers(-80, 100), max_size=6))
def test_spans_cover_what_they_hold(starts: list[tuple[int, int]], length: int, until: list[int]) -> None:
    """United spans are disjoint and hold the same seconds; what they cover is counted second by second."""
    begin = np.array(sorted(start for start, _ in starts), np.int64)
    ones, others = merged_spans(begin, begin + length)
    seconds = {second for start in begin.tolist() for second in range(start, start + length)}
    assert {second for a, b in zip(ones.tolist(), others.tolist(), strict=True) for second in range(a, b)} == seconds
    assert (ones[1:] > others[:-1]).all()
    expected = [sum(second < limit for second in seconds) for limit in until]
    assert covered(ones, others, np.array(until, np.int64)).tolist() == expected


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=8), st.integers(-60, 60))
def test_nearest_is_the_nearest(values: list[int], centre: int) -> None:
    """No value lies closer to a centre; of two that are equally close it is the one before."""
    apart = int(nearest(np.array(sorted(values)), np.array([centre]))[0])
    assert apart == min((value - centre for value in values), key=lambda one: (abs(one), one))


@given(st.integers(-5_000, 5_000), st.integers(0, 1_439), st.sampled_from([1_440, 10_080]))
def test_distances_on_a_circle(time: int, centre: int, period: int) -> None:
    """A distance is the shortest way round, and leads from the centre to the point."""
    apart = float(around(np.array([time]), centre, period)[0])
    assert -period / 2 <= apart < period / 2
    assert (centre + apart - time) % period == 0


@given(st.floats(1e-280, 1.0), st.sampled_from([1e-12, -1e-12]))
def test_rounding_hides_the_last_bits(value: float, error: float) -> None:
    """A value keeps 9 digits; rounding twice is rounding once."""
    once = rounded(np.array([value]))
    assert once[0] == pytest.approx(value, rel=6e-9)
    assert rounded(once)[0] == pytest.approx(once[0], rel=1e-15)
    assert rounded(np.array([0.0]))[0] == 0

"""Tokens that move together, as one finds them by looking at each occurrence of each two of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.detect import together
from quotidian.detect.dayrow import state_of
from quotidian.detect.together import TOGETHER_SECONDS, TOGETHER_SHARE, spoken_for
from quotidian.model.home import domain_of

NAMES = ("light.a=off", "light.a=on", "light.b=on", "light.c=on", "switch.a=on", "switch.b=on")
SCENES = st.lists(st.integers(0, 3_000), max_size=12)
TIMES = st.lists(st.integers(0, 3_000), max_size=4)
#: What each token does: by how many seconds it follows a scene, how often it misses it, and when else it occurs.
HABITS = st.lists(st.tuples(st.integers(-12, 12), st.integers(1, 8), TIMES), min_size=len(NAMES), max_size=len(NAMES))


def plainly(times: list[list[int]]) -> dict[str, str]:
    """Find what moves together by comparing everything with everything."""

    def often(one: list[int], other: list[int]) -> bool:
        met = sum(any(abs(time - late) <= TOGETHER_SECONDS for late in other) for time in one)
        return met >= max(4, TOGETHER_SHARE * len(one))

    def alike(one: str, other: str) -> bool:
        return domain_of(one) == domain_of(other) and state_of(one) == state_of(other)

    first = list(range(len(NAMES)))
    for one in range(len(NAMES)):
        for other in range(one):
            both = often(times[one], times[other]) and often(times[other], times[one])
            if both and alike(NAMES[one], NAMES[other]):
                low, high = sorted((first[one], first[other]))
                first = [low if place == high else place for place in first]
    return {NAMES[place]: NAMES[low] for place, low in enumerate(first) if low != place}


@given(SCENES, HABITS)
def test_each_is_spoken_for_as_by_comparing_everything(
    scene: list[int], habits: list[tuple[int, int, list[int]]]
) -> None:
    """Leaving out what cannot move together, and what does so at the very same instants, changes nothing."""
    times = [
        sorted([*(time + late for place, time in enumerate(scene) if place % miss or miss == 1), *others])
        for late, miss, others in habits
    ]
    told = sorted((time, token) for token, own in enumerate(times) for time in own)
    instant, token = np.array(told, np.int64).reshape(-1, 2).T
    assert spoken_for(NAMES, instant, token) == plainly(times)


@given(st.lists(st.integers(0, 400), max_size=60))
def test_what_is_close_by_is_never_cut_apart(times: list[int]) -> None:
    """However small the parts are made, nothing of one is within reach of the next one."""
    line = np.sort(np.array(times, np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "_MOST_NEAR", 2)
        parts = [line[part] for part in together._bursts(line)]
    assert np.concatenate([line[:0], *parts]).tolist() == line.tolist()
    assert all(after[0] - before[-1] > TOGETHER_SECONDS for before, after in pairwise(parts))


def test_a_house_without_acts() -> None:
    """Nothing is spoken for where nothing occurred."""
    none = np.empty(0, np.int64)
    assert spoken_for((), none, none) == {}

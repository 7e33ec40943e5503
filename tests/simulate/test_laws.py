"""What holds for every simulated home."""

import datetime as dt
import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.simulate import Plan, SimulatedHome, simulate
from quotidian.simulate.house import MORE_ROOMS, ROOMS, path

PLANS = st.builds(
    Plan,
    seed=st.integers(0, 2**40),
    noise=st.integers(0, 2**40),
    start=st.dates(dt.date(1960, 1, 1), dt.date(2090, 1, 1)),
    days=st.integers(1, 3),
    zone=st.sampled_from(["Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati"]),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    country=st.sampled_from(["NL", "CA", "AU", "JP"]),
    people=st.integers(1, 6),
    entities=st.integers(10, 90),
    events_per_day=st.integers(1_000, 3_000),
    habits=st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(PLANS)
def test_events_are_sorted_unique_and_in_their_day(plan: Plan) -> None:
    """Whatever the plan: days follow each other; events are sorted, in their day, and of one entity at one time."""
    days = list(simulate(plan).days())
    assert len(days) == plan.days
    assert all(before.end == after.start for (before, _), (after, _) in itertools.pairwise(days))
    for day, table in days:
        times = table["last_updated"].to_numpy()
        assert np.all(np.diff(times) >= 0)
        assert np.all((times >= day.start) & (times < day.end))
        keys = table.select(["entity_id", "last_updated"]).group_by(["entity_id", "last_updated"]).aggregate([])
        assert keys.num_rows == table.num_rows


@settings(max_examples=15, deadline=None)
@given(PLANS)
def test_kept_habits_were_recorded(plan: Plan) -> None:
    """Whatever the plan: the first event of each occasion stands in the tables, at its instant."""
    home = simulate(plan)
    told = {
        (truth.tokens[0].partition("=")[0], occasion.at[0])
        for truth in home.truth.habits
        if truth.tokens and "=" in truth.tokens[0] and truth.id != "light-when-dark"
        for occasion in truth.kept
        if occasion.at
    }
    assert told <= _recorded(home)


def _recorded(home: SimulatedHome) -> set[tuple[str, int]]:
    tables = [table.select(["entity_id", "last_updated"]).to_pydict() for _, table in home.days()]
    return {pair for table in tables for pair in zip(table["entity_id"], table["last_updated"], strict=True)}


@given(st.sampled_from([*ROOMS, *MORE_ROOMS]), st.sampled_from([*ROOMS, *MORE_ROOMS]))
def test_every_room_can_be_reached(start: str, end: str) -> None:
    """One can walk from every room to every other without passing a room twice."""
    trail = path(start, end)
    assert (trail[0], trail[-1]) == (start, end)
    assert len(set(trail)) == len(trail)

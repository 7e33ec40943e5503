"""The shared row: small, and read back as it was written."""

import datetime as dt

import numpy as np
import pytest

from quotidian.detect import DayRow
from quotidian.detect.dayrow import DAY_CELLS, entity_of, state_of, token_of
from quotidian.model import Integers
from quotidian.model.day import Day

from .building import Diary, household


def test_tokens_name_entity_and_state() -> None:
    """A token gives back its entity and its state, which may contain an equals sign; an entity id never does."""
    for state in ("on", "", "a=b", "="):
        token = token_of("select.mode", state)
        assert (entity_of(token), state_of(token)) == ("select.mode", state)


def test_a_row_is_what_was_stored() -> None:
    """A row that was packed and read says the same in every respect."""
    row = household(4, 3).history().rows[-1]
    back = DayRow(row.ordinal, Integers.decode(row.integers.encode()))
    assert (back.start, back.seconds, back.clock) == (row.start, row.seconds, row.clock)
    assert (back.tokens, back.present, back.gaps, back.chatter) == (row.tokens, row.present, row.gaps, row.chatter)
    assert np.array_equal(back.wall, row.wall)
    assert back.learned.all()


def test_a_row_is_small() -> None:
    """A day of a household's changes takes a few bytes each, and a kilobyte or so in all."""
    rows = household(4, 6).history().rows[1:]
    assert max(len(row.integers.encode()) for row in rows) < 1_400
    assert np.mean([len(row.integers.encode()) / row.second.size for row in rows]) < 12


def test_a_row_knows_in_which_quarters_something_chattered() -> None:
    """Of what changed too often to be followed the quarters are kept in which it changed, be they the last ones."""
    diary = Diary(days=1)
    for place, hour in enumerate(np.concatenate([np.linspace(8.01, 8.49, 150), np.linspace(23.76, 23.99, 150)])):
        diary.add(0, float(hour), "binary_sensor.hall_motion", "on" if place % 2 else "off")
    (row,) = diary.history().rows
    assert {name: np.flatnonzero(filled).tolist() for name, filled in row.quarters.items()} == {
        "binary_sensor.hall_motion": [32, 33, 95]
    }


@pytest.mark.parametrize(
    ("date", "shown", "last"),
    [(dt.date(2026, 3, 29), 276, 24), (dt.date(2026, 10, 25), 288, 24), (dt.date(2026, 6, 1), 288, 24)],
)
def test_a_row_reads_the_wall_clock(date: dt.date, shown: int, last: float) -> None:
    """Changes are kept by elapsed second and read by the wall clock, across a change of the clocks too."""
    diary = Diary(first=date, days=1)
    for hour in (1.0, 8.0, 23.5):
        diary.add(0, hour, "light.a", f"state {hour}")
    (row,) = diary.history().rows
    assert (row.wall / 3600).tolist() == [1.0, 8.0, 23.5]
    assert ((row.second - row.wall) / 3600).tolist() == [0, *[round((row.seconds - 86_400) / 3600)] * 2]
    assert row.shown.shape == (DAY_CELLS,)
    assert int(row.shown.sum()) == shown
    assert row.start == Day.of(date, "Europe/Amsterdam").start // 10**6

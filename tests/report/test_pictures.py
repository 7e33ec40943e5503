"""The figures behind each picture."""

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.detect import History
from quotidian.model import Home, Pattern
from quotidian.report.activity import LEVELS, rooms, shades, week
from quotidian.report.chapters import foremost
from quotidian.report.dials import dial, point
from quotidian.report.flows import lengths, pair, routine
from quotidian.report.holdings import strata
from quotidian.report.outline import outline
from quotidian.report.wording import line, size
from quotidian.store.protocols import LayerSize

from .conftest import DAYS, FIRST, HOME, history_of

ORDINALS = [FIRST.toordinal() + day for day in range(DAYS)]


def _clock(pattern: Callable[..., Pattern], **measures: object) -> Pattern:
    told = {"reference": "clock", "days": "all", "width": 6, "dates": ORDINALS, **measures}
    return pattern("time_of_day", "A time", ("light.kitchen=on",), measures=told)


def test_week_gives_mean_changes_of_each_half_hour(history: History) -> None:
    """The kitchen light goes on between 06:45 and 06:49 and off at 07:30, each day once: one change in these cells."""
    found = week(history)
    assert found is not None
    table = dict(found.table)
    assert set(table["06:30–07:00"]) == {"1.0"}
    assert set(table["03:00–03:30"]) == {"0.0"}
    assert "nothing" in next(cell.title for cell in found.cells if (cell.x, cell.y) == (6, 0))


def test_weekday_that_was_not_seen_has_no_cells() -> None:
    """Nothing is drawn for days that were never observed: that is not the same as a quiet day."""
    found = week(history_of(days=2))
    assert found is not None
    assert {cell.y for cell in found.cells} == {0, 1}
    assert dict(found.table)["06:30–07:00"][2:] == ("–",) * 5


@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=1, max_size=40))
def test_shades_keep_the_order(values: list[float]) -> None:
    """Shades go from 0 (only where there is nothing) to ``LEVELS`` (the largest), in the order of the values."""
    found = shades(np.array(values))
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert ((found == 0) == (np.array(values) == 0)).all()
    assert found.max() == (LEVELS if max(values) else 0)


def test_rooms_are_those_of_their_entities(history: History) -> None:
    """A room counts what its own entities did: two changes a day in the kitchen, twelve in the hall."""
    assert [(room.name, room.daily) for room in rooms(history)] == [("Hall", "12"), ("Kitchen", "2.0")]
    assert rooms(history_of(Home("h", "UTC"), 2)) == []


def test_dial_ticks_every_kept_day_at_its_time(history: History, pattern: Callable[..., Pattern]) -> None:
    """There is one tick for each kept day, where the clock's hand would stand; midnight is at the bottom."""
    times = [405 + day % 5 for day in range(DAYS)]
    found = dial(history, _clock(pattern, minute=407, times=times))
    assert found is not None
    assert len(found.ticks) == DAYS
    assert found.ticks[0] == f"M{point(64, 405)}L{point(80, 405)}"
    assert (found.time, found.spread) == ("06:47", "± 6 min")
    assert point(80, 0) == point(80, 1440) == "100 180"


@given(st.floats(0, 1440))
def test_point_lies_on_its_circle(minute: float) -> None:
    """Every minute of the day lies on the circle around the dial's centre."""
    x, y = map(float, point(60, minute).split())
    assert math.hypot(x - 100, y - 100) == pytest.approx(60, abs=0.15)


def test_times_around_midnight_stay_together(history: History, pattern: Callable[..., Pattern]) -> None:
    """A habit at 23:58 that is sometimes kept at 00:04 makes a strip of an hour, not of a day."""
    times = [1438 if day % 2 else 4 for day in range(DAYS)]
    found = dial(history, _clock(pattern, minute=1438, times=times))
    assert found is not None
    assert found.strip is not None
    assert (found.strip.low, found.strip.high) == ("23:31", "00:31")


def test_habit_by_the_sun_is_drawn_at_the_wall_clock(history: History, pattern: Callable[..., Pattern]) -> None:
    """Minutes after sunset become wall times that move with the sunset; the dial shows the last day's."""
    found = dial(history, _clock(pattern, minute=20, times=[20] * DAYS, reference="sunset"))
    assert found is not None
    sunset = int(history.sun("sunset")[-1]) + 20
    assert found.time == f"{sunset // 60:02d}:{sunset % 60:02d}"
    assert found.strip is not None
    heights = {part.split()[1] for part in found.strip.course[1:].split("L")}
    assert len(heights) > 10
    assert heights == {part.split(" ")[1] for part in found.strip.kept.replace("h0", "")[1:].split("M")}


def test_sun_that_is_not_known_leaves_the_anchor(pattern: Callable[..., Pattern]) -> None:
    """Where the sun's times are unknown, the dial shows the habit's anchor and no ticks."""
    nowhere = history_of(msgspec.structs.replace(HOME, latitude=None, longitude=None), 2)
    one = _clock(pattern, minute=20, times=[20] * DAYS, reference="sunset")
    one = msgspec.structs.replace(one, finding=msgspec.structs.replace(one.finding, anchor=1190))
    found = dial(nowhere, one)
    assert found is not None
    assert (found.time, found.ticks, found.night, found.strip) == ("19:50", (), "", None)


def test_days_without_the_habit_are_marked(history: History, pattern: Callable[..., Pattern]) -> None:
    """Days of the habit's class on which it was not kept are marked under the strip; other days are not."""
    mondays = ORDINALS[::7]
    found = dial(history, _clock(pattern, minute=405, times=[405, 406], dates=mondays[:2], days="monday"))
    assert found is not None
    assert found.strip is not None
    assert found.strip.missed == f"M{mondays[2] - ORDINALS[0] + 0.5:g} 96v4"


def test_longer_lags_lie_further_right(history: History, pattern: Callable[..., Pattern]) -> None:
    """The lag's place grows with the lag, and never leaves the axis."""
    subject = ("binary_sensor.door=on", "light.hall=on")
    drawn = [
        pair(history, pattern("co_occurrence", "A pair", subject, measures={"lag": lag}))
        for lag in (0, 1, 5, 60, 900, 4000)
    ]
    places = [float(one.place) for one in drawn if one]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (5, 95)
    assert drawn[2] is not None
    assert (drawn[2].first, drawn[2].second, drawn[2].lag) == (
        "The front door opens",
        "the hall light goes on",
        "5 s",
    )


def test_routine_tells_its_steps(history: History, pattern: Callable[..., Pattern]) -> None:
    """A routine gives each act, the time since the one before, and when it begins."""
    measures = {"tokens": ["light.kitchen=on", "light.hall=on"], "gaps": [90], "start": 405}
    found = routine(history, pattern("sequence", "A routine", measures=measures))
    assert found is not None
    assert [(step.what, step.after) for step in found.steps] == [
        ("the kitchen light goes on", ""),
        ("the hall light goes on", "2 min"),
    ]
    assert found.start == "06:45"


def test_lengths_share_one_axis(history: History, pattern: Callable[..., Pattern]) -> None:
    """The shortest comes first, every place lies on the axis, and lower, median and longest are in order."""
    found = lengths(
        history,
        [
            pattern(
                "duration",
                f"Stays {median}",
                ("light.hall=on",),
                measures={"median": median, "lower": median // 2, "upper": median * 2, "longest": median * 9},
            )
            for median in (7200, 30, 600)
        ],
    )
    assert found is not None
    assert [row.usual for row in found.rows] == ["30 s", "10 min", "2 h"]
    for row in found.rows:
        places = [0, float(row.lower), float(row.median), float(row.longest), 100]
        assert all(one < other for one, other in itertools.pairwise(places))
    assert len(found.marks) >= 3


def test_strata_lie_under_the_same_days() -> None:
    """Layers are drawn along the days of all layers, the first on top; an empty one has no bar."""
    first, last = dt.date(2026, 1, 1), dt.date(2026, 4, 10)
    found = strata(
        [
            LayerSize(4, "patterns", 1, 100, dt.date(2026, 2, 20), last),
            LayerSize(1, "events", 5, 10_000, first, last),
            LayerSize(3, "periods", 0, 0, None, None),
        ]
    )
    assert [(one.start, one.width) for one in found] == [("0", "100"), ("0", "0"), ("50", "50")]
    assert [one.rows for one in found] == ["5 events", "0 summaries", "1 habit"]
    assert found[0].height > found[2].height


def test_outline_has_a_line_for_each_kind_of_day(history: History) -> None:
    """Weekdays and free days have each a curve; a history of weekdays has only one; nothing done draws nothing."""
    both, weekdays = outline(history), outline(history_of(days=3))
    assert both is not None
    assert weekdays is not None
    assert both.weekdays
    assert both.weekends
    assert (bool(weekdays.weekdays), weekdays.weekends) == (True, "")
    assert outline(History((), HOME)) is None
    heights = [float(number) for number in re.findall(r" (-?[\d.]+)(?=[CM ]|$)", both.weekdays)]
    assert max(heights) <= 98


def test_foremost_are_of_different_kinds_and_things(pattern: Callable[..., Pattern]) -> None:
    """Of two habits about one lamp only one is put in front, and a second kind goes before a second of the same."""
    found = [
        pattern("time_of_day", "A", ("light.a=on",)),
        pattern("time_of_day", "B", ("light.b=on",)),
        pattern("co_occurrence", "A again", ("light.a=on", "light.c=on")),
        pattern("co_occurrence", "D", ("light.d=on", "light.e=on")),
        pattern("anomaly", "Odd", ("light.f=on",)),
    ]
    chosen = [one.finding.sentence for one in foremost(found)]
    assert chosen == ["A", "D", "B"]


@given(st.text())
def test_line_is_one_line_without_controls(text: str) -> None:
    """Whatever is told, a sentence is one line of letters that can be printed."""
    shown = line(text)
    assert shown.isprintable()
    assert max(map(len, shown.split()), default=0) <= 60
    assert line(shown) == shown


@given(st.integers(0, 10**14))
def test_size_is_short(number: int) -> None:
    """A number of bytes is told in at most four characters and a unit."""
    value, unit = size(number).split()
    assert len(value) <= 3 or number >= 10**12
    assert unit in ("bytes", "kB", "MB", "GB", "TB")

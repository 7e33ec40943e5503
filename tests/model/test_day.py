"""Local days: they tile time, whatever the clocks do."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.model import Day
from quotidian.model.day import DAY_MINUTES, DAY_SECONDS, SECOND, instant, moment, shown_minutes

ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "America/St_Johns",  # changed its clocks at 00:01 until 2011
    "America/Havana",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Chatham",
)
_zones = st.sampled_from(ZONES)
_instants = st.integers(
    instant(dt.datetime(1990, 1, 1, tzinfo=dt.UTC)), instant(dt.datetime(2036, 1, 1, tzinfo=dt.UTC))
)
_dates = st.dates(dt.date(1990, 1, 1), dt.date(2035, 12, 31))

#: Days on which the clocks change: zone, date, hours.
CHANGES = (
    ("Europe/Amsterdam", dt.date(2026, 3, 29), 23),
    ("Europe/Amsterdam", dt.date(2026, 10, 25), 25),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5), 24.5),
    ("Australia/Lord_Howe", dt.date(2026, 10, 4), 23.5),
    ("Africa/Cairo", dt.date(2026, 4, 24), 23),
    ("Africa/Cairo", dt.date(2026, 10, 29), 25),
    ("America/Havana", dt.date(2026, 11, 1), 25),
    ("America/St_Johns", dt.date(2010, 11, 7), 25),
)


@pytest.mark.parametrize(("zone", "date", "hours"), CHANGES)
def test_length_of_a_day_on_which_the_clocks_change(zone: str, date: dt.date, hours: float) -> None:
    """Such a day is an hour, or half an hour, shorter or longer; those around it have 24 hours."""
    day = Day.of(date, zone)
    assert day.seconds == hours * 3600
    assert [day.shifted(step).seconds for step in (-2, 2)] == [DAY_SECONDS] * 2


def test_a_midnight_that_the_clocks_skip() -> None:
    """The day begins when the clocks are put forward: they show 01:00 then."""
    day = Day.of(dt.date(2026, 4, 24), "Africa/Cairo")
    assert moment(day.start, day.zone).isoformat() == "2026-04-24T01:00:00+03:00"
    assert moment(day.start - SECOND, day.zone).isoformat() == "2026-04-23T23:59:59+02:00"
    assert day.wall(np.array([0, 3600])).tolist() == [3600, 7200]
    shown = shown_minutes(day.clock, day.seconds)
    assert not shown[:60].any()
    assert shown[60:].all()


@given(_zones, _instants)
def test_exactly_one_day_contains_an_instant(zone: str, when: int) -> None:
    """The day that contains an instant does; the days before and after do not."""
    day = Day.containing(when, zone)
    around = [day.shifted(step) for step in (-2, -1, 0, 1, 2)]
    assert [one.start <= when < one.end for one in around] == [False, False, True, False, False]


@given(_zones, _dates)
def test_days_tile_time(zone: str, date: dt.date) -> None:
    """Each day ends where the next one begins, and contains its first instant and its last, if it has any."""
    day = Day.of(date, zone)
    following = day.shifted(1)
    assert day.end == following.start
    assert day.date + dt.timedelta(days=1) == following.date
    if day.seconds:
        assert [Day.containing(when, zone) for when in (day.start, day.end - 1)] == [day, day]
    if following.seconds:
        assert Day.containing(day.end, zone) == following


def test_a_date_that_a_zone_left_out_is_an_empty_day() -> None:
    """Samoa went from 29 to 31 December 2011: the day between has no instant, and its neighbours touch."""
    missing = Day.of(dt.date(2011, 12, 30), "Pacific/Apia")
    assert missing.seconds == 0
    assert Day.containing(missing.start, missing.zone).date == dt.date(2011, 12, 31)
    assert not shown_minutes(missing.clock, 0).any()


@given(_zones, _dates, st.lists(st.integers(0, DAY_SECONDS - 3600), max_size=8))
def test_the_wall_clock_is_that_of_the_zone(zone: str, date: dt.date, elapsed: list[int]) -> None:
    """At any elapsed second of a day, ``wall`` is what the clock on the wall shows, counted from the day's 00:00."""
    day = Day.of(date, zone)
    elapsed = [second for second in elapsed if second < day.seconds]
    zero = dt.datetime.combine(date, dt.time())
    shown = [moment(day.start + second * SECOND, zone).replace(tzinfo=None) - zero for second in elapsed]
    expected = [round(one.total_seconds()) for one in shown]
    assert day.wall(np.array(elapsed, np.int64)).tolist() == expected


@pytest.mark.parametrize(("zone", "date", "hours"), CHANGES)
def test_shown_minutes_are_those_of_the_clock(zone: str, date: dt.date, hours: float) -> None:
    """A wall minute is shown when some instant of the day reads it: found by walking the day minute by minute."""
    day = Day.of(date, zone)
    walked = {int(wall) // 60 for wall in day.wall(np.arange(0, day.seconds, 60))}
    expected = [minute in walked for minute in range(DAY_MINUTES)]
    assert shown_minutes(day.clock, day.seconds).tolist() == expected


@pytest.mark.parametrize(
    ("zone", "date", "clock"),
    [
        ("Europe/Amsterdam", dt.date(2026, 3, 29), ((0, 0), (7200, 3600))),
        ("Europe/Amsterdam", dt.date(2026, 10, 25), ((0, 0), (10800, -3600))),
        ("Europe/Amsterdam", dt.date(2026, 6, 1), ((0, 0),)),
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), ((0, 0), (7200, 1800))),
    ],
)
def test_clock_names_the_second_of_the_change(zone: str, date: dt.date, clock: tuple[tuple[int, int], ...]) -> None:
    """The change stands at its elapsed second, with the shift that holds from there on."""
    assert Day.of(date, zone).clock == clock


@settings(max_examples=30)
@given(_zones, _instants)
def test_instant_and_moment_are_inverse(zone: str, when: int) -> None:
    """An instant survives the way to a datetime and back, to the microsecond."""
    assert instant(moment(when, zone)) == when
    assert moment(when, zone).tzinfo == ZoneInfo(zone)


@given(_zones, _dates)
def test_a_day_is_named_by_its_ordinal(zone: str, date: dt.date) -> None:
    """The ordinal, which keys everything that is kept by day, gives the day back."""
    day = Day.of(date, zone)
    assert Day.from_ordinal(day.ordinal, zone) == day

"""What follows for an event from the others of its day."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.detect import observe
from quotidian.detect.derived import Derived, derived
from quotidian.model import Carry, Day, Home

from .building import table_of_events

HOME = Home("h", "Europe/Amsterdam", latitude=52.09, longitude=5.12, country="NL")
DAY = Day.of(dt.date(2026, 3, 2), HOME.zone)

#: An event: hour of the day, entity, state, cause.
Happening = tuple[float, str, str | None, str]


def on(happenings: list[Happening], home: Home = HOME, day: Day = DAY, before: Carry | None = None) -> list[Derived]:
    """Derive what follows for happenings, in their order."""
    events = [(day.start + round(hour * 3.6e9), *rest) for hour, *rest in happenings]
    return derived(table_of_events(events), day, home, before or Carry())  # type: ignore[arg-type]


def lamp(hour: float, state: str | None = "on", cause: str = "person") -> Happening:
    """Let a lamp enter a state."""
    return hour, "light.a", state, cause


def test_the_state_before_and_how_long_it_held() -> None:
    """Each event knows the state before it and its seconds; attributes alone do not begin a state anew."""
    found = on([lamp(1, "off"), lamp(7), lamp(8), lamp(9.5, "off"), lamp(10, None), lamp(11)])
    told = [(one.previous_state, one.previous_seconds) for one in found]
    assert told == [(None, None), ("off", 21_600), ("on", 3_600), ("on", 9_000), ("off", 1_800), (None, None)]


def test_the_state_before_may_be_of_another_day() -> None:
    """What the day before handed on is the state before the first event."""
    _, carry = observe(DAY, table_of_events([(DAY.start + 3_600_000_000, "light.a", "on", "person")]), HOME, Carry())
    (one,) = on([lamp(2, "off")], day=DAY.shifted(1), before=carry)
    assert (one.previous_state, one.previous_seconds) == ("on", 25 * 3600)


def test_who_is_at_home_and_what_the_weather_is() -> None:
    """Persons and weather are those at the event's own instant, and unknown until they are told."""
    found = on(
        [
            lamp(1),
            (2, "person.anna", "home", "physical"),
            (2, "weather.home", "rainy", "physical"),
            lamp(3, "off"),
            (4, "person.bo", "home", "physical"),
            (5, "person.anna", "not_home", "physical"),
            (5, "weather.home", "unavailable", "physical"),
            lamp(6),
        ]
    )
    lamps = [found[place] for place in (0, 3, 7)]
    assert [one.at_home for one in lamps] == [(), ("person.anna",), ("person.bo",)]
    assert [one.weather for one in lamps] == [None, "rainy", None]
    assert found[4].at_home == ("person.anna", "person.bo")


def test_persons_and_weather_are_handed_on() -> None:
    """Who came home yesterday is there this morning."""
    events = [(DAY.start, "person.anna", "home", "physical"), (DAY.start, "weather.home", "sunny", "physical")]
    _, carry = observe(DAY, table_of_events(events), HOME, Carry())
    (one,) = on([lamp(7)], day=DAY.shifted(1), before=carry)
    assert (one.at_home, one.weather) == (("person.anna",), "sunny")


def test_the_sun_is_the_one_over_the_home() -> None:
    """Sunrise and sunset are counted in seconds, negative before them; without a place nothing is known."""
    morning, noon, night = on([lamp(7), lamp(12, "off"), lamp(22)])
    assert [one.daylight for one in (morning, noon, night)] == [False, True, False]
    assert noon.since_sunrise == pytest.approx(4.63 * 3600, abs=360)
    assert noon.since_sunset == pytest.approx(-6.33 * 3600, abs=360)
    (nowhere,) = on([lamp(12)], Home("h", HOME.zone))
    assert (nowhere.daylight, nowhere.since_sunrise, nowhere.since_sunset) == (None, None, None)


@pytest.mark.parametrize(("date", "up"), [(dt.date(2026, 6, 21), True), (dt.date(2026, 12, 24), False)])
def test_where_the_sun_does_not_set_it_is_day_at_midnight(date: dt.date, up: bool) -> None:
    """In a polar day it is always above the horizon, in a polar night never."""
    home = Home("h", "Europe/Oslo", latitude=78.2, longitude=15.6)
    for one in on([lamp(0), lamp(12, "off")], home, Day.of(date, home.zone)):
        assert (one.daylight, one.since_sunrise, one.since_sunset) == (up, None, None)


@pytest.mark.parametrize(
    ("date", "country", "kind"),
    [
        (dt.date(2026, 3, 2), "NL", "weekday"),
        (dt.date(2026, 3, 1), "NL", "weekend"),
        (dt.date(2026, 4, 27), "NL", "holiday"),
        (dt.date(2026, 4, 27), "DE", "weekday"),
        (dt.date(2026, 4, 27), None, "weekday"),
        (dt.date(2026, 4, 27), "??", "weekday"),
    ],
)
def test_days_are_of_a_kind(date: dt.date, country: str | None, kind: str) -> None:
    """Public holidays are those of the home's country."""
    (one,) = on([lamp(12)], Home("h", "Europe/Amsterdam", country=country), Day.of(date, "Europe/Amsterdam"))
    assert one.day == kind


def test_what_was_posted_by_hand_changes_nothing() -> None:
    """An event that tries the pipeline has sun and day like any other, and is no state before any other."""
    plain = on([lamp(1, "off"), lamp(7)])
    tried = on([lamp(1, "off"), lamp(3, "dimmed", "manual"), lamp(7)])
    assert [tried[0], tried[2]] == plain
    assert (tried[1].previous_state, tried[1].day) == (None, "weekday")


def test_a_day_without_events_has_nothing_to_tell() -> None:
    """No events, nothing derived."""
    assert on([]) == []


_happenings = st.lists(
    st.tuples(
        st.integers(0, 23),
        st.sampled_from(["light.a", "person.a", "weather.a"]),
        st.sampled_from(["on", "home", "unavailable", None]),
        st.sampled_from(["person", "manual", "restored"]),
    ),
    max_size=10,
    unique_by=lambda one: one[:2],
)


@settings(max_examples=50, deadline=None)
@given(_happenings, st.data())
def test_the_order_in_which_events_are_given_does_not_matter(happenings: list[Happening], data: st.DataObject) -> None:
    """Each event has the same about it wherever it stands in the table."""
    mixed = data.draw(st.permutations(happenings))
    assert dict(zip(mixed, on(mixed), strict=True)) == dict(zip(happenings, on(happenings), strict=True))

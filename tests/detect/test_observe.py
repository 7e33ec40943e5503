"""From events to a day: what is a change, who made it, and what was observed."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.detect import CoOccurrence, DayRow, DayView, Duration, Room, TimeOfDay, observe
from quotidian.detect.dayview import MOST_CHANGES, MOST_STATES
from quotidian.detect.registered import home_then
from quotidian.model import Carry, Day, Entity, Home, Integers
from quotidian.model.event import table_of

from .building import table_of_events

HOME = Home("h", "Europe/Amsterdam", latitude=52.09, longitude=5.12)
DAY = Day.of(dt.date(2026, 3, 2), HOME.zone)

#: An event: hour of the first day (it may lie in a later one), entity, state, cause.
Happening = tuple[float, str, str | None, str]


def on(day: Day, happenings: list[Happening], carry: Carry | None = None) -> tuple[DayView, Carry]:
    """Observe the happenings that lie in a day."""
    events = [(DAY.start + round(hour * 3.6e9), *rest) for hour, *rest in happenings]
    inside = sorted(event for event in events if day.start <= event[0] < day.end)
    return observe(day, table_of_events(inside), HOME, carry or Carry())  # type: ignore[arg-type]


def told(row: DayRow) -> list[tuple[float, str, bool]]:
    """Give a row's changes as (hour, token, whether it is learned)."""
    numbers = zip(row.second.tolist(), row.token.tolist(), row.learned.tolist(), strict=True)
    return [(second / 3600, row.tokens[token], learned) for second, token, learned in numbers]


def lamp(*states: tuple[float, str | None], cause: str = "physical") -> list[Happening]:
    """Let a lamp enter states at hours, after it was off at midnight."""
    return [(0, "light.a", "off", "unknown"), *[(hour, "light.a", state, cause) for hour, state in states]]


# restores, automations, removals


@pytest.mark.parametrize("unknown", ["unavailable", "unknown", ""])
@pytest.mark.parametrize("back", [8.001, 9.0, 20.0])
def test_a_restore_is_neither_an_act_nor_a_change(unknown: str, back: float) -> None:
    """After being unknown, for seconds or for hours, the same value says nothing."""
    view, _ = on(DAY, lamp((7, "on"), (8, unknown), (back, "on"), (22, "off")))
    assert told(view.row) == [(7, "light.a=on", True), (22, "light.a=off", True)]


def test_another_value_after_being_unknown_was_observed_late() -> None:
    """Nobody knows when it changed: it is no act, but the state holds from there on."""
    view, carry = on(DAY, lamp((7, "unavailable"), (8, "on"), (22, "off")))
    assert told(view.row) == [(22, "light.a=off", True)]
    assert [bool(began) for began in view.changes.began] == [False]
    assert carry.words == ("light.a", "off")


def test_a_restore_over_midnight() -> None:
    """An entity that becomes unknown today and is back tomorrow, in whatever state, made no change."""
    first, carry = on(DAY, lamp((7, "on"), (23, "unavailable")))
    for state in ("on", "off"):
        second, _ = on(DAY.shifted(1), [(26, "light.a", state, "physical")], carry)
        assert told(second.row) == []
        assert second.row.gaps == {"light.a": [(0, 7200)]}
    assert [one for _, one, _ in told(first.row)] == ["light.a=on"]


@pytest.mark.parametrize("cause", ["automation", "script", "integration"])
def test_what_machines_did_is_seen_but_not_learned(cause: str) -> None:
    """A change that an automation made stands in the row, so that others can be told from it, marked as such."""
    view, _ = on(DAY, lamp((7, "on"), cause=cause))
    assert told(view.row) == [(7, "light.a=on", False)]


@pytest.mark.parametrize("cause", ["unknown", "physical", "person", "bridge", "remote"])
def test_what_people_may_have_done_is_learned(cause: str) -> None:
    """So is what a source without contexts tells."""
    view, _ = on(DAY, lamp((7, "on"), cause=cause))
    assert told(view.row) == [(7, "light.a=on", True)]


def test_a_removed_entity_is_gone() -> None:
    """A removal is no act, ends what was observed, and hands nothing on."""
    view, carry = on(DAY, lamp((7, "on"), (8, None)))
    assert told(view.row) == [(7, "light.a=on", True)]
    assert view.row.gaps == {"light.a": [(8 * 3600, DAY.seconds)]}
    assert [DAY.start + second * 10**6 for second in view.lost.second.tolist()] == [DAY.start + 8 * 3_600_000_000]
    assert not carry.words


def test_the_first_state_ever_is_no_act() -> None:
    """An entity that appears was in that state before, for all that is known."""
    view, _ = on(DAY, [(7, "light.a", "on", "physical")])
    assert told(view.row) == []
    assert view.row.gaps == {"light.a": [(0, 7 * 3600)]}


def test_a_copy_of_attributes_alone_is_no_change() -> None:
    """The same state said again is nothing new."""
    view, _ = on(DAY, lamp((7, "on"), (7.5, "on"), (8, "on")))
    assert told(view.row) == [(7, "light.a=on", True)]


def test_what_was_posted_by_hand_is_not_the_homes() -> None:
    """Events that try the pipeline change nothing, to the bit: no act, no state, no room, no entity."""
    acts = lamp((7, "on"), (22, "off"))
    tried = [(hour, entity, "on", "manual") for hour in (6, 8, 23) for entity in ("light.a", "light.tried")]
    assert to_bytes(*on(DAY, [*acts, *tried])) == to_bytes(*on(DAY, acts))
    assert on(DAY, [*acts, *tried])[0].entities == ("light.a",)
    assert on(DAY, tried)[1].words == ()


def test_what_is_marked_as_restored_is_no_act() -> None:
    """A state that an entity came back with is nobody's doing, though the event that it was away is missing."""
    view, carry = on(DAY, [*lamp((7, "on")), (9, "light.a", "off", "restored"), (20, "light.a", "on", "person")])
    assert told(view.row) == [(7, "light.a=on", True), (20, "light.a=on", True)]
    assert view.changes.began.tolist() == [False, False]
    assert [
        (view.states[state], view.states[after]) for state, after in zip(view.lost.before, view.lost.after, strict=True)
    ] == [("on", "")]
    assert view.lost.second.tolist() == [9 * 3600]
    assert carry.words == ("light.a", "on")


@pytest.mark.parametrize("back", ["on", "off"])
def test_a_mark_says_what_the_order_says(back: str) -> None:
    """Where the events tell that an entity was away, the mark of its return adds nothing."""
    away = lamp((7, "on"), (8, "unavailable"))
    marked = on(DAY, [*away, (9, "light.a", back, "restored"), (22, "light.a", "off", "person")])
    plain = on(DAY, [*away, (9, "light.a", back, "physical"), (22, "light.a", "off", "person")])
    assert to_bytes(*marked) == to_bytes(*plain)


# areas as they were


def test_a_lamp_is_in_the_room_where_it_was() -> None:
    """The last event of an entity that tells of it counts for the day; where none does, what is known now."""
    home = Home(
        "h", "UTC", entities={"light.a": Entity("light.a", area="now"), "light.b": Entity("light.b", area="now")}
    )
    rows = [
        ("light.a", 3, '{"area":"then"}'),
        ("light.a", 2, '{"area":"before"}'),
        ("light.a", 4, None),
        ("light.b", 3, '{"device_class":"light"}'),
        ("light.c", 3, '{"area":"new","unit":"W"}'),
    ]
    for order in (rows, rows[::-1]):
        entities, times, said = zip(*order, strict=True)
        words = ["x"] * len(order)
        table = table_of(
            {
                "entity_id": entities,
                "last_updated": times,
                "state": words,
                "cause": words,
                "source": words,
                "registry": said,
            }
        )
        found = home_then(home, table)
        assert found.entity("light.a") == Entity("light.a", area="then")
        assert found.entity("light.b") == Entity("light.b", area="now", device_class="light")
        assert found.entity("light.c") == Entity("light.c", area="new", unit="W")
        view, _ = observe(Day.of(dt.date(1970, 1, 1), "UTC"), table, home, Carry())
        assert view.home == found


def test_the_room_is_the_one_where_the_lamp_was() -> None:
    """What enrichment adds is what the room detector folds: dwelling is counted where the lamp then was."""
    home = Home("h", HOME.zone, entities={"light.a": Entity("light.a", area="hall")})
    for said, area in ((None, "hall"), ('{"area":"den"}', "den")):
        table = table_of(
            {
                "entity_id": ["light.a"] * 2,
                "last_updated": [DAY.start, DAY.start + 7 * 3_600_000_000],
                "state": ["off", "on"],
                "cause": ["person"] * 2,
                "source": ["live"] * 2,
                "registry": [said] * 2,
            }
        )
        assert Room().fold(observe(DAY, table, home, Carry())[0], Carry())[0].words == (area,)


# kinds of entities


def test_numbers_are_samples() -> None:
    """A thermometer gives samples, no tokens, and is no discrete entity; a reading that is no number is left out."""
    readings = [(hour, "sensor.t", str(20 + hour / 10), "physical") for hour in range(12)]
    view, _ = on(DAY, [*readings, (13, "sensor.t", "unavailable", "physical"), (14, "sensor.t", "21", "physical")])
    assert view.samples.value.tolist() == [*[20 + hour / 10 for hour in range(12)], 21]
    assert view.samples.second.tolist() == [*[hour * 3600 for hour in range(12)], 14 * 3600]
    assert (view.row.tokens, view.row.present) == ((), frozenset())


@pytest.mark.parametrize("domain", ["button", "event", "scene", "input_button"])
def test_every_press_counts(domain: str) -> None:
    """The state of a button is the time of its last press: each is the same act."""
    entity = f"{domain}.bell"
    presses = [(hour, entity, f"2026-03-02T{hour:02d}:00:00+00:00", "physical") for hour in (1, 7, 8, 20)]
    _, carry = on(DAY.shifted(-1), [(-5, entity, "2026-03-01T19:00:00+00:00", "physical")])
    view, _ = on(DAY, presses, carry)
    assert [token for _, token, _ in told(view.row)] == [f"{entity}=pressed"] * 4


def test_free_text_is_not_discrete() -> None:
    """More than a dozen states in a day are no states that a habit could enter; a dozen are."""
    for count, kept in ((MOST_STATES, True), (MOST_STATES + 1, False)):
        view, _ = on(DAY, [(hour, "sensor.song", f"song {hour}", "physical") for hour in range(count)])
        assert bool(view.row.present) is kept


@pytest.mark.parametrize("entity", ["automation.x", "sun.sun", "update.core", "weather.home", "timer.tea", "script.s"])
def test_what_home_assistant_computes_is_no_act(entity: str) -> None:
    """Such domains hold no habit."""
    view, _ = on(DAY, [(0, entity, "off", "unknown"), (7, entity, "on", "physical")])
    assert (told(view.row), view.row.present) == ([], frozenset())


def test_chatter_is_counted_not_followed() -> None:
    """More than 200 changes a day leave their number and the quarters of an hour in which they lay."""
    for changes, chatters in ((MOST_CHANGES, False), (MOST_CHANGES + 1, True)):
        hours = 6 + np.arange(changes) * 3 / changes
        states = ["on" if place % 2 == 0 else "off" for place in range(changes)]
        events = [(hour, "light.a", state, "physical") for hour, state in zip(hours.tolist(), states, strict=True)]
        view, _ = on(DAY, [(0, "light.a", "off", "unknown"), *events])
        assert view.row.chatter == ({"light.a": changes} if chatters else {})
        assert view.row.second.size == (0 if chatters else changes)
        assert "light.a" in view.row.present
        assert view.changes.second.size == changes
    bits = [int(view.row.integers[f"chatter_{place}"][0]) for place in range(3)]
    quarters = {32 * place + bit for place, word in enumerate(bits) for bit in range(32) if word >> bit & 1}
    assert quarters == set(range(24, 36))


# exposure


def test_what_was_not_observed_is_a_gap() -> None:
    """Cells of five minutes that an unknown span touches are not observed; all others are."""
    view, _ = on(DAY, lamp((7, "unavailable"), (8.51, "off")))
    assert view.row.gaps == {"light.a": [(7 * 3600, round(8.51 * 3600))]}
    unseen = np.flatnonzero(~view.row.observed("light.a"))
    assert unseen.tolist() == list(range(7 * 12, 8 * 12 + 7))
    assert not view.row.observed("light.unheard").any()


def test_an_entity_unknown_all_day_is_absent() -> None:
    """A day on which nothing was seen of an entity is not a day on which it was idle."""
    _, carry = on(DAY, lamp((7, "unavailable")))
    view, carry = on(DAY.shifted(1), [], carry)
    assert view.row.present == frozenset()
    assert not view.row.observed("light.a").any()
    back, _ = on(DAY.shifted(2), [(50, "light.a", "off", "physical")], carry)
    assert back.row.present == {"light.a"}


def test_an_idle_entity_is_present() -> None:
    """A known state that was handed on is observed all day, without any event."""
    _, carry = on(DAY, lamp((7, "on")))
    view, _ = on(DAY.shifted(1), [], carry)
    assert view.row.present == {"light.a"}
    assert view.row.observed("light.a").all()


@pytest.mark.parametrize(("date", "cells"), [(dt.date(2026, 3, 29), range(24, 36)), (dt.date(2026, 10, 25), range(0))])
def test_an_hour_that_the_clocks_skip_is_not_observed(date: dt.date, cells: range) -> None:
    """Cells that the wall clock did not show were not observed; an hour that came twice counts as one."""
    day = Day.of(date, HOME.zone)
    view, _ = observe(day, table_of_events([(day.start, "light.a", "off", "unknown")]), HOME, Carry())
    assert np.flatnonzero(~view.row.observed("light.a")).tolist() == list(cells)


# over midnight


def test_since_and_by_whom_over_midnight() -> None:
    """A state that began days ago, by people or not, is known to have, through what each day hands on."""
    for cause, began in (("person", True), ("automation", False)):
        _, carry = on(DAY, lamp((22, "on"), cause=cause))
        _, carry = on(DAY.shifted(1), [(30, "light.b", "on", "person")], Carry.decode(carry.encode()))
        view, _ = on(DAY.shifted(2), [(50, "light.a", "off", "person")], carry)
        assert view.changes.since.tolist() == [(22 - 48) * 3600]
        assert view.changes.began.tolist() == [began]


def test_a_state_said_again_does_not_begin_anew() -> None:
    """Attributes alone change neither since when a state holds nor who began it."""
    _, carry = on(DAY, [*lamp((22, "on"), cause="person"), (23, "light.a", "on", "automation")])
    view, _ = on(DAY.shifted(1), [(26, "light.a", "on", "automation"), (30, "light.a", "off", "person")], carry)
    assert view.changes.since.tolist() == [-2 * 3600]
    assert view.changes.began.tolist() == [True]


# order, copies, hostile names

_hostile = st.sampled_from(
    ["light.a'b\"c", "light.line\nbreak", "light.🦉", "light.a=b", "light.nul\0", "light.", "=", "", "light.<script>"]
)
_states = st.sampled_from(["on", "off", "a=b", "=", "🦉", "nul\0", "quo'\"te", "unavailable", "\n", "1e309", "nan"])
_events = st.lists(
    st.tuples(st.integers(0, 86_399_999_999), _hostile, st.none() | _states, st.sampled_from(["person", "automation"])),
    max_size=24,
)


def to_bytes(view: DayView, carry: Carry) -> list[bytes]:
    """Give all that is kept of a day."""
    changes = [Integers((), {"x": values}) for values in (view.changes.since, view.changes.second, view.lost.second)]
    return [part.encode() for part in (view.row.integers, carry, *changes)]


@settings(max_examples=60, deadline=None)
@given(_events, st.randoms(use_true_random=False), st.data())
def test_order_and_copies_change_nothing(
    events: list[tuple[int, str, str | None, str]], random: object, data: st.DataObject
) -> None:
    """Events in any order, some of them twice, give the same bytes, also when two of one entity share an instant."""
    events = [(DAY.start + time, *rest) for time, *rest in events]  # type: ignore[misc]
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    mixed = data.draw(st.permutations([*events, *again]))
    assert to_bytes(*observe(DAY, table_of_events(mixed), HOME, Carry())) == to_bytes(  # type: ignore[arg-type]
        *observe(DAY, table_of_events(events), HOME, Carry())  # type: ignore[arg-type]
    )


@settings(max_examples=60, deadline=None)
@given(_events)
def test_hostile_names_survive(events: list[tuple[int, str, str | None, str]]) -> None:
    """Whatever entities and states are called, the row, stored and read, says who entered what; detectors read it."""
    events = sorted((DAY.start + time, *rest) for time, *rest in {e[:2]: e for e in events}.values())  # type: ignore[misc]
    view, carry = observe(DAY, table_of_events(events), HOME, Carry())  # type: ignore[arg-type]
    row = DayRow(DAY.ordinal, Integers.decode(view.row.integers.encode()))
    names = {entity for _, entity, _, _ in events}
    assert row.present <= names
    assert {row.integers.words[place] for place in row.integers["token_entity"].tolist()} <= names
    assert Carry.decode(carry.encode()) == carry
    for detector in (TimeOfDay(), CoOccurrence(), Duration()):
        integers, handed_on = detector.fold(view, Carry())
        assert Integers.decode(integers.encode()) == integers
        assert Carry.decode(handed_on.encode()) == handed_on


def test_no_events_at_all() -> None:
    """An empty day is a day, and hands on the states that it was handed."""
    _, carry = on(DAY, lamp((7, "on")))
    empty = table_of({name: [] for name in ("entity_id", "last_updated", "cause", "source")})
    view, handed_on = observe(DAY.shifted(1), empty, HOME, carry)
    columns = ("entity", "state", "since", "acted", "heard")
    assert handed_on.words == carry.words
    assert all(np.array_equal(handed_on[name], carry[name]) for name in columns)
    assert view.row.second.size == 0


def test_tables_of_many_chunks_are_read() -> None:
    """Words that are numbered otherwise in each part of a table are the same words."""
    parts = [
        table_of_events([(DAY.start + int(h * 3.6e9), e, s, "person")]) for h, e, s, _ in lamp((7, "on"), (9, "off"))
    ]
    view, _ = observe(DAY, pa.concat_tables(parts), HOME, Carry())
    assert told(view.row) == [(7, "light.a=on", True), (9, "light.a=off", True)]


# the header


def test_the_sun_stands_in_the_header() -> None:
    """Sunrise and sunset are elapsed seconds; where nobody knows the place, or in a polar night, there are none."""
    row = on(DAY, [])[0].row
    rise, fall = row.sun("sunrise"), row.sun("sunset")
    assert rise is not None
    assert fall is not None
    assert abs(rise / 3600 - 7.37) < 0.1  # 07:22 and 18:20 in Utrecht, in early March
    assert abs(fall / 3600 - 18.33) < 0.1
    for home, date in (
        (Home("h", "UTC"), DAY.date),
        (Home("h", "Europe/Oslo", latitude=78.2, longitude=15.6), dt.date(2026, 12, 24)),
    ):
        view, _ = observe(Day.of(date, home.zone), table_of_events([]), home, Carry())
        assert (view.row.sun("sunrise"), view.row.sun("sunset")) == (None, None)

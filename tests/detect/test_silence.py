"""Times in which nothing was heard are known for what they are, and count for nothing."""

from functools import cache
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.detect import DayRow, History, TimeOfDay, observe
from quotidian.detect.anomaly import Anomaly
from quotidian.detect.silence import united
from quotidian.model import Carry, Day, Finding, Home
from quotidian.simulate import Plan, simulate

from .building import Diary, fold, history_of, household, table_of_events
from .test_incremental import Ledger

DAYS = 20
OUT = (10.0, 20.0)


def speaking(days: int = DAYS, *, every: float = 5, until: int = 1000) -> Diary:
    """Give a household with a thermometer that reports every few minutes, up to some day."""
    diary = household(1, days)
    for day in range(min(days, until)):
        for number in range(int(1440 / every)):
            diary.add(day, number * every / 60, "sensor.hall", str(180 + number % 40), "unknown")
    return diary


def unheard(diary: Diary, day: int, start: float, end: float) -> Diary:
    """Take away what happened between two hours of a day, the second of which may lie beyond midnight."""
    for number, shift in ((day, 0), (day + 1, 24)):
        acts = diary.acts.get(number, [])
        diary.acts[number] = [act for act in acts if not start <= act[0] / 3600 + shift < end]
    return diary


def rows_of(diary: Diary) -> list[DayRow]:
    """Fold a diary; give the row of each day."""
    rows, _ = fold(diary.home, diary.tables())
    return [DayRow(ordinal, integers) for ordinal, integers in sorted(rows.days.items())]


def test_an_outage_is_a_gap_of_every_entity() -> None:
    """In ten hours without a word, in a home that else speaks every five minutes, nothing was observed."""
    rows = rows_of(unheard(speaking(), 15, *OUT))
    spans = {tuple(rows[15].gaps[name]) for name in rows[15].present}
    ((start, end),) = spans.pop()
    assert not spans
    assert 9.9 * 3600 <= start <= 10 * 3600
    assert end == 20 * 3600
    assert not any(row.gaps for place, row in enumerate(rows) if place != 15)


def test_an_outage_is_known_on_either_side_of_midnight() -> None:
    """One from 20:00 to 10:00 is the end of a day and the beginning of the next."""
    rows = rows_of(unheard(speaking(), 15, 20, 34))
    (evening,) = rows[15].gaps["light.kitchen"]
    assert 19.9 * 3600 <= evening[0] <= 20 * 3600
    assert evening[1] == 86_400
    assert rows[16].gaps["light.kitchen"] == [(0, 10 * 3600)]


def test_a_day_without_a_word_observed_nothing() -> None:
    """On a day without any event nothing was present, and the day after begins where something is heard."""
    rows = rows_of(unheard(speaking(), 15, 0, 48))
    assert not rows[15].present
    assert not rows[16].present
    assert not rows[17].gaps


@pytest.mark.parametrize("start", [0, 3, 6])
def test_of_the_first_week_nothing_is_known(start: int) -> None:
    """A home that was heard for less than a week may be silent for ten hours."""
    assert not any(row.gaps for row in rows_of(unheard(speaking(), start, *OUT))[: start + 1])


def test_a_home_that_sleeps_is_no_outage() -> None:
    """Where only people are heard, who sleep and go out, no silence is an outage, be it of two days."""
    assert not any(row.gaps for row in rows_of(unheard(household(1, DAYS), 15, 0, 48)))


def test_who_is_heard_every_half_hour_is_out_after_five() -> None:
    """A silence counts from ten times of what is usual: of thirty minutes five hours."""
    for hours, out in ((4.5, False), (5.6, True)):
        rows = rows_of(unheard(speaking(every=30), 15, 0.7, 0.7 + hours))
        assert bool(rows[15].gaps) == out


def test_a_sensor_that_falls_silent_for_good_is_no_outage_for_long() -> None:
    """When the thermometer is taken away, the nights are silent; in the second week that is usual."""
    rows = rows_of(speaking(40, until=20))
    assert any(row.gaps for row in rows[20:27])
    assert not any(row.gaps for row in rows[28:])


def test_what_comes_later_fills_the_gap() -> None:
    """Days that are folded again with what was missing are to the bit as if it had never been missing."""
    whole, broken = speaking().tables(), unheard(speaking(), 12, *OUT).tables()
    home, ordinal = speaking().home, list(whole)[12]
    ledger, once = Ledger(home, broken), Ledger(home, whole)
    ledger.fold_all()
    once.fold_all()
    assert ledger.stored() != once.stored()
    ledger.receive(ordinal, whole[ordinal])
    assert ledger.stored() == once.stored()


def test_a_late_event_that_leaves_silence_short_changes_no_later_day() -> None:
    """In a home that speaks every two minutes one event less or more is nothing that later days are judged by."""
    tables = speaking(9, every=2).tables()
    ordinal = list(tables)[3]
    middle = tables[ordinal].num_rows // 2
    less = pa.concat_tables([tables[ordinal].slice(0, middle), tables[ordinal].slice(middle + 1)])
    ledger = Ledger(speaking().home, tables | {ordinal: less})
    ledger.fold_all()
    ledger.tables[ordinal] = tables[ordinal]
    assert ledger.refold(ordinal) <= 2


def test_what_was_handed_on_without_silences_is_read() -> None:
    """A carry that says nothing of silences, as those of earlier versions, is one of which nothing is known."""
    day, home = Day.of(speaking().first, "UTC"), speaking().home
    old = Carry(("light.a", "on"), {"entity": [0], "state": [1], "since": [day.start - 1], "acted": [1]})
    view, carry = observe(day, table_of_events([(day.start + 1, "light.a", "off", "physical")]), home, old)
    assert not view.row.gaps
    assert (carry["heard"].tolist(), carry["silences"].size) == ([day.start + 1], 1)


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda one: (one[0], sum(one))))


@given(spans)
def test_united_spans_cover_the_same_and_never_touch(parts: list[tuple[int, int]]) -> None:
    """Every second is covered by at most one span, by one where any of the given ones covered it."""
    found = united(parts)
    covered, wanted = ({second for part in some for second in range(*part)} for some in (found, parts))
    assert covered == wanted
    assert all(one[1] < other[0] for one, other in pairwise(found))


@cache
def simulated() -> tuple[Home, dict[int, pa.Table]]:
    """Give forty days of a simulated home."""
    home = simulate(Plan(seed=7, days=40, events_per_day=1_000))
    return home.home, {day.ordinal: events for day, events in home.days()}


Times = dict[tuple[str, ...], Finding]


def found(home: Home, tables: dict[int, pa.Table], last: int) -> tuple[set[str], Times]:
    """Give the dates of anomalies and the times of day that are found on a day (position)."""
    rows, kept = fold(home, tables, [Anomaly()])
    history = history_of(rows, home, kept)
    history = History(history.rows[: last + 1], home, kept)
    times = TimeOfDay().detect(history)
    dates = {one.subject[-1] for one in Anomaly().detect(history)}
    return dates, {(*one.subject, one.measures["days"], one.measures["reference"]): one for one in times}


@pytest.mark.parametrize("place", [30, 32, 33])
def test_an_outage_is_no_anomaly_and_breaks_no_habit(place: int) -> None:
    """Nothing is told of a day that was not heard from 10:00 to 20:00; what belongs to these hours was not missed."""
    home, tables = simulated()
    ordinal = list(tables)[place]
    day = Day.from_ordinal(ordinal, home.zone)
    time = tables[ordinal]["last_updated"].to_numpy()
    heard = (time < day.start + OUT[0] * 3.6e9) | (time >= day.start + OUT[1] * 3.6e9)
    strange, whole = found(home, tables, place + 3)
    told, habits = found(home, tables | {ordinal: tables[ordinal].filter(pa.array(heard))}, place + 3)
    assert told == strange
    assert habits.keys() == whole.keys()
    within = [key for key, one in whole.items() if key[-1] == "clock" and _lies_in(one, *OUT)]
    assert within
    for one, other in ((whole[key].evidence, habits[key].evidence) for key in within):
        assert other.observed - other.kept <= one.observed - one.kept


def _lies_in(finding: Finding, start: float, end: float) -> bool:
    minute, width = finding.measures["minute"], finding.measures["width"]
    return 60 * start <= minute - width and minute + width <= 60 * end

"""Anomalies: few, true, and told once."""

import datetime as dt

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from quotidian.detect.anomaly import Anomaly
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.model import Carry, Day, Entity, Finding, Home, Stage

from .building import Diary, fold, home_of, household, table_of_events

ROOMS = {"kitchen": ["binary_sensor.freezer_door", "light.kitchen", "switch.kettle", "binary_sensor.kitchen_motion"]}


def quiet_home(days: int = 70, seed: int = 0) -> Diary:
    """Make a home in which something happens from 7 to 22, every day much like the other."""
    rng = np.random.default_rng(seed)
    diary = Diary(home_of(ROOMS), days=days)
    for day in range(days):
        diary.pulse(day, 7 + rng.normal(0, 0.1), "light.kitchen", 20)
        diary.pulse(day, 22 + rng.normal(0, 0.1), "light.kitchen", 20)
        for _ in range(4):
            diary.pulse(day, rng.uniform(8, 21), "switch.kettle", 4)
        for _ in range(8 + rng.poisson(3)):
            diary.pulse(day, rng.uniform(7, 22.5), "binary_sensor.kitchen_motion", 3)
        if rng.random() < 0.9:
            diary.pulse(day, rng.uniform(9, 20), "binary_sensor.freezer_door", rng.uniform(1, 6))
    return diary


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look at its last week."""
    return Anomaly().detect(diary.history(Anomaly()))


def without(diary: Diary, days: range, entity: str) -> Diary:
    """Take an entity's acts away on some days."""
    for day in days:
        diary.acts[day] = [act for act in diary.acts[day] if act[1] != entity]
    return diary


def test_a_day_like_the_others_is_no_anomaly() -> None:
    """Nothing is told of homes in which nothing unusual happens."""
    assert [finding for seed in range(3) for finding in found(quiet_home(seed=seed))] == []


def test_a_door_left_open_is_told_with_its_reason() -> None:
    """A freezer door open for two hours is told with the date, how long, and the longest time before."""
    diary = without(quiet_home(), range(66, 67), "binary_sensor.freezer_door")
    diary.pulse(66, 15, "binary_sensor.freezer_door", 130)
    (finding,) = found(diary)
    assert finding.subject == ("long", "binary_sensor.freezer_door=on", "2026-05-07")
    assert finding.sentence.startswith("On 7 May the freezer door stays open for 2 h 10 min; on ")
    assert finding.measures["value"] == 7800
    assert finding.measures["usual"] <= 360
    # One day in thirty may have been anything.
    assert finding.evidence.kept == finding.evidence.observed - 1 >= 50
    assert "days before at most" in finding.sentence
    assert finding.stage is Stage.ESTABLISHED


def test_what_is_still_open_at_midnight_is_told_before_it_closes() -> None:
    """A span counts up to the last that was heard before midnight, and what goes on for days is told once."""
    diary = without(quiet_home(), range(67, 70), "binary_sensor.freezer_door")
    diary.add(67, 10, "binary_sensor.freezer_door", "on")
    (finding,) = found(diary)
    assert finding.subject[::2] == ("long", "2026-05-08")
    assert 11.5 * 3600 < finding.measures["value"] < 14 * 3600


def test_too_many_changes_are_told() -> None:
    """A kettle switched on forty times on a day is an anomaly of the kettle."""
    diary = quiet_home()
    for number in range(40):
        diary.pulse(68, 9 + number * 0.25, "switch.kettle", 4)
    (finding,) = found(diary)
    assert finding.subject == ("many", "switch.kettle=on", "2026-05-09")
    assert finding.measures["value"] >= 40
    assert f"{finding.measures['value']} times" in finding.sentence


def test_too_few_changes_are_told() -> None:
    """A motion sensor that sees nobody all day, while the house lives, is an anomaly."""
    (finding,) = found(without(quiet_home(), range(68, 69), "binary_sensor.kitchen_motion"))
    assert finding.subject == ("few", "binary_sensor.kitchen_motion=on", "2026-05-09")


def test_what_never_failed_is_missed_after_some_days() -> None:
    """One missed day may be chance; a run of them is told, once, and with what was usual."""
    assert found(without(quiet_home(), range(69, 70), "light.kitchen")) == []
    (finding,) = found(without(quiet_home(), range(65, 70), "light.kitchen"))
    assert finding.subject[:2] == ("absent", "light.kitchen=on")
    assert finding.evidence.kept == finding.evidence.observed == 65
    assert "65 of 65 days" in finding.sentence


def test_the_first_activity_of_the_night_is_told() -> None:
    """Activity at three in the night, where two hours either side were silent on all days, is told with its time."""
    diary = quiet_home()
    diary.pulse(68, 3.2, "switch.kettle", 3)
    (finding,) = found(diary)
    assert finding.subject == ("hour", "home", "2026-05-09")
    assert finding.measures["value"] == 192
    assert "at 03:12 the kettle switch goes on; nothing happened between 01:00 and 06:00" in finding.sentence


def test_older_days_are_history() -> None:
    """An anomaly is told for eight days, under the same subject every night, and then no more."""
    diary = quiet_home(84)
    diary.pulse(68, 3.2, "switch.kettle", 3)
    history = diary.history(Anomaly())
    nights = {
        last: [one.subject for one in Anomaly().detect(History(history.rows[:last], history.home, history.summaries))]
        for last in (69, 72, 76, 77, 84)
    }
    assert nights[69] == nights[72] == nights[76] == [("hour", "home", "2026-05-09")]
    assert nights[77] == nights[84] == []


def test_a_silent_evening_may_be_a_recording_that_broke_off() -> None:
    """Nothing is missed on a day from whose last hours nothing was heard at all."""
    diary = quiet_home()
    diary.acts[69] = [act for act in diary.acts[69] if act[0] < 6 * 3600]
    assert found(diary) == []


def test_a_dead_sensor_is_not_missed() -> None:
    """A token is missed only while its entity was followed all day."""
    diary = without(quiet_home(), range(65, 70), "light.kitchen")
    diary.add(65, 0.1, "light.kitchen", "unavailable")
    assert found(diary) == []


def test_nothing_is_told_in_the_first_two_weeks() -> None:
    """However odd a day: with fourteen days before it or fewer there is nothing to compare it with."""
    diary = quiet_home(14)
    for number in range(60):
        diary.pulse(13, 9 + number * 0.2, "switch.kettle", 4)
    assert found(diary) == []


@pytest.mark.parametrize("seed", range(8))
def test_permuted_days_hold_no_anomaly(seed: int) -> None:
    """No day stands out in homes whose days were put in another order."""
    assert found(household(seed % 4, 60).permuted(seed)) == []


@pytest.mark.parametrize("days", [1, 10, 20])
def test_few_days(days: int) -> None:
    """A day, ten days and twenty give no anomaly and no error."""
    assert found(quiet_home(days)) == []


def test_no_days() -> None:
    """An empty history gives nothing."""
    assert Anomaly().detect(History((), home_of())) == []


def test_three_entities_and_no_events() -> None:
    """A small home in which nearly nothing happens gives nothing."""
    diary = Diary(days=60)
    for entity in ("light.a", "light.b", "lock.c"):
        diary.add(3, 12, entity, "on")
    assert found(diary) == []


def test_names_are_made_safe() -> None:
    """Newlines, quotes and direction characters of a name do not reach a sentence."""
    diary = without(quiet_home(), range(66, 67), "binary_sensor.freezer_door")
    diary.pulse(66, 15, "binary_sensor.freezer_door", 130)
    entity = Entity("binary_sensor.freezer_door", name="Evil\n\u202e'; DROP\x00", device_class="door")
    diary.home = msgspec.structs.replace(diary.home, entities={entity.entity_id: entity})
    (finding,) = found(diary)
    assert "\n" not in finding.sentence
    assert "\u202e" not in finding.sentence


def test_order_and_copies_of_events_change_nothing() -> None:
    """Days whose events are shuffled and given twice fold to the same integers."""
    diary = household(3, 6)
    rng = np.random.default_rng(0)
    tables = diary.tables()
    twice = {day: pa.concat_tables([table, table]) for day, table in tables.items()}
    shuffled = {day: table.take(rng.permutation(table.num_rows)) for day, table in twice.items()}
    assert fold(diary.home, tables, [Anomaly()]) == fold(diary.home, shuffled, [Anomaly()])


@pytest.mark.parametrize(("date", "seconds"), [(dt.date(2026, 3, 29), 82_800), (dt.date(2026, 10, 25), 90_000)])
def test_spans_are_elapsed_time_when_the_clocks_change(date: dt.date, seconds: int) -> None:
    """A lamp that is on all day is on for 23 or 25 hours, and the day after counts from the same instant."""
    home = Home("h", "Europe/Amsterdam")
    day = Day.of(date, home.zone)
    ends = [(start + length * 10**6 - 1, "sensor.clock", "5", "unknown") for start, length in (
        (day.start, seconds), (day.end, 86_400),
    )]  # fmt: skip
    events = [(day.start - 10**6, "light.a", "off", "physical"), (day.start, "light.a", "on", "physical")]
    first = table_of_events(events[:1])
    _, seen = observe(day.shifted(-1), first, home, Carry())
    view, seen = observe(day, table_of_events([events[1], ends[0]]), home, seen)
    kept, carry = Anomaly().fold(view, Carry())
    assert kept["value"].tolist() == [seconds - 1]
    view, _ = observe(day.shifted(1), table_of_events(ends[1:]), home, seen)
    kept, _ = Anomaly().fold(view, carry)
    assert kept["value"].tolist() == [seconds + 86_400 - 1]


def test_a_time_in_which_nothing_was_heard_makes_no_long_span() -> None:
    """A door that was open when the system stopped, and was found closed and opened later, was not open all that time.

    The day without events counts nothing; afterwards the door counts from when it was there again.
    """
    home = home_of(ROOMS)
    day = Day.of(dt.date(2026, 3, 3), home.zone)
    door, hour = "binary_sensor.freezer_door", 3_600 * 10**6
    acts = [
        [(0, door, "off"), (8, door, "on"), (9, "switch.kettle", "on"), (23, "switch.kettle", "off")],
        [],
        [(14, door, "unavailable"), (14.01, door, "on"), (15, door, "off")],
    ]
    seen, carry, spans = Carry(), Carry(), []
    for number, known in enumerate(acts):
        on = day.shifted(number)
        rows = [(on.start + round(at * hour), name, state, "physical") for at, name, state in known]
        view, seen = observe(on, table_of_events(rows), home, seen)
        kept, carry = Anomaly().fold(view, carry)
        words, columns = kept.words, (kept["entity"], kept["value"])
        spans.append({words[name]: seconds for name, seconds in zip(*columns, strict=True)}.get(door, 0))
    assert spans == [15 * 3600, 0, 3564]


def up_late(days: int, last: int) -> Diary:
    """Make a home whose people are in bed by half past ten, and once have a party."""
    diary = quiet_home(days)
    for number in range(16):
        diary.pulse(last, 22.6 + number * 0.25, "binary_sensor.kitchen_motion", 3)
    return diary


def test_a_late_evening_is_told_on_the_day_after() -> None:
    """An evening that goes on for four hours longer belongs to the day on which it began, and needs the next one."""
    history = up_late(70, 67).history(Anomaly())
    nights = {
        last: Anomaly().detect(History(history.rows[:last], history.home, history.summaries)) for last in (68, 69)
    }
    assert not [one for one in nights[68] if one.measures["value"] > 1440]
    (finding,) = nights[69]
    assert finding.subject == ("late", "home", "2026-05-08")
    assert 1575 <= finding.measures["value"] <= 1605
    assert "people are up until 02:30; on " in finding.sentence


def test_two_troubles_of_a_day_are_told_both() -> None:
    """A door left open on the evening of a party: one does not explain the other."""
    diary = without(up_late(70, 67), range(67, 68), "binary_sensor.freezer_door")
    diary.pulse(67, 15, "binary_sensor.freezer_door", 130)
    assert {one.subject[0] for one in found(diary)} == {"late", "long"}


def test_what_stops_by_itself_keeps_nobody_up() -> None:
    """Machines that were started in the evening and stop in the night are no sign of people."""
    diary = quiet_home()
    for number in range(12):
        diary.pulse(67, 20, f"switch.machine_{number}", 60 * 2.2 + 15 * number)
    assert not [one for one in found(diary) if one.subject[0] == "late"]


def bedtimes(last: float) -> Diary:
    """Make a home that goes to bed at 22:30, about midnight before a free day, and once on a Wednesday at some hour."""
    diary, rng = quiet_home(), np.random.default_rng(2)
    for day in range(70):
        until = 24 + rng.normal(0, 0.2) if diary.date(day).weekday() in (4, 5) else 22.5
        for hour in np.arange(22.4, last if day == 65 else until, 0.2).tolist():
            diary.pulse(day, hour, "binary_sensor.kitchen_motion", 3)
    return diary


def test_evenings_are_compared_with_their_like() -> None:
    """Half past one on a Wednesday is three hours late, though Saturdays end at midnight."""
    assert found(bedtimes(22.5)) == []
    (finding,) = found(bedtimes(25.5))
    assert finding.subject[:2] == ("late", "home")
    assert finding.measures["score"] > 8


def test_what_was_unusual_once_does_not_hide_the_next_time() -> None:
    """A door left open three weeks before is left out of what is usual: it is told again."""
    diary = without(quiet_home(), range(66, 67), "binary_sensor.freezer_door")
    diary = without(diary, range(45, 46), "binary_sensor.freezer_door")
    diary.pulse(45, 14, "binary_sensor.freezer_door", 150)
    diary.pulse(66, 15, "binary_sensor.freezer_door", 130)
    (finding,) = found(diary)
    assert finding.subject == ("long", "binary_sensor.freezer_door=on", "2026-05-07")
    assert finding.evidence.kept == finding.evidence.observed - 1


def test_who_left_is_not_missed() -> None:
    """A day whose last hours nobody was there for, and a day away, have nothing missing."""
    diary = quiet_home()
    diary.acts[68] = [act for act in diary.acts[68] if act[0] < 8 * 3600]
    diary.acts[69] = []
    assert found(diary) == []


def test_parameters_are_checked() -> None:
    """A parameter out of its range is refused by name."""
    with pytest.raises(ValueError, match="budget"):
        Anomaly(budget=0)
    with pytest.raises(ValueError, match="first_days"):
        Anomaly(first_days=3)
    with pytest.raises(ValueError, match="least_share"):
        Anomaly(least_share=1.2)

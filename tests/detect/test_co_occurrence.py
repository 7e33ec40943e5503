"""Pairs: planted ones are found as they are, and none where there is none."""

import numpy as np
import pytest

from quotidian.detect import CoOccurrence
from quotidian.detect.dayrow import entity_of
from quotidian.detect.kernel import link
from quotidian.detect.pairs import FOLLOWERS
from quotidian.model import Finding

from .building import Diary, home_of

A, B = "binary_sensor.door", "light.hall"


def found(diary: Diary) -> list[Finding]:
    """Give what is found."""
    detector = CoOccurrence()
    return detector.detect(diary.history(detector))


def door_and_light(seed: int = 1, days: int = 28, share: float = 0.9) -> Diary:
    """Open a door at any time, twice or so a day; mostly a light follows after forty seconds."""
    rng = np.random.default_rng(seed)
    diary = Diary(days=days)
    for day in range(days):
        for hour in rng.uniform(8, 22, 2):
            diary.pulse(day, float(hour), A, 1)
            if rng.random() < share:
                diary.pulse(day, hour + rng.normal(40, 4) / 3600, B, 25)
        for hour in rng.uniform(8, 22, 6):
            diary.pulse(day, float(hour), "switch.kettle", 4)
            diary.pulse(day, float(rng.uniform(8, 22)), "light.desk", 30)
    return diary


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_light_after_a_door(seed: int) -> None:
    """The pair is told once, in its direction, with its lag, its window and its share of days, and nothing beside."""
    (one,) = found(door_and_light(seed))
    assert one.subject == (f"{A}=on", f"{B}=on")
    assert one.measures["window"] == 60
    assert 35 <= one.measures["lag_low"] <= one.measures["lag"] <= one.measures["lag_high"] <= 48
    assert one.evidence.observed == 28
    assert one.evidence.kept >= 25
    assert one.evidence.lift is not None
    assert one.evidence.lift > 5
    assert "within 60 s (typically after" in one.sentence


def test_what_sees_somebody_all_day_foretells_nothing() -> None:
    """A sensor fires sixty times a day, always before the door too: most of its moments are followed by nothing."""
    rng = np.random.default_rng(2)
    diary = Diary(home_of({"hall": ["binary_sensor.hall_motion", A]}), days=40)
    for day in range(40):
        door = rng.uniform(9, 21)
        for hour in (*rng.uniform(7, 23, 60), door - 4 / 3600):
            diary.pulse(day, float(hour), "binary_sensor.hall_motion", 0.5)
        diary.pulse(day, door, A, 0.3)
    history = diary.history(CoOccurrence())
    kept, days, _ = link(history, "binary_sensor.hall_motion=on", f"{A}=on", 10)
    assert kept >= 36
    assert days == 40
    assert CoOccurrence().detect(history) == []


def three_in_a_row(by_way: float, without: float) -> Diary:
    """Let A be followed by B after a minute, and by C after two; B is left out on some days, and C on most of these."""
    rng = np.random.default_rng(12)
    diary = Diary(days=40)
    for day in range(40):
        start = rng.uniform(8, 21)
        diary.pulse(day, start, A, 0.3)
        second = rng.random() < by_way
        if second:
            diary.pulse(day, start + rng.normal(60, 8) / 3600, B, 20)
        if second or rng.random() < without:
            diary.pulse(day, start + rng.normal(120, 8) / 3600, "switch.kettle", 6)
    return diary


def test_a_pair_by_way_of_another_is_not_told() -> None:
    """Where C comes only after B, A and C are no pair of their own."""
    subjects = {one.subject for one in found(three_in_a_row(0.8, 0.0))}
    assert subjects == {(f"{A}=on", f"{B}=on"), (f"{B}=on", "switch.kettle=on")}


def test_a_pair_that_holds_without_the_one_between_is_told() -> None:
    """Where C comes after A whether B was there or not, B says nothing of C."""
    subjects = {one.subject for one in found(three_in_a_row(0.85, 1.0))}
    assert subjects == {(f"{A}=on", f"{B}=on"), (f"{A}=on", "switch.kettle=on")}


def test_a_pair_by_way_of_another_is_judged_where_both_were_seen() -> None:
    """Where C was unavailable for some days, the days on which B was seen are others: the answer is the same."""
    diary = three_in_a_row(0.8, 0.0)
    for day in (7, 8, 9):
        diary.acts[day] = [act for act in diary.acts[day] if act[1] != "switch.kettle"]
    diary.add(6, 23.98, "switch.kettle", "unavailable")
    diary.add(10, 0.01, "switch.kettle", "off")
    assert {one.subject for one in found(diary)} == {(f"{A}=on", f"{B}=on"), (f"{B}=on", "switch.kettle=on")}


def test_absence_breaks_no_pair() -> None:
    """On a day on which nobody was there, a door that is opened once is no missed occasion."""
    diary = door_and_light(3, share=1.0)
    for day in (8, 9, 10):
        diary.acts[day] = []
        diary.pulse(day, 12, A, 1)
    (one,) = found(diary)
    assert one.evidence.kept == one.evidence.observed == 25


def test_many_things_in_step_cost_little() -> None:
    """Of 120 lamps that move in step a day keeps 48 followers each, and says how many it left out."""
    diary = Diary(days=1)
    for hour in (8, 13, 19):
        for lamp in range(120):
            diary.pulse(0, hour + lamp / 36_000, f"light.lamp_{lamp:03d}", 20)
    detector = CoOccurrence()
    (day,) = diary.history(detector).summaries[detector.name].days.values()
    first = np.bincount(day["first"], minlength=len(day.words))[day["active"]]
    assert set(first.tolist()) == {FOLLOWERS}
    assert (first + day["left"] == 2 * 119).all()
    assert len(day.encode()) < 20_000


def test_what_a_day_left_out_is_expected_by_chance() -> None:
    """A pair is no surer for the days on which it was left out: these count as likely as any that were."""
    diary = door_and_light(1)
    rng = np.random.default_rng(1)
    for day in range(diary.days):
        for place in range(60):
            for hour in rng.uniform(8, 22, 12):
                diary.pulse(day, float(hour), f"switch.plug_{place:02d}", 1)
    (one,) = found(diary)
    (alone,) = found(door_and_light(1))
    assert one.subject == alone.subject
    assert one.evidence.kept == alone.evidence.kept
    assert one.evidence.q_value is not None
    assert alone.evidence.q_value is not None
    assert one.evidence.q_value >= alone.evidence.q_value


def test_nothing_goes_together_where_days_were_permuted() -> None:
    """With each entity's days in another order, at most one of ten homes shows a pair."""
    homes = [found(door_and_light(seed).permuted(seed)) for seed in range(10)]
    assert sum(map(bool, homes)) <= 1


def test_nothing_goes_together_where_entities_were_shifted_by_hours() -> None:
    """With each day of each entity shifted by one or two hours, at most one of ten homes shows a pair."""
    homes = [found(door_and_light(seed).jittered(seed)) for seed in range(10)]
    assert sum(map(bool, homes)) <= 1


def test_what_keeps_to_the_same_hour_does_not_go_together() -> None:
    """Two things of the same half hour that have nothing to do with each other are no pair."""
    pairs = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        diary = Diary(days=40)
        for day in range(40):
            diary.pulse(day, 19 + rng.uniform(-0.5, 0.5), "light.desk", 200)
            diary.pulse(day, 19 + rng.uniform(-0.5, 0.5), "media_player.tv", 150)
        pairs += bool(found(diary))
    assert pairs <= 1


def test_across_midnight_a_pair_is_counted_once() -> None:
    """A door before midnight and a light after it are one pair, of one day, on the day on which they are judged."""
    rng = np.random.default_rng(4)
    diary = Diary(days=20)
    for day in range(19):
        start = 23 + 59.5 / 60 + rng.uniform(-20, 20) / 3600
        diary.pulse(day, start, A, 0.2)
        diary.pulse(day, start + 40 / 3600, B, 20)
    (one,) = found(diary)
    assert one.subject == (f"{A}=on", f"{B}=on")
    assert (one.evidence.kept, one.evidence.observed) == (19, 19)
    assert one.measures["lag"] == 40


def test_seven_lamps_are_one_thing() -> None:
    """A scene of seven lamps after a door is one pair with seven followers, and no pairs among the lamps."""
    rng = np.random.default_rng(5)
    diary = Diary(days=20)
    for day in range(20):
        start = rng.uniform(9, 21)
        diary.pulse(day, start, A, 1)
        for lamp in range(7):
            diary.pulse(day, start + (30 + lamp) / 3600, f"light.lamp_{lamp}", 45)
    (one,) = found(diary)
    assert one.measures["followers"] == [f"light.lamp_{lamp}=on" for lamp in range(7)]
    assert "and 5 more go on together" in one.sentence


def test_what_an_automation_does_after_a_door_is_not_told() -> None:
    """The light that an automation switches follows every time, and is nobody's habit."""
    rng = np.random.default_rng(6)
    diary = Diary(days=28)
    for day in range(28):
        start = rng.uniform(9, 21)
        diary.pulse(day, start, A, 1)
        diary.pulse(day, start + 5 / 3600, B, 10, cause="automation")
    assert all(B not in map(entity_of, one.subject) for one in found(diary))


def test_days_are_the_evidence() -> None:
    """A hundred times on three days are three days: too few; once a day on ten days is told."""
    diary = Diary(days=12)
    rng = np.random.default_rng(7)
    for day in range(3):
        for hour in np.sort(rng.uniform(8, 22, 33)):
            diary.pulse(day, float(hour), A, 0.5)
            diary.pulse(day, hour + 40 / 3600, B, 3)
    assert not found(diary)
    diary = Diary(days=12)
    for day in range(10):
        start = rng.uniform(8, 22)
        diary.pulse(day, start, A, 0.5)
        diary.pulse(day, start + 40 / 3600, B, 3)
    (one,) = found(diary)
    assert (one.evidence.kept, one.evidence.observed) == (10, 10)


def test_days_on_which_the_second_was_not_observed_do_not_count() -> None:
    """While the light is unavailable all day, it is not known what would have followed."""
    diary = Diary(days=20)
    rng = np.random.default_rng(8)
    for day in range(20):
        start = rng.uniform(9, 21)
        diary.pulse(day, start, A, 1)
        if day not in (7, 8, 9):
            diary.pulse(day, start + 30 / 3600, B, 10)
    diary.add(6, 23.98, B, "unavailable")
    diary.add(10, 0.01, B, "off")
    (one,) = found(diary)
    assert (one.evidence.kept, one.evidence.observed) == (17, 17)


def test_a_pairs_two_windows_hits_agree_with_brute_force() -> None:
    """The bits that a day keeps say, window by window, whether some first was followed by the second."""
    rng = np.random.default_rng(9)
    diary = Diary(days=1)
    firsts, seconds = np.sort(rng.integers(4_000, 80_000, 12)), np.sort(rng.integers(4_000, 80_000, 12))
    for name, instants in ((A, firsts), (B, seconds)):
        for place, second in enumerate(instants.tolist()):
            diary.add(0, second / 3600, name, "on" if place % 2 else "off")
    detector = CoOccurrence()
    history = diary.history(detector)
    (day,) = history.summaries[detector.name].days.values()
    columns = (day[name].tolist() for name in ("first", "second", "hits"))
    kept = {(day.words[a], day.words[b]): hits for a, b, hits in zip(*columns, strict=True)}
    assert kept
    for (one, other), hits in kept.items():
        times = {
            f"{name}={state}": instants[place::2]
            for name, instants in ((A, firsts), (B, seconds))
            for place, state in ((0, "off"), (1, "on"))
        }
        for bit, window in enumerate((10, 60, 300, 900)):
            followed = any(0 <= b - a <= window for a in times[one].tolist() for b in times[other].tolist())
            assert bool(hits >> bit & 1) is followed

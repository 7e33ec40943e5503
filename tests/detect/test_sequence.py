"""Routines."""

import msgspec
import numpy as np
import pytest

from quotidian.detect.history import History
from quotidian.detect.sequence import ActionSequence
from quotidian.model import Finding, Stage

from .building import Diary, fold, history_of, home_of, household

ROUTINE = ("cover.bedroom=on", "light.hall=on", "switch.coffee=on")


def routine(days: int = 40, *, share: float = 0.95, hostile: bool = False) -> Diary:
    """Make a home with one routine at no certain time, and three things that happen whenever they like."""
    rng = np.random.default_rng(11)
    names = ("light.a\n\"'<b>", "light.🛋", "switch.c; drop") if hostile else [t.split("=")[0] for t in ROUTINE]
    diary = Diary(home_of({"hall": tuple(names)}), days=days)
    for day in range(days):
        if rng.random() < share:
            start = rng.uniform(6, 20)
            for place, name in enumerate(names):
                diary.add(day, start + place * rng.uniform(2, 4) / 60, name, "on")
                diary.add(day, start + 1 + rng.uniform(0, 3), name, "off")
        for name in ("light.x", "light.y", "fan.z"):
            for hour in rng.uniform(0, 23.5, 4):
                diary.pulse(day, float(hour), name, 7)
    return diary


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look for routines."""
    return ActionSequence().detect(diary.history())


def test_a_routine_is_found_once_with_its_gaps() -> None:
    """A planted routine is the only finding, in its order, with its days and its gaps."""
    diary = routine()
    (finding,) = found(diary)
    planted = sum(any(act[1] == "light.hall" and act[2] == "on" for act in acts) for acts in diary.acts.values())
    assert finding.subject == ROUTINE
    assert finding.evidence.kept == finding.evidence.observed == planted == len(finding.measures["dates"])
    assert all(90 <= gap <= 300 for gap in finding.measures["gaps"])
    assert finding.evidence.q_value is not None
    assert finding.evidence.q_value < 1e-6
    assert finding.sentence.startswith("When the bedroom cover goes on, the hall light goes on about ")


def getting_up(days: int = 40) -> Diary:
    """Make a home whose lamp begins a routine on weekdays, twelve minutes long; at weekends it is lit to read."""
    rng = np.random.default_rng(21)
    diary = Diary(days=days)
    for day in range(days):
        start = rng.uniform(6, 9)
        diary.pulse(day, start, "light.bedside", 4)
        if diary.date(day).weekday() < 5:
            diary.pulse(day, start + rng.normal(4, 0.5) / 60, "light.mirror", 5)
            diary.pulse(day, start + rng.normal(16, 1) / 60, "switch.coffee", 20)
        for hour in rng.uniform(11, 23, 2):
            diary.pulse(day, float(hour), "fan.z", 7)
    return diary


def test_a_routine_of_weekdays_is_counted_on_weekdays() -> None:
    """It is neither kept nor broken at weekends; a step that takes twelve minutes belongs to it."""
    (finding,) = found(getting_up())
    assert finding.subject == ("light.bedside=on", "light.mirror=on", "switch.coffee=on")
    assert finding.measures["days"] == "weekdays"
    assert (finding.evidence.kept, finding.evidence.observed) == (30, 30)
    assert 600 < finding.measures["gaps"][1] <= finding.measures["limits"][1]
    assert finding.sentence.startswith("Weekdays when the bedside light goes on, ")


def test_seven_thursdays_are_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds every Thursday, and on half of the other days, is not yet a routine of Thursdays after seven weeks."""
    rng = np.random.default_rng(24)
    diary = Diary(days=49)
    for day in range(diary.days):
        start = rng.uniform(8, 20)
        diary.pulse(day, start, "light.a", 4)
        diary.pulse(day, start + rng.normal(2, 0.2) / 60, "light.b", 5)
        if day % 7 == 3 or day % 2:
            diary.pulse(day, start + rng.normal(4, 0.2) / 60, "switch.c", 20)
    assert found(diary) == []
    monkeypatch.setattr("quotidian.detect.sequence._SURE_DAYS", 5)
    (finding,) = found(diary)
    assert (finding.measures["days"], finding.evidence.kept) == ("thursday", 7)


def test_goings_on_are_told_before_goings_off() -> None:
    """A landing light that goes off again before the bedroom's is lit is told by its going on."""
    rng = np.random.default_rng(22)
    diary = Diary(days=40)
    for day in range(40):
        start = rng.uniform(20, 23)
        diary.add(day, start, "lock.door", "locked")
        diary.add(day, start - 8, "lock.door", "unlocked")
        diary.pulse(day, start + rng.normal(1, 0.1) / 60, "light.landing", 3)
        diary.pulse(day, start + rng.normal(8, 0.7) / 60, "light.bedroom", 30)
    assert [one.subject for one in found(diary)] == [("lock.door=locked", "light.landing=on", "light.bedroom=on")]


def test_two_ways_to_go_on_are_two_routines() -> None:
    """What begins alike and goes on in two ways, in either order, is told in both; none is part of another."""
    rng = np.random.default_rng(23)
    diary = Diary(days=50)
    for day in range(50):
        start = rng.uniform(6, 20)
        diary.pulse(day, start, "light.a", 3)
        diary.pulse(day, start + rng.normal(4, 0.5) / 60, "light.b", 3)
        diary.pulse(day, start + rng.normal(14, 1.5) / 60, "switch.c", 3)
        diary.pulse(day, start + rng.normal(14, 1.5) / 60, "fan.d", 3)
    subjects = {one.subject for one in found(diary)}
    assert subjects == {
        ("light.a=on", "light.b=on", "switch.c=on"),
        ("light.a=on", "light.b=on", "fan.d=on"),
    }


def test_ten_days_give_an_emerging_routine() -> None:
    """Nine of nine days are enough to tell of a routine, and too few to rely on it."""
    (finding,) = found(routine(days=9, share=1))
    assert finding.subject == ROUTINE
    assert finding.stage is Stage.EMERGING


def test_a_routine_that_rarely_follows_its_first_act_is_not_told() -> None:
    """When the first act is followed by the rest on less than half of its days, nothing is said."""
    diary = routine(share=0.3)
    for day in range(diary.days):
        diary.pulse(day, 21.5, "cover.bedroom", 2)
    assert found(diary) == []


@pytest.mark.parametrize("seed", range(4))
def test_nothing_in_noise(seed: int) -> None:
    """Neither acts that are shifted in a circle nor acts whose days are permuted make a routine."""
    diary = household(seed, days=40)
    assert found(diary.circled(seed)) == []
    assert found(diary.permuted(seed)) == []


@pytest.mark.parametrize("spread", [1, 2, 4])
def test_habits_that_keep_to_the_clock_are_no_routine(spread: float) -> None:
    """Three things that each happen at their own time, some minutes apart, do not wait for one another."""
    rng = np.random.default_rng(7)
    diary = Diary(days=40)
    for day in range(40):
        for name, minute in (("light.a", 0), ("switch.b", 4), ("fan.c", 8)):
            diary.pulse(day, 7 + (minute + rng.normal(0, spread)) / 60, name, 30)
    assert found(diary) == []


def test_what_automations_do_is_no_routine() -> None:
    """The same acts, done by an automation, are not learned."""
    diary = routine()
    for acts in diary.acts.values():
        acts[:] = [(second, entity, state, "automation") for second, entity, state, _ in acts]
    assert found(diary) == []


def test_pure_walks_belong_to_rooms() -> None:
    """Doors alone, without anything that is switched, are no routine."""
    diary = Diary(
        home_of({"hall": ["binary_sensor.front_door", "binary_sensor.inner_door", "binary_sensor.back_door"]})
    )
    rng = np.random.default_rng(1)
    for day in range(diary.days):
        start = rng.uniform(6, 20)
        for place, name in enumerate(("front", "inner", "back")):
            diary.pulse(day, start + place / 60, f"binary_sensor.{name}_door", 0.5)
    assert found(diary) == []


def test_the_change_of_the_clocks_changes_nothing() -> None:
    """A routine is kept on the days with 23 and 25 hours too: its gaps are elapsed seconds."""
    for first, last in (("2026-03-10", 40), ("2026-10-05", 40)):
        diary = routine(last, share=1)
        diary.first = diary.first.fromisoformat(first)
        (finding,) = found(diary)
        assert (finding.subject, finding.evidence.kept) == (ROUTINE, 40)


def test_hostile_names_are_shown_plainly() -> None:
    """Quotes, newlines and emoji in ids do no harm."""
    (finding,) = found(routine(hostile=True))
    assert finding.sentence.isprintable()
    assert msgspec.json.encode(finding)


def test_little_or_no_data_says_nothing() -> None:
    """No day, one day, and a home in which nothing happens have no routine."""
    assert ActionSequence().detect(History([], home_of())) == []
    assert found(routine(days=1)) == []
    diary = Diary(days=5)
    assert ActionSequence().detect(history_of(fold(diary.home, diary.tables())[0], diary.home)) == []


def test_bad_parameters_are_refused() -> None:
    """Each parameter outside its range is named."""
    with pytest.raises(ValueError, match="longest is 3 to 5"):
        ActionSequence(longest=6)
    with pytest.raises(ValueError, match="least_share"):
        ActionSequence(least_share=0)

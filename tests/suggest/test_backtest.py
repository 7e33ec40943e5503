"""What would have come of an automation, on days that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model.automation import Automation, SetAction, StateTrigger
from quotidian.suggest.backtest import Outcome, Score, Target, alone, backtest, judged, scored
from quotidian.suggest.tape import Tape

from ..detect.building import Diary  # noqa: TID252 - tests are no package

DOOR, LAMP, SHELF = "binary_sensor.door", "light.lamp", "light.shelf"
WINDOW = 600
_minutes = st.lists(st.integers(1, 1_430), min_size=1, max_size=8, unique=True)


def taped(diary: Diary) -> Tape:
    """Put a diary's days on a tape."""
    return Tape(diary.history().rows, diary.home)


def lamp_with_the_door(*entities: str) -> Automation:
    """Make an automation that switches lamps on when the door opens."""
    return Automation(
        id="a",
        alias="a",
        triggers=(StateTrigger(entity_id=DOOR, state="on"),),
        actions=(SetAction(entities=entities or (LAMP,), state="on"),),
    )


def outcomes(diary: Diary, *entities: str, quiet: bool = True) -> list[str]:
    """Name what comes of each moment."""
    moments = backtest(lamp_with_the_door(*entities), taped(diary), WINDOW, quiet=quiet)
    return [Outcome(one).name.lower() for one in moments.outcome.tolist()]


def opened(*hours: float) -> Diary:
    """Make a day on which the lamp is off at first, and the door opens at some hours."""
    diary = Diary(days=1)
    diary.pulse(0, 0.5, LAMP)
    for hour in hours:
        diary.pulse(0, hour, DOOR, 1)
    return diary


def test_it_is_of_use_where_a_person_does_it_soon_after() -> None:
    """Nine minutes after the door are within ten; eleven are not."""
    diary = opened(8, 12)
    diary.pulse(0, 8.15, LAMP)
    diary.pulse(0, 12.19, LAMP)
    assert outcomes(diary) == ["useful", "nuisance"]


def test_what_is_so_already_has_no_effect() -> None:
    """The lamp is on when the door opens: nothing would have been switched."""
    diary = opened(8)
    diary.add(0, 7, LAMP)
    assert outcomes(diary) == ["no_effect"]


def test_one_act_is_saved_once() -> None:
    """The door opens twice before the lamp goes on: it would have been on after the first time."""
    diary = opened(8, 8.05)
    diary.pulse(0, 8.1, LAMP)
    assert outcomes(diary) == ["useful", "no_effect"]


def test_after_a_nuisance_it_is_quiet_until_tomorrow() -> None:
    """A nuisance in the morning costs the useful moment in the evening, unless it does not keep quiet."""
    diary = opened(8, 20)
    diary.pulse(0, 20.1, LAMP)
    assert outcomes(diary) == ["nuisance"]
    assert outcomes(diary, quiet=False) == ["nuisance", "useful"]


def test_what_starts_again_within_the_window_of_a_nuisance_is_one_moment() -> None:
    """The door opens three times in five minutes and nobody wants light: that is one nuisance."""
    assert outcomes(opened(8, 8.03, 8.06), quiet=False) == ["nuisance", "no_effect", "no_effect"]


def test_what_another_automation_does_is_no_use_and_no_nuisance() -> None:
    """It would be done anyway."""
    diary = opened(8)
    diary.pulse(0, 8.1, LAMP, cause="automation")
    assert outcomes(diary) == ["no_effect"]


@pytest.mark.parametrize(("minutes", "outcome"), [(5, "nuisance"), (20, "kept")])
def test_where_it_ran_it_counts_whether_somebody_took_it_back(minutes: float, outcome: str) -> None:
    """It switched the lamp on at once; a person who switches it off within ten minutes did not want it."""
    diary = opened(8)
    diary.add(0, 8 + 1 / 3600, LAMP, "on", "automation")
    diary.add(0, 8 + minutes / 60, LAMP, "off")
    assert outcomes(diary) == [outcome]


def test_a_group_is_one_act() -> None:
    """Two lamps within ten seconds are one act that is saved; one of three is none."""
    diary = opened(8)
    for entity in (LAMP, SHELF, "light.third"):
        diary.pulse(0, 1, entity)
    diary.pulse(0, 8.1, LAMP)
    diary.pulse(0, 8.1 + 5 / 3600, SHELF)
    assert outcomes(diary, LAMP, SHELF) == ["useful"]
    assert outcomes(diary, SHELF, "light.third", "light.fourth") == []  # nothing is known of the fourth
    diary.pulse(0, 2, "light.fourth")
    assert outcomes(diary, "light.third", "light.fourth", SHELF) == ["nuisance"]


def test_days_are_good_or_bad() -> None:
    """A day with a nuisance is bad, whatever else was of use on it; a day without effect is neither."""
    diary = Diary(days=3)
    for day, hours in ((0, (8.1, 20.1)), (1, (8.1,)), (2, ())):
        diary.pulse(day, 0.5, LAMP)
        for hour in (8, 20):
            diary.pulse(day, hour, DOOR, 1)
        for hour in hours:
            diary.pulse(day, hour, LAMP)
    tape = taped(diary)
    score = scored(backtest(lamp_with_the_door(), tape, WINDOW), np.ones(3, bool))
    assert (score.useful, score.nuisance, score.good_days, score.bad_days) == (3, 2, 1, 2)
    assert score.precision == 0.6
    assert score.saved_a_week == 7.0
    one = scored(backtest(lamp_with_the_door(), tape, WINDOW), np.array([True, False, False]))
    assert (one.days, one.useful, one.good_days, one.bad_days) == (1, 2, 1, 0)


@pytest.mark.parametrize(
    ("good", "bad", "trial", "offer"),
    [
        (2, 0, False, False),
        (3, 0, True, False),
        (4, 1, True, False),
        (6, 0, True, False),
        (7, 0, True, True),
        (10, 1, True, False),
        (11, 1, True, True),
    ],
)
def test_small_numbers_prove_little(good: int, bad: int, trial: bool, offer: bool) -> None:
    """3 of 3 and 4 of 5 days are worth a trial (80 %: at least 0.5), 7 of 7 and 11 of 12 an offer (90 %: 0.7)."""
    score = Score(days=30, useful=good, nuisance=bad, kept=0, no_effect=0, good_days=good, bad_days=bad)
    assert (score.at_least(0.8) >= 0.5, score.at_least(0.9) >= 0.7) == (trial, offer)


@given(doors=_minutes, acts=_minutes, automated=_minutes)
def test_each_firing_is_judged_as_the_definition_says(doors: list[int], acts: list[int], automated: list[int]) -> None:
    """Already so; else it ran; else a person did it in time; else another automation did; else nobody."""
    diary = Diary(days=1)
    diary.add(0, 0, LAMP, "off")
    busy: set[int] = set()
    for minutes, cause in ((acts, "physical"), (automated, "automation")):
        for minute in minutes:
            if not busy & {minute, minute + 1, minute + 2}:
                busy |= {minute, minute + 1, minute + 2}
                diary.pulse(0, minute / 60, LAMP, 1.5, cause)
    for minute in doors:
        diary.pulse(0, minute / 60 + 0.004, DOOR, 0.2)
    tape = taped(diary)
    target = Target(lamp_with_the_door().sets[0], tape)
    track = tape.track(LAMP)
    fired = tape.track(DOOR).instant[tape.track(DOOR).entering("on")]
    moments = alone(fired, target, tape, WINDOW)
    rows = list(zip(track.instant.tolist(), track.state.tolist(), track.by_people.tolist(), strict=True))
    on = track.number("on")
    for instant, outcome in zip(moments.instant.tolist(), moments.outcome.tolist(), strict=True):
        now = [state for at, state, _ in rows if at <= instant][-1]
        mine = [at for at, state, people in rows if state == on and people and instant <= at <= instant + WINDOW]
        others = [at for at, state, people in rows if state == on and not people and instant <= at <= instant + WINDOW]
        ran = any(at <= instant + 10 for at in others)
        off = any(s != on and people and instant <= at <= instant + 600 for at, s, people in rows)
        if now == on:
            expected = Outcome.NO_EFFECT
        elif ran:
            expected = Outcome.NUISANCE if off else Outcome.KEPT
        elif mine:
            expected = Outcome.USEFUL
        else:
            expected = Outcome.NO_EFFECT if others else Outcome.NUISANCE
        assert outcome == expected
    every = judged(fired, target, tape, WINDOW, quiet=False)
    saved = every.act[every.outcome == Outcome.USEFUL]
    assert np.unique(saved).size == saved.size  # no act is saved twice

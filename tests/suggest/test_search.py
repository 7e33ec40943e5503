"""Which conditions are chosen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.model.automation import And, SetAction, StateTrigger, SunCondition, TimeCondition, WeekdayCondition
from quotidian.suggest.backtest import Outcome, Target, alone
from quotidian.suggest.replay import fires, holds
from quotidian.suggest.search import MOST_CONDITIONS, Rule, chosen
from quotidian.suggest.tape import Tape
from quotidian.suggest.triggers import Candidate

from ..detect.building import Diary  # noqa: TID252 - tests are no package
from .homes import DOOR, IN_AMSTERDAM, LAMP, RADIO, dark_door, saturdays, taped


def with_the_door(entity: str) -> Candidate:
    """Make a candidate: something goes on when the door opens."""
    action = SetAction(entities=(entity,), state="on")
    return Candidate(StateTrigger(entity_id=DOOR, state="on"), action, 300, 0.001)


def found(entity: str, tape: Tape) -> Rule | None:
    """Choose conditions, looking at all days of a tape, cut at the half and at three quarters."""
    return chosen(with_the_door(entity), tape, (tape.size // 2, 3 * tape.size // 4, tape.size))


def test_a_lamp_that_follows_the_door_only_when_it_is_dark_gets_a_condition() -> None:
    """One condition is enough, and it holds in the evening and not by day."""
    tape = taped(dark_door())
    rule = found(LAMP, tape)
    assert rule is not None
    (condition,) = rule.conditions
    assert isinstance(condition, TimeCondition | SunCondition)
    fired = tape.track(DOOR).instant[tape.track(DOOR).entering("on")]
    late = tape.wall(fired) > 20 * 3_600
    held = holds(condition, tape, fired)
    assert not held[~late].any()
    assert held[late].mean() > 0.9


def test_what_happens_on_saturdays_only_gets_that_weekday() -> None:
    """The door opens every day, the radio goes on after it on Saturdays."""
    rule = found(RADIO, taped(saturdays()))
    assert rule is not None
    assert rule.conditions == (WeekdayCondition(days=(5,)),)


def test_two_conditions_where_one_is_not_enough() -> None:
    """The door opens in the morning and in the evening of each day, the radio plays on Saturday mornings."""
    diary = saturdays(days=126)
    for day in range(126):
        diary.pulse(day, 19, DOOR, 1)
    rule = found(RADIO, taped(diary))
    assert rule is not None
    assert len(rule.conditions) == 2
    assert WeekdayCondition(days=(5,)) in rule.conditions
    assert any(isinstance(one, TimeCondition | SunCondition) for one in rule.conditions)


def test_what_always_follows_needs_no_condition() -> None:
    """A condition that brings nothing is not chosen."""
    diary = Diary(IN_AMSTERDAM, days=42)
    for day in range(42):
        diary.pulse(day, 8 + day % 7, DOOR, 1)
        diary.pulse(day, 8.02 + day % 7, LAMP, 30)
    rule = found(LAMP, taped(diary))
    assert rule is not None
    assert rule.conditions == ()
    assert rule.worth == 21  # the good days of the later half


def test_what_nothing_tells_apart_is_not_chosen() -> None:
    """The lamp follows the door on every other day, which no condition knows."""
    diary = Diary(IN_AMSTERDAM, days=60)
    for day in range(60):
        diary.pulse(day, 8, DOOR, 1)
        diary.pulse(day, 8.02 if day % 2 else 15, LAMP, 30)
    assert found(LAMP, taped(diary)) is None


def test_without_a_useful_moment_there_is_no_rule() -> None:
    """The lamp never follows the door; a lamp of which nothing is known neither."""
    diary = Diary(IN_AMSTERDAM, days=20)
    for day in range(20):
        diary.pulse(day, 8, DOOR, 1)
        diary.pulse(day, 15, LAMP, 1)
    assert found(LAMP, taped(diary)) is None
    assert found("light.unknown", taped(diary)) is None


def test_a_habit_that_began_some_weeks_ago_is_found() -> None:
    """For three weeks nobody wanted light at the door, and since then everybody does: it is right by now."""
    diary = Diary(IN_AMSTERDAM, days=60)
    for day in range(60):
        diary.pulse(day, 8, DOOR, 1)
        diary.pulse(day, 8.02 if day > 20 else 15, LAMP, 30)
    assert found(LAMP, taped(diary)) is not None


@settings(max_examples=20)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 20), st.sampled_from([8, 12, 20]), st.booleans(), st.booleans()),
        min_size=10,
        max_size=40,
        unique_by=lambda act: act[:2],
    )
)
def test_a_rule_would_have_been_of_use_at_least_once(acts: list[tuple[int, int, bool, bool]]) -> None:
    """Conditions that never hold together, as Mondays at weekends, are never wrong, and are no rule."""
    diary = Diary(IN_AMSTERDAM, days=21)
    for day, hour, wanted, other in acts:
        diary.pulse(day, hour, DOOR, 1)
        if wanted:
            diary.pulse(day, hour + 0.03, LAMP, 10)
        if other:
            diary.pulse(day, hour - 0.5, "light.other", 60)
    tape = taped(diary)
    rule = found(LAMP, tape)
    if rule is not None:
        moments = alone(fires(rule.candidate.trigger, tape), Target(rule.candidate.action, tape), tape, 300)
        useful = moments.instant[moments.outcome == Outcome.USEFUL]
        assert holds(And(of=rule.conditions), tape, useful).any()


@pytest.mark.parametrize("days", [14, 17, 91])
def test_no_condition_is_about_what_it_switches_or_what_starts_it(days: int) -> None:
    """Else "the lamp is off" would always be tried, and the door's own state; and there are two at the most."""
    rule = found(LAMP, taped(dark_door(days=days)))
    assert rule is not None
    assert not {getattr(one, "entity_id", None) for one in rule.conditions} & {LAMP, DOOR}
    assert len(rule.conditions) <= MOST_CONDITIONS


@settings(max_examples=20)
@given(acts=st.lists(st.tuples(st.integers(30, 41), st.floats(0, 23.9), st.sampled_from([DOOR, LAMP])), max_size=20))
def test_what_comes_after_the_last_cut_is_not_looked_at(acts: list[tuple[int, float, str]]) -> None:
    """Whatever happens on the days behind it, the same conditions are chosen and found as good."""
    known = taped(dark_door()).part(0, 30)
    diary = dark_door()
    for day, hour, entity in acts:
        diary.pulse(day, hour, entity)
    assert found(LAMP, taped(diary).part(0, 30)) == found(LAMP, known)

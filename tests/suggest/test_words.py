"""Automations in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model import Entity, Home
from quotidian.model.automation import (
    Action,
    And,
    Automation,
    Condition,
    Not,
    NotifyAction,
    NumericCondition,
    NumericTrigger,
    Or,
    PresenceCondition,
    SetAction,
    StateCondition,
    StateTrigger,
    SunCondition,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    Trigger,
    WeekdayCondition,
)
from quotidian.suggest.words import lasting, sentence

HOME = Home(
    "home",
    "UTC",
    entities={
        "binary_sensor.door": Entity("binary_sensor.door", "Front door", device_class="door"),
        "binary_sensor.hall": Entity("binary_sensor.hall", "Hall motion", device_class="motion"),
        "sensor.lux": Entity("sensor.lux", "Brightness", unit="lx"),
    },
)
LAMP = SetAction(entities=("light.lamp",), state="on")


def said(
    trigger: Trigger = TimeTrigger(second=0),  # noqa: B008
    *conditions: Condition,
    actions: tuple[Action, ...] = (LAMP,),
) -> str:
    """Say an automation of one trigger."""
    return sentence(Automation(id="a", alias="a", triggers=(trigger,), conditions=conditions, actions=actions), HOME)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (StateTrigger(entity_id="binary_sensor.door", state="on"), "When the front door opens"),
        (
            StateTrigger(entity_id="binary_sensor.hall", state="off", seconds=300),
            "When the hall motion has been seeing nobody for 5 min",
        ),
        (StateTrigger(entity_id="person.anna", state="not_home", seconds=600), "When Anna has been away for 10 min"),
        (NumericTrigger(entity_id="sensor.lux", below=8), "When the brightness is below 8 lx"),
        (
            NumericTrigger(entity_id="sensor.lux", above=1.5, below=8, seconds=60),
            "When the brightness is above 1.5 lx and below 8 lx for 60 s",
        ),
        (TimeTrigger(second=79_500), "At 22:05"),
        (SunTrigger(event="sunset"), "At sunset"),
        (SunTrigger(event="sunset", offset=-900), "15 min before sunset"),
        (SunTrigger(event="sunrise", offset=5_400), "1 h 30 min after sunrise"),
    ],
)
def test_each_kind_of_trigger_has_words(trigger: Trigger, words: str) -> None:
    """What starts it stands first, as people say it."""
    assert said(trigger) == f"{words}: the lamp light goes on"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (WeekdayCondition(days=(0, 1, 2, 3, 4)), "on weekdays"),
        (WeekdayCondition(days=(5, 6)), "at weekends"),
        (WeekdayCondition(days=(0, 2, 4)), "on Mondays, Wednesdays and Fridays"),
        (TimeCondition(after=72_000, before=0), "between 20:00 and 00:00"),
        (SunCondition(up=True), "while it is light"),
        (SunCondition(up=False), "while it is dark"),
        (PresenceCondition(somebody=True), "while somebody is at home"),
        (PresenceCondition(somebody=False), "while nobody is at home"),
        (StateCondition(entity_id="binary_sensor.door", states=("off",)), "while the front door is closed"),
        (
            StateCondition(entity_id="media_player.tv", states=("playing", "paused")),
            "while the tv is playing or the tv is paused",
        ),
        (StateCondition(entity_id="light.string_lights", states=("on",)), "while the string lights are on"),
        (NumericCondition(entity_id="sensor.lux", above=20), "while the brightness is above 20 lx"),
        (Or(of=(SunCondition(up=False), WeekdayCondition(days=(6,)))), "while it is dark or on Sundays"),
        (
            And(of=(SunCondition(up=False), PresenceCondition(somebody=True))),
            "while it is dark and while somebody is at home",
        ),
        (Not(of=(SunCondition(up=False),)), "unless it is dark"),
    ],
)
def test_each_kind_of_condition_has_words(condition: Condition, words: str) -> None:
    """It stands between what starts it and what it does."""
    assert said(TimeTrigger(second=0), condition) == f"At 00:00, {words}: the lamp light goes on"


def test_several_parts_are_joined_as_people_do() -> None:
    """Triggers by or, conditions by commas, lamps that go together, actions one after the other."""
    automation = Automation(
        id="a",
        alias="a",
        triggers=(TimeTrigger(second=0), SunTrigger(event="sunrise")),
        conditions=(SunCondition(up=False), WeekdayCondition(days=(6,))),
        actions=(SetAction(entities=("light.a", "light.b"), state="off"), NotifyAction(message="Good\nnight")),
    )
    assert sentence(automation, HOME) == (
        "At 00:00 or at sunrise, while it is dark, on Sundays: "
        "the a light and the b light go off together, then you are told “Good night”"
    )


def test_what_lasts_is_named_by_what_it_is() -> None:
    """A door is open, a person at home, anything else in its state."""
    assert lasting(HOME, "binary_sensor.door", "on", 1_200) == "the front door has been open for 20 min"
    assert lasting(HOME, "person.anna", "home", 60) == "Anna has been at home for 60 s"
    assert lasting(HOME, "vacuum.robot", "docked", 7_200) == "the robot has been docked for 2 h"


_NAMES = st.sampled_from(["light.a", "binary_sensor.door", "person.anna", "sensor.lux", "x", ""])
_WORDS = st.text(max_size=8)
_LIMITS = st.none() | st.floats()
_SINGLE: st.SearchStrategy[Condition] = st.one_of(
    st.builds(WeekdayCondition, days=st.lists(st.integers(0, 6), max_size=7).map(tuple)),
    st.builds(TimeCondition, after=st.integers(0, 86_399), before=st.integers(0, 86_399)),
    st.builds(SunCondition, up=st.booleans()),
    st.builds(PresenceCondition, somebody=st.booleans()),
    st.builds(StateCondition, entity_id=_NAMES, states=st.lists(_WORDS, max_size=2).map(tuple)),
    st.builds(NumericCondition, entity_id=_NAMES, above=_LIMITS, below=_LIMITS),
)
_CONDITIONS = st.recursive(
    _SINGLE,
    lambda inner: st.one_of(*(st.builds(kind, of=st.lists(inner, max_size=3).map(tuple)) for kind in (And, Or, Not))),
    max_leaves=4,
)
_TRIGGERS: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(StateTrigger, entity_id=_NAMES, state=_WORDS, seconds=st.integers(0, 90_000)),
    st.builds(NumericTrigger, entity_id=_NAMES, above=_LIMITS, below=_LIMITS, seconds=st.integers(0, 90_000)),
    st.builds(TimeTrigger, second=st.integers(0, 86_399)),
    st.builds(SunTrigger, event=st.sampled_from(["sunrise", "sunset"]), offset=st.integers(-9_999, 9_999)),
)
_ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(SetAction, entities=st.lists(_NAMES, max_size=5).map(tuple), state=_WORDS),
    st.builds(NotifyAction, message=st.text(max_size=30)),
)


@given(
    automation=st.builds(
        Automation,
        id=st.just("a"),
        alias=st.just("a"),
        triggers=st.lists(_TRIGGERS, max_size=3).map(tuple),
        conditions=st.lists(_CONDITIONS, max_size=3).map(tuple),
        actions=st.lists(_ACTIONS, max_size=3).map(tuple),
    )
)
def test_whatever_somebody_wrote_can_be_said_in_one_line(automation: Automation) -> None:
    """Odd names, no parts, no numbers: words for all, and none that breaks a line or turns its direction."""
    words = sentence(automation, HOME)
    assert words.isprintable()

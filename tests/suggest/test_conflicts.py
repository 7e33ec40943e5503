"""What a proposed automation would come into conflict with."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from quotidian.suggest.conflicts import Conflict, Existing, Kind, Verdict, conflicts, verdict
from quotidian.suggest.tape import Tape

from ..detect.building import Diary, home_of  # noqa: TID252 - tests are no package

DOOR, LAMP, SHELF = "binary_sensor.door", "light.lamp", "light.shelf"
WINDOW = 600
HOUR = 3_600


def taped(diary: Diary) -> Tape:
    """Put a diary's days on a tape."""
    return Tape(diary.history().rows, diary.home)


def when(entity_id: str, state: str = "on", seconds: int = 0) -> StateTrigger:
    """Make a trigger."""
    return StateTrigger(entity_id=entity_id, state=state, seconds=seconds)


def put(*entities: str, state: str = "on", **settings: object) -> SetAction:
    """Make an action."""
    return SetAction(entities=entities, state=state, settings=settings)


def rule(
    starts: Trigger, *does: Action, only: Sequence[Condition] = (), name: str = "other", enabled: bool = True
) -> Existing:
    """Make an automation that the home has."""
    automation = Automation(id=name, alias=name, triggers=(starts,), conditions=tuple(only), actions=does)
    return Existing(id=name, alias=name.capitalize(), automation=automation, enabled=enabled)


def proposal(starts: Trigger = when(DOOR), *does: Action, only: Sequence[Condition] = ()) -> Automation:  # noqa: B008
    """Make a proposal: by itself, the lamp goes on when the door opens."""
    made = rule(starts, *(does or (put(LAMP),)), only=only, name="quotidian_new").automation
    assert made is not None
    return made


def found(
    proposed: Automation, *installed: Existing, diary: Diary | None = None, kind: Kind | None = None
) -> list[Conflict]:
    """Give the conflicts, or those of one kind, at a door that opens each day at 20:00."""
    told = conflicts(proposed, WINDOW, installed, taped(diary or evenings()))
    return [one for one in told if kind in (None, one.kind)]


def evenings(days: int = 10, *, cause: str = "physical", lag: float = 3, minutes: float = 60) -> Diary:
    """Make days on which the door opens at 20:00, and the lamp goes on some minutes later."""
    diary = Diary(home_of({"hall": [DOOR, LAMP, SHELF]}), days=days)
    for day in range(days):
        diary.pulse(day, 20, DOOR, 2)
        diary.pulse(day, 20 + lag / 60, LAMP, minutes, cause)
    return diary


def test_nothing_installed_and_nobody_against_it_is_free() -> None:
    """People do it themselves, and leave it so."""
    assert found(proposal()) == []
    assert verdict([]) is Verdict.FREE


# already automated


def test_what_an_installed_one_would_have_done_is_automated_already() -> None:
    """At 20:01 the lamp goes on by another one, two minutes before people do it: at ten of ten moments."""
    (one,) = found(proposal(), rule(TimeTrigger(second=20 * HOUR + 60), put(LAMP)))
    assert (one.kind, one.other, one.count, one.moments) == (Kind.AUTOMATED, "other", 10, 10)
    assert one.verdict is Verdict.REFUSE
    assert one.sentence == "“Other” does this already, at 10 of 10 moments."


def test_what_comes_after_people_have_done_it_is_not_automated() -> None:
    """At 20:05 people have switched the lamp on two minutes ago; and at 19:00 is not the same occasion."""
    for second in (20 * HOUR + 300, 19 * HOUR):
        assert found(proposal(), rule(TimeTrigger(second=second), put(LAMP))) == []


def test_what_no_person_did_on_the_tape_is_automated_whoever_does_it() -> None:
    """An automation that nobody can read switched the lamp on each evening."""
    (one,) = found(proposal(), diary=evenings(cause="automation"))
    assert (one.kind, one.other, one.count, one.moments) == (Kind.AUTOMATED, None, 10, 10)
    assert one.verdict is Verdict.REFUSE


def test_what_did_it_just_before_counts_too() -> None:
    """The lamp has been on by an automation for a minute when the door opens."""
    (one,) = found(proposal(), diary=evenings(cause="automation", lag=-1))
    assert (one.kind, one.count, one.moments) == (Kind.AUTOMATED, 10, 10)


def test_one_who_does_it_on_some_days_is_worth_telling() -> None:
    """On Saturdays and Sundays of two weeks, 4 of 14 moments, it is done already; on Sundays alone is not told."""
    starts = TimeTrigger(second=20 * HOUR + 60)
    weekend = rule(starts, put(LAMP), only=[WeekdayCondition(days=(5, 6))])
    (one,) = found(proposal(), weekend, diary=evenings(14))
    assert (one.count, one.moments, one.verdict) == (4, 14, Verdict.TELL)
    assert found(proposal(), rule(starts, put(LAMP), only=[WeekdayCondition(days=(6,))]), diary=evenings(14)) == []


def test_several_who_share_the_days_leave_nothing_to_do() -> None:
    """One does it on Mondays to Wednesdays, one on the others: each is told of, and both together rule it out."""
    starts = TimeTrigger(second=20 * HOUR + 60)
    early = rule(starts, put(LAMP), only=[WeekdayCondition(days=(0, 1, 2))], name="early")
    late = rule(starts, put(LAMP), only=[WeekdayCondition(days=(3, 4, 5, 6))], name="late")
    told = found(proposal(), early, late, diary=evenings(14))
    assert [(one.other, one.count, one.verdict) for one in told] == [
        ("early", 6, Verdict.REFUSE),
        ("late", 8, Verdict.REFUSE),
    ]


@pytest.mark.parametrize(
    ("part", "ruling", "what"), [(3, Verdict.TELL, "3 of these 8 things"), (4, Verdict.REFUSE, "4 of these 8 things")]
)
def test_half_a_scene_is_the_scene_and_less_is_worth_telling(part: int, ruling: Verdict, what: str) -> None:
    """Another one switches three, or four, of the eight lamps that people switch together."""
    lamps = [f"light.number_{number}" for number in range(8)]
    diary = Diary(days=6)
    for day in range(6):
        diary.pulse(day, 20, DOOR, 2)
        for number, lamp in enumerate(lamps):
            diary.pulse(day, 20.05 + number / HOUR, lamp, 60)
    scene = rule(TimeTrigger(second=20 * HOUR + 60), put(*lamps[:part]))
    (one,) = found(proposal(when(DOOR), put(*lamps)), scene, diary=diary)
    assert (one.kind, one.verdict) == (Kind.AUTOMATED, ruling)
    assert what in one.sentence


def test_another_state_does_not_do_it() -> None:
    """What switches the lamp off at 12:00 automates nothing."""
    assert found(proposal(), rule(TimeTrigger(second=12 * HOUR), put(LAMP, state="off"))) == []


# duplicates


def test_the_same_in_other_words_is_a_duplicate() -> None:
    """Conditions in another order and nested, days in another order, entities apart, a contrary said positively."""
    dark, week = SunCondition(up=False), WeekdayCondition(days=(0, 1, 2, 3, 4))
    proposed = proposal(when(DOOR), put(LAMP, SHELF), only=[dark, week])
    other = rule(
        when(DOOR),
        put(SHELF),
        put(LAMP),
        only=[And(of=(Not(of=(WeekdayCondition(days=(6, 5)),)), Or(of=(Not(of=(SunCondition(up=True),)),))))],
    )
    (one,) = found(proposed, other, kind=Kind.DUPLICATE)
    assert (one.other, one.verdict) == ("other", Verdict.REFUSE)
    assert one.sentence == "“Other” is the same automation."


@pytest.mark.parametrize(
    "other",
    [
        rule(when(DOOR, "off"), put(LAMP)),
        rule(when(DOOR), put(LAMP, state="off")),
        rule(when(DOOR), put(LAMP, brightness=20)),
        rule(when(DOOR), put(LAMP, SHELF)),
        rule(when(DOOR), put(LAMP), only=[SunCondition(up=True)]),
        rule(when(DOOR, seconds=30), put(LAMP)),
    ],
)
def test_something_else_is_no_duplicate(other: Existing) -> None:
    """Another state, action, brightness, more lamps, another condition, another span."""
    assert found(proposal(), other, kind=Kind.DUPLICATE) == []


def test_what_starts_at_the_same_moments_is_a_duplicate_however_it_is_written() -> None:
    """The door opens at 20:00 sharp every day, so the clock does the same; on four days that may be chance."""
    clock = rule(TimeTrigger(second=20 * HOUR), put(LAMP))
    (one,) = found(proposal(), clock)
    assert (one.kind, one.count, one.moments) == (Kind.DUPLICATE, 10, 10)
    assert found(proposal(), clock, diary=evenings(4), kind=Kind.DUPLICATE) == []


def test_one_that_is_switched_off_is_told_of_as_a_duplicate_and_else_does_nothing() -> None:
    """Somebody did not want it any more, or for a while: that is worth telling. It fights with nobody."""
    (one,) = found(proposal(), rule(when(DOOR), put(LAMP), enabled=False))
    assert (one.kind, one.verdict) == (Kind.DUPLICATE, Verdict.TELL)
    assert one.sentence == "“Other” is the same automation, but it is switched off."
    assert found(proposal(), rule(when(DOOR), put(LAMP, state="off"), enabled=False)) == []


def test_of_a_duplicate_nothing_else_is_told() -> None:
    """That it did all of it on the tape, and that something fights with both, says no more."""
    off = rule(TimeTrigger(second=20 * HOUR + 480), put(LAMP, state="off"), name="off")
    told = found(proposal(), rule(when(DOOR), put(LAMP)), off, diary=evenings(cause="automation", lag=0.1))
    assert [one.kind for one in told] == [Kind.DUPLICATE]


def test_what_was_done_by_one_that_is_switched_off_by_now_is_done_no_more() -> None:
    """It switched the lamp on each evening, at 20:03, and does not any more."""
    diary, stopped = evenings(cause="automation"), rule(TimeTrigger(second=20 * HOUR + 180), put(LAMP), enabled=False)
    assert found(proposal(), stopped, diary=diary) == []
    assert found(proposal(), msgspec.structs.replace(stopped, enabled=True), diary=diary)[0].other == "other"


def test_a_reminder_is_a_duplicate_of_the_same_reminder_only() -> None:
    """It switches nothing, so nothing else can stand against it."""
    told = proposal(when(DOOR, seconds=600), NotifyAction(message="Open."))
    (one,) = found(told, rule(when(DOOR, seconds=600), NotifyAction(message="Open.")))
    assert one.kind is Kind.DUPLICATE
    assert found(told, rule(when(DOOR, seconds=600), NotifyAction(message="Closed.")), Existing(id="unread")) == []


# loops


def test_what_sets_it_off_again_for_ever_is_refused() -> None:
    """The lamp on switches the shelf off, the shelf off the lamp off, and so on: never at rest."""
    others = [
        rule(when(LAMP), put(SHELF, state="off"), name="a"),
        rule(when(SHELF, "off"), put(LAMP, state="off"), name="b"),
        rule(when(LAMP, "off"), put(SHELF), name="c"),
    ]
    told = found(proposal(when(SHELF), put(LAMP)), *others, kind=Kind.LOOP)
    assert [(one.other, one.verdict) for one in told] == [(name, Verdict.REFUSE) for name in "abc"]
    assert told[0].sentence == "What this does sets off “A”, which sets this off again: they would never come to rest."


def test_what_follows_one_another_both_ways_comes_to_rest() -> None:
    """The shelf goes with the lamp and the lamp with the shelf: worth telling, and no harm."""
    (one,) = found(proposal(when(SHELF), put(LAMP)), rule(when(LAMP), put(SHELF)))
    assert (one.kind, one.verdict) == (Kind.LOOP, Verdict.TELL)
    assert "ends there" in one.sentence


@pytest.mark.parametrize(("seconds", "ruling"), [(0, Verdict.REFUSE), (300, Verdict.TELL), (900, None)])
def test_what_is_set_back_at_once_serves_nobody_and_a_timer_may(seconds: int, ruling: Verdict | None) -> None:
    """Through another one, the lamp goes off again: at once, after five minutes, after a quarter of an hour."""
    others = [
        rule(when(LAMP), put(SHELF), name="chain"),
        rule(when(SHELF, seconds=seconds), put(LAMP, state="off"), name="back"),
    ]
    told = found(proposal(), *others)
    assert [(one.kind, one.other, one.verdict) for one in told] == ([(Kind.LOOP, "back", ruling)] if ruling else [])
    if seconds == 300:
        assert told[0].sentence == (
            "What this does sets off “Back”, which puts it back after 5 min: the lamp light goes off."
        )


def test_what_cannot_start_then_makes_no_loop() -> None:
    """It asks for the lamp to be off, or for the morning where the proposal is for the evening."""
    back = put(LAMP, state="off")
    for only in (StateCondition(entity_id=LAMP, states=("off",)), TimeCondition(after=6 * HOUR, before=9 * HOUR)):
        proposed = proposal(when(DOOR), only=[TimeCondition(after=18 * HOUR, before=0)])
        assert found(proposed, rule(when(LAMP), back, only=[only])) == []


def test_what_seldom_sets_it_back_is_worth_telling() -> None:
    """Only on Mondays: two of ten moments."""
    other = rule(when(LAMP), put(LAMP, state="off"), only=[WeekdayCondition(days=(0,))])
    (one,) = found(proposal(), other)
    assert (one.kind, one.count, one.moments, one.verdict) == (Kind.LOOP, 2, 10, Verdict.TELL)


# fights


def test_another_state_within_minutes_is_a_fight() -> None:
    """At 20:08 all goes off: eight minutes after each of ten moments."""
    (one,) = found(proposal(), rule(TimeTrigger(second=20 * HOUR + 480), put(SHELF, LAMP, state="off")))
    assert (one.kind, one.other, one.count, one.moments) == (Kind.FIGHT, "other", 10, 10)
    assert one.verdict is Verdict.REFUSE
    assert one.sentence == "“Other” does otherwise: the lamp light goes off within 10 min, at 10 of 10 moments."


def test_another_state_on_some_days_is_worth_telling_and_later_is_nothing() -> None:
    """On two of ten days, or half an hour later."""
    off = put(LAMP, state="off")
    (one,) = found(proposal(), rule(TimeTrigger(second=72_300), off, only=[WeekdayCondition(days=(0,))]))
    assert (one.kind, one.count, one.verdict) == (Kind.FIGHT, 2, Verdict.TELL)
    assert found(proposal(), rule(TimeTrigger(second=20 * HOUR + 1_800), off)) == []


def test_another_brightness_is_another_state() -> None:
    """Both switch the lamp on, one of them dimly."""
    other = rule(TimeTrigger(second=20 * HOUR + 60), put(LAMP, brightness=20))
    assert found(proposal(when(DOOR), put(LAMP, brightness=200)), other, kind=Kind.FIGHT)
    assert not found(proposal(when(DOOR), put(LAMP, transition=3)), other, kind=Kind.FIGHT)


def test_the_other_half_of_a_rule_does_not_fight_with_it() -> None:
    """On with the door, off a minute after it is closed; that is how people build it."""
    assert found(proposal(), rule(when(DOOR, "off", 60), put(LAMP, state="off"))) == []


def test_what_people_do_one_after_the_other_is_no_fight() -> None:
    """The lamp goes on at the door and off a few minutes later, both by hand: two automations may do both."""
    off = rule(when(DOOR, seconds=60), put(LAMP, state="off"))
    assert found(proposal(), off, diary=evenings(minutes=5)) == []
    (one,) = found(proposal(), off)
    assert (one.kind, one.count, one.verdict) == (Kind.FIGHT, 10, Verdict.REFUSE)


def test_opposite_things_by_the_same_trigger_are_told_though_they_never_met() -> None:
    """One when somebody is at home, which was never known; not where one is for the dark and one for daylight."""
    off = put(LAMP, state="off")
    (one,) = found(proposal(), rule(when(DOOR), off, only=[PresenceCondition(somebody=True)]))
    assert (one.kind, one.count, one.verdict) == (Kind.FIGHT, 0, Verdict.TELL)
    assert one.sentence.endswith("the lamp light goes off whenever both start, which they have not yet.")
    dark = proposal(when(DOOR), only=[SunCondition(up=False)])
    assert found(dark, rule(when(DOOR), off, only=[SunCondition(up=True)])) == []


# what people do


def test_what_people_end_soon_there_but_not_elsewhere_is_told() -> None:
    """After the door they switch the lamp off within five minutes, in the morning they leave it on."""
    diary = evenings(14, minutes=5)
    for day in range(14):
        diary.pulse(day, 8, LAMP, 120)
    (one,) = found(proposal(), diary=diary)
    assert (one.kind, one.count, one.moments, one.verdict) == (Kind.UNDONE, 14, 14, Verdict.TELL)
    assert one.sentence == "People end this within 10 min after 14 of 14 such acts, else after 0 of 14 times."


def test_what_people_always_end_soon_is_how_they_use_it() -> None:
    """A lamp that is never on for longer, and one of which nothing is known at other times."""
    diary = evenings(14, minutes=5)
    assert found(proposal(), diary=diary) == []
    for day in range(14):
        diary.pulse(day, 8, LAMP, 5)
    assert found(proposal(), diary=diary) == []


def test_few_days_prove_nothing_about_people() -> None:
    """Three evenings against three mornings may be chance; many acts on one evening are one evening."""
    diary = evenings(3, minutes=5)
    for day in range(3):
        diary.pulse(day, 8, LAMP, 120)
    for minute in range(30, 200, 12):
        diary.pulse(0, 20 + minute / 60, DOOR, 1)
        diary.pulse(0, 20 + (minute + 2) / 60, LAMP, 2)
    assert found(proposal(), diary=diary) == []


def test_where_people_have_just_ended_it_they_do_not_want_it_again() -> None:
    """They switch the lamp off and leave by the door: on again is what nobody wants."""
    diary = Diary(days=10)
    for day in range(10):
        diary.add(day, 7, LAMP, "on")
        diary.add(day, 8, LAMP, "off")
        diary.pulse(day, 8.05, DOOR, 1)
    (one,) = found(proposal(), diary=diary)
    assert (one.kind, one.count, one.moments, one.verdict) == (Kind.UNDONE, 10, 10, Verdict.REFUSE)
    assert one.sentence == "People had ended this within 10 min before, at 10 of 10 moments, and left it so."


# scenes


def test_what_a_scene_switches_is_seen_on_the_tape() -> None:
    """At 20:06 a scene begins, and the lamp goes off each time, by no person: it fights, though it names no lamp."""
    diary = evenings(minutes=3)
    for day in diary.acts:
        diary.acts[day] = [
            (20.1 * HOUR + 2, entity, state, "automation")
            if (entity, state) == (LAMP, "off")
            else (at, entity, state, by)
            for at, entity, state, by in diary.acts[day]
        ]
    scene = rule(TimeTrigger(second=20 * HOUR + 360), put("scene.cinema"))
    (one,) = found(proposal(), scene, diary=diary)
    assert (one.kind, one.other, one.count, one.verdict) == (Kind.FIGHT, "other", 10, Verdict.REFUSE)
    lamp = rule(TimeTrigger(second=20 * HOUR + 360), put(SHELF))
    assert found(proposal(), lamp, diary=diary) == []  # what happens with it at the same time is not its doing


def test_what_people_do_right_after_a_scene_is_not_its_doing() -> None:
    """The lamp goes off by hand."""
    scene = rule(TimeTrigger(second=20 * HOUR + 360), put("scene.cinema"))
    assert found(proposal(), scene, diary=evenings(minutes=3)) == []


# not analysed


def test_what_cannot_be_read_cannot_be_excluded() -> None:
    """It is told where it names something that this is about, or nothing openly, and not where it is switched off."""
    unread = Existing(id="x", alias="Hall", reason="it is made from a blueprint", entities=frozenset({LAMP}))
    (one,) = found(proposal(), unread)
    assert (one.kind, one.other, one.verdict) == (Kind.UNREAD, "x", Verdict.TELL)
    assert one.sentence == (
        "“Hall” was not analysed (it is made from a blueprint): it may do the same, or the opposite."
    )
    assert found(proposal(), Existing(id="x"))
    assert found(proposal(), msgspec.structs.replace(unread, entities=frozenset({"light.far"}))) == []
    assert found(proposal(), msgspec.structs.replace(unread, enabled=False)) == []


# laws

_ENTITIES = st.sampled_from([DOOR, "scene.cinema", LAMP, SHELF, "sensor.outdoor", "person.anna"])
_STATES = st.sampled_from(["on", "off", "home"])
_SECONDS = st.integers(-10, 90_000)
_BOUNDS = st.none() | st.floats()
_TRIGGERS: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(StateTrigger, entity_id=_ENTITIES, state=_STATES, origin=st.none() | _STATES, seconds=_SECONDS),
    st.builds(NumericTrigger, entity_id=_ENTITIES, above=_BOUNDS, below=_BOUNDS, seconds=_SECONDS),
    st.builds(TimeTrigger, second=_SECONDS),
    st.builds(SunTrigger, event=st.sampled_from(["sunrise", "sunset"]), offset=_SECONDS),
)
_SINGLE: st.SearchStrategy[Condition] = st.one_of(
    st.builds(WeekdayCondition, days=st.lists(st.integers(0, 6), max_size=4).map(tuple)),
    st.builds(TimeCondition, after=_SECONDS, before=_SECONDS),
    st.builds(SunCondition, up=st.booleans()),
    st.builds(PresenceCondition, somebody=st.booleans()),
    st.builds(StateCondition, entity_id=_ENTITIES, states=st.lists(_STATES, max_size=2).map(tuple)),
    st.builds(NumericCondition, entity_id=_ENTITIES, above=_BOUNDS, below=_BOUNDS),
)
_CONDITIONS = st.recursive(
    _SINGLE,
    lambda inner: st.one_of(*(st.builds(kind, of=st.lists(inner, max_size=3).map(tuple)) for kind in (And, Or, Not))),
    max_leaves=4,
)
_ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(
        SetAction,
        entities=st.lists(_ENTITIES, max_size=3).map(tuple),
        state=_STATES,
        settings=st.dictionaries(st.sampled_from(["brightness", "colour"]), st.integers() | st.text(), max_size=1),
    ),
    st.builds(NotifyAction, message=st.text()),
)
_AUTOMATIONS = st.builds(
    Automation,
    id=st.text(max_size=3),
    alias=st.text(max_size=3),
    triggers=st.lists(_TRIGGERS, max_size=3).map(tuple),
    conditions=st.lists(_CONDITIONS, max_size=3).map(tuple),
    actions=st.lists(_ACTIONS, max_size=3).map(tuple),
)
_EXISTING = st.builds(
    Existing,
    id=st.text(max_size=2),
    alias=st.text(max_size=3),
    enabled=st.booleans(),
    automation=st.none() | _AUTOMATIONS,
    reason=st.text(max_size=3),
    entities=st.frozensets(_ENTITIES, max_size=2),
)
_EVENINGS = taped(evenings(6))
_NO_DAYS = _EVENINGS.part(0, 0)


@given(automation=_AUTOMATIONS, order=st.randoms())
def test_an_automation_is_always_a_duplicate_of_itself(automation: Automation, order: Random) -> None:
    """Whatever it is, also with its triggers and conditions in another order."""
    parts = {name: list(getattr(automation, name)) for name in ("triggers", "conditions")}
    for part in parts.values():
        order.shuffle(part)
    other = msgspec.structs.replace(automation, **{name: tuple(part) for name, part in parts.items()})
    told = conflicts(automation, WINDOW, [Existing(id="a", automation=other)], _EVENINGS)
    assert Kind.DUPLICATE in {one.kind for one in told}


@given(proposed=_AUTOMATIONS, installed=st.lists(_EXISTING, max_size=4), order=st.randoms(), empty=st.booleans())
def test_conflicts_never_fail_nor_depend_on_an_order(
    proposed: Automation, installed: list[Existing], order: Random, empty: bool
) -> None:
    """Whatever is installed, in whatever order, also where no day is known."""
    tape = _NO_DAYS if empty else _EVENINGS
    told = conflicts(proposed, WINDOW, installed, tape)
    other = list(installed)
    order.shuffle(other)
    assert conflicts(proposed, WINDOW, other, tape) == told
    assert all(0 <= one.count <= one.moments for one in told)
    assert verdict(told) == max((one.verdict for one in told), default=Verdict.FREE)


@given(proposed=_AUTOMATIONS, installed=st.lists(_AUTOMATIONS, max_size=3))
def test_automations_about_other_things_are_no_conflict(proposed: Automation, installed: list[Automation]) -> None:
    """Every entity of theirs is another one, so no chain leads there or back, and none is told of."""

    def elsewhere(part: object) -> object:
        if isinstance(part, dict):
            return {key: elsewhere(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return [elsewhere(one) for one in part]
        return f"{part}_upstairs" if isinstance(part, str) and "." in part and part[0].isalpha() else part

    moved = [
        msgspec.convert(
            elsewhere(msgspec.to_builtins(msgspec.structs.replace(one, actions=one.sets), builtin_types=(float,))),
            Automation,
        )
        for one in installed
    ]
    others = [
        Existing(id=f"{place}", automation=one) for place, one in enumerate(moved) if any(s.entities for s in one.sets)
    ]
    told = conflicts(proposed, WINDOW, others, _EVENINGS)
    assert [one.other for one in told if one.other is not None] == []


def test_a_long_chain_is_followed_to_its_end() -> None:
    """Forty lamps one after the other, the last of which sets the first back."""
    lamps = [f"light.number_{number:02d}" for number in range(40)]
    chain = [rule(when(one), put(other), name=other) for one, other in zip([LAMP, *lamps], lamps, strict=False)]
    back = rule(when(lamps[-1]), put(LAMP, state="off"), name="back")
    told = found(proposal(), *chain, back)
    assert [(one.kind, one.other) for one in told] == [(Kind.LOOP, "back")]

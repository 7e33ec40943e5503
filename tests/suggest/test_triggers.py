"""What people's acts follow."""

from itertools import pairwise

import numpy as np
import pytest

from quotidian.detect import History
from quotidian.model import Entity, Home
from quotidian.model.automation import SetAction, StateTrigger, SunTrigger, TimeTrigger
from quotidian.suggest.triggers import Candidate, candidates, targets

from ..detect.building import Diary, household  # noqa: TID252 - tests are no package
from .homes import DOOR, IN_AMSTERDAM, LAMP, dark_door, taped

LEVEL = 0.01


def found(diary: Diary) -> list[Candidate]:
    """Give the candidates of all days."""
    tape = taped(diary)
    return candidates(tape, History(tape.rows, tape.home), LEVEL)


def switched(diary: Diary) -> set[str]:
    """Give what an automation could do."""
    return {token for action in targets(diary.history()) for token in action.tokens}


def often(entity: str, days: int = 8, home: Home | None = None, cause: str = "physical") -> Diary:
    """Let something go on and off once a day."""
    diary = Diary(home or IN_AMSTERDAM, days=days)
    for day in range(days):
        diary.pulse(day, 8, entity, cause=cause)
    return diary


def test_a_lamp_that_follows_the_door_is_a_candidate() -> None:
    """It follows within a minute on every day; then it is waited for five, and the candidate passes the level."""
    door = StateTrigger(entity_id=DOOR, state="on")
    (one,) = [
        one
        for one in found(dark_door())
        if one.trigger == door and one.action == SetAction(entities=(LAMP,), state="on")
    ]
    assert one.window == 300
    assert one.q_value <= LEVEL


def test_nothing_starts_itself() -> None:
    """The lamp going off follows the lamp going on most closely, and is no candidate."""
    for one in found(dark_door()):
        assert getattr(one.trigger, "entity_id", "") not in one.action.entities


def test_what_follows_rest_follows_its_lasting() -> None:
    """The fan goes off ten minutes after nobody was seen any more, however long somebody was there."""
    rng = np.random.default_rng(0)
    diary = Diary(IN_AMSTERDAM, days=28)
    for day in range(28):
        start, stay = rng.uniform(9, 20), rng.uniform(0.1, 1.5)
        diary.add(day, start, "fan.bath", "on")
        diary.pulse(day, start, "binary_sensor.motion", 60 * stay)
        diary.add(day, start + stay + 11 / 60, "fan.bath", "off")
    triggers = [one.trigger for one in found(diary) if one.action.tokens == ("fan.bath=off",)]
    assert StateTrigger(entity_id="binary_sensor.motion", state="off", seconds=600) in triggers


def test_the_clock_and_the_sun_start_what_keeps_to_them() -> None:
    """The blinds close at half past nine sharp; the lamp goes on a quarter of an hour after sunset, over the months."""
    rng = np.random.default_rng(0)
    diary = Diary(IN_AMSTERDAM, days=84)
    sunsets = [row.sun("sunset") for row in diary.history().rows]
    for day, sunset in enumerate(sunsets):
        assert sunset is not None
        diary.add(day, 8, "cover.blinds", "open")
        diary.add(day, 21.5 + rng.normal(0, 0.02), "cover.blinds", "closed")
        # On day 27 summer time begins.
        diary.pulse(day, sunset / 3600 + 0.25 + (day == 27) + rng.normal(0, 0.02), LAMP, 60)
    by_token = {token: [one.trigger for one in found(diary) if token in one.action.tokens] for token in switched(diary)}
    clock = [one.second / 3600 for one in by_token["cover.blinds=closed"] if isinstance(one, TimeTrigger)]
    assert clock
    assert all(21.2 < hour <= 21.6 for hour in clock)
    suns = [one for one in by_token[f"{LAMP}=on"] if isinstance(one, SunTrigger)]
    assert suns
    assert {one.event for one in suns} == {"sunset"}
    assert all(0 <= one.offset <= 1_200 for one in suns)


@pytest.mark.parametrize(
    "entity",
    [
        Entity("lock.front_door"),
        Entity("switch.kitchen_oven"),
        Entity("switch.socket_3", name="Backofen"),
        Entity("cover.drive", device_class="garage"),
        Entity("siren.hall"),
        Entity("valve.garden"),
        Entity("alarm_control_panel.home"),
    ],
    ids=lambda entity: entity.entity_id,
)
def test_guarded_things_are_never_switched(entity: Entity) -> None:
    """What lets in, locks out, floods or burns is no target, however regular people are."""
    home = Home("home", "Europe/Amsterdam", entities={entity.entity_id: entity})
    assert switched(often(entity.entity_id, home=home)) == set()


def test_only_what_people_operate_is_switched() -> None:
    """A lamp is; a sensor, a person and what an automation switches are not, nor what happens on four days only."""
    assert switched(often(LAMP)) == {f"{LAMP}=on", f"{LAMP}=off"}
    assert switched(often(DOOR)) == set()
    assert switched(often("person.anna")) == set()
    assert switched(often(LAMP, cause="automation")) == set()
    assert switched(often(LAMP, days=4)) == set()


def test_a_scene_is_one_action() -> None:
    """Three lamps that go on together are one action on three entities."""
    diary = Diary(days=8)
    lamps = ("light.a", "light.b", "light.c")
    for day in range(8):
        for place, lamp in enumerate(lamps):
            diary.pulse(day, 20 + place / 3600, lamp, 60)
    assert SetAction(entities=lamps, state="on") in targets(diary.history())
    assert len(targets(diary.history())) == 2


def test_a_scene_with_a_guarded_thing_is_left_alone() -> None:
    """Two switches go together, one of them the oven's."""
    diary = Diary(days=8)
    for day in range(8):
        for place, entity in enumerate(("switch.hood", "switch.oven")):
            diary.pulse(day, 18 + place / 3600, entity, 60)
    assert targets(diary.history()) == []


def test_what_happens_all_the_time_starts_nothing() -> None:
    """A sensor that sees somebody fifty times a day is followed by everything."""
    diary = dark_door()
    for day in range(42):
        for number in range(50):
            diary.pulse(day, 9 + number * 0.28, "binary_sensor.busy_motion", 1)
    assert not [one for one in found(diary) if getattr(one.trigger, "entity_id", "") == "binary_sensor.busy_motion"]


def test_candidates_come_in_one_order() -> None:
    """The same days give the same candidates, those of an action together and the most certain first."""
    diary = household(0, 28)
    first = found(diary)
    assert found(diary) == first
    assert [one.action.tokens for one in first] == sorted(one.action.tokens for one in first)
    for one, after in pairwise(first):
        assert one.action.tokens != after.action.tokens or one.q_value <= after.q_value


@pytest.mark.parametrize("seed", range(5))
def test_where_entities_have_nothing_to_do_with_each_other_nothing_follows(seed: int) -> None:
    """Each entity's days in another order, and each of its days turned on its own: no trigger is a state."""
    for null in (dark_door(seed).permuted(seed), dark_door(seed).circled(seed), household(seed).circled(seed)):
        assert not [one for one in found(null) if isinstance(one.trigger, StateTrigger)]


def test_an_empty_home_has_no_candidates() -> None:
    """Nothing is known, or nothing is switched."""
    assert found(Diary(days=20)) == []
    assert found(often(DOOR, 20)) == []

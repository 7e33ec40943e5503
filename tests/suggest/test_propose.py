"""From a home's days to proposals."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.model import Entity, Home
from quotidian.model.automation import Automation, StateTrigger, WeekdayCondition, is_guarded
from quotidian.suggest import propose as proposing
from quotidian.suggest.backtest import backtest
from quotidian.suggest.propose import LEAST_DAYS, MOST, Proposal, Tier, propose, remind

from ..detect.building import Diary, household  # noqa: TID252 - tests are no package
from .homes import DOOR, IN_AMSTERDAM, LAMP, RADIO, dark_door, saturdays, taped

NULLS: tuple[Callable[[Diary, int], Diary], ...] = (Diary.circled, Diary.jittered, Diary.permuted)


def proposed(diary: Diary) -> list[Proposal]:
    """Give the proposals for a diary's days."""
    return propose(taped(diary))


def of(diary: Diary, token: str) -> Proposal:
    """Give the proposal to do something."""
    (one,) = [one for one in proposed(diary) if token in one.automation.sets[0].tokens]
    return one


def every_rule(diary: Diary) -> dict[tuple[str, ...], Automation]:
    """Give every rule that is tried, however it does, by what it does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposing, "_tier", lambda _: Tier.TRIAL)
        patch.setattr(proposing, "MOST", 1_000)
        return {one.automation.sets[0].tokens: one.automation for one in proposed(diary)}


def test_a_lamp_that_follows_the_door_in_the_dark_is_offered() -> None:
    """Two evenings' acts on each of the last fourteen of 42 days would have been saved, and nothing done by day."""
    one = of(dark_door(), f"{LAMP}=on")
    assert one.automation.triggers == (StateTrigger(entity_id=DOOR, state="on"),)
    assert len(one.automation.conditions) == 1
    assert one.tier is Tier.OFFER
    assert (one.score.useful, one.score.nuisance, one.score.days) == (28, 0, 14)
    assert one.worth == 7.0
    assert one.automation.id.startswith("quotidian_")


def test_a_routine_of_saturdays_is_proposed_for_saturdays() -> None:
    """Five Saturdays of thirty-one days are worth a trial and prove no more."""
    one = of(saturdays(), f"{RADIO}=on")
    assert one.automation.conditions == (WeekdayCondition(days=(5,)),)
    assert one.tier is Tier.TRIAL
    assert set(one.dates) == {day for day in one.days if day % 7 == 6}  # ordinal 1 was a Monday


def test_it_is_tried_on_the_last_third_only() -> None:
    """The days of the score are those, each moment lies in one of them, and a replay gives the same."""
    diary = dark_door()
    tape, one = taped(diary), of(diary, f"{LAMP}=on")
    assert one.days == tuple(tape.ordinals[28:].tolist())
    assert set(one.dates) <= set(one.days)
    again = backtest(one.automation, tape, one.window).among(np.arange(42) >= 28)
    assert one.moments.instant.tolist() == again.instant.tolist()
    assert one.moments.outcome.tolist() == again.outcome.tolist()


@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_proposed_where_things_have_nothing_to_do_with_each_other(
    null: Callable[[Diary, int], Diary], seed: int
) -> None:
    """The homes of this file with each entity's days turned, shifted by hours, or in another order."""
    for diary in (dark_door(seed), saturdays(seed)):
        assert proposed(null(diary, seed)) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_household_of_chance_gets_nothing(seed: int) -> None:
    """Each entity's days turned by hours of their own."""
    assert proposed(household(seed, 42).circled(seed)) == []


@settings(max_examples=20)
@given(
    acts=st.lists(
        st.tuples(st.integers(14, 20), st.floats(0, 23.9), st.sampled_from([DOOR, LAMP, "light.new"])), max_size=25
    ),
    fresh=st.booleans(),
)
def test_nothing_of_the_tried_days_is_used_for_learning(acts: list[tuple[int, float, str]], fresh: bool) -> None:
    """Whatever happens on the last third of the days, every rule is the same: only its score changes."""
    diary = dark_door(days=21)
    before = every_rule(diary)
    assert f"{LAMP}=on" in {token for tokens in before for token in tokens}
    if fresh:
        for day in range(14, 21):
            diary.acts[day] = []
    for day, hour, entity in acts:
        diary.pulse(day, hour, entity)
    assert every_rule(diary) == before


def test_other_days_at_the_end_change_the_score() -> None:
    """The door still opens in the last two weeks, and nobody wants light any more: it is proposed no more."""
    diary = dark_door()
    for day in range(28, 42):
        diary.acts[day] = [act for act in diary.acts[day] if act[1] == DOOR]
    assert f"{LAMP}=on" not in {token for one in proposed(diary) for token in one.automation.sets[0].tokens}


@pytest.mark.parametrize("diary", [dark_door(), household(0, 21)], ids=["dark door", "household"])
def test_the_same_days_give_the_same_proposals(diary: Diary) -> None:
    """To the byte, the most useful first, and ten at the most."""
    first, again = proposed(diary), proposed(diary)
    assert [told(one) for one in first] == [told(one) for one in again]
    assert [one.worth for one in first] == sorted((one.worth for one in first), reverse=True)
    assert 0 < len(first) <= MOST
    does = [one.automation.sets[0].tokens for one in first]
    assert len(set(does)) == len(does)  # one proposal for one act


def told(one: Proposal) -> bytes:
    """Write a proposal down."""
    return msgspec.json.encode(one, enc_hook=lambda column: column.tolist())


@pytest.mark.parametrize("lamp", ["lock.front_door", "switch.oven", "valve.garden", "siren.hall", "cover.drive"])
def test_guarded_things_are_never_switched(lamp: str) -> None:
    """The same home in which a lamp is offered, with a lock, an oven, a valve, a siren, a garage in its place."""
    kinds = {"cover.drive": Entity("cover.drive", device_class="garage")}
    home = msgspec.structs.replace(IN_AMSTERDAM, entities=kinds)
    diary = dark_door(lamp=lamp)
    diary.home = home
    assert is_guarded(home.entity(lamp))
    assert proposed(diary) == []


def test_what_an_automation_does_is_not_proposed() -> None:
    """The lamp follows the door because somebody has automated that."""
    assert proposed(dark_door(cause="automation")) == []


def test_a_scene_is_proposed_as_one_action() -> None:
    """Three lamps follow the door within seconds of each other."""
    diary = dark_door()
    for day, acts in diary.acts.items():
        lamps = [act for act in acts if act[1] == LAMP]
        diary.acts[day] += [
            (second + place, f"light.shelf_{place}", state, cause)
            for second, _, state, cause in lamps
            for place in (1, 2)
        ]
    one = of(diary, f"{LAMP}=on")
    assert one.automation.sets[0].entities == (LAMP, "light.shelf_1", "light.shelf_2")
    assert (one.score.useful, one.score.nuisance) == (28, 0)


@pytest.mark.parametrize("days", [0, 1, LEAST_DAYS - 1])
def test_few_days_propose_nothing(days: int) -> None:
    """With fewer than fourteen days there is nothing to learn from and try on; also none at all are no error."""
    tape = taped(dark_door(days=20)).part(0, days)
    assert (propose(tape), remind(tape)) == ([], [])


def test_a_home_without_a_place_has_proposals_too() -> None:
    """Nothing is known of the sun there; the clock does as well."""
    diary = dark_door()
    diary.home = Home("home", "Europe/Amsterdam")
    assert of(diary, f"{LAMP}=on").tier is Tier.OFFER

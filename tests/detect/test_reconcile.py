"""Patterns: one identity and one life for each habit, whatever the nights bring."""

import datetime as dt

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.detect.reconcile import FADING_NIGHTS, NEAR_MINUTES, RETIRED_NIGHTS, reconcile
from quotidian.model import Evidence, Finding, Pattern, Stage, Status

FIRST = dt.date(2026, 3, 2)


def finding(
    anchor: int | None = 405, subject: str = "light.a=on", *, detector: str = "time_of_day", kept: int = 9
) -> Finding:
    """Make a finding."""
    evidence = Evidence(kept=kept, observed=kept + 1, low=0.5, high=1.0)
    stage = Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING
    return Finding(
        detector=detector,
        subject=(subject,),
        anchor=anchor,
        evidence=evidence,
        confidence=0.9,
        stage=stage,
        sentence="S",
    )


def routine(acts: str, kept: int = 9) -> Finding:
    """Make a routine whose acts are letters."""
    subject = tuple(f"light.{letter}=on" for letter in acts)
    return msgspec.structs.replace(finding(None, detector="sequence", kept=kept), subject=subject)


def night(number: int) -> dt.date:
    """Give the date of a night."""
    return FIRST + dt.timedelta(days=number)


def lived(*nights: list[Finding], patterns: list[Pattern] | None = None, start: int = 0) -> list[Pattern]:
    """Reconcile nights in order."""
    patterns = patterns or []
    for number, found in enumerate(nights, start):
        patterns = reconcile("home", patterns, found, night(number))
    return patterns


def test_a_habit_that_drifts_stays_one() -> None:
    """Some minutes a night, over sixty nights and midnight: one pattern, one id, and its way in its history."""
    rng = np.random.default_rng(1)
    anchors = (1_300 + np.cumsum(rng.integers(2, 7, 60))) % 1_440
    patterns: list[Pattern] = []
    ids = set()
    for number, anchor in enumerate(anchors.tolist()):
        patterns = reconcile("home", patterns, [finding(anchor)], night(number))
        ids |= {pattern.id for pattern in patterns}
    (one,) = patterns
    assert ids == {one.id}
    assert (one.first_seen, one.last_seen, one.finding.anchor) == (night(0), night(59), anchors[-1])
    assert 20 <= len(one.history) <= 60
    assert [revision.date for revision in one.history] == sorted({revision.date for revision in one.history})


def test_two_times_of_a_thing_are_two_patterns() -> None:
    """Each keeps its own id while both drift towards each other; the nearest continue, one to one."""
    patterns = lived([finding(400), finding(520)])
    ids = {pattern.finding.anchor: pattern.id for pattern in patterns}
    patterns = lived([finding(440), finding(480)], patterns=patterns, start=1)
    assert {pattern.finding.anchor: pattern.id for pattern in patterns} == {440: ids[400], 480: ids[520]}


def test_two_habits_at_one_time_are_two_patterns() -> None:
    """Mondays and Wednesdays at 06:45, found in one night or one after the other: two ids, and each keeps its own."""
    both = [msgspec.structs.replace(finding(), measures={"days": days}) for days in ("monday", "wednesday")]
    for begun in ([both], [both[::-1]], [both[:1], both], [both[1:], both]):
        patterns = lived(*begun)
        ids = {pattern.finding.measures["days"]: pattern.id for pattern in patterns}
        assert ids.keys() == {"monday", "wednesday"}
        assert len(set(ids.values())) == 2
        for found in (both, both[::-1]):
            patterns = lived(found, patterns=patterns, start=len(begun) - 1)
            assert {pattern.finding.measures["days"]: pattern.id for pattern in patterns} == ids


def test_a_jump_is_another_habit() -> None:
    """A time that is further off than an hour and a half is a new habit, and the old one begins to fade."""
    assert len(lived([finding(400)], [finding(400 + NEAR_MINUTES)])) == 1
    assert len(lived([finding(400)], [finding(400 + NEAR_MINUTES + 1)])) == 2
    assert len(lived([finding(1_430)], [finding(10)])) == 1


def test_detector_and_subject_must_be_the_same() -> None:
    """The same time of another thing, or found by another detector, is another habit."""
    assert len(lived([finding(), finding(subject="light.b=on"), finding(detector="session")])) == 3
    assert len(lived([finding(None)], [finding(0)])) == 2
    assert len(lived([finding(None)], [finding(None)])) == 1


def test_fading_retired_and_back() -> None:
    """Missed for some nights it fades, for four weeks it is retired; when it comes back it has its id and its past."""
    patterns = lived([finding()])
    states = []
    for number in range(1, RETIRED_NIGHTS + 2):
        patterns = lived([], patterns=patterns, start=number)
        states.append(patterns[0].status)
    assert states[: FADING_NIGHTS - 1] == [Status.ACTIVE] * (FADING_NIGHTS - 1)
    assert set(states[FADING_NIGHTS - 1 : RETIRED_NIGHTS - 1]) == {Status.FADING}
    assert states[RETIRED_NIGHTS - 1 :] == [Status.RETIRED] * 2
    (back,) = lived([finding(410)], patterns=patterns, start=60)
    assert back.id == patterns[0].id
    assert back.status is Status.ACTIVE
    assert [revision.status for revision in back.history] == [
        Status.ACTIVE, Status.FADING, Status.RETIRED, Status.ACTIVE
    ]  # fmt: skip
    assert (back.first_seen, back.last_seen) == (night(0), night(60))


def test_a_long_absence_of_nights_does_not_retire_at_once() -> None:
    """When the next night comes after months, what is missed fades first."""
    assert lived([], patterns=lived([finding()]), start=90)[0].status is Status.FADING


def test_becoming_established_is_a_revision() -> None:
    """A change of stage stands in the history; more of the same does not."""
    (one,) = lived([finding()], [finding(kept=9)], [finding(kept=10)], [finding(kept=11)])
    assert [(revision.date, revision.kept) for revision in one.history] == [(night(0), 9), (night(2), 10)]
    assert (one.updated, one.last_seen) == (night(2), night(3))
    assert one.finding.evidence.kept == 11


def test_ids_depend_on_the_home() -> None:
    """Two homes with the same habit do not share an id."""
    here, there = (reconcile(home, [], [finding()], FIRST)[0].id for home in ("a", "b"))
    assert here != there
    assert here.startswith("time_of_day-")


def test_a_routine_in_other_words_keeps_its_id() -> None:
    """In another order, with an act more or less it is the same habit, with a revision; with other acts it is not."""
    (first,) = lived([routine("abc")])
    for acts in ("bca", "abdc", "abcde"):
        (one,) = lived([routine("abc")], [routine(acts)])
        assert (one.id, one.finding, one.updated) == (first.id, routine(acts), night(1))
        assert lived([routine("abc")], [routine(acts)], [routine("abc")])[0].id == first.id
    (shorter,) = lived([routine("abcd")], [routine("bcd")])
    assert shorter.finding.subject == routine("bcd").subject
    assert len(lived([routine("abc")], [routine("abd")])) == 2
    ends = msgspec.structs.replace(routine("abc"), subject=tuple(f"light.{letter}=off" for letter in "cba"))
    assert len(lived([routine("abc")], [ends])) == 2


def test_the_same_acts_come_before_other_words() -> None:
    """A routine that is found again as it was continues its own pattern, also a retired one; the nearest words next."""
    patterns = lived([routine("abc"), routine("abcde")])
    ids = {pattern.finding.subject: pattern.id for pattern in patterns}
    (*_, turned) = sorted(lived([routine("cab")], patterns=patterns, start=1), key=lambda one: one.last_seen)
    assert turned.id == ids[routine("abc").subject]
    retired = lived([routine("abc")], *[[]] * (RETIRED_NIGHTS + 1))
    assert retired[0].status is Status.RETIRED
    assert len(lived([routine("acb")], patterns=retired, start=40)) == 2
    (back,) = lived([routine("abc")], patterns=retired, start=40)
    assert (back.id, back.status) == (retired[0].id, Status.ACTIVE)


def test_only_routines_have_other_words() -> None:
    """Of other detectors the acts are the habit: a pair the other way round is another one."""
    pair = msgspec.structs.replace(routine("ab"), detector="co_occurrence")
    turned = msgspec.structs.replace(routine("ba"), detector="co_occurrence")
    assert len(lived([pair], [turned])) == 2


@pytest.mark.parametrize(("every", "fading", "retired"), [(1, 3, 28), (7, 7, 28), (30, 30, 60)])
def test_each_cadence_lets_go_on_its_own_nights(every: int, fading: int, retired: int) -> None:
    """Looked for every night, week or month, what is gone fades after three nights at the earliest, then retires."""
    patterns, since = lived([finding()]), {}
    for number in range(every, 100, every):
        patterns = lived([], patterns=patterns, start=number)
        since.setdefault(patterns[0].status, number)
    assert (since[Status.FADING], since[Status.RETIRED]) == (fading, retired)


_found = st.lists(
    st.builds(
        finding,
        st.none() | st.integers(0, 1_439),
        st.sampled_from(["light.a=on", "light.b=on"]),
        detector=st.sampled_from(["time_of_day", "duration"]),
        kept=st.integers(4, 14),
    )
    | st.builds(routine, st.permutations("abcd").map(lambda acts: "".join(acts[:3])), st.integers(4, 14))
    | st.builds(routine, st.permutations("abcd").map("".join), st.integers(4, 14)),
    max_size=5,
    unique_by=lambda one: (one.detector, one.subject, one.anchor),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), _found), min_size=1, max_size=12))
def test_never_twice(nights: list[tuple[int, list[Finding]]]) -> None:
    """After any nights ids are unique, each finding is in exactly one pattern, no pattern is lost, all is by id."""
    patterns: list[Pattern] = []
    number = 0
    for step, found in nights:
        number += step
        before = {pattern.id for pattern in patterns}
        patterns = reconcile("home", patterns, found, night(number))
        ids = [pattern.id for pattern in patterns]
        assert ids == sorted(set(ids))
        assert before <= set(ids)
        current = [pattern.finding for pattern in patterns if pattern.last_seen == night(number)]
        key = str
        assert sorted(current, key=key) == sorted(found, key=key)
        routines = [pattern.finding.subject for pattern in patterns if pattern.finding.detector == "sequence"]
        assert len(set(routines)) == len(routines)
        for pattern in patterns:
            dates = [revision.date for revision in pattern.history]
            assert dates == sorted(set(dates))
            assert pattern.first_seen <= pattern.last_seen <= night(number)
            assert pattern.updated == dates[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(_found, min_size=1, max_size=6), st.randoms(use_true_random=False), st.data())
def test_a_night_reviewed_again_changes_nothing(
    nights: list[list[Finding]], random: object, data: st.DataObject
) -> None:
    """The same findings once more, in any order, leave every pattern as it is."""
    patterns = lived(*nights)
    again = data.draw(st.permutations(nights[-1]))
    assert reconcile("home", patterns, again, night(len(nights) - 1)) == patterns


@pytest.mark.parametrize("seed", range(4))
def test_it_does_not_matter_in_which_order_detectors_speak(seed: int) -> None:
    """Findings in any order give the same patterns."""
    rng = np.random.default_rng(seed)
    found = [finding(int(minute), f"light.{place % 2}=on") for place, minute in enumerate(rng.integers(0, 1_440, 8))]
    mixed = [found[place] for place in rng.permutation(8).tolist()]
    assert lived(found, mixed) == lived(mixed, found) == lived(found, found)

"""What becomes of a habit that people gave up: the days speak against it, then it fades, then it is retired."""

import numpy as np
import pytest

from quotidian.detect import Detector, History
from quotidian.detect.co_occurrence import CoOccurrence
from quotidian.detect.duration import Duration
from quotidian.detect.given_up import given_up
from quotidian.detect.reconcile import FADING_NIGHTS, RETIRED_NIGHTS, reconcile
from quotidian.detect.sequence import ActionSequence
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.learn.window import LOOK_BACK
from quotidian.model import Evidence, Finding, Pattern, Status, Summary

from .building import Diary

KEPT = 30  #: days on which the habit was kept
FIRST = 25  #: the first night, counted from nought
COFFEE = "switch.coffee=on"


def given_up_after(nights: int, *, wholly: bool = False) -> Diary:
    """Make a home in which two lamps and coffee are the morning; after so many days nobody makes coffee any more.

    ``wholly``: nor are the lamps lit any more.
    """
    rng = np.random.default_rng(31)
    diary = Diary(days=KEPT + nights)
    for day in range(diary.days):
        start = 7 + rng.normal(0, 0.1)
        morning = {"light.bed": 0.0, "light.bath": 2.0, "switch.coffee": 4.0}
        for entity, minute in morning.items():
            if day < KEPT or not (wholly or entity == "switch.coffee"):
                diary.pulse(day, start + (minute + rng.normal(0, 0.2)) / 60, entity, 9)
        for hour in rng.uniform(9, 23, 5):
            diary.pulse(day, float(hour), "light.hall", 3)
    return diary


def lives(detector: Detector, diary: Diary) -> list[list[Pattern]]:
    """Look night by night on as many days as the detector does; give the patterns of the morning after each."""
    history, patterns, nights = diary.history(detector), [], []
    for end in range(FIRST + 1, diary.days + 1):
        rows = history.rows[max(0, end - LOOK_BACK[detector.cadence]) : end]
        days = {row.ordinal for row in rows}
        own = {
            name: Summary(name, one.version, {day: kept for day, kept in one.days.items() if day in days})
            for name, one in history.summaries.items()
        }
        seen = History(rows, history.home, own)
        found = [finding for finding in detector.detect(seen) if not given_up(finding, seen)]
        patterns = reconcile("home", patterns, found, diary.date(end - 1))
        nights.append([one for one in patterns if "light.hall" not in one.names])
    return nights


def statuses(nights: list[list[Pattern]], pattern: Pattern, last: int) -> list[Status]:
    """Give the status of a pattern after each night from one on."""
    return [one.status for night in nights[last:] for one in night if one.id == pattern.id]


def promised(after: int) -> list[Status]:
    """Give what becomes of a pattern on so many nights, from the one on that it was found for the last time."""
    fading = [Status.FADING] * (RETIRED_NIGHTS - FADING_NIGHTS)
    return [*[Status.ACTIVE] * FADING_NIGHTS, *fading, *[Status.RETIRED] * after][:after]


@pytest.mark.parametrize("detector", [TimeOfDay(), CoOccurrence(), ActionSequence()], ids=lambda one: one.name)
def test_what_was_given_up_fades_and_retires(detector: Detector) -> None:
    """It is told until as many days broke it as kept it; three nights later it fades, after 28 it is retired."""
    diary = given_up_after(KEPT + RETIRED_NIGHTS + 1)
    nights = lives(detector, diary)
    told = [one for one in nights[-1] if COFFEE in one.finding.subject]
    assert told
    for pattern in told:
        last = (pattern.last_seen - diary.date(FIRST)).days
        assert pattern.last_seen < diary.date(2 * KEPT)
        assert statuses(nights, pattern, last) == promised(len(nights) - last)


@pytest.mark.parametrize("detector", [CoOccurrence(), ActionSequence(), Duration()], ids=lambda one: one.name)
def test_what_has_no_beginning_any_more_is_not_told_for_ever(detector: Detector) -> None:
    """Where the first act was given up too, no day breaks the habit: it is told for two weeks, and nothing begins."""
    diary = given_up_after(50, wholly=True)
    nights = lives(detector, diary)
    assert nights[-1]
    for pattern in nights[-1]:
        last = (pattern.last_seen - diary.date(FIRST)).days
        assert pattern.first_seen < diary.date(KEPT)
        assert pattern.last_seen <= diary.date(KEPT + 14)
        assert statuses(nights, pattern, last) == promised(len(nights) - last)


def waiting(diary: Diary, first: str = "light.a=on") -> bool:
    """Tell whether a routine that begins with a lamp is given up at the end of a diary."""
    evidence = Evidence(kept=9, observed=9, low=0.5, high=1.0)
    subject = (first, "light.b=on", "light.c=on")
    routine = Finding(detector="sequence", subject=subject, evidence=evidence, confidence=0.9, sentence="")
    return given_up(routine, diary.history())


def evenings(every: int, until: int, days: int) -> Diary:
    """Make a home with a lamp that is lit every few days until some day, and another one each day."""
    diary = Diary(days=days)
    for day in range(days):
        for hour in range(8, 23):
            diary.pulse(day, hour, "light.hall", 5)
        if day < until and day % every == 0:
            diary.pulse(day, 20, "light.a", 60)
    return diary


@pytest.mark.parametrize(("every", "days"), [(1, 14), (3, 14), (7, 21)])
def test_a_pause_counts_against_those_before(every: int, days: int) -> None:
    """Two weeks without are no sign, nor are three Mondays without what comes on Mondays; a day more is."""
    last = 35 // every * every
    assert not waiting(evenings(every, last + 1, last + days))
    assert waiting(evenings(every, last + 1, last + days + 1))


def test_one_lamp_of_a_scene_is_as_given_up_as_the_other() -> None:
    """Of what moves together only the first is in the history; what never occurred was not given up."""
    diary = evenings(1, 30, 60)
    for day in range(30):
        diary.pulse(day, 20, "light.z", 60)
    assert waiting(diary, "light.z=on")
    assert "light.z=on" not in diary.history().tokens
    assert not waiting(diary, "light.never=on")


def test_days_of_absence_are_no_pause() -> None:
    """Who was on holiday for a month gave nothing up."""
    diary = evenings(1, 30, 62)
    for day in range(30, 60):
        diary.acts[day] = []
    assert not waiting(diary)

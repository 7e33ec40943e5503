"""A day that the user marks is as if it had never been observed, for every detector."""

import datetime as dt

import numpy as np

from quotidian.detect import ROW, ROW_VERSION, History, detectors
from quotidian.detect.dayrow import DayRow
from quotidian.learn import learn
from quotidian.store import Store

from ..detect.building import Diary, home_office  # noqa: TID252 - tests are no package that could be named
from .conftest import Stores
from .living import tell_all

DAYS = 62
PARTY = 40


def lived() -> Diary:
    """Make nine weeks that end on a Saturday and with a month, when all detectors look; one night was a party."""
    diary, _ = home_office(days=DAYS)
    diary.first = dt.date(2025, 12, 29)
    rng = np.random.default_rng(5)
    for hour in np.sort(rng.uniform(20, 23.9, 150)):
        diary.pulse(PARTY, float(hour), "binary_sensor.kitchen_motion", 0.5)
    diary.pulse(PARTY, 12, "light.desk", 600)
    return diary


def expected(store: Store, diary: Diary, taken: frozenset[int]) -> list[str]:
    """Give what all detectors find in the days that are kept, less some."""
    first, last = diary.date(0), diary.date(DAYS - 1)
    rows = store.summary(ROW, ROW_VERSION, first, last).without(taken)
    found = []
    for detector in detectors():
        own = {detector.name: store.summary(detector.name, detector.edition, first, last).without(taken)}
        history = History([DayRow(ordinal, day) for ordinal, day in rows.days.items()], store.home, own)
        found += [str(finding) for finding in detector.detect(history)]
    return sorted(found)


def current(store: Store, diary: Diary) -> list[str]:
    """Give what was found on the last night."""
    return sorted(str(one.finding) for one in store.patterns() if one.last_seen == diary.date(DAYS - 1))


def test_a_marked_day_was_never_observed_for_any_detector(opened: Stores) -> None:
    """All ten find what the other days alone show, whether the day is marked before or after; unmarked, all is back."""
    diary, store = lived(), opened("after")
    now, day = tell_all(store, diary), diary.date(PARTY)
    learn(store, detectors(), now)
    before = current(store, diary)
    assert before == expected(store, diary, frozenset())
    store.mark(day, "party")
    learn(store, detectors(), now)
    without = expected(store, diary, frozenset({day.toordinal()}))
    assert without != before
    # What is not found any more fades with the nights to come.
    assert set(without) <= set(current(store, diary)) <= {*without, *before}
    store.mark(day, None)
    learn(store, detectors(), now)
    assert set(before) <= set(current(store, diary))
    store = opened("before")
    tell_all(store, diary)
    store.mark(day, "party")
    learn(store, detectors(), now)
    assert current(store, diary) == without
    told = {one.finding.detector for one in store.patterns()}
    assert told >= {"time_of_day", "room", "duration", "day_type"}

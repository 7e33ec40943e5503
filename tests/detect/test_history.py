"""Days side by side: tokens that move together, classes of days, what people may have done."""

import datetime as dt
import gc
import weakref

import msgspec
import numpy as np
import pytest

from quotidian.detect import History, detectors
from quotidian.detect.history import WEEKDAYS, entities_of
from quotidian.model import Home
from quotidian.model.day import Day

from .building import Diary, home_of, household

LAMPS = tuple(f"light.lamp_{number}" for number in range(7))


def scene(days: int = 10, late: float = 1.0) -> Diary:
    """Switch seven lamps within some seconds, and a kettle with them."""
    diary = Diary(days=days)
    for day in range(days):
        for place, lamp in enumerate(LAMPS):
            diary.add(day, 19 + place * late / 3600, lamp, "on")
            diary.add(day, 23 + place * late / 3600, lamp, "off")
        diary.pulse(day, 19 + 3 / 3600, "switch.kettle", 4)
    return diary


def test_seven_lamps_are_one_act() -> None:
    """Lamps of one scene are one token that happens once a time; a kettle beside them is a thing of its own."""
    history = scene().history()
    assert history.tokens == ("light.lamp_0=off", "light.lamp_0=on", "switch.kettle=off", "switch.kettle=on")
    assert history.members["light.lamp_0=on"] == tuple(f"{lamp}=on" for lamp in LAMPS)
    assert history.members["switch.kettle=on"] == ("switch.kettle=on",)
    assert [rows.size for rows in history.occurrences.values()] == [10] * 4


def test_what_moves_apart_stays_apart() -> None:
    """A minute between them makes lamps distinct; so does going along only half of the time."""
    assert len(scene(late=60).history().tokens) == 2 * len(LAMPS) + 2
    diary = Diary(days=10)
    for day in range(10):
        diary.pulse(day, 19, LAMPS[0])
        diary.pulse(day, 19 if day % 2 else 21, LAMPS[1])
    assert f"{LAMPS[1]}=on" in diary.history().tokens


def test_the_timeline_has_what_people_may_have_done() -> None:
    """It is in order, without what automations did, and each change stands on its day at its wall time."""
    diary = Diary(days=5)
    for day in range(5):
        diary.pulse(day, 20 - day, "light.a", cause="person")
        diary.pulse(day, 12, "light.b", cause="automation")
    history = diary.history()
    assert history.tokens == ("light.a=off", "light.a=on")
    line = history.timeline
    assert (np.diff(line.instant) > 0).all()
    on = history.occurrences["light.a=on"]
    assert line.day[on].tolist() == list(range(5))
    assert (line.wall[on] / 3600).tolist() == [20, 19, 18, 17, 16]
    starts = [Day.from_ordinal(row.ordinal, diary.home.zone).start // 10**6 for row in history.rows]
    assert (line.instant[on] - line.wall[on]).tolist() == starts


def test_days_without_events_and_histories_without_days() -> None:
    """Neither makes trouble."""
    assert History([], Home("h", "UTC")).tokens == ()
    assert Diary(days=2).history().timeline.instant.size == 0


@pytest.mark.parametrize(
    ("country", "free"), [("NL", True), ("XX", False), ("date", False), ("", False), (None, False)]
)
def test_a_public_holiday_counts_as_weekend(country: str | None, free: bool) -> None:
    """King's Day 2026 is a Monday off in the Netherlands; where the country is not known, only weekends are free."""
    home = msgspec.structs.replace(home_of(), country=country)
    history = Diary(home, dt.date(2026, 4, 27), 7).history()
    classes = history.classes
    assert bool(classes["weekends"][0]) is free
    assert classes["weekends"][5:].all()
    assert (classes["weekdays"] == ~classes["weekends"]).all()
    assert classes["monday"].tolist() == [True, *[False] * 6]
    assert sum(classes[name].astype(int) for name in WEEKDAYS).tolist() == [1] * 7


def test_the_sun_by_the_wall_clock() -> None:
    """Sunset moves by an hour when the clocks do."""
    home = msgspec.structs.replace(home_of(), latitude=52.09, longitude=5.12)
    history = Diary(home, dt.date(2026, 3, 28), 2).history()
    assert 55 < int(np.diff(history.sun("sunset"))[0]) < 65
    assert Diary(days=2).history().sun("sunset").tolist() == [-1, -1]


def test_nothing_keeps_a_history_alive() -> None:
    """A long run reviews many nights: when all detectors have looked, the night's history goes."""
    history = household(days=10).history()
    for detector in detectors():
        detector.detect(history)
    gone = weakref.ref(history)
    del history
    gc.collect()
    assert gone() is None


def test_entities_of_tokens() -> None:
    """Each entity is named once, in order."""
    assert entities_of(["light.b=on", "light.a=on", "light.b=off"]) == ("light.b", "light.a")

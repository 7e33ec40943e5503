"""Spans of activity that come back."""

import datetime as dt

import msgspec
import numpy as np
import pytest

from quotidian.detect.history import History
from quotidian.detect.session import Session
from quotidian.model import Finding, Stage

from .building import Diary, home_of, household

DEN = ("light.den_lamp", "media_player.den_tv", "switch.den_amp")


def evenings(days: int = 40, *, hour: float = 20, members: int = 3, length: float = 2.4) -> Diary:
    """Make a home with an evening in the den, and a hall where something happens at any time."""
    rng = np.random.default_rng(8)
    diary = Diary(home_of({"den": DEN, "hall": ["light.hall"]}), days=days)
    for day in range(days):
        start = hour + rng.normal(0, 0.15)
        for place, name in enumerate(DEN[:members]):
            diary.add(day, start + place / 60, name, "on")
            for later in np.arange(0.4, length, 0.4):
                diary.add(day, start + later + place / 60, name, "on" if round(later / 0.4) % 2 == 0 else "low")
            diary.add(day, start + length + place / 60, name, "off")
        for start in rng.uniform(1, 18, 2):
            diary.pulse(day, float(start), "light.hall", 3)
    return diary


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look for sessions."""
    return Session().detect(diary.history())


def test_an_evening_is_told_once() -> None:
    """The planted session is the only one, with its room, beginning, length and members."""
    (finding,) = found(evenings())
    assert finding.subject == ("den",)
    assert abs(finding.measures["minute"] - 1200) < 8
    assert abs(finding.measures["length"] - 146) < 5
    assert finding.measures["members"] == [f"{name}=on" for name in DEN]
    assert finding.sentence.startswith("Every day from about ")
    assert ": the den, with the " in finding.sentence
    assert finding.evidence.kept == len(finding.measures["dates"]) >= 33


def test_a_session_over_midnight_belongs_to_the_day_of_its_start() -> None:
    """A session from 23:30 to 01:54 is one, of the day before midnight."""
    (finding,) = found(evenings(hour=23.5))
    assert abs(finding.anchor - 1410) < 8
    assert abs(finding.measures["length"] - 146) < 5
    assert finding.evidence.kept >= 33


def test_two_things_are_no_session() -> None:
    """A habit of one or two things is told by other detectors."""
    assert found(evenings(members=2)) == []


def test_moments_are_no_session() -> None:
    """What is over within ten minutes is no span of activity."""
    assert found(evenings(length=0.05)) == []


def test_what_happens_at_the_same_hour_by_itself_is_no_member() -> None:
    """A lamp that keeps to the same hour, and waits for nothing, does not belong to the evening."""
    rng = np.random.default_rng(3)
    diary = evenings()
    for day in range(diary.days):
        diary.pulse(day, 20 + rng.normal(0.1, 0.15), "light.hall", 90)
    (finding,) = found(diary)
    assert finding.measures["members"] == [f"{name}=on" for name in DEN]


def test_a_household_has_two_kinds_of_mornings() -> None:
    """Its mornings go through several rooms, so they are the house's: early on weekdays, late at weekends."""
    findings = found(household(days=60))
    assert {(finding.subject, finding.measures["days"]) for finding in findings} == {
        (("home",), "weekdays"),
        (("home",), "weekends"),
    }
    assert all("light.bathroom=on" in finding.measures["members"] for finding in findings)
    assert all("living" not in finding.sentence for finding in findings)


def test_absence_breaks_no_session() -> None:
    """Days on which nobody was there are not counted."""
    diary = evenings()
    for day in range(diary.days):
        for hour in np.arange(1, 18, 0.5):
            diary.pulse(day, float(hour), "light.hall", 3)
    for day in (9, 10, 11, 12):
        diary.acts.pop(day)
    (finding,) = found(diary)
    assert finding.evidence.observed == 36


def test_a_long_session_has_few_names() -> None:
    """Of seven members three are named."""
    rng = np.random.default_rng(4)
    diary = Diary(home_of({"den": [f"light.den_{place}" for place in range(7)]}), days=30)
    for day in range(30):
        start = 20 + rng.normal(0, 0.15)
        for place in range(7):
            diary.pulse(day, start + (place + rng.uniform(0, 0.5)) / 60, f"light.den_{place}", 60)
    (finding,) = found(diary)
    assert len(finding.measures["members"]) == 7
    assert finding.sentence.endswith(": the den, with the den 0 light, the den 1 light, the den 2 light and others")


@pytest.mark.parametrize("seed", range(4))
def test_nothing_in_noise(seed: int) -> None:
    """When each entity-day is shifted in a circle, no session comes back."""
    assert found(household(seed, days=40).circled(seed)) == []


def test_eleven_days_are_emerging() -> None:
    """Eleven days show a session, and say that they are few."""
    (finding,) = found(evenings(days=11))
    assert finding.stage is Stage.EMERGING


def test_the_change_of_the_clocks_changes_nothing() -> None:
    """A session at a wall time stays one session over both changes of the clocks."""
    for first in (dt.date(2026, 3, 9), dt.date(2026, 10, 5)):
        diary = evenings()
        diary.first = first
        (finding,) = found(diary)
        assert abs(finding.measures["minute"] - 1200) < 8
        assert finding.measures["days"] == "all"


def test_hostile_names_are_shown_plainly() -> None:
    """Names with quotes, newlines and emoji do no harm."""
    diary = evenings()
    names = dict(zip(DEN, ("light.a\n\"'<b>", "media_player.🛋", "switch.c; drop"), strict=True))
    diary.home = home_of({"den\n": list(names.values()), "hall": ["light.hall"]})
    for acts in diary.acts.values():
        acts[:] = [(second, names.get(entity, entity), state, cause) for second, entity, state, cause in acts]
    (finding,) = found(diary)
    assert finding.sentence.isprintable()
    assert msgspec.json.encode(finding)


def test_little_or_no_data_says_nothing() -> None:
    """No day, one day and a home with three quiet things have no sessions."""
    assert Session().detect(History([], home_of())) == []
    assert found(evenings(days=1)) == []
    diary = Diary(days=20)
    for day in range(20):
        diary.pulse(day, 12, f"light.{day % 3}", 3)
    assert found(diary) == []


def test_bad_parameters_are_refused() -> None:
    """A session cannot be shorter than nothing."""
    with pytest.raises(ValueError, match="shortest at least 1"):
        Session(shortest=0)

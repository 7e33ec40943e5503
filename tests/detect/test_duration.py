"""Durations: life tables with what was lost sight of, and limits that are not rarer than the data can say."""

import numpy as np
import pytest

from quotidian.detect import Duration
from quotidian.detect.duration import EDGES
from quotidian.model import Finding, Integers, Stage

from .building import Diary, home_of

TV, DOOR = "media_player.tv", "binary_sensor.door"


def found(diary: Diary) -> list[Finding]:
    """Give what is found."""
    detector = Duration()
    return detector.detect(diary.history(detector))


def kept(diary: Diary) -> list[tuple[Integers, dict[str, list[tuple[int, int, int]]]]]:
    """Give what each day keeps: its integers, and by token (lower edge of the age, ended, censored)."""
    detector = Duration()
    days = diary.history(detector).summaries[detector.name].days
    told = []
    for day in days.values():
        spans: dict[str, list[tuple[int, int, int]]] = {}
        columns = (day[name].tolist() for name in ("token", "bin", "ended", "censored"))
        for token, age, ended, censored in zip(*columns, strict=True):
            spans.setdefault(day.words[token], []).append((int(EDGES[age]), ended, censored))
        told.append((day, spans))
    return told


def test_a_washing_machine_runs_for_an_hour() -> None:
    """The usual length, its quartiles and the longest are told in seconds; the limit is the longest that was seen."""
    rng = np.random.default_rng(1)
    minutes = rng.normal(62, 5, 24)
    diary = Diary(days=24)
    for day, length in enumerate(minutes.tolist()):
        diary.pulse(day, 12 + rng.uniform(-3, 3), "switch.washer", length)
    (one,) = found(diary)
    seconds = minutes * 60
    assert one.subject == ("switch.washer=on",)
    for name, value in (("median", np.median(seconds)), ("lower", np.quantile(seconds, 0.25))):
        assert one.measures[name] == pytest.approx(value, rel=0.1)
    assert one.measures["longest"] == pytest.approx(seconds.max(), abs=1)
    assert one.measures["spans"] == 24
    assert one.evidence.observed == 24
    assert one.evidence.q_value is None
    assert "the longest of 24 times was" in one.sentence
    assert one.stage is Stage.ESTABLISHED


def test_ages_stand_in_eight_bins_an_octave() -> None:
    """Edges grow by an eighth of an octave, from a second to weeks; every age has its bin."""
    assert EDGES[0] == 1
    assert EDGES[-1] > 21 * 86_400
    large = EDGES[EDGES >= 64]
    assert large[1:] / large[:-1] == pytest.approx(2**0.125, rel=0.02)


def test_what_was_lost_sight_of_is_censored() -> None:
    """A span that ends in unavailability says only that it lasted so long; its table is that of brute force."""
    rng = np.random.default_rng(2)
    diary = Diary(days=30)
    spans: list[tuple[float, bool]] = []
    for day in range(30):
        length, lost = float(rng.uniform(50, 70)), day % 3 == 0
        diary.add(day, 10, TV, "on")
        diary.add(day, 10 + length / 60 / (2 if lost else 1), TV, "unavailable" if lost else "off")
        if lost:
            diary.add(day, 13, TV, "off")
        spans.append((length * 60 / (2 if lost else 1), not lost))
    (one,) = found(diary)
    assert one.measures["spans"] == sum(told for _, told in spans) == 20
    censored = sum(count for _, days in kept(diary) for rows in days.values() for *_, count in rows)
    assert censored == 10
    outlived, share, median = len(spans), 1.0, None
    for length, told in sorted(spans):
        share *= 1 - 1 / outlived if told else 1
        outlived -= 1
        if share <= 0.5 and median is None:
            median = length
    assert one.measures["median"] == pytest.approx(median, rel=0.1)


def test_a_span_over_midnight_counts_whole_on_the_day_it_ends() -> None:
    """It is as long as it was, and belongs to the day on which it ended, also several days later."""
    diary = Diary(days=5)
    diary.add(0, 22, TV, "on")
    diary.add(1, 1, TV, "off")
    diary.add(1, 20, DOOR, "on")
    diary.add(4, 8, DOOR, "off")
    days = kept(diary)
    assert [list(spans) for _, spans in days] == [[], [f"{TV}=on"], [], [], [f"{DOOR}=on"]]
    assert [int(days[place][0]["longest"][0]) for place in (1, 4)] == [3 * 3600, 60 * 3600]


@pytest.mark.parametrize(("hours", "cause", "told"), [(1, "person", True), (1, "automation", False)])
def test_only_people_end_habits(hours: float, cause: str, told: bool) -> None:
    """What an automation ended is censored: it says nothing of how long people leave it on."""
    diary = Diary(days=1)
    diary.add(0, 10, TV, "on", "person")
    diary.add(0, 10 + hours, TV, "off", cause)
    ((_, spans),) = kept(diary)
    ((_, ended, censored),) = spans[f"{TV}=on"]
    assert (bool(ended), bool(censored)) == (told, not told)


def test_what_an_automation_began_is_nobodys_habit() -> None:
    """A span that an automation began is not kept at all."""
    diary = Diary(days=1)
    diary.add(0, 10, TV, "on", "automation")
    diary.add(0, 11, TV, "off", "person")
    assert kept(diary)[0][1] == {}


def test_how_long_people_and_resting_things_stay_so_is_not_told() -> None:
    """A door that is closed, a person who is away, what sees people, a lock that is unlocked all day: none is told."""
    diary = Diary(home_of({"hall": ["binary_sensor.hall_motion"]}), days=20)
    for day in range(20):
        diary.add(day, 8, "person.anna", "not_home")
        diary.add(day, 17, "person.anna", "home")
        diary.add(day, 7, "lock.front", "unlocked")
        diary.add(day, 23, "lock.front", "locked")
        diary.pulse(day, 17, "cover.gate", 1)
        diary.pulse(day, 17, "binary_sensor.hall_motion", 2)
    assert [one.subject for one in found(diary)] == [("cover.gate=on",)]


def test_the_limit_leaves_out_one_day_in_thirty() -> None:
    """One span of hours in forty days is the longest, and not the limit; of twenty days none is left out."""
    for days, left_out in ((40, 1), (20, 0)):
        diary = Diary(days=days)
        for day in range(days):
            diary.pulse(day, 12, "switch.washer", 300 if day == 7 else 60 + day % 5)
        (one,) = found(diary)
        assert one.measures["longest"] == 300 * 60
        assert one.measures["usual"] == (65 * 60 if left_out else 300 * 60)
        assert (one.evidence.kept, one.evidence.observed) == (days - left_out, days)
        assert one.confidence == (days - left_out) / (days + 1)
        assert ("seldom over 65 min" in one.sentence) == bool(left_out)


def test_the_figures_are_interpolated_within_the_bins() -> None:
    """Spans that all fall into one bin have a median within it, and different quartiles."""
    diary = Diary(days=30)
    for day in range(30):
        diary.pulse(day, 12, "switch.washer", 60 + (day % 5) / 2)
    (one,) = found(diary)
    below = EDGES[EDGES <= 3600].max()
    assert below < one.measures["lower"] < one.measures["median"] < one.measures["upper"] < below * 2**0.125 + 1


def test_a_length_that_changed_is_no_usual_length() -> None:
    """A programme of an hour that became one of two hours has no usual length."""
    diary = Diary(days=40)
    for day in range(40):
        diary.pulse(day, 12, "switch.washer", (60 if day < 20 else 115) + day % 4)
    assert not found(diary)


@pytest.mark.parametrize("seed", range(2))
def test_the_share_of_fresh_days_lies_in_the_interval(seed: int) -> None:
    """Of the claims about fifty machines at most five miss the share that a thousand fresh days show."""
    rng = np.random.default_rng(seed)
    missed = 0
    for machine in range(50):
        diary, spread = Diary(days=36), rng.uniform(0.1, 0.5)
        for day in range(36):
            diary.pulse(day, 10, f"switch.m{machine}", float(40 * np.exp(spread * rng.standard_normal())))
        for one in found(diary):
            fresh = 2400 * np.exp(spread * rng.standard_normal(1000))
            share = float((fresh <= one.measures["usual"]).mean())
            missed += not one.evidence.low <= share <= one.evidence.high
    assert missed <= 5


def test_what_varies_widely_is_no_habit() -> None:
    """From a minute to hours: no usual duration. Too few spans: none either."""
    rng = np.random.default_rng(3)
    diary = Diary(days=30)
    for day in range(30):
        diary.pulse(day, 8, TV, float(np.exp(rng.uniform(0, 6))))
    assert not found(diary)
    diary = Diary(days=7)
    for day in range(7):
        diary.pulse(day, 8, TV, 60)
    assert not found(diary)


def test_the_counts_of_days_add_up() -> None:
    """The integers of all days together are the counts of all spans."""
    rng = np.random.default_rng(4)
    diary = Diary(days=9)
    for day in range(9):
        for hour in np.sort(rng.uniform(1, 22, 5)):
            diary.pulse(day, float(hour), DOOR, 3)
    rows = [row for _, spans in kept(diary) for row in spans.get(f"{DOOR}=on", [])]
    events = [state for _, entity, state, _ in diary.events() if (entity, state) == (DOOR, "off")]
    assert sum(ended + censored for _, ended, censored in rows) <= len(events) == 45

"""Looking back at what something did each day, to people and as data."""

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from quotidian.model import Entity, Evidence, Finding, Home, Pattern
from quotidian.model.rollup import DETECTORS
from quotidian.operate.recalling import _unknown
from quotidian.settings import Settings
from quotidian.store import connect

from .conftest import Ran, ran


def told(lived: Path, *words: object) -> Ran:
    """Ask for a history."""
    return ran("history", *words, "--data", lived)


def entity_in(lived: Path) -> str:
    """Give an entity that has a time of day."""
    (one, *_) = ran("patterns", "--kind", "time_of_day", "--json", "--data", lived).json
    return str(one["finding"]["subject"][0].partition("=")[0])


def ids(patterns: Iterable[dict[str, Any]]) -> set[str]:
    """Give the ids of patterns."""
    return {one["id"] for one in patterns}


def test_what_a_thing_did_each_day(lived: Path) -> None:
    """A line a day, newest first, with a bar an hour, and the habits that the thing has."""
    entity = entity_in(lived)
    data = told(lived, entity, "--days", 7, "--json").json
    shown = told(lived, entity, "--days", 7).output
    dates = [day["date"] for day in data["days"]]
    assert len(dates) == 7
    assert dates == sorted(dates, reverse=True)
    assert re.findall(r"\d{4}-\d\d-\d\d(?=  )", shown)[:7] == dates
    assert all(len(bars) == 24 for bars in re.findall(r"[·▁▂▃▄▅▆▇█]{2,}", shown))
    for day in data["days"]:
        figures = day["figures"]["time_of_day"]
        assert sum(figures["hourly_distribution"]) == figures["occurrences"]
    habits = ran("patterns", "--entity", entity, "--all", "--json", "--data", lived).json
    expected = {one["id"] for one in habits if one["finding"]["detector"] != "anomaly"}
    assert ids(data["habits"]) == expected
    assert all(name in shown for name in expected)


def test_how_a_habit_moved(lived: Path) -> None:
    """The times that a habit took are told in order, as its revisions have them."""
    for one in ran("patterns", "--all", "--json", "--data", lived).json:
        anchors = [step["anchor"] for step in one["history"] if step["anchor"] is not None]
        times = [f"{anchor // 60:02}:{anchor % 60:02}" for anchor in anchors]
        if len(set(times)) > 1 and one["finding"]["detector"] == "time_of_day":
            shown = told(lived, one["finding"]["subject"][0].partition("=")[0]).output
            line = next(line for line in shown.splitlines() if "→" in line and line.endswith(one["id"]))
            assert re.findall(r"\d\d:\d\d", line) == [
                time for place, time in enumerate(times) if not place or times[place - 1] != time
            ]
            return
    raise AssertionError("no habit of the simulated home moved")


def test_rooms_and_the_house_have_a_history_too(lived: Path) -> None:
    """An area tells when it was used, the house when something happened."""
    room = next(one for one in ran("patterns", "--kind", "room", "--all", "--json", "--data", lived).json)
    for name in (room["finding"]["subject"][0], "home"):
        shown = told(lived, name, "--days", 3).output
        assert len(re.findall(r"[·▁▂▃▄▅▆▇█]{24}", shown)) == 3


def test_one_detector_s_figures(lived: Path) -> None:
    """With a detector its figures are told as they are, and only its habits."""
    entity = entity_in(lived)
    data = told(lived, entity, "--detector", "sequence", "--json").json
    assert {name for day in data["days"] for name in day["figures"]} == {"sequence"}
    assert not data["habits"]
    assert "actions " in told(lived, entity, "--detector", "sequence", "--days", 14).output


def test_nobody_is_known_by_that_name(lived: Path, tmp_path: Path) -> None:
    """A slip is told with what may have been meant; so is a wrong detector, and a store that learned nothing."""
    entity = entity_in(lived)
    missing = told(lived, entity[:-1])
    assert (missing.code, missing.output) == (1, "")
    assert f"Did you mean {entity}" in missing.errors
    wrong = told(lived, entity, "--detector", "nonsense")
    assert wrong.code == 1
    assert all(name in wrong.errors for name in DETECTORS)
    source = tmp_path / "one.csv"
    source.write_bytes(b"entity_id,state,last_changed\nlight.a,on,2026-02-01T10:00:00Z\n")
    assert ran("import", source, "--data", tmp_path / "store").code == 0
    assert "No day has been learned from yet" in ran("history", "light.a", "--data", tmp_path / "store").errors


def test_habits_are_chosen(lived: Path) -> None:
    """By area, state, confidence and number; no choice shows others."""
    every = ran("patterns", "--all", "--json", "--data", lived).json
    sure = ran("patterns", "--min-confidence", 0.85, "--all", "--json", "--data", lived).json
    assert 0 < len(sure) < len(every)
    assert ids(sure) == ids(one for one in every if one["finding"]["confidence"] >= 0.85)
    room = next(one for one in every if one["finding"]["detector"] == "room")
    area = ran("patterns", "--area", room["finding"]["subject"][0], "--all", "--json", "--data", lived).json
    assert room in area
    assert 1 < len(area) < len(every)
    fading = ran("patterns", "--state", "fading", "--json", "--data", lived).json
    assert ids(fading) == ids(one for one in every if one["status"] == "fading")
    active = [one for one in every if one["status"] == "active"]
    assert ran("patterns", "--limit", 2, "--json", "--data", lived).json == active[:2]
    assert ran("patterns", "--limit", 2, "--data", lived).output.count("•") == 2
    assert "No such habits" in ran("patterns", "--entity", "light.nobody", "--data", lived).output


def test_a_slip_of_the_pen_is_noticed(lived: Path) -> None:
    """What is called nearly so is named, and never the name itself; a detector that there is not is refused."""
    assert "Did you mean kitchen?" in ran("patterns", "--area", "kitchn", "--data", lived).output
    refused = ran("patterns", "--kind", "habits", "--data", lived)
    assert refused.code == 1
    assert "There are time_of_day, " in refused.errors
    home = Home(id="x", zone="UTC", entities={"light.desk": Entity("light.desk")})
    assert "It is there, but did not change" in str(_unknown(home, "light.desk"))
    assert "Did you mean light.desk?" in str(_unknown(home, "light.dsk"))


def test_a_habit_lists_what_it_tells(tmp_path: Path) -> None:
    """With its id one sees under it what it tells better; the list has it only with ``--all``, and says by whom."""
    store = connect(tmp_path, Settings({}))
    date = dt.date(2026, 3, 2)
    finding = Finding(
        detector="room",
        subject=("hall",),
        evidence=Evidence(kept=9, observed=10, low=0.8, high=1.0),
        confidence=0.9,
        sentence="One",
    )
    one = Pattern(id="room-1", finding=finding, first_seen=date, last_seen=date, updated=date)
    other = msgspec.structs.replace(
        one, id="room-2", told_by="room-1", finding=msgspec.structs.replace(finding, sentence="Another")
    )
    store.put_patterns("daily", date, [one, other], store.nights.revision)
    store.close()
    listed = ran("patterns", "--data", tmp_path).output
    assert "One" in listed
    assert "Another" not in listed
    assert re.search(r"Another: 9 of 10 days \(told by room-1\)", ran("patterns", "--all", "--data", tmp_path).output)
    assert re.search(r"also seen as:\s+Another room-2", ran("patterns", "room-1", "--data", tmp_path).output)


def test_a_list_is_no_longer_than_a_person_reads(tmp_path: Path) -> None:
    """Twenty, and how many more there are; all of them where that is asked for."""
    store = connect(tmp_path, Settings({}))
    date = dt.date(2026, 3, 2)
    evidence = Evidence(kept=9, observed=10, low=0.8, high=1.0)
    patterns = [
        Pattern(
            id=f"room-{place:010x}",
            finding=Finding(
                detector="room", subject=(f"room {place}",), evidence=evidence, confidence=0.9, sentence=f"Room {place}"
            ),
            first_seen=date,
            last_seen=date,
            updated=date,
            told_by=None if place < 25 else "room-0000000000",
        )
        for place in range(40)
    ]
    store.put_patterns("daily", date, patterns, store.nights.revision)
    store.close()
    listed = ran("patterns", "--data", tmp_path).output
    assert listed.count("•") == 20
    assert "… and 5 more: `quotidian patterns --all`" in listed
    assert ran("patterns", "--all", "--data", tmp_path).output.count("•") == 40
    assert ran("patterns", "--limit", 22, "--data", tmp_path).output.count("•") == 22
    assert len(ran("patterns", "--json", "--data", tmp_path).json) == 40

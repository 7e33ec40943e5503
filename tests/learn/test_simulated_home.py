"""A month in a simulated home: most of what was planted is found, and where nothing was planted nothing is."""

from pathlib import Path

import msgspec
import pytest

from quotidian.detect import CoOccurrence, TimeOfDay
from quotidian.detect.statistics import around
from quotidian.learn import review
from quotidian.learn.fold import fold
from quotidian.model import Finding
from quotidian.settings import Settings
from quotidian.simulate import HabitTruth, SimulatedHome, example, simulate
from quotidian.store import connect

DETECTORS = (TimeOfDay(), CoOccurrence())


def found(directory: Path, simulated: SimulatedHome) -> list[Finding]:
    """Give what is found on the last night of a simulated home."""
    store = connect(directory, Settings({}))
    store.set_home(msgspec.structs.replace(simulated.home, id=store.home.id))
    for day, events in simulated.days():
        store.append(events)
        last = day
    fold(store, DETECTORS, last.end)
    review(store, DETECTORS, [last.date])
    findings = [pattern.finding for pattern in store.patterns()]
    store.close()
    return findings


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulatedHome, list[Finding]]:
    """Live for thirty days in a quiet edition of the demonstration's home."""
    simulated = simulate(msgspec.structs.replace(example("demo"), days=30, events_per_day=1_500))
    return simulated, found(tmp_path_factory.mktemp("month") / "store", simulated)


def told(finding: Finding) -> set[str]:
    """Give every token that a finding speaks of."""
    measures = finding.measures
    return {*finding.subject, *measures.get("members", []), *measures.get("followers", [])}


def tells(finding: Finding, habit: HabitTruth) -> bool:
    """Tell whether a finding speaks of a planted habit: its tokens, in order, and its minute where it has one."""
    if not finding.subject or not set(habit.tokens) <= told(finding):
        return False
    minute = habit.parameters.get("minute")
    if minute is None or finding.measures.get("reference") not in ("clock", "undecided"):
        return True
    return abs(float(around(finding.measures["minute"], minute))) <= 20


def test_most_planted_times_are_found(month: tuple[SimulatedHome, list[Finding]]) -> None:
    """Of the times of day that were kept on a dozen days, four of five are found, near where they were planted."""
    simulated, findings = month
    times = [one for one in findings if one.detector == "time_of_day"]
    planted = [habit for habit in simulated.truth.habits if habit.kind == "time_of_day" and len(habit.kept_dates) >= 12]
    missed = [habit.id for habit in planted if not any(tells(one, habit) for one in times)]
    assert len(planted) >= 5
    assert len(missed) <= len(planted) // 5, missed


def test_the_sun_is_not_taken_for_the_clock(month: tuple[SimulatedHome, list[Finding]]) -> None:
    """What was planted by the sun is not said to go by the clock."""
    simulated, findings = month
    for habit in simulated.truth.habits:
        if habit.kind == "time_of_day" and habit.parameters.get("reference") in ("sunrise", "sunset"):
            references = [one.measures["reference"] for one in findings if one.subject == habit.tokens]
            assert "clock" not in references, habit.id


def test_most_planted_pairs_are_found(month: tuple[SimulatedHome, list[Finding]]) -> None:
    """Of the pairs that were kept on ten days, three of four are found in their direction."""
    simulated, findings = month
    pairs = [one for one in findings if one.detector == "co_occurrence"]
    planted = [
        habit for habit in simulated.truth.habits if habit.kind == "co_occurrence" and len(habit.kept_dates) >= 10
    ]
    missed = [habit.id for habit in planted if not any(tells(one, habit) for one in pairs)]
    assert len(planted) >= 4
    assert len(missed) <= len(planted) // 4, missed


def test_what_automations_do_is_not_told(month: tuple[SimulatedHome, list[Finding]]) -> None:
    """No time of day is found of what only automations do."""
    simulated, findings = month
    people = {token for habit in simulated.truth.habits for token in habit.tokens}
    machines = {token for one in simulated.truth.automations for token in one.tokens} - people
    assert machines
    assert not [one for one in findings if one.detector == "time_of_day" and set(one.subject) & machines]


def test_a_home_without_habits_has_none(tmp_path: Path) -> None:
    """Where people do things at any time, at most one time of day is told."""
    simulated = simulate(msgspec.structs.replace(example("null"), days=30, events_per_day=1_500))
    findings = found(tmp_path / "store", simulated)
    assert sum(one.detector == "time_of_day" for one in findings) <= 1

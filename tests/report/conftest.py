"""A small home for the tests of the report: three weeks with a lamp, a door and the sun."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quotidian.detect import CoOccurrence, Detector, Duration, History, TimeOfDay, observe
from quotidian.detect.reconcile import reconcile
from quotidian.model import Area, Carry, Day, Entity, Evidence, Finding, Home, Pattern, Status, Summary
from quotidian.model.event import table_of
from quotidian.report import ReportData
from quotidian.store.protocols import LayerSize

FIRST = dt.date(2026, 3, 9)
DAYS = 21

HOME = Home(
    "home",
    "Europe/Amsterdam",
    name="Willow Lane 8",
    latitude=52.1,
    longitude=5.1,
    country="NL",
    areas={"kitchen": Area("kitchen", "Kitchen"), "hall": Area("hall", "Hall")},
    entities={
        "light.kitchen": Entity("light.kitchen", area="kitchen"),
        "light.hall": Entity("light.hall", area="hall"),
        "binary_sensor.door": Entity("binary_sensor.door", "Front door", area="hall", device_class="door"),
    },
)


def history_of(home: Home = HOME, days: int = DAYS, cause: str = "physical") -> History:
    """Fold days on which the kitchen light goes on at 06:45 and the hall light follows the door, by that cause."""
    detectors: tuple[Detector, ...] = (TimeOfDay(), CoOccurrence(), Duration())
    rows, carry, carries = [], Carry(), {detector.name: Carry() for detector in detectors}
    kept: dict[str, dict[int, Any]] = {detector.name: {} for detector in detectors}
    for number in range(days):
        day = Day.of(FIRST + dt.timedelta(days=number), home.zone)
        view, carry = observe(day, table_of(_columns(day, number, cause)), home, carry)
        rows.append(view.row)
        for detector in detectors:
            kept[detector.name][day.ordinal], carries[detector.name] = detector.fold(view, carries[detector.name])
    summaries = {one.name: Summary(one.name, one.version, kept[one.name]) for one in detectors}
    return History(rows, home, summaries)


def _columns(day: Day, number: int, cause: str) -> dict[str, list[Any]]:
    acts = [("light.kitchen", "off", 0.0), ("light.hall", "off", 0.0), ("binary_sensor.door", "off", 0.0)]
    acts += [("light.kitchen", "on", 6.75 + (number % 5) / 60), ("light.kitchen", "off", 7.5)]
    late = (7 * number % 19) / 25  # no two days are alike, or the door would go by the clock
    for hour in (9.2 + number % 3 + late, 14.1 + number % 4 + late, 18.4 + number % 2 + late):
        acts += [("binary_sensor.door", "on", hour), ("binary_sensor.door", "off", hour + 0.01)]
        acts += [("light.hall", "on", hour + 0.002), ("light.hall", "off", hour + 0.08)]
    midnight = dt.datetime.combine(day.date, dt.time(), ZoneInfo(day.zone))
    times = [int((midnight + dt.timedelta(hours=hour)).timestamp() * 1e6) for _, _, hour in acts]
    return {
        "entity_id": [entity for entity, _, _ in acts],
        "state": [state for _, state, _ in acts],
        "last_updated": times,
        "cause": [cause] * len(acts),
        "source": ["jsonl"] * len(acts),
    }


@pytest.fixture(scope="session")
def history() -> History:
    """Fold three weeks of the small home."""
    return history_of()


@pytest.fixture(scope="session")
def patterns(history: History) -> tuple[Pattern, ...]:
    """Find what there is in the small home."""
    found = [one for detector in (TimeOfDay(), CoOccurrence(), Duration()) for one in detector.detect(history)]
    return tuple(reconcile("home", [], found, history.last))


@pytest.fixture(scope="session")
def report(history: History, patterns: tuple[Pattern, ...]) -> ReportData:
    """Make the small home's report."""
    return report_of(history, patterns)


def report_of(history: History, patterns: tuple[Pattern, ...], *, demo: bool = False) -> ReportData:
    """Make a report with four layers, asked for at a fixed time."""
    last = FIRST + dt.timedelta(days=DAYS - 1)
    layers = (
        LayerSize(1, "events", 12_345, 61_000, FIRST, last),
        LayerSize(2, "daily summaries", 63, 9_000, FIRST, last),
        LayerSize(3, "weekly and monthly summaries", 0, 0, None, None),
        LayerSize(4, "patterns", len(patterns), 4_000, last, last),
    )
    return ReportData(history.home, history, patterns, layers, dt.datetime(2026, 3, 30, 4, 10, tzinfo=dt.UTC), demo)


@pytest.fixture
def pattern() -> Callable[..., Pattern]:
    """Make a pattern of any detector, with evidence that does not matter."""

    def make(detector: str, sentence: str, subject: tuple[str, ...] = ("home",), **fields: Any) -> Pattern:
        status = fields.pop("status", Status.ACTIVE)
        finding = Finding(
            detector=detector,
            subject=subject,
            evidence=Evidence(kept=9, observed=12, low=0.5, high=0.9),
            confidence=0.7,
            sentence=sentence,
            **fields,
        )
        return Pattern(
            id=f"{detector}-{sentence}",
            finding=finding,
            status=status,
            first_seen=FIRST,
            last_seen=FIRST,
            updated=FIRST,
        )

    return make

"""Two weeks of a home, folded once for every detector: what the laws are tried on."""

from functools import cache

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from quotidian.detect import Detector, detectors
from quotidian.model import Home, Summary

from .building import fold, history_of, household

every_detector = pytest.mark.parametrize("detector", detectors(), ids=lambda detector: detector.name)

#: Few examples, or as many as the profile says: see ``make test-thorough``.
some_examples = (
    settings.get_profile("thorough")
    if settings.get_current_profile_name() == "thorough"
    else settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
)


@cache
def sample() -> tuple[Home, dict[int, pa.Table]]:
    """Give a household of two weeks, with an automation and a sensor that drops out."""
    diary = household(1, 14)
    for day in range(14):
        diary.pulse(day, 19, "light.porch", 90, cause="automation")
        diary.add(day, 12, "binary_sensor.kitchen_motion", "unavailable")
        diary.add(day, 12.5, "binary_sensor.kitchen_motion", "off")
        diary.add(day, 23.99, "light.bedside", "on")
    return diary.home, diary.tables()


@cache
def folded(name: str) -> tuple[Summary, Summary]:
    """Give the rows and the summary of one pass over all days."""
    rows, summaries = fold(*sample(), [detector for detector in detectors() if detector.name == name])
    return rows, summaries.get(name, Summary(name, 1))


def told(detector: Detector, rows: Summary, summary: Summary) -> bytes:
    """Give what a detector finds, to the bit."""
    return msgspec.json.encode(detector.detect(history_of(rows, sample()[0], {detector.name: summary})))

"""Ten detectors, one file each, all pure: what they need is handed to them."""

from quotidian.detect.base import Cadence, Detector
from quotidian.detect.co_occurrence import CoOccurrence
from quotidian.detect.dayrow import ROW, ROW_VERSION, DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.duration import Duration
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.detect.reconcile import reconcile
from quotidian.detect.time_of_day import TimeOfDay

__all__ = [
    "ROW",
    "ROW_VERSION",
    "Cadence",
    "CoOccurrence",
    "DayRow",
    "DayView",
    "Detector",
    "Duration",
    "History",
    "TimeOfDay",
    "detectors",
    "observe",
    "reconcile",
]


def detectors() -> tuple[Detector, ...]:
    """Give every detector with its defaults, in the order in which habits are told."""
    return (TimeOfDay(), CoOccurrence(), Duration())

"""Ten detectors, one file each, all pure: what they need is handed to them."""

from quotidian.detect.anomaly import Anomaly
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.co_occurrence import CoOccurrence
from quotidian.detect.contextual import Contextual
from quotidian.detect.day_type import DayType
from quotidian.detect.dayrow import ROW, ROW_VERSION, DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.duration import Duration
from quotidian.detect.history import History
from quotidian.detect.observe import observe
from quotidian.detect.reconcile import reconcile
from quotidian.detect.room import Room
from quotidian.detect.seasonal import Seasonal
from quotidian.detect.sequence import ActionSequence
from quotidian.detect.session import Session
from quotidian.detect.time_of_day import TimeOfDay

__all__ = [
    "ROW",
    "ROW_VERSION",
    "ActionSequence",
    "Anomaly",
    "Cadence",
    "CoOccurrence",
    "Contextual",
    "DayRow",
    "DayType",
    "DayView",
    "Detector",
    "Duration",
    "History",
    "Room",
    "Seasonal",
    "Session",
    "TimeOfDay",
    "detectors",
    "observe",
    "reconcile",
]


def detectors() -> tuple[Detector, ...]:
    """Give every detector with its defaults: the daily ones, the weekly ones, the monthly ones."""
    return (
        TimeOfDay(),
        CoOccurrence(),
        ActionSequence(),
        Room(),
        Duration(),
        Anomaly(),
        Session(),
        DayType(),
        Contextual(),
        Seasonal(),
    )

"""Ten detectors, one file each, all pure: what they need is handed to them.

The detectors themselves are loaded when somebody asks for one: they bring a library of distributions with them, which
a service that only looks at days does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayrow import ROW, ROW_VERSION, DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.observe import observe

if TYPE_CHECKING:
    from quotidian.detect.anomaly import Anomaly
    from quotidian.detect.co_occurrence import CoOccurrence
    from quotidian.detect.contextual import Contextual
    from quotidian.detect.day_type import DayType
    from quotidian.detect.duration import Duration
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
]

#: Where each detector is, the daily ones first, then the weekly and the monthly ones.
_DETECTORS: Final = {
    "TimeOfDay": "time_of_day",
    "CoOccurrence": "co_occurrence",
    "ActionSequence": "sequence",
    "Room": "room",
    "Duration": "duration",
    "Anomaly": "anomaly",
    "Session": "session",
    "DayType": "day_type",
    "Contextual": "contextual",
    "Seasonal": "seasonal",
}


def __getattr__(name: str) -> Any:
    if name not in _DETECTORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DETECTORS[name]}"), name)


def detectors() -> tuple[Detector, ...]:
    """Give every detector with its defaults: the daily ones, the weekly ones, the monthly ones."""
    return tuple(__getattr__(name)() for name in _DETECTORS)

"""The words that everyone uses: event, day, home, summary, pattern."""

from quotidian.model.day import Day
from quotidian.model.event import Cause, CauseKind, Context, Event, Source
from quotidian.model.home import Area, Entity, Home
from quotidian.model.pattern import Evidence, Finding, Pattern, Stage, Status
from quotidian.model.summary import Carry, Integers, Summary

__all__ = [
    "Area",
    "Carry",
    "Cause",
    "CauseKind",
    "Context",
    "Day",
    "Entity",
    "Event",
    "Evidence",
    "Finding",
    "Home",
    "Integers",
    "Pattern",
    "Source",
    "Stage",
    "Status",
    "Summary",
]

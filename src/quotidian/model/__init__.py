"""The words that everyone uses: event, day, home, summary, pattern."""

from quotidian.model.day import Day
from quotidian.model.delivery import (
    Arrival,
    DeadLetter,
    Delivery,
    Enriched,
    Gap,
    GapNote,
    Heard,
    Message,
    Receipt,
    Refusal,
    RegistryNote,
)
from quotidian.model.event import Cause, CauseKind, Context, Event, Registered, Source
from quotidian.model.home import Area, Entity, Home, Snapshot
from quotidian.model.job import Job, JobKind, JobState
from quotidian.model.pattern import Evidence, Finding, Pattern, Stage, Status
from quotidian.model.rollup import RollUp
from quotidian.model.summary import Carry, Integers, Summary

__all__ = [
    "Area",
    "Arrival",
    "Carry",
    "Cause",
    "CauseKind",
    "Context",
    "Day",
    "DeadLetter",
    "Delivery",
    "Enriched",
    "Entity",
    "Event",
    "Evidence",
    "Finding",
    "Gap",
    "GapNote",
    "Heard",
    "Home",
    "Integers",
    "Job",
    "JobKind",
    "JobState",
    "Message",
    "Pattern",
    "Receipt",
    "Refusal",
    "Registered",
    "RegistryNote",
    "RollUp",
    "Snapshot",
    "Source",
    "Stage",
    "Status",
    "Summary",
]

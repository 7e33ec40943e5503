"""A home that was never built: its events, and the truth about its habits."""

from quotidian.simulate.plan import EXAMPLES, Plan, example
from quotidian.simulate.simulated import SimulatedHome, simulate
from quotidian.simulate.truth import (
    AutomationTruth,
    Consequence,
    HabitTruth,
    Occasion,
    Renaming,
    Span,
    Truth,
)
from quotidian.simulate.write import read_home, read_truth, write_csv, write_home, write_jsonl, write_truth

__all__ = [
    "EXAMPLES",
    "AutomationTruth",
    "Consequence",
    "HabitTruth",
    "Occasion",
    "Plan",
    "Renaming",
    "SimulatedHome",
    "Span",
    "Truth",
    "example",
    "read_home",
    "read_truth",
    "simulate",
    "write_csv",
    "write_home",
    "write_jsonl",
    "write_truth",
]

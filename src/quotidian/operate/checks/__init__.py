"""What `quotidian doctor` looks at: one file a theme, each a function that gives what it found."""

from quotidian.operate.checks.check import Check, State

__all__ = ["Check", "State"]

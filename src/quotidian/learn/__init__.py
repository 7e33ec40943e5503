"""From events to habits, a day at a time: fold each day once, unite weeks and months, look each night.

What learns is loaded when it is named: the service, which only starts children that learn, does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quotidian.learn.fold import Folded, Progress
    from quotidian.learn.night import Learned, backfill, daily, learn, monthly, review, weekly

__all__ = ["Folded", "Learned", "Progress", "backfill", "daily", "learn", "monthly", "review", "weekly"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = "fold" if name in ("Folded", "Progress") else "night"
    return getattr(import_module(f"{__name__}.{place}"), name)

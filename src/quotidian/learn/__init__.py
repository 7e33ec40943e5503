"""From events to habits, a day at a time: fold each day once, unite weeks and months, look each night."""

from quotidian.learn.fold import Folded, Progress, fold
from quotidian.learn.night import Learned, backfill, daily, learn, monthly, review, weekly

__all__ = ["Folded", "Learned", "Progress", "backfill", "daily", "fold", "learn", "monthly", "review", "weekly"]

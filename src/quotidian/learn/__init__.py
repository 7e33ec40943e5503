"""From events to habits, a day at a time: fold each day once, roll weeks and months up, review each night."""

from quotidian.learn.fold import Folded, fold
from quotidian.learn.night import Learned, learn, review

__all__ = ["Folded", "Learned", "fold", "learn", "review"]

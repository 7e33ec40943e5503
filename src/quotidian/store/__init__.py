"""The four layers of what is known of a home: events, daily summaries, weekly and monthly ones, patterns."""

from quotidian.store.connect import connect
from quotidian.store.protocols import Appended, Checkpoint, DayRecord, Forgotten, LayerSize, Retained, Store

__all__ = ["Appended", "Checkpoint", "DayRecord", "Forgotten", "LayerSize", "Retained", "Store", "connect"]

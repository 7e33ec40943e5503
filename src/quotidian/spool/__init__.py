"""The one durable queue: a log on disk with a cursor for each sink."""

from quotidian.spool.damage import Damage
from quotidian.spool.frame import Kind, Record
from quotidian.spool.spool import Spool

__all__ = ["Damage", "Kind", "Record", "Spool"]

"""Histories that others wrote, read into tables of events."""

from quotidian.importers.batch import Batch
from quotidian.importers.rejects import Rejects
from quotidian.importers.run import Imported, import_source
from quotidian.importers.source import Source, open_source

__all__ = ["Batch", "Imported", "Rejects", "Source", "import_source", "open_source"]

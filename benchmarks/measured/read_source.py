"""Reading a source alone, without a store."""

from benchmarks.fresh import Laps, Told
from quotidian.importers import open_source


def run(laps: Laps, where: str, zone: str) -> Told:
    """Read all batches, and let them go."""
    source = open_source(where, zone=zone)
    rows = sum(batch.table.num_rows for batch in source.read(None))
    laps.lap("read")
    return {"rows": float(rows)}

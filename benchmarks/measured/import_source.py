"""The command ``quotidian import``, as it is run by hand."""

import sys

from benchmarks.fresh import Laps
from quotidian.operate.cli import main


def run(laps: Laps, source: str, zone: str, directory: str) -> None:
    """Import a source into a new store."""
    sys.argv = ["quotidian", "import", source, "--zone", zone, "--data", directory, "--json"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"quotidian import ended with {end.code}") from end
    laps.lap("import")

"""Rows of a source that could not be used: counted, shown by example, and written to a file."""

import csv
from pathlib import Path
from typing import IO, Final

from quotidian.errors import SourceError

_EXAMPLES: Final = 3
_SHOWN: Final = 200  #: characters of a row that an example shows
_WRITTEN: Final = 2_000  #: and that the file keeps


class Rejects:
    """Rows that could not be used, by reason.

    Parameters
    ----------
    path
        Where to write them, as CSV of place, reason and row; made with the first row, ``None`` writes nothing.

    Examples
    --------
    >>> rejects = Rejects()
    >>> rejects.add("no entity id", "line 2", ",on,2026-01-01")
    >>> rejects.total, rejects.counts, rejects.examples
    (1, {'no entity id': 1}, {'no entity id': ['line 2: ,on,2026-01-01']})
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}
        self._file: IO[str] | None = None

    @property
    def total(self) -> int:
        """Rows rejected, for whatever reason."""
        return sum(self.counts.values())

    def add(self, reason: str, place: str, row: str) -> None:
        """Reject a row that stands at a place ("line 7", "state_id 12").

        Raises
        ------
        SourceError
            When the file cannot be written.
        """
        self.counts[reason] = self.counts.get(reason, 0) + 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < _EXAMPLES:
            shown.append(f"{place}: {row[:_SHOWN].rstrip()}")
        if self.path is not None:
            self._write(self.path, [place, reason, row[:_WRITTEN].rstrip("\r\n")])

    def close(self) -> None:
        """Close the file; rows may still be added, to its end."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, path: Path, row: list[str]) -> None:
        try:
            if self._file is None:
                started = sum(self.counts.values()) > 1
                # Half of a surrogate pair must not keep a row from being written down.
                self._file = path.open("a" if started else "w", encoding="utf-8", errors="backslashreplace", newline="")
                if not started:
                    csv.writer(self._file).writerow(["place", "reason", "row"])
            csv.writer(self._file).writerow(row)
        except OSError as error:
            raise SourceError(
                f"The rows that cannot be used cannot be written to {path}: {error.strerror}.",
                "Give another place for the reject file.",
            ) from error

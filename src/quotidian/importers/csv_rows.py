"""Rows of a CSV file with the lines they stand on, whatever parts their fields."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from quotidian.errors import SourceError
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import Lines, Resumption, Stream

NEEDED: Final = ("entity_id", "state", "last_changed")
_DELIMITERS: Final = (",", ";", "\t")
_LONGEST_ROW: Final = 100  #: lines; a quote without an end would swallow all that follow


class Row(NamedTuple):
    """A row's fields, and the number of the line on which it starts."""

    line: int
    fields: list[str]


class CsvRows:
    """A CSV file's rows after its header.

    Raises
    ------
    SourceError
        When the header has not the columns that are needed.
    """

    def __init__(self, stream: Stream, rejects: Rejects) -> None:
        self._lines = Lines(stream, rejects)
        self._source = iter(self._lines)
        self._rejects = rejects
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        try:
            self.columns, self._delimiter = _header(next(self._source, ""), stream.name)
        except SourceError:
            self.close()
            raise
        self.width = 1 + max(self.columns[name] for name in NEEDED)  #: fields that a row must have at least

    def __iter__(self) -> Iterator[Row]:
        reader = csv.reader(self._texts(), delimiter=self._delimiter)
        while True:
            self._taken.clear()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                fields = []
                swallowed = True
            else:
                swallowed = len(self._taken) > _LONGEST_ROW
            if swallowed:
                self._reread()
                reader = csv.reader(self._texts(), delimiter=self._delimiter)
            elif fields:
                yield Row(self._taken[0][0], fields)

    @property
    def between(self) -> bool:
        """Whether everything that was read has been handed out, so that reading may stop here and go on later."""
        return not self._again

    def skip(self, resumption: Resumption) -> bool:
        """Go on to where reading stopped; false where the lines before it are not what they were."""
        return self._lines.skip(resumption)

    def resumption(self, zone: str) -> str:
        """Give the position after the last row."""
        return self._lines.resumption(zone)

    def reject(self, row: Row, reason: str) -> None:
        """Reject a row."""
        self._rejects.add(reason, f"line {row.line}", self._delimiter.join(row.fields))

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _texts(self) -> Iterator[str]:
        while True:
            if self._again:
                number, text = self._again.popleft()
            else:
                text = next(self._source, "")
                number = self._lines.number
            if not text:
                return
            self._taken.append((number, text))
            yield text

    def _reread(self) -> None:
        """Reject the line with which a row of far too many lines began, and read the others for themselves."""
        (number, text), *rest = self._taken
        self._rejects.add("a quote without an end", f"line {number}", text)
        self._again.extendleft(reversed(rest))


def _header(line: str, name: str) -> tuple[dict[str, int], str]:
    """Read the header: where the columns stand by name, and what parts them."""
    for delimiter in _DELIMITERS:
        names = [column.strip().lower() for column in next(csv.reader([line], delimiter=delimiter), [])]
        if all(needed in names for needed in NEEDED):
            return {column: n for n, column in reversed(list(enumerate(names)))}, delimiter
    shown = ", ".join(line.strip()[:200].split(max(_DELIMITERS, key=line.count)))
    if not shown.isprintable():
        raise SourceError(f"{name} is neither a recorder database, a CSV file nor JSON lines.", "It is binary.")
    raise SourceError(
        f"{name} has not the columns of a history download: found {shown}; wanted {', '.join(NEEDED)}.",
        "Put these names into its first line.",
    )

"""Queries in Flux, and predicates of what is to be deleted, made of typed pieces; every text is escaped.

Only these functions are used, so that whatever speaks them can stand in for InfluxDB: ``from``, ``range``, ``filter``
by equality, ``keep``, ``sort``, ``limit`` and ``count``.
"""

import datetime as dt
import re
from typing import Final, Self

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: The first and the last instant of which InfluxDB has an idea, µs.
FIRST, LAST = -9_223_372_036_854_775, 9_223_372_036_854_775
#: A dollar sign, too: Flux takes it together with a backslash behind it, and what that escapes would be bare.
_SPECIAL: Final = re.compile(r'[\x00-\x1f\x7f"$\\]')
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Query:
    r"""A query of one bucket in a span of time; each method adds a step and gives the query.

    Examples
    --------
    >>> print(Query("raw", 0, 1_500_000).where("entity_id", 'light."a"').keep("_value").text)
    from(bucket: "raw")
      |> range(start: 1970-01-01T00:00:00.000000Z, stop: 1970-01-01T00:00:01.500000Z)
      |> filter(fn: (r) => r["entity_id"] == "light.\"a\"")
      |> keep(columns: ["_value"])

    Parameters
    ----------
    bucket
        Its name.
    start, stop
        From which instant (µs) to before which; what lies beyond the time that InfluxDB knows is left out.
    """

    def __init__(self, bucket: str, start: int, stop: int) -> None:
        self._steps = [
            f"from(bucket: {literal(bucket)})",
            f"range(start: {time(start)}, stop: {time(max(stop, min(start, LAST - 1) + 1))})",
        ]

    @property
    def text(self) -> str:
        """The query as text."""
        return "\n  |> ".join(self._steps)

    def where(self, column: str, *values: str) -> Self:
        """Keep the rows of which a column has one of some values."""
        tests = " or ".join(f"r[{literal(column)}] == {literal(value)}" for value in values)
        return self._then(f"filter(fn: (r) => {tests})")

    def keep(self, *columns: str) -> Self:
        """Keep some columns only."""
        return self._then(f"keep(columns: {_list(columns)})")

    def sort(self, *columns: str, descending: bool = False) -> Self:
        """Put the rows of each table in order."""
        return self._then(f"sort(columns: {_list(columns)}, desc: {'true' if descending else 'false'})")

    def limit(self, rows: int, offset: int = 0) -> Self:
        """Keep so many rows of each table, from an offset on."""
        return self._then(f"limit(n: {rows:d}, offset: {offset:d})")

    def count(self) -> Self:
        """Count the rows of each table."""
        return self._then("count()")

    def _then(self, step: str) -> Self:
        self._steps.append(step)
        return self


def literal(text: str) -> str:
    r"""Write a text as a literal of Flux.

    >>> print(literal('a "b" \\ ${c}'))
    "a \"b\" \\ \x24{c}"
    """
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    special = found.group()
    return _ESCAPED.get(special) or f"\\x{ord(special):02x}"


def time(instant: int) -> str:
    """Write an instant (µs) as RFC 3339, as Flux and the rest of the API read it.

    >>> time(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    moment = _EPOCH + dt.timedelta(microseconds=min(max(instant, FIRST), LAST))
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def until(instant: int) -> str:
    """Write the end of a span that includes an instant (µs), whether the end itself counts as within or not."""
    return time(instant)[:-1] + "001Z"


def predicate(**tags: str) -> str:
    r"""Write what the points have in common that are to be deleted: tags by name, ``measurement`` among them.

    >>> print(predicate(measurement="a_daily", home="h"))
    _measurement="a_daily" AND home="h"
    """
    named = {"_measurement" if name == "measurement" else name: value for name, value in tags.items()}
    return " AND ".join(f'{name}="{value.translate(_QUOTED)}"' for name, value in named.items())


def _list(words: tuple[str, ...]) -> str:
    return f"[{', '.join(map(literal, words))}]"

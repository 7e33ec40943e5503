"""The part of Flux that our queries are made of: a parser for it, and what each step does to tables.

Anything else is refused, so that no test passes by a query that this module only believes to understand. Table order
and row order are given as the language gives them: not at all, unless the query sorts.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from .lines import EARLIEST, LATEST, Unsigned, Value

Row = dict[str, Any]
Test = Callable[[Row], bool]

_TOKENS = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\$]|\\.|\$(?!\\))*")  # what comes of a backslash behind a $ is nothing to rely on
      | (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))
      | (?P<number>-?\d+(?:\.\d+)?)(?![\w.])
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>\|>|=>|==|[()\[\],:.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|([nrt\\"])|(\$\{)|(.))', re.DOTALL)
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_COLUMN_TYPES: Final = {str: "string", float: "double", int: "long", bool: "boolean", Unsigned: "unsignedLong"}


class FluxError(Exception):
    """A query that is wrong, or that is none of ours."""


@dataclass
class Series:
    """The values of one field of one series, by time in ns."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    field: str
    values: dict[int, Value]

    def plain(self) -> Row:
        """Give what all its rows have in common."""
        return {"_field": self.field, "_measurement": self.measurement, **dict(self.tags)}


@dataclass
class Table:
    """Rows that have the columns of the group key in common."""

    columns: list[str]
    group: list[str]
    rows: list[Row]


@dataclass
class Query:
    """A query that was understood: from a bucket, over a span of time in ns, and its further steps in order."""

    bucket: str
    start: int
    stop: int
    steps: list["Step"] = field(default_factory=list)

    def run(self, series: Sequence[Series]) -> list[Table]:
        """Apply the query to a bucket's series."""
        tables = list(self._read(series, [step for step in self.steps if isinstance(step, Filter)]))
        for step in self.steps:
            tables = step.apply(tables)
        return tables

    def _read(self, series: Sequence[Series], filters: list["Filter"]) -> Iterator[Table]:
        of_series = [one.test for one in filters if not one.of_rows]
        of_rows = [one.test for one in filters if one.of_rows]
        for one in series:
            common = {"_start": self.start, "_stop": self.stop, **one.plain()}
            if not all(test(common) for test in of_series):
                continue
            times = sorted(time for time in one.values if self.start <= time < self.stop)
            rows = [{**common, "_time": time, "_value": one.values[time]} for time in times]
            rows = [row for row in rows if all(test(row) for test in of_rows)]
            if rows:
                names = ["_field", "_measurement", *sorted(name for name, _ in one.tags)]
                yield Table(["_start", "_stop", "_time", "_value", *names], ["_start", "_stop", *names], rows)


class Filter:
    """Keep the rows that pass; done while reading already. ``of_rows`` tells that it asks for more than the series."""

    def __init__(self, test: Test, *, of_rows: bool) -> None:
        self.test, self.of_rows = test, of_rows

    def apply(self, tables: list[Table]) -> list[Table]:
        """Do nothing more."""
        return tables


class Keep:
    """Keep some columns: tables whose group keys have become equal are one table then."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def apply(self, tables: list[Table]) -> list[Table]:
        """Merge in reverse, as no order is promised."""
        merged: dict[tuple[tuple[str, Any], ...], Table] = {}
        for table in reversed(tables):
            columns = [name for name in table.columns if name in self.columns]
            group = [name for name in table.group if name in self.columns]
            rows = [{name: row[name] for name in columns} for row in table.rows]
            key = tuple((name, rows[0][name]) for name in group)
            into = merged.setdefault(key, Table(columns, group, []))
            _refuse_collision(into, rows)
            into.columns += [name for name in columns if name not in into.columns]
            into.rows += rows
        return list(merged.values())


class Sort:
    """Sort each table's rows."""

    def __init__(self, columns: list[str], descending: bool) -> None:
        self.columns, self.descending = columns, descending

    def apply(self, tables: list[Table]) -> list[Table]:
        """Sort; what a row does not have comes first."""
        for table in tables:
            table.rows.sort(key=self._key, reverse=self.descending)
        return tables

    def _key(self, row: Row) -> tuple[tuple[bool, Any], ...]:
        return tuple((row.get(name) is not None, row.get(name)) for name in self.columns)


class Limit:
    """Keep so many rows of each table."""

    def __init__(self, number: int, offset: int) -> None:
        self.first, self.last = offset, offset + number

    def apply(self, tables: list[Table]) -> list[Table]:
        """Cut."""
        for table in tables:
            table.rows = table.rows[self.first : self.last]
        return [table for table in tables if table.rows]


class Count:
    """Count each table's rows; a table without rows was none."""

    def apply(self, tables: list[Table]) -> list[Table]:
        """Give one row a table: its group key and the number."""
        for table in tables:
            common = {name: table.rows[0][name] for name in table.group}
            table.rows = [{**common, "_value": len(table.rows)}]
            table.columns = [*table.group, "_value"]
        return tables


Step = Filter | Keep | Sort | Limit | Count


def _refuse_collision(into: Table, rows: list[Row]) -> None:
    if not into.rows or not rows:
        return
    for name in set(into.rows[0]) & set(rows[0]):
        was, would_be = type(into.rows[0][name]), type(rows[0][name])
        if was is not would_be:
            types = f"{_COLUMN_TYPES[would_be]} and {_COLUMN_TYPES[was]}"
            raise FluxError(f'schema collision detected: column "{name}" is both of type {types}')


# the parser


def parse(text: str) -> Query:
    """Understand a query, or raise."""
    return _Parser(text).query()


def strings(text: str) -> list[str]:
    """Give the strings that stand in a query."""
    return [_unquoted(token) for kind, token in _tokens(text) if kind == "string"]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._asked: set[str] = set()

    def query(self) -> Query:
        query = self._source()
        while self._has("|>"):
            query.steps.append(self._step())
        if self._kind() != "end":
            raise FluxError(f"unexpected {self._text()!r}")
        return query

    def _source(self) -> Query:
        arguments = self._call("from", {"bucket": self._string})
        if not self._has("|>"):
            raise FluxError("cannot submit unbounded read; try bounding 'from' with a call to 'range'")
        span = self._call("range", {"start": self._time, "stop": self._time})
        if span["start"] >= span["stop"]:
            raise FluxError("cannot query an empty range")
        return Query(arguments["bucket"], **span)

    def _step(self) -> Step:
        name = self._text()
        if name == "filter":
            self._asked = set()
            test = self._call(name, {"fn": self._function})["fn"]
            return Filter(test, of_rows=not self._asked.isdisjoint(("_time", "_value")))
        if name == "keep":
            return Keep(self._call(name, {"columns": self._strings})["columns"])
        if name == "sort":
            found = self._call(name, {"columns": self._strings}, {"desc": self._boolean})
            return Sort(found["columns"], found.get("desc", False))
        if name == "limit":
            found = self._call(name, {"n": self._integer}, {"offset": self._integer})
            return Limit(found["n"], found.get("offset", 0))
        if name == "count":
            self._call(name, {})
            return Count()
        raise FluxError(f"{name!r} is not understood here")

    def _call(
        self, name: str, needed: dict[str, Callable[[], Any]], optional: dict[str, Callable[[], Any]] | None = None
    ) -> dict[str, Any]:
        self._expect(name)
        self._expect("(")
        known, found = needed | (optional or {}), {}
        while not self._has(")"):
            if found:
                self._expect(",")
            argument = self._take("name")
            self._expect(":")
            if argument not in known or argument in found:
                raise FluxError(f"{name} does not take {argument!r} (once)")
            found[argument] = known[argument]()
        if lacking := needed.keys() - found.keys():
            raise FluxError(f"{name} needs {', '.join(sorted(lacking))}")
        return found

    def _function(self) -> Test:
        for sign in ("(", "r", ")", "=>"):
            self._expect(sign)
        return self._any()

    def _any(self) -> Test:
        tests = [self._all()]
        while self._has("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._comparison()]
        while self._has("and"):
            tests.append(self._comparison())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _comparison(self) -> Test:
        if self._has("("):
            test = self._any()
            self._expect(")")
            return test
        column = self._column()
        self._asked.add(column)
        self._expect("==")
        value = self._literal()
        return lambda row: _equals(row.get(column), value)

    def _column(self) -> str:
        self._expect("r")
        if self._has("."):
            return self._take("name")
        self._expect("[")
        name = self._string()
        self._expect("]")
        return name

    def _literal(self) -> Value:
        kind = self._kind()
        if kind == "string":
            return self._string()
        if kind == "name":
            return self._boolean()
        written = self._take("number")
        return float(written) if "." in written else int(written)

    def _strings(self) -> list[str]:
        self._expect("[")
        strings: list[str] = []
        while not self._has("]"):
            if strings:
                self._expect(",")
            strings.append(self._string())
        return strings

    def _string(self) -> str:
        return _unquoted(self._take("string"))

    def _integer(self) -> int:
        written = self._take("number")
        if "." in written or written.startswith("-"):
            raise FluxError(f"{written} is not a number of rows")
        return int(written)

    def _boolean(self) -> bool:
        written = self._take("name")
        if written not in ("true", "false"):
            raise FluxError(f"undefined identifier {written}")
        return written == "true"

    def _time(self) -> int:
        if self._kind() == "time":
            return nanoseconds(self._take("time"))
        return max(EARLIEST, min(LATEST, int(self._take("number")) * 1_000_000_000))

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _text(self) -> str:
        return self._tokens[self._at][1]

    def _take(self, kind: str) -> str:
        found, text = self._tokens[self._at]
        if found != kind:
            raise FluxError(f"expected a {kind}, got {text!r}")
        self._at += 1
        return text

    def _has(self, text: str) -> bool:
        kind, found = self._tokens[self._at]
        if kind in ("sign", "name") and found == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._has(text):
            raise FluxError(f"expected {text!r}, got {self._text()!r}")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            raise FluxError(f"cannot be read from {text[at : at + 20]!r}")
        at = found.end()
        if found.lastgroup != "space":
            yield str(found.lastgroup), found.group()
    yield "end", "the end of the query"


def _unquoted(string: str) -> str:
    inner = string[1:-1]
    if "${" in re.sub(r"\\.", "", inner, flags=re.DOTALL):
        raise FluxError("an expression inside of a string")
    bare: list[bytes] = []
    at = 0
    for found in _ESCAPE.finditer(inner):
        byte, plain, dollar, other = found.groups()
        if other:
            raise FluxError(f"invalid escape \\{other}")
        bare.append(inner[at : found.start()].encode())
        bare.append(bytes([int(byte, 16)]) if byte else (dollar or _PLAIN[plain]).encode())
        at = found.end()
    bare.append(inner[at:].encode())
    try:
        return b"".join(bare).decode()
    except UnicodeDecodeError as error:
        raise FluxError("a string that is no UTF-8") from error


def _equals(found: Any, value: Value) -> bool:
    if found is None:
        return False
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (found, value))
    if not numbers and type(found) is not type(value):
        raise FluxError(f"unsupported binary expression: {type(found).__name__} == {type(value).__name__}")
    return bool(found == value)


def nanoseconds(written: str) -> int:
    """Read an instant as RFC 3339 writes it: in ns, within what can be stored."""
    whole, _, rest = written.partition(".")
    fraction = re.match(r"\d*", rest).group()  # type: ignore[union-attr]  # it matches nothing, too
    zone = written[len(whole) + len(fraction) + 1 :] if rest else whole[19:]
    seconds = dt.datetime.fromisoformat(whole[:19] + (zone or "Z")) - _EPOCH
    time = (seconds.days * 86_400 + seconds.seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))
    return max(EARLIEST, min(LATEST, time))


# the answer


def answer(tables: list[Table]) -> bytes:
    """Write tables as annotated CSV, as Go writes it.

    An end of a line inside of a string becomes CR LF, and a lone CR is lost.
    """
    written = io.StringIO(newline="")
    rows = csv.writer(written, lineterminator="\r\n")
    before: tuple[list[str], list[str]] | None = None
    for number, table in enumerate(tables):
        types = [_column_type(name, table.rows) for name in table.columns]
        if before != (table.columns, types):
            if before is not None:
                rows.writerow([])
            before = (list(table.columns), types)
            rows.writerow(["#datatype", "string", "long", *types])
            rows.writerow(
                ["#group", "false", "false", *("true" if c in table.group else "false" for c in table.columns)]
            )
            rows.writerow(["#default", "_result", "", *("" for _ in table.columns)])
            rows.writerow(["", "result", "table", *table.columns])
        for row in table.rows:
            rows.writerow(["", "", number, *(_cell(name, row.get(name)) for name in table.columns)])
    rows.writerow([])
    return written.getvalue().encode(errors="surrogateescape")


def _column_type(name: str, rows: list[Row]) -> str:
    if name in ("_time", "_start", "_stop"):
        return "dateTime:RFC3339"
    return _COLUMN_TYPES[next((type(row[name]) for row in rows if row.get(name) is not None), str)]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in ("_time", "_start", "_stop"):
        return rfc3339(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return str(value).replace("\r", "").replace("\n", "\r\n")


def rfc3339(time: int) -> str:
    """Write an instant (ns) as Go does: with as much of the fraction as is not zero."""
    seconds, fraction = divmod(time, 1_000_000_000)
    whole = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:09}".rstrip("0").removesuffix(".") + "Z"

"""What is written to InfluxDB, in its line protocol. ``docs/influxdb-schema.md`` explains it to those who read it.

A tag can neither be empty, hold the end of a line, nor end with a backslash, and the answer to a query does not give
every character of a text as it was. So tags are encoded where they must be, and the exact content of an event or of a
summary is in ASCII beside what people read.
"""

import datetime as dt
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec
import pyarrow as pa

from quotidian.model import Registered, RollUp
from quotidian.model.event import value_of
from quotidian.model.rollup import Figure
from quotidian.store.embedded.contents import Cadence, Row
from quotidian.store.embedded.copies import STORED_SCHEMA

#: The measurement of events.
EVENTS: Final = "home_assistant_events"
#: The field with the exact event.
RECORD: Final = "record"
#: What is longer is kept in our own files: InfluxDB takes no more in one text.
LONGEST: Final = 60_000
#: A text that people read is cut to so many characters.
_READABLE: Final = 1_000
#: Detectors whose measurements have another name than they.
_CALLED: Final = {"time_of_day": "time_based", "row": "day_row"}
_UNFIT: Final = re.compile(r'[\x00-\x1f\x7f%"\\]')
_SEPARATORS: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
#: The ordinal of 1970-01-01.
EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_DAY: Final = 86_400_000_000
_TOLD: Final = ("area", "device_class", "unit")


def tag(text: str) -> str:
    r"""Write a text as the value of a tag, so that every tool can hold it.

    An empty text is ``%``; a percent sign, a quote, a backslash or a control character becomes ``%`` and its code.

    >>> tag("light.desk"), tag("light.50%"), tag(""), tag("a\nb")
    ('light.desk', 'light.50%25', '%', 'a%0Ab')
    """
    return _UNFIT.sub(lambda found: f"%{ord(found.group()):02X}", text) or "%"


def untag(written: str) -> str:
    """Read what ``tag`` wrote.

    >>> untag("%"), untag("light.50%25")
    ('', 'light.50%')
    """
    return "" if written == "%" else unquote(written)


def events(home: str, table: pa.Table, records: Sequence[str]) -> list[bytes]:
    """Write events (a table of ``STORED_SCHEMA``) and their records, a line each."""
    columns = [table[name].to_pylist() for name in ("entity_id", "last_updated", "state", "cause", "cause_entity")]
    columns += [table[name].to_pylist() for name in ("source", "registry")]
    prefixes: dict[str, str] = {}
    told: dict[str | None, str] = {None: ""}
    lines = []
    for record, entity, updated, state, cause, actor, source, registry in zip(records, *columns, strict=True):
        if entity not in prefixes:
            prefixes[entity] = _series(EVENTS, home, entity)
        if registry not in told:
            told[registry] = _registered(registry)
        fields = f'{RECORD}="{_escaped(record)}",cause={_string(cause)},source={_string(source)}'
        if actor is not None:
            fields += f",cause_entity={_string(actor)}"
        lines.append(f"{prefixes[entity]} {fields}{told[registry]}{_state(state)} {updated:d}".encode())
    return lines


def _series(measurement: str, home: str, entity: str) -> str:
    tags = {"domain": entity.partition(".")[0], "entity_id": entity, "home": home}
    return ",".join([measurement, *(f"{name}={tag(text).translate(_SEPARATORS)}" for name, text in tags.items())])


def _registered(registry: str) -> str:
    said = msgspec.json.decode(registry, type=Registered)
    found = {name: getattr(said, name) for name in _TOLD}
    return "".join(f",{name}={_string(text)}" for name, text in found.items() if text is not None)


def _state(state: str | None) -> str:
    if state is None:
        return ""
    value = value_of(state)
    return f",state={_string(state)}" + ("" if value is None else f",value={value!r}")


def _string(text: str) -> str:
    """Write a text that people read."""
    return f'"{_escaped(_CONTROL.sub(" ", text[:_READABLE]))}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def records(table: pa.Table) -> list[str]:
    """Write each event of a table of ``STORED_SCHEMA`` exactly: its columns as a JSON array in ASCII."""
    columns = [table[name].to_pylist() for name in STORED_SCHEMA.names]
    return [_ascii(row) for row in zip(*columns, strict=True)]


def _ascii(row: tuple[Any, ...]) -> str:
    packed = msgspec.json.encode(row)
    return packed.decode() if packed.isascii() else json.dumps(row, separators=(",", ":"))


def recorded(written: Iterable[str]) -> pa.Table:
    """Read events from their records: a table of ``STORED_SCHEMA``, in the order of the records.

    Raises
    ------
    ValueError
        When one is none.
    """
    try:
        rows = msgspec.json.decode(f"[{','.join(written)}]", type=list[_Recorded])
    except msgspec.DecodeError as error:
        raise ValueError(f"not records of events: {error}") from error
    if not rows:
        return STORED_SCHEMA.empty_table()
    columns = zip(*rows, strict=True)
    return pa.Table.from_arrays(
        [_column(column, field.type) for column, field in zip(columns, STORED_SCHEMA, strict=True)],
        schema=STORED_SCHEMA,
    )


_Text = str | None
_Recorded = tuple[str, int, int | None, _Text, str, _Text, _Text, str, _Text, _Text, int | None]


def _column(values: tuple[Any, ...], kind: pa.DataType) -> Any:
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, kind)


def measurement(detector: str, cadence: Cadence) -> str:
    """Name the measurement of a detector's summaries.

    >>> measurement("time_of_day", "daily"), measurement("sequence", "weekly")
    ('time_based_daily', 'sequence_weekly')
    """
    return f"{_CALLED.get(detector, detector)}_{cadence}"


def midnight(ordinal: int) -> int:
    """Give the instant (µs) of a summary: midnight, in UTC, with which its first day starts."""
    return (ordinal - EPOCH) * _DAY


def summary(home: str, row: Row, content: bytes) -> bytes:
    """Write the packed content of a summary, in fields that are no longer than InfluxDB takes."""
    packed = b64encode(content).decode()
    fields = [f'{packed_field(n)}="{packed[n * LONGEST :][:LONGEST]}"' for n in range(chunks(content))]
    series = f"{measurement(row.detector, row.cadence)},home={tag(home).translate(_SEPARATORS)}"
    return f"{series} version={row.version:d}i,{','.join(fields)} {midnight(row.start):d}".encode()


def chunks(content: bytes) -> int:
    """Tell how many fields a content takes."""
    return max(1, -(-(-(-len(content) // 3) * 4) // LONGEST))


def packed_field(number: int) -> str:
    """Name a field of a summary's content: the first is ``packed``.

    >>> packed_field(0), packed_field(1)
    ('packed', 'packed_1')
    """
    return f"packed_{number}" if number else "packed"


def unpacked(fields: Mapping[str, str], number: int) -> bytes | None:
    """Read a content from its fields, of which there are so many; ``None`` when it is not there or damaged."""
    try:
        return b64decode("".join(fields[packed_field(n)] for n in range(number)), validate=True)
    except (KeyError, ValueError):
        return None


def rollup(home: str, one: RollUp) -> bytes:
    """Write what a summary says of one entity in readable figures."""
    fields = ",".join(f"{tag(name).translate(_SEPARATORS)}={_figure(figure)}" for name, figure in one.figures.items())
    series = _series(measurement(one.detector, "daily"), home, one.entity_id)
    return f"{series} {fields} {midnight(one.date.toordinal()):d}".encode()


def _figure(figure: Figure) -> str:
    """Write numbers as floats, so that a whole one is of the same type as others; and lists as JSON."""
    if isinstance(figure, str):
        return _string(figure)
    if isinstance(figure, int | float):
        return repr(float(figure))
    return _string(json.dumps([*figure], separators=(",", ":")))

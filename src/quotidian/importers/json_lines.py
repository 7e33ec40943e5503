"""JSON lines: Home Assistant's own state_changed events, or the events that Quotidian writes."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from quotidian.errors import CorruptSourceError
from quotidian.homeassistant.cause import REMOTE_DOMAINS, Causes, Trace
from quotidian.homeassistant.moments import micros
from quotidian.importers.batch import BYTES, Attributes, Batch, batches, entity_fault, horizon
from quotidian.importers.place import Place
from quotidian.importers.rejects import Rejects
from quotidian.importers.stream import Lines, Resumption, Stream, absolute
from quotidian.model import Cause, CauseKind, Home, Source
from quotidian.model.day import instant
from quotidian.model.event import EVENT_SCHEMA, Registered, table_of
from quotidian.model.home import domain_of

_CHUNK: Final = 20_000  #: rows held at once
_SOURCES: Final = frozenset(source.value for source in Source)

Record = dict[str, Any]


class _Unusable(Exception):  # noqa: N818 - a row's, never seen outside
    """Says why a row cannot be used."""


class _Row(NamedTuple):
    """One row of ``EVENT_SCHEMA``."""

    entity_id: str
    last_updated: int
    last_changed: int | None
    state: str | None
    cause: str
    cause_entity: str | None
    user: str | None
    source: str
    attributes: str | None
    registry: str | None = None


class JsonLines:
    """Events as lines of JSON, as Home Assistant's WebSocket sends them or as Quotidian writes them.

    Other messages and events between them are passed over; those that tell causes are listened to.
    """

    kind = "JSON lines"
    total: int | None = None

    def __init__(self, stream: Stream, place: Place, rejects: Rejects, attributes: Attributes) -> None:
        self.key = f"jsonl:{absolute(stream.where)}"
        self.rejects = rejects
        self.warnings = place.warnings
        self._stream, self._place, self._attributes = stream, place, attributes

    def home(self, home: Home) -> Home:
        """Lay the zone over a home."""
        return self._place.home(home)

    def read(self, position: str | None) -> Iterator[Batch]:
        """Hand out the events behind a position; all where the lines before it are not the same any more.

        Raises
        ------
        CorruptSourceError
            After the last good line of a damaged file.
        """
        lines = self._lines(Resumption.of(position))
        try:
            yield from batches(self._tables(lines), lambda: lines.resumption(self._place.zone))
        finally:
            lines.close()

    def _lines(self, before: Resumption | None) -> Lines:
        lines = Lines(self._stream, self.rejects)
        if before is None or not self._stream.repeatable or lines.skip(before):
            return lines
        lines.close()
        return Lines(self._stream, self.rejects)

    def _tables(self, lines: Lines) -> Iterator[pa.Table]:
        causes, latest = self._heard(lines), horizon()
        rows: list[_Row] = []
        size, damage = 0, None
        try:
            for text in lines:
                rows.extend(self._rows(text, lines.number, causes, latest))
                size += len(text)
                if len(rows) >= _CHUNK or size >= BYTES:
                    yield _table(rows)
                    causes.forget_calls(max((row.last_updated for row in rows), default=0))
                    rows, size = [], 0
        except CorruptSourceError as error:
            damage = error
        if size:
            yield _table(rows)
        if damage is not None:
            raise damage

    def _heard(self, lines: Lines) -> Causes:
        """Listen again to what was said just before the place where reading goes on."""
        causes = Causes(self._place.machines)
        for line in lines.skipped:
            with suppress(msgspec.DecodeError, RecursionError, _Unusable):
                messages = msgspec.json.decode(line)
                for message in messages if isinstance(messages, list) else [messages]:
                    self._row(message, causes)
        return causes

    def _rows(self, text: str, number: int, causes: Causes, latest: int) -> Iterator[_Row]:
        """Read a line: one message, or a list of them."""
        place = f"line {number}"
        try:
            messages = msgspec.json.decode(text) if text.strip() else []
        except msgspec.DecodeError:
            self.rejects.add("not JSON", place, text)
            return
        except RecursionError:
            self.rejects.add("nested too deeply", place, text)
            return
        for message in messages if isinstance(messages, list) else [messages]:
            try:
                row = self._row(message, causes)
            except _Unusable as unusable:
                self.rejects.add(str(unusable), place, text)
                continue
            if row is not None and row.last_updated > latest:
                self.rejects.add("a time in the future", place, text)
            elif row is not None:
                yield row

    def _row(self, message: Any, causes: Causes) -> _Row | None:
        if not isinstance(message, dict):
            raise _Unusable("not an event")
        event = message["event"] if isinstance(message.get("event"), dict) else message
        kind = event.get("event_type")
        if kind == "state_changed":
            return self._changed(event, causes)
        if isinstance(kind, str):
            trace, fired = _trace(event.get("context")), self._time(event.get("time_fired"))
            if trace is not None and fired is not None:
                causes.heard(kind, _record(event.get("data")), trace, fired)
            return None
        if "entity_id" in event:
            return self._flat(event)
        if "type" in event:
            return None  # what else is said on a WebSocket: results, pongs
        raise _Unusable("not an event")

    def _changed(self, event: Record, causes: Causes) -> _Row:
        """Read Home Assistant's own event. A removal has no new state, and happened when it was fired."""
        data = _record(event.get("data"))
        new = data.get("new_state")
        state = _record(new)
        updated = self._time(state.get("last_updated") or event.get("time_fired"))
        entity_id = _checked(data.get("entity_id") or state.get("entity_id"))
        if updated is None:
            raise _Unusable("not a time")
        word = None if new is None else _state(state.get("state"))
        trace = _trace(event.get("context")) or _trace(state.get("context"))
        if trace is not None and domain_of(entity_id) in REMOTE_DOMAINS:
            causes.pressed(trace)
        cause = causes.cause(entity_id, word, trace, updated)
        changed, kept = self._columns(state, updated)
        return _Row(entity_id, updated, changed, word, *_words(cause), Source.JSONL.value, kept)

    def _flat(self, event: Record) -> _Row:
        """Read an event as Quotidian writes it, or a state by itself."""
        entity_id, updated = _checked(event.get("entity_id")), self._time(event.get("last_updated"))
        if updated is None:
            raise _Unusable("not a time")
        word = _state(event["new_state"] if "new_state" in event else event.get("state"))
        source = event["source"] if event.get("source") in _SOURCES else Source.JSONL.value
        changed, kept = self._columns(event, updated)
        cause = _words(_cause(event.get("cause")))
        return _Row(entity_id, updated, changed, word, *cause, source, kept, _registry(event))

    def _columns(self, state: Record, updated: int) -> tuple[int | None, str | None]:
        """Give what is left of a state's record: when it changed, if at another time, and the attributes kept."""
        told = state.get("last_changed")
        changed = None if told == state.get("last_updated") else self._time(told)
        return None if changed == updated else changed, self._attributes.picked(_record(state.get("attributes")))

    def _time(self, value: object) -> int | None:
        """Read a time: whole numbers are µs (ours), others seconds, text is ISO 8601."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return micros(value)
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            self._assume_zone()
            moment = moment.replace(tzinfo=ZoneInfo(self._place.zone))
        return instant(moment)

    def _assume_zone(self) -> None:
        sentence = f"Times that name no zone were read as {self._place.zone}."
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def _table(rows: list[_Row]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in EVENT_SCHEMA)
    return table_of(dict(zip(_Row._fields, map(list, columns), strict=True)))


def _checked(entity_id: object) -> str:
    text = entity_id if isinstance(entity_id, str) else None
    fault = entity_fault(text)
    if text is None or fault is not None:
        raise _Unusable(fault or "no entity id")
    return text


def _state(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise _Unusable("a state that is not text")


def _cause(value: object) -> Cause:
    """Read a cause: the word alone, or the whole record."""
    try:
        return msgspec.convert({"kind": value} if isinstance(value, str) else value or {}, Cause)
    except msgspec.ValidationError:
        return Cause(CauseKind.UNKNOWN)


def _registry(event: Record) -> str | None:
    """Read what the registries said when the event was written down."""
    try:
        said = msgspec.convert(event, Registered)
    except msgspec.ValidationError:
        return None
    return None if said == Registered() else msgspec.json.encode(said).decode()


def _words(cause: Cause) -> tuple[str, str | None, str | None]:
    return cause.kind.value, cause.entity, cause.user


def _trace(context: object) -> Trace | None:
    told = _record(context)
    key = told.get("id")
    return Trace(key, told.get("parent_id"), told.get("user_id")) if isinstance(key, str) else None


def _record(value: object) -> Record:
    return value if isinstance(value, dict) else {}

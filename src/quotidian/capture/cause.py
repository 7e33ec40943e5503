"""Records of the spool as messages to enrich, each change with its cause."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec

from quotidian.homeassistant.cause import REMOTE_DOMAINS, TELLING_EVENTS, Causes, Trace
from quotidian.model import Cause, CauseKind, Gap, GapNote, Heard, Message, RegistryNote, Snapshot, Source
from quotidian.model.day import SECOND, instant
from quotidian.model.home import domain_of
from quotidian.spool import Kind, Record

#: States of an entity of which nothing is known: whatever comes after one is no act.
LOST_STATES: Final = frozenset({"unavailable", "unknown"})
#: How state changes begin in Home Assistant's JSON: most of what is heard.
STATE_CHANGED: Final = b'{"event_type":"state_changed"'
_FORGETTING: Final = 60 * SECOND
_PRESSED: Final = tuple(
    STATE_CHANGED + b',"data":{"entity_id":"' + domain.encode() + b"." for domain in sorted(REMOTE_DOMAINS)
)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class _Context(msgspec.Struct):
    id: str
    parent_id: str | None = None
    user_id: str | None = None


class _Old(msgspec.Struct):
    state: str


class _New(msgspec.Struct):
    state: str
    last_updated: Moment


class _Changed(msgspec.Struct):
    entity_id: str
    old_state: _Old | None = None
    new_state: _New | None = None


class _StateChanged(msgspec.Struct):
    data: _Changed
    time_fired: Moment
    context: _Context


class _Any(msgspec.Struct):
    """An event of any type: only its type must be there."""

    event_type: str


class _Telling(msgspec.Struct):
    data: dict[str, Any]
    time_fired: Moment
    context: _Context


class _Filled(msgspec.Struct):
    cause: Cause
    event: msgspec.Raw


_STATE_CHANGE: Final = msgspec.json.Decoder(_StateChanged)
_ANY: Final = msgspec.json.Decoder(_Any)
_TELLING: Final = msgspec.json.Decoder(_Telling)
_FILLED: Final = msgspec.json.Decoder(_Filled)
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_SNAPSHOT: Final = msgspec.json.Decoder(Snapshot)
_GAP: Final = msgspec.json.Decoder(Gap)


class Settler:
    """Makes messages of records, in the order of their numbers: what an event tells counts for those after it.

    Parameters
    ----------
    machines
        Ids of users that the settings call programs.
    """

    def __init__(self, machines: Iterable[str] = ()) -> None:
        self._set = frozenset(machines)
        self._causes = Causes(self._set)
        self._complete: bool | None = None
        self._forgotten = 0

    def know(self, machines: Iterable[str], members: Mapping[str, tuple[str, ...]], *, complete: bool) -> None:
        """Take in who is no person, which entities are in which area, and whether telling events reach us now."""
        self._causes.know(self._set | frozenset(machines), members)
        self._causes.complete = self._complete = complete

    def remember(self, records: Iterable[Record], last: int) -> None:
        """Listen again to what was settled already, up to a number, so that what follows from it is known."""
        for record in records:
            if record.seq > last:
                return
            if record.kind is Kind.LIVE and _tells(record.payload):
                self._heard(record)

    def message(self, record: Record) -> Message | None:
        """Make a message of a record; ``None`` when it only told something of others."""
        try:
            return self._message(record)
        except _UNREADABLE:
            return Heard(seq=record.seq, arrived=record.arrived, source=Source.LIVE, text=text_of(record.payload))

    def _message(self, record: Record) -> Message | None:
        seq, arrived, kind, payload = record
        if kind == Kind.LIVE:
            return self._heard(record)
        if kind == Kind.FILLED:
            told = _FILLED.decode(payload)
            return Heard(seq=seq, arrived=arrived, source=Source.HISTORY, cause=told.cause, event=told.event)
        if kind == Kind.MANUAL:
            cause, event = Cause(CauseKind.MANUAL), _checked(payload)
            return Heard(seq=seq, arrived=arrived, source=Source.LIVE, cause=cause, event=event)
        if kind == Kind.REGISTRIES:
            return RegistryNote(seq=seq, arrived=arrived, snapshot=_SNAPSHOT.decode(payload))
        if kind == Kind.GAP:
            return GapNote(seq=seq, arrived=arrived, gap=_GAP.decode(payload))
        return Heard(seq=seq, arrived=arrived, source=Source.LIVE, text=text_of(payload))

    def _heard(self, record: Record) -> Heard | None:
        seq, arrived, _, payload = record
        event_type = "state_changed" if payload.startswith(STATE_CHANGED) else _type(payload)
        cause = Cause()
        if event_type == "state_changed":
            cause = self._cause(payload)
        elif event_type is not None:
            if event_type in TELLING_EVENTS:
                self._listen(event_type, payload)
            return None
        return Heard(seq=seq, arrived=arrived, source=Source.LIVE, cause=cause, event=_checked(payload))

    def _cause(self, payload: bytes) -> Cause:
        """Tell who made a change. Of one that is not as it should be, nothing is known; enrich says what is wrong."""
        try:
            event = _STATE_CHANGE.decode(payload)
        except msgspec.ValidationError:
            return Cause()
        data, new = event.data, event.data.new_state
        trace = Trace(event.context.id, event.context.parent_id, event.context.user_id)
        if domain_of(data.entity_id) in REMOTE_DOMAINS:
            self._causes.pressed(trace)
        if new is not None and restored(None if data.old_state is None else data.old_state.state, new.state):
            return Cause(CauseKind.RESTORED)
        time = instant(event.time_fired if new is None else new.last_updated)
        self._forget(time)
        return self._causes.cause(data.entity_id, None if new is None else new.state or None, trace, time)

    def _listen(self, event_type: str, payload: bytes) -> None:
        try:
            event = _TELLING.decode(payload)
        except msgspec.ValidationError:
            return  # an event of that name that somebody else fires
        trace = Trace(event.context.id, event.context.parent_id, event.context.user_id)
        self._causes.heard(event_type, event.data, trace, instant(event.time_fired))
        if self._complete is not None:  # one that was heard with an earlier token says nothing of this one
            self._causes.complete = self._complete

    def _forget(self, time: int) -> None:
        if abs(time - self._forgotten) > _FORGETTING:
            self._forgotten = time
            self._causes.forget_calls(time)


def restored(old: str | None, new: str) -> bool:
    """Tell whether an entity came back: it was not there, or not known, before. Nobody acted."""
    return new not in LOST_STATES and (old is None or old in LOST_STATES)


def fired(payload: bytes) -> int | None:
    """Give when a state was changed, by Home Assistant's clock (µs); ``None`` of what is not such a change."""
    try:
        event = _STATE_CHANGE.decode(payload)
    except _UNREADABLE:
        return None
    new = event.data.new_state
    return instant(event.time_fired if new is None else new.last_updated)


def text_of(payload: bytes) -> str:
    """Give bytes as text, whatever they are."""
    return payload.decode("utf-8", "replace")


def _tells(payload: bytes) -> bool:
    return not payload.startswith(STATE_CHANGED) or payload.startswith(_PRESSED)


def _type(payload: bytes) -> str | None:
    try:
        return _ANY.decode(payload).event_type
    except msgspec.ValidationError:
        return None


def _checked(payload: bytes) -> msgspec.Raw:
    """Make sure that it is JSON in UTF-8, so that it cannot spoil the delivery that it travels in."""
    if not payload.isascii():
        payload.decode()
    return _RAW.decode(payload)

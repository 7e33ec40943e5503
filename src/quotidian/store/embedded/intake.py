"""What of a batch is kept at all, and on which days it falls."""

import datetime as dt
import fnmatch
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.errors import SourceError
from quotidian.model import Day, Registered, Source
from quotidian.model.arrays import Bools
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.model.event import EVENT_SCHEMA
from quotidian.settings import Settings
from quotidian.store.embedded.arrow import arrow, chosen, instants, ordered
from quotidian.store.embedded.copies import Coded, lags, stored

_DAY: Final = DAY_SECONDS * SECOND
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
#: For so many entities it is remembered whether they are kept.
_REMEMBERED: Final = 16_384
_SOURCES: Final = frozenset(Source)


class Intake:
    """The filters and the attribute allow-list of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._include = _pattern(settings.words("QUOTIDIAN_INCLUDE"))
        self._exclude = _pattern(settings.words("QUOTIDIAN_EXCLUDE"))
        self._attributes = sorted(set(settings.words("QUOTIDIAN_ATTRIBUTES")))
        self.wants = lru_cache(maxsize=_REMEMBERED)(self._wants)

    def kept(self, events: pa.Table) -> pa.Table:
        """Give what is kept of events, as a table of ``STORED_SCHEMA``.

        Raises
        ------
        ValueError
            When it is not a table of ``EVENT_SCHEMA``, or null where there must be a value.
        SourceError
            When an attribute text is not a JSON object.
        """
        events = _checked(events).unify_dictionaries().combine_chunks()
        entities = Coded.of(events["entity_id"])
        wanted = np.array([self.wants(name) for name in entities.spelled()], bool)
        if not wanted.all():
            events = chosen(events, wanted[entities.codes])
        return stored(self._trimmed(events))

    def _wants(self, entity_id: str) -> bool:
        """Tell whether an entity is to be kept."""
        if self._include and not self._include.fullmatch(entity_id):
            return False
        return not (self._exclude and self._exclude.fullmatch(entity_id))

    def _trimmed(self, events: pa.Table) -> pa.Table:
        lag = lags(events)
        changed = events["last_changed"].combine_chunks()
        if changed.null_count < len(changed):
            updated = instants(events)
            changed = arrow(updated - lag, lag == 0)
        events = events.set_column(2, EVENT_SCHEMA.field("last_changed"), changed)
        for name, spell in (("attributes", self._allowed_text), ("registry", _registry_text)):
            place = EVENT_SCHEMA.get_field_index(name)
            events = events.set_column(place, EVENT_SCHEMA.field(name), _respelled(events[name], spell))
        return events

    def _allowed_text(self, text: str) -> str | None:
        try:
            attributes = _object.decode(text)
            kept = {name: msgspec.json.decode(attributes[name]) for name in self._attributes if name in attributes}
        except (msgspec.DecodeError, UnicodeError) as error:
            raise SourceError(f"Attributes are not a JSON object: {text[:80]!r}.", f"({error})") from error
        return self.attributes_text(kept)

    def attributes_text(self, attributes: Mapping[str, Any]) -> str | None:
        """Give the allowed ones of an event's attributes as text: one spelling for one value."""
        kept = {name: attributes[name] for name in self._attributes if name in attributes}
        return msgspec.json.encode(kept, order="sorted").decode() if kept else None


def _respelled(column: Any, spell: Callable[[str], str | None]) -> Any:
    """Spell each word of a column otherwise."""
    texts = Coded.of(column)
    kept = pa.array([spell(text) for text in texts.spelled()], pa.string())
    indices = arrow(texts.codes.astype(np.int32), texts.codes < 0)
    once = kept.dictionary_encode()
    return pa.DictionaryArray.from_arrays(once.indices.take(indices), once.dictionary)


def _registry_text(text: str) -> str | None:
    try:
        said = msgspec.json.decode(text, type=Registered)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise SourceError(f"What the registries said is not understood: {text[:80]!r}.", f"({error})") from error
    return None if said == Registered() else msgspec.json.encode(said).decode()


_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(fnmatch.translate, words))) if words else None


def _checked(events: pa.Table) -> pa.Table:
    if not events.schema.equals(EVENT_SCHEMA):
        raise ValueError(f"not a table of events: {events.schema}")
    for field in EVENT_SCHEMA:
        if not field.nullable and events[field.name].null_count:
            raise ValueError(f"an event has no {field.name}")
    unknown = set(Coded.of(events["source"].unify_dictionaries()).spelled()) - _SOURCES
    if unknown:
        raise ValueError(f"no such source of events: {min(unknown)!r}")
    return events


def days_of(events: pa.Table, zone: str) -> Iterator[tuple[Day, pa.Table]]:
    """Part events by the local days of a zone, oldest first.

    Raises
    ------
    SourceError
        When an event lies outside the calendar.
    """
    updated = instants(events)
    days = _days(np.unique(updated // _DAY).tolist(), zone)
    place = np.searchsorted(np.array([day.start for day in days], np.int64), updated, "right") - 1
    if np.any(np.diff(place) < 0):
        order = np.argsort(place, kind="stable")
        events, place = ordered(events, order), place[order]
    bounds = np.flatnonzero(np.diff(place, prepend=-1, append=-1))
    for start, end in itertools.pairwise(bounds.tolist()):
        yield days[place[start]], events.slice(start, end - start)


def _days(utc: list[int], zone: str) -> list[Day]:
    ordinals = sorted({_EPOCH + number + near for number in utc for near in (-1, 0, 1)})
    try:
        return [Day.from_ordinal(ordinal, zone) for ordinal in ordinals]
    except (ValueError, OverflowError) as error:
        raise SourceError("An event has a time outside the calendar.", "Leave out rows with such times.") from error


def between(events: pa.Table, start: int, end: int) -> Bools:
    """Tell which events have start <= last updated < end, in µs."""
    updated = instants(events)
    return np.logical_and(start <= updated, updated < end)

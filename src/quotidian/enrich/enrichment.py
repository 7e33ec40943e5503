"""Messages into events: a function of the messages and of what the registries said, and of nothing else."""

from collections.abc import Collection
from typing import Final

import msgspec

from quotidian.enrich.snapshots import Snapshots
from quotidian.enrich.unusable import Reason, Unusable
from quotidian.enrich.validate import Change, Validator
from quotidian.model import Cause, CauseKind, Entity, Event, Source
from quotidian.model.delivery import LONGEST_TEXT, Arrival, DeadLetter, Delivery, Enriched, GapNote, Heard, RegistryNote
from quotidian.model.event import event_id, value_of
from quotidian.model.home import Snapshot

_MOST_TEXT: Final = 2_000  #: characters of a dead letter that are kept


class Enrichment:
    """Makes events of messages.

    Parameters
    ----------
    home
        The home's id, as the store has it: events are named after it.
    attributes
        The names of the attributes that are kept.
    snapshots
        What the registries said; what a delivery tells of them is added.
    """

    def __init__(self, home: str, attributes: Collection[str], snapshots: Snapshots) -> None:
        self.validator: Final = Validator(attributes)
        self._home = home
        self._snapshots = snapshots

    def enriched(self, delivery: Delivery) -> Enriched:
        """Make of each message an event, a dead letter or a note, under the same numbers."""
        notes = [self._ours(one.snapshot) for one in delivery.messages if isinstance(one, RegistryNote)]
        for snapshot in notes:  # before the events: these may have come first and still belong behind it
            self._snapshots.add(snapshot)
        events, letters = [], []
        for message in delivery.messages:
            if isinstance(message, Heard):
                try:
                    events.append(self._arrival(message))
                except Unusable as unusable:
                    letters.append(dead_letter(message, unusable.reason))
        gaps = [one.gap for one in delivery.messages if isinstance(one, GapNote)]
        return Enriched(
            stream=delivery.stream,
            first=delivery.first,
            last=delivery.last,
            follows=delivery.follows,
            events=events,
            letters=letters,
            snapshots=notes,
            gaps=gaps,
        )

    def event(self, change: Change, cause: Cause, source: Source) -> Event:
        """Describe a change as the registries did when it happened."""
        home = self._snapshots.at(change.last_updated)
        known: Entity | None = None if home is None else home.entities.get(change.entity_id)
        area = None if home is None or known is None or known.area is None else home.areas.get(known.area)
        return Event(
            event_id=event_id(self._home, change.entity_id, change.last_updated),
            home=self._home,
            entity_id=change.entity_id,
            old_state=change.old_state,
            new_state=change.new_state,
            attributes=change.attributes,
            last_changed=change.last_changed,
            last_updated=change.last_updated,
            context=change.context,
            cause=cause,
            source=source,
            area=known.area if known else None,
            floor=area.floor if area else None,
            device=known.device if known else None,
            device_class=change.device_class or (known.device_class if known else None),
            labels=known.labels if known else (),
            unit=change.unit or (known.unit if known else None),
            value=value_of(change.new_state),
        )

    def _arrival(self, heard: Heard) -> Arrival:
        if heard.text is not None:
            raise Unusable(_fault(heard.text))
        by_hand = heard.cause.kind is CauseKind.MANUAL
        change = self.validator.validate(heard.event, heard.arrived if by_hand else None)
        return Arrival(seq=heard.seq, arrived=heard.arrived, event=self.event(change, heard.cause, heard.source))

    def _ours(self, snapshot: Snapshot) -> Snapshot:
        """Give a snapshot the home's id: whoever asks the registries does not know it."""
        return Snapshot(snapshot.since, msgspec.structs.replace(snapshot.home, id=self._home))


def dead_letter(heard: Heard, reason: Reason) -> DeadLetter:
    """Make a dead letter of a message; what is long is cut."""
    text = bytes(heard.event).decode("utf-8", "replace") if heard.text is None else heard.text
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT]}… ({len(text):,} characters)"
    return DeadLetter(seq=heard.seq, arrived=heard.arrived, reason=reason.value, text=text)


def _fault(text: str) -> Reason:
    """Tell why capture handed a message on as mere text."""
    try:
        msgspec.json.decode(text)
    except RecursionError:
        return Reason.TOO_DEEP
    except (msgspec.DecodeError, UnicodeError):
        return Reason.NOT_JSON if len(text) < LONGEST_TEXT else Reason.TOO_LARGE
    return Reason.NOT_AN_EVENT

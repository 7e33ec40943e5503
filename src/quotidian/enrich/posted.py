"""Events that people and programs post by themselves: one or many, whole or flat."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quotidian.enrich.enrichment import Enrichment, dead_letter
from quotidian.enrich.normalise import text_of
from quotidian.enrich.unusable import Reason, Unusable
from quotidian.enrich.validate import Change
from quotidian.model import Cause, CauseKind, Source
from quotidian.model.delivery import Arrival, DeadLetter, Enriched, Heard

#: The stream of everything that is posted to enrich itself.
STREAM: Final = "by-hand"
_PROBE: Final = "Taken as a probe: it is no change of state, so it is counted and not stored."


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one posted event: ``event_id`` when it is stored, ``error`` when not, ``note`` for a probe."""

    event_id: str | None = None
    error: str | None = None
    note: str | None = None


class Posted(msgspec.Struct, frozen=True):
    """What a post means: outcomes in its order, and what of it goes to the store."""

    outcomes: tuple[Outcome, ...]
    arrivals: tuple[Arrival, ...]
    letters: tuple[DeadLetter, ...]

    @property
    def status(self) -> int:
        """The answer's status: 200 when all were taken, 422 when none was, 207 in between."""
        refused = sum(outcome.error is not None for outcome in self.outcomes)
        if not refused:
            return 200
        return 422 if refused == len(self.outcomes) else 207

    def enriched(self, before: int) -> Enriched | None:
        """Give what goes to the store, numbered on from the stream's last number; ``None`` when that is nothing."""
        last = before + len(self.arrivals) + len(self.letters)
        if last == before:
            return None
        return Enriched(
            stream=STREAM,
            first=before + 1,
            last=last,
            events=[msgspec.structs.replace(one, seq=before + one.seq) for one in self.arrivals],
            letters=[msgspec.structs.replace(one, seq=before + one.seq) for one in self.letters],
        )


class Form(msgspec.Struct, omit_defaults=True):
    """An event as it may be posted, unchecked.

    Flat: ``entity_id``, ``state`` (or ``new_state``) and ``timestamp`` (or ``last_updated``). Whole, as Home Assistant
    sends it: ``event_type`` and ``data``, also within the ``event`` of a message.
    """

    event: Any = None
    event_type: Any = None
    data: Any = None
    entity_id: Any = None
    state: Any = None
    new_state: Any = None
    old_state: Any = None
    attributes: Any = None
    timestamp: Any = None
    last_changed: Any = None
    last_updated: Any = None
    context: Any = None


def posted(messages: Sequence[msgspec.Raw], arrived: int, enrichment: Enrichment) -> Posted:
    """Read posted messages: Home Assistant's own events, flat ones, or others, which are probes.

    A flat event is ``{"entity_id", "state", "timestamp"}`` (now, if it has no time) or as the store gives it.
    All are caused by hand, so that nothing is learned from them.
    """
    outcomes: list[Outcome] = []
    arrivals: list[Arrival] = []
    letters: list[DeadLetter] = []
    for message in messages:
        seq = len(arrivals) + len(letters) + 1
        try:
            change = _change(message, arrived, enrichment)
        except Unusable as unusable:
            heard = Heard(seq=seq, arrived=arrived, source=Source.LIVE, event=message)
            letters.append(dead_letter(heard, unusable.reason))
            outcomes.append(Outcome(error=unusable.reason.value))
            continue
        if change is None:
            outcomes.append(Outcome(note=_PROBE))
            continue
        event = enrichment.event(change, Cause(CauseKind.MANUAL), Source.LIVE)
        arrivals.append(Arrival(seq=seq, arrived=arrived, event=event))
        outcomes.append(Outcome(event_id=event.event_id))
    return Posted(tuple(outcomes), tuple(arrivals), tuple(letters))


def _change(message: msgspec.Raw, arrived: int, enrichment: Enrichment) -> Change | None:
    form = _form(message)
    if form.event is not None:  # as it stands within a message of the WebSocket
        message = msgspec.Raw(msgspec.json.encode(form.event))
        form = _form(message)
    if form.entity_id is not None and form.event_type in (None, "state_changed"):
        if isinstance(form.new_state, dict):
            return enrichment.validator.validate(_whole(form), arrived)
        return _flat(form, arrived, enrichment)
    if form.event_type == "state_changed":
        return enrichment.validator.validate(message, arrived)
    if text_of(form.event_type) is None:
        raise Unusable(Reason.NOT_AN_EVENT)
    return None


def _form(message: msgspec.Raw) -> Form:
    try:
        return _forms.decode(message)
    except RecursionError as error:
        raise Unusable(Reason.TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Unusable(Reason.NOT_AN_EVENT) from error


_forms: Final = msgspec.json.Decoder(Form)


def _whole(form: Form) -> bytes:
    """Make Home Assistant's event of one whose states are whole and stand beside the entity id."""
    states = {"entity_id": form.entity_id, "old_state": form.old_state, "new_state": form.new_state}
    return msgspec.json.encode({"event_type": "state_changed", "time_fired": form.timestamp, "data": states})


def _flat(form: Form, arrived: int, enrichment: Enrichment) -> Change:
    told = form.timestamp if form.last_updated is None else form.last_updated
    return enrichment.validator.change(
        form.entity_id,
        old_state=text_of(form.old_state),
        new_state=form.state if form.new_state is None else form.new_state,
        last_changed=form.last_changed,
        last_updated=arrived if told is None else told,
        context=form.context,
        attributes=form.attributes if isinstance(form.attributes, dict) else {},
        arrived=arrived,
    )

"""Whether a message is a change of state that can be used, and what it says."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from quotidian.enrich.normalise import checked_entity_id, checked_instant, checked_state, context_of, text_of
from quotidian.enrich.unusable import Reason, Unusable
from quotidian.model import Context

_TELLING: Final = ("device_class", "unit_of_measurement")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a usable message says. Times are µs since 1970-01-01 UTC; ``new_state`` is ``None`` for a removal.

    ``attributes`` are those of the allow-list; ``device_class`` and ``unit`` are what the state itself said of them.
    """

    entity_id: str
    old_state: str | None
    new_state: str | None
    attributes: dict[str, Any]
    last_changed: int
    last_updated: int
    context: Context | None
    device_class: str | None
    unit: str | None


class _Before(msgspec.Struct):
    state: Any = None


class Validator:
    """Reads messages; of their attributes only those that are kept.

    Parameters
    ----------
    attributes
        The names of the attributes that are kept.

    Examples
    --------
    >>> Validator(()).validate(b'{"event_type": "state_changed", "data": {}}', 0)
    Traceback (most recent call last):
    quotidian.enrich.unusable.Unusable: no entity id
    """

    def __init__(self, attributes: Collection[str]) -> None:
        self._kept = frozenset(attributes)
        self._names = tuple(sorted(self._kept | set(_TELLING)))
        self._attributes = _attributes_struct(self._names)
        self._event = msgspec.json.Decoder(_event_struct(self._attributes))

    def validate(self, raw: bytes | msgspec.Raw, arrived: int | None) -> Change:
        """Read one ``state_changed`` event, as Home Assistant's WebSocket sends it.

        Parameters
        ----------
        raw
            Its JSON.
        arrived
            When it was heard (µs): its times may not lie more than a day behind that. ``None`` for what Home Assistant
            itself said: the home's clock is Home Assistant's, and ours may be years behind until it is set.

        Raises
        ------
        Unusable
            When it cannot be used; the same bytes always for the same reason.
        """
        event = decoded(self._event, raw)
        if event.event_type != "state_changed" or event.data is None:
            raise Unusable(Reason.NOT_A_CHANGE)
        new, old = event.data.new_state, event.data.old_state
        before = None if old is None else text_of(old.state)
        if new is None:
            # A removal has no state of its own that could tell when it happened.
            return self._removal(event.data.entity_id, before, event.time_fired, event.context, arrived)
        updated = event.time_fired if new.last_updated is None else new.last_updated
        return self.change(
            event.data.entity_id or new.entity_id,
            old_state=before,
            new_state=new.state,
            last_changed=new.last_changed,
            last_updated=updated,
            context=event.context or new.context,
            attributes=self._told(new.attributes),
            arrived=arrived,
        )

    def change(
        self,
        entity_id: object,
        *,
        old_state: str | None,
        new_state: object,
        last_changed: object,
        last_updated: object,
        context: object,
        attributes: Mapping[str, Any],
        arrived: int | None,
    ) -> Change:
        """Check what a message says of a state, wherever in it that stood.

        Raises
        ------
        Unusable
            When something of it cannot be used.
        """
        named, state = checked_entity_id(entity_id), checked_state(new_state)
        updated = checked_instant(last_updated, arrived)
        told = last_changed is None or last_changed == last_updated
        return Change(
            entity_id=named,
            old_state=old_state,
            new_state=state,
            attributes={name: value for name, value in attributes.items() if name in self._kept and value is not None},
            last_changed=updated if told else checked_instant(last_changed, arrived),
            last_updated=updated,
            context=context_of(context),
            device_class=text_of(attributes.get("device_class")),
            unit=text_of(attributes.get("unit_of_measurement")),
        )

    def _removal(
        self, entity_id: object, before: str | None, fired: object, context: object, arrived: int | None
    ) -> Change:
        named, at = checked_entity_id(entity_id), checked_instant(fired, arrived)
        return Change(
            entity_id=named,
            old_state=before,
            new_state=None,
            attributes={},
            last_changed=at,
            last_updated=at,
            context=context_of(context),
            device_class=None,
            unit=None,
        )

    def _told(self, attributes: Any) -> dict[str, Any]:
        if attributes is None:
            return {}
        values = zip(self._names, msgspec.structs.astuple(attributes), strict=True)
        return {name: value for name, value in values if value is not None}


def decoded(decoder: "msgspec.json.Decoder[Any]", raw: bytes | msgspec.Raw) -> Any:
    """Decode a message.

    Raises
    ------
    Unusable
        When it is not JSON, or not of the decoder's kind.
    """
    try:
        return decoder.decode(raw)
    except RecursionError as error:
        raise Unusable(Reason.TOO_DEEP) from error
    except msgspec.ValidationError as error:
        raise Unusable(Reason.NOT_A_CHANGE) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Unusable(Reason.NOT_JSON) from error


def _attributes_struct(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """Make a record of just these attributes: all others are passed over without being built."""
    fields = [(f"field_{place}", Any, None) for place in range(len(names))]
    return msgspec.defstruct("_Attributes", fields, rename=dict(zip((one[0] for one in fields), names, strict=True)))


def _event_struct(attributes: type[msgspec.Struct]) -> type[msgspec.Struct]:
    words = ("entity_id", "state", "last_changed", "last_updated", "context")
    state = msgspec.defstruct(
        "_State", [*((word, Any, None) for word in words), ("attributes", attributes | None, None)]
    )
    data = msgspec.defstruct(
        "_Data", [("entity_id", Any, None), ("old_state", _Before | None, None), ("new_state", state | None, None)]
    )
    told = [(word, Any, None) for word in ("event_type", "time_fired", "context")]
    return msgspec.defstruct("_Event", [*told, ("data", data | None, None)])

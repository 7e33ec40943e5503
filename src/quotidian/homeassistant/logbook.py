"""Who changed a state, as far as Home Assistant's logbook tells it afterwards."""

from bisect import bisect_right
from typing import Final

import msgspec

from quotidian.homeassistant.cause import BRIDGE_EVENTS, REMOTE_EVENTS, SECOND, listens_to_remote
from quotidian.homeassistant.moments import micros
from quotidian.model import Cause, CauseKind

_CHAIN: Final = 8  #: states that led to one another which are followed
_ALEXA: Final = "alexa"  #: tells of its command after it was carried out, so a call comes first in the context
VOICE: Final = 10 * SECOND  #: between the two (µs), at most


class Row(msgspec.Struct):
    """A row of ``logbook/get_events``: a change of state, or an event that an integration describes."""

    when: float
    entity_id: str | None = None
    state: str | None = None
    domain: str | None = None
    context_user_id: str | None = None
    context_event_type: str | None = None
    context_domain: str | None = None
    context_service: str | None = None
    context_entity_id: str | None = None
    context_source: str | None = None


class Logbook:
    """The rows of a span of time, asked who made an entity change.

    A row names the first thing in its context that the logbook knows of. What Home Assistant 2025.4 was seen to say
    of a light:

    ==========================  =====================================================================================
    switched by                 the row has
    ==========================  =====================================================================================
    a user                      ``context_user_id``, event type ``call_service``, domain ``light``, service ``toggle``
    an automation               event type ``automation_triggered``, the automation as entity, the trigger as source
                                (``state of input_boolean.away``, ``time pattern``); no user
    a script that a user runs   ``context_user_id``, event type ``call_service``, domain ``script``, service
                                ``evening``: not the script's entity, which its own row (``started``) has
    another entity's change     that entity and its state, and nothing else (a template, a group)
    its own device              nothing
    ==========================  =====================================================================================

    No rows: sensors with a unit or a state class, counters, changes of attributes alone, the first state after a
    start. Of these the cause stays unknown. Rows do not say whom a call was meant for, so an effect that came after
    its entity had forgotten the context passes for the device's own.

    Parameters
    ----------
    rows
        In the order of time. They should begin an hour before the first change that is asked for, as a script may have
        been running for that long, and end ``VOICE`` after the last.
    machines
        Ids of users that are no persons.
    """

    def __init__(self, rows: list[Row], machines: frozenset[str] = frozenset()) -> None:
        self._machines = machines
        #: Whether events that tell causes are recorded at all.
        self.complete = any(row.context_event_type is not None for row in rows)
        self._rows: dict[tuple[str, int], Row] = {}
        self._times: dict[str, list[int]] = {}
        self._scripts: dict[tuple[str | None, str | None], list[tuple[int, str]]] = {}
        self._spoken: dict[str, list[tuple[int, Row]]] = {}
        for row in rows:
            if row.entity_id is not None:
                self._take(row, row.entity_id, micros(row.when))

    def cause(self, entity_id: str, instant: int) -> Cause:
        """Tell who made an entity change at an instant (µs)."""
        return self._settled(entity_id, instant, _CHAIN)

    def _take(self, row: Row, entity_id: str, instant: int) -> None:
        if row.state is not None:
            self._rows[entity_id, instant] = row
            self._times.setdefault(entity_id, []).append(instant)
        elif row.domain == "script":
            self._scripts.setdefault((row.context_service, row.context_user_id), []).append((instant, entity_id))
        elif row.domain == _ALEXA:
            self._spoken.setdefault(entity_id, []).append((instant, row))

    def _settled(self, entity_id: str, instant: int, links: int) -> Cause:
        row = self._rows.get((entity_id, instant))
        if row is None:
            return Cause()
        event, user = row.context_event_type, row.context_user_id
        if event == "automation_triggered":
            pressed = listens_to_remote(row.context_source)
            return Cause(CauseKind.REMOTE if pressed else CauseKind.AUTOMATION, row.context_entity_id)
        if event in BRIDGE_EVENTS or self._by_voice(row, entity_id, instant):
            return Cause(CauseKind.BRIDGE, user=user)
        if event == "script_started" or (event == "call_service" and row.context_domain == "script"):
            return self._script(row, instant)
        if user is not None:
            return Cause(CauseKind.INTEGRATION if user in self._machines else CauseKind.PERSON, user=user)
        if event in REMOTE_EVENTS:
            return Cause(CauseKind.REMOTE)
        if event == "call_service":
            return Cause(CauseKind.INTEGRATION)
        if event is None and row.context_entity_id is not None and links:
            return self._followed(row.context_entity_id, instant, links - 1)
        return Cause(CauseKind.PHYSICAL) if self.complete else Cause()

    def _script(self, row: Row, instant: int) -> Cause:
        user, entity = row.context_user_id, row.context_entity_id
        if entity is None:
            started = self._scripts.get((row.context_service, user), [])
            before = bisect_right(started, instant, key=lambda start: start[0])
            entity = started[before - 1][1] if before else None
        if user is None or user in self._machines:
            return Cause(CauseKind.SCRIPT, entity)
        return Cause(CauseKind.PERSON, entity, user)

    def _followed(self, entity_id: str, instant: int, links: int) -> Cause:
        """Give the cause of the change that another one followed."""
        times = self._times.get(entity_id, [])
        before = bisect_right(times, instant)
        if before:
            return self._settled(entity_id, times[before - 1], links)
        return Cause(CauseKind.PHYSICAL) if self.complete else Cause()

    def _by_voice(self, row: Row, entity_id: str, instant: int) -> bool:
        """Tell whether Alexa called what changed an entity: the same service, by the same user, at that time."""
        call = (row.context_user_id, row.context_service)
        return any(
            abs(instant - when) <= VOICE and (told.context_user_id, told.context_service) == call
            for when, told in self._spoken.get(entity_id, ())
        )

"""Who changed a state: settled from the contexts that Home Assistant hands from event to event.

Pure: it is told of events and asked for causes, so that the importers and a live capture can share it.
"""

import itertools
import re
from bisect import bisect_right, insort
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from quotidian.model import Cause, CauseKind

SECOND: Final = 1_000_000  #: µs
#: How long after a service call an entity's change may still be its effect (µs), though the context is gone.
EFFECT: Final = 30 * SECOND
SLOW_EFFECT: Final = 120 * SECOND
SLOW_DOMAINS: Final = frozenset({"climate", "cover", "garage_door", "valve", "water_heater"})

BRIDGE_EVENTS: Final = frozenset({"alexa_smart_home", "google_assistant_command", "homekit_state_change"})
REMOTE_EVENTS: Final = frozenset(
    {
        "deconz_event",
        "homematic.keypress",
        "hue_event",
        "ios.action_fired",
        "lutron_caseta_button_event",
        "mobile_app_notification_action",
        "shelly.click",
        "tag_scanned",
        "xiaomi_aqara.click",
        "zha_event",
        "zwave_js_value_notification",
    }
)
#: Entities whose change of state is somebody's press of a button.
REMOTE_DOMAINS: Final = frozenset({"button", "event", "input_button"})
#: The events that tell causes; all others may be left unread.
TELLING_EVENTS: Final = (
    frozenset({"automation_triggered", "call_service", "script_started"}) | BRIDGE_EVENTS | REMOTE_EVENTS
)

_REMOTE_SOURCE: Final = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, REMOTE_EVENTS))) + r")\b"
    r"|\bstate of (?:" + "|".join(sorted(REMOTE_DOMAINS)) + r")\."
    r"|^tag scanned$",
    re.IGNORECASE,
)
#: States that cannot be what a service was called for: somebody else's doing.
_CONTRARY: Final[Mapping[str, frozenset[str]]] = {
    "turn_on": frozenset({"off"}),
    "turn_off": frozenset({"on"}),
    "open_cover": frozenset({"closed", "closing"}),
    "close_cover": frozenset({"open", "opening"}),
    "lock": frozenset({"unlocked", "unlocking"}),
    "unlock": frozenset({"locked", "locking"}),
}
#: Stands for whatever a scene may set, which its call does not say.
_SCENES: Final = "scene.*"
_CHAIN: Final = 8  #: links of a parent chain that are followed
_KEPT_FACTS: Final = 50_000
_KEPT_TARGETS: Final = 20_000

Key = bytes | str  #: a context's id: 16 bytes in a recorder database, text elsewhere


class Trace(NamedTuple):
    """A context as it was found: its id, its parent's id, and the id of the user."""

    id: Key
    parent: Key | None = None
    user: str | None = None


class _Fact(NamedTuple):
    """What an event told of its context. ``kind`` REMOTE: a button's own event, the root of a chain."""

    kind: CauseKind
    trace: Trace
    entity: str | None = None
    pressed: bool = False


class _Call(NamedTuple):
    time: int
    service: str
    trace: Trace


class Causes:
    """Settles causes from what was heard before; bounded in memory.

    Parameters
    ----------
    machines
        Ids of users that are no persons: service accounts.
    members
        Entity ids by area id, to know whom a call to an area was meant for.

    Examples
    --------
    >>> causes = Causes()
    >>> causes.heard("automation_triggered", {"entity_id": "automation.dusk"}, Trace("01A"), 0)
    >>> causes.cause("light.desk", "on", Trace("01A"), 5)
    Cause(kind=<CauseKind.AUTOMATION: 'automation'>, entity='automation.dusk', user=None)
    """

    def __init__(
        self, machines: frozenset[str] = frozenset(), members: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self._machines = machines
        self._members = members or {}
        self.facts: dict[Key, _Fact] = {}  #: by context id; membership is asked once a row, so it is open
        self.targets: dict[str, list[_Call]] = {}  #: recent service calls by the entity that they were meant for
        self.complete = False  #: whether events that tell causes reach us at all

    def know(self, machines: frozenset[str], members: Mapping[str, tuple[str, ...]]) -> None:
        """Take in the service accounts and the areas' members anew; what was heard before stays."""
        self._machines, self._members = machines, members

    def heard(self, event_type: str, data: Mapping[str, Any], trace: Trace, time: int) -> None:
        """Take in an event that tells of its context. ``time`` is µs since 1970-01-01 UTC."""
        if event_type not in TELLING_EVENTS:
            return
        self.complete = True
        if event_type == "automation_triggered":
            pressed = listens_to_remote(_word(data.get("source")))
            self._keep(_Fact(CauseKind.AUTOMATION, trace, _word(data.get("entity_id")), pressed))
        elif event_type == "script_started":
            self._keep(_Fact(CauseKind.SCRIPT, trace, _word(data.get("entity_id"))))
        elif event_type == "call_service":
            self._keep(_Fact(CauseKind.INTEGRATION, trace))
            self._aim(data, trace, time)
        else:
            kind = CauseKind.BRIDGE if event_type in BRIDGE_EVENTS else CauseKind.REMOTE
            self._keep(_Fact(kind, trace))

    def pressed(self, trace: Trace) -> None:
        """Take in a change of state of an entity in ``REMOTE_DOMAINS``."""
        self._keep(_Fact(CauseKind.REMOTE, trace))

    def cause(self, entity_id: str, state: str | None, trace: Trace | None, time: int) -> Cause:
        """Tell who made an entity change to a state at a time (µs); ``None`` for a change without a context."""
        if trace is None:
            return Cause()
        settled = None if self._contradicts(entity_id, state, trace) else self._settled(trace, _CHAIN)
        if settled is None:
            settled = self._effect(entity_id, state, time)
        if settled is not None:
            return settled
        return Cause(CauseKind.PHYSICAL) if self.complete else Cause()

    def forget_calls(self, before: int) -> None:
        """Drop the service calls that nothing can be the effect of any more, if nothing before a time (µs) comes."""
        oldest = before - SLOW_EFFECT
        for entity_id, calls in list(self.targets.items()):
            if calls[-1].time < oldest:
                del self.targets[entity_id]
            elif calls[0].time < oldest:
                del calls[: bisect_right(calls, oldest, key=_time)]

    def _keep(self, fact: _Fact) -> None:
        before = self.facts.get(fact.trace.id)
        if before is not None and _RANK[before.kind] >= _RANK[fact.kind]:
            return
        self.facts[fact.trace.id] = fact
        if len(self.facts) > 2 * _KEPT_FACTS:
            self.facts = dict(itertools.islice(self.facts.items(), len(self.facts) - _KEPT_FACTS, None))

    def _aim(self, data: Mapping[str, Any], trace: Trace, time: int) -> None:
        service, meant = _word(data.get("service")) or "", data.get("service_data")
        if not isinstance(meant, Mapping):
            return
        entity_ids = list(_words(meant.get("entity_id")))
        for area in _words(meant.get("area_id")):
            entity_ids.extend(e for e in self._members.get(area, ()) if _same_domain(e, data.get("domain")))
        if data.get("domain") == "scene":
            entity_ids.append(_SCENES)
        call = _Call(time, service, trace)
        for entity_id in entity_ids:
            calls = self.targets.setdefault(entity_id, [])
            if call not in calls:  # events may be told twice
                insort(calls, call, key=_time)
        if len(self.targets) > _KEPT_TARGETS:
            self.forget_calls(time)

    def _settled(self, trace: Trace, links: int) -> Cause | None:
        fact = self.facts.get(trace.id)
        kind = None if fact is None else fact.kind
        user = trace.user or (None if fact is None else fact.trace.user)
        parent = trace.parent or (None if fact is None else fact.trace.parent)
        if fact is not None and kind is CauseKind.AUTOMATION:
            return self._automation(fact, links)
        if fact is not None and kind is CauseKind.SCRIPT:
            return self._script(fact.entity, user, parent, links)
        if kind is CauseKind.BRIDGE:
            return Cause(CauseKind.BRIDGE, user=user)
        if user is not None:
            return Cause(CauseKind.INTEGRATION if user in self._machines else CauseKind.PERSON, user=user)
        if parent is not None:
            return self._child(parent, links)
        return Cause(CauseKind.INTEGRATION) if kind is CauseKind.INTEGRATION else None

    def _automation(self, fact: _Fact, links: int) -> Cause:
        """Tell an automation from a person who pressed a button that it listens to."""
        parent = fact.trace.parent
        if links and parent is not None and parent in self.facts:
            above = self._settled(Trace(parent), links - 1)
            if above is not None and above.kind in (CauseKind.AUTOMATION, CauseKind.SCRIPT):
                return Cause(CauseKind.AUTOMATION, fact.entity)
            if self.facts[parent].kind is CauseKind.REMOTE or (above is not None and above.kind is CauseKind.REMOTE):
                return Cause(CauseKind.REMOTE, fact.entity, above.user if above else None)
        return Cause(CauseKind.REMOTE if fact.pressed else CauseKind.AUTOMATION, fact.entity)

    def _script(self, entity: str | None, user: str | None, parent: Key | None, links: int) -> Cause:
        if user is not None and user not in self._machines:
            return Cause(CauseKind.PERSON, entity, user)
        above = self._settled(Trace(parent), links - 1) if parent is not None and links else None
        return Cause(CauseKind.SCRIPT, entity) if above is None else above

    def _child(self, parent: Key, links: int) -> Cause:
        """Follow a parent. One of whom nothing was heard is an automation's: nobody else makes children."""
        if links and parent in self.facts:
            if self.facts[parent].kind is CauseKind.REMOTE:
                return Cause(CauseKind.REMOTE)
            return self._settled(Trace(parent), links - 1) or Cause(CauseKind.AUTOMATION)
        return Cause(CauseKind.AUTOMATION)

    def _contradicts(self, entity_id: str, state: str | None, trace: Trace) -> bool:
        """Tell whether an entity did the opposite of whatever its context asked of it: then somebody else did it.

        For 5 s after a call Home Assistant gives every change of the entity the call's context, a wall switch's too.
        """
        asked = [call.service for call in self.targets.get(entity_id, ()) if call.trace.id == trace.id]
        if not asked or any(state not in _CONTRARY.get(service, ()) for service in asked):
            return False
        return all(call.trace.id != trace.id for call in self.targets.get(_SCENES, ()))

    def _effect(self, entity_id: str, state: str | None, time: int) -> Cause | None:
        """Match a change without a known context against the calls that its entity was meant by shortly before."""
        calls = self.targets.get(entity_id)
        if calls is None:
            return None
        window = SLOW_EFFECT if entity_id.partition(".")[0] in SLOW_DOMAINS else EFFECT
        last = bisect_right(calls, time, key=_time)
        if not last or time - calls[last - 1].time > window:
            return None
        call = calls[last - 1]
        if state in _CONTRARY.get(call.service, ()):
            return None
        return self._settled(call.trace, _CHAIN)


_RANK: Final = {
    CauseKind.INTEGRATION: 0,
    CauseKind.REMOTE: 1,
    CauseKind.BRIDGE: 2,
    CauseKind.SCRIPT: 3,
    CauseKind.AUTOMATION: 4,
}


def listens_to_remote(source: str | None) -> bool:
    """Tell from an automation's source ("state of button.bed") whether somebody's press of a button set it off."""
    return bool(_REMOTE_SOURCE.search(source or ""))


def _time(call: _Call) -> int:
    return call.time


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _words(value: object) -> tuple[str, ...]:
    """Read what a call was meant for: a name, names parted by commas, or a list of names."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(","))
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _same_domain(entity_id: str, domain: object) -> bool:
    return domain == "homeassistant" or entity_id.partition(".")[0] == domain

"""An automation: what starts it, on what conditions, and what it does.

The parts are those of Home Assistant that can be replayed on what is kept of a home's days. Times of the clock are wall
seconds after midnight, spans are elapsed seconds.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from quotidian.model.home import Entity, domain_of

#: How the ids of our automations begin.
OURS: Final = "quotidian_"


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """A trigger, a condition or an action; in JSON, ``kind`` tells which."""


# triggers


class StateTrigger(_Part, tag="state", frozen=True, kw_only=True):
    """An entity enters a state, from another one (any, unless ``origin`` names it), and stays for some seconds."""

    entity_id: str
    state: str
    origin: str | None = None
    seconds: int = 0


class NumericTrigger(_Part, tag="numeric_state", frozen=True, kw_only=True):
    """A number rises above, or falls below, and stays there for some seconds."""

    entity_id: str
    above: float | None = None
    below: float | None = None
    seconds: int = 0


class TimeTrigger(_Part, tag="time", frozen=True, kw_only=True):
    """The clock on the wall shows a time."""

    second: int


class SunTrigger(_Part, tag="sun", frozen=True, kw_only=True):
    """The sun rises or sets, or did so many seconds ago (negative: will do)."""

    event: Literal["sunrise", "sunset"]
    offset: int = 0


Trigger: TypeAlias = StateTrigger | NumericTrigger | TimeTrigger | SunTrigger


# conditions


class WeekdayCondition(_Part, tag="weekday", frozen=True, kw_only=True):
    """It is one of some weekdays; 0 is Monday."""

    days: tuple[int, ...]


class TimeCondition(_Part, tag="time", frozen=True, kw_only=True):
    """The clock on the wall shows ``after`` or later, and less than ``before``; over midnight where that is less."""

    after: int
    before: int


class SunCondition(_Part, tag="sun", frozen=True, kw_only=True):
    """The sun is above the horizon, or is not."""

    up: bool


class PresenceCondition(_Part, tag="presence", frozen=True, kw_only=True):
    """Somebody is at home, or nobody is."""

    somebody: bool


class StateCondition(_Part, tag="state", frozen=True, kw_only=True):
    """An entity is in one of some states."""

    entity_id: str
    states: tuple[str, ...]


class NumericCondition(_Part, tag="numeric_state", frozen=True, kw_only=True):
    """A number is above, or below, a threshold."""

    entity_id: str
    above: float | None = None
    below: float | None = None


class And(_Part, tag="and", frozen=True, kw_only=True):
    """All of some conditions hold."""

    of: tuple["Condition", ...]


class Or(_Part, tag="or", frozen=True, kw_only=True):
    """At least one of some conditions holds."""

    of: tuple["Condition", ...]


class Not(_Part, tag="not", frozen=True, kw_only=True):
    """None of some conditions holds."""

    of: tuple["Condition", ...]


Condition: TypeAlias = (
    WeekdayCondition
    | TimeCondition
    | SunCondition
    | PresenceCondition
    | StateCondition
    | NumericCondition
    | And
    | Or
    | Not
)


# actions


class SetAction(_Part, tag="set", frozen=True, kw_only=True):
    """Entities are put into a state, as one act; ``settings`` are attributes that go with it, such as a brightness."""

    entities: tuple[str, ...]
    state: str
    settings: Mapping[str, Any] = {}

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the entities enter, as ``light.desk=on``."""
        return tuple(f"{entity_id}={self.state}" for entity_id in self.entities)


class NotifyAction(_Part, tag="notify", frozen=True, kw_only=True):
    """Somebody is told something; nothing is switched."""

    message: str


Action: TypeAlias = SetAction | NotifyAction


class Automation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One automation.

    It starts when any trigger fires; all conditions must hold at that moment. ``id`` names it in Home Assistant; ours
    begin with ``OURS``.
    """

    id: str
    alias: str
    description: str = ""
    triggers: tuple[Trigger, ...]
    conditions: tuple[Condition, ...] = ()
    actions: tuple[Action, ...]

    @property
    def sets(self) -> tuple[SetAction, ...]:
        """The actions that switch something."""
        return tuple(action for action in self.actions if isinstance(action, SetAction))

    @property
    def entities(self) -> frozenset[str]:
        """Every entity that it reads or switches."""
        return frozenset(_named(msgspec.to_builtins((self.triggers, self.conditions, self.actions))))


def _named(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["entity_id"]} if "entity_id" in part else set(part.get("entities", ()))
        return own.union(*map(_named, part.values()))
    return set().union(*map(_named, part)) if isinstance(part, list | tuple) else set()


#: Domains that are never switched by themselves: who stands before an open door wants to know, not to be overruled.
_GUARDED_DOMAINS: Final = frozenset({"alarm_control_panel", "lock", "siren", "valve", "water_heater"})
_GUARDED_COVERS: Final = frozenset({"door", "garage", "gate"})
#: Home Assistant has no class for what gets hot enough to burn a house down. So, to be on the safe side and for nothing
#: else, names tell: in English, German, Dutch, French, Spanish and Italian.
_HOT: Final = frozenset(
    {"cooker", "cooktop", "fryer", "grill", "hob", "iron", "oven", "stove"}
    | {"backofen", "bügeleisen", "herd", "kochfeld", "ofen", "fornuis", "kookplaat", "strijkijzer"}
    | {"cuisinière", "fer", "four", "friteuse", "freidora", "horno", "plancha", "ferro", "forno", "fornello"}
)


def is_guarded(entity: Entity) -> bool:
    """Tell whether something is only ever told of: switching it by itself could let in, lock out, flood or burn.

    >>> [is_guarded(Entity(name)) for name in ("lock.front_door", "switch.kitchen_oven", "light.governor")]
    [True, True, False]
    >>> is_guarded(Entity("cover.gate_to_the_yard", device_class="gate")), is_guarded(Entity("cover.blinds"))
    (True, False)
    """
    domain = domain_of(entity.entity_id)
    if domain in _GUARDED_DOMAINS or (domain == "cover" and entity.device_class in _GUARDED_COVERS):
        return True
    named = re.split(r"[\W_]+", f"{entity.entity_id} {entity.name or ''}".lower())
    return domain in ("switch", "fan", "input_boolean", "climate") and not _HOT.isdisjoint(named)

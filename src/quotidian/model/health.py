"""How a service is, and what it needs."""

from typing import Any, Literal

import msgspec

State = Literal["ok", "degraded", "down"]


class Dependency(msgspec.Struct, frozen=True):
    """Something that a service needs: how it is, and in a sentence why."""

    name: str
    state: State
    detail: str = ""


class Health(msgspec.Struct, frozen=True):
    """How a service is: ``state`` is its own, ``dependencies`` are what it needs, ``figures`` what it counts."""

    state: State = "ok"
    dependencies: tuple[Dependency, ...] = ()
    figures: dict[str, Any] = {}


class ServiceHealth(Health, frozen=True):
    """What a service answers when it is asked how it is."""

    service: str = ""
    version: str = ""

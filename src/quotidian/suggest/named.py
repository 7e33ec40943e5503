"""Automations get a name that people read, and an id that follows from what they do."""

from hashlib import blake2b

import msgspec

from quotidian.model import Home
from quotidian.model.automation import OURS, Action, Automation, Condition, Trigger
from quotidian.suggest.words import sentence


def named(
    triggers: tuple[Trigger, ...], conditions: tuple[Condition, ...], actions: tuple[Action, ...], home: Home
) -> Automation:
    """Make an automation of its parts; the same parts always have the same id."""
    name = blake2b(msgspec.json.encode((triggers, conditions, actions)), digest_size=5).hexdigest()
    automation = Automation(id=OURS + name, alias="", triggers=triggers, conditions=conditions, actions=actions)
    return msgspec.structs.replace(automation, alias=sentence(automation, home))

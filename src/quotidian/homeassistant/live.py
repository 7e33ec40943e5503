"""A running Home Assistant's registries, states and events."""

from typing import Any, Final

import msgspec

from quotidian.errors import AccessError, RequestError
from quotidian.homeassistant.cause import TELLING_EVENTS
from quotidian.homeassistant.registries import Record, Registries
from quotidian.homeassistant.session import Session

#: What any user may listen to: the changes, and that the registries or the settings are not what they were.
OPEN_EVENTS: Final = (
    "state_changed",
    "area_registry_updated",
    "device_registry_updated",
    "entity_registry_updated",
    "floor_registry_updated",
    "label_registry_updated",
    "core_config_updated",
)
#: A state's attribute by the registry's name for it: lists of the registry leave these out.
_TOLD: Final = {"device_class": "device_class", "unit_of_measurement": "unit_of_measurement"}


async def subscribe_all(session: Session) -> bool:
    """Subscribe to everything that tells something; tell whether the events that tell causes are among it.

    Only an administrator's token may hear those. They come first, so that no change is heard whose cause was not.
    """
    try:
        await session.subscribe(*sorted(TELLING_EVENTS))
    except AccessError:
        await session.subscribe(*OPEN_EVENTS)
        return False
    await session.subscribe(*OPEN_EVENTS)
    return True


async def fetch_states(session: Session) -> list[dict[str, Any]]:
    """Fetch what every entity's state is now, as Home Assistant writes states."""
    return _records(await session.command("get_states"))


async def fetch_registries(session: Session) -> Registries:
    """Fetch what Home Assistant knows of the home.

    Device classes and units come from the states, since the lists of the registry do not have them; so do the names
    of entities that are in no registry. Without an administrator's token the users stay unknown.
    """
    listed = {name: await fetch_listed(session, name) for name in ("area", "floor", "device", "entity")}
    return Registries(
        config=await session.command("get_config"),
        areas=listed["area"],
        floors=listed["floor"],
        devices=listed["device"],
        entities=_described(listed["entity"], await fetch_states(session)),
        users=await fetch_users(session),
    )


async def fetch_users(session: Session) -> tuple[Record, ...]:
    """Fetch the ids of the users, and which of them are no persons; nothing where the token may not know."""
    try:
        users = _records(await session.command("config/auth/list"))
    except AccessError:
        return ()
    return tuple({"id": user.get("id"), "system_generated": user.get("system_generated")} for user in users)


async def fetch_listed(session: Session, name: str) -> tuple[Record, ...]:
    """Fetch the records of a registry: area, floor, device or entity."""
    try:
        return tuple(_records(await session.command(f"config/{name}_registry/list")))
    except RequestError:
        if name != "floor":  # they came in 2024.4
            raise
        return ()


def _described(entities: tuple[Record, ...], states: list[dict[str, Any]]) -> tuple[Record, ...]:
    """Lay what the states say over the registry's list of entities."""
    known = {str(entity.get("entity_id")): entity for entity in entities}
    for state in states:
        entity_id, attributes = str(state.get("entity_id")), state.get("attributes")
        if not isinstance(attributes, dict):
            continue
        record = known.get(entity_id) or {"entity_id": entity_id, "name": attributes.get("friendly_name")}
        told = {name: attributes.get(attribute) for name, attribute in _TOLD.items()}
        known[entity_id] = {**record, **{name: value for name, value in told.items() if value is not None}}
    return tuple(known.values())


def _records(answer: object) -> list[dict[str, Any]]:
    """Read a list of records; whatever else is in it is passed over."""
    try:
        return [record for record in msgspec.convert(answer, list[Any]) if isinstance(record, dict)]
    except msgspec.ValidationError:
        return []

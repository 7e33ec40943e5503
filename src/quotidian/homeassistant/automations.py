"""The automations of a running Home Assistant: seen, and ours installed, tried and removed."""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import msgspec

from quotidian.errors import AccessError, NotFoundError, RequestError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.configuration import (
    Configuration,
    NotAnalysed,
    configuration_of,
    entities_named,
    keys_of,
    services_named,
    understood,
)
from quotidian.homeassistant.configuration.written import NOTIFY
from quotidian.homeassistant.live import fetch_registries
from quotidian.homeassistant.rest import Rest, no_administrator
from quotidian.homeassistant.session import Pace, Session
from quotidian.model import Entity, Home
from quotidian.model.automation import OURS, Automation, is_guarded
from quotidian.model.home import domain_of

_DOMAIN: Final = "automation"
_ID: Final = re.compile(rf"{OURS}[a-z0-9_]+")
_CONFIG: Final = ("config", _DOMAIN, "config")


class Installed(msgspec.Struct, frozen=True):
    """An automation that Home Assistant has.

    ``state`` is ``on``, ``off``, or ``unavailable`` where Home Assistant could not make sense of it; ``configuration``
    is as it was written, where it can be seen, with entities by their ids. ``id`` is empty where nobody gave it one.
    ``last_triggered`` is when it last ran, nothing where it never did.
    """

    entity_id: str
    id: str
    alias: str
    state: str
    configuration: Configuration | None
    last_triggered: dt.datetime | None = None

    @property
    def ours(self) -> bool:
        """Whether it is one that Quotidian may change."""
        return bool(_ID.fullmatch(self.id))

    @property
    def enabled(self) -> bool:
        """Whether it runs."""
        return self.state == "on"

    def understood(self, home: Home | None = None) -> Automation | NotAnalysed:
        """Read what it does; where nothing can be read, why."""
        if self.configuration is None:
            return NotAnalysed(self.id, self.alias, "", "Home Assistant does not show how it is written")
        return understood({"id": self.id, "alias": self.alias, **self.configuration}, home)


class Trace(msgspec.Struct, frozen=True):
    """What became of one run.

    ``execution`` is Home Assistant's word: ``finished``, ``failed_conditions``, ``error`` or another; ``steps`` are the
    places in the configuration that were passed, as ``action/0``; ``error`` is empty where all went well.
    """

    run_id: str
    execution: str
    steps: tuple[str, ...]
    error: str

    @property
    def finished(self) -> bool:
        """Whether it ran to its end."""
        return self.execution == "finished"


class Automations:
    """The automations of a running Home Assistant; made by ``open``. Only ours, by their id, are ever changed."""

    def __init__(self, session: Session, rest: Rest) -> None:
        self._session: Final = session
        self._rest: Final = rest

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, pace: Pace = Pace()) -> AsyncIterator[Self]:  # noqa: B008 - frozen
        """Connect and log in; raises what ``Session.open`` does."""
        async with Session.open(address, pace) as session, Rest.open(address, pace.answer) as rest:
            yield cls(session, rest)

    async def administrator(self) -> bool:
        """Tell whether the token is an administrator's: others may look at automations, and not change them."""
        return bool((await self._session.command("auth/current_user")).get("is_admin"))

    async def home(self) -> Home:
        """Give what Home Assistant knows of the home: its things, their areas, its zone."""
        registries = await fetch_registries(self._session)
        return registries.home(Home("home", registries.zone or "UTC"))

    def written(self, automation: Automation, notify: str = NOTIFY) -> Configuration:
        """Give an automation as this Home Assistant takes it; who is told something is told by a service."""
        return configuration_of(automation, keys_of(self._session.version), notify)

    async def installed(self) -> list[Installed]:
        """Give all that there are, by entity id, with what they do where that can be seen."""
        states = [state for state in await self._states() if domain_of(state["entity_id"]) == _DOMAIN]
        configurations = await asyncio.gather(*(self._configuration(state["entity_id"]) for state in states))
        names = {one.get("id"): one["entity_id"] for one in await self._session.command("config/entity_registry/list")}
        written = [_named(known, names) for known in configurations]
        found = [_installed(state, known) for state, known in zip(states, written, strict=True)]
        return sorted(found, key=lambda one: one.entity_id)

    async def find(self, automation_id: str) -> Installed | None:
        """Give the one with an id, if there is one."""
        for state in await self._states():
            if domain_of(state["entity_id"]) == _DOMAIN and state["attributes"].get("id") == automation_id:
                return _installed(state, await self._configuration(state["entity_id"]))
        return None

    async def hindrances(self, automation: Automation, notify: str = NOTIFY) -> list[str]:
        """Say why an automation must not or cannot be installed, a sentence each.

        It may switch what is only ever told of, or need entities and services that Home Assistant does not have.
        """
        written = self.written(automation, notify)
        states = {state["entity_id"]: state["attributes"] for state in await self._states()}
        services = await self._session.command("get_services")
        missing = [f"There is no entity {name}." for name in sorted(entities_named(written)) if name not in states]
        gone = [
            f"Nothing provides {name} any more."
            for name in sorted(entities_named(written) & states.keys())
            if states[name].get("restored")
        ]
        switched = sorted({name for action in automation.sets for name in action.entities})
        guarded = [
            f"{name} is never switched by itself."
            for name in switched
            if is_guarded(_entity(name, states.get(name, {})))
        ]
        unknown = [
            f"There is no service {name}." for name in sorted(services_named(written)) if not _has(services, name)
        ]
        return guarded + missing + gone + unknown

    async def install(self, automation: Automation, notify: str = NOTIFY) -> Installed:
        """Install one of ours, or put it in the place of the one with its id; give it as Home Assistant lists it.

        Raises
        ------
        RequestError
            When it is not ours, ``hindrances`` are there, or Home Assistant refuses it or does not load it so: the
            reason is in the error, and all is as before.
        AccessError
            When the token may not do this.
        """
        _check_ours(automation.id)
        hindrances = await self.hindrances(automation, notify)
        if hindrances:
            raise RequestError(f"'{automation.alias}' cannot be installed: {' '.join(hindrances)}")
        before = await self.read(automation.id)
        try:
            await self._rest.ask("POST", *_CONFIG, automation.id, body=self.written(automation, notify))
        except NotFoundError as error:
            raise RequestError(
                "Home Assistant does not take automations over its API.",
                "Its 'config' must be switched on, as it is in default_config.",
            ) from error
        await self._reload(automation.id)
        try:
            return await self._verified(automation)
        except RequestError:
            await self._put_back(automation.id, before)
            raise

    async def read(self, automation_id: str) -> Configuration | None:
        """Give what Home Assistant's file of automations says of an id, if anything.

        Raises
        ------
        AccessError
            When the token may not do this.
        """
        try:
            found: Configuration = await self._rest.ask("GET", *_CONFIG, automation_id)
        except NotFoundError:
            return None
        return found

    async def remove(self, automation_id: str) -> None:
        """Remove one of ours; the others stay as they are.

        Raises
        ------
        NotFoundError
            When Home Assistant does not have it.
        RequestError
            When it is not ours, or is still there afterwards.
        AccessError
            When the token may not do this.
        """
        _check_ours(automation_id)
        if await self.read(automation_id) is None:
            raise NotFoundError(
                f"Home Assistant has no automation {automation_id} in the file of its editor.",
                "If it is listed nevertheless, somebody wrote it elsewhere: take it out there.",
            )
        await self._rest.ask("DELETE", *_CONFIG, automation_id)
        await self._reload(automation_id)
        if await self.find(automation_id) is not None:
            raise RequestError(f"Home Assistant still has {automation_id} after it was removed.", "Its log says why.")

    async def switch(self, automation_id: str, *, on: bool) -> Installed:
        """Let one of ours run, or rest; give it as it is then."""
        entity_id = (await self._ours(automation_id)).entity_id
        await self._call("turn_on" if on else "turn_off", entity_id=entity_id)
        return await self._ours(automation_id)

    async def trigger(self, automation_id: str, *, skip_condition: bool = True) -> Trace:
        """Start one of ours for a trial, and give what became of it once it is through.

        Raises
        ------
        NotFoundError
            When Home Assistant does not have it, or left no trace of the run.
        AccessError
            When the token may not do this.
        """
        entity_id = (await self._ours(automation_id)).entity_id
        item = {"domain": _DOMAIN, "item_id": automation_id}
        before = {run["run_id"] for run in await self._session.command("trace/list", **item)}
        await self._call("trigger", entity_id=entity_id, skip_condition=skip_condition)
        runs = [run["run_id"] for run in await self._session.command("trace/list", **item)]
        new = [run for run in runs if run not in before]
        if not new:
            raise NotFoundError(f"Home Assistant left no trace of a run of {automation_id}.", "Its log says why.")
        return _trace(await self._session.command("trace/get", **item, run_id=new[-1]))

    # parts

    async def _states(self) -> list[dict[str, Any]]:
        states: list[dict[str, Any]] = await self._session.command("get_states")
        return states

    async def _configuration(self, entity_id: str) -> Configuration | None:
        try:
            answer = await self._session.command("automation/config", entity_id=entity_id)
        except (AccessError, RequestError):  # gone in the meantime, or not to be seen
            return None
        found = answer.get("config")
        return found if isinstance(found, dict) else None

    async def _ours(self, automation_id: str) -> Installed:
        _check_ours(automation_id)
        found = await self.find(automation_id)
        if found is None:
            raise NotFoundError(f"Home Assistant has no automation {automation_id}.")
        return found

    async def _verified(self, automation: Automation) -> Installed:
        """Give it as it is listed; an error where that is not what was written, but for its words."""
        found = await self.find(automation.id)
        if found is None:
            raise RequestError(
                f"Home Assistant wrote {automation.id} down, but does not load it.",
                "Its configuration.yaml must have: automation: !include automations.yaml",
            )
        if found.state not in ("on", "off") or _does(found.understood()) != _does(automation):
            raise RequestError(f"Home Assistant did not load {automation.id} as it was written.", "Its log says why.")
        return found

    async def _put_back(self, automation_id: str, before: Configuration | None) -> None:
        """Leave what Home Assistant's file says of one of ours as it was."""
        await self._rest.ask("DELETE" if before is None else "POST", *_CONFIG, automation_id, body=before)
        await self._reload(automation_id)

    async def _reload(self, automation_id: str) -> None:
        """Come back once Home Assistant has read an automation anew: by itself it does so at some time later."""
        try:
            await self._call("reload", id=automation_id)
        except RequestError:  # an older server only reads all of them anew; those that are the same go on
            await self._call("reload")

    async def _call(self, service: str, **data: Any) -> None:
        try:
            await self._session.command("call_service", domain=_DOMAIN, service=service, service_data=data)
        except AccessError as error:
            raise no_administrator() from error


def _check_ours(automation_id: str) -> None:
    if not _ID.fullmatch(automation_id):
        raise RequestError(
            f"{automation_id!r} is not one of ours.", f"Only automations whose id begins with {OURS} are changed."
        )


def _installed(state: Mapping[str, Any], configuration: Configuration | None) -> Installed:
    attributes = state["attributes"]
    return Installed(
        entity_id=state["entity_id"],
        id=str(attributes.get("id") or ""),
        alias=str(attributes.get("friendly_name") or ""),
        state=state["state"],
        configuration=configuration,
        last_triggered=_instant(attributes.get("last_triggered")),
    )


def _instant(written: Any) -> dt.datetime | None:
    try:
        return msgspec.convert(written, dt.datetime | None)
    except msgspec.ValidationError:
        return None


def _named(written: Any, names: Mapping[Any, str]) -> Any:
    """Put entity ids where the editor wrote the numbers that entities have in the registry."""
    if isinstance(written, dict):
        return {key: _named(part, names) for key, part in written.items()}
    if isinstance(written, list):
        return [_named(part, names) for part in written]
    return names.get(written, written) if isinstance(written, str) else written


def _does(automation: Automation | NotAnalysed) -> Any:
    """Give what starts it and what it switches."""
    if isinstance(automation, NotAnalysed):
        return automation
    return automation.triggers, automation.conditions, automation.sets


def _entity(entity_id: str, attributes: Mapping[str, Any]) -> Entity:
    return Entity(entity_id, name=attributes.get("friendly_name"), device_class=attributes.get("device_class"))


def _has(services: Mapping[str, Any], service: str) -> bool:
    domain, _, name = service.partition(".")
    return name in services.get(domain, {})


def _trace(told: Mapping[str, Any]) -> Trace:
    steps = told.get("trace", {})
    errors = [str(step["error"]) for passed in steps.values() for step in passed if step.get("error")]
    return Trace(
        run_id=told["run_id"],
        execution=str(told.get("script_execution")),
        steps=tuple(steps),
        error=str(told.get("error") or "; ".join(errors)),
    )

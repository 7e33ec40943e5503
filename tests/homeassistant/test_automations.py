"""Automations of a real Home Assistant: ours installed, tried and removed, those of others left alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from quotidian.errors import AccessError, NotFoundError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address, socket_url
from quotidian.homeassistant.automations import Automations
from quotidian.homeassistant.configuration import OLDER, NotAnalysed, configuration_of, keys_of
from quotidian.model.automation import (
    And,
    Automation,
    Not,
    NotifyAction,
    NumericCondition,
    NumericTrigger,
    Or,
    PresenceCondition,
    SetAction,
    StateCondition,
    StateTrigger,
    SunCondition,
    SunTrigger,
    TimeCondition,
    TimeTrigger,
    WeekdayCondition,
)
from quotidian.model.service import _CHOSEN, _SERVICES, calls

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]

DESK, AWAY = "light.desk", "input_boolean.away"
#: States that can be switched to, one service each.
STATES = [
    *((domain, state) for domain, services in _SERVICES.items() for state in services),
    *((domain, "heat") for domain in _CHOSEN),
]
DOMAINS = {domain for domain, _ in STATES}
#: Automations of the user, as Home Assistant's editor writes them.
THEIRS = """\
- id: '1700000000001'
  alias: Bäder – {{ not a template }}
  description: ''
  triggers:
  - trigger: state
    entity_id:
    - input_button.bed
    to: 'on'
    for:
      hours: 0
      minutes: 5
      seconds: 0
  conditions: []
  actions:
  - action: light.turn_on
    metadata: {}
    data:
      brightness_pct: 40
    target:
      entity_id: light.desk
  mode: single
- id: chosen
  alias: Chosen
  triggers:
  - trigger: time
    at: 07:00:00
  actions:
  - choose:
    - conditions: []
      sequence:
      - delay: 1
"""
OURS = Automation(
    id="quotidian_0a1b2c",
    alias="Desk light on when the heater is switched on",
    description="On 9 of 10 days.",
    triggers=(StateTrigger(entity_id="switch.heater", state="on"),),
    actions=(SetAction(entities=(DESK,), state="on"), NotifyAction(message="{{ the desk }} is lit")),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a furnished Home Assistant whose user has automations in the editor's file."""
    folder = tmp_path_factory.mktemp("homeassistant")
    extra = "\nautomation theirs: !include automations.yaml\nsun:\nzone:\npersistent_notification:\n"
    home = RealHomeAssistant(folder, FURNISHED + extra)
    (folder / "automations.yaml").write_text(THEIRS)
    with home:
        home.press("desk_wall")  # it is unknown until then
        until(lambda: home.state("binary_sensor.desk_wall") == "off")
        yield home


@pytest.fixture
def file(home: RealHomeAssistant) -> Iterator[Path]:
    """Give the editor's file, which holds what the user wrote and nothing else, before a test and after it."""
    path = home.folder / "automations.yaml"
    assert path.read_text() == THEIRS
    yield path
    assert path.read_text() == THEIRS


def test_installed_it_acts_and_removed_it_leaves_no_trace(home: RealHomeAssistant, file: Path) -> None:
    """Ours is listed as written, starts by its trigger, and once removed every byte of the user's is as before."""

    async def live() -> None:
        async with connected(home) as automations:
            installed = await automations.install(OURS)
            assert (installed.id, installed.alias, installed.enabled) == (OURS.id, OURS.alias, True)
            assert installed.understood() == OURS
            assert THEIRS in file.read_text()

            home.call("light.turn_off", entity_id=DESK)
            home.call("switch.turn_off", entity_id="switch.heater")
            home.call("switch.turn_on", entity_id="switch.heater")
            await asyncio.to_thread(until, lambda: home.state(DESK) == "on")
            home.call("light.turn_off", entity_id=DESK)

            await automations.remove(OURS.id)
            assert await automations.find(OURS.id) is None
            assert await automations.read(OURS.id) is None

    asyncio.run(live())
    assert file.read_text() == THEIRS


def test_a_trial_leaves_its_trace(home: RealHomeAssistant, file: Path) -> None:
    """A trial runs ours at once and tells which steps were passed; with its conditions asked, that they failed."""
    never = msgspec.structs.replace(OURS, conditions=(StateCondition(entity_id=AWAY, states=("never",)),))

    async def trial() -> None:
        async with connected(home) as automations:
            await automations.install(never)
            home.call("light.turn_off", entity_id=DESK)
            held = await automations.trigger(OURS.id, skip_condition=False)
            assert (held.execution, held.finished, home.state(DESK)) == ("failed_conditions", False, "off")
            run = await automations.trigger(OURS.id)
            assert (run.finished, run.error, home.state(DESK)) == (True, "", "on")
            assert {"action/0", "action/1"} <= set(run.steps)
            again = await automations.trigger(OURS.id)
            assert again.run_id != run.run_id
            await automations.remove(OURS.id)

            told = await automations._session.command("persistent_notification/get")
            assert [one["message"] for one in told if one["notification_id"] == OURS.id] == ["{{ the desk }} is lit"]

    asyncio.run(trial())


def test_a_failed_trial_says_why(home: RealHomeAssistant, file: Path) -> None:
    """What Home Assistant could not do in a trial is told in its words."""
    wrong = SetAction(entities=(DESK,), state="on", settings={"brightness": "bright"})
    broken = msgspec.structs.replace(OURS, actions=(wrong,))

    async def trial() -> None:
        async with connected(home) as automations:
            await automations.install(broken)
            try:
                run = await automations.trigger(OURS.id)
                assert (run.finished, "brightness" in run.error) == (False, True)
            finally:
                await automations.remove(OURS.id)

    asyncio.run(trial())


def test_ours_is_replaced_and_switched_off_and_on(home: RealHomeAssistant, file: Path) -> None:
    """Installed again with another text it takes the place of the old one, and what is switched off stays off."""

    async def change() -> None:
        async with connected(home) as automations:
            await automations.install(OURS)
            assert not (await automations.switch(OURS.id, on=False)).enabled
            other = msgspec.structs.replace(OURS, alias="Another name", triggers=(TimeTrigger(second=60),))
            installed = await automations.install(other)
            assert installed.understood() == other
            assert not installed.enabled
            assert [one.id for one in await automations.installed()].count(OURS.id) == 1
            assert (await automations.switch(OURS.id, on=True)).enabled
            await automations.remove(OURS.id)

    asyncio.run(change())


def test_what_there_is_is_listed(home: RealHomeAssistant, file: Path) -> None:
    """Every automation is listed, also those in configuration.yaml, with what it does or why that is not known."""

    async def look() -> None:
        async with connected(home) as automations:
            found = {one.id: one for one in await automations.installed()}
        assert {"1700000000001", "chosen", "leaving", "goodnight", "ticking"} <= found.keys()
        lit = found["1700000000001"].understood()
        assert isinstance(lit, Automation)
        assert lit.sets == (SetAction(entities=(DESK,), state="on", settings={"brightness_pct": 40}),)
        leaving, chosen = found["leaving"].understood(), found["chosen"].understood()
        assert isinstance(leaving, Automation)
        assert leaving.triggers == (StateTrigger(entity_id=AWAY, state="on"),)
        assert isinstance(chosen, NotAnalysed)
        assert (chosen.alias, chosen.place) == ("Chosen", "actions[0]")
        assert not found["ticking"].enabled

    asyncio.run(look())


def test_entities_by_their_numbers_are_known(home: RealHomeAssistant, file: Path) -> None:
    """Where an automation names an entity by its number in the registry, it is listed with the entity's id."""

    async def look() -> None:
        async with connected(home) as automations:
            registry = await automations._session.command("config/entity_registry/list")
            (number,) = (one["id"] for one in registry if one["entity_id"] == "automation.leaving")
            written = configuration_of(OURS, keys_of(automations._session.version))
            trigger = next(iter(written[name] for name in ("triggers", "trigger") if name in written))[0]
            trigger["entity_id"] = [number]
            await automations._rest.ask("POST", "config", "automation", "config", OURS.id, body=written)
            await automations._reload(OURS.id)
            found = {one.id: one for one in await automations.installed()}[OURS.id].understood()
            await automations.remove(OURS.id)
        assert isinstance(found, Automation)
        assert found.triggers == (StateTrigger(entity_id="automation.leaving", state="on"),)

    asyncio.run(look())


def test_what_is_lacking_is_said_before(home: RealHomeAssistant, file: Path) -> None:
    """Entities and services that are not there are named, and nothing is installed; what is there is not named."""
    lacking = msgspec.structs.replace(
        OURS,
        triggers=(StateTrigger(entity_id="switch.gone", state="on"),),
        conditions=(PresenceCondition(somebody=True), NumericCondition(entity_id="sensor.power", above=3)),
        actions=(SetAction(entities=("vacuum.robot",), state="cleaning"),),
    )

    async def install() -> None:
        async with connected(home) as automations:
            assert await automations.hindrances(OURS) == []
            assert await automations.hindrances(OURS, "notify.phone") == ["There is no service notify.phone."]
            assert await automations.hindrances(lacking) == [
                "There is no entity switch.gone.",
                "There is no entity vacuum.robot.",
                "There is no service vacuum.start.",
            ]
            with pytest.raises(RequestError, match=r"There is no entity switch\.gone"):
                await automations.install(lacking)
            assert await automations.find(OURS.id) is None

    asyncio.run(install())


def test_what_lets_in_or_burns_is_not_installed(home: RealHomeAssistant, file: Path) -> None:
    """An automation that switches a garage door or a lock is refused, whoever made it."""
    home.put("cover.drive", "closed", device_class="garage")
    guarded = msgspec.structs.replace(OURS, actions=(SetAction(entities=("cover.drive",), state="open"),))

    async def install() -> None:
        async with connected(home) as automations:
            with pytest.raises(RequestError, match=r"cover\.drive is never switched by itself"):
                await automations.install(guarded)

    asyncio.run(install())
    home.remove("cover.drive")


def test_older_keys_are_taken_too(home: RealHomeAssistant, file: Path) -> None:
    """Written with the keys of older servers, which a current one still takes, it does the same."""

    async def install() -> None:
        async with connected(home) as automations:
            automations._session.version = "2024.9.3"
            installed = await automations.install(OURS)
            assert installed.understood() == OURS
            home.call("light.turn_off", entity_id=DESK)
            assert (await automations.trigger(OURS.id)).finished
            assert home.state(DESK) == "on"
            await automations.remove(OURS.id)

    asyncio.run(install())


def test_home_assistant_takes_every_word(home: RealHomeAssistant) -> None:
    """Triggers, conditions and actions of every kind, in the form that they are written in, are valid to it."""
    entities = {domain: f"{domain}.one" for domain in DOMAINS}
    every = Automation(
        id="quotidian_1",
        alias="Every word",
        triggers=(
            StateTrigger(entity_id=DESK, state="on", seconds=100_000),
            StateTrigger(entity_id=DESK, state="on", origin="off"),
            NumericTrigger(entity_id="sensor.power", above=-1.5, below=20, seconds=60),
            TimeTrigger(second=86_399),
            SunTrigger(event="sunrise", offset=-3_601),
        ),
        conditions=(
            WeekdayCondition(days=(0, 6)),
            TimeCondition(after=79_200, before=0),
            TimeCondition(after=0, before=60),
            Or(of=(SunCondition(up=True), And(of=()), Not(of=(PresenceCondition(somebody=False),)))),
            StateCondition(entity_id=DESK, states=("on", "off")),
            NumericCondition(entity_id="sensor.power", below=0.25),
        ),
        actions=(
            NotifyAction(message="{{ x }}"),
            *(SetAction(entities=(entities[domain],), state=state) for domain, state in STATES),
            SetAction(entities=("vacuum.one", "vacuum.two"), state="docked"),
            SetAction(entities=(DESK, "switch.one"), state="on"),
        ),
    )

    async def ask() -> None:
        async with connected(home) as automations:
            own = keys_of(automations._session.version)
            for keys in (own, OLDER):
                written = configuration_of(every, keys)
                names = {getattr(own, name): getattr(keys, name) for name in ("triggers", "conditions", "actions")}
                parts = {name: written[other] for name, other in names.items()}
                answer = await automations._session.command("validate_config", **parts)
                assert answer == {name: {"valid": True, "error": None} for name in parts}

    asyncio.run(ask())


def test_every_service_is_one_of_home_assistant() -> None:
    """Each service of the table is in Home Assistant's own list, with the fields that are given to it."""
    (components,) = HASS.parent.parent.glob("lib/python3*/site-packages/homeassistant/components")
    settings = {
        "climate": {"temperature": 20, "fan_mode": "a", "preset_mode": "a", "swing_mode": "a"},
        "cover": {"position": 40},
        "fan": {"percentage": 40},
        "humidifier": {"humidity": 40, "mode": "a"},
        "light": {"brightness": 40, "effect": "a", "transition": 1},
        "media_player": {"volume_level": 0.3, "source": "a"},
        "valve": {"position": 40},
    }
    for domain, state in STATES:
        for more in ({}, settings.get(domain, {}) if state in ("on", "open", "heat") else {}):
            made = calls(SetAction(entities=(f"{domain}.one",), state=state, settings=more))
            assert made, (domain, state)
            for call in made:
                place, _, name = call.service.partition(".")
                service = yaml.safe_load((components / place / "services.yaml").read_text())[name] or {}
                assert set(call.data) <= _fields(service.get("fields", {})), call


def _fields(fields: dict[str, Any]) -> set[str]:
    """Give the names of a service's fields, also those in sections."""
    inner = (part["fields"] for part in fields.values() if part and "fields" in part)
    return set(fields).union(*inner)


def test_what_home_assistant_refuses_is_told_in_its_words(home: RealHomeAssistant, file: Path) -> None:
    """A configuration that Home Assistant does not take changes nothing, and its reason is in the error."""
    odd = msgspec.structs.replace(OURS, triggers=(TimeTrigger(second=90_000),))

    async def install() -> None:
        async with connected(home) as automations:
            with pytest.raises(RequestError, match=r"Home Assistant refuses: .*Expected HH:MM"):
                await automations.install(odd)

    asyncio.run(install())


def test_a_file_that_is_not_loaded_is_said(home: RealHomeAssistant, file: Path) -> None:
    """Where configuration.yaml leaves out the editor's file, what is written there does not run: the error says so.

    Nothing of ours stays in that file, neither at first nor in the place of what was there before.
    """
    configuration = home.folder / "configuration.yaml"
    text = configuration.read_text()
    configuration.write_text(text.replace("automation theirs: !include automations.yaml", ""))

    async def install() -> None:
        async with connected(home) as automations:
            with pytest.raises(RequestError, match=r"automation: !include automations\.yaml"):
                await automations.install(OURS)
            assert file.read_text() == THEIRS
            configuration.write_text(text)
            await automations.install(OURS)
            before = file.read_text()
            configuration.write_text(text.replace("automation theirs: !include automations.yaml", ""))
            with pytest.raises(RequestError, match="did not load"):
                await automations.install(msgspec.structs.replace(OURS, alias="Another name"))
            assert file.read_text() == before
            configuration.write_text(text)
            await automations.remove(OURS.id)

    asyncio.run(install())


def test_a_file_that_home_assistant_cannot_change_is_said(home: RealHomeAssistant, file: Path) -> None:
    """With a secret in the editor's file Home Assistant changes nothing there: the error says what may be the cause."""
    secret = "- id: x\n  alias: !secret name\n"
    file.write_text(secret)

    async def install() -> None:
        async with connected(home) as automations:
            with pytest.raises(UnreachableError, match=r"status 500.*!secret"):
                await automations.install(OURS)

    asyncio.run(install())
    assert file.read_text() == secret
    file.write_text(THEIRS)


def test_what_was_written_by_hand_stays_what_it_is(home: RealHomeAssistant, file: Path) -> None:
    """Of a file that somebody wrote by hand every automation stays as it is; its layout is Home Assistant's then."""
    by_hand = "# mine\n- {id: x, alias: X, trigger: {platform: time, at: '7:00'}, action: []}\n- alias: No id\n"
    file.write_text(by_hand)

    async def live() -> None:
        async with connected(home) as automations:
            await automations.install(OURS)
            await automations.remove(OURS.id)

    asyncio.run(live())
    first, second = yaml.safe_load(file.read_text())
    assert [first, {"alias": second["alias"]}] == yaml.safe_load(by_hand)
    assert set(second) == {"alias", "id"}
    file.write_text(THEIRS)


def test_those_of_others_are_never_changed(home: RealHomeAssistant, file: Path) -> None:
    """Installing over, removing, switching or trying one that is not ours is refused, and so is what is not there."""

    async def meddle() -> None:
        async with connected(home) as automations:
            for theirs in ("chosen", "", "quotidian_", "quotidian_/../chosen", "Quotidian_1"):
                for attempt in (
                    automations.install(msgspec.structs.replace(OURS, id=theirs)),
                    automations.remove(theirs),
                    automations.switch(theirs, on=False),
                    automations.trigger(theirs),
                ):
                    with pytest.raises(RequestError, match="not one of ours"):
                        await attempt
            for attempt in (automations.remove("quotidian_0"), automations.trigger("quotidian_0")):
                with pytest.raises(NotFoundError, match="has no automation quotidian_0"):
                    await attempt

    asyncio.run(meddle())


def test_a_guest_may_look_and_no_more(home: RealHomeAssistant, file: Path) -> None:
    """With a token that is no administrator's, what there is is listed, and changes are refused in plain words."""

    async def visit() -> None:
        async with connected(home) as automations:
            assert await automations.administrator()
            await automations.install(OURS)
        try:
            async with connected(home, home.guest_token) as automations:
                assert not await automations.administrator()
                assert {one.id: one for one in await automations.installed()}[OURS.id].understood() == OURS
                assert await automations.hindrances(OURS) == []
                for attempt in (
                    automations.install(OURS),
                    automations.remove(OURS.id),
                    automations.read(OURS.id),
                    automations.trigger(OURS.id),
                ):
                    with pytest.raises(AccessError) as refused:
                        await attempt
                    assert "administrator" in str(refused.value)
                    assert home.guest_token not in repr(refused.value)
        finally:
            async with connected(home) as automations:
                await automations.remove(OURS.id)

    asyncio.run(visit())


@asynccontextmanager
async def connected(home: RealHomeAssistant, token: str | None = None) -> AsyncIterator[Automations]:
    """Connect as the owner, or with another token."""
    async with asyncio.timeout(60), Automations.open(Address(socket_url(home.url), token or home.token)) as automations:
        yield automations

"""Automations as Home Assistant's configuration: what is written is read again, and whatever is read breaks nothing."""

import json
from collections.abc import Callable
from typing import Any

import jinja2
import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quotidian.errors import RequestError, SourceError
from quotidian.homeassistant.configuration import (
    CURRENT,
    OLDER,
    Keys,
    NotAnalysed,
    configuration_of,
    entities_named,
    keys_of,
    services_named,
    understood,
)
from quotidian.homeassistant.configuration.literal import MARKS, literal, plain_text
from quotidian.homeassistant.configuration.text import from_yaml, to_yaml
from quotidian.model import Entity, Home
from quotidian.model.automation import (
    Action,
    And,
    Automation,
    Condition,
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
    Trigger,
    WeekdayCondition,
)
from quotidian.model.service import calls, state_after

# what can be written

_SECOND = st.integers(0, 86_399)
_LASTING = st.integers(0, 500_000)
_NAMES = st.sampled_from(["binary_sensor.hall", "light.desk", "person.anna", "sensor.outside", "media_player.tv"])
_STATES = st.text(min_size=1).filter(lambda text: not any(mark in text for mark in MARKS) and "input_" not in text)
_LIMITS = st.tuples(
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
).filter(lambda limits: limits != (None, None))

TRIGGERS: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(StateTrigger, entity_id=_NAMES, state=_STATES, origin=st.none() | _STATES, seconds=_LASTING),
    st.builds(
        lambda name, limits, seconds: NumericTrigger(entity_id=name, above=limits[0], below=limits[1], seconds=seconds),
        _NAMES,
        _LIMITS,
        _LASTING,
    ),
    st.builds(TimeTrigger, second=_SECOND),
    st.builds(SunTrigger, event=st.sampled_from(["sunrise", "sunset"]), offset=st.integers(-50_000, 50_000)),
)
_PLAIN_CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(WeekdayCondition, days=st.lists(st.integers(0, 6), min_size=1, max_size=7).map(tuple)),
    st.builds(TimeCondition, after=_SECOND, before=_SECOND).filter(
        lambda condition: condition.before == 0 or condition.after != condition.before
    ),
    st.builds(SunCondition, up=st.booleans()),
    st.builds(PresenceCondition, somebody=st.booleans()),
    st.builds(StateCondition, entity_id=_NAMES, states=st.lists(_STATES, min_size=1, max_size=3).map(tuple)),
    st.builds(lambda name, limits: NumericCondition(entity_id=name, above=limits[0], below=limits[1]), _NAMES, _LIMITS),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    _PLAIN_CONDITIONS,
    lambda inner: st.builds(
        lambda kind, of: kind(of=tuple(of)), st.sampled_from([And, Or, Not]), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


def _set(domain: str, state: str | st.SearchStrategy[str], **settings: Any) -> st.SearchStrategy[Action]:
    """Give actions that put one to three entities of a domain into a state, with some of the settings."""
    names = st.sampled_from(["one", "two", "three"]).map(lambda name: f"{domain}.{name}")
    return st.builds(
        SetAction,
        entities=st.lists(names, min_size=1, max_size=3).map(tuple),
        state=st.just(state) if isinstance(state, str) else state,
        settings=st.fixed_dictionaries({}, optional=settings),
    )


ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(NotifyAction, message=st.text()),
    _set("light", "on", brightness=st.integers(1, 255), rgb_color=st.lists(st.integers(0, 255)), effect=st.text()),
    _set("light", "off", transition=st.floats(0, 10)),
    _set("fan", "on", percentage=st.integers(1, 100)),
    _set("cover", "open", position=st.integers(1, 100)),
    _set("climate", st.sampled_from(["heat", "off", "{{ cool }}"]), temperature=st.floats(5, 30), fan_mode=st.text()),
    _set("media_player", "on", volume_level=st.floats(0, 1), source=st.text()),
    _set("media_player", st.sampled_from(["playing", "paused", "idle", "off"])),
    _set("humidifier", "on", humidity=st.integers(0, 100), mode=st.text()),
    _set("select", st.text(min_size=1)),
    _set("vacuum", st.sampled_from(["cleaning", "docked", "paused", "idle"])),
    _set("lock", st.sampled_from(["locked", "unlocked", "open"])),
    *(_set(domain, "off") for domain in ("switch", "input_boolean", "siren", "script", "group", "automation")),
    *(_set(domain, "on") for domain in ("scene", "script", "siren", "remote", "camera")),
    *(_set(domain, "closed") for domain in ("cover", "valve")),
    _set("alarm_control_panel", st.sampled_from(["armed_away", "armed_night", "disarmed"])),
    st.just(SetAction(entities=("light.one", "switch.two", "fan.three"), state="off")),
)
AUTOMATIONS = st.builds(
    Automation,
    id=st.text(),
    alias=st.text(),
    description=st.text(),
    triggers=st.lists(TRIGGERS, min_size=1, max_size=3).map(tuple),
    conditions=st.lists(CONDITIONS, max_size=3).map(tuple),
    actions=st.lists(ACTIONS, min_size=1, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(automation=AUTOMATIONS, keys=st.sampled_from([CURRENT, OLDER]), notify=st.sampled_from(["notify.phone", ""]))
def test_what_is_written_is_read_again(automation: Automation, keys: Keys, notify: str) -> None:
    """From an automation to its configuration and back, by JSON or YAML, it is the same, with the keys of both ages."""
    configuration = configuration_of(automation, keys, notify or "persistent_notification.create")

    assert understood(configuration) == automation
    assert understood(json.loads(json.dumps(configuration))) == automation
    assert understood(from_yaml(to_yaml([configuration]))[0]) == automation


@settings(deadline=None)
@given(text=st.text() | st.text("{}%# a\\\"'\n", min_size=2))
def test_no_name_is_taken_for_a_template(text: str) -> None:
    """What a lamp or a source is called comes out of Home Assistant's rendering as it is, and is read again."""
    assume("\r" not in text)  # Jinja makes line feeds of them in what is no template, too
    written = literal(text)

    assert jinja2.Template(written, keep_trailing_newline=True).render() == text
    assert plain_text(written) == text


def test_names_with_braces_stay_names() -> None:
    """A message, an option and a source that look like templates are none when they are called."""
    evil = "{{ states('lock.door') }}"
    automation = Automation(
        id="quotidian_1",
        alias=evil,
        triggers=(TimeTrigger(second=0),),
        actions=(
            NotifyAction(message=evil),
            SetAction(entities=("select.mode",), state=evil),
            SetAction(entities=("media_player.tv",), state="on", settings={"source": evil}),
        ),
    )
    steps = configuration_of(automation)["actions"]

    rendered = [
        jinja2.Template(text).render()
        for step in steps
        for text in step.get("data", {}).values()
        if isinstance(text, str)
    ]
    assert rendered == [evil, evil, "quotidian_1", evil, evil]


def test_it_does_not_start_by_a_restart() -> None:
    """A state trigger of ours that asks for no certain origin does not start from unavailable or unknown."""
    trigger = StateTrigger(entity_id="binary_sensor.hall", state="on", seconds=90)
    automation = _doing(SetAction(entities=("light.desk",), state="on"), trigger)

    assert configuration_of(automation)["triggers"] == [
        {
            "trigger": "state",
            "entity_id": "binary_sensor.hall",
            "not_from": ["unavailable", "unknown"],
            "to": "on",
            "for": "00:01:30",
        }
    ]


def test_what_would_begin_anew_is_asked_first() -> None:
    """A vacuum that cleans is not started again, and what follows is done all the same; a light needs no such care."""
    clean, light = SetAction(entities=("vacuum.robot",), state="cleaning"), SetAction(entities=("light.a",), state="on")
    first, second = configuration_of(_doing(clean, light))["actions"]

    state = {"condition": "state", "entity_id": "vacuum.robot", "state": "cleaning"}
    assert first["if"] == [{"condition": "not", "conditions": [state]}]
    assert second == {"action": "light.turn_on", "target": {"entity_id": "light.a"}}


@pytest.mark.parametrize(
    "action",
    [
        SetAction(entities=("sensor.power",), state="40"),
        SetAction(entities=("light.a",), state="dim"),
        SetAction(entities=("light.a", "cover.b"), state="on"),
        SetAction(entities=(), state="on"),
        SetAction(entities=("cover.a",), state="closed", settings={"position": 40}),
    ],
)
def test_what_no_service_does_is_not_written(action: SetAction) -> None:
    """An error names the entity where Home Assistant has no service for what should become of it."""
    with pytest.raises(RequestError, match="no service that puts"):
        configuration_of(_doing(action))


@settings(deadline=None)
@given(action=ACTIONS)
def test_a_service_leads_where_it_is_said_to(action: Action) -> None:
    """The first call of an action leads to the action's state, by the same table."""
    assume(isinstance(action, SetAction))
    assert isinstance(action, SetAction)
    found = state_after(calls(action)[0], action.entities)

    assert found is not None
    assert found[0] == action.state


def test_keys_go_by_version() -> None:
    """Servers from 2024.10 on get the current keys, those before the older ones, unknown ones the current ones."""
    versions = ("2024.9.3", "2024.10.0", "2024.10.0b3", "2025.4.4", "2023.1", "", "dev")
    assert [keys_of(version) is OLDER for version in versions] == [True, False, False, False, True, False, False]


# what others write

_LAMP = "actions: [{action: light.turn_on, target: {entity_id: light.a}}]"
_NOON = "triggers: [{trigger: time, at: '12:00'}]"

UNDERSTOOD: dict[str, tuple[str, Callable[[Automation], object], object]] = {
    "older keys and bare parts": (
        "{trigger: {platform: state, entity_id: a.b, to: 'on'}, action: {service: light.turn_on, entity_id: light.a}}",
        lambda found: (found.triggers, found.actions),
        (
            (StateTrigger(entity_id="a.b", state="on"),),
            (SetAction(entities=("light.a",), state="on"),),
        ),
    ),
    "lists of entities, origins and states": (
        f"{{triggers: {{trigger: state, entity_id: 'a.b, A.c', from: [x, y], to: [v, w]}}, {_LAMP}}}",
        lambda found: len(set(found.triggers)),
        8,
    ),
    "spans in every form": (
        "{triggers: ["
        + ", ".join(
            f"{{trigger: state, entity_id: a.b, to: 'on', for: {span}}}"
            for span in ("'00:10:00'", "'0:10'", "600", "'600'", "{minutes: 10}", "{minutes: '9', seconds: 60.2}")
        )
        + f"], {_LAMP}}}",
        lambda found: {trigger.seconds for trigger in found.triggers},
        {600},
    ),
    "several times": (
        f"{{trigger: {{platform: time, at: ['7:30', '22:00:05']}}, {_LAMP}}}",
        lambda found: found.triggers,
        (TimeTrigger(second=27_000), TimeTrigger(second=79_205)),
    ),
    "an offset before sunset": (
        f"{{trigger: {{platform: sun, event: sunset, offset: '-00:30:00'}}, {_LAMP}}}",
        lambda found: found.triggers,
        (SunTrigger(event="sunset", offset=-1_800),),
    ),
    "the state of the sun": (
        f"{{trigger: {{platform: state, entity_id: sun.sun, to: below_horizon, for: 60}}, {_LAMP}}}",
        lambda found: found.triggers,
        (SunTrigger(event="sunset", offset=60),),
    ),
    "limits as text": (
        f"{{trigger: {{platform: numeric_state, entity_id: a.b, above: '20.5'}}, {_LAMP}}}",
        lambda found: found.triggers,
        (NumericTrigger(entity_id="a.b", above=20.5),),
    ),
    "triggers in triggers, and some switched off": (
        "{triggers: [{triggers: [{trigger: time, at: '1:00'}]}, {trigger: mqtt, topic: x, enabled: false}],"
        f" {_LAMP}}}",
        lambda found: found.triggers,
        (TimeTrigger(second=3_600),),
    ),
    "shorthand conditions": (
        f"{{{_NOON}, conditions: [not: {{or: [{{condition: state, entity_id: a.b, state: [x, z]}}]}}], {_LAMP}}}",
        lambda found: found.conditions,
        (Not(of=(Or(of=(StateCondition(entity_id="a.b", states=("x", "z")),)),)),),
    ),
    "any of some entities": (
        f"{{{_NOON}, condition: {{condition: state, entity_id: [a.b, a.c], state: x, match: any}}, {_LAMP}}}",
        lambda found: found.conditions,
        (Or(of=tuple(StateCondition(entity_id=name, states=("x",)) for name in ("a.b", "a.c"))),),
    ),
    "weekdays with a time": (
        f"{{{_NOON}, condition: {{condition: time, after: '22:00', before: '6:00', weekday: [mon, sun]}}, {_LAMP}}}",
        lambda found: found.conditions,
        (WeekdayCondition(days=(0, 6)), TimeCondition(after=79_200, before=21_600)),
    ),
    "night by the sun": (
        f"{{{_NOON}, condition: {{condition: sun, after: sunset, before: sunrise}}, {_LAMP}}}",
        lambda found: found.conditions,
        (SunCondition(up=False),),
    ),
    "the evening by the sun": (
        f"{{{_NOON}, condition: {{condition: sun, after: sunset}}, {_LAMP}}}",
        lambda found: found.conditions,
        (SunCondition(up=False), TimeCondition(after=43_200, before=0)),
    ),
    "somebody at home": (
        f"{{{_NOON}, condition: {{condition: numeric_state, entity_id: zone.home, above: 0}}, {_LAMP}}}",
        lambda found: found.conditions,
        (PresenceCondition(somebody=True),),
    ),
    "a condition as the first action": (
        f"{{{_NOON}, actions: [{{condition: state, entity_id: a.b, state: x}}, {{scene: scene.movie}}]}}",
        lambda found: (found.conditions, found.actions),
        (
            (StateCondition(entity_id="a.b", states=("x",)),),
            (SetAction(entities=("scene.movie",), state="on"),),
        ),
    ),
    "a switched-off condition": (
        f"{{{_NOON}, condition: [{{condition: template, value_template: '{{{{ x }}}}', enabled: false}}], {_LAMP}}}",
        lambda found: found.conditions,
        (),
    ),
    "several kinds at once": (
        f"{{{_NOON}, actions: {{action: homeassistant.turn_off, target: {{entity_id: [light.a, switch.b]}}}}}}",
        lambda found: found.actions,
        (SetAction(entities=("light.a", "switch.b"), state="off"),),
    ),
    "a heating with its temperature": (
        f"{{{_NOON}, actions: {{service: climate.set_temperature, data: {{entity_id: climate.a, temperature: 18, "
        "hvac_mode: heat}}}",
        lambda found: found.actions,
        (SetAction(entities=("climate.a",), state="heat", settings={"temperature": 18}),),
    ),
    "a cover half open": (
        f"{{{_NOON}, actions: {{service: cover.set_cover_position, entity_id: cover.a, data: {{position: 50}}}}}}",
        lambda found: found.actions,
        (SetAction(entities=("cover.a",), state="open", settings={"position": 50}),),
    ),
    "a volume after a player": (
        f"{{{_NOON}, actions: [{{action: media_player.turn_on, target: {{entity_id: media_player.a}}}}, "
        "{action: media_player.volume_set, target: {entity_id: media_player.a}, data: {volume_level: 0.3}}]}",
        lambda found: found.actions,
        (SetAction(entities=("media_player.a",), state="on", settings={"volume_level": 0.3}),),
    ),
    "in parallel and in sequence": (
        f"{{{_NOON}, actions: [{{parallel: [{{sequence: [{{action: lock.lock, target: {{entity_id: lock.a}}}}]}}]}}]}}",
        lambda found: found.actions,
        (SetAction(entities=("lock.a",), state="locked"),),
    ),
    "a script by its name": (
        f"{{{_NOON}, actions: [{{action: script.evening}}, {{action: notify.phone, data: {{message: Done}}}}]}}",
        lambda found: found.actions,
        (SetAction(entities=("script.evening",), state="on"), NotifyAction(message="Done")),
    ),
    "switches of devices, as the editor writes them": (
        "{trigger: {platform: device, device_id: x, domain: light, type: turned_on, entity_id: light.b, for: 60}, "
        "condition: {condition: device, device_id: x, domain: switch, type: is_off, entity_id: switch.c}, "
        "action: {device_id: x, domain: cover, type: close, entity_id: cover.d}}",
        lambda found: (found.triggers, found.conditions, found.actions),
        (
            (StateTrigger(entity_id="light.b", state="on", seconds=60),),
            (StateCondition(entity_id="switch.c", states=("off",)),),
            (SetAction(entities=("cover.d",), state="closed"),),
        ),
    ),
    "a template in what is told": (
        f"{{{_NOON}, actions: {{service: notify.phone, data: {{message: 'It is {{{{ now() }}}}'}}}}}}",
        lambda found: found.actions,
        (NotifyAction(message="It is {{ now() }}"),),
    ),
    "a number as its id, and no name": (
        f"{{id: 1700000000001, {_NOON}, {_LAMP}}}",
        lambda found: found.id,
        "1700000000001",
    ),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_what_can_be_understood_is(case: str) -> None:
    """Odd but clear ways of writing are read as what they mean."""
    text, part, expected = UNDERSTOOD[case]
    found = understood(from_yaml(text)[0])

    assert isinstance(found, Automation), found
    assert part(found) == expected
    assert understood(configuration_of(found)) == found


UNCLEAR = {
    "a blueprint": ("{use_blueprint: {path: motion.yaml, input: {x: light.a}}}", "use_blueprint", "blueprint"),
    "a template as trigger": (
        f"{{trigger: {{platform: template, value_template: x}}, {_LAMP}}}",
        "trigger",
        "'template'",
    ),
    "a device's own trigger": (
        f"{{trigger: {{platform: device, device_id: x, domain: y, type: z}}, {_LAMP}}}",
        "trigger.type",
        "'z' is not one of",
    ),
    "an entity by its number in the registry": (
        f"{{trigger: {{platform: device, device_id: x, domain: y, type: turned_on, entity_id: {'a1' * 16}}}, {_LAMP}}}",
        "trigger.entity_id",
        "no entity id",
    ),
    "a zone": (f"{{trigger: {{platform: zone, entity_id: person.a, zone: zone.home}}, {_LAMP}}}", "trigger", "'zone'"),
    "an event": (f"{{trigger: [{{platform: event, event_type: x}}], {_LAMP}}}", "trigger[0]", "'event'"),
    "a bare on": (f"{{trigger: {{platform: state, entity_id: a.b, to: on}}, {_LAMP}}}", "trigger.to", "without quotes"),
    "a bare time": (f"{{trigger: {{platform: time, at: 12:30:00}}, {_LAMP}}}", "trigger.at", "without quotes"),
    "a helper's time": (
        f"{{trigger: {{platform: time, at: ['7:00', input_datetime.x]}}, {_LAMP}}}",
        "trigger.at[1]",
        "no time of day",
    ),
    "every change": (f"{{trigger: {{platform: state, entity_id: a.b}}, {_LAMP}}}", "trigger", "every change"),
    "an attribute": (
        f"{{trigger: {{platform: state, entity_id: a.b, attribute: x, to: '1'}}, {_LAMP}}}",
        "trigger",
        "'attribute'",
    ),
    "another entity's value": (
        f"{{trigger: {{platform: numeric_state, entity_id: a.b, above: input_number.x}}, {_LAMP}}}",
        "trigger.above",
        "a number",
    ),
    "a templated span": (
        f"{{trigger: {{platform: state, entity_id: a.b, to: x, for: '{{{{ y }}}}'}}, {_LAMP}}}",
        "trigger.for",
        "template",
    ),
    "nothing that starts it": (f"{{triggers: [], {_LAMP}}}", "", "nothing starts it"),
    "nothing that it does": (f"{{{_NOON}, actions: []}}", "", "does nothing"),
    "both ages of keys": (f"{{{_NOON}, trigger: [], {_LAMP}}}", "", "both 'triggers' and 'trigger'"),
    "a template as condition": (f"{{{_NOON}, conditions: ['{{{{ x }}}}'], {_LAMP}}}", "conditions[0]", "template"),
    "which trigger it was": (
        f"{{{_NOON}, conditions: [{{or: [{{condition: trigger, id: x}}]}}], {_LAMP}}}",
        "conditions[0].or[0]",
        "'trigger'",
    ),
    "for how long a state holds": (
        f"{{{_NOON}, conditions: {{condition: state, entity_id: a.b, state: x, for: 60}}, {_LAMP}}}",
        "conditions",
        "'for'",
    ),
    "a while after sunset": (
        f"{{{_NOON}, conditions: {{condition: sun, after: sunset, after_offset: '1:00'}}, {_LAMP}}}",
        "conditions.after_offset",
        "not analysed",
    ),
    "a choice": (f"{{{_NOON}, actions: [{{choose: []}}]}}", "actions[0]", "'choose'"),
    "a delay": (f"{{{_NOON}, actions: [{{delay: 5}}]}}", "actions[0]", "'delay'"),
    "a wait": (f"{{{_NOON}, actions: [{{wait_template: x}}]}}", "actions[0]", "'wait_template'"),
    "a real if": (
        f"{{{_NOON}, actions: [{{if: [{{condition: state, entity_id: a.b, state: x}}], then: [{{scene: scene.a}}]}}]}}",
        "actions[0]",
        "'if'",
    ),
    "a toggle": (f"{{{_NOON}, actions: [{{action: light.toggle, entity_id: light.a}}]}}", "actions[0]", "light.toggle"),
    "a temperature without a mode": (
        f"{{{_NOON}, actions: [{{action: climate.set_temperature, entity_id: climate.a, data: {{temperature: 1}}}}]}}",
        "actions[0]",
        "to what state",
    ),
    "an area": (
        f"{{{_NOON}, actions: [{{action: light.turn_on, target: {{area_id: study}}}}]}}",
        "actions[0].target.area_id",
        "not known here",
    ),
    "a label": (
        f"{{{_NOON}, actions: [{{action: light.turn_on, target: {{label_id: x}}}}]}}",
        "actions[0].target",
        "'label_id'",
    ),
    "a templated service": (f"{{{_NOON}, actions: [{{action: '{{{{ x }}}}'}}]}}", "actions[0].action", "template"),
    "templated data": (
        f"{{{_NOON}, actions: [{{action: light.turn_on, entity_id: light.a, data: {{brightness: '{{{{ x }}}}'}}}}]}}",
        "actions[0].data.brightness",
        "template",
    ),
    "a secret": (f"{{trigger: {{platform: time, at: !secret wake}}, {_LAMP}}}", "trigger.at", "!secret wake"),
    "an input": (f"{{trigger: !input motion, {_LAMP}}}", "trigger", "!input motion"),
    "a file": (f"{{triggers: !include x.yaml, {_LAMP}}}", "triggers", "!include x.yaml"),
    "no automation": ("[17]", "", "no automation"),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_cannot_be_understood_is_said_with_its_place(case: str) -> None:
    """Whatever only Home Assistant can tell, or is not replayed, is not analysed: the answer says where and why."""
    text, place, reason = UNCLEAR[case]
    found = understood(from_yaml(text)[0])

    assert isinstance(found, NotAnalysed), found
    assert found.place == place
    assert reason in found.reason


def test_what_it_touches_is_known_all_the_same() -> None:
    """Of an automation that is not analysed, the entities that it names are known."""
    text = f"{{id: x, alias: X, {_NOON}, actions: [{{choose: [{{sequence: [{{entity_id: 'light.a, light.b'}}]}}]}}]}}"
    found = understood(from_yaml(text)[0])

    assert isinstance(found, NotAnalysed)
    assert (found.id, found.alias, found.entities) == ("x", "X", {"light.a", "light.b"})


def test_areas_and_devices_are_entities_where_the_home_is_known() -> None:
    """An action that aims at an area or a device switches its entities of that kind."""
    names = {"light.a": ("study", None), "light.b": (None, "d1"), "switch.c": ("study", None), "light.d": (None, None)}
    entities = {name: Entity(name, area=area, device=device) for name, (area, device) in names.items()}
    text = f"{{{_NOON}, actions: [{{action: light.turn_on, target: {{area_id: [study], device_id: d1}}}}]}}"
    found = understood(from_yaml(text)[0], Home("h", "UTC", entities=entities))

    assert isinstance(found, Automation), found
    assert found.sets[0].entities == ("light.a", "light.b")


# whatever comes

_WORDS = sorted(
    {"id", "alias", "use_blueprint", "triggers", "trigger", "platform", "conditions", "condition", "actions", "action"}
    | {"service", "target", "data", "entity_id", "to", "from", "not_from", "for", "at", "event", "offset", "above"}
    | {"below", "state", "numeric_state", "time", "sun", "sunset", "and", "or", "not", "if", "then", "parallel"}
    | {"sequence", "weekday", "mon", "after", "before", "minutes", "enabled", "on", "light.turn_on", "light.a", "12:00"}
    | {"climate.set_temperature", "hvac_mode", "notify.x", "message", "cover.set_cover_position", "position", "scene"}
    | {"media_player.volume_set", "volume_level", "homeassistant.turn_on", "area_id", "{{ x }}", "sun.sun", "match"}
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS) | st.text(), inner, max_size=4),
    max_leaves=25,
)


@settings(deadline=None)
@given(configuration=_ANYTHING)
def test_nothing_breaks_it(configuration: Any) -> None:
    """Whatever JSON can hold is an automation, or not analysed with a reason."""
    _check(understood(configuration))


@settings(deadline=None)
@given(automation=AUTOMATIONS, keys=st.sampled_from([CURRENT, OLDER]), data=st.data())
def test_nothing_in_the_wrong_place_breaks_it(automation: Automation, keys: Keys, data: st.DataObject) -> None:
    """A good configuration with anything at all in some place is an automation, or not analysed with a reason."""
    configuration = configuration_of(automation, keys)
    place: Any = configuration
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(_ANYTHING)

    _check(understood(configuration))


def _check(found: Automation | NotAnalysed) -> None:
    if isinstance(found, NotAnalysed):
        assert found.reason
    else:
        assert msgspec.convert(msgspec.to_builtins(found), Automation) == found
        assert found.triggers
        assert found.actions


def test_what_is_without_end_is_refused() -> None:
    """Nests of anchors, circles, and what is nested more deeply than anybody writes are not analysed."""
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    circle: list[Any] = []
    circle.extend([circle, circle])
    deep: Any = {"condition": "state"}
    for _ in range(5_000):
        deep = {"and": [deep]}
    many = from_yaml(f"{laughs}triggers: *a59\n")[0]

    for value in (many, {"triggers": circle}, {"conditions": deep}):
        found = understood(value)
        assert isinstance(found, NotAnalysed)
        assert found.reason == "it is too large"


# YAML


def test_automations_are_found_in_every_kind_of_file() -> None:
    """A list, one as the editor shows it, and a whole configuration.yaml with several keys are read."""
    one = f"{{alias: X, {_NOON}, {_LAMP}}}"
    files = (f"- {one}", one, f"automation: [{one}]\nsensor: x", f"automation kitchen: [{one}]\nautomation: !include a")
    assert [len(from_yaml(text)) for text in files] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    "text", ["", "a: b", "a: [", "{{ x }}: y", "a: !!python/object:os.system x", "- 2024-13-45", "[" * 5_000, "\x00"]
)
def test_what_is_no_automation_is_a_clear_error(text: str) -> None:
    """A file that is no YAML, or holds no automation, is told so."""
    with pytest.raises(SourceError, match=r"not YAML|No automation"):
        from_yaml(text)


@settings(deadline=None)
@given(text=st.text() | st.text("-:{}[]!&*?|>'\"\n ab1%@`", max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is automations, or a clear error."""
    try:
        found = from_yaml(text)
    except SourceError:
        return
    for one in found:
        _check(understood(one))


def test_what_is_needed_is_named() -> None:
    """Entities and services are found wherever a configuration names them, also those of conditions in actions."""
    actions = (SetAction(entities=("script.a",), state="on"), NotifyAction(message="x"))
    automation = msgspec.structs.replace(
        _doing(*actions), conditions=(Or(of=(SunCondition(up=True), PresenceCondition(somebody=True))),)
    )
    for keys in (CURRENT, OLDER):
        written = configuration_of(automation, keys)
        assert entities_named(written) == {"script.a", "sun.sun", "zone.home"}
        assert services_named(written) == {"script.turn_on", "persistent_notification.create"}


def _doing(*actions: Action | Trigger) -> Automation:
    triggers = tuple(part for part in actions if isinstance(part, Trigger))
    acts = tuple(part for part in actions if isinstance(part, SetAction | NotifyAction))
    return Automation(id="quotidian_1", alias="A", triggers=triggers or (TimeTrigger(second=43_200),), actions=acts)

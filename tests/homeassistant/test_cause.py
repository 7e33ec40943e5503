"""Who changed a state."""

import pytest

from quotidian.homeassistant.cause import Causes, Trace
from quotidian.model import Cause, CauseKind

S = 1_000_000


def _listening(machines: frozenset[str] = frozenset()) -> Causes:
    causes = Causes(machines, {"hall": ("light.hall", "cover.hall")})
    causes.complete = True
    return causes


def _call(service: str, entity_id: object, **more: object) -> dict[str, object]:
    domain, _, name = service.partition(".")
    return {"domain": domain, "service": name, "service_data": {"entity_id": entity_id, **more}}


def test_nobody_is_the_device_itself() -> None:
    """A context of which nothing was heard is the device's own; without one nothing is known."""
    causes = _listening()
    assert causes.cause("light.a", "on", Trace("x"), 0) == Cause(CauseKind.PHYSICAL)
    assert causes.cause("light.a", "on", None, 0) == Cause(CauseKind.UNKNOWN)


def test_a_source_without_telling_events_claims_nothing() -> None:
    """Where automations would not be heard of, a change without a user is not called physical."""
    assert Causes().cause("light.a", "on", Trace("x"), 0).kind is CauseKind.UNKNOWN


def test_time_triggered_automation_is_not_physical() -> None:
    """An automation triggered by time has neither user nor parent; its event names it all the same."""
    causes = _listening()
    causes.heard("automation_triggered", {"entity_id": "automation.a", "source": "time pattern"}, Trace("x"), 0)
    assert causes.cause("light.a", "on", Trace("x"), 1) == Cause(CauseKind.AUTOMATION, "automation.a")


@pytest.mark.parametrize(
    ("machines", "kind"), [(frozenset(), CauseKind.PERSON), (frozenset({"u"}), CauseKind.INTEGRATION)]
)
def test_user_is_a_person_unless_a_service_account(machines: frozenset[str], kind: CauseKind) -> None:
    """A context with a user is a person's, but a service account is no person."""
    assert _listening(machines).cause("light.a", "on", Trace("x", None, "u"), 0) == Cause(kind, None, "u")


def test_script_is_its_callers() -> None:
    """A script that a person started is the person's act; one that an automation called the automation's."""
    causes = _listening()
    causes.heard("script_started", {"entity_id": "script.s"}, Trace("p", None, "u"), 0)
    causes.heard("automation_triggered", {"entity_id": "automation.a"}, Trace("a"), 0)
    causes.heard("script_started", {"entity_id": "script.s"}, Trace("a"), 0)
    causes.heard("script_started", {"entity_id": "script.s"}, Trace("s"), 0)
    kinds = [causes.cause("light.a", "on", Trace(key), 0).kind for key in ("p", "a", "s")]
    assert kinds == [CauseKind.PERSON, CauseKind.AUTOMATION, CauseKind.SCRIPT]


def test_parents_are_followed() -> None:
    """A context of which only the parent is known has the parent's cause; an unheard parent is an automation."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", "light.b"), Trace("p", None, "u"), 0)
    assert causes.cause("light.a", "on", Trace("c", "p"), 0) == Cause(CauseKind.PERSON, None, "u")
    assert causes.cause("light.a", "on", Trace("c", "never heard"), 0).kind is CauseKind.AUTOMATION


def test_a_circle_of_parents_ends() -> None:
    """Contexts that are each other's parents (damaged data) are settled all the same."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", "light.b"), Trace("a", "b"), 0)
    causes.heard("call_service", _call("light.turn_on", "light.b"), Trace("b", "a"), 0)
    assert causes.cause("light.a", "on", Trace("a", "b"), 0).kind is CauseKind.AUTOMATION


def test_call_of_nobody_is_an_integrations() -> None:
    """A context that only a service call carried is an integration's."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", "light.a"), Trace("x"), 0)
    assert causes.cause("light.a", "on", Trace("x"), 1).kind is CauseKind.INTEGRATION


@pytest.mark.parametrize(
    "source", ["state of event.remote", "state of input_button.bed", "event 'zha_event'", "Tag scanned"]
)
def test_button_that_an_automation_listens_to_is_a_persons(source: str) -> None:
    """An automation triggered by a button, remote or tag is a person's act by automation."""
    causes = _listening()
    causes.heard("automation_triggered", {"entity_id": "automation.a", "source": source}, Trace("x", "b"), 0)
    assert causes.cause("light.a", "on", Trace("x", "b"), 0) == Cause(CauseKind.REMOTE, "automation.a")


def test_button_is_known_by_the_parent() -> None:
    """Where the trigger is not described, the parent context tells that a button was pressed."""
    causes = _listening()
    causes.pressed(Trace("b"))
    causes.heard("hue_event", {"id": "dial"}, Trace("h"), 0)
    for parent in ("b", "h"):
        causes.heard("automation_triggered", {"entity_id": "automation.a"}, Trace("x" + parent, parent), 0)
        assert causes.cause("light.a", "on", Trace("x" + parent, parent), 0).kind is CauseKind.REMOTE


def test_button_pressed_by_an_automation_is_no_persons() -> None:
    """An automation that listens to a button which another automation pressed is automation throughout."""
    causes = _listening()
    causes.heard("automation_triggered", {"entity_id": "automation.first"}, Trace("a"), 0)
    causes.pressed(Trace("a"))
    told = {"entity_id": "automation.second", "source": "state of input_button.bed"}
    causes.heard("automation_triggered", told, Trace("x", "a"), 0)
    assert causes.cause("light.a", "on", Trace("x", "a"), 0) == Cause(CauseKind.AUTOMATION, "automation.second")


@pytest.mark.parametrize("event", ["homekit_state_change", "alexa_smart_home", "google_assistant_command"])
def test_bridges(event: str) -> None:
    """What HomeKit, Alexa or Google was told is a person's by bridge, service account or not."""
    causes = _listening(frozenset({"cloud"}))
    causes.heard(event, {}, Trace("x", None, "cloud"), 0)
    assert causes.cause("light.a", "on", Trace("x", None, "cloud"), 0).kind is CauseKind.BRIDGE


@pytest.mark.parametrize(
    ("entity_id", "after", "kind"),
    [
        ("light.slow", 6 * S, CauseKind.AUTOMATION),
        ("light.slow", 31 * S, CauseKind.PHYSICAL),
        ("cover.slow", 110 * S, CauseKind.AUTOMATION),
        ("cover.slow", 121 * S, CauseKind.PHYSICAL),
        ("light.other", 6 * S, CauseKind.PHYSICAL),
        ("light.slow", -1 * S, CauseKind.PHYSICAL),
    ],
)
def test_slow_device_is_matched_with_the_call(entity_id: str, after: int, kind: CauseKind) -> None:
    """An entity that forgot its context is matched with the call before, within 30 s, a cover within 2 min."""
    causes = _listening()
    causes.heard("automation_triggered", {"entity_id": "automation.a"}, Trace("x"), 0)
    causes.heard("call_service", _call("homeassistant.turn_on", ["light.slow", "cover.slow"]), Trace("x"), 0)
    assert causes.cause(entity_id, "on", Trace("fresh"), after).kind is kind


def test_the_contrary_of_a_call_is_not_its_effect() -> None:
    """A light that goes off shortly after an automation turned it on was turned off by somebody else."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", "light.a"), Trace("x"), 0)
    assert causes.cause("light.a", "off", Trace("fresh"), 6 * S).kind is CauseKind.PHYSICAL


@pytest.mark.parametrize(
    ("calls", "kind"),
    [
        (["light.turn_on"], CauseKind.PHYSICAL),
        (["light.turn_off"], CauseKind.PERSON),
        (["light.toggle"], CauseKind.PERSON),
        (["light.turn_on", "light.turn_off"], CauseKind.PERSON),
        (["light.turn_on", "scene.turn_on"], CauseKind.PERSON),
    ],
)
def test_wall_switch_just_after_a_call_is_nobodys_call(calls: list[str], kind: CauseKind) -> None:
    """For 5 s Home Assistant lends a call's context to all that follows; the opposite of what was asked is not its."""
    causes = _listening()
    for call in calls:
        target = "scene.a" if call.startswith("scene") else "light.a"
        causes.heard("call_service", _call(call, target), Trace("x", None, "u"), 0)
    assert causes.cause("light.a", "off", Trace("x", None, "u"), 3 * S).kind is kind


def test_areas_are_expanded_within_the_domain() -> None:
    """A call to an area is meant for the entities in it that are of the call's domain."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", None, area_id="hall"), Trace("x", None, "u"), 0)
    assert causes.cause("light.hall", "on", Trace("fresh"), S).kind is CauseKind.PERSON
    assert causes.cause("cover.hall", "on", Trace("fresh"), S).kind is CauseKind.PHYSICAL


def test_calls_are_forgotten() -> None:
    """Calls that nothing can follow from any more take no memory."""
    causes = _listening()
    causes.heard("call_service", _call("light.turn_on", "light.a"), Trace("x"), 0)
    causes.forget_calls(200 * S)
    assert not causes.targets


def test_calls_of_a_busy_entity_are_forgotten() -> None:
    """Of an entity that is called again and again, only the calls that may still have an effect are kept."""
    causes = _listening()
    for minute in range(1000):
        causes.heard("call_service", _call("light.turn_on", "light.a"), Trace("x"), minute * 60 * S)
        causes.forget_calls(minute * 60 * S)
    assert len(causes.targets["light.a"]) <= 3


def test_memory_is_bounded() -> None:
    """However many contexts are heard of, only the latest are kept."""
    causes = _listening()
    for n in range(110_000):
        causes.heard("script_started", {"entity_id": "script.s"}, Trace(str(n)), n)
    assert len(causes.facts) <= 100_000
    assert "109999" in causes.facts

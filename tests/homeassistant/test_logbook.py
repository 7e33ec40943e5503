"""Rows of the logbook that a test's Home Assistant cannot make: those of bridges, remotes and odd homes."""

from typing import Any

import pytest

from quotidian.homeassistant.logbook import Logbook, Row
from quotidian.model import Cause, CauseKind

NOON = 1_760_000_000.25
INSTANT = 1_760_000_000_250_000
ANNA, NODE_RED = "a" * 32, "b" * 32
CALL = {"context_event_type": "call_service", "context_domain": "light", "context_service": "turn_on"}


def row(entity_id: str = "light.desk", when: float = NOON, state: str | None = "on", **told: Any) -> Row:
    """Make a row."""
    return Row(when=when, entity_id=entity_id, state=state, **told)


def cause(*rows: Row) -> Cause:
    """Tell who switched the light, with one call of a service elsewhere in the logbook."""
    elsewhere = row("fan.hall", NOON - 60, **CALL)
    return Logbook([elsewhere, *rows], frozenset({NODE_RED})).cause("light.desk", INSTANT)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, Cause(CauseKind.PHYSICAL)),
        (CALL, Cause(CauseKind.INTEGRATION)),
        ({**CALL, "context_user_id": ANNA}, Cause(CauseKind.PERSON, None, ANNA)),
        ({**CALL, "context_user_id": NODE_RED}, Cause(CauseKind.INTEGRATION, None, NODE_RED)),
        ({"context_user_id": ANNA}, Cause(CauseKind.PERSON, None, ANNA)),
        ({"context_event_type": "homekit_state_change", "context_domain": "homekit"}, Cause(CauseKind.BRIDGE)),
        (
            {"context_event_type": "google_assistant_command", "context_user_id": ANNA},
            Cause(CauseKind.BRIDGE, None, ANNA),
        ),
        ({"context_event_type": "zha_event", "context_domain": "zha"}, Cause(CauseKind.REMOTE)),
        ({"context_event_type": "doorbird_event"}, Cause(CauseKind.PHYSICAL)),
        (
            {"context_event_type": "script_started", "context_entity_id": "script.a"},
            Cause(CauseKind.SCRIPT, "script.a"),
        ),
        (
            {"context_event_type": "script_started", "context_entity_id": "script.a", "context_user_id": ANNA},
            Cause(CauseKind.PERSON, "script.a", ANNA),
        ),
        ({**CALL, "context_domain": "script", "context_service": "a"}, Cause(CauseKind.SCRIPT)),
        (
            {"context_event_type": "automation_triggered", "context_entity_id": "automation.a", "context_source": None},
            Cause(CauseKind.AUTOMATION, "automation.a"),
        ),
        (
            {
                "context_event_type": "automation_triggered",
                "context_entity_id": "automation.a",
                "context_source": "event 'zha_event'",
            },
            Cause(CauseKind.REMOTE, "automation.a"),
        ),
        ({"context_entity_id": "light.gone"}, Cause(CauseKind.PHYSICAL)),
    ],
)
def test_what_a_row_tells(told: dict[str, Any], expected: Cause) -> None:
    """Each kind of context gives the cause that the live events would have given."""
    assert cause(row(**told)) == expected


def test_a_state_that_follows_another() -> None:
    """A change that follows another entity's has that one's cause, also over several; circles end."""
    relay = row("switch.relay", NOON - 0.1, **CALL, context_user_id=ANNA)
    group = row("light.group", NOON - 0.05, context_entity_id="switch.relay")
    assert cause(relay, group, row(context_entity_id="light.group")) == Cause(CauseKind.PERSON, None, ANNA)
    circle = row("light.group", NOON, context_entity_id="light.desk")
    assert cause(circle, row(context_entity_id="light.group")) == Cause(CauseKind.PHYSICAL)


def test_scripts_are_named_by_their_start() -> None:
    """Of two scripts that a user started by the same service, the later one before the change is named."""
    turned_on = {**CALL, "context_domain": "script", "context_user_id": ANNA}
    starts = [
        row("script.early", NOON - 9, None, domain="script", **turned_on),
        row("script.late", NOON - 1, None, domain="script", **turned_on),
        row("script.other", NOON - 0.5, None, domain="script", **{**turned_on, "context_user_id": NODE_RED}),
    ]
    assert cause(*starts, row(**turned_on)) == Cause(CauseKind.PERSON, "script.late", ANNA)
    assert cause(starts[2], row(**{**turned_on, "context_user_id": NODE_RED})) == Cause(
        CauseKind.SCRIPT, "script.other"
    )


def test_voice_needs_the_same_call() -> None:
    """Alexa's row counts for a change that the same user's same service made, at that time and not later."""
    called = {**CALL, "context_user_id": ANNA}
    assert cause(row(**called), row(when=NOON + 1, state=None, domain="alexa", **called)).kind is CauseKind.BRIDGE
    assert cause(row(**called), row(when=NOON + 60, state=None, domain="alexa", **called)).kind is CauseKind.PERSON
    other = {**called, "context_service": "turn_off"}
    assert cause(row(**called), row(when=NOON + 1, state=None, domain="alexa", **other)).kind is CauseKind.PERSON


def test_nothing_is_said() -> None:
    """Where no row tells of any context, or there is none for a change, the cause is unknown and not the device's."""
    assert Logbook([row()]).cause("light.desk", INSTANT) == Cause()
    assert Logbook([]).cause("light.desk", INSTANT) == Cause()
    assert cause(row(when=NOON + 1)) == Cause()

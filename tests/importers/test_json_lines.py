"""JSON lines: Home Assistant's events, or our own."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quotidian.importers import open_source
from quotidian.model import Area, Cause, CauseKind, Event, Home, Source

from .recorded import RecordingStore, taken

AT = 1_760_000_000_000_000


def _event(state: str | None, second: int, context: dict[str, Any] | None = None, entity_id: str = "light.a") -> Any:
    time = f"2025-10-09T08:53:{second:02}.500000+00:00"
    new = {"entity_id": entity_id, "state": state, "attributes": {"brightness": 9, "x": 1}, "last_updated": time}
    return {
        "event_type": "state_changed",
        "data": {"entity_id": entity_id, "old_state": None, "new_state": None if state is None else new},
        "time_fired": time,
        "context": context or {"id": "c", "parent_id": None, "user_id": None},
    }


def _told(kind: str, data: dict[str, Any], context: str, second: int) -> Any:
    time = f"2025-10-09T08:53:{second:02}+00:00"
    return {"event_type": kind, "data": data, "time_fired": time, "context": {"id": context}}


def _write(folder: Path, *messages: Any) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in messages))
    return path


def test_bare_wrapped_and_coalesced(tmp_path: Path) -> None:
    """Events come bare, in the WebSocket's envelope, or several to a line; other messages are passed over."""
    path = _write(
        tmp_path,
        {"id": 1, "type": "result", "success": True},
        _event("on", 20),
        {"id": 2, "type": "event", "event": _event("off", 21)},
        [{"id": 2, "type": "event", "event": _event("on", 22)}, {"type": "event", "event": _event(None, 23)}],
        "",
    )
    store, imported = taken(path)
    rows = list(store.rows.values())
    assert [(row["last_updated"] - AT, row["state"]) for row in rows] == [
        (500_000, "on"),
        (1_500_000, "off"),
        (2_500_000, "on"),
        (3_500_000, None),
    ]
    assert (rows[0]["attributes"], rows[3]["attributes"], rows[0]["source"]) == ('{"brightness":9}', None, "jsonl")
    assert imported.rejected == 0


def test_causes(tmp_path: Path) -> None:
    """Events that tell causes are listened to where they stand among the others."""
    path = _write(
        tmp_path,
        _told("automation_triggered", {"entity_id": "automation.a"}, "a", 20),
        _event("on", 21, {"id": "a"}),
        _event("off", 22, {"id": "p", "user_id": "anna"}),
        _event("on", 23, {"id": "x"}),
    )
    rows = taken(path)[0].rows.values()
    assert [(row["cause"], row["cause_entity"], row["user"]) for row in rows] == [
        (CauseKind.AUTOMATION, "automation.a", None),
        (CauseKind.PERSON, None, "anna"),
        (CauseKind.PHYSICAL, None, None),
    ]


def test_our_own_events(tmp_path: Path) -> None:
    """Events as Quotidian writes them come back with cause, source, times and attributes."""
    cause = Cause(CauseKind.AUTOMATION, "automation.a")
    event = Event(
        event_id="e",
        home="h",
        entity_id="light.a",
        new_state="on",
        attributes={"brightness": 4},
        last_changed=AT - 5,
        last_updated=AT,
        cause=cause,
        source=Source.SIMULATED,
        area="kitchen",
        labels=("night",),
    )
    flat = {
        "entity_id": "light.a",
        "new_state": None,
        "last_updated": AT + 1,
        "last_changed": AT + 1,
        "cause": "person",
    }
    store, _ = taken(_write(tmp_path, msgspec.json.encode(event).decode(), flat))
    first, second = store.rows.values()
    assert first == {
        "entity_id": "light.a",
        "last_updated": AT,
        "last_changed": AT - 5,
        "state": "on",
        "cause": "automation",
        "cause_entity": "automation.a",
        "user": None,
        "source": "simulated",
        "attributes": '{"brightness":4}',
        "registry": '{"area":"kitchen","labels":["night"]}',
    }
    assert (second["state"], second["cause"], second["last_changed"]) == (None, "person", None)


def test_lines_that_cannot_be_used(tmp_path: Path) -> None:
    """Bad lines are counted by reason and shown with their numbers; the good messages of a list are used."""
    bad = _event("on", 20)
    bad["data"]["new_state"]["state"] = 5
    path = _write(
        tmp_path,
        _event("on", 20),
        "{",
        "[" * 100_000,
        "{}",
        "[7]",
        _event("on", 20, entity_id="nodot"),
        bad,
        {**_event("on", 21), "data": {"entity_id": "light.a", "new_state": {"state": "on", "last_updated": "later"}}},
        {"entity_id": "light.a", "new_state": "on", "last_updated": AT * 1000},
        [_event("on", 20, entity_id=""), _event("off", 25)],
    )
    store = RecordingStore()
    source = open_source(str(path), zone="UTC", rejects=tmp_path / "r.csv")
    store.take(source)
    assert source.rejects.counts == {
        "not JSON": 1,
        "nested too deeply": 1,
        "not an event": 2,
        "entity id without a dot": 1,
        "a state that is not text": 1,
        "not a time": 1,
        "a time in the future": 1,
        "no entity id": 1,
    }
    assert len(store.rows) == 2
    assert source.rejects.examples["not JSON"] == ["line 2: {"]


def test_over_long_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is far too long is rejected; what follows is used."""
    monkeypatch.setattr("quotidian.importers.stream.LONGEST_LINE", 2000)
    store, imported = taken(_write(tmp_path, _event("x" * 9000, 20), _event("on", 21)))
    assert (len(store.rows), imported.rejected) == (1, 1)


def test_grown_file_goes_on(tmp_path: Path) -> None:
    """Of a file that grew, only the new lines are read."""
    store, _ = taken(_write(tmp_path, _event("on", 20)))
    assert taken(_write(tmp_path, _event("on", 20), _event("off", 21)), store)[1].read == 1


def test_what_was_said_before_is_heard_when_going_on(tmp_path: Path) -> None:
    """Where reading goes on between an automation's event and its effect, the cause is found all the same."""
    told = _told("automation_triggered", {"entity_id": "automation.a"}, "a", 20)
    store, _ = taken(_write(tmp_path, told))
    taken(_write(tmp_path, told, _event("on", 21, {"id": "a"})), store)
    (row,) = store.rows.values()
    assert row["cause_entity"] == "automation.a"


def test_home_beside_our_own_events(tmp_path: Path) -> None:
    """The home that is described beside the events is the home, but for its id; what is no home is passed over."""
    home = Home("other", "Asia/Tokyo", "Lane 8", 35.0, areas={"k": Area("k", "Kitchen")})
    (tmp_path / "home.json").write_bytes(msgspec.json.encode(home))
    store, imported = taken(_write(tmp_path, _event("on", 20)), zone=None)
    assert store.home == msgspec.structs.replace(home, id="0" * 32)
    assert imported.warnings == ()
    (tmp_path / "home.json").write_text('{"rooms": 3}')
    _, imported = taken(_write(tmp_path, _event("on", 20)), zone="UTC")
    assert "passed over" in imported.warnings[0]

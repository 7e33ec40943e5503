"""Events that somebody posts by hand."""

from typing import Any

import msgspec
import pytest

from quotidian import clock
from quotidian.capture.manual import posted
from quotidian.errors import RequestError

from .said import START, changed

_FLAT: dict[str, Any] = {"event_type": "state_changed", "entity_id": "light.desk", "state": "on"}


def test_flat_event() -> None:
    """A flat event becomes a whole one, at its timestamp to the microsecond."""
    found = posted({**_FLAT, "timestamp": "2026-03-02T08:00:00.000001+01:00", "attributes": {"brightness": 3}})
    assert (found.entity_id, found.updated) == ("light.desk", START + 1)
    new = found.event["data"]["new_state"]
    assert (new["state"], new["attributes"], new["last_updated"]) == (
        "on",
        {"brightness": 3},
        "2026-03-02T07:00:00.000001+00:00",
    )
    assert posted({**_FLAT, "timestamp": START / 1e6}).updated == START


def test_flat_event_without_a_time_is_of_now() -> None:
    """Without a timestamp, an event happens when it is posted."""
    before = clock.now()
    assert before <= posted({"entity_id": "light.desk", "state": "on"}).updated <= clock.now()


def test_whole_event() -> None:
    """A whole event is kept as it is; a removal happens when it was fired."""
    told = msgspec.json.decode(changed("light.desk", "on", at=START + 9))
    assert posted(told).event == told
    assert posted(told).updated == START + 9
    assert posted(msgspec.json.decode(changed("light.desk", None, at=START))).updated == START


@pytest.mark.parametrize(
    "told",
    [
        [],
        7,
        {},
        {**_FLAT, "event_type": "call_service"},
        {**_FLAT, "event_type": 7},
        {**_FLAT, "entity_id": "desk"},
        {**_FLAT, "entity_id": ["light.desk"]},
        {**_FLAT, "entity_id": "light.desk\n"},
        {**_FLAT, "state": 7},
        {**_FLAT, "state": "x" * 256},
        {**_FLAT, "attributes": 7},
        {**_FLAT, "timestamp": "yesterday"},
        {**_FLAT, "timestamp": "2026-03-02T08:00:00"},
        {**_FLAT, "timestamp": "9999-01-01T00:00:00+00:00"},
        {**_FLAT, "timestamp": True},
        {**_FLAT, "timestamp": float("inf")},
        {**_FLAT, "timestamp": float("nan")},
        {**_FLAT, "timestamp": -1},
        {"data": 7},
        {"data": {"entity_id": "light.desk"}},
        {"data": {"entity_id": "light.desk", "new_state": 7}, "time_fired": "2026-03-02T08:00:00+00:00"},
        {"data": {"entity_id": "light.desk", "new_state": {"state": "on"}}},
    ],
)
def test_what_cannot_be_used_is_refused(told: Any) -> None:
    """What is no change of state is refused, with an example of one."""
    with pytest.raises(RequestError, match=r"light\.desk"):
        posted(told)

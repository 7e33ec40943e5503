"""Home Assistant, or what stands in its place, says what it should not: doubled, disordered, malformed, huge, deep."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import settled
from .running import PORTS, Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome

_MEGABYTE = 1_000_000
_DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000


class Lied:
    """A pipeline and the home that it listens to."""

    def __init__(self, nursery: Nursery, folder: Path, stack: ExitStack) -> None:
        self.home = stack.enter_context(ScriptedHome())
        self.pipeline = stack.enter_context(Pipeline(nursery, folder, (self.home.url, TOKEN)))
        self.pipeline.start()
        self.home.listened()
        self.home.changes("light.before", 10)
        settled(self.pipeline, self.home)

    @property
    def dead(self) -> int:
        """How many messages became dead letters."""
        days = self.pipeline.get("store", "/api/v1/certificates")["certificates"]
        return sum(day["dead"] for day in days)


@pytest.fixture(scope="module")
def lied(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lied]:
    """Run a pipeline that hears lies."""
    with ExitStack() as stack:
        yield Lied(nursery, tmp_path_factory.mktemp("lied"), stack)


def test_doubled_and_disordered_events(lied: Lied) -> None:
    """Each event said three times, and sevens of them backwards: each is stored once (R9)."""
    lied.home.set(repeats=3, shuffled=7)
    lied.home.flood(700, rate=700, entities=20, wait=True)
    lied.home.set(repeats=1, shuffled=1)
    settled(lied.pipeline, lied.home)
    certificates = lied.pipeline.get("store", "/api/v1/certificates")["certificates"]
    assert sum(day["duplicate"] for day in certificates) >= 1400


def test_frames_that_are_no_messages(lied: Lied) -> None:
    """Frames that cannot be read are dead letters, and what is said before and after them is stored."""
    before = lied.dead
    frames = ["not JSON", "[1, 2", '{"type": "event"', "\ufffd\u2028", '[{"type":"event","id":2,"event":{}', _DEEP]
    for frame in frames:
        lied.home.frame(frame)
        lied.home.change("light.desk", frame[:10])
    until(lambda: lied.dead >= before + len(frames))
    settled(lied.pipeline, lied.home)
    assert lied.home.status()["listeners"] == 1


def test_events_that_cannot_be_used(lied: Lied) -> None:
    """Events with wrong kinds, times, names or depth are dead letters with reasons, and nothing else suffers."""
    before = lied.dead
    state = {"entity_id": "light.a", "state": "on", "attributes": {}, "last_updated": "2026-11-22T12:00:00+00:00"}
    wrong = [
        state | {"entity_id": 7},
        state | {"entity_id": "no dot"},
        state | {"state": ["on"]},
        state | {"state": "x" * 300},
        state | {"last_updated": "yesterday"},
        state | {"last_updated": "0001-01-01T00:00:00+00:00"},
        state | {"last_updated": "9999-12-31T23:59:59+00:00"},
        state | {"attributes": json.loads('{"a":' * 900 + "1" + "}" * 900), "state": 4e400},
    ]
    for new in wrong:
        data = {"entity_id": new["entity_id"], "old_state": None, "new_state": new}
        lied.home.fire(json.dumps({"event_type": "state_changed", "data": data, "time_fired": new["last_updated"]}))
    lied.home.fire('{"event_type":"state_changed","data":' + _DEEP + "}")
    lied.home.fire("[]")
    until(lambda: lied.dead == before + len(wrong) + 2)
    settled(lied.pipeline, lied.home)
    reasons = {one["reason"] for one in lied.pipeline.get("store", "/api/v1/dead-letters")["letters"]}
    assert len(reasons) >= 5


def test_huge_events_cost_little_memory(lied: Lied) -> None:
    """A large event is stored, one of 10 MB is a dead letter, and no service needs more than some copies of it."""
    memory = lied.pipeline.memory
    before = {name: (memory(name, "VmRSS"), memory(name)) for name in ("capture", "enrich", "store")}
    dead = lied.dead
    lied.home.frame("x", 10 * _MEGABYTE)
    state = {"entity_id": "light.huge", "state": "on", "attributes": {"text": "x" * 10 * _MEGABYTE}}
    lied.home.fire(json.dumps({"event_type": "state_changed", "data": {"entity_id": "light.huge", "new_state": state}}))
    lied.home.change("light.large", "on", attributes={"text": "x" * 3 * _MEGABYTE})
    lied.home.change("light.small", "on")
    settled(lied.pipeline, lied.home)
    until(lambda: lied.dead == dead + 2)
    grown = {name: (memory(name) - max(then)) / _MEGABYTE for name, then in before.items()}
    assert grown["enrich"] < 50, grown
    assert grown["store"] < 50, grown
    assert grown["capture"] < 100, grown


@pytest.mark.parametrize(("name", "path"), [("enrich", "/api/v1/events"), ("store", "/api/v1/events")])
@pytest.mark.parametrize("what", ["not JSON", "deep", "another shape", "huge", "not text", "a lone surrogate"])
def test_bodies_that_cannot_be_used(lied: Lied, name: str, path: str, what: str) -> None:
    """A body that is malformed, deep, huge or of another shape is refused by a 4xx in the one shape of errors (R16)."""
    body = {
        "not JSON": b"{",
        "deep": _DEEP.encode(),
        "another shape": b'{"stream": 1, "first": "a", "last": [], "messages": {}, "events": 3}',
        "huge": b'{"stream":"' + b"x" * 40 * _MEGABYTE + b'"}',
        "not text": b"\xff\xfe\x00",
        "a lone surrogate": b'{"stream":"\\ud800","first":1,"last":1,"messages":1}',
    }[what]
    before = lied.pipeline.memory(name, "VmRSS")
    status, told = lied.pipeline.status_of(name, path, body)
    assert 400 <= status < 500, told
    assert set(told["error"]) == {"kind", "what", "remedy"}
    assert lied.pipeline.memory(name, "VmRSS") - before < 50 * _MEGABYTE


@pytest.mark.parametrize(("name", "path"), [("enrich", "/api/v1/events"), ("store", "/api/v1/events")])
@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_without_a_token_nothing_is_changed(lied: Lied, name: str, path: str, token: str) -> None:
    """Without the secret or a token a delivery is refused by 401."""
    assert lied.pipeline.status_of(name, path, b"{}", token.encode().decode("latin-1"))[0] == 401


def test_bodies_that_never_end(lied: Lied) -> None:
    """A client that promises a body and sends none keeps nobody else from being served."""
    port = lied.pipeline.port + PORTS["enrich"]
    with ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), 5)))
            client.sendall(b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{")
        lied.home.changes("light.after", 10)
        settled(lied.pipeline, lied.home)

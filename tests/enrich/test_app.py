"""Enrich as a service: what it takes, what it answers, and that it acknowledges only what the store did."""

import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import stamina
from starlette.responses import Response

from quotidian import clock
from quotidian.clients import EnrichClient
from quotidian.errors import BehindError, TooLargeError, UnreachableError
from quotidian.model import CauseKind, Event
from quotidian.model.delivery import Receipt, Refusal, RegistryNote
from quotidian.service.logs import configure
from quotidian.settings import Settings

from .serving import SECRET, Service, with_enrich
from .telling import NOW, SNAPSHOTS, changed, delivery, heard, state

FLAT = {"event_type": "state_changed", "entity_id": "light.desk", "state": "on", "timestamp": "2026-03-02T07:00:00Z"}
SEVEN = 1_772_434_800_000_000
PROBE = {"event_type": "test", "data": {}, "time_fired": "2026-03-02T07:00:00Z", "origin": "LOCAL"}
AWAY = Response(b'{"error":{"kind":"StoreBusy","what":"Busy.","remedy":""}}', 503, {"Retry-After": "7"})


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Let no call be made again, so that nothing waits."""
    with stamina.set_testing(True):
        yield


def stored(service: Service) -> list[Event]:
    """Give the events that the store was sent."""
    return [arrival.event for enriched in service.store.received for arrival in enriched.events]


def test_a_delivery_is_enriched_stored_and_acknowledged(tmp_path: Path) -> None:
    """The receipt is the store's, with a refusal for each dead letter; the store gets every number."""

    async def check(service: Service) -> None:
        client = EnrichClient(service.url, SECRET)
        note = RegistryNote(seq=3, arrived=NOW, snapshot=SNAPSHOTS[1])
        receipt = await client.deliver(delivery(heard(1, changed()), heard(2, changed("light", "on")), note))
        await client.close()
        assert receipt == Receipt(
            stream="stream", last=3, new=1, dead=1, refusals=[Refusal(2, "a malformed entity id")]
        )
        (enriched,) = service.store.received
        assert (enriched.first, enriched.last, enriched.snapshots[0].home.id) == (1, 3, "home")
        assert [(one.seq, one.reason) for one in enriched.letters] == [(2, "a malformed entity id")]
        assert [event.area for event in stored(service)] == ["den"]

    with_enrich(tmp_path, check, SNAPSHOTS[0])


@pytest.mark.parametrize(
    ("failing", "status", "after"),
    [
        (AWAY, 503, 7.0),
        (Response(status_code=500), 503, None),
        (Response(b'{"error":{"kind":"Access","what":"No.","remedy":""}}', 401), 503, None),
        (Response(b'{"error":{"kind":"TooLarge","what":"Much.","remedy":""}}', 413), 413, None),
    ],
)
def test_nothing_is_acknowledged_that_is_not_stored(
    tmp_path: Path, failing: Response, status: int, after: float | None
) -> None:
    """While the store does not take it, whoever sent something hears so; afterwards the same is taken."""

    async def check(service: Service) -> None:
        service.store.failing = failing
        client = EnrichClient(service.url, SECRET)
        with pytest.raises(TooLargeError if status == 413 else UnreachableError):
            await client.deliver(delivery(heard(1, changed())))
        answered, told = await service.post(FLAT)
        assert (answered, "error" in told) == (status, True)
        assert service.store.received == []
        service.store.failing = None
        assert (await client.deliver(delivery(heard(1, changed())))).last == 1
        assert (await service.post(FLAT))[0] == 200
        await client.close()

    with_enrich(tmp_path, check)


def test_what_the_store_is_behind_is_handed_back(tmp_path: Path) -> None:
    """What a delivery follows on is the store's to judge; that it refuses one for that is no failure of the store."""
    behind = Response(b'{"error":{"kind":"Behind","what":"Less.","remedy":"More."}}', 409)

    async def check(service: Service) -> None:
        client = EnrichClient(service.url, SECRET)
        sent = msgspec.structs.replace(delivery(heard(9, changed())), follows=8)
        await client.deliver(sent)
        assert service.store.received[-1].follows == 8
        service.store.failing = behind
        with pytest.raises(BehindError, match=r"Less\. More\."):
            await client.deliver(sent)
        assert (await service.post(msgspec.json.encode(sent)))[0] == 409
        assert msgspec.json.decode((await service.get("/api/v1/status"))[1])["failure"] is None
        await client.close()

    with_enrich(tmp_path, check)


FORMS = (
    FLAT,
    {"entity_id": "light.desk", "new_state": "on", "last_updated": 1_772_434_800_000_000},
    {"entity_id": "light.desk", "state": "on", "timestamp": 1_772_434_800.0},
    changed(new=state("light.desk", "on", "2026-03-02T08:00:00+01:00")),
    {"id": 7, "type": "event", "event": changed(new=state("light.desk", "on", "2026-03-02T07:00:00"))},
    {"entity_id": "light.desk", "new_state": state("light.desk", "on", "2026-03-02T07:00:00Z"), "old_state": None},
)


def test_an_event_by_hand_may_have_any_form(tmp_path: Path) -> None:
    """Whole or flat, as Home Assistant, a person or the store writes it: it is one event, marked as manual."""

    async def check(service: Service) -> None:
        for path in ("/api/v1/events", "/events"):
            for form in FORMS:
                status, told = await service.post(form, path)
                kept = stored(service)[-1]
                assert (status, told) == (200, {"results": [{"event_id": kept.event_id}]}), form
                assert (kept.entity_id, kept.new_state, kept.last_updated) == ("light.desk", "on", SEVEN), form
                assert (kept.cause.kind, kept.area) == (CauseKind.MANUAL, "den")
        assert len(stored(service)) == 2 * len(FORMS)

    with_enrich(tmp_path, check, SNAPSHOTS[0])


def test_an_event_without_a_time_happens_now(tmp_path: Path) -> None:
    """Who posts by hand need not tell the time."""

    async def check(service: Service) -> None:
        before = clock.now()
        assert (await service.post({"entity_id": "light.desk", "state": "on"}))[0] == 200
        assert before <= stored(service)[0].last_updated <= clock.now()

    with_enrich(tmp_path, check)


def test_a_probe_is_counted_and_not_stored(tmp_path: Path) -> None:
    """An event that is no change of state is answered with what became of it."""

    async def check(service: Service) -> None:
        status, told = await service.post(PROBE, "/events")
        assert status == 200
        assert "not stored" in told["results"][0]["note"]
        assert service.store.received == []
        assert msgspec.json.decode((await service.get("/api/v1/status"))[1])["probes"] == 1

    with_enrich(tmp_path, check)


def test_each_event_has_its_own_result(tmp_path: Path) -> None:
    """200 when all were taken, 207 when some were refused, 422 when none was; refused ones are dead letters."""

    async def check(service: Service) -> None:
        bad = {"entity_id": "desk", "state": "on"}
        assert (await service.post([FLAT, PROBE]))[0] == 200
        status, told = await service.post([bad, FLAT, 5, PROBE])
        assert status == 207
        assert [sorted(one) for one in told["results"]] == [["error"], ["event_id"], ["error"], ["note"]]
        status, told = await service.post([bad, {"hello": 1}])
        assert (status, [one["error"] for one in told["results"]]) == (422, ["a malformed entity id", "not an event"])
        numbers = [(one.first, one.last, len(one.events), len(one.letters)) for one in service.store.received]
        assert numbers == [(1, 1, 1, 0), (2, 4, 1, 2), (5, 6, 0, 2)]
        assert [one.seq for one in service.store.received[1].letters] == [2, 4]

    with_enrich(tmp_path, check)


def test_a_body_that_is_no_event_is_refused(tmp_path: Path) -> None:
    """Malformed, deep and large bodies are answered with an error, and nothing is stored."""
    stranger = b'{"stream":"s","first":1,"last":1,"messages":[{"kind":"nothing"}]}'
    bodies = {b"": 400, b"nonsense": 400, b"[]": 400, b"5": 400, b"[" * 200_000: 400, stranger: 400}

    async def check(service: Service) -> None:
        for body, status in (bodies | {b'"' + b"x" * 16_000_001 + b'"': 413}).items():
            answered, told = await service.post(body)
            assert (answered, set(told)) == (status, {"error"}), body[:20]
        assert service.store.received == []

    with_enrich(tmp_path, check)


def test_only_those_who_may_can_post(tmp_path: Path) -> None:
    """Without a token, or with a wrong one, nothing is taken; reading is open on one's own machine."""

    async def check(service: Service) -> None:
        for path in ("/events", "/api/v1/events"):
            for secret in ("", "wrong"):
                assert (await service.post(FLAT, path, secret))[0] == 401
        assert [(await service.get(path))[0] for path in ("/api/v1/status", "/metrics", "/health")] == [200] * 3

    with_enrich(tmp_path, check)


def test_it_says_how_it_is(tmp_path: Path) -> None:
    """Without its store enrich is alive and not ready; figures tell what was done and by what reasons not."""

    async def check(service: Service) -> None:
        await service.post([FLAT, {"entity_id": "desk", "state": "on"}])
        assert (await service.get("/ready"))[0] == 200
        metrics = (await service.get("/metrics"))[1]
        assert "quotidian_enrich_events_total 1.0" in metrics
        assert 'quotidian_enrich_dead_letters_total{reason="a malformed entity id"} 1.0' in metrics
        service.store.failing = AWAY
        status, text = await service.get("/health")
        told = msgspec.json.decode(text)
        assert (status, told["state"], told["dependencies"][0]["state"]) == (200, "down", "down")
        assert (await service.get("/ready"))[0] == 503
        assert told["figures"]["events"] == 1

    with_enrich(tmp_path, check)


def test_numbers_go_on_after_an_answer_was_lost(tmp_path: Path) -> None:
    """When nobody knows whether the store took a post, it is asked before the next one is numbered."""

    async def check(service: Service) -> None:
        await service.post(FLAT)
        service.store.failing = AWAY
        await service.post(FLAT)
        service.store.failing = None
        service.store.received[0] = msgspec.structs.replace(service.store.received[0], last=9)
        await service.post(FLAT)
        assert service.store.received[-1].first == 10

    with_enrich(tmp_path, check)


def test_the_log_follows_events_and_tells_no_states(tmp_path: Path, logged: io.StringIO) -> None:
    """At the debug level each stored event is named by its id; what it said, and secrets, are not in the log."""
    configure(Settings({"QUOTIDIAN_LOG_LEVEL": "debug"}), logged)

    async def check(service: Service) -> None:
        said = {"entity_id": "light.desk", "state": "private"}
        _, told = await service.post([said, {"entity_id": "private"}])
        service.store.failing = AWAY
        await service.post(FLAT)
        service.store.failing = None
        await service.post(FLAT)
        log = logged.getvalue()
        assert told["results"][0]["event_id"] in log
        for part in ("a malformed entity id", "the store takes nothing for now", "the store takes events again"):
            assert part in log, part
        assert "private" not in log
        assert SECRET not in log

    with_enrich(tmp_path, check)

"""From the spool to enrich, over a real port."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import structlog
from starlette.responses import Response

from quotidian.capture import forwarder as forwarding
from quotidian.capture.batch import BatchSize
from quotidian.capture.cause import Settler
from quotidian.capture.forwarder import SINK, Forwarder
from quotidian.clients import EnrichClient, StoreClient
from quotidian.model import Delivery, Heard, RegistryNote
from quotidian.spool import Kind, Spool

from .delivering import SECRET, KeptEnrich, held, refused, serving
from .said import changed, event


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "pause", lambda *_: 0.01)


class Forwarding:
    """A spool whose forwarder runs."""

    def __init__(self, spool: Spool, forwarder: Forwarder, missing: list[tuple[int, int, str]]) -> None:
        self.spool, self.forwarder, self.missing = spool, forwarder, missing

    async def say(self, *payloads: bytes, kind: Kind = Kind.LIVE) -> None:
        for payload in payloads:
            self.spool.append(kind, payload, 1)
        await self.spool.commit()

    async def drained(self) -> None:
        await held(lambda: self.spool.acked(SINK) == self.spool.appended)


@asynccontextmanager
async def _forwarding(directory: Path, url: str, quota: int = 100_000_000) -> AsyncIterator[Forwarding]:
    spool = Spool(directory, quota=quota)
    client, missing = EnrichClient(url, SECRET), list[tuple[int, int, str]]()
    store = StoreClient(url, SECRET)
    forwarder = Forwarder(spool, Settler(), client, lambda *span: missing.append(span), store.received)
    task = asyncio.create_task(forwarder.run())
    try:
        yield Forwarding(spool, forwarder, missing)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
        await store.close()
        spool.close()


def _run(directory: Path, test: Callable[[KeptEnrich, Forwarding], Awaitable[None]]) -> None:
    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url, _forwarding(directory, url) as forwarding:
            await test(enrich, forwarding)

    asyncio.run(running())


def _entity(heard: Heard) -> str:
    return bytes(heard.event).decode().split('"entity_id":"')[1].split('"')[0]


def test_numbers_are_contiguous(tmp_path: Path) -> None:
    """Everything is delivered in order; the numbers of telling events are covered without a message."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        for number in range(500):
            await forwarding.say(changed(f"light.l{number}", "on"), event("call_service", {}))
        await forwarding.drained()
        assert enrich.covered == 1000
        assert [_entity(heard) for heard in enrich.heard] == [f"light.l{number}" for number in range(500)]
        assert [d.first for d in enrich.deliveries[1:]] == [d.last + 1 for d in enrich.deliveries[:-1]]

    _run(tmp_path, test)


def _poisonous(delivery: Delivery) -> bool:
    return any(isinstance(m, Heard) and b"poison" in bytes(m.event) for m in delivery.messages)


def test_poison_is_found_and_becomes_text(tmp_path: Path) -> None:
    """Of a batch that is refused, only the message to blame becomes a text; all others are delivered as they are."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        enrich.refusing = lambda delivery: refused(400) if _poisonous(delivery) else None
        names = [f"light.l{number}" for number in range(100)]
        names[37] = "light.poison"
        await forwarding.say(*(changed(name, "on") for name in names))
        await forwarding.drained()
        assert [heard.seq for heard in enrich.heard if heard.text is not None] == [38]
        assert "light.poison" in (enrich.heard[37].text or "")
        assert enrich.covered == 100
        assert forwarding.forwarder.dead == 1

    _run(tmp_path, test)


def test_too_much_is_divided(tmp_path: Path) -> None:
    """A delivery that is too large is halved until it is not; a message that is too large alone is shortened.

    Each part follows on the one before.
    """

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        def refusing(delivery: Delivery) -> object:
            size = sum(len(bytes(m.event)) for m in delivery.messages if isinstance(m, Heard))
            return refused(413) if size > 20_000 else None

        enrich.refusing = refusing  # type: ignore[assignment]
        padded = b'"attributes":{"x":"' + b"y" * 200_000 + b'"}'
        large = changed("light.large", "on").replace(b'"attributes":{}', padded)
        await forwarding.say(*(changed("light.desk", "on") for _ in range(100)), large, changed("light.desk", "off"))
        await forwarding.drained()
        assert enrich.covered == 102
        assert [heard.seq for heard in enrich.heard if heard.text is not None] == [101]
        assert len(enrich.heard[100].text or "") == 64_000
        assert [d.follows for d in enrich.deliveries] == [0, *(d.last for d in enrich.deliveries[:-1])]

    _run(tmp_path, test)


def test_refused_note_does_not_block(tmp_path: Path) -> None:
    """A snapshot that enrich refuses becomes a text too."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        enrich.refusing = lambda d: refused(400) if any(isinstance(m, RegistryNote) for m in d.messages) else None
        await forwarding.say(b'{"since":1,"home":{"id":"","zone":"UTC"}}', kind=Kind.REGISTRIES)
        await forwarding.say(changed("light.desk", "on"))
        await forwarding.drained()
        assert [heard.text is None for heard in enrich.heard] == [False, True]

    _run(tmp_path, test)


def test_enrich_that_takes_nothing_loses_nothing(tmp_path: Path) -> None:
    """Where even texts are refused, no message is to blame: all of it waits, and is delivered when enrich is mended."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        enrich.refusing = lambda _: refused(400)
        await forwarding.say(changed("light.desk", "on"))
        await held(lambda: enrich.calls > 3 and forwarding.forwarder.error is not None)
        assert forwarding.spool.acked(SINK) == 0
        enrich.refusing = lambda _: None
        await forwarding.drained()

    _run(tmp_path, test)


@pytest.mark.parametrize("status", [401, 404, 409, 429, 500, 503])
def test_later_is_later(tmp_path: Path, status: int) -> None:
    """Whatever else enrich or a proxy before it answers, the same delivery comes again until it is taken."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        left = [0] * 3
        enrich.refusing = lambda _: refused(status, **{"Retry-After": "0"}) if left and not left.pop() else None
        await forwarding.say(changed("light.desk", "on"))
        await forwarding.drained()
        assert enrich.calls == 4
        assert [heard.text for heard in enrich.heard] == [None]
        assert forwarding.forwarder.error is None

    _run(tmp_path, test)


def test_breaker_opens_and_closes(tmp_path: Path) -> None:
    """While nobody answers, the breaker opens, all waits, and that is logged once; later all arrives once."""

    async def running() -> None:
        enrich = KeptEnrich()
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
        async with _forwarding(tmp_path, f"http://127.0.0.1:{port}") as forwarding:
            await forwarding.say(*(changed("light.desk", "on") for _ in range(50)))
            await held(lambda: type(forwarding.forwarder.error).__name__ == "RestingError")
            assert forwarding.spool.depth(SINK) == 50
            async with serving(enrich.app, port):
                await forwarding.drained()
        assert enrich.covered == len(enrich.heard) == 50

    with structlog.testing.capture_logs() as logged:
        asyncio.run(running())
    assert [entry["event"] for entry in logged if entry["log_level"] == "warning"] == ["nothing is delivered for now"]


def test_what_is_not_acknowledged_comes_again(tmp_path: Path) -> None:
    """After a restart of capture everything without a receipt is delivered under the same numbers."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.say(changed("light.desk", "on"))
                await forwarding.drained()
                enrich.refusing = lambda _: refused(503)
                await forwarding.say(changed("light.desk", "off"))
                await held(lambda: forwarding.forwarder.error is not None)
            enrich.refusing = lambda _: None
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.drained()
        assert enrich.covered == 2
        assert {d.stream for d in enrich.deliveries} == {forwarding.spool.stream}

    asyncio.run(running())


def test_missing_numbers_become_a_gap(tmp_path: Path) -> None:
    """A span that the store says it never saw is told on."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        enrich.missing = (5, 9)
        await forwarding.say(changed("light.desk", "on"))
        await forwarding.drained()
        assert [span[:2] for span in forwarding.missing] == [(5, 9)]

    _run(tmp_path, test)


def test_numbers_are_never_given_twice(tmp_path: Path) -> None:
    """When the spool lost its end after it was delivered, what comes then is delivered under another name."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.say(*(changed("light.before", "on") for _ in range(9)))
                await forwarding.drained()
            [log] = tmp_path.glob("*.log")
            os.truncate(log, log.stat().st_size // 2)
            for cursor in tmp_path.glob("cursor-*"):
                cursor.unlink()
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.say(changed("light.after", "on"))
                await forwarding.drained()
        assert len({delivery.stream for delivery in enrich.deliveries}) == 2
        after = [d for d in enrich.deliveries if d.stream == forwarding.spool.stream]
        assert _entity(after[-1].messages[-1]) == "light.after"  # type: ignore[arg-type]
        assert after[-1].last < 9

    asyncio.run(running())


def _forgetful(enrich: KeptEnrich, kept: int) -> None:
    """Put the store back to when it had so many numbers."""
    enrich.deliveries = [delivery for delivery in enrich.deliveries if delivery.last <= kept]


async def _goes_down(enrich: KeptEnrich, forwarding: Forwarding, kept: int) -> None:
    """Refuse until capture has noticed, then put the store back in the last refusal: what is asked next is older."""
    noticed = False

    def refusing(_: Delivery) -> Response:
        if noticed:
            _forgetful(enrich, kept)
            enrich.refusing = lambda _: None
        return refused(503)

    enrich.refusing = refusing
    await forwarding.say(changed("light.later", "on"))
    await held(lambda: forwarding.forwarder.error is not None)
    noticed = True
    await held(lambda: enrich.refusing is not refusing)


@pytest.mark.parametrize("down", [False, True])
def test_older_store_gets_again_what_is_kept(tmp_path: Path, *, down: bool) -> None:
    """A store that was put back or emptied gets again what it lost, also where it was down before that."""

    async def test(enrich: KeptEnrich, forwarding: Forwarding) -> None:
        for number in range(6):
            await forwarding.say(changed(f"light.l{number}", "on"), kind=Kind.MANUAL)
            await forwarding.drained()
        for kept in (3, 0):
            if down:
                await _goes_down(enrich, forwarding, kept)
            else:
                _forgetful(enrich, kept)
            await forwarding.say(changed("light.last", "on"))
            await held(lambda: enrich.covered == forwarding.spool.appended)
            assert [_entity(heard) for heard in enrich.heard[:6]] == [f"light.l{number}" for number in range(6)]
        assert forwarding.missing == []

    _run(tmp_path, test)


def test_older_store_is_noticed_at_the_start(tmp_path: Path) -> None:
    """A store that was put back while capture was stopped gets again what it lost, before anything new."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            async with _forwarding(tmp_path, url) as forwarding:
                for number in range(6):
                    await forwarding.say(changed(f"light.l{number}", "on"), kind=Kind.MANUAL)
                    await forwarding.drained()
            _forgetful(enrich, 3)
            async with _forwarding(tmp_path, url):
                await held(lambda: enrich.covered == 6)
        assert [(d.first, d.follows) for d in enrich.deliveries[3:]] == [(4, 3)]
        assert enrich.calls == 7

    asyncio.run(running())


def test_what_is_not_kept_does_not_block(tmp_path: Path) -> None:
    """An emptied store gets what is left; that the numbers before it are missing is then for the store to say."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url, _forwarding(tmp_path, url, quota=8_000) as forwarding:
            for number in range(60):
                await forwarding.say(changed(f"light.l{number}", "on"), kind=Kind.MANUAL)
                await forwarding.drained()
            _forgetful(enrich, 0)
            await forwarding.say(changed("light.last", "on"))
            await held(lambda: bool(enrich.deliveries) and enrich.deliveries[-1].last == 61)
        first = enrich.deliveries[0]
        assert 1 < first.first < 60
        assert first.follows == 0

    asyncio.run(running())


def test_what_had_another_name_is_not_given_again(tmp_path: Path) -> None:
    """A store that has nothing of a new name is no older one; one that is gets nothing from before the new name."""

    async def running() -> None:
        enrich = KeptEnrich()
        async with serving(enrich.app) as url:
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.say(*(changed("light.before", "on") for _ in range(9)))
                await forwarding.drained()
            enrich.deliveries[-1] = msgspec.structs.replace(enrich.deliveries[-1], last=99)
            async with _forwarding(tmp_path, url) as forwarding:
                await forwarding.say(changed("light.after", "on"))
                await held(lambda: len(enrich.deliveries) > 1)
                await forwarding.drained()
                assert (enrich.deliveries[-1].first, enrich.deliveries[-1].follows) == (10, 0)
                last = enrich.deliveries[-1].last
                enrich.deliveries.clear()
                await forwarding.say(changed("light.last", "on"))
                await held(lambda: enrich.last(forwarding.spool.stream) == last + 1)
        assert (enrich.deliveries[0].first, enrich.deliveries[0].follows) == (10, 0)

    asyncio.run(running())


def test_batches_grow_and_shrink() -> None:
    """A batch doubles while full ones go quickly, stays when there is little to send, and is halved when slow."""
    batch = BatchSize()
    start = batch.limit
    batch.went(start, 0.01)
    assert batch.limit == 2 * start
    batch.went(3, 0.01)
    assert batch.limit == 2 * start
    batch.went(2 * start, 5.0)
    assert batch.limit == start
    for _ in range(20):
        batch.halve()
    assert batch.limit == 16
    for _ in range(20):
        batch.went(batch.limit, 0.01)
    assert batch.limit == 4096

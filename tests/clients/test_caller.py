"""Claims about how peers are called."""

import asyncio
import email.utils
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import msgspec
import pytest
import stamina
import structlog
from aiohttp import client_exceptions
from starlette.responses import Response

from quotidian import clock
from quotidian.clients import Caller, EnrichClient, StoreClient, dependency, health
from quotidian.clients.faults import FOREIGN, seconds, unreached
from quotidian.clients.policy import FAILURES, REST
from quotidian.errors import (
    AccessError,
    BehindError,
    ConflictError,
    NotFoundError,
    QuotidianError,
    RequestError,
    SettingError,
    TooLargeError,
    UnreachableError,
)
from quotidian.model import Delivery, Enriched, Receipt

from .scripted import Scripted, serving

SECRET = "canary-secret-5up3r"
DELIVERY = Delivery(stream="s", first=1, last=2, messages=[])
RECEIPT = Receipt(stream="s", last=2, new=1)
OK = Response(msgspec.json.encode(RECEIPT))


def told(status: int, kind: str = "Request", **headers: str) -> Response:
    """Make an answer in the shape of our errors."""
    error = {"kind": kind, "what": "It is wrong.", "remedy": "Mend it."}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(msgspec.json.encode({"error": error}), status, names)


@pytest.fixture
def _once() -> Iterator[None]:
    """Switch repetition off."""
    stamina.set_active(False)
    yield
    stamina.set_active(True)


@pytest.fixture
def _quick() -> Iterator[None]:
    """Repeat at once."""
    stamina.set_testing(True, attempts=4)
    yield
    stamina.set_testing(False)


def delivered(
    *script: Response | None, work: Callable[[EnrichClient], Awaitable[Any]] | None = None
) -> tuple[Any, Scripted]:
    """Deliver to a scripted enrich; give what came of it, and the script."""

    async def run() -> tuple[Any, Scripted]:
        async with serving(*script) as server:
            client = EnrichClient(server.url, SECRET)
            try:
                return await (work(client) if work else client.deliver(DELIVERY)), server
            except QuotidianError as error:
                return error, server
            finally:
                await client.close()

    return asyncio.run(run())


class TestAnswers:
    def test_a_delivery_is_sent_with_the_secret_and_its_receipt_read(self) -> None:
        """The receipt is the peer's; the body is the delivery as JSON; the secret is a bearer token."""
        receipt, server = delivered(OK)
        ((method, path, headers, body),) = server.heard
        assert (receipt, method, path) == (RECEIPT, "POST", "/api/v1/events")
        assert headers["authorization"] == f"Bearer {SECRET}"
        assert msgspec.json.decode(body, type=Delivery) == DELIVERY

    def test_a_large_delivery_arrives_whole(self) -> None:
        """Megabytes are sent in pieces, and each attempt sends all of them."""
        large = Delivery(stream="s" * 3_000_000, first=1, last=2, messages=[])
        receipt, server = delivered(told(500), OK, work=lambda client: client.deliver(large))
        assert receipt == RECEIPT
        assert [msgspec.json.decode(body, type=Delivery) for *_, body in server.heard] == [large, large]

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (told(400), RequestError),
            (told(422), RequestError),
            (Response("<html>", 400), RequestError),
            (told(413), TooLargeError),
            (Response("<html>", 413), TooLargeError),
            (told(401), AccessError),
            (told(403), AccessError),
            (told(404), NotFoundError),
            (told(405), NotFoundError),
            (told(409), BehindError),
            (told(409, "Conflict"), ConflictError),
        ],
    )
    def test_what_cannot_be_used_is_not_sent_again(self, answer: Response, kind: type[QuotidianError]) -> None:
        """A refusal is raised at once, as the error that says what to do."""
        error, server = delivered(answer)
        assert type(error) is kind
        assert len(server.heard) == 1

    @pytest.mark.usefixtures("_quick")
    @pytest.mark.parametrize(
        "answer",
        [
            *(told(status) for status in (408, 425, 429, 500, 502, 503, 504)),
            Response("<html>", 404),
            Response("<html>", 409),
            Response("", 302, {"Location": "/login"}),
            Response("<html>welcome", 200),
            Response('{"stream": 7}', 200),
        ],
    )
    def test_what_may_pass_is_sent_again(self, answer: Response) -> None:
        """A peer in trouble, and a stranger at its address, are asked again and then unreachable: never a refusal."""
        error, server = delivered(answer)
        assert type(error) is UnreachableError
        assert len(server.heard) == 4

    @pytest.mark.usefixtures("_quick")
    def test_a_peer_that_recovers_is_served(self) -> None:
        """Two failures and a success are a success."""
        receipt, server = delivered(told(503), told(500), OK)
        assert (receipt, len(server.heard)) == (RECEIPT, 3)

    def test_retry_after_is_waited_for(self) -> None:
        """A peer that says "in a second" is not asked before."""

        async def timed(client: EnrichClient) -> float:
            before = asyncio.get_running_loop().time()
            await client.deliver(DELIVERY)
            return asyncio.get_running_loop().time() - before

        took, server = delivered(told(429, Retry_After="1"), OK, work=timed)
        assert took >= 0.99
        assert len(server.heard) == 2

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_long_retry_after_is_handed_on(self, status: int) -> None:
        """A call does not wait for a minute by itself: who called decides."""
        error, server = delivered(told(status, Retry_After="60"))
        assert isinstance(error, UnreachableError)
        assert (error.after, len(server.heard)) == (60.0, 1)

    def test_retry_after_may_be_a_date(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A date is as many seconds away as it is; a past one none; nonsense says nothing."""
        monkeypatch.setattr(clock, "now", lambda: 1_000_000_000_000_000)
        assert seconds(email.utils.formatdate(1_000_000_060, usegmt=True)) == 60.0
        assert seconds(email.utils.formatdate(1, usegmt=True)) == 0.0
        assert [seconds(text) for text in (None, "", "soon", "-1", "1e999")] == [None] * 5


class TestSilence:
    @pytest.mark.usefixtures("_once")
    def test_a_closed_port_is_unreachable(self) -> None:
        """The message names the service, not the secret."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="The enrich service cannot be reached") as caught:
            asyncio.run(_deliver(url))
        assert SECRET not in repr(caught.value)

    @pytest.mark.usefixtures("_once")
    def test_a_connection_that_is_cut_is_unreachable(self) -> None:
        """A lost answer is an error to be tried again."""

        async def run() -> None:
            server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
            async with server:
                await _deliver(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

        with pytest.raises(UnreachableError):
            asyncio.run(run())

    def test_a_peer_that_never_answers_is_noticed(self) -> None:
        """Patience ends."""

        async def run() -> None:
            async with serving(None) as server:
                caller = Caller("enrich", server.url, SECRET, patience=0.1, retries=False)
                try:
                    await caller.get("/", dict[str, Any])
                finally:
                    await caller.close()

        with pytest.raises(UnreachableError, match="in time"):
            asyncio.run(run())

    @pytest.mark.parametrize(
        "url", ["", "enrich", "ftp://enrich", "http://", "http://host:port", "http://host:99999", "http://[::1"]
    )
    def test_an_address_that_is_none_is_a_setting_error(self, url: str) -> None:
        """It is said when the client is made."""
        with pytest.raises(SettingError, match="address of the enrich service"):
            EnrichClient(url, SECRET)


class TestForeignErrors:
    @pytest.mark.parametrize(
        "kind",
        [
            kind
            for kind in [*vars(client_exceptions).values(), OSError, TimeoutError, ConnectionResetError, ssl.SSLError]
            if isinstance(kind, type) and issubclass(kind, Exception) and kind is not aiohttp.WSMessageTypeError
        ],
        ids=lambda kind: kind.__name__,
    )
    def test_every_foreign_error_is_mapped(self, kind: type[Exception]) -> None:
        """Whatever aiohttp or the system may raise is caught, and becomes one of ours that names the peer."""
        assert issubclass(kind, FOREIGN)
        error = unreached("enrich", kind.__new__(kind))
        assert isinstance(error, UnreachableError | SettingError)
        assert "enrich" in error.what
        assert error.remedy


class TestBreaker:
    @pytest.mark.usefixtures("_once")
    def test_it_opens_after_failures_and_lets_through_after_its_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While it is open nothing is sent; the caller is told why, and for how long. Then one success closes it."""

        async def work(client: EnrichClient) -> Receipt:
            for _ in range(FAILURES):
                with pytest.raises(UnreachableError):
                    await client.deliver(DELIVERY)
            for _ in range(3):
                with pytest.raises(UnreachableError, match=r"left alone for a moment\. It is wrong") as caught:
                    await client.deliver(DELIVERY)
                assert 0 < caught.value.after <= REST  # type: ignore[operator]
            monkeypatch.setattr("quotidian.clients.policy.REST", 0.0)
            return await client.deliver(DELIVERY)

        receipt, server = delivered(*[told(500)] * FAILURES, OK, work=work)
        assert (receipt, len(server.heard)) == (RECEIPT, FAILURES + 1)

    @pytest.mark.usefixtures("_once")
    def test_a_clock_that_was_set_back_does_not_keep_it_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The rest is measured by a clock that nobody sets."""

        async def work(client: EnrichClient) -> Receipt:
            for _ in range(FAILURES):
                with pytest.raises(UnreachableError):
                    await client.deliver(DELIVERY)
            with monkeypatch.context() as patch:
                patch.setattr("purgatory.domain.model.time.time", lambda: 0.0)
                patch.setattr("quotidian.clients.policy.REST", 0.0)
                return await client.deliver(DELIVERY)

        assert delivered(*[told(500)] * FAILURES, OK, work=work)[0] == RECEIPT

    @pytest.mark.usefixtures("_once")
    @pytest.mark.parametrize("answer", [told(400), told(401), told(409), told(413), told(503, Retry_After="60")])
    def test_an_answer_never_opens_it(self, answer: Response) -> None:
        """A peer that refuses, or says "later", is alive."""

        async def work(client: EnrichClient) -> None:
            for _ in range(3 * FAILURES):
                with pytest.raises(QuotidianError):
                    await client.deliver(DELIVERY)

        assert len(delivered(answer, work=work)[1].heard) == 3 * FAILURES


class TestTrace:
    def test_the_request_id_is_passed_on(self) -> None:
        """The request that is worked on can be followed to the next service."""
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            _, server = delivered(OK)
        assert server.heard[0][2]["x-request-id"] == "abc"

    @pytest.mark.usefixtures("_quick")
    def test_all_attempts_of_a_call_have_one_id(self) -> None:
        """Also a call that no request led to has an id, the same each time it is tried."""
        _, server = delivered(told(500), OK)
        first, second = (headers["x-request-id"] for _, _, headers, _ in server.heard)
        assert first == second
        assert len(first) == 16


class TestHealth:
    def test_a_service_tells_how_it_is(self) -> None:
        """Its troubles are passed on in words; one that does not answer is down."""
        answer = {"service": "store", "state": "degraded", "dependencies": [{"name": "disk", "state": "down"}]}

        async def run() -> None:
            async with serving(Response(msgspec.json.encode(answer))) as server:
                assert (await health(server.url)).service == "store"
                found = await dependency("store", server.url)
                assert (found.state, found.detail) == ("degraded", "disk: ")
            assert (await dependency("store", server.url)).state == "down"

        asyncio.run(run())


class TestStoreClient:
    def test_it_hands_over_what_was_enriched(self) -> None:
        """The store's receipt comes back."""

        async def run() -> None:
            async with serving(OK) as server:
                client = StoreClient(server.url, SECRET)
                assert await client.receive(Enriched(stream="s", first=1, last=2)) == RECEIPT
                await client.close()

        asyncio.run(run())


async def _deliver(url: str) -> Receipt:
    client = EnrichClient(url, SECRET)
    try:
        return await client.deliver(DELIVERY)
    finally:
        await client.close()

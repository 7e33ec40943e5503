"""A session with a Home Assistant that says what a test wants; ``tests/faults`` holds it to what a real one says."""

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quotidian.errors import AccessError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address, socket_url
from quotidian.homeassistant.inbox import Inbox
from quotidian.homeassistant.session import Garbage, Pace, Session

from ..faults.scripted import TOKEN, ScriptedHome  # noqa: TID252
from ..ports import free  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252

_SELF_SIGNED = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=homeassistant"]
BRISK = Pace(ping=0.1, silence=1.0)


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedHome]:
    """Run a scripted Home Assistant."""
    with ScriptedHome() as home:
        yield home


@pytest.fixture
def home(running: ScriptedHome) -> ScriptedHome:
    """Give it as it was at first."""
    running.set(silent=False, repeats=1, shuffled=1, impatient=False, tokens={TOKEN: True, "guest": False})
    return running


def address_of(home: ScriptedHome, token: str = TOKEN) -> Address:
    """Give its address."""
    return Address(socket_url(home.url), token)


def held(home: ScriptedHome, talk: Callable[[Session], Awaitable[Any]], pace: Pace = Pace(), token: str = TOKEN) -> Any:  # noqa: B008
    """Have a session, and give what came of it; nothing is left behind, and nothing takes for ever."""

    async def all_of_it() -> Any:
        async with asyncio.timeout(60):
            async with Session.open(address_of(home, token), pace) as session:
                outcome = await talk(session)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return outcome

    return asyncio.run(all_of_it())


async def taken(session: Session, wanted: int) -> list[bytes]:
    """Take so many events, at least."""
    found: list[bytes] = []
    async for batch in session.events():
        found += batch
        if len(found) >= wanted:
            break
    return found


async def to_the_end(batches: AsyncIterator[list[bytes]], match: str) -> list[bytes]:
    """Take all events there are, until an error ends them."""
    found: list[bytes] = []

    async def take() -> None:
        async for batch in batches:
            found.extend(batch)

    with pytest.raises(UnreachableError, match=match):
        await take()
    return found


def states(events: list[bytes]) -> list[str]:
    """Give the states that events tell."""
    return [msgspec.json.decode(event)["data"]["new_state"]["state"] for event in events]


def test_events_come_in_order_and_whole(home: ScriptedHome) -> None:
    """Each event comes once and in order, also out of frames that hold many."""

    async def talk(session: Session) -> list[bytes]:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.flood, 3_000, entities=1)
        return await taken(session, 3_000)

    assert states(held(home, talk)) == [str(number) for number in range(3_000)]


def test_answers_find_their_askers(home: ScriptedHome) -> None:
    """Commands that are asked at once get their own answers."""

    async def talk(session: Session) -> list[Any]:
        asked = ["get_config", "recorder/info", "get_states", "config/auth/list"] * 20
        return await asyncio.gather(*map(session.command, asked))

    answers = held(home, talk)
    assert all(answers[n]["location_name"] == "Scripted home" and answers[n + 1]["recording"] for n in range(0, 80, 4))


def test_what_is_refused(home: ScriptedHome) -> None:
    """An unknown command is a request's fault, one for administrators is the token's; the session goes on."""

    async def talk(session: Session) -> str:
        with pytest.raises(RequestError, match="Unknown command"):
            await session.command("make/coffee")
        with pytest.raises(AccessError, match="administrator"):
            await session.subscribe("call_service")
        return str((await session.command("get_config"))["version"])

    assert held(home, talk, token="guest") == "2025.4.4"


@pytest.mark.parametrize("code", ["unknown_error", "timeout"])
def test_what_failed_may_work_later(home: ScriptedHome, code: str) -> None:
    """What Home Assistant failed at by itself, as with a locked database, is no refusal: it is to be asked again."""
    fault = {"code": code, "message": "Unknown error"}

    async def talk(session: Session) -> None:
        await session.subscribe("state_changed")
        home.set(silent=True)
        answer = asyncio.create_task(session.command("get_states"))
        home.frame(msgspec.json.encode({"id": 3, "type": "result", "success": False, "error": fault}).decode())
        try:
            with pytest.raises(UnreachableError, match="could not do this"):
                await answer
        finally:
            home.set(silent=False)

    held(home, talk)


DEEP = '{"id": 9, "type": "event", "event": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    ("frame", "garbage"),
    [
        ("no JSON", ["no JSON"]),
        ("", [""]),
        ('{"type": 7}', ['{"type": 7}']),
        ('[{"type": "pong"}, 5, {"id": 1}]', ["5", '{"id": 1}']),
        ('[{"type": "pong"}, {"type": ', ['[{"type": "pong"}, {"type": ']),
        (DEEP, [DEEP]),
        ('{"type": "result", "id": 77, "success": true, "result": {}}', []),
        ('{"type": "from a later version", "news": {}}', []),
        ('{"type": "event", "id": 9, "event": "\\ud800"}', ['{"type": "event", "id": 9, "event": "\\ud800"}']),
    ],
)
def test_frames_that_cannot_be_read(home: ScriptedHome, frame: str, garbage: list[str]) -> None:
    """What cannot be read is handed out as garbage, byte for byte, and the session goes on."""

    async def talk(session: Session) -> list[bytes]:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.frame, frame)
        await asyncio.to_thread(home.change, "light.desk", "on")
        found: list[bytes] = []
        while not found or b"light.desk" not in found[-1]:
            found += await taken(session, 1)
        await session.command("get_config")
        return found[:-1]

    found = held(home, talk)
    assert [bytes(one).decode() for one in found] == garbage
    assert all(isinstance(one, Garbage) for one in found)


def test_frames_of_many_megabytes(home: ScriptedHome) -> None:
    """An event and an answer of more than four megabytes come whole."""
    blob = "x" * 6_000_000

    async def talk(session: Session) -> tuple[bytes, Any]:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.change, "camera.door", "idle", attributes={"blob": blob})
        return (await taken(session, 1))[0], await session.command("get_states")

    event, everything = held(home, talk)
    home.change("camera.door", None)
    assert msgspec.json.decode(event)["data"]["new_state"]["attributes"]["blob"] == blob
    assert any(state["attributes"].get("blob") == blob for state in everything)


def test_nobody_takes(home: ScriptedHome) -> None:
    """Events that nobody takes stay with the one who speaks: few wait here, none is lost, and it is no silence."""
    pace = msgspec.structs.replace(BRISK, silence=0.3, waiting=20_000)

    async def talk(session: Session) -> list[bytes]:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.flood, 20_000, 0, 1)
        await asyncio.to_thread(until, lambda: home.status()["pending"] > 200)
        await asyncio.sleep(3 * pace.silence)
        inbox = session._inbox
        assert inbox._size < pace.waiting + 200_000  # a frame more than the limit
        return await taken(session, 20_000)

    assert states(held(home, talk, pace)) == [str(number) for number in range(20_000)]


def test_silence(home: ScriptedHome) -> None:
    """A peer that stays connected and says nothing is given up: those who wait for events and answers are told."""

    async def talk(session: Session) -> float:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.set, silent=True)
        begun = time.monotonic()
        asking = asyncio.create_task(session.command("get_states"))
        with pytest.raises(UnreachableError, match="has not said anything for 1 s"):
            await taken(session, 1)
        with pytest.raises(UnreachableError, match="has not said anything"):
            await asking
        with pytest.raises(UnreachableError, match="has not said anything"):
            await session.command("get_config")
        return time.monotonic() - begun

    assert held(home, talk, BRISK) >= 0.9
    assert Pace().silence + Pace().ping <= 30


@pytest.mark.parametrize("how", ["close", "abort"])
def test_the_end(home: ScriptedHome, how: str) -> None:
    """When the peer goes, what it said before is handed out first, then those who wait are told."""

    async def talk(session: Session) -> list[bytes]:
        await session.subscribe("state_changed")
        await asyncio.to_thread(home.changes, "light.desk", 3)
        await session.command("get_config")
        await asyncio.to_thread(home.drop, how)
        return await to_the_end(session.events(), "closed the connection")

    assert len(held(home, talk)) == 3


def test_no_answer(home: ScriptedHome) -> None:
    """A command that is never answered ends with an error that names it."""

    async def talk(session: Session) -> None:
        home.set(silent=True)
        with pytest.raises(UnreachableError, match=r"did not answer get_states within 0\.2 s"):
            await session.command("get_states")

    held(home, talk, Pace(answer=0.2))


def test_wrong_token(home: ScriptedHome) -> None:
    """A refused token is the token's fault, said with a way out and without the token."""

    async def talk(_: Session) -> None:
        raise AssertionError("it let us in")

    with pytest.raises(AccessError, match=r"refuses the token.*HA_TOKEN") as refused:
        held(home, talk, token="canary-77aa")
    assert "canary-77aa" not in f"{refused.value!r} {refused.value}"


def reason(url: str, *, seconds: float = 5.0) -> str:
    """Tell why a connection cannot be made."""

    async def connect() -> None:
        async with asyncio.timeout(30), Session.open(Address(url, TOKEN), Pace(connect=seconds)):
            pass

    with pytest.raises(UnreachableError) as refused:
        asyncio.run(connect())
    return str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ws://nobody.invalid/api/websocket", "no machine of the name nobody.invalid. Check HA_URL"),
        ("ws://home.local/api/websocket", "do not resolve in Docker: set HA_URL with the IP address"),
        ("ws://127.0.0.1:{free}/api/websocket", "Nobody answers at 127.0.0.1"),
        ("ws://127.0.0.1:{home}/elsewhere", "is not Home Assistant (status 404)"),
        ("wss://127.0.0.1:{home}/api/websocket", "does not speak TLS."),
    ],
)
def test_nobody_there(home: ScriptedHome, url: str, said: str) -> None:
    """Whatever keeps us from Home Assistant is said with what to do about it."""
    assert said in reason(url.format(free=free(), home=home.port))


@asynccontextmanager
async def serving(handle: Any, **how: Any) -> AsyncIterator[int]:
    """Listen on a port; what still goes on at the end is cut."""
    tasks: set[asyncio.Task[Any]] = set()

    async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        with suppress(ConnectionError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(kept, "127.0.0.1", 0, **how)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", (AccessError, "ip_bans.yaml")),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", (UnreachableError, "is not up (status 502)")),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n",
            (UnreachableError, "sends us to another address"),
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", (UnreachableError, "127.0.0.1 ")),
        (b"", (UnreachableError, "127.0.0.1 ")),
        (None, (UnreachableError, "does not answer")),
    ],
    ids=["banned", "proxy", "moved", "other", "closed", "silent"],
)
def test_somebody_else_there(answer: bytes | None, said: tuple[type[Exception], str]) -> None:
    """Whoever answers that is no Home Assistant, or says that we may not, is told apart."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await asyncio.Event().wait()
        else:
            writer.write(answer)
            await writer.drain()

    async def connect() -> str:
        async with serving(handle) as port:
            with pytest.raises(said[0]) as refused:
                async with Session.open(Address(f"ws://127.0.0.1:{port}/api/websocket", TOKEN), Pace(connect=0.5)):
                    pass
            return str(refused.value)

    assert said[1] in asyncio.run(connect())


def test_own_certificate(home: ScriptedHome, tmp_path: Path) -> None:
    """A certificate of one's own is refused with the setting that takes it, and taken with that setting."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [*_SELF_SIGNED, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection("127.0.0.1", home.port)
        try:
            await asyncio.gather(_pipe(reader, back), _pipe(onward, writer))
        finally:
            back.close()

    async def connect() -> tuple[str, str]:
        async with serving(handle, ssl=context) as port:
            address = Address(f"wss://127.0.0.1:{port}/api/websocket", TOKEN)
            with pytest.raises(UnreachableError) as refused:
                async with Session.open(address):
                    pass
            async with Session.open(msgspec.structs.replace(address, verify_tls=False)) as session:
                return str(refused.value), session.version

    told, version = asyncio.run(connect())
    assert "self-signed certificate" in told.replace("self signed", "self-signed")
    assert "HA_VERIFY_TLS" in told
    assert version == "2025.4.4"


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_inbox_waits_and_ends() -> None:
    """An inbox takes what fits, lets others wait, and tells its end after the last event."""

    async def talk() -> list[bytes]:
        inbox = Inbox(limit=10)
        await inbox.put([b"12345"])
        late = asyncio.create_task(inbox.put([b"123456"]))
        await asyncio.sleep(0)
        assert not late.done()
        taking = asyncio.create_task(to_the_end(inbox.batches(), "over"))
        await late
        inbox.end(UnreachableError("It is over."))
        return await taking

    assert asyncio.run(talk()) == [b"12345", b"123456"]

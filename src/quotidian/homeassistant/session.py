"""One WebSocket to a running Home Assistant: commands, subscriptions, and the events in the bytes they came in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, Self, TypeVar

import aiohttp
import msgspec

from quotidian.errors import AccessError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.inbox import LIMIT, Inbox
from quotidian.homeassistant.refusal import refusal

_FRAME: Final = 1 << 28  #: bytes of a frame, at most: the states of a large home are many megabytes
_T = TypeVar("_T")
_CLOSING: Final = 2.0  #: seconds for which a peer may take its leave


class Pace(msgspec.Struct, frozen=True):
    """How long what may take (seconds), and how many bytes of events may wait.

    A peer that says nothing for ``silence`` is gone; asked with a ping every ``ping`` seconds, a living one does.
    """

    connect: float = 10.0
    ping: float = 10.0
    silence: float = 20.0
    answer: float = 300.0
    waiting: int = LIMIT


class Garbage(bytes):
    """A frame, or a message of one, that cannot be read."""


class _Fault(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Message(msgspec.Struct):
    """The envelope of a message; what is in it is left as it came."""

    type: str
    id: int | None = None
    success: bool = False
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Fault | None = None
    event: msgspec.Raw = msgspec.Raw()
    message: str = ""
    ha_version: str = ""


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])
_MESSAGE: Final = msgspec.json.Decoder(_Message)
_PARTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError)


class _Stream:
    """The first messages of a subscription of its own."""

    def __init__(self, count: int) -> None:
        self._count, self._heard = count, list[msgspec.Raw]()
        self.full: asyncio.Future[list[msgspec.Raw]] = asyncio.get_running_loop().create_future()

    def hear(self, message: msgspec.Raw) -> None:
        self._heard.append(message)
        if len(self._heard) == self._count and not self.full.done():
            self.full.set_result(self._heard)


class Session:
    """An authenticated connection; made by ``open``.

    Take the events in a task of its own: as long as nobody takes them and too many wait, answers wait behind them.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, address: Address, pace: Pace, version: str) -> None:
        self.version = version
        self._socket, self._address, self._pace = socket, address, pace
        self._inbox = Inbox(pace.waiting)
        self._answers: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._streams: dict[int, _Stream] = {}
        self._number = 0
        self._speaking = asyncio.Lock()
        self._ended: UnreachableError | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, pace: Pace = Pace()) -> AsyncIterator[Self]:  # noqa: B008 - frozen
        """Connect and log in.

        Raises
        ------
        AccessError
            When the token is refused, or this machine is.
        UnreachableError
            When nobody answers there, or not as Home Assistant does.
        """
        async with AsyncExitStack() as stack:
            socket, version = await _login(stack, address, pace)
            session = cls(socket, address, pace, version)
            tasks = [asyncio.create_task(session._pump()), asyncio.create_task(session._ping())]
            stack.push_async_callback(session._close, tasks)
            with suppress(RequestError):  # of a version that had no features to agree on
                await session.command("supported_features", features={"coalesce_messages": 1})
            yield session

    async def command(self, type: str, **fields: Any) -> Any:  # noqa: A002 - the protocol's word
        """Ask for something and give the answer.

        Raises
        ------
        AccessError
            When the token may not do this.
        RequestError
            When Home Assistant does not know the command, or cannot do it.
        UnreachableError
            When the connection ends before the answer comes, or none comes.
        """
        try:
            return msgspec.json.decode(await self.ask(type, **fields))
        except _UNREADABLE as error:
            raise RequestError(f"Home Assistant's answer to {type} cannot be read: {error}.") from error

    async def ask(self, type: str, **fields: Any) -> msgspec.Raw:  # noqa: A002 - the protocol's word
        """Ask as ``command`` does, and give the answer's JSON."""
        return await self._answered(type, fields, None)

    async def first(self, count: int, type: str, **fields: Any) -> list[msgspec.Raw]:  # noqa: A002 - the protocol's word
        """Subscribe to a stream, and give the JSON of its first messages; then it is left."""
        stream = _Stream(count)
        try:
            await self._answered(type, fields, stream)
            heard = await self._in_time(type, stream.full)
        finally:
            numbers = [number for number, other in self._streams.items() if other is stream]
            stream.full.cancel()
            if self._ended is None:
                for number in numbers:
                    await self._say("unsubscribe_events", {"subscription": number})
            for number in numbers:
                del self._streams[number]
        return heard

    async def subscribe(self, *event_types: str) -> None:
        """Have events of these types sent; they come from ``events``.

        Raises
        ------
        AccessError
            When the token may not listen to one of them.
        """
        for event_type in event_types:
            await self.ask("subscribe_events", event_type=event_type)

    async def events(self) -> AsyncIterator[list[bytes]]:
        """Hand out the JSON of the events, all that came at a time, and as ``Garbage`` what cannot be read.

        Raises
        ------
        UnreachableError
            When the connection has ended, after the last event.
        """
        async for batch in self._inbox.batches():
            yield batch

    async def _answered(self, type: str, fields: dict[str, Any], stream: _Stream | None) -> msgspec.Raw:  # noqa: A002
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        number = await self._say(type, fields, answer, stream)
        try:
            return await self._in_time(type, answer)
        finally:
            self._answers.pop(number, None)

    async def _in_time(self, type: str, awaited: asyncio.Future[_T]) -> _T:  # noqa: A002
        try:
            async with asyncio.timeout(self._pace.answer):
                return await awaited
        except TimeoutError as error:
            raise UnreachableError(
                f"Home Assistant did not answer {type} within {self._pace.answer:g} s.", "It may be busy: try later."
            ) from error

    async def _say(
        self,
        type: str,  # noqa: A002
        fields: dict[str, Any],
        answer: asyncio.Future[msgspec.Raw] | None = None,
        stream: _Stream | None = None,
    ) -> int:
        """Send a message; numbers must rise in the order of sending."""
        async with self._speaking:
            if self._ended is not None:
                raise self._ended
            self._number += 1
            number = self._number
            if answer is not None:
                self._answers[number] = answer
            if stream is not None:
                self._streams[number] = stream
            try:
                await self._socket.send_str(msgspec.json.encode({"id": number, "type": type, **fields}).decode())
            except (aiohttp.ClientError, OSError) as error:
                raise self._gone() from error
        return number

    async def _ping(self) -> None:
        """Make a living peer say something, so that silence tells a dead one."""
        with suppress(UnreachableError):  # the pump sees the end too, and tells it
            while True:
                await asyncio.sleep(self._pace.ping)
                await self._say("ping", {})

    async def _pump(self) -> None:
        """Read frames as long as there are any; whoever waits for an answer or an event is told of the end."""
        try:
            while (frame := await self._heard()) is not None:
                events = [event for message in _messages(frame) for event in self._routed(message)]
                if events:
                    await self._inbox.put(events)
        except TimeoutError:
            self._end(
                UnreachableError(
                    f"Home Assistant at {self._address.host} has not said anything for {self._pace.silence:g} s.",
                    "It may be stopped, restarting or unplugged, or the network is down.",
                )
            )
        finally:
            if self._ended is None:
                self._end(self._gone())

    async def _heard(self) -> str | bytes | None:
        """Wait for a frame; ``None`` at the end. The time in which nobody takes events is no silence."""
        async with asyncio.timeout(self._pace.silence):
            message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return message.data  # type: ignore[no-any-return]
        return None

    def _routed(self, message: _Message | Garbage) -> Iterator[bytes]:
        """Give an answer to whoever waits for it, and the events back."""
        if isinstance(message, Garbage):
            yield message
        elif message.type == "event" and message.id in self._streams:
            self._streams[message.id].hear(message.event)
        elif message.type == "event":
            yield bytes(message.event)
        elif message.type == "result" and message.id in self._answers:
            answer = self._answers[message.id]
            if answer.done():
                return
            if message.success:
                answer.set_result(message.result)
            else:
                answer.set_exception(_refused(message.error or _Fault()))

    def _gone(self) -> UnreachableError:
        return self._ended or UnreachableError(f"Home Assistant at {self._address.host} closed the connection.")

    def _end(self, error: UnreachableError) -> None:
        self._ended = error
        streams = (stream.full for stream in self._streams.values())
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), *streams]
        for awaited in waiting:
            if not awaited.done():
                awaited.set_exception(error)
        self._inbox.end(error)

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def _login(stack: AsyncExitStack, address: Address, pace: Pace) -> tuple[aiohttp.ClientWebSocketResponse, str]:
    try:
        async with asyncio.timeout(pace.connect):
            client = await stack.enter_async_context(aiohttp.ClientSession())
            socket = await client.ws_connect(
                address.url,
                ssl=address.verify_tls,
                max_msg_size=_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
            )
            stack.push_async_callback(socket.close)
            return socket, await _authenticated(socket, address)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise refusal(address, error) from error


async def _authenticated(socket: aiohttp.ClientWebSocketResponse, address: Address) -> str:
    """Say the token; give Home Assistant's version."""
    await _greeting(socket, address, "auth_required")
    await socket.send_str(msgspec.json.encode({"type": "auth", "access_token": address.token}).decode())
    return (await _greeting(socket, address, "auth_ok")).ha_version


async def _greeting(socket: aiohttp.ClientWebSocketResponse, address: Address, wanted: str) -> _Message:
    frame = await socket.receive()
    message = next(_messages(frame.data), None) if frame.type is aiohttp.WSMsgType.TEXT else None
    if isinstance(message, _Message) and message.type == "auth_invalid":
        raise AccessError(
            f"Home Assistant at {address.host} refuses the token.",
            "Make a new long-lived access token on your profile page, under Security, and set HA_TOKEN to it.",
        )
    if not isinstance(message, _Message) or message.type != wanted:
        raise UnreachableError(
            f"What answers at {address.url} does not talk as Home Assistant does.",
            "Check the address and the port; while Home Assistant starts, wait.",
        )
    return message


def _messages(frame: str | bytes) -> Iterator[_Message | Garbage]:
    """Read a frame: a message, or a list of messages."""
    try:
        if frame[:1] in ("[", b"["):
            yield from _MESSAGES.decode(frame)
        else:
            yield _MESSAGE.decode(frame)
    except _UNREADABLE:
        yield from _salvaged(frame)


def _salvaged(frame: str | bytes) -> Iterator[_Message | Garbage]:
    """Read of a frame what can be read, message by message."""
    try:
        parts: list[msgspec.Raw | str | bytes] = [*_PARTS.decode(frame)]
    except _UNREADABLE:
        parts = [frame]
    for part in parts:
        try:
            yield _MESSAGE.decode(part)
        except _UNREADABLE:
            yield Garbage(part.encode("utf-8", "replace") if isinstance(part, str) else bytes(part))


def _refused(fault: _Fault) -> AccessError | RequestError:
    if fault.code == "unauthorized":
        return AccessError(
            "The token of Home Assistant may not do this.",
            "Use a token that an administrator made on the profile page.",
        )
    return RequestError(f"Home Assistant refuses: {fault.message or fault.code or 'it does not say why'}.")

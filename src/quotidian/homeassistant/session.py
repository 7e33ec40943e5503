"""One WebSocket to a running Home Assistant: commands, subscriptions, and the events in the bytes they came in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from quotidian.errors import AccessError, RequestError, UnreachableError
from quotidian.homeassistant.address import Address
from quotidian.homeassistant.frames import UNREADABLE, Fault, Garbage, Message, messages
from quotidian.homeassistant.inbox import LIMIT, Inbox
from quotidian.homeassistant.login import login

__all__ = ["Garbage", "Pace", "Session"]

_T = TypeVar("_T")
#: What it says when it failed by itself, as when its database is locked: the same may work later.
_PASSING = frozenset({"unknown_error", "timeout"})


class Pace(msgspec.Struct, frozen=True):
    """How long what may take (seconds), and how many bytes of events may wait.

    A peer that says nothing for ``silence`` is gone; asked with a ping every ``ping`` seconds, a living one does.
    """

    connect: float = 10.0
    ping: float = 10.0
    silence: float = 20.0
    answer: float = 300.0
    waiting: int = LIMIT


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
            socket, version = await login(stack, address, pace.connect)
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
            When Home Assistant does not know the command, or what it is asked for.
        UnreachableError
            When the connection ends before the answer comes, none comes, or Home Assistant failed at it.
        """
        try:
            return msgspec.json.decode(await self.ask(type, **fields))
        except UNREADABLE as error:
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
            if not stream.full.cancel() and not stream.full.cancelled():
                stream.full.exception()  # it was told to whoever waited, or nobody waits any more
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
                self._answers.pop(number, None)
                self._streams.pop(number, None)
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
                events = [event for message in messages(frame) for event in self._routed(message)]
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

    def _routed(self, message: Message | Garbage) -> Iterator[bytes]:
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
                answer.set_exception(_refused(message.error or Fault()))

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


def _refused(fault: Fault) -> AccessError | RequestError | UnreachableError:
    if fault.code == "unauthorized":
        return AccessError(
            "The token of Home Assistant may not do this.",
            "Use a token that an administrator made on the profile page.",
        )
    if fault.code in _PASSING:
        return UnreachableError(
            f"Home Assistant could not do this: {fault.message or fault.code}.", "Its log says why."
        )
    return RequestError(f"Home Assistant refuses: {fault.message or fault.code or 'it does not say why'}.")
